import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SECOND } from '../../sim/time.ts';
import type { Pod } from '../api/types.ts';
import { DEFAULT_SCHEDULER_CONFIG } from './config.ts';
import { PodHeap } from './pod-heap.ts';
import { SchedulingQueue } from './queue.ts';

function pod(name: string, priority = 0, gates: readonly { readonly name: string }[] = []): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'd', uid: name },
    spec: { containers: [], priority, schedulingGates: gates },
  };
}

function queueAt(): { readonly queue: SchedulingQueue; readonly clock: { now: number } } {
  const clock = { now: 0 };
  return { queue: new SchedulingQueue(DEFAULT_SCHEDULER_CONFIG, () => clock.now), clock };
}

const fit = new Set(['NodeResourcesFit']);

describe('scheduling queue', () => {
  it('pops by priority, then by age', () => {
    const { queue, clock } = queueAt();
    queue.add(pod('low'));
    clock.now = 1;
    queue.add(pod('later-high', 10));
    queue.add(pod('later-low'));
    expect([queue.pop()?.uid, queue.pop()?.uid, queue.pop()?.uid, queue.pop()]).toEqual(['later-high', 'low', 'later-low', undefined]);
  });

  it('keeps gated pods back until their gates are gone', () => {
    const { queue } = queueAt();
    queue.add(pod('p', 0, [{ name: 'wait' }]));
    expect(queue.pop()).toBeUndefined();
    queue.update(pod('p'), true);
    expect(queue.pop()?.uid).toBe('p');
  });

  it('lets a refused pod wait for an event, and then takes it out of its back-off when nothing else is active', () => {
    const { queue } = queueAt();
    queue.add(pod('p'));
    const refused = queue.pop();
    if (refused === undefined) throw new Error('nothing popped');
    queue.refuse(refused, fit);
    expect(queue.pop()).toBeUndefined();
    queue.requeue(refused);
    expect(refused.where).toBe('backoff');
    queue.add(pod('fresh'));
    expect([queue.pop()?.uid, queue.pop()?.uid]).toEqual(['fresh', 'p']);
  });

  it('makes a failed pod wait out its back-off to the next look', () => {
    const { queue, clock } = queueAt();
    queue.add(pod('p'));
    clock.now = 300_000;
    const failed = queue.pop();
    if (failed === undefined) throw new Error('nothing popped');
    queue.fail(failed);
    clock.now = 1.9 * SECOND;
    expect(queue.pop()).toBeUndefined();
    expect(queue.nextReadyAt()).toBe(2 * SECOND);
    clock.now = 2 * SECOND;
    expect(queue.pop()?.uid).toBe('p');
  });

  it('tries refused pods again after five minutes without any event', () => {
    const { queue, clock } = queueAt();
    queue.add(pod('p'));
    const refused = queue.pop();
    if (refused === undefined) throw new Error('nothing popped');
    queue.refuse(refused, fit);
    clock.now = 301 * SECOND;
    queue.flushLeftover();
    expect(queue.pop()?.uid).toBe('p');
  });
});

describe('pod heap', () => {
  it('agrees with a sorted list, whatever is pushed and removed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('push', 'pop', 'remove'), fc.nat(30))), (steps) => {
        const heap = new PodHeap<{ readonly value: number }>((a, b) => a.value - b.value);
        const items = Array.from({ length: 31 }, (_, value) => ({ value }));
        const model = new Set<number>();
        for (const [what, value] of steps) {
          if (what === 'push') {
            heap.push(items[value] as { readonly value: number });
            model.add(value);
          } else if (what === 'remove') {
            heap.remove(items[value] as { readonly value: number });
            model.delete(value);
          } else {
            const least = model.size === 0 ? undefined : Math.min(...model);
            expect(heap.pop()?.value).toBe(least);
            if (least !== undefined) model.delete(least);
          }
          expect(heap.size).toBe(model.size);
        }
      }),
    );
  });
});
