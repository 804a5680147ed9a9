import { formatTime, parseTime } from '../api/time.ts';
import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from '../api/types.ts';
import { type Micros, SECOND } from '../../sim/time.ts';
import { desiredReplicas, rollingBounds, sumAvailable, sumReplicas } from './deployment-rolling.ts';

export type DeploymentConditionType = 'Available' | 'Progressing' | 'ReplicaFailure';

const noDeadline = 2_147_483_647;

export function progressDeadlineUs(deployment: Deployment): Micros | undefined {
  const seconds = deployment.spec.progressDeadlineSeconds;
  return seconds === undefined || seconds === noDeadline ? undefined : seconds * SECOND;
}

export function deploymentCondition(status: DeploymentStatus | undefined, type: DeploymentConditionType): DeploymentCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

export function newCondition(
  type: DeploymentConditionType,
  status: 'True' | 'False' | 'Unknown',
  reason: string,
  message: string,
  wallUs: Micros,
): DeploymentCondition {
  const now = formatTime(wallUs);
  return { type, status, reason, message, lastUpdateTime: now, lastTransitionTime: now };
}

/** Keeps a condition of the same status and reason as it was; the transition time moves with the status only. Upstream SetDeploymentCondition. */
export function withCondition(status: DeploymentStatus, condition: DeploymentCondition): DeploymentStatus {
  const current = status.conditions?.find((other) => other.type === condition.type);
  if (current !== undefined && current.status === condition.status && current.reason === condition.reason) return status;
  const kept = current !== undefined && current.status === condition.status && current.lastTransitionTime !== undefined;
  const next = kept ? { ...condition, lastTransitionTime: current.lastTransitionTime } : condition;
  return {
    ...status,
    conditions: [...(status.conditions ?? []).filter((other) => other.type !== condition.type), next],
  } as DeploymentStatus;
}

export function withoutCondition(status: DeploymentStatus, type: DeploymentConditionType): DeploymentStatus {
  if (deploymentCondition(status, type) === undefined) return status;
  return { ...status, conditions: (status.conditions ?? []).filter((condition) => condition.type !== type) };
}

function sum(sets: readonly ReplicaSet[], value: (set: ReplicaSet) => number | undefined): number {
  return sets.reduce((total, set) => total + (value(set) ?? 0), 0);
}

function positive<K extends string>(key: K, value: number): { readonly [key in K]?: number } {
  return value > 0 ? ({ [key]: value } as { readonly [key in K]: number }) : {};
}

/** Upstream calculateStatus. */
export function deploymentStatus(
  deployment: Deployment,
  allSets: readonly ReplicaSet[],
  newSet: ReplicaSet | undefined,
  wallUs: Micros,
): DeploymentStatus {
  const available = sumAvailable(allSets);
  const unavailable = Math.max(0, sumReplicas(allSets) - available);
  const old = deployment.status;
  const status: DeploymentStatus = {
    ...(deployment.metadata.generation !== undefined ? { observedGeneration: deployment.metadata.generation } : {}),
    ...positive(
      'replicas',
      sum(allSets, (set) => set.status?.replicas),
    ),
    ...positive('updatedReplicas', newSet?.status?.replicas ?? 0),
    ...positive(
      'readyReplicas',
      sum(allSets, (set) => set.status?.readyReplicas),
    ),
    ...positive('availableReplicas', available),
    ...positive('unavailableReplicas', unavailable),
    terminatingReplicas: sum(allSets, (set) => set.status?.terminatingReplicas),
    ...(old?.collisionCount !== undefined ? { collisionCount: old.collisionCount } : {}),
    ...(old?.conditions !== undefined ? { conditions: old.conditions } : {}),
  };
  const enough = available >= desiredReplicas(deployment) - rollingBounds(deployment).maxUnavailable;
  return withCondition(
    status,
    enough
      ? newCondition('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.', wallUs)
      : newCondition('Available', 'False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.', wallUs),
  );
}

/** Upstream DeploymentComplete. */
export function isComplete(deployment: Deployment, status: DeploymentStatus | undefined): boolean {
  const replicas = desiredReplicas(deployment);
  return (
    (status?.updatedReplicas ?? 0) === replicas &&
    (status?.replicas ?? 0) === replicas &&
    (status?.availableReplicas ?? 0) === replicas &&
    (status?.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

/** Upstream DeploymentProgressing. */
function isProgressing(deployment: Deployment, status: DeploymentStatus): boolean {
  const old = deployment.status;
  const oldReplicas = (of: DeploymentStatus | undefined): number => (of?.replicas ?? 0) - (of?.updatedReplicas ?? 0);
  return (
    (status.updatedReplicas ?? 0) > (old?.updatedReplicas ?? 0) ||
    oldReplicas(status) < oldReplicas(old) ||
    (status.readyReplicas ?? 0) > (old?.readyReplicas ?? 0) ||
    (status.availableReplicas ?? 0) > (old?.availableReplicas ?? 0)
  );
}

/** Upstream DeploymentTimedOut. */
function isTimedOut(deployment: Deployment, status: DeploymentStatus, wallUs: Micros): boolean {
  const deadline = progressDeadlineUs(deployment);
  const condition = deploymentCondition(status, 'Progressing');
  if (deadline === undefined || condition === undefined || condition.reason === 'NewReplicaSetAvailable') return false;
  if (condition.reason === 'ProgressDeadlineExceeded') return true;
  return (parseTime(condition.lastUpdateTime ?? '') ?? 0) + deadline < wallUs;
}

/** The failure of the newest set, or of any other: upstream getReplicaFailures, of which only the first is shown. */
function replicaFailure(allSets: readonly ReplicaSet[], newSet: ReplicaSet | undefined): DeploymentCondition | undefined {
  for (const set of newSet === undefined ? allSets : [newSet, ...allSets]) {
    const failure = set.status?.conditions?.find((condition) => condition.type === 'ReplicaFailure');
    if (failure === undefined) continue;
    const at = failure.lastTransitionTime;
    return { ...failure, ...(at !== undefined ? { lastUpdateTime: at } : {}) };
  }
  return undefined;
}

function withProgress(deployment: Deployment, status: DeploymentStatus, newSet: ReplicaSet | undefined, wallUs: Micros): DeploymentStatus {
  const who = newSet === undefined ? `Deployment "${deployment.metadata.name ?? ''}"` : `ReplicaSet "${newSet.metadata.name ?? ''}"`;
  const current = deploymentCondition(deployment.status, 'Progressing');
  if (isComplete(deployment, status)) {
    return withCondition(
      status,
      newCondition('Progressing', 'True', 'NewReplicaSetAvailable', `${who} has successfully progressed.`, wallUs),
    );
  }
  if (isProgressing(deployment, status)) {
    let condition = newCondition('Progressing', 'True', 'ReplicaSetUpdated', `${who} is progressing.`, wallUs);
    if (current?.status === 'True' && current.lastTransitionTime !== undefined)
      condition = { ...condition, lastTransitionTime: current.lastTransitionTime };
    return withCondition(current === undefined ? status : withoutCondition(status, 'Progressing'), condition);
  }
  if (isTimedOut(deployment, status, wallUs)) {
    return withCondition(
      status,
      newCondition('Progressing', 'False', 'ProgressDeadlineExceeded', `${who} has timed out progressing.`, wallUs),
    );
  }
  return status;
}

/** The status in a rollout: progress, completion, deadline, failures. Upstream progress.go, syncRolloutStatus. */
export function rolloutStatus(
  deployment: Deployment,
  allSets: readonly ReplicaSet[],
  newSet: ReplicaSet | undefined,
  wallUs: Micros,
): DeploymentStatus {
  let status = deploymentStatus(deployment, allSets, newSet, wallUs);
  if (progressDeadlineUs(deployment) === undefined) status = withoutCondition(status, 'Progressing');
  else {
    const current = deploymentCondition(deployment.status, 'Progressing');
    const wasComplete = (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === 'NewReplicaSetAvailable';
    if (!wasComplete) status = withProgress(deployment, status, newSet, wallUs);
  }
  const failure = replicaFailure(allSets, newSet);
  return failure === undefined ? withoutCondition(status, 'ReplicaFailure') : withCondition(status, failure);
}

/** How long until a stuck rollout must be looked at again, by the wall clock; 0: soon; undefined: never. Upstream requeueStuckDeployment. */
export function stuckCheckDelayUs(deployment: Deployment, status: DeploymentStatus, wallUs: Micros): Micros | undefined {
  const deadline = progressDeadlineUs(deployment);
  const condition = deploymentCondition(deployment.status, 'Progressing');
  if (deadline === undefined || condition === undefined) return undefined;
  if (isComplete(deployment, status) || condition.reason === 'ProgressDeadlineExceeded') return undefined;
  const after = (parseTime(condition.lastUpdateTime ?? '') ?? 0) + deadline - wallUs;
  return after < SECOND ? 0 : after + SECOND;
}
