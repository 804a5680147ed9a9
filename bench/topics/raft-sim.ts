import { ratePerCpuSecond } from '../clock.ts';
import { SimRaft } from '../sim-raft.ts';
import type { Topic } from '../figure.ts';
import { SECOND } from '../../src/sim/time.ts';

/** Raft as the simulation runs it: with network, latency, disk, digest, and the properties of raft and of the store judging every step. */
export const raftSim: Topic = {
  name: 'raft-sim',
  *run() {
    for (const size of [3, 5]) {
      for (const inFlight of [1, 64]) {
        const raft = new SimRaft(size, inFlight);
        raft.elect();
        yield { name: `raft-sim-n${size}-w${inFlight}`, value: ratePerCpuSecond(() => raft.commit(2000)), unit: 'proposals/CPU-s' };
      }
    }
    const idle = new SimRaft(3, 0);
    idle.elect();
    const step = (): number => {
      idle.world.run(idle.world.now + 500 * SECOND);
      return 500;
    };
    yield { name: 'raft-sim-idle-n3', value: ratePerCpuSecond(step), unit: 'virtual s/CPU-s' };
  },
};
