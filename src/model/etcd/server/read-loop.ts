import type { Process } from '../../../sim/process.ts';
import { MILLISECOND, type Micros } from '../../../sim/time.ts';
import { type EtcdError, etcdError } from '../errors.ts';

/** readIndexRetryTime. */
const RETRY_US = 500 * MILLISECOND;

/** Called when the read may be served, or with the reason why not. */
export type ReadWaiter = (error: EtcdError | undefined) => void;

/** What the loop needs of its member. */
export interface ReadLoopHost {
  readonly process: Process;
  readonly timeoutUs: Micros;
  readonly appliedIndex: number;
  /** Known bug: what is asked again is asked under the same name. */
  readonly reusesContext: boolean;
  requestReadIndex(context: unknown): void;
}

interface Round {
  readonly waiters: readonly ReadWaiter[];
  readonly contexts: Set<object>;
  retryTimer: number;
  errorTimer: number;
  /** Set once the leader has confirmed; the round ends when this is applied. */
  index: number | undefined;
}

/**
 * linearizableReadLoop: one ReadIndex round at a time; all reads that arrive meanwhile share the next one. So without a quorum a read
 * waits for what is left of the running round and then for its own: 7 to 14 seconds.
 */
export class ReadLoop {
  readonly #host: ReadLoopHost;
  #next: ReadWaiter[] = [];
  #round: Round | undefined;

  constructor(host: ReadLoopHost) {
    this.#host = host;
  }

  /** Waits until the state is at least as new as now. */
  wait(waiter: ReadWaiter): void {
    this.#next.push(waiter);
    if (this.#round === undefined) this.#begin();
  }

  /** The leader confirmed a read position. */
  confirmed(context: unknown, index: number): void {
    const round = this.#round;
    if (round === undefined || round.index !== undefined || !round.contexts.has(context as object)) return;
    const { process } = this.#host;
    process.cancel(round.retryTimer);
    process.cancel(round.errorTimer);
    round.index = index;
    this.applied();
  }

  /** Entries were applied. */
  applied(): void {
    const round = this.#round;
    if (round?.index !== undefined && this.#host.appliedIndex >= round.index) this.#end(round, undefined);
  }

  /** There is another leader: the request may have died with the old one. */
  leaderChanged(): void {
    const round = this.#round;
    if (round !== undefined && round.index === undefined) this.#end(round, etcdError('leaderChanged'));
  }

  /** A new leader has committed in its term: before that it does not answer read requests, so ask again. */
  firstCommitInTerm(): void {
    const round = this.#round;
    if (round !== undefined && round.index === undefined) this.#ask(round);
  }

  #begin(): void {
    const round: Round = { waiters: this.#next, contexts: new Set(), retryTimer: 0, errorTimer: 0, index: undefined };
    this.#next = [];
    this.#round = round;
    const { process, timeoutUs } = this.#host;
    round.errorTimer = process.after(timeoutUs, () => this.#end(round, etcdError('timeout')));
    this.#ask(round);
  }

  #ask(round: Round): void {
    if (this.#round !== round) return;
    // Each attempt under a name of its own: what was answered late to an earlier one must not confirm this (etcd#20418).
    const [first] = round.contexts;
    const context = this.#host.reusesContext && first !== undefined ? first : {};
    round.contexts.add(context);
    const { process } = this.#host;
    if (round.retryTimer !== 0) process.cancel(round.retryTimer);
    round.retryTimer = process.after(RETRY_US, () => this.#ask(round));
    this.#host.requestReadIndex(context);
  }

  #end(round: Round, error: EtcdError | undefined): void {
    if (this.#round !== round) return;
    const { process } = this.#host;
    process.cancel(round.retryTimer);
    process.cancel(round.errorTimer);
    this.#round = undefined;
    for (const waiter of round.waiters) waiter(error);
    if (this.#round === undefined && this.#next.length > 0) this.#begin();
  }
}
