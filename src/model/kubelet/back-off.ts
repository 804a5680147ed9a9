import type { Micros } from '../../sim/time.ts';

interface Entry {
  backoffUs: Micros;
  lastUpdate: Micros;
}

/** Delays by key that double up to a maximum and are forgotten after twice the maximum: client-go flowcontrol.Backoff. */
export class KeyedBackOff {
  readonly #initialUs: Micros;
  readonly #maxUs: Micros;
  readonly #entries = new Map<string, Entry>();

  constructor(initialUs: Micros, maxUs: Micros) {
    this.#initialUs = initialUs;
    this.#maxUs = maxUs;
  }

  get(key: string): Micros {
    return this.#entries.get(key)?.backoffUs ?? 0;
  }

  /** The next delay, counted from now. `eventAt`: when what is backed off from happened. */
  next(key: string, eventAt: Micros, now: Micros): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#expired(eventAt, entry.lastUpdate)) {
      this.#entries.set(key, { backoffUs: Math.min(this.#initialUs, this.#maxUs), lastUpdate: now });
      return;
    }
    entry.backoffUs = Math.min(entry.backoffUs * 2, this.#maxUs);
    entry.lastUpdate = now;
  }

  /** When the back-off counted from the event is over; undefined when it is, or there is none. */
  waitsSince(key: string, eventAt: Micros, now: Micros): Micros | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#expired(eventAt, entry.lastUpdate)) return undefined;
    return now - eventAt < entry.backoffUs ? eventAt + entry.backoffUs : undefined;
  }

  /** As {@link waitsSince}, counted from the last {@link next}. */
  waitsSinceUpdate(key: string, now: Micros): Micros | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#expired(now, entry.lastUpdate)) return undefined;
    return now - entry.lastUpdate < entry.backoffUs ? entry.lastUpdate + entry.backoffUs : undefined;
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  #expired(eventAt: Micros, lastUpdate: Micros): boolean {
    return eventAt - lastUpdate > 2 * this.#maxUs;
  }
}

/** A duration as Go prints it: '10s', '1m20s', '2m40s', '5m0s'. */
export function goDuration(us: Micros): string {
  const seconds = Math.floor(us / 1_000_000);
  const fraction = us % 1_000_000;
  const h = Math.floor(seconds / 3600);
  const m = Math.floor(seconds / 60) % 60;
  const s = seconds % 60;
  const sText = fraction === 0 ? `${s}` : `${s}.${String(fraction).padStart(6, '0').replace(/0+$/, '')}`;
  if (h > 0) return `${h}h${m}m${sText}s`;
  if (m > 0) return `${m}m${sText}s`;
  if (seconds === 0 && fraction > 0) return `${fraction / 1000}ms`;
  return `${sText}s`;
}
