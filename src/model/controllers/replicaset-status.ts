import { formatTime } from '../api/time.ts';
import type { Pod, ReplicaSet, ReplicaSetCondition, ReplicaSetStatus } from '../api/types.ts';
import type { Micros } from '../../sim/time.ts';
import { isPodAvailable, isPodReady } from './pod-state.ts';
import { semanticEqual } from './semantic-equal.ts';

const replicaFailure = 'ReplicaFailure';

function conditionsAfter(
  set: ReplicaSet,
  activePods: number,
  error: string | undefined,
  wallUs: Micros,
): readonly ReplicaSetCondition[] | undefined {
  const before = set.status?.conditions;
  const failing = before?.some((condition) => condition.type === replicaFailure) === true;
  if (error !== undefined && !failing) {
    const reason = activePods < (set.spec.replicas ?? 1) ? 'FailedCreate' : 'FailedDelete';
    const condition: ReplicaSetCondition = {
      type: replicaFailure,
      status: 'True',
      reason,
      message: error,
      lastTransitionTime: formatTime(wallUs),
    };
    return [...(before ?? []), condition];
  }
  if (error === undefined && failing) {
    const rest = (before ?? []).filter((condition) => condition.type !== replicaFailure);
    return rest.length === 0 ? undefined : rest;
  }
  return before;
}

/** Upstream replica_set_utils.go, calculateStatus. `error`: why the last creations or deletions failed. */
export function replicaSetStatus(
  set: ReplicaSet,
  active: readonly Pod[],
  terminating: number,
  error: string | undefined,
  wallUs: Micros,
): ReplicaSetStatus {
  const labels = Object.entries(set.spec.template?.metadata?.labels ?? {});
  const minReadySeconds = set.spec.minReadySeconds ?? 0;
  let fullyLabeled = 0;
  let ready = 0;
  let available = 0;
  for (const pod of active) {
    const own = pod.metadata.labels;
    if (labels.every(([key, value]) => own?.[key] === value)) fullyLabeled++;
    if (!isPodReady(pod)) continue;
    ready++;
    if (isPodAvailable(pod, minReadySeconds, wallUs)) available++;
  }
  const conditions = conditionsAfter(set, active.length, error, wallUs);
  return {
    replicas: active.length,
    ...(fullyLabeled > 0 ? { fullyLabeledReplicas: fullyLabeled } : {}),
    ...(ready > 0 ? { readyReplicas: ready } : {}),
    ...(available > 0 ? { availableReplicas: available } : {}),
    terminatingReplicas: terminating,
    ...(set.metadata.generation !== undefined ? { observedGeneration: set.metadata.generation } : {}),
    ...(conditions !== undefined ? { conditions } : {}),
  };
}

/** Whether a status write would change nothing. */
export function sameReplicaSetStatus(set: ReplicaSet, status: ReplicaSetStatus): boolean {
  const old = set.status;
  return (
    (old?.replicas ?? 0) === status.replicas &&
    (old?.fullyLabeledReplicas ?? 0) === (status.fullyLabeledReplicas ?? 0) &&
    (old?.readyReplicas ?? 0) === (status.readyReplicas ?? 0) &&
    (old?.availableReplicas ?? 0) === (status.availableReplicas ?? 0) &&
    old?.terminatingReplicas === status.terminatingReplicas &&
    old?.observedGeneration === status.observedGeneration &&
    semanticEqual(old?.conditions, status.conditions)
  );
}
