import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { minimize, shrinkTrial } from './shrink.ts';
import { planned, storeTrial } from './trial-inputs.fixture.ts';
import type { TrialInput } from './trial-input.ts';

/** All smallest sets of `n` items that fail, by trying every subset. */
function smallestFailing(n: number, fails: (set: readonly number[]) => boolean): number {
  let best = n;
  for (let mask = 0; mask < 2 ** n; mask++) {
    const set = Array.from({ length: n }, (_, i) => i).filter((i) => (mask & (1 << i)) !== 0);
    if (set.length < best && fails(set)) best = set.length;
  }
  return best;
}

const items = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe('minimize', () => {
  it('finds a set of which nothing can be left out, whatever fails', () => {
    fc.assert(
      // Any failing sets at all, not only growing ones: a set fails when its hash says so.
      fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(), fc.integer({ min: 2, max: 5 }), (n, salt, oneIn) => {
        const all = items(n);
        const fails = (set: readonly number[]): boolean =>
          set.length === n || (set.reduce((h, i) => Math.imul(h ^ (i + 1), 0x9e3779b1), salt) >>> 8) % oneIn === 0;
        const kept = minimize(all, fails);
        expect(fails(kept)).toBe(true);
        expect(kept).toEqual(all.filter((i) => kept.includes(i)));
        for (const gone of kept) expect(fails(kept.filter((i) => i !== gone))).toBe(false);
      }),
      { seed: 14, numRuns: 500 },
    );
  });

  it('finds the smallest set there is when failing sets only grow, in few tries', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), fc.array(fc.nat(9), { maxLength: 4 }), (n, wanted) => {
        const needed = [...new Set(wanted.filter((i) => i < n))];
        const fails = (set: readonly number[]): boolean => needed.every((i) => set.includes(i));
        expect(minimize(items(n), fails).length).toBe(smallestFailing(n, fails));
      }),
      { seed: 15, numRuns: 200 },
    );
    let tries = 0;
    const kept = minimize(items(20), (set) => {
      tries++;
      return set.includes(3) && set.includes(17);
    });
    expect(kept).toEqual([3, 17]);
    expect(tries).toBeLessThan(60);
  });

  it('asks nothing about nothing, and takes nothing where nothing is needed', () => {
    expect(
      minimize([], () => {
        throw new Error('asked');
      }),
    ).toEqual([]);
    expect(minimize(items(5), () => true)).toEqual([]);
  });
});

describe('shrinkTrial', () => {
  const noise = items(12).map((i) => planned(`F${i}`, { kind: 'crash-host', host: `cp-${i % 3}` }, 6000 + i * 500));
  const culprit = planned('F99', { kind: 'link-latency', hosts: ['cp-0', 'cp-1'], latencyMs: 1500 }, 9000);
  const start: TrialInput = storeTrial({
    faults: [...noise.slice(0, 6), culprit, ...noise.slice(6)],
    operations: [planned('O1', { kind: 'move-leader', member: 'etcd-1' })],
    core: { outside: ['cp-2'] },
    workload: { traffic: [], store: { clients: 8, keys: 2, perSecond: 10, watches: 1 } },
  });
  const latency = (input: TrialInput): number =>
    Math.max(
      0,
      ...input.faults.map((f) => (f.params.kind === 'link-latency' ? (f.params as unknown as { latencyMs: number }).latencyMs : 0)),
    );

  it('keeps only what the failure needs, and every step that it kept does fail', () => {
    const seen: TrialInput[] = [];
    const result = shrinkTrial(start, (input) => {
      const fails = latency(input) >= 700;
      if (fails) seen.push(input);
      return fails;
    });
    expect(result.input).toBe(seen.at(-1));
    expect(result.input.faults.map((f) => [f.id, f.params.kind])).toEqual([['F99', 'link-latency']]);
    expect(latency(result.input)).toBeGreaterThanOrEqual(700);
    expect(latency(result.input)).toBeLessThan(1500);
    expect(result.input).toMatchObject({
      operations: [],
      swarm: { tiePolicy: { kind: 'fifo' } },
      core: { outside: [] },
      workload: { store: { clients: 1 } },
    });
    expect(result.input.timing.healAtMs).toBeLessThan(start.timing.healAtMs);
    expect(result.steps.length).toBe(seen.length);
    expect(start.faults.length).toBe(13);
  });

  it('runs at most so many attempts, and answers with the best so far', () => {
    for (const attemptsMax of [0, 1, 7, 20]) {
      let runs = 0;
      const result = shrinkTrial(
        start,
        (input) => {
          runs++;
          return latency(input) >= 700;
        },
        attemptsMax,
      );
      expect(runs).toBeLessThanOrEqual(attemptsMax);
      expect(result.attempts).toBe(runs);
      expect(latency(result.input)).toBeGreaterThanOrEqual(700);
    }
  });

  it('stops when told to, with the smallest trial so far', () => {
    let runs = 0;
    const result = shrinkTrial(
      start,
      (input) => ++runs > 0 && latency(input) >= 700,
      300,
      () => runs >= 5,
    );
    expect(runs).toBe(5);
    expect(result.input.faults.length).toBeLessThan(start.faults.length);
    expect(latency(result.input)).toBe(1500);
  });

  it('gives back the trial as it was when nothing smaller fails', () => {
    expect(shrinkTrial(start, () => false)).toMatchObject({ input: start, steps: [] });
  });
});
