import type { Job, Pod, PodFailurePolicyRule } from '../api/types.ts';
import { completionIndex, indexFailures, parseIndexes } from './job-indexes.ts';

export function isIndexed(job: Job): boolean {
  return job.spec.completionMode === 'Indexed';
}

export function isSuspended(job: Job): boolean {
  return job.spec.suspend === true;
}

/** Whether a pod that merely terminates is not yet a failed one. Upstream onlyReplaceFailedPods. */
export function replacesOnlyFailed(job: Job): boolean {
  return job.spec.podReplacementPolicy === 'Failed' || job.spec.podFailurePolicy !== undefined;
}

/** Upstream isPodFailed: pods that go away without having succeeded count, unless the job waits for their end. */
export function isJobPodFailed(pod: Pod, job: Job): boolean {
  if (pod.status?.phase === 'Failed') return true;
  if (replacesOnlyFailed(job)) return false;
  return pod.metadata.deletionTimestamp !== undefined && pod.status?.phase !== 'Succeeded';
}

export interface PolicyMatch {
  /** Why the whole job fails. */
  readonly jobFailure: string | undefined;
  readonly counts: boolean;
  readonly action: PodFailurePolicyRule['action'] | undefined;
}

const counted: PolicyMatch = { jobFailure: undefined, counts: true, action: undefined };

function exitCodeMatch(rule: PodFailurePolicyRule, pod: Pod): { readonly container: string; readonly code: number } | undefined {
  const wanted = rule.onExitCodes;
  if (wanted === undefined) return undefined;
  for (const status of [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]) {
    const code = status.state?.terminated?.exitCode;
    if (code === undefined || code === 0) continue;
    if (wanted.containerName !== undefined && wanted.containerName !== status.name) continue;
    if (wanted.values.includes(code) === (wanted.operator === 'In')) return { container: status.name, code };
  }
  return undefined;
}

function conditionMatch(rule: PodFailurePolicyRule, pod: Pod): { readonly type: string; readonly status: string } | undefined {
  for (const pattern of rule.onPodConditions ?? []) {
    const condition = pod.status?.conditions?.find((entry) => entry.type === pattern.type && entry.status === (pattern.status ?? 'True'));
    if (condition !== undefined) return condition;
  }
  return undefined;
}

/** The first rule that speaks of a failed pod: upstream matchPodFailurePolicy (KEP-3329). */
export function matchFailurePolicy(job: Job, pod: Pod): PolicyMatch {
  for (const [index, rule] of (job.spec.podFailurePolicy?.rules ?? []).entries()) {
    const exit = exitCodeMatch(rule, pod);
    const condition = conditionMatch(rule, pod);
    if (exit === undefined && condition === undefined) continue;
    const who = `${pod.metadata.namespace}/${pod.metadata.name}`;
    switch (rule.action) {
      case 'Ignore':
        return { jobFailure: undefined, counts: false, action: 'Ignore' };
      case 'Count':
        return { jobFailure: undefined, counts: true, action: 'Count' };
      case 'FailIndex':
        if (job.spec.backoffLimitPerIndex === undefined) break;
        return { jobFailure: undefined, counts: true, action: 'FailIndex' };
      case 'FailJob': {
        const jobFailure =
          exit !== undefined
            ? `Container ${exit.container} for pod ${who} failed with exit code ${exit.code} matching FailJob rule at index ${index}`
            : `Pod ${who} has condition ${condition?.type} matching FailJob rule at index ${index}`;
        return { jobFailure, counts: true, action: 'FailJob' };
      }
    }
  }
  return counted;
}

/** Why a pod makes the whole job fail, if any does. */
export function jobFailureMessage(job: Job, pods: readonly Pod[]): string | undefined {
  if (job.spec.podFailurePolicy === undefined) return undefined;
  for (const pod of pods) {
    if (!isJobPodFailed(pod, job)) continue;
    const { jobFailure } = matchFailurePolicy(job, pod);
    if (jobFailure !== undefined) return jobFailure;
  }
  return undefined;
}

/** Whether the failure of the pod is the last that its index may have (KEP-3850). */
export function failsIndex(job: Job, pod: Pod): boolean {
  const limit = job.spec.backoffLimitPerIndex;
  if (limit === undefined || !isJobPodFailed(pod, job)) return false;
  if (job.spec.podFailurePolicy !== undefined) {
    const { action } = matchFailurePolicy(job, pod);
    if (action === 'FailIndex') return true;
    if (action === 'Ignore') return false;
  }
  return indexFailures(pod) >= limit;
}

/** 'Matched rules at index N' once the succeeded indexes are enough (KEP-3998). */
export function successPolicyMessage(job: Job, succeeded: ReadonlySet<number>): string | undefined {
  for (const [index, rule] of (job.spec.successPolicy?.rules ?? []).entries()) {
    const wanted = rule.succeededIndexes === undefined ? succeeded : parseIndexes(rule.succeededIndexes, job.spec.completions ?? 0);
    const reached = [...wanted].filter((i) => succeeded.has(i)).length;
    if (reached >= (rule.succeededCount ?? wanted.size) && (rule.succeededIndexes !== undefined || rule.succeededCount !== undefined))
      return `Matched rules at index ${index}`;
  }
  return undefined;
}

/** Restarts in place are failures too where the kubelet restarts. Upstream pastBackoffLimitOnFailure. */
export function isPastBackoffOnFailure(job: Job, pods: readonly Pod[]): boolean {
  if (job.spec.template.spec?.restartPolicy !== 'OnFailure') return false;
  let restarts = 0;
  for (const pod of pods) {
    if (pod.status?.phase !== 'Running' && pod.status?.phase !== 'Pending') continue;
    for (const status of pod.status.containerStatuses ?? []) restarts += status.restartCount;
    for (const status of pod.status.initContainerStatuses ?? []) restarts += status.restartCount;
  }
  const limit = job.spec.backoffLimit ?? 6;
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

/** Whether a pod speaks for an index that the job has. */
export function hasValidIndex(job: Job, pod: Pod): boolean {
  const index = completionIndex(pod);
  return index >= 0 && index < (job.spec.completions ?? 0);
}
