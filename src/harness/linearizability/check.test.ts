import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sharedPath } from '../../../test/shared.ts';
import { checkHistory, DEFAULT_SEARCH_BUDGET } from './check.ts';
import { describeOperation, OPEN, type Operation, type Outcome } from './history.ts';
import { keyValueModel } from './key-value.ts';
import type { SequentialModel } from './model.ts';
import { modelNamed } from './models.ts';
import { mutexModel } from './mutex.ts';
import { isLinearizableNaively } from './naive.fixture.ts';
import { readHistory } from './read-history.ts';
import { registerModel } from './register.ts';
import { type RevisionedState, revisionedModel, revisionOrder } from './revisions.ts';

/** Random histories of a few operations: what each asks, how it ends, and where its two events fall. */
function histories(asked: fc.Arbitrary<Pick<Operation, 'f' | 'input' | 'output' | 'outcome' | 'key'>>): fc.Arbitrary<readonly Operation[]> {
  const timed = fc.record({ asked, call: fc.nat(30), length: fc.nat(12), isOpen: fc.integer({ min: 0, max: 3 }).map((n) => n === 0) });
  return fc.array(timed, { maxLength: 7 }).map((list) =>
    list
      .map(({ asked: { outcome, output, ...what }, call, length, isOpen }, i): Operation => {
        const end = isOpen
          ? { outcome: 'unknown' as const, output: undefined, return: OPEN }
          : { outcome, output, return: (call + length) * 100 + i };
        return { ...what, ...end, process: String(i), call: call * 100 - i, line: 0 };
      })
      .sort((a, b) => a.call - b.call),
  );
}

const value = fc.integer({ min: 0, max: 2 });
const answered = fc.constantFrom<Outcome>('ok', 'fail');
const registerOperation = fc.oneof(
  fc.record({
    f: fc.constant('read'),
    input: fc.constant(undefined),
    output: fc.option(value),
    outcome: fc.constantFrom<Outcome>('ok', 'unknown'),
  }),
  fc.record({ f: fc.constant('write'), input: value, output: fc.constant(undefined), outcome: fc.constant<Outcome>('ok') }),
  fc.record({ f: fc.constant('cas'), input: fc.tuple(value, value), output: fc.constant(undefined), outcome: answered }),
);
const text = fc.constantFrom('', 'a', 'b', 'ab', 'aa');
const key = fc.constantFrom('k', 'l');
const keyValueOperation = fc.oneof(
  fc.record({ f: fc.constant('get'), key, input: fc.constant(undefined), output: text, outcome: fc.constant<Outcome>('ok') }),
  fc.record({
    f: fc.constantFrom('put', 'append'),
    key,
    input: fc.constantFrom('', 'a', 'b'),
    output: fc.constant(undefined),
    outcome: fc.constant<Outcome>('ok'),
  }),
  fc.record({
    f: fc.constant('delete'),
    key,
    input: fc.constant(undefined),
    output: fc.constant(undefined),
    outcome: fc.constant<Outcome>('ok'),
  }),
);
const mutexOperation = fc.record({
  f: fc.constantFrom('acquire', 'release'),
  input: fc.constant(undefined),
  output: fc.constant(undefined),
  outcome: fc.constant<Outcome>('ok'),
});

/** Keys together in one state: what the partitioned check is held against. */
const wholeStore: SequentialModel<Readonly<Record<string, string>>> = {
  name: 'kv, all keys at once',
  initial: {},
  step(state, operation) {
    const after = keyValueModel.step(state[operation.key ?? ''] ?? '', operation);
    return after === undefined ? undefined : { ...state, [operation.key ?? '']: after };
  },
  keyOf: (state) => JSON.stringify(Object.entries(state).sort()),
};

/** A mutex that only its holder may release, and may take again: its steps depend on the process. */
const ownedMutex: SequentialModel<string | null> = {
  name: 'owned mutex',
  initial: null,
  step(holder, { f, process, outcome }) {
    const owner = String(Number(process) % 3);
    const isLegal = f === 'acquire' ? holder === null || holder === owner : holder === owner;
    const after = f === 'acquire' ? owner : null;
    return isLegal ? after : outcome === 'unknown' ? holder : undefined;
  },
  keyOf: String,
};

/** An own model: it goes through the general compiler, where the built-in register has its own. */
const ownRegister: SequentialModel<unknown> = { ...registerModel, name: 'own' };

function agrees<State>(
  operations: readonly Operation[],
  model: SequentialModel<State>,
  slow: SequentialModel<never> | SequentialModel<State>,
): void {
  const fast = checkHistory({ operations }, model);
  expect(fast.verdict).toBe(isLinearizableNaively(operations, slow as SequentialModel<unknown>) ? 'linearizable' : 'illegal');
  if (fast.verdict !== 'illegal') return;
  // The witness: its prefix is a legal run of completed operations in an order that real time allows, and `stuck` is not in it.
  const { prefix, stuck } = fast.witness;
  expect(prefix).not.toContain(stuck);
  let state: State | undefined = model.initial;
  for (const operation of prefix) {
    state = model.step(state, operation);
    if (state === undefined) throw new Error(`not legal: ${describeOperation(operation)}`);
  }
  prefix.forEach((later, i) => {
    for (const earlier of prefix.slice(0, i)) expect(later.return).toBeGreaterThan(earlier.call);
  });
}

describe('the checker agrees with its slow twin on random small histories', () => {
  const runs = { numRuns: 1500 };
  test('registers', () =>
    fc.assert(
      fc.property(histories(registerOperation), (history) => agrees(history, registerModel, registerModel)),
      runs,
    ));
  test('own models', () =>
    fc.assert(
      fc.property(histories(registerOperation), (history) => agrees(history, ownRegister, registerModel)),
      runs,
    ));
  test('keys, part by part', () =>
    fc.assert(
      fc.property(histories(keyValueOperation), (history) => agrees(history, keyValueModel, wholeStore as never)),
      runs,
    ));
  test('mutexes with owners', () =>
    fc.assert(
      fc.property(histories(mutexOperation), (history) => agrees(history, ownedMutex, ownedMutex)),
      runs,
    ));
  test('mutexes', () =>
    fc.assert(
      fc.property(histories(mutexOperation), (history) => agrees(history, mutexModel, mutexModel)),
      runs,
    ));
});

/** Histories as a store makes them: each operation takes effect at one moment within its interval; some answers get lost, some are wrong. */
const storeHistories = fc
  .array(
    fc.record({
      f: fc.constantFrom('get', 'put', 'put', 'delete'),
      key,
      input: fc.constantFrom('x', 'y'),
      call: fc.nat(20),
      before: fc.nat(8),
      after: fc.nat(8),
      isLost: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
      error: fc.integer({ min: -1, max: 12 }),
    }),
    { maxLength: 7 },
  )
  .map((list): readonly Operation[] => {
    let state: RevisionedState = revisionedModel.initial;
    const done = new Map<number, Operation>();
    const effects = list
      .map((item, i) => ({ item, i }))
      .sort((a, b) => a.item.call + a.item.before - (b.item.call + b.item.before) || a.i - b.i);
    for (const { item, i } of effects) {
      const { f, key: on, call, before, after, isLost, error } = item;
      const input = f === 'put' ? item.input : undefined;
      const asked = { process: String(i), f, key: on, input, line: 0, call: call * 100 - i };
      const now = { ...asked, output: undefined, outcome: 'unknown' as const, return: OPEN };
      state = revisionedModel.step(state, now) ?? state;
      const revision = state.revision + Math.min(error, 0);
      const text = state.values.get(on);
      const output = f === 'get' ? { value: text === undefined ? null : (JSON.parse(text) as unknown), revision } : { revision };
      done.set(i, isLost ? now : { ...asked, output, outcome: 'ok', return: (call + before + after) * 100 + 100 + i });
    }
    return list
      .flatMap((_, i) => done.get(i) ?? [])
      .filter((operation) => operation.outcome === 'ok' || operation.f !== 'get')
      .sort((a, b) => a.call - b.call);
  });

describe('stores with revisions', () => {
  test('the checker agrees with its slow twin', () => {
    let ordered = 0;
    fc.assert(
      fc.property(storeHistories, (history) => {
        agrees(history, revisionedModel, revisionedModel);
        const order = revisionOrder(history);
        if (order === undefined) return;
        ordered++;
        expect(isLinearizableNaively(history, revisionedModel)).toBe(true);
      }),
      { numRuns: 1500 },
    );
    expect(ordered).toBeGreaterThan(200);
  });

  test('are read from JSON lines', () => {
    const lines = [
      '{"process":1,"type":"invoke","f":"put","key":"a","value":"x"}',
      '{"process":1,"type":"ok","f":"put","key":"a","value":"x","revision":2}',
      '{"process":1,"type":"invoke","f":"get","key":"a"}',
      '{"process":1,"type":"ok","f":"get","key":"a","value":"x","revision":2}',
    ];
    const history = readHistory(lines.join('\n'));
    expect(history?.model).toBe('etcd');
    expect(checkHistory(history ?? { operations: [] }, revisionedModel).verdict).toBe('linearizable');
    const stale = readHistory([...lines.slice(0, 3), (lines[3] ?? '').replace('"revision":2', '"revision":1')].join('\n'));
    expect(checkHistory(stale ?? { operations: [] }, revisionedModel).verdict).toBe('illegal');
  });
});

const root = sharedPath('conformance/linearizability');

describe.skipIf(root === undefined)('known verdicts (skipped without ../shared/conformance/linearizability)', () => {
  const rows =
    root === undefined
      ? []
      : readFileSync(join(root, 'verdicts.tsv'), 'utf8')
          .trimEnd()
          .split('\n')
          .slice(1)
          .map((row) => row.split('\t'));
  test.each(rows)('%s under %s is %s', (file, model, verdict, count) => {
    const history = readHistory(readFileSync(join(root ?? '', file as string), 'utf8'));
    const sequential = modelNamed(model as string);
    if (history === undefined || sequential === undefined) throw new Error('not read');
    expect(history.operations.length).toBe(Number(count));
    expect(checkHistory(history, sequential).verdict).toBe(verdict === 'Ok' ? 'linearizable' : 'illegal');
  });
});

describe('a budget that is too small', () => {
  const operation = (i: number, f: string, output: unknown): Operation => ({
    process: String(i),
    f,
    input: f === 'write' ? i : undefined,
    output,
    outcome: 'ok',
    call: i,
    return: 100 + i,
    line: 0,
  });
  // Twelve writes side by side and a read of something else: every order must be tried.
  const hard = { operations: [...Array.from({ length: 12 }, (_, i) => operation(i, 'write', undefined)), operation(12, 'read', 99)] };

  test('gives up, and never passes', () => {
    expect(checkHistory(hard, registerModel, { ...DEFAULT_SEARCH_BUDGET, stepsMax: 50 }).verdict).toBe('gave-up');
    expect(checkHistory(hard, registerModel, { ...DEFAULT_SEARCH_BUDGET, memoryBytesMax: 1 }).verdict).toBe('gave-up');
    expect(checkHistory(hard, registerModel).verdict).toBe('illegal');
  });
});

test('a witness names the longest legal prefix and the operation without a place', () => {
  const history = readHistory(
    '{"process":0,"type":"invoke","f":"write","value":1}\n{"process":0,"type":"ok","f":"write","value":1}\n{"process":1,"type":"invoke","f":"read","value":null}\n{"process":1,"type":"ok","f":"read","value":2}\n',
  );
  if (history === undefined) throw new Error('not read');
  const result = checkHistory(history, registerModel);
  if (result.verdict !== 'illegal') throw new Error(result.verdict);
  expect(result.witness.prefix.map(describeOperation)).toEqual(['process 0: write 1 -> ok (line 1)']);
  expect(describeOperation(result.witness.stuck)).toBe('process 1: read -> 2 (line 3)');
});
