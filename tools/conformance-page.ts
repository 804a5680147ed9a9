/**
 * Runs every kind of recording and writes the counts and the misses into docs/CONFORMANCE.md, between its two markers. The reasons stand here:
 * a miss without one is printed as not understood.
 *
 *   node tools/conformance-page.ts [SHARED]      (default: ../shared)
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type KindName, KIND_NAMES, loadKind } from '../src/harness/conformance/kinds.ts';
import { type ConformanceFailure, runConformance } from '../src/harness/conformance/run-conformance.ts';
import { missReasons } from './conformance-reasons.ts';

const page = new URL('../docs/CONFORMANCE.md', import.meta.url);
const begin = '<!-- written by tools/conformance-page.ts -->';
const end = '<!-- end -->';
const shared = process.argv[2] ?? '../shared';
const differenceLettersMax = 220;

const folders: Readonly<Record<KindName, string>> = {
  raft: 'conformance/raft',
  etcd: 'goldens/etcd',
  linearizability: 'conformance/linearizability',
  api: 'goldens/api',
  manifests: 'manifests',
  controllers: 'goldens/controllers',
  scheduler: 'goldens/scheduler',
  kubelet: 'goldens/kubelet',
};

interface KindResult {
  readonly kind: KindName;
  readonly passed: number;
  readonly total: number;
  readonly cpuSeconds: number;
  readonly failures: readonly ConformanceFailure[];
}

async function run(kind: KindName): Promise<KindResult> {
  const failures: ConformanceFailure[] = [];
  const before = process.cpuUsage();
  const summary = runConformance({
    kind: await loadKind(kind),
    folder: `${shared}/${folders[kind]}`,
    onFailure: (failure) => failures.push(failure),
  });
  const { user, system } = process.cpuUsage(before);
  return { kind, ...summary, cpuSeconds: (user + system) / 1e6, failures };
}

function tableLine({ kind, passed, total, cpuSeconds }: KindResult): string {
  const share = `${((100 * passed) / total).toFixed(1)} %`;
  return `| ${kind} | ${passed} | ${total} | ${share} | ${cpuSeconds.toFixed(1)} | \`npm run conformance -- ${kind} ../shared/${folders[kind]}\` |`;
}

/** Misses of one kind by reason, each reason with its cases. */
function missLines({ kind, failures }: KindResult): readonly string[] {
  if (failures.length === 0) return [];
  const byReason = new Map<string, ConformanceFailure[]>();
  for (const failure of failures) {
    const text = `${failure.file}: ${failure.name}: ${failure.difference}`;
    const reason = missReasons.find((each) => each.kind === kind && each.cases.test(text))?.reason ?? 'Not understood yet.';
    byReason.set(reason, [...(byReason.get(reason) ?? []), failure]);
  }
  const lines = [``, `### ${kind}: ${failures.length} misses`];
  for (const [reason, cases] of byReason) {
    lines.push('', `${reason}`, '');
    for (const { file, name, difference } of cases) {
      const line = difference.replace(/\s+/g, ' ').replaceAll('`', "'").replaceAll('|', '\\|');
      const short = line.length > differenceLettersMax ? `${line.slice(0, differenceLettersMax)}…` : line;
      lines.push(`- ${file}${name === '' ? '' : `, ${name}`}: \`${short}\``);
    }
  }
  return lines;
}

const results: KindResult[] = [];
for (const kind of KIND_NAMES) {
  const result = await run(kind);
  console.log(`${kind}: ${result.passed} of ${result.total}`);
  results.push(result);
}
const lines = [
  begin,
  '',
  '| kind | passed | cases | share | CPU-s | printed by |',
  '|---|---|---|---|---|---|',
  ...results.map(tableLine),
  '',
  '## Misses',
  ...results.flatMap(missLines),
  '',
  end,
];
const text = readFileSync(page, 'utf8');
const from = text.indexOf(begin);
const to = text.indexOf(end);
if (from < 0 || to < 0) throw new Error(`${page.pathname} lacks the markers ${begin} and ${end}`);
writeFileSync(page, text.slice(0, from) + lines.join('\n') + text.slice(to + end.length));
