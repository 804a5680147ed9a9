import type { Now } from './random.ts';
import { type Micros, TRIAL_EPOCH_WALL_US } from './time.ts';

const MILLION = 1_000_000;

/**
 * The two clocks of one host. `mono` drifts and drives timers, time-outs and leases; `wall` also jumps and stamps objects.
 * Both are integer microseconds computed from the true time, so an undisturbed clock is exact.
 */
export class HostClock {
  readonly #truth: Now;
  #ratePpm = 0;
  #driftSumPpm = 0;
  #trueAtRateChange: Micros = 0;
  #monoAtRateChange: Micros = 0;
  #wallOffset: Micros = 0;

  constructor(truth: Now) {
    this.#truth = truth;
  }

  /** Monotonic time since the trial's start as this host believes it. */
  mono(): Micros {
    const elapsed = this.#truth.now - this.#trueAtRateChange;
    return this.#monoAtRateChange + elapsed + Math.trunc((elapsed * this.#ratePpm) / MILLION);
  }

  /** Wall-clock time, microseconds since the Unix epoch. */
  wall(): Micros {
    return TRIAL_EPOCH_WALL_US + this.mono() + this.#wallOffset;
  }

  /** How long `delay` on this host's clock takes in true time. A timer armed before a change of drift keeps its true due time. */
  trueDelay(delay: Micros): Micros {
    if (this.#ratePpm === 0) return delay;
    return Math.max(0, Math.ceil((delay * MILLION) / (MILLION + this.#ratePpm)));
  }

  /** Makes the clock run faster (positive) or slower (negative) from now on by so many parts per million; drifts add up. */
  addDrift(ppm: number): void {
    this.#monoAtRateChange = this.mono();
    this.#trueAtRateChange = this.#truth.now;
    this.#driftSumPpm += ppm;
    // A clock neither stands still nor runs backwards, however many faults pull at it.
    this.#ratePpm = Math.max(-800_000, Math.min(4_000_000, this.#driftSumPpm));
  }

  /** Moves the wall clock by `delta` at once (NTP step, operator's mistake). */
  jumpWall(delta: Micros): void {
    this.#wallOffset += delta;
  }

  /** How far the wall clock is from the truth, and the drift: for reports and faults, never for programs. */
  error(): { readonly wallErrorUs: Micros; readonly driftPpm: number } {
    return { wallErrorUs: this.wall() - TRIAL_EPOCH_WALL_US - this.#truth.now, driftPpm: this.#ratePpm };
  }
}
