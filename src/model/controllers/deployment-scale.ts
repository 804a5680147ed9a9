import type { Deployment, ReplicaSet } from '../api/types.ts';
import { desiredReplicasOf, maxReplicasOf } from './deployment-revision.ts';
import { type Resize, byCreation, desiredReplicas, isRolling, rollingBounds, setReplicas, sumReplicas } from './deployment-rolling.ts';

export function activeSets(sets: readonly ReplicaSet[]): readonly ReplicaSet[] {
  return sets.filter((set) => setReplicas(set) > 0);
}

/** The only active set, or the latest where none is; undefined where several are. Upstream FindActiveOrLatest. */
export function activeOrLatest(newSet: ReplicaSet | undefined, oldSets: readonly ReplicaSet[]): ReplicaSet | undefined {
  const active = activeSets(newSet === undefined ? oldSets : [...oldSets, newSet]);
  if (active.length > 1) return undefined;
  if (active.length === 1) return active[0];
  return newSet ?? [...oldSets].sort((a, b) => byCreation(b, a))[0];
}

/** The new set has taken over completely. Upstream IsSaturated. */
export function isSaturated(deployment: Deployment, newSet: ReplicaSet | undefined): boolean {
  if (newSet === undefined) return false;
  const replicas = desiredReplicas(deployment);
  return setReplicas(newSet) === replicas && desiredReplicasOf(newSet) === replicas && newSet.status?.availableReplicas === replicas;
}

/** math.Round for int32: half away from zero. */
function roundHalfAway(value: number): number {
  return value < 0 ? -Math.floor(-value + 0.5) : Math.floor(value + 0.5);
}

/** By how much a set would change if it kept its share. Upstream getReplicaSetFraction. */
function fraction(set: ReplicaSet, deployment: Deployment): number {
  const size = setReplicas(set);
  const replicas = desiredReplicas(deployment);
  if (replicas === 0) return -size;
  const before = maxReplicasOf(set) || (deployment.status?.replicas ?? 0);
  if (before === 0) return 0;
  return roundHalfAway((size * (replicas + rollingBounds(deployment).maxSurge)) / before) - size;
}

/**
 * Distributes a change of spec.replicas in the middle of a rollout over the active sets by their size; the largest takes what rounding
 * leaves. Upstream sync.go, scale. Old and new sets grow alike, although the old ones are on their way out (kubernetes#105395).
 */
export function proportionalSizes(
  deployment: Deployment,
  newSet: ReplicaSet | undefined,
  oldSets: readonly ReplicaSet[],
): readonly Resize[] {
  if (!isRolling(deployment)) return [];
  const sets = [...activeSets(newSet === undefined ? oldSets : [...oldSets, newSet])];
  const replicas = desiredReplicas(deployment);
  const allowed = replicas > 0 ? replicas + rollingBounds(deployment).maxSurge : 0;
  const toAdd = allowed - sumReplicas(sets);
  // Growing favours newer sets, shrinking older ones, among those of equal size.
  sets.sort((a, b) => setReplicas(b) - setReplicas(a) || (toAdd > 0 ? byCreation(b, a) : byCreation(a, b)));
  let added = 0;
  const sizes = sets.map((set) => {
    const size = setReplicas(set);
    if (toAdd === 0 || toAdd === added || size === 0) return size;
    const share = fraction(set, deployment);
    const change = toAdd > 0 ? Math.min(share, toAdd - added) : Math.max(share, toAdd - added);
    added += change;
    return size + change;
  });
  if (sizes.length > 0 && toAdd !== 0) sizes[0] = Math.max(0, (sizes[0] as number) + toAdd - added);
  return sets.map((set, i) => ({ set, replicas: sizes[i] as number }));
}
