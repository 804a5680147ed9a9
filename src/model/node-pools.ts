import { DEFAULT_NODE_SIZE, type ClusterSpec, type NodeSize } from './cluster-spec.ts';

/** Workers that are alike. */
export interface NodePool {
  /** So many machines are there from the beginning, and so many a cluster autoscaler leaves. */
  readonly workers: number;
  /** So many the cloud can run at most; above `workers`, a cluster autoscaler adds them for pods that find no place. */
  readonly max?: number;
  readonly os?: 'linux' | 'windows';
  /** Container runtime by name; default: that of the cluster. */
  readonly runtime?: string;
  readonly cpuMilli?: number;
  readonly memoryBytes?: number;
  readonly pods?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly NodeTaint[];
}

export interface NodeTaint {
  readonly key: string;
  readonly value?: string;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

/** What one node is like. */
export interface NodeKind extends NodeSize {
  readonly os: 'linux' | 'windows';
  readonly runtime: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly NodeTaint[];
}

/** What worker number `index` is like: pools take their workers in turn, first pool first. */
export function workerKind(spec: Pick<ClusterSpec, 'nodeSize' | 'runtime' | 'pools'>, index: number): NodeKind {
  let first = 0;
  for (const pool of spec.pools ?? []) {
    if (index < first + machinesOf(pool)) return kindOf(spec, pool);
    first += machinesOf(pool);
  }
  return kindOf(spec, undefined);
}

/** Workers that the pool has, or can have. */
export function machinesOf(pool: Pick<NodePool, 'workers' | 'max'>): number {
  return Math.max(pool.workers, pool.max ?? 0);
}

/** What all workers of a pool are like. */
export function poolKind(spec: Pick<ClusterSpec, 'nodeSize' | 'runtime'>, pool: NodePool): NodeKind {
  return kindOf(spec, pool);
}

/** What a control plane's node is like: always Linux. */
export function controlPlaneKind(spec: Pick<ClusterSpec, 'nodeSize' | 'runtime'>): NodeKind {
  return { ...kindOf(spec, undefined), taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] };
}

function kindOf(spec: Pick<ClusterSpec, 'nodeSize' | 'runtime'>, pool: NodePool | undefined): NodeKind {
  const size = spec.nodeSize ?? DEFAULT_NODE_SIZE;
  return {
    os: pool?.os ?? 'linux',
    runtime: pool?.runtime ?? spec.runtime ?? 'containerd',
    cpuMilli: pool?.cpuMilli ?? size.cpuMilli,
    memoryBytes: pool?.memoryBytes ?? size.memoryBytes,
    pods: pool?.pods ?? size.pods,
    labels: pool?.labels ?? {},
    taints: pool?.taints ?? [],
  };
}
