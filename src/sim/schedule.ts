import type { RandomStream } from './random.ts';
import type { Micros } from './time.ts';

/**
 * How work that waits for a busy CPU is ordered, and whether costs vary: drawn per trial by the swarm.
 * - `fifo`: in order of arrival.
 * - `jitter`: as fifo, but each resume costs up to `jitterUs` more, so ties fall differently.
 * - `pct`: probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010): every source of work (task, connection, timer) has a
 *   random priority and, now and then, a change point gives one a new priority. Order within one source is kept. What has waited for
 *   `STARVED_US` goes first: an operating system delays a runnable thread, but lets none starve while others are served.
 */
export type TiePolicy =
  | { readonly kind: 'fifo' }
  | { readonly kind: 'jitter'; readonly jitterUs: Micros }
  | { readonly kind: 'pct'; readonly jitterUs: Micros; readonly changeOneIn: number };

/** Longest wait that the pct policy makes of a priority. */
const STARVED_US: Micros = 500_000;

/** One piece of work that waits for its process's CPU. */
export interface Work {
  readonly source: number;
  readonly costUs: Micros;
  /** When it arrived. */
  readonly sinceUs: Micros;
  readonly fn: (a: unknown, b: unknown) => void;
  readonly a: unknown;
  readonly b: unknown;
}

/** Applies a tie policy to the queue of one process. */
export class Scheduler {
  readonly #policy: TiePolicy;
  readonly #stream: RandomStream;
  readonly #priorities = new Map<number, number>();

  constructor(policy: TiePolicy, stream: RandomStream) {
    this.#policy = policy;
    this.#stream = stream;
  }

  /** Cost of a resume under the policy. */
  cost(base: Micros): Micros {
    if (this.#policy.kind === 'fifo' || this.#policy.jitterUs === 0) return base;
    return base + this.#stream.below(this.#policy.jitterUs + 1);
  }

  /** True when work runs in the order of its arrival, whatever arrives later. */
  get isOrdered(): boolean {
    return this.#policy.kind !== 'pct';
  }

  /** Index of the work to run next. `queue` is not empty and in order of arrival. */
  next(queue: readonly Work[], nowUs: Micros): number {
    if (this.#policy.kind !== 'pct' || queue.length === 1) return 0;
    if (nowUs - (queue[0] as Work).sinceUs > STARVED_US) return 0;
    let best = 0;
    let bestPriority = -1;
    for (let i = 0; i < queue.length; i++) {
      const priority = this.#priority((queue[i] as Work).source);
      if (priority > bestPriority) {
        best = i;
        bestPriority = priority;
      }
    }
    if (this.#stream.chance(1, this.#policy.changeOneIn)) this.#priorities.set((queue[best] as Work).source, this.#stream.u32());
    return best;
  }

  /** True when a `maybe` point should let waiting work run first. */
  preempt(): boolean {
    return this.#policy.kind !== 'fifo' && this.#stream.chance(1, 4);
  }

  #priority(source: number): number {
    let priority = this.#priorities.get(source);
    if (priority === undefined) {
      priority = this.#stream.u32();
      this.#priorities.set(source, priority);
    }
    return priority;
  }
}
