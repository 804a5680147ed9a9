import { OPEN, type Operation } from './history.ts';
import type { SequentialModel } from './model.ts';

/**
 * The checker's slow twin: tries every order that real time allows, one operation after the other, with no memory and no shortcut. Open
 * operations may be left out.
 */
export function isLinearizableNaively<State>(operations: readonly Operation[], model: SequentialModel<State>): boolean {
  const search = (left: readonly Operation[], state: State): boolean => {
    if (left.every((operation) => operation.return === OPEN)) return true;
    const firstReturn = Math.min(...left.map((operation) => operation.return));
    return left.some((operation) => {
      if (operation.call > firstReturn) return false;
      const after = model.step(state, operation);
      return (
        after !== undefined &&
        search(
          left.filter((other) => other !== operation),
          after,
        )
      );
    });
  };
  return search(operations, model.initial);
}
