import type { Process } from '../../../sim/process.ts';
import type { Micros } from '../../../sim/time.ts';

/** Each tick follows the one before by the period and up to 4 % of it: upstream wait.JitterUntil with the node status's factor. */
const JITTER_DIVISOR = 25;

/** A loop's ticks without a timer for each: asked for only when there is something to do at one of them. */
export class JitteredTicks {
  readonly #process: Process;
  readonly #periodUs: Micros;
  #next: Micros;

  constructor(process: Process, periodUs: Micros) {
    this.#process = process;
    this.#periodUs = periodUs;
    this.#next = process.mono() + this.#step();
  }

  #step(): Micros {
    return this.#periodUs + this.#process.random.below(Math.floor(this.#periodUs / JITTER_DIVISOR) + 1);
  }

  /** The first tick after that time. What lies before the present is forgotten. */
  after(at: Micros): Micros {
    const now = this.#process.mono();
    while (this.#next <= now) this.#next += this.#step();
    if (at < this.#next) return this.#next;
    // How later ticks will be jittered is not known yet: on average by half of the most.
    const period = this.#periodUs + Math.floor(this.#periodUs / JITTER_DIVISOR / 2);
    return this.#next + Math.ceil((at - this.#next + 1) / period) * period;
  }
}
