import { parseTime } from '../api/time.ts';
import type { Pod, PodCondition } from '../api/types.ts';
import { type Micros, SECOND } from '../../sim/time.ts';

export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  const conditions = pod.status?.conditions;
  if (conditions === undefined) return undefined;
  for (const condition of conditions) if (condition.type === type) return condition;
  return undefined;
}

export function isPodReady(pod: Pod): boolean {
  return podCondition(pod, 'Ready')?.status === 'True';
}

/** When the pod got ready (wall clock), or undefined where it is not. */
export function podReadySince(pod: Pod): Micros | undefined {
  const condition = podCondition(pod, 'Ready');
  if (condition?.status !== 'True' || condition.lastTransitionTime === undefined) return undefined;
  return parseTime(condition.lastTransitionTime);
}

/** Ready for at least minReadySeconds: upstream podutil.IsPodAvailable. */
export function isPodAvailable(pod: Pod, minReadySeconds: number, wallUs: Micros): boolean {
  if (!isPodReady(pod)) return false;
  if (minReadySeconds === 0) return true;
  const since = podReadySince(pod);
  return since !== undefined && since + minReadySeconds * SECOND <= wallUs;
}

/** Wall-clock time at which a ready pod becomes available; undefined where it is available or not ready. */
export function podAvailableAt(pod: Pod, minReadySeconds: number, wallUs: Micros): Micros | undefined {
  const since = podReadySince(pod);
  if (since === undefined || minReadySeconds === 0) return undefined;
  const at = since + minReadySeconds * SECOND;
  return at > wallUs ? at : undefined;
}

export function isPodFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Neither finished nor on its way out: upstream controller.IsPodActive. */
export function isPodActive(pod: Pod): boolean {
  return !isPodFinished(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** Deleted but not yet finished: upstream controller.IsPodTerminating. */
export function isPodTerminating(pod: Pod): boolean {
  return !isPodFinished(pod) && pod.metadata.deletionTimestamp !== undefined;
}
