import type { Topology } from '../faults/topology.ts';
import type { ClusterHost } from '../model/cluster-spec.ts';
import type { TrialCluster } from './trial-input.ts';

const ZONES = 'abcdefghi';

/** Names and places of a cluster, known before it is built. Must agree with the cluster that the model builds: a test compares them. */
export function topologyOf(cluster: TrialCluster): Topology {
  const zone = (i: number): string => `zone-${ZONES[i % cluster.zones]}`;
  const hosts: ClusterHost[] = [];
  for (let i = 0; i < cluster.controlPlanes; i++) {
    hosts.push({
      name: `cp-${i}`,
      zone: zone(i),
      role: 'control-plane',
      programs: cluster.kubernetes ? [`etcd-${i}`, `api-${i}`, `kcm-${i}`, `scheduler-${i}`] : [`etcd-${i}`],
    });
  }
  for (let i = 0; i < cluster.workers; i++) {
    const name = `worker-${i}`;
    hosts.push({
      name,
      zone: zone(i),
      role: 'worker',
      programs: cluster.kubernetes ? [`containerd-${name}`, `kube-proxy-${name}`, `kubelet-${name}`] : [],
    });
  }
  hosts.push({ name: 'client-0', zone: zone(0), role: 'client', programs: [] });
  return { hosts };
}
