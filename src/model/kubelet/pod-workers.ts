import type { Process } from '../../sim/process.ts';
import type { Task } from '../../sim/task.ts';
import type { Micros } from '../../sim/time.ts';
import type { Pod } from '../api/types.ts';
import { type KubeletConfig, REQUEUE_JITTER_PERCENT } from './config.ts';
import type { PodRecords } from './cri.ts';
import type { Pleg } from './pleg.ts';
import { isStatic } from './pod-spec.ts';
import { keyOf } from './runtime/machine.ts';
import { StaticPodTurns } from './static-pod-turns.ts';
import { backOffEnd, type SyncFailure } from './sync-error.ts';
import { WorkTicks } from './work-ticks.ts';

/** Why a pod is synced: decides how thoroughly. */
export type SyncCause = 'create' | 'update' | 'resync' | 'pleg' | 'probe' | 'kill';

/** Why the kubelet itself ends a pod, as the pod's status says it. */
export interface Eviction {
  readonly reason: string;
  readonly message: string;
  /** Tell it as condition DisruptionTarget too (KEP-3329). */
  readonly disruption: boolean;
}

/** An order to end a pod, from outside of its specification. */
export interface KillOrder {
  /** Overrides the pod's grace period. */
  readonly graceSeconds?: number;
  /** What the pod's status is to say (eviction, node shutdown). */
  readonly evict?: Eviction;
  /** The pod is no longer known to the API. */
  readonly removed?: boolean;
  readonly done?: () => void;
}

export interface PodWorkerCallbacks {
  /** Answers whether the pod has reached a terminal phase. */
  readonly sync: (
    pod: Pod,
    records: PodRecords | undefined,
    cause: SyncCause,
  ) => Task<{ readonly terminal: boolean; readonly failures: readonly SyncFailure[]; readonly resync: boolean }>;
  readonly terminate: (
    pod: Pod,
    records: PodRecords | undefined,
    graceSeconds: number,
    kill: KillOrder | undefined,
  ) => Task<{ readonly failures: readonly SyncFailure[] }>;
  readonly terminated: (pod: Pod, records: PodRecords | undefined) => Task<{ readonly failures: readonly SyncFailure[] }>;
  readonly finished: (pod: Pod) => void;
}

type Stage = 'syncing' | 'terminating' | 'terminated' | 'finished';

interface Worker {
  pod: Pod;
  stage: Stage;
  /** A pod that the kubelet never started: nothing to stop. */
  started: boolean;
  pending: SyncCause | undefined;
  running: boolean;
  lastSyncAt: Micros;
  graceSeconds: number | undefined;
  kill: KillOrder | undefined;
  /** Gone from its source: only the look after all pods (housekeeping) drives it on. */
  deleted: boolean;
  /** The same pod came back while it was being ended: it begins anew once it is finished. */
  restart: boolean;
}

/**
 * One serial worker for each pod: upstream pkg/kubelet/pod_workers.go. A pod is synced while it lives, terminated when its deletion or end
 * is seen (never synced again after that), and finished when nothing of it is left. Every step waits for a look at the runtime
 * newer than the step before.
 */
export class PodWorkers {
  readonly #process: Process;
  readonly #pleg: Pleg;
  readonly #config: KubeletConfig;
  readonly #callbacks: PodWorkerCallbacks;
  readonly #workers = new Map<string, Worker>();
  readonly #ticks: WorkTicks;
  readonly #turns = new StaticPodTurns();
  #podsSynced = false;

  constructor(process: Process, pleg: Pleg, config: KubeletConfig, callbacks: PodWorkerCallbacks) {
    this.#process = process;
    this.#pleg = pleg;
    this.#config = config;
    this.#callbacks = callbacks;
    this.#ticks = new WorkTicks(process, (uid) => this.resync(uid));
  }

  /** A pod to run, as its source now has it. */
  update(pod: Pod, cause: SyncCause): void {
    const uid = pod.metadata.uid ?? '';
    let worker = this.#workers.get(uid);
    if (worker === undefined) {
      worker = {
        pod,
        stage: 'syncing',
        started: false,
        pending: undefined,
        running: false,
        lastSyncAt: -1,
        graceSeconds: undefined,
        kill: undefined,
        deleted: false,
        restart: false,
      };
      this.#workers.set(uid, worker);
      if (isStatic(pod)) this.#turns.wait(keyOf(pod), uid);
    } else if (cause === 'create' && worker.deleted) {
      worker.restart = true;
      return;
    }
    worker.pod = pod;
    if (worker.stage === 'finished') return;
    if (worker.stage === 'syncing' && (pod.metadata.deletionTimestamp !== undefined || isTerminal(pod))) worker.stage = 'terminating';
    this.#noteGrace(worker);
    this.#push(uid, worker, cause);
  }

  /** Ends a pod. The specification's word on its grace period may only be shortened. */
  kill(pod: Pod, order: KillOrder): void {
    const uid = pod.metadata.uid ?? '';
    const worker = this.#workers.get(uid);
    if (worker === undefined) return;
    worker.pod = pod;
    worker.kill = { ...worker.kill, ...order };
    if (order.removed === true) worker.deleted = true;
    if (worker.stage === 'finished') {
      order.done?.();
      if (worker.deleted) this.#workers.delete(uid);
      return;
    }
    if (worker.stage === 'syncing') worker.stage = 'terminating';
    if (isStatic(pod) && !worker.started && !worker.running) {
      // It never had its turn: nothing of it is there to be ended.
      this.#finish(uid, worker);
      return;
    }
    this.#noteGrace(worker);
    this.#push(uid, worker, 'kill');
  }

  #noteGrace(worker: Worker): void {
    if (worker.stage !== 'terminating') return;
    const { pod, kill } = worker;
    const asked = kill?.graceSeconds ?? pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
    if (worker.graceSeconds === undefined || asked < worker.graceSeconds) worker.graceSeconds = asked;
  }

  /** Syncs a known pod again. */
  resync(podUid: string, cause: SyncCause = 'resync'): void {
    const worker = this.#workers.get(podUid);
    if (worker === undefined || worker.stage === 'finished' || worker.deleted) return;
    this.#push(podUid, worker, cause);
  }

  /**
   * Drives on the pods whose source is gone, and forgets those that are finished: upstream SyncKnownPods, every two seconds. Answers
   * the pods that are to begin anew; `left` when there is something to look at again.
   */
  syncKnown(): { readonly restart: readonly string[]; readonly left: boolean } {
    const restart: string[] = [];
    let left = false;
    for (const uid of this.podUids()) {
      const worker = this.#workers.get(uid);
      if (worker === undefined || !worker.deleted) continue;
      if (worker.stage === 'finished') {
        this.#workers.delete(uid);
        if (worker.restart) restart.push(uid);
        continue;
      }
      left = true;
      if (!worker.running) this.#push(uid, worker, 'kill');
    }
    return { restart, left };
  }

  /** A static pod of that name still has containers that are being stopped. */
  isTerminatingByName(name: string): boolean {
    return this.stage(this.#turns.running(name) ?? '') === 'terminating';
  }

  /** Sync this pod at a later look of the loop. */
  resyncAfter(podUid: string, delayUs: Micros): void {
    this.#ticks.enqueue(podUid, delayUs);
  }

  pod(podUid: string): Pod | undefined {
    return this.#workers.get(podUid)?.pod;
  }

  knows(podUid: string): boolean {
    return this.#workers.has(podUid);
  }

  stage(podUid: string): Stage | undefined {
    return this.#workers.get(podUid)?.stage;
  }

  /** Uids of all pods that have a worker, in code-unit order. */
  podUids(): readonly string[] {
    return [...this.#workers.keys()].sort();
  }

  /** Containers of the pod may be running: upstream CouldHaveRunningContainers. */
  couldHaveRunningContainers(podUid: string): boolean {
    const stage = this.#workers.get(podUid)?.stage;
    // Before all pods were looked at once, one without a worker may be running from before.
    return stage === undefined ? !this.#podsSynced : stage === 'syncing' || stage === 'terminating';
  }

  /** Every pod that the runtime has is known by now or being ended. */
  podsSynced(): void {
    this.#podsSynced = true;
  }

  /** The pod is on its way out, or was never here. */
  isTerminating(podUid: string): boolean {
    const stage = this.#workers.get(podUid)?.stage;
    return stage !== undefined && stage !== 'syncing';
  }

  isTerminated(podUid: string): boolean {
    const stage = this.#workers.get(podUid)?.stage;
    return stage === 'terminated' || stage === 'finished';
  }

  #push(uid: string, worker: Worker, cause: SyncCause): void {
    // A configuration's change outranks what is pending; nothing pending is ever lost.
    if (worker.pending === undefined || cause === 'update' || cause === 'create' || cause === 'kill') worker.pending = cause;
    if (worker.running) return;
    worker.running = true;
    this.#process.spawn(`pod-worker ${uid}`, this.#run(uid, worker));
  }

  *#run(uid: string, worker: Worker): Task<void> {
    while (worker.pending !== undefined && worker.stage !== 'finished') {
      const cause = worker.pending;
      worker.pending = undefined;
      this.#ticks.remove(uid);
      if (!this.#mayStart(uid, worker)) break;
      // What is to be done is decided before the look at the runtime. A deletion that comes while that is waited for has to wait for
      // the end of this step, and for one more look.
      const { stage, pod } = worker;
      const records = yield* this.#pleg.newerThan(uid, worker.lastSyncAt);
      const { failures, resync } = yield* this.#step(worker, stage, pod, records, cause);
      worker.lastSyncAt = this.#process.mono();
      this.#requeue(uid, worker, stage, failures, resync);
    }
    worker.running = false;
    if (worker.stage === 'finished' && worker.deleted && !worker.restart) this.#workers.delete(uid);
  }

  /** Static pods of one name run one after the other: upstream allowPodStart. */
  #mayStart(uid: string, worker: Worker): boolean {
    if (worker.started || !isStatic(worker.pod)) return true;
    if (worker.stage !== 'syncing') {
      this.#finish(uid, worker);
      return false;
    }
    const isGone = (other: string) => this.stage(other) !== 'syncing';
    if (this.#turns.mayStart(keyOf(worker.pod), uid, isGone)) {
      worker.started = true;
      return true;
    }
    this.#ticks.enqueue(uid, this.#jittered(this.#config.podSyncBackOffUs));
    return false;
  }

  #finish(uid: string, worker: Worker): void {
    worker.stage = 'finished';
    if (isStatic(worker.pod)) this.#turns.done(keyOf(worker.pod), uid);
    this.#callbacks.finished(worker.pod);
    worker.kill?.done?.();
    if (worker.deleted && !worker.restart) this.#workers.delete(uid);
  }

  *#step(
    worker: Worker,
    stage: Stage,
    pod: Pod,
    records: PodRecords | undefined,
    cause: SyncCause,
  ): Task<{ readonly failures: readonly SyncFailure[]; readonly resync: boolean }> {
    switch (stage) {
      case 'syncing': {
        worker.started = true;
        const result = yield* this.#callbacks.sync(pod, records, cause);
        if (result.terminal && worker.stage === 'syncing') {
          worker.stage = 'terminating';
          this.#noteGrace(worker);
        }
        return result;
      }
      case 'terminating': {
        const result = yield* this.#callbacks.terminate(pod, records, worker.graceSeconds ?? 30, worker.kill);
        if (result.failures.length === 0) worker.stage = 'terminated';
        return { ...result, resync: false };
      }
      case 'terminated': {
        const result = yield* this.#callbacks.terminated(pod, records);
        if (result.failures.length === 0) this.#finish(pod.metadata.uid ?? '', worker);
        return { ...result, resync: false };
      }
      case 'finished':
        return { failures: [], resync: false };
    }
  }

  /** Upstream completeWork: when to look at the pod again without news. */
  #requeue(uid: string, worker: Worker, before: Stage, failures: readonly SyncFailure[], resync: boolean): void {
    if (worker.stage === 'finished') return;
    const { syncFrequencyUs, podSyncBackOffUs } = this.#config;
    if (worker.stage !== before) {
      // The next stage follows at once (requeueLastPodUpdate): as soon as the runtime was looked at again.
      worker.pending ??= 'resync';
      return;
    }
    if (failures.length === 0) {
      if (resync) this.#ticks.enqueue(uid, this.#jittered(syncFrequencyUs));
      return;
    }
    const end = backOffEnd(failures);
    const wanted = end === undefined ? podSyncBackOffUs : Math.min(Math.max(0, end - this.#process.wall()), syncFrequencyUs);
    this.#ticks.enqueue(uid, this.#jittered(wanted));
  }

  #jittered(delayUs: Micros): Micros {
    return delayUs + this.#process.random.below(Math.floor((delayUs * REQUEUE_JITTER_PERCENT) / 100) + 1);
  }
}

function isTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}
