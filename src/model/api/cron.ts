/**
 * Cron schedules of five fields, descriptors (@daily) and intervals (@every 90s), with the messages of
 * github.com/robfig/cron/v3 ParseStandard, which the API server and the CronJob controller use.
 */

/** Which minutes, hours, days… a schedule names. A star is told apart: days of month and week are or-ed unless one is a star. */
export interface CronFields {
  readonly minute: ReadonlySet<number>;
  readonly hour: ReadonlySet<number>;
  readonly dayOfMonth: ReadonlySet<number>;
  readonly month: ReadonlySet<number>;
  readonly dayOfWeek: ReadonlySet<number>;
  readonly dayOfMonthStar: boolean;
  readonly dayOfWeekStar: boolean;
}

export type CronSchedule = CronFields | { readonly everySeconds: number };

export interface CronError {
  readonly error: string;
}

interface Bounds {
  readonly low: number;
  readonly high: number;
  readonly names?: Readonly<Record<string, number>>;
}

const months = { jan: 1, feb: 2, mar: 3, apr: 4, may: 5, jun: 6, jul: 7, aug: 8, sep: 9, oct: 10, nov: 11, dec: 12 };
const days = { sun: 0, mon: 1, tue: 2, wed: 3, thu: 4, fri: 5, sat: 6 };
const bounds: readonly Bounds[] = [
  { low: 0, high: 59 },
  { low: 0, high: 23 },
  { low: 1, high: 31 },
  { low: 1, high: 12, names: months },
  { low: 0, high: 6, names: days },
];
const descriptors: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

class CronFailure extends Error {}

/** Parses a schedule without a time zone prefix. */
export function parseCron(text: string): CronSchedule | CronError {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof CronFailure) return { error: error.message };
    throw error;
  }
}

function parse(text: string): CronSchedule {
  if (text === '') throw new CronFailure('empty spec string');
  if (text.startsWith('@')) {
    const expanded = descriptors[text];
    if (expanded !== undefined) return parse(expanded);
    if (text.startsWith('@every ')) return { everySeconds: everySeconds(text.slice('@every '.length), text) };
    throw new CronFailure(`unrecognized descriptor: ${text}`);
  }
  const fields = text.split(/\s+/).filter((field) => field !== '');
  if (fields.length !== 5) throw new CronFailure(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`);
  const sets = fields.map((field, i) => parseField(field, bounds[i] ?? { low: 0, high: 0 }));
  const [minute, hour, dayOfMonth, month, dayOfWeek] = sets as [Field, Field, Field, Field, Field];
  return {
    minute: minute.values,
    hour: hour.values,
    dayOfMonth: dayOfMonth.values,
    month: month.values,
    dayOfWeek: dayOfWeek.values,
    dayOfMonthStar: dayOfMonth.star,
    dayOfWeekStar: dayOfWeek.star,
  };
}

interface Field {
  readonly values: ReadonlySet<number>;
  readonly star: boolean;
}

function parseField(text: string, limit: Bounds): Field {
  const values = new Set<number>();
  let star = false;
  for (const expression of text.split(',').filter((part) => part !== '')) star = parseRange(expression, limit, values) || star;
  return { values, star };
}

/** One of `*`, `a`, `a-b`, each with `/step`; answers whether it is an unstepped star. */
function parseRange(text: string, limit: Bounds, into: Set<number>): boolean {
  const parts = text.split('/');
  const ends = (parts[0] ?? '').split('-');
  const single = ends.length === 1;
  let start: number;
  let end: number;
  let star = false;
  if (ends[0] === '*' || ends[0] === '?') {
    start = limit.low;
    end = limit.high;
    star = true;
  } else {
    start = parseIntOrName(ends[0] ?? '', limit);
    if (ends.length > 2) throw new CronFailure(`too many hyphens: ${text}`);
    end = single ? start : parseIntOrName(ends[1] ?? '', limit);
  }
  let step = 1;
  if (parts.length === 2) {
    step = parseUnsigned(parts[1] ?? '');
    if (single) end = limit.high;
    if (step > 1) star = false;
  } else if (parts.length > 2) throw new CronFailure(`too many slashes: ${text}`);
  if (start < limit.low) throw new CronFailure(`beginning of range (${start}) below minimum (${limit.low}): ${text}`);
  if (end > limit.high) throw new CronFailure(`end of range (${end}) above maximum (${limit.high}): ${text}`);
  if (start > end) throw new CronFailure(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (step === 0) throw new CronFailure(`step of range should be a positive number: ${text}`);
  for (let value = start; value <= end; value += step) into.add(value);
  return star;
}

function parseIntOrName(text: string, limit: Bounds): number {
  return limit.names?.[text.toLowerCase()] ?? parseUnsigned(text);
}

function parseUnsigned(text: string): number {
  if (!/^[+-]?[0-9]+$/.test(text))
    throw new CronFailure(`failed to parse int from ${text}: strconv.Atoi: parsing "${text}": invalid syntax`);
  const value = Number(text);
  if (value < 0) throw new CronFailure(`negative number (${value}) not allowed: ${text}`);
  return value;
}

const unitSeconds: Readonly<Record<string, number>> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

/** time.ParseDuration, then rounded to whole seconds, at least one. */
function everySeconds(text: string, descriptor: string): number {
  const fail = (why: string): never => {
    throw new CronFailure(`failed to parse duration ${descriptor}: time: ${why} "${text}"`);
  };
  if (!/^[+-]?(0|([0-9]*\.?[0-9]+[a-zµ]+)+)$/.test(text)) {
    if (/^[+-]?[0-9]+$/.test(text)) fail('missing unit in duration');
    fail('invalid duration');
  }
  let seconds = 0;
  for (const [, amount = '0', unit = ''] of text.matchAll(/([0-9]*\.?[0-9]+)([a-zµ]+)/g)) {
    const size = unitSeconds[unit];
    if (size === undefined)
      throw new CronFailure(`failed to parse duration ${descriptor}: time: unknown unit "${unit}" in duration "${text}"`);
    seconds += Number(amount) * size;
  }
  if (text.startsWith('-')) seconds = -seconds;
  return Math.max(1, Math.floor(seconds));
}
