import type { Operation } from './history.ts';

/**
 * A sequential specification: what one copy of the object, asked one operation at a time, may answer. States are never changed in
 * place. An own model is a module that exports `model`.
 */
export interface SequentialModel<State> {
  readonly name: string;
  readonly initial: State;
  /**
   * The state after the operation, or undefined where the operation's answer is impossible in this state. An operation of unknown
   * outcome answers with the state that it leaves if it takes effect here.
   */
  step(state: State, operation: Operation): State | undefined;
  /** Set where `step` never looks at an operation's process: then equal operations of different processes need not be told apart. It must never look at times. */
  readonly ignoresProcess?: boolean;
  /** Equal texts exactly for equal states. */
  keyOf(state: State): string;
  /** Whether the operation leaves every state as it is (a read). Those are placed at once, which keeps the search small. */
  isReadOnly?(operation: Operation): boolean;
  /** Histories of independent parts are checked part by part (Herlihy and Wing 1990, section 3.1: linearizability is local). */
  partitionOf?(operation: Operation): string;
}
