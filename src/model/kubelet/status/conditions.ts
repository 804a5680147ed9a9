import { formatTime } from '../../api/time.ts';
import type { ContainerStatus, Pod, PodCondition, PodStatus } from '../../api/types.ts';
import type { Micros } from '../../../sim/time.ts';
import { isSidecar } from '../pod-spec.ts';

/** Conditions that the kubelet owns; all others of a status are somebody else's and stay. */
const OWNED = new Set([
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
  'PodResizePending',
  'PodResizeInProgress',
]);

export function isOwnedCondition(type: string): boolean {
  return OWNED.has(type);
}

export function conditionOf(conditions: readonly PodCondition[] | undefined, type: string): PodCondition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** A condition as generated, before it has a transition time. */
function condition(type: string, status: 'True' | 'False', generation: number | undefined, reason = '', message = ''): PodCondition {
  return {
    type,
    status,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(reason === '' ? {} : { reason }),
    ...(message === '' ? {} : { message }),
  };
}

/** Upstream GeneratePodReadyToStartContainersCondition: the sandbox is up and has its network. */
export function readyToStartContainers(generation: number | undefined, sandboxReady: boolean): PodCondition {
  return condition('PodReadyToStartContainers', sandboxReady ? 'True' : 'False', generation);
}

interface Readiness {
  readonly unknown: readonly string[];
  readonly unready: readonly string[];
}

function problem({ unknown, unready }: Readiness, unreadyText: string): string {
  const parts: string[] = [];
  if (unknown.length > 0) parts.push(`containers with unknown status: [${unknown.join(' ')}]`);
  if (unready.length > 0) parts.push(`containers with ${unreadyText} status: [${unready.join(' ')}]`);
  return parts.join(', ');
}

/** Upstream GeneratePodInitializedCondition. */
export function initialized(
  pod: Pod,
  statuses: readonly ContainerStatus[],
  phase: string | undefined,
  generation: number | undefined,
): PodCondition {
  if (phase === 'Succeeded') return condition('Initialized', 'True', generation, 'PodCompleted');
  const unknown: string[] = [];
  const incomplete: string[] = [];
  for (const container of pod.spec.initContainers ?? []) {
    const status = statuses.find((candidate) => candidate.name === container.name);
    if (status === undefined) unknown.push(container.name);
    else if (isSidecar(container)) {
      if (status.started !== true) incomplete.push(container.name);
    } else if (!status.ready) incomplete.push(container.name);
  }
  // Once a main container has run, initialisation is over, whatever the runtime still knows of the init containers.
  const hasRun = pod.spec.containers.some((container) => {
    const status = statuses.find((candidate) => candidate.name === container.name);
    return status?.state?.running !== undefined || status?.state?.terminated !== undefined || status?.lastState?.terminated !== undefined;
  });
  if (hasRun) return condition('Initialized', 'True', generation);
  const message = problem({ unknown, unready: incomplete }, 'incomplete');
  return message === ''
    ? condition('Initialized', 'True', generation)
    : condition('Initialized', 'False', generation, 'ContainersNotInitialized', message);
}

/** Upstream GenerateContainersReadyCondition. Sidecars count. */
export function containersReady(
  pod: Pod,
  statuses: readonly ContainerStatus[],
  phase: string | undefined,
  generation: number | undefined,
): PodCondition {
  if (phase === 'Failed') return condition('ContainersReady', 'False', generation, 'PodFailed');
  if (phase === 'Succeeded') return condition('ContainersReady', 'False', generation, 'PodCompleted');
  const unknown: string[] = [];
  const unready: string[] = [];
  const look = (name: string) => {
    const status = statuses.find((candidate) => candidate.name === name);
    if (status === undefined) unknown.push(name);
    else if (!status.ready) unready.push(name);
  };
  for (const container of pod.spec.initContainers ?? []) if (isSidecar(container)) look(container.name);
  for (const container of pod.spec.containers) look(container.name);
  const message = problem({ unknown, unready }, 'unready');
  return message === ''
    ? condition('ContainersReady', 'True', generation)
    : condition('ContainersReady', 'False', generation, 'ContainersNotReady', message);
}

/** Upstream GeneratePodReadyCondition: the containers' and every readiness gate's. `others`: conditions that are not the kubelet's. */
export function podReady(
  pod: Pod,
  containers: PodCondition,
  others: readonly PodCondition[],
  generation: number | undefined,
): PodCondition {
  if (containers.status !== 'True') return { ...containers, type: 'Ready' };
  const missing: string[] = [];
  for (const gate of pod.spec.readinessGates ?? []) {
    const found = conditionOf(others, gate.conditionType);
    if (found === undefined) missing.push(`corresponding condition of pod readiness gate "${gate.conditionType}" does not exist.`);
    else if (found.status !== 'True')
      missing.push(`the status of pod readiness gate "${gate.conditionType}" is not "True", but ${found.status}`);
  }
  if (missing.length === 0) return condition('Ready', 'True', generation);
  return condition('Ready', 'False', generation, 'ReadinessGatesNotReady', missing.join(', '));
}

/** The kubelet ends the pod: eviction by pressure, shutdown of the node. */
export function disruptionTarget(message: string, generation: number | undefined): PodCondition {
  return condition('DisruptionTarget', 'True', generation, 'TerminationByKubelet', message);
}

export function podScheduled(generation: number | undefined): PodCondition {
  return condition('PodScheduled', 'True', generation);
}

/** Keeps the transition time of a condition whose status did not change: upstream updateLastTransitionTime. */
export function withTransitionTime(next: PodCondition, before: PodStatus | undefined, now: Micros): PodCondition {
  const old = conditionOf(before?.conditions, next.type);
  const time =
    old !== undefined && old.status === next.status && old.lastTransitionTime !== undefined ? old.lastTransitionTime : formatTime(now);
  return next.lastTransitionTime === time ? next : { ...next, lastTransitionTime: time };
}
