/** Upstream maxRetryAfter, seconds. */
const RETRY_AFTER_MAX = 32;

/**
 * How long those who are turned away should stay away: doubled while many are turned away, shortened second by second when few are
 * (upstream `dropped_requests_tracker.go`, which mimics TCP). Looked at once a second at the most, and only when somebody is turned away.
 */
export class DroppedRequests {
  #history: { readonly second: number; readonly dropped: number }[] = [];
  #second = 0;
  #dropped = 0;
  #raisedAt = 0;
  #retryAfter = 1;

  /** Notes one, and answers its Retry-After in seconds. */
  drop(nowUs: number): number {
    const second = Math.floor(nowUs / 1_000_000);
    if (second === this.#second) this.#dropped++;
    else {
      const ended = this.#second;
      this.#history.push({ second: ended, dropped: this.#dropped });
      this.#history = this.#history.filter((stat) => ended - stat.second <= RETRY_AFTER_MAX);
      this.#second = second;
      this.#dropped = 1;
      this.#update(second);
    }
    return this.#retryAfter;
  }

  #update(now: number): void {
    const retryAfter = this.#retryAfter;
    let dropped = 0;
    for (const stat of this.#history) if (now - stat.second <= retryAfter && stat.second < now) dropped += stat.dropped;
    if (now - this.#raisedAt >= retryAfter && dropped >= 3 * retryAfter) {
      this.#retryAfter = Math.min(RETRY_AFTER_MAX, retryAfter * 2);
      this.#raisedAt = now;
    } else if (dropped < retryAfter && retryAfter > 1) this.#retryAfter--;
  }
}
