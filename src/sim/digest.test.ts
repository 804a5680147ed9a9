import { describe, expect, it } from 'vitest';
import { Digest } from './digest.ts';
import { SECOND } from './time.ts';

describe('Digest', () => {
  const of = (...events: [at: number, host: number, kind: number, scalar: number][]): string => {
    const digest = new Digest();
    for (const event of events) digest.event(...event);
    return digest.value();
  };

  it('is 16 hexadecimal digits that depend on every field, on order and on number', () => {
    const base = of([1, 1, 1, 0], [2, 2, 1, 0]);
    expect(base).toMatch(/^[0-9a-f]{16}$/);
    const others = [
      of([1, 1, 1, 0]),
      of([1, 1, 1, 0], [3, 2, 1, 0]),
      of([1, 1, 1, 0], [2, 3, 1, 0]),
      of([1, 1, 1, 0], [2, 2, 2, 0]),
      of([1, 1, 1, 0], [2, 2, 1, 9]),
      of([1, 2, 1, 0], [2, 1, 1, 0]),
      of([1, 1, 1, 0], [2 + 2 ** 32, 2, 1, 0]),
    ];
    expect(new Set([base, ...others]).size).toBe(others.length + 1);
    expect(of([1, 1, 1, 0], [2, 2, 1, 0])).toBe(base);
  });

  it('stays what it was: stored trials depend on it', () => {
    expect(of([1, 1, 1, 0], [1_500_000, 2, 3, 77], [2 ** 33, 3, 7, -1])).toBe('c98742314eee8d1d');
  });

  it('folds scalars that are no events', () => {
    const digest = new Digest();
    digest.event(1, 1, 1, 0);
    const before = digest.value();
    digest.fold(5);
    expect(digest.value()).not.toBe(before);
    expect(digest.events).toBe(1);
  });

  it('keeps a checkpoint of the state before the first event of a new second', () => {
    const digest = new Digest();
    digest.event(10, 1, 1, 0);
    const before = digest.value();
    digest.event(3 * SECOND + 1, 1, 1, 0);
    expect(digest.checkpoints()).toEqual([{ atUs: SECOND, events: 1, digest: before }]);
    digest.event(3 * SECOND + 2, 1, 1, 0);
    digest.event(4 * SECOND, 1, 1, 0);
    expect(digest.checkpoints().map((c) => [c.atUs, c.events])).toEqual([
      [SECOND, 1],
      [4 * SECOND, 3],
    ]);
  });

  it('doubles the stride of checkpoints when a run is long, keeping those that a longer run has too', () => {
    const seconds = 5000;
    const run = (upTo: number): Digest => {
      const digest = new Digest();
      for (let s = 0; s <= upTo; s++) digest.event(s * SECOND, 1, 1, s);
      return digest;
    };
    const long = run(seconds).checkpoints();
    expect(long.length).toBeLessThan(2048);
    expect(long.length).toBeGreaterThan(1000);
    expect(new Set(long.map((c) => c.atUs % (4 * SECOND)))).toEqual(new Set([0]));
    const short = new Map(
      run(1000)
        .checkpoints()
        .map((c) => [c.atUs, c.digest]),
    );
    const shared = long.filter((c) => short.has(c.atUs));
    expect(shared.length).toBeGreaterThan(200);
    for (const c of shared) expect(short.get(c.atUs)).toBe(c.digest);
  });
});
