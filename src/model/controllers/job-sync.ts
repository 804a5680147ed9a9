import { formatTime, parseTime } from '../api/time.ts';
import type { Job, JobCondition, JobStatus, Pod } from '../api/types.ts';
import { slowStartBatch } from '../client/batch.ts';
import type { ControllerExpectations } from '../client/expectations.ts';
import type { EventRecorder } from '../client/events.ts';
import { JOBS, PODS } from '../client/resources.ts';
import { type ApiFailure, isNamespaceTerminating, isNotFound } from '../client/result.ts';
import type { Client } from '../client/typed-client.ts';
import { all } from '../../sim/sync.ts';
import type { Task } from '../../sim/task.ts';
import { type Micros, SECOND } from '../../sim/time.ts';
import { type BackoffRecord, finishedAt, nextBackoff, remainingBackoff } from './job-backoff.ts';
import { type JobConditionType, ensureCondition, jobCondition, newJobCondition } from './job-conditions.ts';
import { completionIndex, formatIndexes, indexFailures, parseIndexes } from './job-indexes.ts';
import {
  failsIndex,
  hasValidIndex,
  isIndexed,
  isJobPodFailed,
  isPastBackoffOnFailure,
  isSuspended,
  jobFailureMessage,
  matchFailurePolicy,
  replacesOnlyFailed,
  successPolicyMessage,
} from './job-policy.ts';
import { activePods, isTracked, jobPod, pendingIndexes, podsToRemove, untrackPatch } from './job-pods.ts';
import type { PodControl } from './pod-control.ts';
import { compareForDeletion } from './pod-ranking.ts';
import { isPodReady, isPodTerminating } from './pod-state.ts';
import { semanticEqual } from './semantic-equal.ts';

/** Most pods that one sync creates or deletes: upstream MaxPodCreateDeletePerSync. */
const podsPerSync = 500;

/** What a sync needs from the controller around it. */
export interface JobSyncParts {
  readonly client: Client;
  readonly recorder: EventRecorder;
  readonly podControl: PodControl;
  readonly expectations: ControllerExpectations;
  readonly backoffs: Map<string, BackoffRecord>;
  /** Pods whose finalizer this controller has removed, by uid, until the informer shows it. */
  readonly untracked: Set<string>;
  readonly requeueAfter: (key: string, delayUs: Micros) => void;
}

/**
 * One sync of one job: pkg/controller/job/job_controller.go, syncJob. Long because all its steps share what the sync has found so far
 * (the fields below); what decides without them is in job-policy.ts, job-indexes.ts and job-conditions.ts.
 */
export class JobSync {
  readonly #parts: JobSyncParts;
  readonly #key: string;
  readonly #pods: readonly Pod[];
  #job: Job;
  #conditions: readonly JobCondition[];
  #finished: JobCondition | undefined;
  #active: number;
  #ready: number;
  #terminating: number;
  #startTime: string | undefined;
  #succeeded = 0;
  #failed = 0;
  #doneIndexes = new Set<number>();
  #donePrevious = new Set<number>();
  #failedIndexes = new Set<number>();
  /** Per index, the failed pod whose replacement is still to come: it keeps its finalizer until then. */
  #delayed = new Map<number, Pod>();
  #backoff: BackoffRecord;

  constructor(parts: JobSyncParts, key: string, job: Job, pods: readonly Pod[]) {
    this.#parts = parts;
    this.#key = key;
    this.#job = job;
    this.#pods = pods;
    this.#conditions = job.status?.conditions ?? [];
    const active = activePods(pods);
    this.#active = active.length;
    this.#ready = active.filter(isPodReady).length;
    this.#terminating = pods.filter(isPodTerminating).length;
    this.#startTime = job.status?.startTime;
    this.#backoff = parts.backoffs.get(key) ?? { failures: 0, lastFailureWallUs: 0 };
  }

  get #now(): Micros {
    return this.#parts.client.transport.process.wall();
  }

  *run(): Task<ApiFailure | undefined> {
    const job = this.#job;
    const satisfied = this.#parts.expectations.satisfied(this.#key);
    if (this.#startTime === undefined && !isSuspended(job)) this.#startTime = formatTime(this.#now);
    this.#countFinished();
    this.#decideFinish();
    let error: ApiFailure | undefined;
    let suspendChanged = false;
    if (this.#finished !== undefined) error = yield* this.#deleteActive(satisfied);
    else {
      let managed = false;
      if (satisfied && job.metadata.deletionTimestamp === undefined) {
        error = yield* this.#manage();
        managed = true;
      }
      const completions = job.spec.completions;
      const complete =
        completions === undefined ? this.#succeeded > 0 && this.#active === 0 : this.#succeeded >= completions && this.#active === 0;
      if (complete)
        this.#finished = this.#condition('SuccessCriteriaMet', 'CompletionsReached', 'Reached expected number of succeeded pods');
      else if (managed) suspendChanged = this.#markSuspension();
    }
    const old = job.status;
    const needsWrite =
      suspendChanged ||
      this.#active !== (old?.active ?? 0) ||
      this.#ready !== old?.ready ||
      this.#terminating !== old?.terminating ||
      this.#startTime !== old?.startTime;
    const tracked = yield* this.#track(needsWrite);
    return tracked ?? error;
  }

  #condition(type: JobConditionType, reason: string, message: string): JobCondition {
    return newJobCondition(type, reason, message, this.#now);
  }

  #uncounted(which: 'succeeded' | 'failed'): readonly string[] {
    return this.#job.status?.uncountedTerminatedPods?.[which] ?? [];
  }

  #isNew(pod: Pod): boolean {
    const uid = pod.metadata.uid ?? '';
    return (
      isTracked(pod) &&
      !this.#parts.untracked.has(uid) &&
      !this.#uncounted('succeeded').includes(uid) &&
      !this.#uncounted('failed').includes(uid)
    );
  }

  /** Counts what has ended, the not yet recorded included, and what that means for the back-off. */
  #countFinished(): void {
    const job = this.#job;
    const fresh = this.#pods.filter((pod) => this.#isNew(pod));
    const succeeded = fresh.filter((pod) => pod.status?.phase === 'Succeeded');
    const failed = fresh.filter(
      (pod) => isJobPodFailed(pod, job) && (job.spec.podFailurePolicy === undefined || matchFailurePolicy(job, pod).counts),
    );
    this.#succeeded = (job.status?.succeeded ?? 0) + this.#uncounted('succeeded').length + succeeded.length;
    this.#failed = (job.status?.failed ?? 0) + this.#uncounted('failed').length + failed.length;
    const ends = (pods: readonly Pod[]): Micros[] => pods.map((pod) => finishedAt(pod, this.#now));
    // Failures that a policy ignores do not count, but the next pod waits for them all the same.
    const allFailed = fresh.filter((pod) => isJobPodFailed(pod, job));
    this.#backoff = nextBackoff(this.#backoff, ends(succeeded), ends(allFailed));
    if (!isIndexed(job)) return;
    const completions = job.spec.completions ?? 0;
    this.#donePrevious = parseIndexes(job.status?.completedIndexes, completions);
    this.#doneIndexes = new Set(this.#donePrevious);
    for (const pod of this.#pods) {
      if (pod.status?.phase === 'Succeeded' && hasValidIndex(job, pod) && isTracked(pod)) this.#doneIndexes.add(completionIndex(pod));
    }
    this.#succeeded = this.#doneIndexes.size;
    if (job.spec.backoffLimitPerIndex === undefined) return;
    this.#failedIndexes = parseIndexes(job.status?.failedIndexes, completions);
    for (const pod of this.#pods) if (hasValidIndex(job, pod) && failsIndex(job, pod)) this.#failedIndexes.add(completionIndex(pod));
    this.#noteDelayed();
  }

  /** Upstream getPodsWithDelayedDeletionPerIndex. */
  #noteDelayed(): void {
    const job = this.#job;
    const running = new Set(activePods(this.#pods).map(completionIndex));
    for (const pod of this.#pods) {
      const index = completionIndex(pod);
      if (!hasValidIndex(job, pod) || !isJobPodFailed(pod, job) || !isTracked(pod)) continue;
      if (running.has(index) || this.#doneIndexes.has(index) || this.#failedIndexes.has(index)) continue;
      const other = this.#delayed.get(index);
      if (other === undefined || indexFailures(pod) > indexFailures(other)) this.#delayed.set(index, pod);
    }
  }

  /** Whether the job has come to its end, for better or worse. */
  #decideFinish(): void {
    const job = this.#job;
    const target = jobCondition(job.status, 'FailureTarget');
    const met = jobCondition(job.status, 'SuccessCriteriaMet');
    const failure = jobFailureMessage(job, this.#pods);
    const limit = job.spec.backoffLimit ?? 6;
    if (met !== undefined) this.#finished = met;
    else if (target !== undefined) this.#finished = target;
    else if (failure !== undefined) this.#finished = this.#condition('FailureTarget', 'PodFailurePolicy', failure);
    else if (this.#failed > limit || isPastBackoffOnFailure(job, this.#pods)) {
      this.#finished = this.#condition('FailureTarget', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit');
    } else this.#checkDeadline();
    if (!isIndexed(job) || this.#finished !== undefined) return;
    const maxFailed = job.spec.maxFailedIndexes;
    if (maxFailed !== undefined && this.#failedIndexes.size > maxFailed) {
      this.#finished = this.#condition(
        'FailureTarget',
        'MaxFailedIndexesExceeded',
        'Job has exceeded the specified maximal number of failed indexes',
      );
    } else if (this.#failedIndexes.size > 0 && this.#failedIndexes.size + this.#doneIndexes.size >= (job.spec.completions ?? 0)) {
      this.#finished = this.#condition('FailureTarget', 'FailedIndexes', 'Job has failed indexes');
    } else {
      const message = successPolicyMessage(job, this.#doneIndexes);
      if (message !== undefined) this.#finished = this.#condition('SuccessCriteriaMet', 'SuccessPolicy', message);
    }
  }

  #checkDeadline(): void {
    const seconds = this.#job.spec.activeDeadlineSeconds;
    if (seconds === undefined || isSuspended(this.#job) || this.#startTime === undefined) return;
    const left = (parseTime(this.#startTime) ?? this.#now) + seconds * SECOND - this.#now;
    if (left <= 0) this.#finished = this.#condition('FailureTarget', 'DeadlineExceeded', 'Job was active longer than specified deadline');
    else this.#parts.requeueAfter(this.#key, left);
  }

  /** A finished job leaves nothing running. Upstream deleteActivePods. */
  *#deleteActive(satisfied: boolean): Task<ApiFailure | undefined> {
    const job = this.#job;
    const active = activePods(this.#pods);
    const podControl = this.#parts.podControl;
    const failures = yield* all(
      this.#parts.client.transport.process,
      active.map((pod) => podControl.delete(pod.metadata.namespace ?? '', pod.metadata.name ?? '', job)),
    );
    let deleted = 0;
    failures.forEach((failure, i) => {
      if (failure !== undefined && !isNotFound(failure)) return;
      deleted++;
      this.#terminating++;
      if (isPodReady(active[i] as Pod)) this.#ready--;
    });
    if (deleted !== active.length || !satisfied) this.#finished = undefined;
    this.#active -= deleted;
    return failures.find((failure) => failure !== undefined && !isNotFound(failure));
  }

  /** Upstream manageJob: as many pods as parallelism and what is left to do allow. */
  *#manage(): Task<ApiFailure | undefined> {
    const job = this.#job;
    const active = activePods(this.#pods);
    const now = this.#now;
    const rank = (a: Pod, b: Pod): number => compareForDeletion(a, b, () => 0, now);
    if (isSuspended(job)) return yield* this.#remove(podsToRemove(job, active, active.length, rank));
    const parallelism = job.spec.parallelism ?? 1;
    const { completions } = job.spec;
    let wanted: number;
    if (completions === undefined) wanted = this.#succeeded > 0 ? active.length : parallelism;
    else wanted = Math.max(0, Math.min(parallelism, completions - this.#succeeded - this.#failedIndexes.size));
    const excess = podsToRemove(job, active, Math.max(0, active.length - wanted), rank).slice(0, podsPerSync);
    if (excess.length > 0) return yield* this.#remove(excess);
    const waiting = replacesOnlyFailed(job) ? this.#terminating : 0;
    const missing = Math.min(podsPerSync, wanted - waiting - active.length);
    return missing > 0 ? yield* this.#add(missing) : undefined;
  }

  /** Deletes pods that are too many; they are not counted, so their finalizer goes first. */
  *#remove(pods: readonly Pod[]): Task<ApiFailure | undefined> {
    if (pods.length === 0) return undefined;
    const { client, expectations, podControl } = this.#parts;
    const key = this.#key;
    const job = this.#job;
    expectations.expectDeletions(key, pods.length);
    const remove = function* (pod: Pod): Task<ApiFailure | undefined> {
      const namespace = pod.metadata.namespace ?? '';
      const name = pod.metadata.name ?? '';
      if (isTracked(pod)) {
        const untracked = yield* client.resource(PODS).patch(namespace, name, 'strategic', untrackPatch(pod));
        if (!untracked.ok && !isNotFound(untracked)) {
          expectations.deletionObserved(key);
          return untracked;
        }
      }
      const failure = yield* podControl.delete(namespace, name, job);
      if (failure !== undefined) expectations.deletionObserved(key);
      return failure !== undefined && !isNotFound(failure) ? failure : undefined;
    };
    const failures = yield* all(client.transport.process, pods.map(remove));
    failures.forEach((failure, i) => {
      if (failure !== undefined) return;
      this.#active--;
      this.#terminating++;
      if (isPodReady(pods[i] as Pod)) this.#ready--;
    });
    return failures.find((failure) => failure !== undefined);
  }

  *#add(missing: number): Task<ApiFailure | undefined> {
    const job = this.#job;
    const perIndex = job.spec.backoffLimitPerIndex !== undefined;
    if (!perIndex) {
      const wait = remainingBackoff(this.#backoff, this.#now);
      if (wait > 0) {
        this.#parts.requeueAfter(this.#key, wait);
        return undefined;
      }
    }
    let indexes: readonly number[] | undefined;
    if (isIndexed(job)) {
      indexes = pendingIndexes(activePods(this.#pods), this.#doneIndexes, this.#failedIndexes, job.spec.completions ?? 0, missing);
      if (perIndex) indexes = this.#ripeIndexes(indexes);
    }
    const count = indexes?.length ?? missing;
    if (count === 0) return undefined;
    const { client, expectations, podControl } = this.#parts;
    expectations.expectCreations(this.#key, count);
    const drafts = Array.from({ length: count }, (_, i) =>
      jobPod(job, indexes?.[i], indexes === undefined ? undefined : this.#delayed.get(indexes[i] as number)),
    );
    const batch = yield* slowStartBatch(client.transport.process, count, 1, function* (i) {
      const created = yield* podControl.create(drafts[i] as Pod, job);
      return created.ok || isNamespaceTerminating(created) ? undefined : created;
    });
    for (let i = batch.successes; i < count; i++) expectations.creationObserved(this.#key);
    this.#active += batch.successes;
    for (const index of indexes?.slice(0, batch.successes) ?? []) this.#delayed.delete(index);
    return batch.error;
  }

  /** Indexes whose own back-off is over; the next one's end brings the next sync. */
  #ripeIndexes(indexes: readonly number[]): readonly number[] {
    let next: Micros | undefined;
    const ripe = indexes.filter((index) => {
      const failed = this.#delayed.get(index);
      if (failed === undefined) return true;
      const wait = remainingBackoff({ failures: indexFailures(failed) + 1, lastFailureWallUs: finishedAt(failed, this.#now) }, this.#now);
      if (wait > 0 && (next === undefined || wait < next)) next = wait;
      return wait <= 0;
    });
    if (next !== undefined) this.#parts.requeueAfter(this.#key, next);
    return ripe;
  }

  #markSuspension(): boolean {
    const before = this.#conditions;
    const suspended = isSuspended(this.#job);
    this.#conditions = suspended
      ? ensureCondition(before, 'Suspended', 'True', 'JobSuspended', 'Job suspended', this.#now)
      : ensureCondition(before, 'Suspended', 'False', 'JobResumed', 'Job resumed', this.#now);
    if (this.#conditions === before) return false;
    if (suspended) this.#parts.recorder.event(this.#job, 'Normal', 'Suspended', 'Job suspended');
    else {
      this.#parts.recorder.event(this.#job, 'Normal', 'Resumed', 'Job resumed');
      this.#startTime = formatTime(this.#now);
      const deadline = this.#job.spec.activeDeadlineSeconds;
      if (deadline !== undefined) this.#parts.requeueAfter(this.#key, deadline * SECOND);
    }
    return true;
  }

  /** Upstream trackJobStatusAndRemoveFinalizers: a pod is recorded, then let go, then counted, so that none is lost or counted twice. */
  *#track(needsWrite: boolean): Task<ApiFailure | undefined> {
    const job = this.#job;
    const present = new Set(
      this.#pods.filter((pod) => isTracked(pod) && !this.#parts.untracked.has(pod.metadata.uid ?? '')).map((pod) => pod.metadata.uid ?? ''),
    );
    const succeeded = this.#uncounted('succeeded').filter((uid) => present.has(uid));
    const failed = this.#uncounted('failed').filter((uid) => present.has(uid));
    const counted = {
      succeeded: this.#uncounted('succeeded').length - succeeded.length,
      failed: this.#uncounted('failed').length - failed.length,
    };
    let dirty = needsWrite || counted.succeeded + counted.failed > 0;
    const release: Pod[] = [];
    const newIndexes: number[] = [];
    const success = this.#finished?.type === 'SuccessCriteriaMet';
    for (const pod of this.#pods) {
      const uid = pod.metadata.uid ?? '';
      if (!present.has(uid)) continue;
      const isFailed = isJobPodFailed(pod, job);
      if (!this.#mayRelease(pod, isFailed)) continue;
      release.push(pod);
      if (pod.status?.phase === 'Succeeded' && !failed.includes(uid)) {
        if (isIndexed(job)) {
          if (hasValidIndex(job, pod) && !this.#donePrevious.has(completionIndex(pod))) {
            newIndexes.push(completionIndex(pod));
            dirty = true;
          }
        } else if (!succeeded.includes(uid)) {
          succeeded.push(uid);
          dirty = true;
        }
      } else if (isFailed || (this.#finished !== undefined && !success)) {
        if (failed.includes(uid) || (isIndexed(job) && !hasValidIndex(job, pod))) continue;
        if (job.spec.podFailurePolicy !== undefined && !matchFailurePolicy(job, pod).counts) continue;
        failed.push(uid);
        dirty = true;
      }
    }
    if (
      this.#finished !== undefined &&
      !this.#conditions.some((condition) => condition.type === this.#finished?.type && condition.status === 'True')
    ) {
      this.#conditions = [...this.#conditions, this.#finished];
      dirty = true;
    }
    const status = this.#status(succeeded, failed, counted, new Set([...this.#donePrevious, ...newIndexes]));
    return yield* this.#flush(status, dirty, release);
  }

  #mayRelease(pod: Pod, isFailed: boolean): boolean {
    if (this.#job.metadata.deletionTimestamp !== undefined || this.#finished !== undefined || pod.status?.phase === 'Succeeded')
      return true;
    if (!isFailed) return false;
    return this.#delayed.get(completionIndex(pod))?.metadata.uid !== pod.metadata.uid;
  }

  #status(
    succeeded: readonly string[],
    failed: readonly string[],
    counted: { readonly succeeded: number; readonly failed: number },
    done: ReadonlySet<number>,
  ): JobStatus {
    const job = this.#job;
    const old = job.status;
    const succeededCount = isIndexed(job) ? done.size : (old?.succeeded ?? 0) + counted.succeeded;
    const failedCount = (old?.failed ?? 0) + counted.failed;
    return {
      ...(this.#conditions.length > 0 ? { conditions: this.#conditions } : {}),
      ...(this.#startTime !== undefined ? { startTime: this.#startTime } : {}),
      ...(old?.completionTime !== undefined ? { completionTime: old.completionTime } : {}),
      ...(this.#active > 0 ? { active: this.#active } : {}),
      ...(succeededCount > 0 ? { succeeded: succeededCount } : {}),
      ...(failedCount > 0 ? { failed: failedCount } : {}),
      terminating: this.#terminating,
      ...(isIndexed(job) && done.size > 0 ? { completedIndexes: formatIndexes(done) } : {}),
      ...(job.spec.backoffLimitPerIndex !== undefined ? { failedIndexes: formatIndexes(this.#failedIndexes) } : {}),
      uncountedTerminatedPods: { ...(succeeded.length > 0 ? { succeeded } : {}), ...(failed.length > 0 ? { failed } : {}) },
      ready: this.#ready,
    };
  }

  *#flush(first: JobStatus, dirty: boolean, release: readonly Pod[]): Task<ApiFailure | undefined> {
    let status = first;
    if (dirty) {
      const failure = yield* this.#write(status);
      if (failure !== undefined) return failure;
    }
    if (dirty || release.length > 0) this.#parts.backoffs.set(this.#key, this.#backoff);
    const released = yield* this.#release(release);
    status = countReleased(status, released.uids, isIndexed(this.#job));
    const pending = (status.uncountedTerminatedPods?.succeeded ?? []).length + (status.uncountedTerminatedPods?.failed ?? []).length;
    const ends = this.#finished !== undefined && pending === 0 && this.#terminating === 0;
    if (ends) status = this.#ended(status);
    if (!semanticEqual(status, dirty ? first : this.#job.status) && (dirty || ends || released.uids.size > 0)) {
      const failure = yield* this.#write(status);
      if (failure !== undefined) return failure;
    }
    if (ends) this.#tellEnd();
    return released.failure;
  }

  *#release(pods: readonly Pod[]): Task<{ readonly uids: ReadonlySet<string>; readonly failure: ApiFailure | undefined }> {
    const { client, untracked } = this.#parts;
    const uids = new Set<string>();
    const one = function* (pod: Pod): Task<ApiFailure | undefined> {
      const patched = yield* client
        .resource(PODS)
        .patch(pod.metadata.namespace ?? '', pod.metadata.name ?? '', 'strategic', untrackPatch(pod));
      if (!patched.ok && !isNotFound(patched)) return patched;
      uids.add(pod.metadata.uid ?? '');
      untracked.add(pod.metadata.uid ?? '');
      return undefined;
    };
    const failures = yield* all(client.transport.process, pods.map(one));
    return { uids, failure: failures.find((failure) => failure !== undefined) };
  }

  *#write(status: JobStatus): Task<ApiFailure | undefined> {
    const written = yield* this.#parts.client.resource(JOBS).updateStatus({ ...this.#job, status });
    if (!written.ok) return written;
    this.#job = written.object;
    return undefined;
  }

  #ended(status: JobStatus): JobStatus {
    const finished = this.#finished as JobCondition;
    const type = finished.type === 'SuccessCriteriaMet' ? 'Complete' : 'Failed';
    const conditions = ensureCondition(status.conditions ?? [], type, 'True', finished.reason ?? '', finished.message ?? '', this.#now);
    return { ...status, conditions, ...(type === 'Complete' ? { completionTime: formatTime(this.#now) } : {}) };
  }

  #tellEnd(): void {
    const finished = this.#finished as JobCondition;
    if (finished.type === 'SuccessCriteriaMet') this.#parts.recorder.event(this.#job, 'Normal', 'Completed', 'Job completed');
    else this.#parts.recorder.event(this.#job, 'Warning', finished.reason ?? '', finished.message ?? '');
  }
}

/** Pods whose finalizer is gone move from the uncounted to the counted. Upstream cleanUncountedPodsWithoutFinalizers. */
function countReleased(status: JobStatus, uids: ReadonlySet<string>, indexed: boolean): JobStatus {
  const pods = status.uncountedTerminatedPods;
  const succeeded = (pods?.succeeded ?? []).filter((uid) => !uids.has(uid));
  const failed = (pods?.failed ?? []).filter((uid) => !uids.has(uid));
  const newSucceeded = (pods?.succeeded ?? []).length - succeeded.length;
  const newFailed = (pods?.failed ?? []).length - failed.length;
  if (newSucceeded + newFailed === 0) return status;
  return {
    ...status,
    ...(newSucceeded > 0 && !indexed ? { succeeded: (status.succeeded ?? 0) + newSucceeded } : {}),
    ...(newFailed > 0 ? { failed: (status.failed ?? 0) + newFailed } : {}),
    uncountedTerminatedPods: { ...(succeeded.length > 0 ? { succeeded } : {}), ...(failed.length > 0 ? { failed } : {}) },
  };
}
