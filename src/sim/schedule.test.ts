import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Randomness } from './random.ts';
import { Scheduler, type TiePolicy, type Work } from './schedule.ts';

const nothing = (): void => undefined;
const work = (source: number, a: unknown): Work => ({ source, costUs: 10, sinceUs: 0, fn: nothing, a, b: undefined });
const scheduler = (policy: TiePolicy, seed = 's'): Scheduler => new Scheduler(policy, new Randomness(seed, { now: 0 }).stream('schedule'));

/** Takes everything out of a queue in the order of the policy. */
function orderOf(policy: TiePolicy, queue: Work[], seed: string): Work[] {
  const s = scheduler(policy, seed);
  const left = [...queue];
  const out: Work[] = [];
  while (left.length > 0) out.push(...left.splice(s.next(left, 0), 1));
  return out;
}

describe('Scheduler', () => {
  it('fifo: in order of arrival, at exact cost, without a draw', () => {
    const s = scheduler({ kind: 'fifo' });
    expect(s.cost(25)).toBe(25);
    expect(s.next([work(2, 0), work(1, 1)], 0)).toBe(0);
    expect(s.preempt()).toBe(false);
  });

  it('jitter: in order of arrival, at up to the jitter more', () => {
    const s = scheduler({ kind: 'jitter', jitterUs: 5 });
    const costs = new Set(Array.from({ length: 200 }, () => s.cost(10)));
    expect([...costs].sort((a, b) => a - b)).toEqual([10, 11, 12, 13, 14, 15]);
    expect(s.next([work(2, 0), work(1, 1)], 0)).toBe(0);
    expect(new Set(Array.from({ length: 50 }, () => s.preempt())).size).toBe(2);
  });

  it('pct: lets nobody wait for ever', () => {
    const first = new Set<number>();
    for (let seed = 0; seed < 20; seed++) {
      const s = scheduler({ kind: 'pct', jitterUs: 0, changeOneIn: 3 }, String(seed));
      first.add(s.next([work(2, 0), work(1, 1)], 1000));
      expect(s.next([work(2, 0), work(1, 1)], 600_000)).toBe(0);
    }
    expect(first.size).toBe(2);
  });

  it('pct: reorders sources, differently from seed to seed, but never the work of one source', () => {
    const orders = new Set<string>();
    fc.assert(
      fc.property(fc.array(fc.nat(3), { minLength: 1, maxLength: 40 }), fc.string(), (sources, seed) => {
        const queue = sources.map((source, i) => work(source, i));
        const order = orderOf({ kind: 'pct', jitterUs: 0, changeOneIn: 3 }, queue, seed);
        expect(order.length).toBe(queue.length);
        for (const source of new Set(sources)) {
          const own = order.filter((w) => w.source === source).map((w) => w.a as number);
          expect(own).toEqual([...own].sort((a, b) => a - b));
        }
        orders.add(order.map((w) => w.source).join());
      }),
      { seed: 5, numRuns: 200 },
    );
    const fixed = [work(1, 0), work(2, 1), work(3, 2)];
    const seen = new Set(
      Array.from({ length: 40 }, (_, i) =>
        orderOf({ kind: 'pct', jitterUs: 0, changeOneIn: 3 }, fixed, `${i}`)
          .map((w) => w.source)
          .join(),
      ),
    );
    expect(seen.size).toBe(6);
  });
});
