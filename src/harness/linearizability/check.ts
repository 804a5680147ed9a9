import { compileModel } from './compile-model.ts';
import type { History, Operation } from './history.ts';
import { compileKeyValue, keyValueModel } from './key-value.ts';
import type { SequentialModel } from './model.ts';
import { compileRegister, registerModel } from './register.ts';
import { revisionedModel, revisionOrder } from './revisions.ts';
import { type SearchBudget, type SearchProblem, searchLinearization } from './search.ts';

/** Enough for every history of porcupine's and knossos' test data a hundred times over. */
export const DEFAULT_SEARCH_BUDGET: SearchBudget = { stepsMax: 200_000_000, memoryBytesMax: 2 ** 30 };

/** Why a history is not linearizable. */
export interface Witness {
  /** The part of the history that fails; undefined where it has one part only. */
  readonly partition?: string;
  /** The longest prefix that is legal, in the order of a linearization. */
  readonly prefix: readonly Operation[];
  /** The operation that no order has a place for: its answer came before any legal place. */
  readonly stuck: Operation;
}

export type HistoryVerdict =
  | { readonly verdict: 'linearizable'; readonly operations: number; readonly steps: number }
  | { readonly verdict: 'illegal'; readonly witness: Witness; readonly operations: number; readonly steps: number }
  | { readonly verdict: 'gave-up'; readonly partition?: string; readonly operations: number; readonly steps: number };

/** Models that have a faster form of their own than {@link compileModel}. */
const compilers = new Map<unknown, (operations: readonly Operation[]) => SearchProblem>([
  [registerModel, compileRegister],
  [keyValueModel, compileKeyValue],
]);

interface Part {
  readonly name: string | undefined;
  readonly operations: readonly Operation[];
}

function named({ name }: Part): { readonly partition?: string } {
  return name === undefined ? {} : { partition: name };
}

function partition<State>(model: SequentialModel<State>, operations: readonly Operation[]): readonly Part[] {
  const { partitionOf } = model;
  if (partitionOf === undefined) return [{ name: undefined, operations }];
  const parts = new Map<string, Operation[]>();
  for (const operation of operations) {
    const name = partitionOf(operation);
    const part = parts.get(name);
    if (part === undefined) parts.set(name, [operation]);
    else part.push(operation);
  }
  return [...parts].map(([name, part]) => ({ name, operations: part })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The first round's budget of steps a part: what fails fast shall not wait for what is hard. */
const firstRoundSteps = 100_000;

/**
 * Whether a history is linearizable under a model. A part that fails decides at once. Parts that are too hard for a round are tried again
 * with ten times the steps, up to the budget, which is a part's; then the verdict is `gave-up`, never `linearizable`.
 */
export function checkHistory<State>(
  history: History,
  model: SequentialModel<State>,
  budget: SearchBudget = DEFAULT_SEARCH_BUDGET,
): HistoryVerdict {
  const operations = history.operations.length;
  // A revision order is a witness by itself; porcupine's users would search for it.
  if ((model as unknown) === revisionedModel && revisionOrder(history.operations) !== undefined)
    return { verdict: 'linearizable', operations, steps: operations };
  const compile = compilers.get(model) ?? ((part) => compileModel(model, part));
  let steps = 0;
  let open = partition(model, history.operations);
  for (let round = Math.min(firstRoundSteps, budget.stepsMax); open.length > 0; round = Math.min(round * 10, budget.stepsMax)) {
    const hard: Part[] = [];
    for (const part of open) {
      const result = searchLinearization(compile(part.operations), { ...budget, stepsMax: round });
      steps += result.steps;
      if (result.verdict === 'gave-up') hard.push(part);
      if (result.verdict !== 'illegal') continue;
      const at = (i: number): Operation => part.operations[i] as Operation;
      return { verdict: 'illegal', witness: { ...named(part), prefix: result.order.map(at), stuck: at(result.stuck) }, operations, steps };
    }
    const first = hard[0];
    if (first !== undefined && round >= budget.stepsMax) return { verdict: 'gave-up', ...named(first), operations, steps };
    open = hard;
  }
  return { verdict: 'linearizable', operations, steps };
}
