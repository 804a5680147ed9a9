import { type ScorePlugin, nodeScoreMax } from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';

/** Prefers nodes whose cpu and memory would be used to a similar share. Pods that request nothing change no balance. */
export const nodeResourcesBalancedAllocation: ScorePlugin = {
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  prepareScore: (pod) => {
    const { milliCpu, memoryBytes } = pod.requests;
    if (milliCpu === 0 && memoryBytes === 0) return 'skip';
    return {
      scoreAll: (nodes: readonly NodeInfo[], out: number[]) => {
        for (let i = 0; i < nodes.length; i++) {
          const node = nodes[i] as NodeInfo;
          const { allocatable, requested } = node;
          if (allocatable.milliCpu === 0 || allocatable.memoryBytes === 0) {
            out[i] = nodeScoreMax;
            continue;
          }
          const cpu = Math.min(1, (requested.milliCpu + milliCpu) / allocatable.milliCpu);
          const memory = Math.min(1, (requested.memoryBytes + memoryBytes) / allocatable.memoryBytes);
          // The standard deviation of two values is half their distance.
          const deviation = Math.abs((cpu - memory) / 2);
          out[i] = Math.floor((1 - deviation) * nodeScoreMax);
        }
      },
    };
  },
};
