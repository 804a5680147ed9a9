import { labelsMatch } from '../../../model/api/label-selector.ts';
import type { Pod } from '../../../model/api/types.ts';
import type { PodMetricsSource } from '../../../model/controllers/pod-metrics.ts';
import { SECOND, TRIAL_EPOCH_WALL_US } from '../../../sim/time.ts';
import type { World } from '../../../sim/world.ts';
import type { History } from './history.ts';
import type { Metrics } from './recording.ts';

/** Usage of one pod: millicores and bytes. */
interface PodUsage {
  readonly name: string;
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly containers: readonly { readonly name: string; readonly cpuMilli: number; readonly memoryBytes: number }[];
}

function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true;
}

/** What the fake metrics API of the recordings answers for these pods (README, "HPA scenarios"). */
function usageOf(metrics: Metrics | undefined, pods: readonly Pod[]): readonly PodUsage[] {
  if (metrics === undefined || metrics.missing === true) return [];
  const listed = pods
    .filter((pod) => pod.status?.phase === 'Running' && pod.metadata.deletionTimestamp === undefined)
    .sort((a, b) => ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1))
    .slice(metrics.missingFor ?? 0);
  const readyCount = pods.filter(
    (pod) => pod.status?.phase === 'Running' && pod.metadata.deletionTimestamp === undefined && isReady(pod),
  ).length;
  const share = (total: number | undefined, each: number | undefined): number =>
    total === undefined ? (each ?? 0) : Math.round(total / Math.max(1, readyCount));
  const out: PodUsage[] = [];
  for (const pod of listed) {
    const name = pod.metadata.name ?? '';
    const used = (cpuMilli: number, memoryBytes: number): PodUsage => ({
      name,
      cpuMilli,
      memoryBytes,
      // The first container uses it all: pods of these scenarios have one.
      containers: pod.spec.containers.map((each, i) => ({
        name: each.name,
        cpuMilli: i === 0 ? cpuMilli : 0,
        memoryBytes: i === 0 ? memoryBytes : 0,
      })),
    });
    if (isReady(pod)) out.push(used(share(metrics.totalCpu, metrics.cpu), share(metrics.totalMemory, metrics.memory) * 1024 * 1024));
    else if (metrics.unreadyCpu !== undefined) out.push(used(metrics.unreadyCpu, 0));
  }
  return out;
}

/** The fake metrics API itself: it sees the pods that are there, and answers what the last step told it to. */
export function fakeMetricsApi(world: World, history: History, metrics: () => Metrics | undefined): PodMetricsSource {
  return {
    *list(namespace, selector) {
      const pods = [...history.current.values()].filter(
        (object) => object.kind === 'Pod' && object.metadata.namespace === namespace && labelsMatch(selector, object.metadata.labels),
      );
      const usage = usageOf(metrics(), pods as unknown as readonly Pod[]);
      // Samples of the fake metrics API are stamped now, over a window of a second.
      const atWallUs = TRIAL_EPOCH_WALL_US + world.now;
      return { ok: true, pods: usage.map((pod) => ({ ...pod, atWallUs, windowUs: SECOND })) };
    },
  };
}
