import { SECOND, type Micros } from '../../sim/time.ts';

/** A token bucket by the host's clock: upstream golang.org/x/time/rate as client-go's flowcontrol uses it. */
export class TokenBucket {
  readonly #qps: number;
  readonly #burst: number;
  #tokens: number;
  #last: Micros = 0;

  constructor(qps: number, burst: number) {
    this.#qps = qps;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Takes a token now or in advance; answers how long to wait for it. */
  reserve(now: Micros): Micros {
    this.#refill(now);
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens * SECOND) / this.#qps);
  }

  /** Takes a token only if one is there. */
  tryTake(now: Micros): boolean {
    this.#refill(now);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #refill(now: Micros): void {
    if (now > this.#last) {
      this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#last) * this.#qps) / SECOND);
      this.#last = now;
    }
  }
}
