import type { Pod } from '../api/types.ts';
import type { Machine } from './runtime/machine.ts';

/** Where a kubelet answers. */
export const KUBELET_PORT = '10250';

/** What a pod of the node uses right now. */
export interface PodUsage {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly memoryBytes: number;
}

function keyOf(usage: PodUsage): string {
  return `${usage.namespace}/${usage.name}`;
}

/** The kubelet's /metrics/resource: the working set of every pod that has a running container. CPU is not accounted in this model. */
export function resourceMetrics(machine: Machine, pods: readonly Pod[]): readonly PodUsage[] {
  const usage: PodUsage[] = [];
  for (const pod of pods) {
    const used = machine.memoryOf(pod.metadata.uid ?? '');
    if (used.size === 0) continue;
    const { namespace = '', name = '', labels = {} } = pod.metadata;
    usage.push({ namespace, name, labels, memoryBytes: [...used.values()].reduce((sum, bytes) => sum + bytes, 0) });
  }
  return usage.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}
