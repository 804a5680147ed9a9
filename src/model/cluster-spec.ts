import type { NodePool } from './node-pools.ts';

/** What a cluster is made of. */
export interface ClusterSpec {
  readonly preset: string;
  /** False: etcd alone. */
  readonly kubernetes: boolean;
  readonly controlPlanes: number;
  readonly workers: number;
  /** Hosts are spread over zone-a, zone-b… in turn. */
  readonly zones: number;
  /** Where etcd runs: with each API server (the default), or on hosts `etcd-host-N` of its own. */
  readonly etcd?: 'stacked' | 'external';
  /** Members of an external etcd; default 3. */
  readonly etcdMembers?: number;
  /** So many of the etcd members, the last ones, are no members at first: they start once an operator has added them. */
  readonly etcdSpares?: number;
  /** Control planes run a kubelet too and register a tainted Node. */
  readonly controlPlaneNodes?: boolean;
  /** What each worker can hold. */
  readonly nodeSize?: NodeSize;
  /** Container runtime of the nodes by name; default containerd. */
  readonly runtime?: string;
  /** Workers of several sorts; together they are `workers`. */
  readonly pools?: readonly NodePool[];
  /** A metrics-server answers for the usage of pods; autoscalers need it. */
  readonly metricsServer?: boolean;
  /** A cloud made the machines, and its controller manager takes nodes out whose machine is gone. */
  readonly cloud?: boolean;
  /** Hosts of outside users; default 1. */
  readonly clients?: number;
}

export interface NodeSize {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly pods: number;
}

export const DEFAULT_NODE_SIZE: NodeSize = { cpuMilli: 4000, memoryBytes: 8 * 1024 ** 3, pods: 110 };

/** What a host is for. `client`: outside users; `cloud`: what a provider runs, such as its image registry. */
export type ClusterRole = 'control-plane' | 'etcd' | 'worker' | 'client' | 'cloud';

/** One host of a cluster, for reports and generators. */
export interface ClusterHost {
  readonly name: string;
  readonly zone: string;
  readonly role: ClusterRole;
  /** Programs that run there from boot on, in code-unit order: 'api-0', 'etcd-0', 'kubelet-worker-0'. */
  readonly programs: readonly string[];
}

/** What is unwise about a spec, in words; empty when nothing is. */
export function clusterWarnings(spec: ClusterSpec): readonly string[] {
  const warnings: string[] = [];
  const hosts = spec.etcd === 'external' ? (spec.etcdMembers ?? 3) : spec.controlPlanes;
  const members = hosts - (spec.etcdSpares ?? 0);
  if (members % 2 === 0) {
    const what = spec.etcd === 'external' ? 'etcd members' : 'control planes';
    warnings.push(`${members} ${what}: an even number tolerates no more failures than ${members - 1} and loses quorum in an even split`);
  }
  return warnings;
}
