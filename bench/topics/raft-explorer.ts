import { type Bounds, explore } from '../../src/raft/explorer/explorer.ts';
import { cpuOf } from '../clock.ts';
import { median, type Topic } from '../figure.ts';

/** Complete within seconds: 2.2 million states of which 7.2 million are generated. */
const bounds: Bounds = { terms: 3, proposals: 0, crashes: 1, inFlight: 3 };
const RUNS = 3;

/** Exhaustive exploration of three nodes, as model checkers count: states generated, known ones again included. */
export const raftExplorer: Topic = {
  name: 'raft-explorer',
  *run() {
    const generated: number[] = [];
    const distinct: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      let states = { generated: 0, distinct: 0, isComplete: false };
      const seconds = cpuOf(() => {
        states = explore({ bounds });
      });
      if (!states.isComplete) throw new Error('the exploration did not get through');
      generated.push(states.generated / seconds);
      distinct.push(states.distinct / seconds);
    }
    yield { name: 'raft-explorer-generated', value: median(generated), unit: 'states/CPU-s' };
    yield { name: 'raft-explorer-distinct', value: median(distinct), unit: 'states/CPU-s' };
  },
};
