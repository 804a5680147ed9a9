import { ratePerCpuSecond } from '../clock.ts';
import type { Topic } from '../figure.ts';
import { Judge } from '../../src/harness/judge.ts';
import { buildCluster } from '../../src/model/cluster.ts';
import { EtcdClient } from '../../src/model/etcd/client.ts';
import { createFacts } from '../../src/model/facts.ts';
import { clusterPreset } from '../../src/model/presets.ts';
import { SECOND } from '../../src/sim/time.ts';
import { World } from '../../src/sim/world.ts';

/** Puts of 128 bytes through clients, the whole store below them, `clients` at a time. */
function puts(clients: number): number {
  const world = new World({ seed: 'puts' });
  const facts = createFacts();
  const members = ['etcd-0', 'etcd-1', 'etcd-2'];
  const judge = new Judge(facts, world, members, false);
  const { etcdEndpoints } = buildCluster(world, clusterPreset('store'), { facts });
  world.run(10 * SECOND);
  let done = 0;
  world.host('client-0').install({
    name: 'writer',
    start: (process) => {
      for (let i = 0; i < clients; i++) {
        const client = new EtcdClient(process, { endpoints: etcdEndpoints, first: i % members.length });
        const value = 'x'.repeat(128);
        process.spawn('puts', forever());
        function* forever(): ReturnType<typeof process.sleep> {
          for (;;) {
            yield* client.put({ key: `key-${i}`, value });
            done++;
          }
        }
      }
    },
  });
  const rate = ratePerCpuSecond(() => {
    const before = done;
    world.run(world.now + SECOND);
    return done - before;
  });
  if (judge.violations.length > 0) throw new Error(`${judge.violations[0]?.property} is violated`);
  return rate;
}

export const etcdPuts: Topic = {
  name: 'etcd-puts',
  *run() {
    yield { name: 'etcd-puts-w1', value: puts(1), unit: 'puts/CPU-s' };
    yield { name: 'etcd-puts-w64', value: puts(64), unit: 'puts/CPU-s' };
  },
};
