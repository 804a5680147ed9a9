import { BareRaft } from '../bare-raft.ts';
import { ratePerCpuSecond } from '../clock.ts';
import type { Topic } from '../figure.ts';

const ENTRY_BYTES = 128;
const TICK_SECONDS = 0.1;

function proposals(size: number, inFlight: number): number {
  const payload = new Uint8Array(ENTRY_BYTES).fill(120);
  const cluster = new BareRaft(size);
  let proposed = 0;
  const rate = ratePerCpuSecond(() => {
    const before = proposed;
    for (let round = 0; round < 64; round++) {
      while (proposed < cluster.minCommands() + inFlight) {
        const error = cluster.leader.raw.propose(payload, ENTRY_BYTES);
        if (error !== undefined) throw new Error(error);
        proposed++;
        cluster.pump(cluster.leader);
      }
      cluster.settle();
    }
    cluster.compact();
    return proposed - before;
  });
  if (cluster.minCommands() !== proposed) throw new Error('not all committed');
  return rate;
}

/** `lazy`: a node is told of time when a message comes or its timer is due, as the simulation does it. */
function idle(size: number, lazy: boolean): number {
  const cluster = new BareRaft(size);
  return ratePerCpuSecond(() => {
    for (let k = 0; k < 100; k++) {
      cluster.now++;
      for (const node of cluster.nodes) {
        if (!lazy) {
          node.raw.tick();
          node.ticked = cluster.now;
        } else if (node.due <= cluster.now) {
          // Followers are told of time when a heartbeat comes; their timer is looked at again when it would have been due.
          cluster.catchUp(node);
          node.due = cluster.now + node.raw.ticksUntilNextAction();
        }
      }
      cluster.settle();
    }
    return 100 * TICK_SECONDS;
  });
}

/** Raft alone, for the ratio with the libraries on the very same workload. */
export const raftBare: Topic = {
  name: 'raft-bare',
  *run() {
    for (const size of [3, 5]) {
      for (const inFlight of [1, 64])
        yield { name: `raft-bare-n${size}-w${inFlight}`, value: proposals(size, inFlight), unit: 'proposals/CPU-s' };
      yield { name: `raft-bare-idle-n${size}`, value: idle(size, false), unit: 'virtual s/CPU-s' };
      yield { name: `raft-bare-idle-n${size}-lazy`, value: idle(size, true), unit: 'virtual s/CPU-s' };
    }
  },
};
