/** What is known of an operation's end. `unknown`: it may have taken effect, or may yet, or never. */
export type Outcome = 'ok' | 'fail' | 'unknown';

/** The return of an operation that is open to the end of its history. */
export const OPEN = Number.POSITIVE_INFINITY;

/** One operation of a history. Its times are positions in the order of real time: only their order counts. */
export interface Operation {
  readonly process: string;
  /** What was asked: `read`, `write`, `cas`, `get`, `put`, `append`, `acquire` … */
  readonly f: string;
  /** The object that it works on, where the history has several. */
  readonly key?: string;
  readonly input: unknown;
  /** What was answered; undefined where nothing is known. */
  readonly output: unknown;
  readonly outcome: Outcome;
  readonly call: number;
  /** Position of the answer, or {@link OPEN}. */
  readonly return: number;
  /** Line of the invocation in its file, from 1; 0 where there is no file. */
  readonly line: number;
}

/** A history that a checker can judge: complete and open operations in order of their invocations. */
export interface History {
  readonly operations: readonly Operation[];
}

/** One operation as people read it: `process 4: cas [2,4] -> ok (line 7)`. */
export function describeOperation(operation: Operation): string {
  const { f, input, output, outcome, process, key, line } = operation;
  const asked = [f, key === undefined ? '' : JSON.stringify(key), input === undefined ? '' : JSON.stringify(input)]
    .filter((part) => part !== '')
    .join(' ');
  const answered = outcome === 'ok' ? (output === undefined ? 'ok' : JSON.stringify(output)) : outcome;
  return `process ${process}: ${asked} -> ${answered}${line === 0 ? '' : ` (line ${line})`}`;
}
