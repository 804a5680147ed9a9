import type { Fault, FaultParams } from './fault.ts';
import { paramsArbitrary } from './params.ts';
import { cut } from './partition.ts';
import { clusterHosts } from './topology.ts';

export interface PartitionPairParams extends FaultParams {
  readonly kind: 'partition-pair';
  readonly hosts: readonly string[];
}

const params = { hosts: { type: 'names', of: clusterHosts, min: 2 } } as const;

/** A bridge: the first of the named hosts loses sight of the others, while everybody else still reaches all of them. */
export const partitionPair: Fault<PartitionPairParams> = {
  kind: 'partition-pair',
  about: 'The first named host and the other named hosts cannot reach each other; all other hosts still reach them all (a bridge).',
  operation: false,
  params,
  arbitrary: (topology) => paramsArbitrary<PartitionPairParams>('partition-pair', params, topology),
  describe: (p) => `cut ${p.hosts[0] ?? '?'} | ${p.hosts.slice(1).join(' ')}`,
  lanes: (p) => p.hosts,
  inject: (target, p) => cut(target.world, p.hosts.slice(0, 1), p.hosts.slice(1), false),
};
