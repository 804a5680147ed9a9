/**
 * Regenerates `src/model/apiserver/generated/discovery.json` from the recording of a real server's discovery: its groups in order, their
 * resources with verbs and storage version hashes, the paths of its index, and its health checks by name.
 *
 * Usage: node tools/generate-discovery.ts [path of 01-discovery.jsonl]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

interface Recorded {
  readonly path?: string;
  readonly headers?: unknown;
  readonly status?: number;
  readonly response?: Readonly<Record<string, unknown>>;
  readonly responseText?: string;
}

export const discoveryFile = join(root, 'src/model/apiserver/generated/discovery.json');

export function generateDiscovery(path: string): string {
  const steps = readFileSync(path, 'utf8')
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Recorded);
  const plain = (wanted: string): Recorded | undefined => steps.find((step) => step.path === wanted && step.headers === undefined);
  const checks = (wanted: string): string[] =>
    (plain(wanted)?.responseText ?? '')
      .split('\n')
      .map((line) => /^\[\+\](\S+) ok$/.exec(line)?.[1])
      .filter((name) => name !== undefined);
  const lists: string[] = [];
  for (const step of steps) {
    if (step.response?.['kind'] !== 'APIResourceList' || step.path?.endsWith('/')) continue;
    lists.push(
      `${JSON.stringify(step.response['groupVersion'])}:[\n${(step.response['resources'] as unknown[]).map((r) => JSON.stringify(r)).join(',\n')}]`,
    );
  }
  const groups = ((plain('/apis')?.response?.['groups'] ?? []) as unknown[]).map((group) => JSON.stringify(group)).join(',\n');
  return `{"version":${JSON.stringify(plain('/version')?.response)},
"paths":${JSON.stringify(plain('/')?.response?.['paths'])},
"health":{"healthz":${JSON.stringify(checks('/healthz?verbose'))},
"livez":${JSON.stringify(checks('/livez?verbose'))},
"readyz":${JSON.stringify(checks('/readyz?verbose'))}},
"groups":[\n${groups}],
"resources":{\n${lists.join(',\n')}}}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(discoveryFile, generateDiscovery(process.argv[2] ?? join(root, '../shared/goldens/api/01-discovery.jsonl')));
}
