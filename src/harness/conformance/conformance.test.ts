import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { sharedPath } from '../../../test/shared.ts';
import { UserError } from '../user-error.ts';
import { type KindName, KIND_NAMES, loadKind } from './kinds.ts';
import { type ConformanceFailure, type ConformanceSummary, runConformance } from './run-conformance.ts';

const scratch = mkdtempSync(join(tmpdir(), 'seatrial-conformance-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let folders = 0;

/** A folder with files of these contents; names say nothing. */
function folderWith(...texts: readonly string[]): string {
  const folder = join(scratch, String(folders++), 'deep');
  mkdirSync(folder, { recursive: true });
  texts.forEach((text, i) => writeFileSync(join(folder, `file-${i}`), text));
  return folder;
}

async function run(
  name: KindName,
  folder: string,
  only?: string,
): Promise<ConformanceSummary & { readonly failures: readonly ConformanceFailure[] }> {
  const failures: ConformanceFailure[] = [];
  const summary = runConformance({
    kind: await loadKind(name),
    folder,
    ...(only === undefined ? {} : { only }),
    onFailure: (failure) => failures.push(failure),
  });
  return { ...summary, failures };
}

const goldens = sharedPath('goldens') ?? '';
const shared = sharedPath('') ?? '';

/** An intact recording of each kind, and copies of it that are damaged: how a case of it is changed, moved or left out. */
const samples: Readonly<
  Record<
    Exclude<KindName, 'manifests' | 'linearizability'>,
    { readonly file: string; readonly damage: Readonly<Record<string, (text: string) => string>> }
  >
> = {
  raft: {
    file: 'conformance/raft/interaction/probe_and_replicate.txt',
    damage: {
      'a value': (text) => text.replace(/Commit:\d+/, 'Commit:99'),
      'an order': (text) => swapped(text, (line) => line.startsWith('  DEBUG') || line.startsWith('INFO')),
      'a missing line': (text) => text.replace(/^INFO.*\n/m, ''),
      'an end that is cut off': (text) => text.slice(0, text.lastIndexOf('\n----\n')),
    },
  },
  etcd: {
    file: 'goldens/etcd/kv-basic.jsonl',
    damage: {
      'a value': (text) => text.replace('"mod_revision":"3"', '"mod_revision":"4"'),
      'an order': (text) => swapped(text, (line) => line.includes('"step":')),
      'a missing line': (text) => text.replace(/^[^\n]*\n([^\n]*\n)/, (all, second: string) => all.slice(0, all.length - second.length)),
      'a line that is cut off': (text) => text.slice(0, -8),
    },
  },
  api: {
    file: 'goldens/api/30-concurrency.jsonl',
    damage: {
      'a value': (text) => text.replace('"status":201', '"status":202'),
      'an order': (text) => swapped(text, (line) => line.includes('"step":')),
      'a missing line': (text) => text.replace(/\n[^\n]*\n([^\n]*)$/, '\n$1'),
      'a missing last line': (text) => text.trimEnd().replace(/\n[^\n]*$/, '\n'),
      'a missing head': (text) => text.replace(/^[^\n]*\n/, ''),
      'a line that is cut off': (text) => text.slice(0, -8),
    },
  },
  controllers: {
    file: 'goldens/controllers/gc-circle.json',
    damage: {
      'a value': (text) => text.replace('"foregroundDeletion"', '"orphan"'),
      'an order': (text) => text.replace('[[0,true],[4.2,false]]', '[[0,false],[4.2,true]]'),
      'a missing line': (text) => text.replace(/^ {2}\{"at":4[^\n]*\n/m, '').replace('"block":true},\n ]', '"block":true}\n ]'),
      'an end that is cut off': (text) => text.slice(0, text.length >> 1),
    },
  },
  scheduler: {
    file: 'goldens/scheduler/random-001.json',
    damage: {
      'a value': (text) => text.replace(/"feasibleNodes": ?(\d+)/, '"feasibleNodes":99'),
      'an order': (text) => exchangedDecisions(text),
      'a missing line': (text) =>
        JSON.stringify({
          ...(JSON.parse(text) as object),
          decisions: (JSON.parse(text) as { decisions: readonly unknown[] }).decisions.slice(1),
        }),
      'an end that is cut off': (text) => text.slice(0, text.length >> 1),
    },
  },
  kubelet: {
    file: 'goldens/kubelet/admit-os.json',
    damage: {
      'a value': (text) => text.replaceAll('PodOSNotSupported', 'PodOSUnknown'),
      'a missing line': (text) => text.replace(/^ "events":.*\n/m, ''),
      'an end that is cut off': (text) => text.slice(0, text.length - 200),
    },
  },
};

/** Swaps two neighbouring lines that both are of some sort and differ. */
function swapped(text: string, isOfSort: (line: string) => boolean): string {
  const lines = text.split('\n');
  const at = lines.findIndex((line, i) => i > 0 && isOfSort(line) && isOfSort(lines[i + 1] ?? '') && line !== lines[i + 1]);
  if (at < 0) throw new Error('no two lines to swap');
  return [...lines.slice(0, at), lines[at + 1], lines[at], ...lines.slice(at + 2)].join('\n');
}

function exchangedDecisions(text: string): string {
  const value = JSON.parse(text) as { readonly decisions: readonly unknown[] };
  const [first, second, ...rest] = value.decisions;
  return JSON.stringify({ ...value, decisions: [second, first, ...rest] });
}

describe.skipIf(shared === '')('every kind of recording (skipped without ../shared)', () => {
  for (const [name, { file, damage }] of Object.entries(samples) as [keyof typeof samples, (typeof samples)[keyof typeof samples]][]) {
    describe(name, () => {
      const text = shared === '' ? '' : readFileSync(join(shared, file), 'utf8');

      test('an intact copy under another name passes', async () => {
        const { passed, total, failures } = await run(name, folderWith(text));
        expect(failures).toEqual([]);
        expect(passed).toBe(total);
        expect(total).toBeGreaterThan(0);
      });

      test.each(Object.entries(damage))('%s that is damaged fails', async (_, change) => {
        const damaged = change(text);
        expect(damaged).not.toBe(text);
        const { passed, total, failures } = await run(name, folderWith(damaged));
        expect(passed).toBeLessThan(total);
        expect(failures.length).toBe(total - passed);
      });

      test('other files are not of the kind', async () => {
        const others = Object.entries(samples)
          .filter(([other]) => other !== name)
          .map(([, sample]) => readFileSync(join(shared, sample.file), 'utf8'));
        await expect(run(name, folderWith(...others, '# Notes\n\nno case\n----\n', '{}', ''))).rejects.toThrow(UserError);
      });

      test('READMEs and other prose are no cases', async () => {
        const prose = [
          'conformance/raft/FORMAT.md',
          'goldens/etcd/README.md',
          'goldens/api/README.md',
          'goldens/controllers/README.md',
          'goldens/kubelet/README.md',
        ];
        await expect(run(name, folderWith(...prose.map((path) => readFileSync(join(shared, path), 'utf8'))))).rejects.toThrow(/no case/);
      });
    });
  }
});

describe.skipIf(goldens === '')('histories with known verdicts', () => {
  const copy = (): string => {
    const folder = folderWith();
    cpSync(join(shared, 'conformance/linearizability/knossos'), join(folder, 'knossos'), { recursive: true });
    writeFileSync(
      join(folder, 'table'),
      `${readFileSync(join(shared, 'conformance/linearizability/verdicts.tsv'), 'utf8')
        .split('\n')
        .filter((row) => row.startsWith('file\t') || row.startsWith('knossos/'))
        .join('\n')}\n`,
    );
    return folder;
  };
  const history = 'knossos/knossos-good-memstress3-0.jsonl';
  const change = (folder: string, file: string, edit: (text: string) => string): void =>
    writeFileSync(join(folder, file), edit(readFileSync(join(folder, file), 'utf8')));

  test('an intact copy passes, a folder inside it finds the table above', async () => {
    const folder = copy();
    const { passed, total } = await run('linearizability', folder);
    expect([passed, total]).toEqual([19, 19]);
    expect((await run('linearizability', join(folder, 'knossos'))).passed).toBe(19);
  });

  test.each<[string, (folder: string) => void]>([
    ['a value', (folder) => change(folder, history, (text) => text.replace(/("type": "ok", "f": "read", "value": )\d+/, '$199'))],
    ['a missing line', (folder) => change(folder, history, (text) => text.replace(/^[^\n]*\n/, ''))],
    ['an order', (folder) => change(folder, history, (text) => text.split('\n').reverse().join('\n'))],
    ['another verdict', (folder) => change(folder, 'table', (text) => text.replace('Illegal', 'Ok'))],
    [
      'a history without a row',
      (folder) => change(folder, 'table', (text) => text.replace(/^knossos\/knossos-good-memstress3-0\..*\n/m, '')),
    ],
    ['a line that is cut off', (folder) => change(folder, history, (text) => text.slice(0, -9))],
  ])('%s that is damaged fails', async (_, damage) => {
    const folder = copy();
    damage(folder);
    const { passed, total } = await run('linearizability', folder);
    expect(total - passed).toBe(1);
  });
});

describe.skipIf(shared === '')('sets of manifests', () => {
  const copy = (): string => {
    const folder = folderWith();
    cpSync(join(shared, 'manifests/guestbook'), folder, { recursive: true });
    const table = readdirSync(folder).find((name) => name === 'verdicts.tsv') ?? '';
    cpSync(join(folder, table), join(folder, 'a-table'));
    rmSync(join(folder, table));
    return folder;
  };

  test('an intact copy passes whatever its table is called', async () => {
    const { passed, total } = await run('manifests', copy());
    expect(total).toBe(19);
    expect(passed).toBe(total);
  });

  test.each<[string, (text: string) => string]>([
    ['a verdict', (text) => text.replace('\taccepted\t201', '\trejected\t422')],
    ['a document', (text) => text.replace('\t1\t', '\t9\t')],
    ['a file', (text) => text.replace(/^[^\t\n]+\t1\tv1/m, 'nowhere.yaml\t1\tv1')],
    ['a row that is cut off', (text) => text.trimEnd().slice(0, -30)],
  ])('%s that is damaged fails', async (_, damage) => {
    const folder = copy();
    writeFileSync(join(folder, 'a-table'), damage(readFileSync(join(folder, 'a-table'), 'utf8')));
    const { passed, total } = await run('manifests', folder);
    expect(total).toBe(19);
    expect(passed).toBeLessThan(total);
  });

  test('a document that no longer is what was posted fails', async () => {
    const folder = copy();
    const [file = ''] = readFileSync(join(folder, 'a-table'), 'utf8').split('\n')[1]?.split('\t') ?? [];
    writeFileSync(join(folder, file), readFileSync(join(folder, file), 'utf8').replace(/^ {2}name: .*$/m, '  name: Not_A_Name'));
    expect((await run('manifests', folder)).passed).toBeLessThan(19);
  });
});

describe('a folder without cases', () => {
  test.each(KIND_NAMES)('is an error for %s', async (name) => {
    await expect(run(name, folderWith('hello', '{"a": 1}'))).rejects.toThrow(/no case/);
    await expect(run(name, join(scratch, 'nowhere'))).rejects.toThrow(UserError);
  });
});

test.skipIf(shared === '')('--only takes files or cases whose name contains it', async () => {
  const folder = folderWith(readFileSync(join(goldens, 'etcd/kv-basic.jsonl'), 'utf8'));
  const all = await run('etcd', folder);
  const some = await run('etcd', folder, 'put');
  expect(some.total).toBeGreaterThan(0);
  expect(some.total).toBeLessThan(all.total);
  expect((await run('etcd', folder, 'file-0')).total).toBe(all.total);
  await expect(run('etcd', folder, 'no such name')).rejects.toThrow(/no case whose name contains/);
});
