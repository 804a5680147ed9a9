import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Randomness } from './random.ts';
import { SECOND } from './time.ts';

describe('RandomStream', () => {
  it('forgets at each new virtual second how many draws the last one saw', () => {
    const draws = (extra: number): { same: number[]; later: number[] } => {
      const clock = { now: 0 };
      const stream = new Randomness('seed', clock).stream('link/a>b');
      for (let i = 0; i < 3 + extra; i++) stream.u32();
      const same = [stream.u32(), stream.u32()];
      clock.now = SECOND;
      return { same, later: [stream.u32(), stream.u32(), stream.u32()] };
    };
    expect(draws(1).same).not.toEqual(draws(0).same);
    expect(draws(1).later).toEqual(draws(0).later);
    expect(draws(17).later).toEqual(draws(0).later);
  });

  it('gives each name its own stream, and the same stream for the same name', () => {
    const make = () => new Randomness('seed', { now: 0 });
    const alone = make().stream('disk/a');
    const shared = make();
    const other = shared.stream('disk/b');
    const beside = shared.stream('disk/a');
    const first: number[] = [];
    const second: number[] = [];
    for (let i = 0; i < 20; i++) {
      first.push(alone.u32());
      other.u32();
      second.push(beside.u32());
    }
    expect(second).toEqual(first);
    expect(shared.stream('disk/a')).toBe(beside);
    expect(make().stream('disk/b').u32()).not.toBe(first[0]);
    expect(new Randomness('seed 2', { now: 0 }).stream('disk/a').u32()).not.toBe(first[0]);
  });

  it('stays what it was: stored trials depend on it', () => {
    const clock = { now: 0 };
    const stream = new Randomness('0x1', clock).stream('pinned');
    const first = stream.u32();
    clock.now = 7 * SECOND;
    expect([first, stream.u32(), stream.below(1000)]).toEqual([1396757823, 2866944622, 578]);
  });

  it('stays in range, reaches both ends, and answers certainties', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 2 ** 32 }), (seed, n) => {
        const stream = new Randomness(seed, { now: 0 }).stream('x');
        const drawn = stream.below(n);
        expect(Number.isInteger(drawn) && drawn >= 0 && drawn < n).toBe(true);
        expect(stream.chance(0, n)).toBe(false);
        expect(stream.chance(n, n)).toBe(true);
        expect(stream.between(7, 7)).toBe(7);
        expect(stream.between(9, 3)).toBe(9);
      }),
      { seed: 2, numRuns: 200 },
    );
    const clock = { now: 0 };
    const stream = new Randomness('ends', clock).stream('x');
    const seen = new Set<number>();
    for (let i = 0; i < 200; i++) seen.add(stream.between(3, 5));
    expect([...seen].sort()).toEqual([3, 4, 5]);
    expect(() => stream.below(0)).toThrow(/must be 1/);
    expect(() => stream.pick([])).toThrow(/nothing to pick/);
  });

  it('is uniform enough: no bucket of sixteen is off by more than five standard deviations', () => {
    const clock = { now: 0 };
    const stream = new Randomness('uniform', clock).stream('x');
    const buckets = new Array<number>(16).fill(0);
    const total = 64_000;
    for (let i = 0; i < total; i++) {
      if (i % 40 === 0) clock.now += SECOND;
      const bucket = stream.below(16);
      buckets[bucket] = (buckets[bucket] as number) + 1;
    }
    const mean = total / 16;
    for (const n of buckets) expect(Math.abs(n - mean)).toBeLessThan(5 * Math.sqrt(mean));
  });

  it('shuffles without losing anything and leaves its argument alone', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.nat(20)), (seed, items) => {
        const before = [...items];
        const shuffled = new Randomness(seed, { now: 0 }).stream('x').shuffle(items);
        expect(items).toEqual(before);
        expect([...shuffled].sort((a, b) => a - b)).toEqual([...items].sort((a, b) => a - b));
      }),
      { seed: 3, numRuns: 100 },
    );
  });
});
