import { civilFromDays, daysFromCivil } from '../api/time.ts';
import { type Micros, MINUTE, SECOND } from '../../sim/time.ts';

/** When summer time holds: the European Union's rule (last Sundays of March and October, 01:00 UTC), the United States' (2:00 local). */
type SummerRule = 'none' | 'eu' | 'us';

const day: Micros = 86_400 * SECOND;

/** Standard offset in minutes and summer rule of zones in common use. Rules of 2007 and later; the full database is not part of this model. */
const zones: { readonly [name: string]: readonly [number, SummerRule] } = {
  UTC: [0, 'none'],
  'Etc/UTC': [0, 'none'],
  GMT: [0, 'none'],
  'Europe/London': [0, 'eu'],
  'Europe/Dublin': [0, 'eu'],
  'Europe/Lisbon': [0, 'eu'],
  'Europe/Paris': [60, 'eu'],
  'Europe/Berlin': [60, 'eu'],
  'Europe/Madrid': [60, 'eu'],
  'Europe/Rome': [60, 'eu'],
  'Europe/Amsterdam': [60, 'eu'],
  'Europe/Brussels': [60, 'eu'],
  'Europe/Vienna': [60, 'eu'],
  'Europe/Zurich': [60, 'eu'],
  'Europe/Stockholm': [60, 'eu'],
  'Europe/Oslo': [60, 'eu'],
  'Europe/Copenhagen': [60, 'eu'],
  'Europe/Prague': [60, 'eu'],
  'Europe/Warsaw': [60, 'eu'],
  'Europe/Budapest': [60, 'eu'],
  'Europe/Athens': [120, 'eu'],
  'Europe/Helsinki': [120, 'eu'],
  'Europe/Kyiv': [120, 'eu'],
  'Europe/Istanbul': [180, 'none'],
  'Europe/Moscow': [180, 'none'],
  'America/New_York': [-300, 'us'],
  'America/Toronto': [-300, 'us'],
  'America/Chicago': [-360, 'us'],
  'America/Denver': [-420, 'us'],
  'America/Phoenix': [-420, 'none'],
  'America/Los_Angeles': [-480, 'us'],
  'America/Sao_Paulo': [-180, 'none'],
  'Asia/Dubai': [240, 'none'],
  'Asia/Kolkata': [330, 'none'],
  'Asia/Singapore': [480, 'none'],
  'Asia/Shanghai': [480, 'none'],
  'Asia/Hong_Kong': [480, 'none'],
  'Asia/Tokyo': [540, 'none'],
  'Asia/Seoul': [540, 'none'],
};

/** Day number of the nth Sunday of a month; n < 0 counts from its end. */
function sunday(year: number, month: number, n: number): number {
  if (n > 0) {
    const first = daysFromCivil(year, month, 1);
    // 1970-01-01 was a Thursday.
    return first + ((((3 - first) % 7) + 7) % 7) + 7 * (n - 1);
  }
  const last = daysFromCivil(month === 12 ? year + 1 : year, month === 12 ? 1 : month + 1, 1) - 1;
  return last - ((((last - 3) % 7) + 7) % 7);
}

function isSummer(rule: SummerRule, standardUs: Micros, wallUs: Micros): boolean {
  if (rule === 'none') return false;
  const year = yearOf(wallUs + standardUs);
  const start = rule === 'eu' ? sunday(year, 3, -1) * day + 60 * MINUTE : sunday(year, 3, 2) * day + 120 * MINUTE - standardUs;
  const end = rule === 'eu' ? sunday(year, 10, -1) * day + 60 * MINUTE : sunday(year, 11, 1) * day + 60 * MINUTE - standardUs;
  return wallUs >= start && wallUs < end;
}

function yearOf(wallUs: Micros): number {
  return civilFromDays(Math.floor(wallUs / day)).year;
}

/** How far local time is ahead of UTC at a point in time; undefined where the zone is not known here. */
export function zoneOffsetUs(zone: string, wallUs: Micros): Micros | undefined {
  const found = zones[zone];
  if (found === undefined) return undefined;
  const standard = found[0] * MINUTE;
  return isSummer(found[1], standard, wallUs) ? standard + 60 * MINUTE : standard;
}
