import type { EffectCounter } from '../sim/link.ts';
import type { World } from '../sim/world.ts';
import type { ActiveFault, Fault, FaultParams, FaultTarget } from './fault.ts';
import { paramsArbitrary } from './params.ts';
import { clusterHosts, type Topology } from './topology.ts';

/** One side of a cut against all other hosts of the cluster. */
export interface PartitionParams extends FaultParams {
  readonly kind: 'partition';
  /** The hosts on the one side. */
  readonly hosts: readonly string[];
  /** Messages from the side to the rest still pass. */
  readonly oneWay: boolean;
}

/** Cuts `from` off from `to` until healed; clients outside the cluster still reach both sides. */
export function cut(world: World, from: readonly string[], to: readonly string[], oneWay: boolean): ActiveFault {
  const counter: EffectCounter = { touched: 0 };
  const pairs: [string, string][] = [];
  for (const a of from) {
    for (const b of to) {
      pairs.push([b, a]);
      if (!oneWay) pairs.push([a, b]);
    }
  }
  for (const [a, b] of pairs) world.network.block(world.host(a), world.host(b), counter);
  return {
    heal: () => {
      for (const [a, b] of pairs) world.network.unblock(world.host(a), world.host(b), counter);
    },
    touched: () => counter.touched,
  };
}

function rest(topology: Topology, side: readonly string[]): readonly string[] {
  return clusterHosts(topology).filter((name) => !side.includes(name));
}

const params = {
  hosts: { type: 'names', of: clusterHosts, min: 1 },
  oneWay: { type: 'boolean' },
} as const;

/** A network partition between two groups of hosts, whole or in one direction. */
export const partition: Fault<PartitionParams> = {
  kind: 'partition',
  about: 'The named hosts and all other hosts of the cluster cannot reach each other; one-way: the named hosts hear nothing but are heard.',
  operation: false,
  params,
  arbitrary: (topology) => paramsArbitrary<PartitionParams>('partition', params, topology),
  describe: (p) => `partition ${p.hosts.join(' ')} ${p.oneWay ? '⇠' : '|'} rest`,
  lanes: (p) => p.hosts,
  inject: (target: FaultTarget, p) => cut(target.world, p.hosts, rest(target.topology, p.hosts), p.oneWay),
};
