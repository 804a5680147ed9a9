import type { Micros } from '../../sim/time.ts';

const UNITS: Readonly<Record<string, number>> = { us: 1, ms: 1_000, s: 1_000_000, m: 60_000_000, h: 3_600_000_000 };

/** A duration such as '250ms', '2s', '1m30s', or a bare number of seconds. Undefined where it is none. */
export function parseDuration(text: string): Micros | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1_000_000);
  if (!/^(\d+(\.\d+)?(us|ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, number = '', , unit = ''] of text.matchAll(/(\d+(\.\d+)?)(us|ms|s|m|h)/g)) total += Number(number) * (UNITS[unit] ?? 0);
  return Math.round(total);
}
