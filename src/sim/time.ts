/** Integer microseconds. Points in time count from the trial's start unless a name says otherwise (`…WallUs`: since the Unix epoch). */
export type Micros = number;

export const MILLISECOND: Micros = 1_000;
export const SECOND: Micros = 1_000_000;
export const MINUTE: Micros = 60 * SECOND;

/** Wall-clock time at virtual zero: 2026-01-01T00:00:00Z, in microseconds since the Unix epoch. */
export const TRIAL_EPOCH_WALL_US: Micros = 1_767_225_600 * SECOND;

/** Prints a virtual time as reports and the command line do: `12.480 s`. */
export function formatSeconds(at: Micros): string {
  const ms = Math.floor(at / MILLISECOND);
  const sign = ms < 0 ? '-' : '';
  const abs = Math.abs(ms);
  return `${sign}${Math.floor(abs / 1000)}.${String(abs % 1000).padStart(3, '0')} s`;
}
