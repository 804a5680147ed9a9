import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const conformance = fileURLToPath(new URL('conformance.ts', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'seatrial-check-history-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function run(
  program: string,
  args: readonly string[],
): { readonly status: number | null; readonly lines: readonly string[]; readonly error: string } {
  const child = spawnSync(process.execPath, [program, ...args], {
    encoding: 'utf8',
    env: { ...process.env, NODE_NO_WARNINGS: '1', NO_COLOR: '1' },
  });
  return { status: child.status, lines: child.stdout.trimEnd().split('\n'), error: child.stderr };
}

function file(name: string, text: string): string {
  const path = join(scratch, name);
  writeFileSync(path, text);
  return path;
}

function history(read: number): string {
  const events = [
    { process: 0, type: 'invoke', f: 'write', value: 1 },
    { process: 0, type: 'ok', f: 'write', value: 1 },
    { process: 1, type: 'invoke', f: 'read' },
    { process: 1, type: 'ok', f: 'read', value: read },
  ];
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}

test('check-history: 0 for linearizable, 1 with the witness, 64 for what is no history', () => {
  const good = run(main, ['check-history', file('good', history(1)), '--json']);
  expect(good.status).toBe(0);
  expect(JSON.parse(good.lines[0] ?? '')).toMatchObject({ type: 'history', verdict: 'linearizable', operations: 2 });
  const bad = run(main, ['check-history', file('bad', history(2))]);
  expect(bad.status).toBe(1);
  expect(bad.lines.at(-1)).toBe('  no place for: process 1: read -> 2 (line 3)');
  const none = run(main, ['check-history', file('none', 'hello\n')]);
  expect([none.status, none.error.split('\n').length]).toEqual([64, 2]);
  expect(run(main, ['check-history', join(scratch, 'good'), '--model', 'nonsense']).error).toContain(
    'no model "nonsense"; one of register',
  );
});

test('check-history: a budget that is used up is exit 2', () => {
  const events = Array.from({ length: 9 }, (_, i) => ({ process: i, type: 'invoke', f: 'write', value: i }));
  const ends = events.map((event) => ({ ...event, type: 'ok' }));
  const read = [
    { process: 0, type: 'invoke', f: 'read' },
    { process: 0, type: 'ok', f: 'read', value: 99 },
  ];
  const text = [...events, ...ends, ...read].map((event) => `${JSON.stringify(event)}\n`).join('');
  expect(run(main, ['check-history', file('hard', text), '--steps', '20']).status).toBe(2);
});

test('check-history: an own model', () => {
  const model = file(
    'own.mjs',
    'export const model = { name: "largest", initial: 0, step: (s, o) => o.f === "write" ? Math.max(s, o.input) : o.output === s ? s : undefined, keyOf: String };\n',
  );
  expect(run(main, ['check-history', file('own', history(1)), '--model', model]).status).toBe(0);
  expect(run(main, ['check-history', file('own', history(0)), '--model', model]).status).toBe(1);
});

test('conformance: the summary is the last line; no case is an error of one line', () => {
  file('table', 'file\tmodel\tverdict\noperations\tregister\tOk\n');
  file('operations', history(1));
  const only = run(conformance, ['linearizability', scratch, '--json', '--only', 'operations']);
  expect(only.status).toBe(0);
  expect(JSON.parse(only.lines.at(-1) ?? '')).toEqual({ type: 'summary', kind: 'linearizability', passed: 1, total: 1 });
  file('operations', history(2));
  const failed = run(conformance, ['linearizability', scratch, '--only', 'operations']);
  expect(failed.status).toBe(1);
  expect(failed.lines).toEqual([
    'operations: expected Ok, got Illegal: no place for process 1: read -> 2 (line 3)',
    'linearizability: 0 of 1 passed',
  ]);
  const none = run(conformance, ['raft', scratch]);
  expect([none.status, none.error.trimEnd().split('\n').length]).toEqual([64, 1]);
});
