import { type CronSchedule, parseCron } from '../api/cron.ts';
import { formatTime, parseTime } from '../api/time.ts';
import { isTimeZone } from '../api/time-zones.ts';
import type { CronJob, CronJobStatus, Job, ObjectReference } from '../api/types.ts';
import type { EventRecorder } from '../client/events.ts';
import type { Informer } from '../client/informer.ts';
import { objectKey } from '../client/reflector.ts';
import { CRON_JOBS, JOBS } from '../client/resources.ts';
import { type ApiFailure, isAlreadyExists, isNamespaceTerminating, isNotFound } from '../client/result.ts';
import { type ReconcileError, WorkQueue, runWorkers } from '../client/work-queue.ts';
import type { Task } from '../../sim/task.ts';
import { MILLISECOND, MINUTE, type Micros, SECOND } from '../../sim/time.ts';
import type { ControllerContext } from './context.ts';
import { mostRecentTime, nextTime } from './cronjob-schedule.ts';
import { isJobFinished, jobCondition } from './job-conditions.ts';
import { controllerOf, newControllerRef } from './owner-reference.ts';
import { zoneOffsetUs } from './time-zone-offset.ts';

const scheduledAnnotation = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
/** Upstream nextScheduleDelta: so that the tick is surely over when the queue wakes up. */
const scheduleDelta = 100 * MILLISECOND;
const byController = 'controller';

/** Makes jobs by the clock: pkg/controller/cronjob/cronjob_controllerv2.go. */
export function startCronJobController(context: ControllerContext): void {
  new CronJobController(context).start();
}

class CronJobController {
  readonly #context: ControllerContext;
  readonly #recorder: EventRecorder;
  readonly #cronJobs: Informer<CronJob>;
  readonly #jobs: Informer<Job>;
  readonly #queue: WorkQueue;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#recorder = context.recorder('cronjob-controller');
    this.#cronJobs = context.informer(CRON_JOBS);
    this.#jobs = context.informer(JOBS);
    this.#queue = new WorkQueue(context.process);
  }

  start(): void {
    const { process, config } = this.#context;
    this.#jobs.addIndex(byController, (job) => {
      const owner = controllerOf(job);
      return owner === undefined ? [] : [owner.uid];
    });
    const enqueue = (cronJob: CronJob): void => this.#queue.add(objectKey(cronJob));
    this.#cronJobs.addHandler({ onAdd: enqueue, onUpdate: (_, next) => enqueue(next), onDelete: enqueue });
    const enqueueOwner = (job: Job): void => {
      const owner = controllerOf(job);
      if (owner?.kind !== 'CronJob') return;
      const cronJob = this.#cronJobs.get(`${job.metadata.namespace}/${owner.name}`);
      if (cronJob?.metadata.uid === owner.uid) enqueue(cronJob);
    };
    this.#jobs.addHandler({ onAdd: enqueueOwner, onUpdate: (_, next) => enqueueOwner(next), onDelete: enqueueOwner });
    this.#context.whenSynced([this.#cronJobs, this.#jobs], () => {
      runWorkers(process, 'cronjob', this.#queue, config.concurrentCronJobSyncs, (key) => this.#sync(key));
    });
  }

  *#sync(key: string): Task<ReconcileError> {
    const { process, config } = this.#context;
    process.charge(config.reconcileCostUs);
    const cronJob = this.#cronJobs.get(key);
    if (cronJob === undefined) return undefined;
    const jobs = this.#jobs.byIndex(byController, cronJob.metadata.uid ?? '');
    const cleaned = yield* this.#cleanUp(cronJob, jobs);
    const status = new StatusDraft(cronJob, cleaned.status);
    const failure = yield* this.#reconcile(key, cronJob, jobs, status);
    if (status.changed) {
      const written = yield* this.#context.client.resource(CRON_JOBS).updateStatus({ ...cronJob, status: status.value });
      if (!written.ok) return written;
    }
    return failure ?? cleaned.failure;
  }

  /** Deletes finished jobs beyond the history limits, oldest first. */
  *#cleanUp(cronJob: CronJob, jobs: readonly Job[]): Task<{ readonly status: CronJobStatus; readonly failure: ApiFailure | undefined }> {
    const { failedJobsHistoryLimit, successfulJobsHistoryLimit } = cronJob.spec;
    let status: CronJobStatus = cronJob.status ?? {};
    const groups: readonly (readonly [readonly Job[], number | undefined])[] = [
      [jobs.filter((job) => jobCondition(job.status, 'Complete') !== undefined), successfulJobsHistoryLimit],
      [jobs.filter((job) => jobCondition(job.status, 'Failed') !== undefined), failedJobsHistoryLimit],
    ];
    for (const [finished, limit] of groups) {
      if (limit === undefined) continue;
      const sorted = [...finished].sort(byStart);
      for (const job of sorted.slice(0, Math.max(0, sorted.length - limit))) {
        const failure = yield* this.#deleteJob(cronJob, job);
        if (failure !== undefined) return { status, failure };
        status = withoutActive(status, job.metadata.uid ?? '');
      }
    }
    return { status, failure: undefined };
  }

  *#deleteJob(cronJob: CronJob, job: Job): Task<ApiFailure | undefined> {
    const name = job.metadata.name ?? '';
    const deleted = yield* this.#context.client
      .resource(JOBS)
      .delete(job.metadata.namespace ?? '', name, { options: { propagationPolicy: 'Background' } });
    if (!deleted.ok && !isNotFound(deleted)) {
      this.#recorder.event(cronJob, 'Warning', 'FailedDelete', `Deleted job: ${deleted.message}`);
      return deleted;
    }
    this.#recorder.event(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${name}`);
    return undefined;
  }

  *#reconcile(key: string, cronJob: CronJob, jobs: readonly Job[], status: StatusDraft): Task<ApiFailure | undefined> {
    this.#review(cronJob, jobs, status);
    yield* this.#reviewMissing(cronJob, jobs, status);
    if (cronJob.metadata.deletionTimestamp !== undefined) return undefined;
    const zone = cronJob.spec.timeZone;
    if (zone !== undefined && !isTimeZone(zone)) {
      this.#recorder.event(cronJob, 'Warning', 'UnknownTimeZone', `invalid timeZone: ${JSON.stringify(zone)}: unknown time zone ${zone}`);
      return undefined;
    }
    if (cronJob.spec.suspend === true) return undefined;
    const schedule = parseCron(cronJob.spec.schedule);
    if ('error' in schedule) {
      this.#recorder.event(
        cronJob,
        'Warning',
        'UnparseableSchedule',
        `unparseable schedule: ${JSON.stringify(cronJob.spec.schedule)} : ${schedule.error}`,
      );
      return undefined;
    }
    return yield* this.#start(key, cronJob, schedule, status);
  }

  /** Takes in what became of the jobs. */
  #review(cronJob: CronJob, jobs: readonly Job[], status: StatusDraft): void {
    for (const job of jobs) {
      const name = job.metadata.name ?? '';
      const isActive = status.isActive(job.metadata.uid ?? '');
      if (!isActive && !isJobFinished(job)) {
        this.#recorder.event(cronJob, 'Warning', 'UnexpectedJob', `Saw a job that the controller did not create or forgot: ${name}`);
      } else if (isActive && isJobFinished(job)) {
        status.remove(job.metadata.uid ?? '');
        const how = jobCondition(job.status, 'Complete') !== undefined ? 'Complete' : 'Failed';
        this.#recorder.event(cronJob, 'Normal', 'SawCompletedJob', `Saw completed job: ${name}, condition: ${how}`);
      }
      const completed = job.status?.completionTime;
      if (jobCondition(job.status, 'Complete') !== undefined && completed !== undefined) status.succeeded(completed);
    }
  }

  /** Active jobs that are gone. A fresh read makes sure, because the informer may lag behind our own create. */
  *#reviewMissing(cronJob: CronJob, jobs: readonly Job[], status: StatusDraft): Task<void> {
    for (const reference of status.value.active ?? []) {
      if (jobs.some((job) => job.metadata.uid === reference.uid)) continue;
      const read = yield* this.#context.client.resource(JOBS).get(reference.namespace ?? '', reference.name ?? '');
      if (read.ok || !isNotFound(read)) continue;
      this.#recorder.event(cronJob, 'Normal', 'MissingJob', `Active job went missing: ${reference.name}`);
      status.remove(reference.uid ?? '');
    }
  }

  #earliest(cronJob: CronJob, status: StatusDraft, withDeadline: boolean): Micros {
    let earliest = parseTime(status.value.lastScheduleTime ?? cronJob.metadata.creationTimestamp ?? '') ?? 0;
    const deadline = cronJob.spec.startingDeadlineSeconds;
    if (withDeadline && deadline !== undefined) earliest = Math.max(earliest, this.#context.process.wall() - deadline * SECOND);
    return earliest;
  }

  #wakeForNext(key: string, cronJob: CronJob, schedule: CronSchedule, status: StatusDraft): void {
    const now = this.#context.process.wall();
    const zone = cronJob.spec.timeZone;
    const earliest = this.#earliest(cronJob, status, false);
    const recent = mostRecentTime(schedule, zone, earliest, now).at ?? earliest;
    const next = nextTime(schedule, zone, recent);
    if (next !== undefined) this.#queue.addAfter(key, Math.max(0, next + scheduleDelta - now));
  }

  *#start(key: string, cronJob: CronJob, schedule: CronSchedule, status: StatusDraft): Task<ApiFailure | undefined> {
    const now = this.#context.process.wall();
    const { startingDeadlineSeconds, concurrencyPolicy, timeZone } = cronJob.spec;
    const recent = mostRecentTime(schedule, timeZone, this.#earliest(cronJob, status, true), now);
    if (recent.missed === 'many') {
      this.#recorder.event(
        cronJob,
        'Warning',
        'TooManyMissedTimes',
        'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
      );
      // That many are worth a warning, and no reason to give up: the job is due all the same (kubernetes#42649).
      if (this.#context.defects.has('K25')) return undefined;
    }
    const at = recent.at;
    const tooLate = at !== undefined && startingDeadlineSeconds !== undefined && at + startingDeadlineSeconds * SECOND < now;
    if (tooLate) this.#recorder.event(cronJob, 'Warning', 'MissSchedule', `Missed scheduled time to start a job: ${formatTime(at)}`);
    const name = at === undefined ? '' : `${cronJob.metadata.name ?? ''}-${Math.floor(at / MINUTE)}`;
    const done = at !== undefined && (status.value.lastScheduleTime === formatTime(at) || status.isActiveByName(name));
    if (at === undefined || tooLate || done) {
      this.#wakeForNext(key, cronJob, schedule, status);
      return undefined;
    }
    const active = status.value.active ?? [];
    if (concurrencyPolicy === 'Forbid' && active.length > 0) {
      this.#recorder.event(
        cronJob,
        'Normal',
        'JobAlreadyActive',
        'Not starting job because prior execution is running and concurrency policy is Forbid',
      );
      this.#wakeForNext(key, cronJob, schedule, status);
      return undefined;
    }
    if (concurrencyPolicy === 'Replace') {
      const failure = yield* this.#replaceActive(cronJob, active, status);
      if (failure !== undefined) return failure;
    }
    const failure = yield* this.#create(cronJob, name, at, status);
    if (failure !== undefined) return failure;
    this.#wakeForNext(key, cronJob, schedule, status);
    return undefined;
  }

  *#replaceActive(cronJob: CronJob, active: readonly ObjectReference[], status: StatusDraft): Task<ApiFailure | undefined> {
    for (const reference of active) {
      const job = yield* this.#context.client.resource(JOBS).get(reference.namespace ?? '', reference.name ?? '');
      if (!job.ok) {
        if (!isNotFound(job)) return job;
        continue;
      }
      const failure = yield* this.#deleteJob(cronJob, job.object);
      if (failure !== undefined) return failure;
      status.remove(reference.uid ?? '');
    }
    return undefined;
  }

  *#create(cronJob: CronJob, name: string, at: Micros, status: StatusDraft): Task<ApiFailure | undefined> {
    const { metadata, spec } = cronJob.spec.jobTemplate;
    const draft: Job = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name,
        namespace: cronJob.metadata.namespace ?? '',
        ...(metadata?.labels !== undefined ? { labels: metadata.labels } : {}),
        annotations: { ...metadata?.annotations, [scheduledAnnotation]: localTime(at, cronJob.spec.timeZone) },
        ownerReferences: [newControllerRef(cronJob, 'batch/v1', 'CronJob')],
      },
      spec: spec as Job['spec'],
    };
    const created = yield* this.#context.client.resource(JOBS).create(draft);
    let job: Job;
    if (created.ok) {
      job = created.object;
      this.#recorder.event(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${name}`);
    } else if (isAlreadyExists(created)) {
      const existing = yield* this.#context.client.resource(JOBS).get(cronJob.metadata.namespace ?? '', name);
      if (!existing.ok) return existing;
      if (controllerOf(existing.object)?.uid !== cronJob.metadata.uid || isJobFinished(existing.object)) return undefined;
      job = existing.object;
    } else {
      if (isNamespaceTerminating(created)) return undefined;
      this.#recorder.event(cronJob, 'Warning', 'FailedCreate', `Error creating job: ${created.message}`);
      return created;
    }
    status.started(job, formatTime(at));
    return undefined;
  }
}

/** Oldest start first; unstarted last. Upstream byJobStartTime. */
function byStart(a: Job, b: Job): number {
  const startA = a.status?.startTime;
  const startB = b.status?.startTime;
  if (startA !== startB) return startA === undefined ? 1 : startB === undefined ? -1 : startA < startB ? -1 : 1;
  const nameA = a.metadata.name ?? '';
  const nameB = b.metadata.name ?? '';
  return nameA < nameB ? -1 : nameA > nameB ? 1 : 0;
}

/** RFC 3339 in the zone of the schedule. */
function localTime(at: Micros, zone: string | undefined): string {
  const offset = zone === undefined ? 0 : (zoneOffsetUs(zone, at) ?? 0);
  if (offset === 0) return formatTime(at);
  const minutes = Math.abs(offset) / MINUTE;
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${formatTime(at + offset).slice(0, -1)}${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function withoutActive(status: CronJobStatus, uid: string): CronJobStatus {
  const active = (status.active ?? []).filter((reference) => reference.uid !== uid);
  if (active.length === (status.active ?? []).length) return status;
  const { active: _, ...rest } = status;
  return active.length === 0 ? rest : { ...rest, active };
}

/** The status of a cron job as one sync changes it. */
class StatusDraft {
  value: CronJobStatus;
  readonly #before: CronJobStatus | undefined;

  constructor(cronJob: CronJob, value: CronJobStatus) {
    this.#before = cronJob.status;
    this.value = value;
  }

  get changed(): boolean {
    return this.value !== (this.#before ?? this.value) || (this.#before === undefined && Object.keys(this.value).length > 0);
  }

  isActive(uid: string): boolean {
    return this.value.active?.some((reference) => reference.uid === uid) === true;
  }

  isActiveByName(name: string): boolean {
    return this.value.active?.some((reference) => reference.name === name) === true;
  }

  remove(uid: string): void {
    this.value = withoutActive(this.value, uid);
  }

  succeeded(at: string): void {
    const last = this.value.lastSuccessfulTime;
    if (last === undefined || last < at) this.value = { ...this.value, lastSuccessfulTime: at };
  }

  started(job: Job, at: string): void {
    const reference: ObjectReference = {
      kind: 'Job',
      namespace: job.metadata.namespace ?? '',
      name: job.metadata.name ?? '',
      uid: job.metadata.uid ?? '',
      apiVersion: 'batch/v1',
      resourceVersion: job.metadata.resourceVersion ?? '',
    };
    this.value = { ...this.value, active: [...(this.value.active ?? []), reference], lastScheduleTime: at };
  }
}
