import { ratePerCpuSecond } from '../clock.ts';
import type { Topic } from '../figure.ts';
import { MILLISECOND, SECOND } from '../../src/sim/time.ts';
import { World } from '../../src/sim/world.ts';

/** Three hosts, each of which sends a heartbeat to both others every 100 ms. */
function world(): World {
  const built = new World({ seed: 'heartbeats' });
  const names = ['a', 'b', 'c'];
  for (const name of names) built.addHost({ name, zone: name });
  for (const name of names) {
    const others = names.filter((other) => other !== name).map((other) => built.network.endpoint(other, 'beat'));
    built.host(name).install({
      name: 'beat',
      start: (process) => {
        let received = 0;
        built.network.listen(process, name, 'beat', { onDatagram: () => received++ });
        const beat = (): void => {
          for (const other of others) built.network.send(process, other, received, 64);
          process.after(100 * MILLISECOND, beat);
        };
        beat();
      },
    });
  }
  return built;
}

export const heartbeats: Topic = {
  name: 'heartbeats',
  *run() {
    const built = world();
    const step = (): number => {
      built.run(built.now + 1000 * SECOND);
      return 1000;
    };
    yield { name: 'heartbeats', value: ratePerCpuSecond(step), unit: 'virtual s/CPU-s' };
  },
};
