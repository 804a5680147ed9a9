import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatMicroTime, formatTime, parseTime } from './time.ts';

/** 0001-01-01 to 9999-12-31, in seconds. */
const seconds = fc.integer({ min: -62_135_596_800, max: 253_402_300_799 });

describe('times', () => {
  it('are those of the calendar', () => {
    fc.assert(
      fc.property(seconds, (s) => {
        expect(formatTime(s * 1_000_000)).toBe(new Date(s * 1000).toISOString().replace('.000Z', 'Z'));
      }),
      { numRuns: 2000 },
    );
  });

  it('can be read again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000_000 }), (us) => {
        expect(parseTime(formatMicroTime(us))).toBe(us);
        expect(parseTime(formatTime(us))).toBe(us - (us % 1_000_000));
      }),
    );
  });

  it('with an offset are turned to UTC', () => {
    expect(parseTime('2026-01-01T02:00:00+02:00')).toBe(parseTime('2026-01-01T00:00:00Z'));
  });

  it.each(['', '2026-01-01', '2026-13-01T00:00:00Z', '2026-02-30T00:00:00Z', '2026-01-01 00:00:00Z', 'now'])('%j is none', (text) => {
    expect(parseTime(text)).toBeUndefined();
  });
});
