import type { Fault, FaultParams } from './fault.ts';
import { paramsArbitrary } from './params.ts';
import { cut } from './partition.ts';
import { clusterHosts, type Topology } from './topology.ts';

export interface PartitionZoneParams extends FaultParams {
  readonly kind: 'partition-zone';
  readonly zone: string;
}

function zones(topology: Topology): readonly string[] {
  const names = [...new Set(topology.hosts.filter((h) => clusterHosts(topology).includes(h.name)).map((h) => h.zone))].sort();
  return names.length > 1 ? names : [];
}

function hostsOf(topology: Topology, zone: string): readonly string[] {
  return topology.hosts.filter((h) => h.zone === zone && clusterHosts(topology).includes(h.name)).map((h) => h.name);
}

const params = { zone: { type: 'name', of: zones } } as const;

/** A whole failure zone loses its uplink. */
export const partitionZone: Fault<PartitionZoneParams> = {
  kind: 'partition-zone',
  about: 'The hosts of one zone reach each other but no other zone.',
  operation: false,
  params,
  arbitrary: (topology) => paramsArbitrary<PartitionZoneParams>('partition-zone', params, topology),
  describe: (p) => `partition ${p.zone} | other zones`,
  lanes: (p, topology) => hostsOf(topology, p.zone),
  inject: (target, p) => {
    const side = hostsOf(target.topology, p.zone);
    return cut(
      target.world,
      side,
      clusterHosts(target.topology).filter((name) => !side.includes(name)),
      false,
    );
  },
};
