import { OPEN, type Operation, type Outcome } from './history.ts';

/** A line of a history that says nothing that can be understood. */
export class HistoryError extends Error {
  override readonly name = 'HistoryError';
  readonly line: number;

  constructor(line: number, what: string) {
    super(`line ${line}: ${what}`);
    this.line = line;
  }
}

interface Invocation {
  readonly process: string;
  readonly f: string;
  readonly key?: string;
  readonly input: unknown;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Pairs invocations with their ends; the position of a line is its time. Each process has at most one open operation. */
export class LineRecorder {
  private readonly operations: Mutable<Operation>[] = [];
  private readonly open = new Map<string, Mutable<Operation>>();
  private position = 0;

  invoke(line: number, invocation: Invocation): void {
    const before = this.open.get(invocation.process);
    if (before !== undefined) {
      throw new HistoryError(line, `process ${invocation.process} invokes while its operation of line ${before.line} is open`);
    }
    const operation: Mutable<Operation> = {
      ...invocation,
      output: undefined,
      outcome: 'unknown',
      call: this.position++,
      return: OPEN,
      line,
    };
    this.operations.push(operation);
    this.open.set(invocation.process, operation);
  }

  /** The operation that a process has open. */
  pending(line: number, process: string): Readonly<Operation> {
    const operation = this.open.get(process);
    if (operation === undefined) throw new HistoryError(line, `process ${process} ends an operation that it never began`);
    return operation;
  }

  /** Ends an operation. */
  complete(line: number, process: string, end: { readonly outcome: Outcome; readonly output?: unknown }): void {
    const operation = this.pending(line, process) as Mutable<Operation>;
    operation.outcome = end.outcome;
    operation.output = end.output;
    operation.return = this.position++;
    this.open.delete(process);
  }

  /** Leaves the operation open to the end; its process goes on. */
  abandon(line: number, process: string): void {
    this.pending(line, process);
    this.open.delete(process);
  }

  /** The operation certainly did not happen. */
  discard(line: number, process: string): void {
    const operation = this.pending(line, process) as Mutable<Operation>;
    this.open.delete(process);
    this.operations.splice(this.operations.lastIndexOf(operation), 1);
  }

  finish(): readonly Operation[] {
    return this.operations;
  }
}
