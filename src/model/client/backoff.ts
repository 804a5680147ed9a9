import type { Process } from '../../sim/process.ts';
import type { Micros } from '../../sim/time.ts';

export interface BackoffConfig {
  readonly initialUs: Micros;
  readonly maxUs: Micros;
  readonly factor: number;
  /** A delay is stretched by up to this share, in percent. */
  readonly jitterPercent: number;
  /** After so much time without a delay the sequence starts anew; absent: never. */
  readonly resetUs?: Micros;
}

/** Upstream wait.Backoff with DelayWithReset, by the host's monotonic clock. */
export class Backoff {
  readonly #process: Process;
  readonly #config: BackoffConfig;
  #next: Micros;
  #lastAt: Micros = 0;

  constructor(process: Process, config: BackoffConfig) {
    this.#process = process;
    this.#config = config;
    this.#next = config.initialUs;
  }

  /** The delay before the next try. */
  delay(): Micros {
    const { initialUs, maxUs, factor, jitterPercent, resetUs } = this.#config;
    const now = this.#process.mono();
    if (resetUs !== undefined && now - this.#lastAt > resetUs) this.#next = initialUs;
    this.#lastAt = now;
    const base = this.#next;
    this.#next = Math.min(maxUs, Math.round(base * factor));
    return jitterPercent === 0 ? base : base + this.#process.random.below(Math.floor((base * jitterPercent) / 100) + 1);
  }

  reset(): void {
    this.#next = this.#config.initialUs;
  }
}
