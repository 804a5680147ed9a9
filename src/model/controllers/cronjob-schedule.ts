import type { CronFields, CronSchedule } from '../api/cron.ts';
import { civilFromDays } from '../api/time.ts';
import { MINUTE, type Micros, SECOND } from '../../sim/time.ts';
import { zoneOffsetUs } from './time-zone-offset.ts';

const day: Micros = 86_400 * SECOND;
/** Schedules such as "30 February" never come: upstream gives up after five years. */
const daysAhead = 5 * 366;

function matchesDay(fields: CronFields, days: number): boolean {
  const civil = civilFromDays(days);
  if (!fields.month.has(civil.month)) return false;
  const ofMonth = fields.dayOfMonth.has(civil.day);
  // 1970-01-01 was a Thursday.
  const ofWeek = fields.dayOfWeek.has((((days + 4) % 7) + 7) % 7);
  return fields.dayOfMonthStar || fields.dayOfWeekStar ? ofMonth && ofWeek : ofMonth || ofWeek;
}

/** The first time after `afterUs` that a schedule names; times are wall-clock microseconds. Upstream cron SpecSchedule.Next. */
export function nextTime(schedule: CronSchedule, zone: string | undefined, afterUs: Micros): Micros | undefined {
  if ('everySeconds' in schedule) return Math.floor(afterUs / SECOND) * SECOND + schedule.everySeconds * SECOND;
  const offsetAt = (at: Micros): Micros => (zone === undefined ? 0 : (zoneOffsetUs(zone, at) ?? 0));
  const local = afterUs + offsetAt(afterUs);
  const firstDay = Math.floor(local / day);
  const hours = [...schedule.hour].sort((a, b) => a - b);
  const minutes = [...schedule.minute].sort((a, b) => a - b);
  for (let days = firstDay; days <= firstDay + daysAhead; days++) {
    if (!matchesDay(schedule, days)) continue;
    for (const hour of hours) {
      for (const minute of minutes) {
        const candidate = days * day + (hour * 60 + minute) * MINUTE;
        if (candidate < local - 120 * MINUTE) continue;
        const at = candidate - offsetAt(candidate - offsetAt(candidate));
        // A local time that the change to summer time skips does not exist.
        if (at + offsetAt(at) === candidate && at > afterUs) return at;
      }
    }
  }
  return undefined;
}

/** The last time up to now that the schedule named, counted from `earliestUs`. Upstream mostRecentScheduleTime. */
export function mostRecentTime(
  schedule: CronSchedule,
  zone: string | undefined,
  earliestUs: Micros,
  nowUs: Micros,
): { readonly at: Micros | undefined; readonly missed: 'none' | 'few' | 'many' } {
  const first = nextTime(schedule, zone, earliestUs);
  if (first === undefined || nowUs < first) return { at: undefined, missed: 'none' };
  const second = nextTime(schedule, zone, first);
  if (second === undefined || nowUs < second) return { at: first, missed: 'none' };
  const between = second - first;
  const count = Math.floor((nowUs - first) / between) + 1;
  let at = first;
  for (
    let next: Micros | undefined = nextTime(schedule, zone, first + (count - 2) * between - SECOND);
    next !== undefined && next <= nowUs;
    next = nextTime(schedule, zone, next)
  )
    at = next;
  return { at, missed: count > 100 ? 'many' : 'few' };
}
