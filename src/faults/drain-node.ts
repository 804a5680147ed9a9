import type { Fault, FaultParams } from './fault.ts';
import { paramsArbitrary } from './params.ts';
import { hostNames, type Topology } from './topology.ts';

export interface DrainNodeParams extends FaultParams {
  readonly kind: 'drain-node';
  readonly node: string;
}

function workers(topology: Topology): readonly string[] {
  const names = hostNames(topology, 'worker');
  return names.length > 1 ? names : [];
}

const params = { node: { type: 'name', of: workers } } as const;

/** Maintenance: a user drains a node and, when it is over, lets pods onto it again. */
export const drainNode: Fault<DrainNodeParams> = {
  kind: 'drain-node',
  about: 'A user drains the node (cordon, then eviction of its pods) and uncordons it when the maintenance is over.',
  operation: false,
  params,
  arbitrary: (topology) => paramsArbitrary<DrainNodeParams>('drain-node', params, topology),
  describe: (p) => `drain ${p.node}`,
  lanes: (p) => [p.node],
  inject: (target, p) => {
    const errand = target.operator.drain(p.node);
    return { heal: () => target.operator.uncordon(p.node), touched: () => errand.taken };
  },
};
