import { countFrom } from './disk-counter.ts';
import type { Fault, FaultParams } from './fault.ts';
import { paramsArbitrary } from './params.ts';
import { hostNames, type Topology } from './topology.ts';

export interface DiskStallParams extends FaultParams {
  readonly kind: 'disk-stall';
  readonly host: string;
}

/** Hosts whose disk matters to the cluster: those of etcd members. */
export function diskHosts(topology: Topology): readonly string[] {
  return hostNames(topology, 'control-plane', 'etcd').filter((name) =>
    topology.hosts.some((h) => h.name === name && h.programs.some((program) => program.startsWith('etcd-'))),
  );
}

const params = { host: { type: 'name', of: diskHosts } } as const;

/** fsync does not come back until healed. */
export const diskStall: Fault<DiskStallParams> = {
  kind: 'disk-stall',
  about: 'No fsync of the host comes back until healed.',
  operation: false,
  params,
  arbitrary: (topology) => paramsArbitrary<DiskStallParams>('disk-stall', params, topology),
  describe: (p) => `disk stall ${p.host}`,
  lanes: (p) => [p.host],
  inject: (target, p) => {
    const disk = target.world.host(p.host).disk;
    const counter = countFrom(() => disk.touched.stalledSyncs);
    disk.stall();
    return {
      heal: () => {
        disk.unstall();
        counter.stop();
      },
      touched: counter.touched,
    };
  },
};
