import { scaledValue } from '../api/int-or-string.ts';
import type { DaemonSet, Pod } from '../api/types.ts';
import type { Micros } from '../../sim/time.ts';
import { daemonHashLabel } from './daemonset-nodes.ts';
import { isPodAvailable } from './pod-state.ts';

/** Pods by the node that they are for, nodes in order. */
export type DaemonPods = ReadonlyMap<string, readonly Pod[]>;

export function allowsSurge(set: DaemonSet, desired: number): boolean {
  return daemonBounds(set, desired).maxSurge > 0;
}

/** Percentages of the nodes, rounded up; one of the two is above zero. Upstream updatedDesiredNodeCounts. */
export function daemonBounds(set: DaemonSet, desired: number): { readonly maxSurge: number; readonly maxUnavailable: number } {
  const rolling = set.spec.updateStrategy?.rollingUpdate;
  if (set.spec.updateStrategy?.type !== 'RollingUpdate') return { maxSurge: 0, maxUnavailable: 0 };
  const maxSurge = scaledValue(rolling?.maxSurge ?? 0, desired, true) ?? 0;
  const maxUnavailable = scaledValue(rolling?.maxUnavailable ?? 1, desired, true) ?? 0;
  return { maxSurge, maxUnavailable: maxSurge === 0 && maxUnavailable === 0 ? 1 : maxUnavailable };
}

export function isUpdated(pod: Pod, hash: string): boolean {
  return pod.metadata.labels?.[daemonHashLabel] === hash;
}

/** The one new and the one old pod of a node; undefined where there are several of a kind. Upstream findUpdatedPodsOnNode. */
function updatedPods(
  pods: readonly Pod[],
  hash: string,
): { readonly newPod: Pod | undefined; readonly oldPod: Pod | undefined } | undefined {
  const alive = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);
  const fresh = alive.filter((pod) => isUpdated(pod, hash));
  const old = alive.filter((pod) => !isUpdated(pod, hash));
  return fresh.length > 1 || old.length > 1 ? undefined : { newPod: fresh[0], oldPod: old[0] };
}

/** Which pods to delete and on which nodes to create, to bring the template further. Upstream update.go, rollingUpdate. */
export interface DaemonRollout {
  readonly deletePods: readonly Pod[];
  readonly createOn: readonly string[];
}

export function planRollout(set: DaemonSet, pods: DaemonPods, hash: string, desired: number, wallUs: Micros): DaemonRollout {
  const { maxSurge, maxUnavailable } = daemonBounds(set, desired);
  const available = (pod: Pod): boolean => isPodAvailable(pod, set.spec.minReadySeconds ?? 0, wallUs);
  return maxSurge > 0 ? planSurge(pods, hash, maxSurge, available) : planReplacement(pods, hash, maxUnavailable, available);
}

function planReplacement(pods: DaemonPods, hash: string, maxUnavailable: number, available: (pod: Pod) => boolean): DaemonRollout {
  let unavailable = 0;
  const broken: Pod[] = [];
  const candidates: Pod[] = [];
  for (const onNode of pods.values()) {
    const found = updatedPods(onNode, hash);
    if (found === undefined || (found.newPod === undefined) === (found.oldPod === undefined)) unavailable++;
    else if (found.newPod !== undefined) unavailable += available(found.newPod) ? 0 : 1;
    else if (found.oldPod !== undefined && !available(found.oldPod)) {
      // It serves nobody, so replacing it costs nothing.
      broken.push(found.oldPod);
      unavailable++;
    } else if (found.oldPod !== undefined) candidates.push(found.oldPod);
  }
  return { deletePods: [...broken, ...candidates.slice(0, Math.max(0, maxUnavailable - unavailable))], createOn: [] };
}

function planSurge(pods: DaemonPods, hash: string, maxSurge: number, available: (pod: Pod) => boolean): DaemonRollout {
  let surging = 0;
  const broken: string[] = [];
  const candidates: string[] = [];
  const deletePods: Pod[] = [];
  for (const [node, onNode] of pods) {
    const found = updatedPods(onNode, hash);
    if (found === undefined) surging++;
    else if (found.oldPod === undefined) continue;
    else if (found.newPod === undefined) (available(found.oldPod) ? candidates : broken).push(node);
    else if (!available(found.newPod)) surging++;
    else deletePods.push(found.oldPod);
  }
  return { deletePods, createOn: [...broken, ...candidates.slice(0, Math.max(0, maxSurge - surging))] };
}
