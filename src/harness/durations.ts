import type { Range } from './scenario.ts';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of `250ms`, `1.5s`, `2m`, `1h`; undefined for anything else, a negative time or a missing unit included. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  if (match === null) return undefined;
  const value = Number(match[1]) * (UNIT_MS[match[2] as string] as number);
  return Number.isSafeInteger(Math.round(value)) && value <= 7 * 24 * 3_600_000 ? Math.round(value) : undefined;
}

/** A range such as `10s..20s`, or one duration for both ends. */
export function parseDurationRangeMs(text: string): Range | undefined {
  const [low, high, ...rest] = text.split('..');
  if (low === undefined || rest.length > 0) return undefined;
  const min = parseDurationMs(low);
  const max = high === undefined ? min : parseDurationMs(high);
  return min === undefined || max === undefined || min > max ? undefined : { min, max };
}

/** Prints milliseconds in the largest unit that keeps them whole. */
export function formatDurationMs(ms: number): string {
  for (const unit of ['h', 'm', 's'] as const) {
    const size = UNIT_MS[unit] as number;
    if (ms !== 0 && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}
