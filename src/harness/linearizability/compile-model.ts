import { eventsOf, twinsOf } from './events.ts';
import type { Operation } from './history.ts';
import type { SequentialModel } from './model.ts';
import { ILLEGAL, type SearchProblem } from './search.ts';

/** What an operation is, times aside: operations of one class step alike. */
function classOf(operation: Operation, ignoresProcess: boolean): string {
  const { f, key, input, output, outcome, process } = operation;
  return JSON.stringify([f, key ?? null, input ?? null, output ?? null, outcome, ignoresProcess ? null : process]);
}

/** Numbers for the states of any model: every state is met once, every step computed once. `states` collects them by number. */
export function compileModel<State>(model: SequentialModel<State>, operations: readonly Operation[], states: State[] = []): SearchProblem {
  const numbers = new Map<string, number>();
  const number = (state: State): number => {
    const key = model.keyOf(state);
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, states.length);
    states.push(state);
    return states.length - 1;
  };
  const classText = (operation: Operation): string => classOf(operation, model.ignoresProcess === true);
  const classes = new Map<string, number>();
  const classNumbers = operations.map((operation) => {
    const asked = classText(operation);
    const known = classes.get(asked) ?? classes.size;
    classes.set(asked, known);
    return known;
  });
  const transitions = new Map<number, number>();
  return {
    operationCount: operations.length,
    events: eventsOf(operations),
    initial: number(model.initial),
    step: (state, i) => {
      const transition = state * classes.size + (classNumbers[i] as number);
      const known = transitions.get(transition);
      if (known !== undefined) return known;
      const after = model.step(states[state] as State, operations[i] as Operation);
      const result = after === undefined ? ILLEGAL : number(after);
      transitions.set(transition, result);
      return result;
    },
    isReadOnly: Uint8Array.from(operations, (operation) => (model.isReadOnly?.(operation) === true ? 1 : 0)),
    twinBefore: twinsOf(operations, classText),
  };
}
