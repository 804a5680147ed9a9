import type { Pod } from '../api/types.ts';
import type { NodeInfo } from '../scheduler/node-info.ts';
import { misfit } from './scale-up.ts';

/** --scale-down-utilization-threshold. */
const UTILIZATION_MAX = 0.5;
const CONTROLLERS = ['ReplicaSet', 'StatefulSet', 'Job', 'ReplicationController'];

/** Pods that would have to move before the node may go: upstream GetPodsForDeletionOnNodeDrain. A text: why it may not. */
export function podsToMove(node: NodeInfo, mayEvict: (pod: Pod) => boolean): readonly Pod[] | string {
  const movable: Pod[] = [];
  for (const { pod } of node.pods.values()) {
    const { annotations = {}, ownerReferences = [], name } = pod.metadata;
    const owner = ownerReferences.find((reference) => reference.controller === true);
    if (annotations['kubernetes.io/config.mirror'] !== undefined || owner?.kind === 'DaemonSet') continue;
    if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') continue;
    if (annotations['cluster-autoscaler.kubernetes.io/safe-to-evict'] === 'false') return `${name} is not safe to evict`;
    if (annotations['cluster-autoscaler.kubernetes.io/safe-to-evict'] !== 'true') {
      if (owner === undefined || !CONTROLLERS.includes(owner.kind)) return `${name} is not replicated`;
      if (pod.metadata.namespace === 'kube-system') return `${name} is of the system`;
      if (pod.spec?.volumes?.some((volume) => volume.emptyDir !== undefined || volume.hostPath !== undefined) === true)
        return `${name} has local storage`;
    }
    if (!mayEvict(pod)) return `${name} is under a disruption budget`;
    movable.push(pod);
  }
  return movable;
}

/** The larger share of cpu and memory that is asked for: upstream utilization.Calculate. */
export function utilization(node: NodeInfo): number {
  const { allocatable, requested } = node;
  return Math.max(requested.milliCpu / Math.max(1, allocatable.milliCpu), requested.memoryBytes / Math.max(1, allocatable.memoryBytes));
}

/**
 * Whether the cluster can do without the node: little of it is used, and what runs there has a place elsewhere. The moved pods stay where they were put, so
 * that the next node is judged with them there; when it may not go, nothing has changed.
 */
export function isUnneeded(node: NodeInfo, others: readonly NodeInfo[], mayEvict: (pod: Pod) => boolean): boolean {
  if (utilization(node) >= UTILIZATION_MAX) return false;
  const moving = podsToMove(node, mayEvict);
  if (typeof moving === 'string') return false;
  const infos = [...node.pods.values()].filter(({ pod }) => moving.includes(pod));
  const put: { readonly onto: NodeInfo; readonly uid: string }[] = [];
  for (const info of infos) {
    const onto = others.find((other) => misfit(info, other) === undefined);
    if (onto === undefined) {
      for (const { onto: at, uid } of put) at.removePod(uid);
      return false;
    }
    onto.addPod(info);
    put.push({ onto, uid: info.uid });
  }
  return true;
}
