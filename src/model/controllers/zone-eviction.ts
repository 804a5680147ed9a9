import type { Process } from '../../sim/process.ts';
import type { Task } from '../../sim/task.ts';
import { MILLISECOND, SECOND, type Micros } from '../../sim/time.ts';
import type { ControllerManagerConfig } from './config.ts';

export type ZoneState = 'Initial' | 'Normal' | 'FullDisruption' | 'PartialDisruption';

/** Upstream ComputeZoneState: more than two nodes and at least 55 % of a zone not ready is a partial disruption. */
export function computeZoneState(ready: number, notReady: number, unhealthyThreshold: number): ZoneState {
  if (ready === 0 && notReady > 0) return 'FullDisruption';
  if (notReady > 2 && notReady / (notReady + ready) >= unhealthyThreshold) return 'PartialDisruption';
  return 'Normal';
}

/** Evictions a second in a zone of that state and size (setLimiterInZone). */
export function evictionRate(state: ZoneState, zoneSize: number, config: ControllerManagerConfig): number {
  if (state !== 'PartialDisruption') return config.nodeEvictionRate;
  return zoneSize > config.largeClusterSizeThreshold ? config.secondaryNodeEvictionRate : 0;
}

/** Upstream scheduler.NodeEvictionPeriod: the queue is looked at that often. */
const PASS_PERIOD: Micros = 100 * MILLISECOND;

/**
 * The nodes of one zone that wait for their NoExecute taint, let through at the zone's rate: upstream scheduler.RateLimitedTimedQueue.
 * A node that went through stays known, so that it is not queued again until it was {@link forget forgotten}.
 */
export class ZoneEvictionQueue {
  readonly #process: Process;
  readonly #evict: (node: string) => Task<boolean>;
  readonly #queue: string[] = [];
  readonly #known = new Set<string>();
  #rate: number;
  #tokens = 1;
  #refilledAt: Micros;
  #timer = 0;
  #running = false;

  constructor(process: Process, rate: number, evict: (node: string) => Task<boolean>) {
    this.#process = process;
    this.#rate = rate;
    this.#evict = evict;
    this.#refilledAt = process.mono();
  }

  /** Queues a node unless it is known. */
  add(node: string): void {
    if (this.#known.has(node)) return;
    this.#known.add(node);
    this.#queue.push(node);
    this.#schedule();
  }

  /** A node that went through may be queued again. */
  forget(node: string): void {
    if (!this.#queue.includes(node)) this.#known.delete(node);
  }

  /** The node is fine: takes it out. True when it was known. */
  remove(node: string): boolean {
    const at = this.#queue.indexOf(node);
    if (at >= 0) this.#queue.splice(at, 1);
    return this.#known.delete(node);
  }

  setRate(rate: number): void {
    if (rate === this.#rate) return;
    // Upstream SwapLimiter makes a new limiter and carries over whether the old one was saturated.
    this.#refill();
    this.#rate = rate;
    this.#process.cancel(this.#timer);
    this.#timer = 0;
    this.#schedule();
  }

  #refill(): void {
    const now = this.#process.mono();
    this.#tokens = Math.min(1, this.#tokens + ((now - this.#refilledAt) * this.#rate) / SECOND);
    this.#refilledAt = now;
  }

  #schedule(): void {
    if (this.#timer !== 0 || this.#running || this.#queue.length === 0 || this.#rate === 0) return;
    this.#refill();
    const missing = this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) * SECOND) / this.#rate);
    this.#timer = this.#process.after(Math.max(PASS_PERIOD, missing), () => {
      this.#timer = 0;
      this.#process.spawn('no-execute-pass', this.#pass());
    });
  }

  *#pass(): Task<void> {
    this.#running = true;
    for (;;) {
      this.#refill();
      const node = this.#queue[0];
      if (node === undefined || this.#rate === 0 || this.#tokens < 1) break;
      this.#tokens -= 1;
      this.#queue.shift();
      const done = yield* this.#evict(node);
      // A failed taint is tried again; a node removed meanwhile is not.
      if (!done && this.#known.has(node)) this.#queue.push(node);
    }
    this.#running = false;
    this.#schedule();
  }
}
