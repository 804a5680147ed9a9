import { describe, expect, it } from 'vitest';
import type { Process } from './process.ts';
import { formatSeconds, SECOND } from './time.ts';
import { runProgram, testWorld } from './world.fixture.ts';

describe('World.run', () => {
  it('runs all events up to and including the end, and says how it ended', () => {
    const w = testWorld();
    const ran: number[] = [];
    for (const at of [1, 2, 3]) w.world.at(at * SECOND, () => ran.push(at));
    expect(w.world.run(2 * SECOND)).toEqual({ kind: 'horizon' });
    expect([ran, w.world.now]).toEqual([[1, 2], 2 * SECOND]);
    expect(w.world.run(10 * SECOND)).toEqual({ kind: 'idle' });
    expect(w.world.now).toBe(10 * SECOND);
    expect(() => w.world.at(9 * SECOND, () => undefined)).toThrow(/before now/);
  });

  it('stops after the current event when asked, and goes on when run again', () => {
    const w = testWorld();
    const ran: number[] = [];
    w.world.at(SECOND, () => w.world.stop('enough'));
    w.world.at(SECOND, () => ran.push(1));
    expect(w.world.run(2 * SECOND)).toEqual({ kind: 'stopped', reason: 'enough' });
    expect(ran).toEqual([]);
    w.world.run(2 * SECOND);
    expect(ran).toEqual([1]);
  });

  it('ends a run in which time stands still and names the culprit', () => {
    const w = testWorld({ eventsPerInstantMax: 1000, calibration: { resumeUs: 0 } });
    const again = (process: Process): void => void process.after(0, () => again(process));
    const spinner = runProgram(w.b, (process) => void process.after(SECOND, () => again(process)));
    expect(w.world.run(5 * SECOND)).toEqual({ kind: 'livelock', atUs: SECOND, culprit: spinner.label });

    const plan = testWorld({ eventsPerInstantMax: 1000 });
    const forever = (): void => void plan.world.at(plan.world.now, forever);
    plan.world.at(SECOND, forever);
    expect(plan.world.run(5 * SECOND)).toEqual({ kind: 'livelock', atUs: SECOND, culprit: 'the plan' });
  });

  it('many events at one instant are no livelock', () => {
    const w = testWorld({ eventsPerInstantMax: 1000 });
    for (let i = 0; i < 900; i++) w.world.at(SECOND, () => undefined);
    for (let i = 0; i < 900; i++) w.world.at(SECOND + 1, () => undefined);
    expect(w.world.run(5 * SECOND).kind).toBe('idle');
  });

  it('prints times as reports do', () => {
    expect([formatSeconds(12_480_999), formatSeconds(0), formatSeconds(-1_500_000)]).toEqual(['12.480 s', '0.000 s', '-1.500 s']);
  });
});
