import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HostClock } from './clock.ts';
import { SECOND, TRIAL_EPOCH_WALL_US } from './time.ts';

describe('HostClock', () => {
  it('is exact while nothing disturbs it', () => {
    const truth = { now: 0 };
    const clock = new HostClock(truth);
    truth.now = 12_345_678;
    expect(clock.mono()).toBe(12_345_678);
    expect(clock.wall()).toBe(TRIAL_EPOCH_WALL_US + 12_345_678);
    expect(clock.trueDelay(1000)).toBe(1000);
  });

  it('drifts from the moment of the drift on, keeps what it gained, and drifts add up', () => {
    const truth = { now: 10 * SECOND };
    const clock = new HostClock(truth);
    clock.addDrift(100_000);
    clock.addDrift(-300_000);
    truth.now = 20 * SECOND;
    expect(clock.mono()).toBe(18 * SECOND);
    clock.addDrift(300_000);
    clock.addDrift(-100_000);
    truth.now = 30 * SECOND;
    expect(clock.mono()).toBe(28 * SECOND);
    expect(clock.error()).toEqual({ wallErrorUs: -2 * SECOND, driftPpm: 0 });
  });

  it('neither stands still nor runs backwards, however far it is pulled, and recovers when all pulls end', () => {
    const truth = { now: 0 };
    const clock = new HostClock(truth);
    for (let i = 0; i < 4; i++) clock.addDrift(-300_000);
    expect(clock.error().driftPpm).toBe(-800_000);
    truth.now = 10 * SECOND;
    expect(clock.mono()).toBe(2 * SECOND);
    for (let i = 0; i < 4; i++) clock.addDrift(300_000);
    expect(clock.error().driftPpm).toBe(0);
  });

  it('jumps the wall clock only', () => {
    const truth = { now: SECOND };
    const clock = new HostClock(truth);
    clock.jumpWall(-5 * SECOND);
    expect(clock.mono()).toBe(SECOND);
    expect(clock.wall()).toBe(TRIAL_EPOCH_WALL_US - 4 * SECOND);
    clock.jumpWall(5 * SECOND);
    expect(clock.error().wallErrorUs).toBe(0);
  });

  it('a timer armed for a delay finds at least that delay gone, within a microsecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: -300_000, max: 300_000 }), fc.nat(60 * SECOND), fc.nat(60 * SECOND), (ppm, start, delay) => {
        const truth = { now: 1 };
        const clock = new HostClock(truth);
        clock.addDrift(ppm);
        truth.now += start;
        const armed = clock.mono();
        truth.now += clock.trueDelay(delay);
        const gone = clock.mono() - armed;
        expect(gone).toBeGreaterThanOrEqual(delay - 1);
        expect(gone).toBeLessThanOrEqual(delay + 2);
      }),
      { seed: 4, numRuns: 500 },
    );
  });
});
