import type { Topology } from '../faults/topology.ts';
import type { ClusterHost } from '../model/cluster-spec.ts';
import { runtimeProgram } from '../model/kubelet/runtime/runtimes.ts';
import { workerKind } from '../model/node-pools.ts';
import type { TrialCluster } from './trial-input.ts';

const ZONES = 'abcdefghi';

/** Names and places of a cluster, known before it is built. Must agree with the cluster that the model builds: a test compares them. */
export function topologyOf(cluster: TrialCluster): Topology {
  const zone = (i: number): string => `zone-${ZONES[i % cluster.zones]}`;
  const hosts: ClusterHost[] = [];
  const members = cluster.etcd === 'external' ? (cluster.etcdMembers ?? 3) : 0;
  for (let i = 0; i < members; i++) hosts.push({ name: `etcd-host-${i}`, zone: zone(i), role: 'etcd', programs: [`etcd-${i}`] });
  for (let i = 0; i < cluster.controlPlanes; i++) {
    const stacked = members === 0 ? [`etcd-${i}`] : [];
    hosts.push({
      name: `cp-${i}`,
      zone: zone(i),
      role: 'control-plane',
      programs: cluster.kubernetes ? [`api-${i}`, ...stacked, `kcm-${i}`, `scheduler-${i}`] : stacked,
    });
  }
  for (let i = 0; i < cluster.workers; i++) {
    const name = `worker-${i}`;
    hosts.push({
      name,
      zone: zone(i),
      role: 'worker',
      programs: cluster.kubernetes ? [runtimeProgram(workerKind(cluster, i).runtime, name), `kube-proxy-${name}`, `kubelet-${name}`] : [],
    });
  }
  hosts.push({ name: 'client-0', zone: zone(0), role: 'client', programs: [] });
  return { hosts };
}
