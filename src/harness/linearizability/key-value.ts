import { compileModel } from './compile-model.ts';
import type { Operation } from './history.ts';
import type { SequentialModel } from './model.ts';
import type { SearchProblem } from './search.ts';

/** Keys with texts: `get`, `put` and `append` (input: the text). A key that was never written reads as the empty text. */
export const keyValueModel: SequentialModel<string> = {
  name: 'kv',
  initial: '',
  ignoresProcess: true,
  step(state, { f, input, output, outcome }) {
    switch (f) {
      case 'get':
        return outcome === 'unknown' || (output ?? '') === state ? state : undefined;
      case 'put':
        return String(input ?? '');
      case 'append':
        return `${state}${String(input ?? '')}`;
      case 'delete':
        return '';
      default:
        throw new Error(`a key-value store has no operation ${JSON.stringify(f)} (get, put, append, delete)`);
    }
  },
  keyOf: (state) => state,
  isReadOnly: ({ f }) => f === 'get',
  partitionOf: ({ key }) => key ?? '',
};

/**
 * {@link keyValueModel} in numbers, with a look ahead: texts only grow until a put or a delete begins them anew, so a get whose answer
 * does not begin with the present text needs one that is still to come. Without it, orders of appends between two gets multiply.
 */
export function compileKeyValue(operations: readonly Operation[]): SearchProblem {
  const texts: string[] = [];
  const problem = compileModel({ ...keyValueModel, keyOf: (state) => state }, operations, texts);
  const beginnings = operations.map((get) => (get.f === 'get' ? beginningsOf(get, operations) : []));
  return {
    ...problem,
    isDoomed: (state, get, isPlaced) => {
      const { output, outcome } = operations[get] as Operation;
      if (outcome === 'unknown' || String(output ?? '').startsWith(texts[state] as string)) return false;
      return (beginnings[get] as readonly number[]).every(isPlaced);
    },
  };
}

/** The puts and deletes from which the get's answer may have grown. */
function beginningsOf(get: Operation, operations: readonly Operation[]): readonly number[] {
  const answer = String(get.output ?? '');
  const found: number[] = [];
  operations.forEach(({ f, input, call }, i) => {
    const begins = f === 'delete' || (f === 'put' && answer.startsWith(String(input ?? '')));
    if (begins && call < get.return) found.push(i);
  });
  return found;
}
