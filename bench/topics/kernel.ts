import { ratePerCpuSecond } from '../clock.ts';
import type { Topic } from '../figure.ts';
import { World } from '../../src/sim/world.ts';

const EVENTS = 100_000;

/** Events of the bare kernel: timers that set themselves again, with `pending` of them at any time. */
function events(pending: number): number {
  const world = new World({ seed: 'kernel' });
  const stream = world.randomness.stream('timers');
  const again = (): void => {
    world.queue.schedule(world.now + 1 + (stream.u32() % 10_000), 1, 1, again, undefined, undefined);
  };
  world.addHost({ name: 'host-0', zone: 'a' });
  for (let i = 0; i < pending; i++) again();
  return ratePerCpuSecond(() => {
    const before = world.digest.events;
    world.run(world.now + Math.max(1, Math.round((EVENTS / pending) * 5000)));
    return world.digest.events - before;
  });
}

export const kernel: Topic = {
  name: 'kernel',
  *run() {
    yield { name: 'kernel-events-1k-pending', value: events(1000), unit: 'events/CPU-s' };
    yield { name: 'kernel-events-100k-pending', value: events(100_000), unit: 'events/CPU-s' };
  },
};
