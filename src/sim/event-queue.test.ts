import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventQueue } from './event-queue.ts';

const nothing = (): void => undefined;

function drain(queue: EventQueue): string[] {
  const out: string[] = [];
  while (queue.pop()) out.push(`${queue.at}/${queue.host}/${queue.a}`);
  return out;
}

describe('EventQueue', () => {
  it('orders by time, then host, then the order of scheduling', () => {
    const queue = new EventQueue();
    queue.schedule(20, 1, 0, nothing, 'late', undefined);
    queue.schedule(10, 2, 0, nothing, 'first of 2', undefined);
    queue.schedule(10, 1, 0, nothing, 'first of 1', undefined);
    queue.schedule(10, 2, 0, nothing, 'second of 2', undefined);
    queue.schedule(10, 1, 0, nothing, 'second of 1', undefined);
    expect(drain(queue)).toEqual(['10/1/first of 1', '10/1/second of 1', '10/2/first of 2', '10/2/second of 2', '20/1/late']);
  });

  it("keeps other hosts' ties in place when one host has an event more", () => {
    const order = (extra: boolean): string[] => {
      const queue = new EventQueue();
      queue.schedule(10, 2, 0, nothing, 'x', undefined);
      if (extra) queue.schedule(10, 1, 0, nothing, 'extra', undefined);
      queue.schedule(10, 3, 0, nothing, 'y', undefined);
      queue.schedule(10, 2, 0, nothing, 'z', undefined);
      return drain(queue).filter((line) => !line.endsWith('extra'));
    };
    expect(order(true)).toEqual(order(false));
  });

  it('gives back the kind, the function and both arguments, and forgets them afterwards', () => {
    const queue = new EventQueue();
    queue.schedule(5, 7, 3, nothing, 'a', 'b');
    expect(queue.peekAt()).toBe(5);
    expect(queue.pop()).toBe(true);
    expect([queue.at, queue.host, queue.kind, queue.fn, queue.a, queue.b]).toEqual([5, 7, 3, nothing, 'a', 'b']);
    expect(queue.pop()).toBe(false);
    expect(queue.peekAt()).toBe(Number.POSITIVE_INFINITY);
  });

  it('cancels once, not what has run, and not the event that reuses the slot', () => {
    const queue = new EventQueue();
    const first = queue.schedule(1, 1, 0, nothing, 'first', undefined);
    expect(queue.cancel(first)).toBe(true);
    expect(queue.cancel(first)).toBe(false);
    expect(queue.cancel(0)).toBe(false);
    expect(queue.live).toBe(0);
    expect(queue.pop()).toBe(false);
    const second = queue.schedule(2, 1, 0, nothing, 'second', undefined);
    expect(second).not.toBe(first);
    expect(queue.cancel(first)).toBe(false);
    expect(drain(queue)).toEqual(['2/1/second']);
    expect(queue.cancel(second)).toBe(false);
  });

  it('grows beyond its first arrays', () => {
    const queue = new EventQueue();
    for (let i = 5000; i > 0; i--) queue.schedule(i, i % 3, 0, nothing, i, undefined);
    expect(queue.live).toBe(5000);
    for (let i = 1; i <= 5000; i++) {
      expect(queue.pop()).toBe(true);
      expect(queue.at).toBe(i);
    }
  });

  it('agrees with a sorted list under any mix of scheduling, cancelling and popping', () => {
    // Times within one bucket, and times in many.
    const time = fc.oneof(
      fc.nat(40),
      fc.nat(40).map((n) => n * 100_000),
    );
    const command = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('schedule' as const), at: time, host: fc.nat(4) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), nth: fc.nat(60) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('pop' as const) }) },
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
        const queue = new EventQueue();
        let twin: { at: number; host: number; n: number }[] = [];
        const ids: number[] = [];
        commands.forEach((c, n) => {
          if (c.do === 'schedule') {
            ids[n] = queue.schedule(c.at, c.host, 0, nothing, n, undefined);
            twin.push({ at: c.at, host: c.host, n });
            // Sorting is stable, so equal keys stay in the order of scheduling.
            twin.sort((x, y) => x.at - y.at || x.host - y.host || x.n - y.n);
          } else if (c.do === 'cancel') {
            expect(queue.cancel(ids[c.nth] ?? 0)).toBe(twin.some((e) => e.n === c.nth));
            twin = twin.filter((e) => e.n !== c.nth);
          } else {
            const next = twin.shift();
            expect(queue.pop()).toBe(next !== undefined);
            if (next !== undefined) expect([queue.at, queue.host, queue.a]).toEqual([next.at, next.host, next.n]);
          }
          expect(queue.live).toBe(twin.length);
          expect(queue.peekAt()).toBe(twin[0]?.at ?? Number.POSITIVE_INFINITY);
        });
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});
