import { labelsMatch, selectorOf } from '../api/label-selector.ts';
import type { Job, Pod } from '../api/types.ts';
import { ControllerExpectations } from '../client/expectations.ts';
import type { EventRecorder } from '../client/events.ts';
import type { Informer } from '../client/informer.ts';
import { objectKey } from '../client/reflector.ts';
import { JOBS, PODS } from '../client/resources.ts';
import { isNotFound } from '../client/result.ts';
import { type ReconcileError, WorkQueue, runWorkers } from '../client/work-queue.ts';
import type { Task } from '../../sim/task.ts';
import { SECOND } from '../../sim/time.ts';
import { claim } from './claim.ts';
import type { ControllerContext } from './context.ts';
import type { BackoffRecord } from './job-backoff.ts';
import { isJobFinished } from './job-conditions.ts';
import { isTracked, untrackPatch } from './job-pods.ts';
import { JobSync } from './job-sync.ts';
import { controllerOf, sameController } from './owner-reference.ts';
import { PodControl } from './pod-control.ts';
import { indexPodsByController, podsOfController } from './pod-index.ts';
import { semanticEqual } from './semantic-equal.ts';

/** Events of pods are taken together for this long: upstream syncJobBatchPeriod. */
const batchPeriod = SECOND;

/** Runs pods to completion: pkg/controller/job/job_controller.go. */
export function startJobController(context: ControllerContext): void {
  new JobController(context).start();
}

class JobController {
  readonly #context: ControllerContext;
  readonly #recorder: EventRecorder;
  readonly #jobs: Informer<Job>;
  readonly #pods: Informer<Pod>;
  readonly #queue: WorkQueue;
  readonly #orphans: WorkQueue;
  readonly #expectations: ControllerExpectations;
  readonly #backoffs = new Map<string, BackoffRecord>();
  readonly #untracked = new Set<string>();

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#recorder = context.recorder('job-controller');
    this.#jobs = context.informer(JOBS);
    this.#pods = context.informer(PODS);
    this.#queue = new WorkQueue(context.process, { baseDelayUs: SECOND, maxDelayUs: 60 * SECOND });
    this.#orphans = new WorkQueue(context.process, { baseDelayUs: SECOND, maxDelayUs: 60 * SECOND });
    this.#expectations = new ControllerExpectations(context.process);
  }

  start(): void {
    const { process, config } = this.#context;
    indexPodsByController(this.#pods);
    this.#jobs.addHandler({
      onAdd: (job) => this.#queue.add(objectKey(job)),
      onUpdate: (previous, next) => {
        // A change of the status alone can wait for the pods that caused it.
        if (previous.metadata.generation === next.metadata.generation) this.#queue.addAfter(objectKey(next), batchPeriod);
        else this.#queue.add(objectKey(next));
      },
      onDelete: (job) => {
        this.#queue.add(objectKey(job));
        for (const pod of podsOfController(this.#pods, job)) if (isTracked(pod)) this.#orphans.add(objectKey(pod));
      },
    });
    this.#pods.addHandler({
      onAdd: (pod) => this.#podAdded(pod),
      onUpdate: (previous, next) => this.#podUpdated(previous, next),
      onDelete: (pod) => this.#podDeleted(pod, true),
    });
    this.#context.whenSynced([this.#jobs, this.#pods], () => {
      runWorkers(process, 'job', this.#queue, config.concurrentJobSyncs, (key) => this.#sync(key));
      runWorkers(process, 'job-orphans', this.#orphans, 1, (key) => this.#syncOrphan(key));
    });
  }

  #owner(pod: Pod): Job | undefined {
    const reference = controllerOf(pod);
    if (reference === undefined || reference.kind !== 'Job') return undefined;
    const job = this.#jobs.get(`${pod.metadata.namespace}/${reference.name}`);
    return job?.metadata.uid === reference.uid ? job : undefined;
  }

  #batched(job: Job): void {
    this.#queue.addAfter(objectKey(job), batchPeriod);
  }

  #podAdded(pod: Pod): void {
    if (pod.metadata.deletionTimestamp !== undefined) {
      this.#podDeleted(pod, false);
      return;
    }
    const job = this.#owner(pod);
    if (job !== undefined) {
      this.#expectations.creationObserved(objectKey(job));
      this.#batched(job);
      return;
    }
    if (isOrphanedJobPod(pod)) this.#orphans.add(objectKey(pod));
    else if (controllerOf(pod) === undefined) this.#enqueueMatching(pod);
  }

  #enqueueMatching(pod: Pod): void {
    for (const job of this.#jobs.list()) {
      if (job.metadata.namespace !== pod.metadata.namespace) continue;
      const selector = selectorOf(job.spec.selector);
      if (selector.length > 0 && labelsMatch(selector, pod.metadata.labels)) this.#batched(job);
    }
  }

  #podUpdated(previous: Pod, next: Pod): void {
    if (previous.metadata.resourceVersion === next.metadata.resourceVersion) return;
    if (!isTracked(next)) this.#untracked.delete(next.metadata.uid ?? '');
    if (next.metadata.deletionTimestamp !== undefined) {
      this.#podDeleted(next, false);
      return;
    }
    if (!sameController(controllerOf(previous), controllerOf(next))) {
      const old = this.#owner(previous);
      if (old !== undefined) this.#batched(old);
    }
    const job = this.#owner(next);
    if (job !== undefined) this.#batched(job);
    else if (isOrphanedJobPod(next)) this.#orphans.add(objectKey(next));
    else if (controllerOf(next) === undefined && !semanticEqual(previous.metadata.labels, next.metadata.labels))
      this.#enqueueMatching(next);
  }

  #podDeleted(pod: Pod, final: boolean): void {
    if (final) this.#untracked.delete(pod.metadata.uid ?? '');
    const job = this.#owner(pod);
    if (job === undefined) {
      if (!final && isOrphanedJobPod(pod)) this.#orphans.add(objectKey(pod));
      return;
    }
    this.#expectations.deletionObserved(objectKey(job));
    this.#batched(job);
  }

  *#sync(key: string): Task<ReconcileError> {
    const { process, client, config } = this.#context;
    process.charge(config.reconcileCostUs);
    const job = this.#jobs.get(key);
    if (job === undefined) {
      this.#expectations.delete(key);
      this.#backoffs.delete(key);
      return undefined;
    }
    if (job.spec.managedBy !== undefined && job.spec.managedBy !== 'kubernetes.io/job-controller') return undefined;
    if (isJobFinished(job)) {
      this.#backoffs.delete(key);
      return undefined;
    }
    const pods = yield* claim(podsOfController(this.#pods, job), client.resource(PODS), {
      controller: job,
      apiVersion: 'batch/v1',
      kind: 'Job',
      selector: selectorOf(job.spec.selector),
      fresh: client.resource(JOBS),
    });
    if (!pods.ok) return pods;
    const parts = {
      client,
      recorder: this.#recorder,
      podControl: new PodControl(client, this.#recorder),
      expectations: this.#expectations,
      backoffs: this.#backoffs,
      untracked: this.#untracked,
      requeueAfter: (again: string, delay: number) => this.#queue.addAfter(again, delay),
    };
    return yield* new JobSync(parts, key, job, pods.objects).run();
  }

  /** A pod whose job is gone would keep its finalizer for ever. */
  *#syncOrphan(key: string): Task<ReconcileError> {
    const pod = this.#pods.get(key);
    if (pod === undefined || !isTracked(pod)) return undefined;
    if (this.#owner(pod) !== undefined) return undefined;
    const patched = yield* this.#context.client
      .resource(PODS)
      .patch(pod.metadata.namespace ?? '', pod.metadata.name ?? '', 'strategic', untrackPatch(pod));
    return patched.ok || isNotFound(patched) ? undefined : patched;
  }
}

/** Tracked, but nobody's: its job is gone, or it was released. */
function isOrphanedJobPod(pod: Pod): boolean {
  if (!isTracked(pod)) return false;
  const reference = controllerOf(pod);
  return reference === undefined || reference.kind === 'Job';
}
