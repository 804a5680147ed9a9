import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';

const bin = fileURLToPath(new URL('../../bin/seatrial.mjs', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the command line in a folder. `onOut` is called at the first output. */
function seatrial(folder: string, args: readonly string[], onOut?: (child: ReturnType<typeof spawn>) => void): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [bin, ...args], { cwd: folder, env: { ...process.env, NO_COLOR: '1' } });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => {
      if (out === '') onOut?.(child);
      out += String(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err += String(chunk);
    });
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

/** A folder with scenarios of a bare store: small, small with a demand that it cannot meet, and broken. */
function folderOfScenarios(): string {
  const folder = mkdtempSync(join(tmpdir(), 'seatrial-cli-'));
  const head = 'cluster: store\nstore: {clients: 2, keys: 2, rate: 10/s}\nchaos: {from: 5s, for: 10s}\nsettle: 5s\n';
  writeFileSync(join(folder, 'small.yaml'), `name: small\n${head}faults: {count: 1..2, last: 2s..5s, kinds: [partition, pause-process]}\n`);
  writeFileSync(join(folder, 'calm.yaml'), `name: calm\n${head}require: [split-brain-read-only]\n`);
  writeFileSync(join(folder, 'broken.yaml'), `name: broken\n${head}faults: {kinds: [partitoin]}\nsettel: 5s\n`);
  return folder;
}

const lines = (text: string): readonly { readonly [key: string]: unknown }[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly [key: string]: unknown });

function expectCleanRefusal(ended: Ended, complaint: RegExp): void {
  expect(ended.err).toMatch(complaint);
  expect(ended.code).toBe(64);
  expect(ended.out).toBe('');
  expect(ended.err).not.toMatch(/^\s+at .*:\d+:\d+/m);
}

describe('seatrial run', () => {
  it('that holds: exit 0, one JSON line a trial, a summary of exactly the promised shape at the end', async () => {
    const folder = folderOfScenarios();
    const { code, out, err } = await seatrial(folder, ['run', 'small.yaml', '--seeds', '2', '--seed', '7', '--json']);
    expect([code, err]).toEqual([0, '']);
    const rows = lines(out);
    expect(rows.map((r) => [r['schemaVersion'], r['type'], r['seed'] ?? null])).toEqual([
      [1, 'trial', '0x7'],
      [1, 'trial', '0x8'],
      [1, 'summary', null],
    ]);
    expect(out.trimEnd().split('\n').at(-1)).toBe('{"schemaVersion":1,"type":"summary","status":"passed","trials":2,"failures":[]}');
    expect(lines(readFileSync(join(folder, '.seatrial/last-run.ndjson'), 'utf8')).length).toBe(2);
  });

  it('of one seed for a person: verdict, report, and the next command to type', async () => {
    const folder = folderOfScenarios();
    const { code, out } = await seatrial(folder, ['run', 'small.yaml']);
    expect(code).toBe(0);
    const report = /^Report {5}(reports\/t-[0-9a-f]{6}\.html)$/m.exec(out)?.[1];
    expect(existsSync(join(folder, report ?? 'none'))).toBe(true);
    expect(out).toMatch(/^Next {7}npx seatrial /m);
    expect(out).toMatch(/\n✓ held in 1 trial\n$/);
    expect(out).not.toContain('\u001b');
  });

  it('whose required property was hardly exercised: exit 2, with the reason', async () => {
    const { code, out } = await seatrial(folderOfScenarios(), ['run', 'calm.yaml', '--json']);
    expect(code).toBe(2);
    expect(lines(out).at(-1)).toEqual({
      schemaVersion: 1,
      type: 'summary',
      status: 'inconclusive',
      trials: 1,
      failures: [],
      reasons: ['split-brain-read-only was exercised in 0 of 1 trials that require it'],
    });
  });

  it.each([
    ['a bad scenario', ['run', 'small.yaml', 'broken.yaml'], /^broken\.yaml:7:1: unknown key settel; did you mean settle\?/m],
    ['no such scenario', ['run', 'nope.yaml'], /^nope\.yaml: no such file\n$/],
    ['an unknown defect', ['run', 'small.yaml', '--defect', 'R44'], /^--defect: unknown defect R44; did you mean R4\? Known: /],
    ['an unknown command', ['rnu'], /unknown command 'rnu'\n\(Did you mean run\?\)/],
    ['an unknown option', ['run', 'small.yaml', '--seedz', '3'], /unknown option '--seedz'\n\(Did you mean one of --seed, --seeds\?\)/],
    ['a number that is none', ['run', 'small.yaml', '--seeds', '0'], /must be a whole number from 1/],
    ['no scenario', ['run'], /missing required argument 'scenario'/],
    ['a trial that is not there', ['replay', 't-000000'], /^t-000000: no such trial file or id; /],
    [
      'a file where reports should go',
      ['run', 'small.yaml', '--out', 'calm.yaml'],
      /^calm\.yaml: is a file, where a folder for results is needed; /,
    ],
    ['manifests that are not there', ['run', 'small.yaml', '--manifests', 'nope'], /^nope: no such file or folder\n$/],
  ])('%s: exit 64, one error, no stack, nothing left behind', async (_what, args, complaint) => {
    const folder = folderOfScenarios();
    expectCleanRefusal(await seatrial(folder, args), complaint);
    expect(readdirSync(folder).sort()).toEqual(['broken.yaml', 'calm.yaml', 'small.yaml']);
  });

  it.each([['1'], ['2']])('Ctrl-C with %s job(s): a summary of what ran, exit 130', async (jobs) => {
    const { code, out, err } = await seatrial(
      folderOfScenarios(),
      ['run', 'small.yaml', '--seeds', '5000', '--jobs', jobs, '--json'],
      (child) => child.kill('SIGINT'),
    );
    // A busy machine may take so long to get there that progress is told.
    expect([code, err.replace(/^\d+\/5000 trials .*\n/gm, '')]).toEqual([130, '']);
    const rows = lines(out);
    expect(rows.at(-1)).toMatchObject({ type: 'summary', status: 'passed', trials: rows.length - 1, interrupted: true });
    expect(rows.length).toBeLessThan(100);
  });

  it('whose reader leaves (| head) ends without a stack trace', async () => {
    const { code, err } = await seatrial(folderOfScenarios(), ['run', 'small.yaml', '--seeds', '50', '--jobs', '1', '--json'], (child) =>
      child.stdout?.destroy(),
    );
    expect([code, err]).toEqual([130, '']);
  });
});

describe('a failure, from the run that finds it to the replay after a change', () => {
  const folder = folderOfScenarios();
  let found: Ended;
  let failure: { readonly id: string; readonly trial: string; readonly report: string };

  beforeAll(async () => {
    found = await seatrial(folder, ['run', 'small.yaml', '--seeds', '60', '--jobs', '2', '--defect', 'R12', '--json']);
    failure = (lines(found.out).at(-1) as { failures: [typeof failure] }).failures[0];
  });

  it('exit 1, and the summary names property, clause, seed, time, and files that exist', () => {
    expect(found.code).toBe(1);
    expect(lines(found.out).at(-1)).toMatchObject({
      status: 'violated',
      failures: [
        {
          id: expect.stringMatching(/^t-[0-9a-f]{6}$/) as string,
          scenario: 'small',
          property: expect.stringMatching(/^(correct-reads|split-brain-read-only)$/) as string,
          seed: expect.stringMatching(/^0x/) as string,
          atVirtualMs: expect.any(Number) as number,
          faults: 1,
        },
      ],
    });
    expect(existsSync(join(folder, failure.trial))).toBe(true);
    expect(readFileSync(join(folder, failure.report), 'utf8')).toMatch(/^<!doctype html>/i);
  });

  it('replay by id: the same digest, exit 1', async () => {
    const { code, out } = await seatrial(folder, ['replay', failure.id]);
    expect(out).toMatch(/^✖ reproduced at \d+\.\d{3} s: [a-z-]+\/[a-z-]+, digest [0-9a-f]{16} identical\n/);
    expect(code).toBe(1);
  });

  it('replay of a file whose content was changed: diverged, with the place, exit 3', async () => {
    const text = readFileSync(join(folder, failure.trial), 'utf8');
    writeFileSync(join(folder, 'changed.yaml'), text.replace(/perSecond: 10$/m, 'perSecond: 11'));
    const { code, out } = await seatrial(folder, ['replay', 'changed.yaml']);
    expect(out).toMatch(/^\? diverged: the first different event lies between \d+\.\d{3} s and \d+\.\d{3} s/);
    expect(code).toBe(3);
    const json = await seatrial(folder, ['replay', 'changed.yaml', '--json']);
    expect(lines(json.out)).toEqual([expect.objectContaining({ schemaVersion: 1, type: 'replay', id: failure.id, outcome: 'diverged' })]);
    expect(json.code).toBe(3);
  });

  it('replay --until --log stops there and tells what happened', async () => {
    const json = await seatrial(folder, ['replay', failure.id, '--until', '2s', '--json']);
    expect(lines(json.out)).toEqual([expect.objectContaining({ outcome: 'stopped', atVirtualMs: 2000, violations: [] })]);
    const { code, out } = await seatrial(folder, ['replay', failure.id, '--until', '2s', '--log']);
    expect(out).toMatch(/stopped at 2\.000 s after \d+ events, digest [0-9a-f]{16}\n$/);
    expect(out.split('\n').length).toBeGreaterThan(10);
    expect(code).toBe(0);
    expectCleanRefusal(
      await seatrial(folder, ['replay', failure.id, '--until', 'soon']),
      /^--until: the time is "soon"; a duration such as 12\.48s\n$/,
    );
  });

  it('a truncated trial file: exit 64', async () => {
    const text = readFileSync(join(folder, failure.trial), 'utf8');
    writeFileSync(join(folder, 'cut.yaml'), text.slice(0, text.length / 3));
    expectCleanRefusal(await seatrial(folder, ['replay', 'cut.yaml']), /^cut\.yaml:\d+:\d+: /);
  });

  it('shrink and report work from the file', async () => {
    const shrunk = await seatrial(folder, ['shrink', failure.trial, '--json']);
    expect(lines(shrunk.out)).toEqual([expect.objectContaining({ schemaVersion: 1, type: 'shrink', faultsBefore: 1, faults: 1 })]);
    expect(shrunk.code).toBe(0);
    const report = await seatrial(folder, ['report', failure.id, '--out', 'elsewhere']);
    expect(report.out).toBe(`elsewhere/${failure.id}.html\n`);
    expect(existsSync(join(folder, 'elsewhere', `${failure.id}.html`))).toBe(true);
  });
});

describe('seatrial doctor', () => {
  it('finds no mismatch between a fresh and a warm process, and says so in the promised shape', async () => {
    const { code, out } = await seatrial(folderOfScenarios(), ['doctor', 'small.yaml', '--seeds', '1', '--json']);
    expect(out.trimEnd().split('\n').at(-1)).toBe('{"schemaVersion":1,"type":"doctor","seeds":1,"mismatches":0}');
    expect(code).toBe(0);
  });
});
