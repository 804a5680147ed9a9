import { describe, expect, it } from 'vitest';
import { type CronSchedule, parseCron } from '../api/cron.ts';
import { formatTime, parseTime } from '../api/time.ts';
import { mostRecentTime, nextTime } from './cronjob-schedule.ts';
import { zoneOffsetUs } from './time-zone-offset.ts';

const at = (text: string): number => parseTime(text) ?? Number.NaN;
const next = (schedule: string, after: string, zone?: string): string => {
  const found = nextTime(parseCron(schedule) as CronSchedule, zone, at(after));
  return found === undefined ? 'never' : formatTime(found);
};

describe('cron schedules', () => {
  it('finds the next time strictly after', () => {
    expect(next('*/15 * * * *', '2026-01-01T00:15:00Z')).toBe('2026-01-01T00:30:00Z');
    expect(next('0 0 29 2 *', '2026-01-01T00:00:00Z')).toBe('2028-02-29T00:00:00Z');
    expect(next('0 9 * * 1', '2026-01-01T00:00:00Z')).toBe('2026-01-05T09:00:00Z');
    expect(next('0 0 30 2 *', '2026-01-01T00:00:00Z')).toBe('never');
  });

  it('or-s days of month and week unless one is a star', () => {
    expect(next('0 0 13 * 5', '2026-01-01T00:00:00Z')).toBe('2026-01-02T00:00:00Z');
  });

  it('follows the zone, summer time included', () => {
    expect(next('0 9 * * *', '2026-01-10T00:00:00Z', 'Europe/Paris')).toBe('2026-01-10T08:00:00Z');
    expect(next('0 9 * * *', '2026-07-10T00:00:00Z', 'Europe/Paris')).toBe('2026-07-10T07:00:00Z');
    // 02:30 does not exist on the day of the change.
    expect(next('30 2 * * *', '2026-03-28T12:00:00Z', 'Europe/Paris')).toBe('2026-03-30T00:30:00Z');
  });

  it('finds the last missed time and says when they are too many', () => {
    const every = parseCron('* * * * *') as CronSchedule;
    const few = mostRecentTime(every, undefined, at('2026-01-01T00:00:30Z'), at('2026-01-01T00:05:10Z'));
    expect([formatTime(few.at ?? 0), few.missed]).toEqual(['2026-01-01T00:05:00Z', 'few']);
    expect(mostRecentTime(every, undefined, at('2026-01-01T00:00:30Z'), at('2026-01-01T03:00:00Z')).missed).toBe('many');
    expect(mostRecentTime(every, undefined, at('2026-01-01T00:00:30Z'), at('2026-01-01T00:00:40Z')).at).toBeUndefined();
  });
});

describe('time zones', () => {
  it('changes at the right moments', () => {
    const hours = (zone: string, text: string): number => (zoneOffsetUs(zone, at(text)) ?? Number.NaN) / 3_600_000_000;
    expect(hours('Europe/Berlin', '2026-03-29T00:59:59Z')).toBe(1);
    expect(hours('Europe/Berlin', '2026-03-29T01:00:00Z')).toBe(2);
    expect(hours('America/New_York', '2026-03-08T06:59:59Z')).toBe(-5);
    expect(hours('America/New_York', '2026-03-08T07:00:00Z')).toBe(-4);
    expect(hours('America/New_York', '2026-11-01T06:00:00Z')).toBe(-5);
    expect(zoneOffsetUs('Mars/Olympus', 0)).toBeUndefined();
  });
});
