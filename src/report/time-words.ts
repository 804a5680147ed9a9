import { MILLISECOND, type Micros, MINUTE, SECOND } from '../sim/time.ts';

/** A point in time as the whole report writes it: `12.480 s`, rounded as its viewer rounds. */
export function clock(at: Micros): string {
  return `${(at / SECOND).toFixed(3)} s`;
}

/** A length of time for reading: `8.2 s`, `124 ms`, `90 µs`. */
export function span(length: Micros): string {
  if (length >= 2 * MINUTE) return `${(length / MINUTE).toFixed(1)} min`;
  if (length >= SECOND) return `${(length / SECOND).toFixed(1)} s`;
  return length >= MILLISECOND ? `${Math.round(length / MILLISECOND)} ms` : `${length} µs`;
}
