import type { Job, Pod } from '../api/types.ts';
import { completionIndex, completionIndexAnnotation, indexFailureCountAnnotation, indexFailures } from './job-indexes.ts';
import { matchFailurePolicy } from './job-policy.ts';
import { newControllerRef } from './owner-reference.ts';
import { podFromTemplate } from './pod-control.ts';
import { isPodActive } from './pod-state.ts';

/** Keeps a pod until the job has counted it: upstream batch.JobTrackingFinalizer. */
export const jobTrackingFinalizer = 'batch.kubernetes.io/job-tracking';

export function isTracked(pod: Pod): boolean {
  return pod.metadata.finalizers?.includes(jobTrackingFinalizer) === true;
}

/** The patch that lets a counted pod go. */
export function untrackPatch(pod: Pod) {
  return { metadata: { uid: pod.metadata.uid ?? '', '$deleteFromPrimitiveList/finalizers': [jobTrackingFinalizer] } };
}

/** A pod of the job, for an index where it is an Indexed one. */
export function jobPod(job: Job, index: number | undefined, replaces: Pod | undefined): Pod {
  const pod = podFromTemplate(job.spec.template, job, newControllerRef(job, 'batch/v1', 'Job'));
  const finalizers = [...(pod.metadata.finalizers ?? []), jobTrackingFinalizer];
  if (index === undefined) return { ...pod, metadata: { ...pod.metadata, finalizers } };
  const name = job.metadata.name ?? '';
  const failures =
    job.spec.backoffLimitPerIndex === undefined
      ? {}
      : { [indexFailureCountAnnotation]: String(replaces === undefined ? 0 : nextFailures(job, replaces)) };
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      generateName: `${name}-${index}-`,
      finalizers,
      labels: { ...pod.metadata.labels, [completionIndexAnnotation]: String(index) },
      annotations: { ...pod.metadata.annotations, [completionIndexAnnotation]: String(index), ...failures },
    },
    spec: {
      ...pod.spec,
      hostname: `${name}-${index}`,
      containers: withIndexVariable(pod.spec.containers),
      ...(pod.spec.initContainers === undefined ? {} : { initContainers: withIndexVariable(pod.spec.initContainers) }),
    },
  };
}

function nextFailures(job: Job, pod: Pod): number {
  const ignored = job.spec.podFailurePolicy !== undefined && matchFailurePolicy(job, pod).action === 'Ignore';
  return indexFailures(pod) + (ignored ? 0 : 1);
}

function withIndexVariable(containers: Pod['spec']['containers']): Pod['spec']['containers'] {
  return containers.map((container) => {
    if (container.env?.some((variable) => variable.name === 'JOB_COMPLETION_INDEX') === true) return container;
    const variable = {
      name: 'JOB_COMPLETION_INDEX',
      valueFrom: { fieldRef: { fieldPath: `metadata.annotations['${completionIndexAnnotation}']` } },
    };
    return { ...container, env: [...(container.env ?? []), variable] };
  });
}

/** The lowest indexes that have neither succeeded, nor failed for good, nor a pod at work. Upstream firstPendingIndexes. */
export function pendingIndexes(
  active: readonly Pod[],
  done: ReadonlySet<number>,
  failed: ReadonlySet<number>,
  completions: number,
  count: number,
): readonly number[] {
  const taken = new Set(active.map(completionIndex));
  const found: number[] = [];
  for (let index = 0; index < completions && found.length < count; index++)
    if (!taken.has(index) && !done.has(index) && !failed.has(index)) found.push(index);
  return found;
}

/** Of several pods for an index, those too many; and active pods beyond `atLeast`. Upstream activePodsForRemoval. */
export function podsToRemove(job: Job, active: readonly Pod[], atLeast: number, rank: (a: Pod, b: Pod) => number): readonly Pod[] {
  const removed: Pod[] = [];
  let left = active;
  if (job.spec.completionMode === 'Indexed') {
    const seen = new Set<number>();
    const kept: Pod[] = [];
    for (const pod of [...active].sort((a, b) => completionIndex(a) - completionIndex(b))) {
      const index = completionIndex(pod);
      if (index < 0 || index >= (job.spec.completions ?? 0) || seen.has(index)) removed.push(pod);
      else {
        seen.add(index);
        kept.push(pod);
      }
    }
    left = kept;
  }
  if (removed.length >= atLeast) return removed;
  return [...removed, ...[...left].sort(rank).slice(0, atLeast - removed.length)];
}

export function activePods(pods: readonly Pod[]): readonly Pod[] {
  return pods.filter(isPodActive);
}
