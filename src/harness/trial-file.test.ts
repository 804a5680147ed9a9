import { existsSync, readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { describe, expect, it } from 'vitest';
import { readTrialFile, type TrialFile, writeTrialFile } from './trial-file.ts';
import { planned, storeTrial } from './trial-inputs.fixture.ts';
import { complaintsOf, temporaryFile } from './user-files.fixture.ts';

const trial: TrialFile = {
  id: 't-7f3a00',
  input: storeTrial({
    seed: '1e5',
    defects: ['R12'],
    faults: [
      planned('F1', { kind: 'partition', hosts: ['cp-0'], oneWay: true }),
      { ...planned('F2', { kind: 'crash-host', host: 'cp-1' }), forMs: null },
    ],
    operations: [planned('O1', { kind: 'move-leader', member: 'etcd-2' })],
    manifests: [
      {
        source: 'web.yaml:1',
        object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data: { a: '0x10', b: 'yes', c: '1:30' } },
      },
    ],
  }),
  expect: {
    status: 'violated',
    signature: { property: 'correct-reads', clause: 'linearizable-is-fresh' },
    // Digits that YAML would take for a number if it were not quoted.
    digest: '12345678e1234567',
    checkpoints: [{ atUs: 1_000_000, events: 12, digest: '0000000000000012' }],
  },
  shrunk: { faultsBefore: 9, attempts: 80 },
};

function written(): string {
  const path = temporaryFile('t.yaml', '');
  writeTrialFile(path, trial);
  return path;
}

const firstFault = ['input', 'faults', 0] as const;

/** What is said of the file with one place changed. */
function changed(path: readonly (string | number)[], value: unknown): readonly string[] {
  const document = parseDocument(readFileSync(written(), 'utf8'));
  document.setIn(path, document.createNode(value));
  return complaintsOf(temporaryFile('t.yaml', document.toString()), readTrialFile);
}

describe('a trial file', () => {
  it('reads back as it was written, and says how to replay it', () => {
    const path = written();
    expect(readTrialFile(path)).toEqual(trial);
    expect(readFileSync(path, 'utf8')).toMatch(/^# A seatrial trial: .*\n# Replay it: {2}npx seatrial replay \//);
    expect(existsSync(`${path}.partial`)).toBe(false);
  });

  it('leaves no half a file behind when it cannot be written', () => {
    const path = temporaryFile('t.yaml', 'what stood here before\n');
    const broken = {
      ...trial,
      input: {
        ...trial.input,
        seed: {
          toJSON: () => {
            throw new Error('disk full');
          },
        } as unknown as string,
      },
    };
    expect(() => writeTrialFile(path, broken)).toThrow('disk full');
    expect(readFileSync(path, 'utf8')).toBe('what stood here before\n');
  });

  it.each<[string, readonly (string | number)[], unknown, RegExp]>([
    [
      'a newer format',
      ['formatVersion'],
      2,
      /^t\.yaml:3:1: the file has format version 2; this seatrial reads up to version 1; update it with /,
    ],
    ['a format that is none', ['formatVersion'], 'x', /^t\.yaml:3:16: formatVersion is "x"; must be 1$/],
    [
      'an unknown fault kind',
      [...firstFault, 'params', 'kind'],
      'partitoin',
      /^t\.yaml:\d+:\d+: unknown fault kind partitoin; did you mean partition\? Known: /,
    ],
    [
      'a host that is not there',
      [...firstFault, 'params', 'hosts'],
      ['cp-7'],
      /^t\.yaml:\d+:\d+: hosts is \["cp-7"\]; did you mean cp-0\? It must be a list of at least 1, each once, of cp-0, cp-1, cp-2$/,
    ],
    ['an unknown defect', ['input', 'defects'], ['R99'], /unknown defect R99; did you mean /],
    ['an unknown property', ['input', 'require'], ['nope'], /unknown property nope; Known: /],
    [
      'a time that is negative',
      [...firstFault, 'atMs'],
      -5,
      /^t\.yaml:\d+:\d+: input\.faults\.0\.atMs is -5; must be at least 0 and at most 604800000$/,
    ],
    ['healing before chaos', ['input', 'timing', 'healAtMs'], 1, /timing is out of order; applyAtMs, then chaosFromMs, then healAtMs$/],
    [
      'a tie policy without its numbers',
      ['input', 'swarm', 'tiePolicy'],
      { kind: 'pct' },
      /tiePolicy is a mapping; must be one of the forms in docs\/trial\.schema\.json$/,
    ],
    [
      'a manifest without a kind',
      ['input', 'manifests', 0, 'object'],
      { apiVersion: 'v1', metadata: {} },
      /object has no kind; add the key kind$/,
    ],
    ['a digest that is a number', ['expect', 'digest'], 12, /expect\.digest is 12; must be 16 hexadecimal digits in quotes$/],
    ['an id that is a path', ['id'], '../../x', /id is "\.\.\/\.\.\/x"; must be an id such as t-7f3a$/],
  ])('%s: one error at its line', (_what, path, value, complaint) => {
    expect(changed(path, value)).toEqual([expect.stringMatching(complaint)]);
  });

  it('truncated anywhere, is refused with file and line', () => {
    const text = readFileSync(written(), 'utf8');
    for (let share = 0.1; share < 1; share += 0.11) {
      const cut = temporaryFile('t.yaml', text.slice(0, Math.floor(text.length * share)));
      const complaints = complaintsOf(cut, readTrialFile);
      expect(complaints.length).toBeGreaterThan(0);
      for (const line of complaints) expect(line).toMatch(/^t\.yaml(:\d+:\d+)?: /);
    }
  });

  it('that is no trial at all, is refused', () => {
    expect(complaintsOf(temporaryFile('t.yaml', 'name: x\ncluster: store\n'), readTrialFile).length).toBeGreaterThan(3);
    expect(complaintsOf(temporaryFile('t.yaml', ''), readTrialFile)).toEqual([
      't.yaml: the file holds 0 documents; a trial file is one document',
    ]);
  });
});
