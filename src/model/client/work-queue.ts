import type { Process } from '../../sim/process.ts';
import { type Task, suspend } from '../../sim/task.ts';
import { MILLISECOND, SECOND, type Micros } from '../../sim/time.ts';
import { TokenBucket } from './rate-limiter.ts';

export interface WorkQueueOptions {
  /** Delay after the first failure of a key; doubles. Default 5 ms. */
  readonly baseDelayUs?: Micros;
  /** Default 1000 s. */
  readonly maxDelayUs?: Micros;
  /** Overall limit of retries, shared by all keys: default 10 a second, burst 100 (DefaultTypedControllerRateLimiter). */
  readonly qps?: number;
  readonly burst?: number;
}

interface Waiting {
  readonly due: Micros;
  readonly timer: number;
}

/**
 * A rate-limited, delaying, de-duplicating queue of keys: client-go util/workqueue. A key that is added while it is being processed is
 * queued again when it is done, never handed to two workers at once.
 */
export class WorkQueue {
  readonly #process: Process;
  readonly #baseDelay: Micros;
  readonly #maxDelay: Micros;
  readonly #bucket: TokenBucket;
  readonly #queue: string[] = [];
  #head = 0;
  readonly #dirty = new Set<string>();
  readonly #processing = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #getters: ((key: string) => void)[] = [];

  constructor(process: Process, options: WorkQueueOptions = {}) {
    this.#process = process;
    this.#baseDelay = options.baseDelayUs ?? 5 * MILLISECOND;
    this.#maxDelay = options.maxDelayUs ?? 1000 * SECOND;
    this.#bucket = new TokenBucket(options.qps ?? 10, options.burst ?? 100);
  }

  /** Keys that wait for a worker. */
  get length(): number {
    return this.#queue.length - this.#head;
  }

  add(key: string): void {
    if (this.#dirty.has(key)) return;
    this.#dirty.add(key);
    if (this.#processing.has(key)) return;
    this.#push(key);
  }

  /** Adds the key after a delay; an earlier due time of the same key wins. */
  addAfter(key: string, delay: Micros): void {
    if (delay <= 0) {
      this.add(key);
      return;
    }
    const due = this.#process.mono() + delay;
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) {
      if (waiting.due <= due) return;
      this.#process.cancel(waiting.timer);
    }
    const timer = this.#process.after(delay, () => {
      this.#waiting.delete(key);
      this.add(key);
    });
    this.#waiting.set(key, { due, timer });
  }

  /** Adds the key after its back-off: 5 ms · 2^failures, at most 1000 s, and no faster than the overall limit. */
  addRateLimited(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const own = Math.min(this.#maxDelay, this.#baseDelay * 2 ** Math.min(failures, 40));
    this.addAfter(key, Math.max(own, this.#bucket.reserve(this.#process.mono())));
  }

  /** How often the key was added with {@link addRateLimited} since it was last forgotten. */
  requeues(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** Waits for a key; the caller must say {@link done}. */
  *get(): Task<string> {
    const key =
      this.length > 0
        ? this.#shift()
        : yield* suspend<string>((resolve) => {
            this.#getters.push(resolve);
            return () => {
              const at = this.#getters.indexOf(resolve);
              if (at >= 0) this.#getters.splice(at, 1);
            };
          });
    return key;
  }

  done(key: string): void {
    this.#processing.delete(key);
    if (this.#dirty.has(key)) this.#push(key);
  }

  #push(key: string): void {
    const getter = this.#getters.shift();
    if (getter === undefined) {
      this.#queue.push(key);
      return;
    }
    this.#take(key);
    getter(key);
  }

  #shift(): string {
    const key = this.#queue[this.#head++] as string;
    if (this.#head > 64 && this.#head * 2 > this.#queue.length) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    this.#take(key);
    return key;
  }

  #take(key: string): void {
    this.#processing.add(key);
    this.#dirty.delete(key);
  }
}

/** Why a key could not be reconciled; every ApiFailure is one. Undefined: it could. */
export type ReconcileError = { readonly message: string } | undefined;

/**
 * Starts workers that take keys and reconcile them: an error puts the key back with its back-off, success forgets it.
 * `onError` (a controller's handleErr) may decide otherwise: false drops the key.
 */
export function runWorkers(
  process: Process,
  name: string,
  queue: WorkQueue,
  workers: number,
  reconcile: (key: string) => Task<ReconcileError>,
  onError?: (key: string, error: { readonly message: string }) => boolean,
): () => void {
  const runs = Array.from({ length: workers }, (_, index) => process.spawn(`${name}/${index}`, work()));
  function* work(): Task<void> {
    for (;;) {
      const key = yield* queue.get();
      const error = yield* reconcile(key);
      if (error === undefined) queue.forget(key);
      else if (onError === undefined || onError(key, error)) queue.addRateLimited(key);
      else queue.forget(key);
      queue.done(key);
    }
  }
  return () => {
    for (const run of runs) run.cancel();
  };
}
