import { parseTime } from '../api/time.ts';
import type { Pod } from '../api/types.ts';
import { MINUTE, type Micros, SECOND } from '../../sim/time.ts';
import { podCondition } from './pod-state.ts';

/** Upstream DefaultJobPodFailureBackOff and MaxJobPodFailureBackOff. */
const backoffFirst: Micros = 10 * SECOND;
const backoffMax: Micros = 10 * MINUTE;

/** Failures since the last success of a job. */
export interface BackoffRecord {
  readonly failures: number;
  readonly lastFailureWallUs: Micros;
}

export const noBackoff: BackoffRecord = { failures: 0, lastFailureWallUs: 0 };

/** When the last container of a pod ended, by what the pod says. Upstream getFinishedTime. */
export function finishedAt(pod: Pod, wallUs: Micros): Micros {
  let latest: Micros | undefined;
  for (const status of pod.status?.containerStatuses ?? []) {
    const text = status.state?.terminated?.finishedAt;
    const at = text === undefined ? undefined : parseTime(text);
    if (at !== undefined && (latest === undefined || at > latest)) latest = at;
  }
  if (latest !== undefined) return latest;
  const ready = podCondition(pod, 'Ready');
  const lost = ready?.status === 'False' && ready.lastTransitionTime !== undefined ? parseTime(ready.lastTransitionTime) : undefined;
  if (lost !== undefined) return lost;
  const deleted = pod.metadata.deletionTimestamp === undefined ? undefined : parseTime(pod.metadata.deletionTimestamp);
  return deleted === undefined ? wallUs : deleted - (pod.metadata.deletionGracePeriodSeconds ?? 0) * SECOND;
}

/** The record after newly finished pods: a success forgets the failures before it. Upstream newBackoffRecord. */
export function nextBackoff(before: BackoffRecord, succeeded: readonly Micros[], failed: readonly Micros[]): BackoffRecord {
  const failures = [...failed].sort((a, b) => a - b);
  const last = failures.at(-1);
  if (succeeded.length === 0) return last === undefined ? before : { failures: before.failures + failures.length, lastFailureWallUs: last };
  const success = Math.max(...succeeded);
  const after = failures.filter((at) => at > success);
  return after.length === 0 ? noBackoff : { failures: after.length, lastFailureWallUs: after.at(-1) as Micros };
}

/** How long the next pod has to wait, counted from the end of the last failed one. */
export function remainingBackoff(record: BackoffRecord, wallUs: Micros): Micros {
  if (record.failures === 0) return 0;
  const duration = Math.min(backoffMax, backoffFirst * 2 ** Math.min(record.failures - 1, 20));
  return Math.max(0, record.lastFailureWallUs + duration - wallUs);
}
