import { formatTime } from '../api/time.ts';
import type { Job, JobCondition, JobStatus } from '../api/types.ts';
import type { Micros } from '../../sim/time.ts';

export type JobConditionType = 'Suspended' | 'SuccessCriteriaMet' | 'Complete' | 'FailureTarget' | 'Failed';

export function jobCondition(status: JobStatus | undefined, type: JobConditionType): JobCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');
}

export function isJobFinished(job: Job): boolean {
  return jobCondition(job.status, 'Complete') !== undefined || jobCondition(job.status, 'Failed') !== undefined;
}

export function newJobCondition(type: JobConditionType, reason: string, message: string, wallUs: Micros): JobCondition {
  const now = formatTime(wallUs);
  return { type, status: 'True', lastProbeTime: now, lastTransitionTime: now, reason, message };
}

/** Sets a condition; the same list where it said so already. Upstream ensureJobConditionStatus: an absent one is not set to False. */
export function ensureCondition(
  conditions: readonly JobCondition[],
  type: JobConditionType,
  status: 'True' | 'False',
  reason: string,
  message: string,
  wallUs: Micros,
): readonly JobCondition[] {
  const at = conditions.findIndex((condition) => condition.type === type);
  const next = { ...newJobCondition(type, reason, message, wallUs), status };
  if (at < 0) return status === 'True' ? [...conditions, next] : conditions;
  const current = conditions[at] as JobCondition;
  if (current.status === status && current.reason === reason && current.message === message) return conditions;
  return conditions.map((condition, i) => (i === at ? next : condition));
}
