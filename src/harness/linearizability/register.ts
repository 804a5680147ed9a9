import { eventsOf, twinsOf } from './events.ts';
import type { Operation } from './history.ts';
import type { SequentialModel } from './model.ts';
import { ILLEGAL, type SearchProblem } from './search.ts';

/** A register of any JSON value, at first null: `read`, `write` (input: the value), `cas` (input: [from, to]). */
export const registerModel: SequentialModel<unknown> = {
  name: 'register',
  initial: null,
  step(state, operation) {
    const now = JSON.stringify(state);
    switch (operation.f) {
      case 'read':
        return operation.outcome === 'unknown' || JSON.stringify(operation.output ?? null) === now ? state : undefined;
      case 'write':
        return operation.input ?? null;
      case 'cas': {
        const [from, to] = operation.input as readonly [unknown, unknown];
        const matches = JSON.stringify(from ?? null) === now;
        if (operation.outcome === 'unknown') return matches ? (to ?? null) : state;
        if (operation.outcome === 'fail') return matches ? undefined : state;
        return matches ? (to ?? null) : undefined;
      }
      default:
        throw new Error(`a register has no operation ${JSON.stringify(operation.f)} (read, write, cas)`);
    }
  },
  keyOf: (state) => JSON.stringify(state),
  isReadOnly: ({ f, outcome }) => f === 'read' || (f === 'cas' && outcome === 'fail'),
};

const READ = 0;
const READ_ANYTHING = 1;
const WRITE = 2;
const CAS_OK = 3;
const CAS_FAILED = 4;
const CAS_UNKNOWN = 5;

function codeOf({ f, outcome }: Operation): number {
  if (f === 'read') return outcome === 'unknown' ? READ_ANYTHING : READ;
  if (f === 'write') return WRITE;
  if (f !== 'cas') throw new Error(`a register has no operation ${JSON.stringify(f)} (read, write, cas)`);
  return outcome === 'ok' ? CAS_OK : outcome === 'fail' ? CAS_FAILED : CAS_UNKNOWN;
}

/** {@link registerModel} in numbers, without looking anything up in a step. */
export function compileRegister(operations: readonly Operation[]): SearchProblem {
  const values = new Map<string, number>([['null', 0]]);
  const number = (value: unknown): number => {
    const text = JSON.stringify(value ?? null);
    const known = values.get(text) ?? values.size;
    values.set(text, known);
    return known;
  };
  const codes = Uint8Array.from(operations, codeOf);
  const from = new Int32Array(operations.length);
  const to = new Int32Array(operations.length);
  operations.forEach((operation, i) => {
    if (operation.f === 'read') from[i] = number(operation.output);
    else if (operation.f === 'write') to[i] = number(operation.input);
    else {
      const [expected, wanted] = operation.input as readonly [unknown, unknown];
      from[i] = number(expected);
      to[i] = number(wanted);
    }
  });
  const step = (state: number, i: number): number => {
    switch (codes[i]) {
      case READ:
        return from[i] === state ? state : ILLEGAL;
      case READ_ANYTHING:
        return state;
      case WRITE:
        return to[i] as number;
      case CAS_OK:
        return from[i] === state ? (to[i] as number) : ILLEGAL;
      case CAS_FAILED:
        return from[i] === state ? ILLEGAL : state;
      default:
        return from[i] === state ? (to[i] as number) : state;
    }
  };
  return {
    operationCount: operations.length,
    events: eventsOf(operations),
    initial: 0,
    step,
    isReadOnly: codes.map((code) => (code === READ || code === READ_ANYTHING || code === CAS_FAILED ? 1 : 0)),
    twinBefore: twinsOf(operations, ({ f, input }) => `${f}${JSON.stringify(input ?? null)}`),
  };
}
