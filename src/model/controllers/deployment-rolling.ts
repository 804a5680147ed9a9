import { parseTime } from '../api/time.ts';
import { type IntOrString, scaledValue } from '../api/int-or-string.ts';
import type { Deployment, ReplicaSet } from '../api/types.ts';

/** How many pods more, and how many available pods less, than asked for a rolling update may have. */
export interface RollingBounds {
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

export function desiredReplicas(deployment: Deployment): number {
  return deployment.spec.replicas ?? 1;
}

export function setReplicas(set: ReplicaSet): number {
  return set.spec.replicas ?? 1;
}

export function isRolling(deployment: Deployment): boolean {
  return deployment.spec.strategy?.type === 'RollingUpdate';
}

/** Percentages in numbers: surge rounds up, unavailability down; if both come to nothing, one pod may be unavailable. Upstream ResolveFenceposts. */
export function resolveFenceposts(surge: IntOrString | undefined, unavailable: IntOrString | undefined, replicas: number): RollingBounds {
  const maxSurge = scaledValue(surge ?? 0, replicas, true) ?? 0;
  const maxUnavailable = scaledValue(unavailable ?? 0, replicas, false) ?? 0;
  return { maxSurge, maxUnavailable: maxSurge === 0 && maxUnavailable === 0 ? 1 : maxUnavailable };
}

/** Both are 0 for Recreate; upstream deploymentutil.MaxSurge and MaxUnavailable. */
export function rollingBounds(deployment: Deployment): RollingBounds {
  if (!isRolling(deployment)) return { maxSurge: 0, maxUnavailable: 0 };
  const replicas = desiredReplicas(deployment);
  const rolling = deployment.spec.strategy?.rollingUpdate;
  const bounds = resolveFenceposts(rolling?.maxSurge, rolling?.maxUnavailable, replicas);
  return { maxSurge: bounds.maxSurge, maxUnavailable: replicas === 0 ? 0 : Math.min(bounds.maxUnavailable, replicas) };
}

export function sumReplicas(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + setReplicas(set), 0);
}

export function sumAvailable(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + (set.status?.availableReplicas ?? 0), 0);
}

/** Size that the new set may have now: as far as the surge lets it grow. Upstream NewRSNewReplicas. */
export function newSetReplicas(deployment: Deployment, allSets: readonly ReplicaSet[], newSetSize: number): number {
  const replicas = desiredReplicas(deployment);
  if (!isRolling(deployment)) return replicas;
  const total = sumReplicas(allSets);
  const totalMax = replicas + rollingBounds(deployment).maxSurge;
  if (total >= totalMax) return newSetSize;
  return newSetSize + Math.min(totalMax - total, replicas - newSetSize);
}

/** How many pods of old sets may go, ready or not, counting new pods that are not available yet as missing. Upstream reconcileOldReplicaSets. */
export function maxScaledDown(deployment: Deployment, allSets: readonly ReplicaSet[], newSet: ReplicaSet): number {
  const availableMin = desiredReplicas(deployment) - rollingBounds(deployment).maxUnavailable;
  const newUnavailable = setReplicas(newSet) - (newSet.status?.availableReplicas ?? 0);
  return sumReplicas(allSets) - availableMin - newUnavailable;
}

export interface Resize {
  readonly set: ReplicaSet;
  readonly replicas: number;
}

/** What the clean-up of unhealthy pods came to. */
export interface UnhealthyCleanup {
  readonly resizes: readonly Resize[];
  /** A set claims more available pods than it asks for: its status is older than its spec, and nothing more may be taken away on its word. */
  readonly stale: boolean;
}

/** Takes pods that are not available out of the old sets first. Upstream cleanupUnhealthyReplicas, whose error ends the reconciling of old sets. */
export function unhealthyCleanup(oldSets: readonly ReplicaSet[], cleanupMax: number): UnhealthyCleanup {
  const resizes: Resize[] = [];
  let total = 0;
  for (const set of [...oldSets].sort(byCreation)) {
    if (total >= cleanupMax) break;
    const replicas = setReplicas(set);
    const unavailable = replicas - (set.status?.availableReplicas ?? 0);
    if (replicas === 0 || unavailable === 0) continue;
    const count = Math.min(cleanupMax - total, unavailable);
    if (count < 0) return { resizes, stale: true };
    resizes.push({ set, replicas: replicas - count });
    total += count;
  }
  return { resizes, stale: false };
}

/** Takes available pods out of the old sets, as many as stand above the minimum. Upstream scaleDownOldReplicaSetsForRollingUpdate. */
export function rollingScaleDown(deployment: Deployment, oldSets: readonly ReplicaSet[], available: number): readonly Resize[] {
  const availableMin = desiredReplicas(deployment) - rollingBounds(deployment).maxUnavailable;
  const resizes: Resize[] = [];
  let left = available - availableMin;
  for (const set of [...oldSets].sort(byCreation)) {
    if (left <= 0) break;
    const replicas = setReplicas(set);
    if (replicas === 0) continue;
    const count = Math.min(replicas, left);
    resizes.push({ set, replicas: replicas - count });
    left -= count;
  }
  return resizes;
}

function creationOf(set: ReplicaSet): number {
  return parseTime(set.metadata.creationTimestamp ?? '') ?? 0;
}

/** Oldest first, then by name. */
export function byCreation(a: ReplicaSet, b: ReplicaSet): number {
  const age = creationOf(a) - creationOf(b);
  if (age !== 0) return age;
  const nameA = a.metadata.name ?? '';
  const nameB = b.metadata.name ?? '';
  return nameA < nameB ? -1 : nameA > nameB ? 1 : 0;
}
