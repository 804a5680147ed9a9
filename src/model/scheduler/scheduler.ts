import type { Pod } from '../api/types.ts';
import type { EventRecorder } from '../client/events.ts';
import type { InformerFactory } from '../client/informer-factory.ts';
import { PODS } from '../client/resources.ts';
import { type ApiFailure, isNotFound } from '../client/result.ts';
import type { Client } from '../client/typed-client.ts';
import { type DefectSet, NO_DEFECTS } from '../defects.ts';
import type { Facts } from '../facts.ts';
import type { Process } from '../../sim/process.ts';
import { type Task, suspend } from '../../sim/task.ts';
import { SECOND } from '../../sim/time.ts';
import { SchedulerCache } from './cache.ts';
import type { SchedulerConfig } from './config.ts';
import { evictVictims } from './evict-victims.ts';
import { fitErrorMessage, noNodesMessage } from './fit-error.ts';
import type { SchedulingView } from './framework.ts';
import { informerView } from './informer-view.ts';
import { Nominator } from './nominator.ts';
import { FILTER_PLUGINS, SCORE_PLUGINS } from './plugins/registry.ts';
import { type PodInfo, podInfoOf, podPriority } from './pod-info.ts';
import { podStatusPatch, type StatusChange } from './pod-condition-patch.ts';
import { type Candidate, type Preemption, preempt } from './preemption.ts';
import { watchCluster } from './event-handlers.ts';
import type { QueueEvent } from './queue-event.ts';
import { type QueuedPod, SchedulingQueue } from './queue.ts';
import { type Decision, type Profile, SearchStart, schedulePod } from './schedule-pod.ts';
import { VolumeAssumptions } from './volume-assumptions.ts';
import { type VolumeDecision, bindVolumes, decideVolumes } from './volume-binder.ts';

/** Longest message of an event: upstream truncateMessage. */
const messageMax = 1024;
/** Upstream flushUnschedulablePodsLeftover runs so often; here only while there are such pods. */
const leftoverPeriod = 30 * SECOND;
/** How long an assumption lasted unconfirmed before 1.23 (durationToExpireAssumedPod). */
const assumedPodLife = 30 * SECOND;

export interface SchedulerParts {
  readonly process: Process;
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly recorder: EventRecorder;
  readonly config: SchedulerConfig;
  readonly facts: Facts;
  readonly defects?: DefectSet;
  /** Sees every attempt, for tests and recordings. */
  readonly onDecision?: (pod: Pod, decision: Decision) => void;
  /** Chooses among the best nodes; absent: the process's random stream does. */
  readonly choose?: (pod: Pod, top: readonly string[]) => string | undefined;
}

/** One running scheduler: queue, cache, cycles, bindings. pkg/scheduler/schedule_one.go. */
export class Scheduler {
  readonly cache = new SchedulerCache();
  readonly queue: SchedulingQueue;
  readonly nominator = new Nominator();
  readonly config: SchedulerConfig;
  readonly defects: DefectSet;
  readonly #parts: SchedulerParts;
  readonly #view: SchedulingView;
  readonly #profile: Profile = { filters: FILTER_PLUGINS, scorers: SCORE_PLUGINS };
  readonly #start = new SearchStart();
  readonly #volumes = new VolumeAssumptions();
  readonly #hints = new Map(FILTER_PLUGINS.map((plugin) => [plugin.name, plugin.mayHelp]));
  /** Pods whose victims are being deleted: not tried before that is done (plugin DefaultPreemption, PreEnqueue). */
  readonly #preempting = new Set<string>();
  #wake: (() => void) | undefined;
  #timer = 0;
  #leftoverTimer = 0;

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
    this.config = parts.config;
    this.defects = parts.defects ?? NO_DEFECTS;
    this.queue = new SchedulingQueue(parts.config, () => parts.process.mono());
    this.queue.onReady = () => this.#ready();
    this.#view = informerView(parts.informers, this.cache, this.#volumes);
    watchCluster(this, parts.informers);
  }

  /** Starts taking pods from the queue; before that the caches only fill (standby replicas). */
  run(): void {
    this.#parts.process.spawn('schedule', this.#loop());
  }

  /** Tells the queue that something happened which may let refused pods be scheduled. */
  handle(event: QueueEvent): void {
    for (const queued of this.queue.unschedulable()) {
      if (this.#preempting.has(queued.uid)) continue;
      for (const plugin of queued.refusedBy) {
        if (this.#hints.get(plugin)?.(queued.info, event, this.#view) !== true) continue;
        this.queue.requeue(queued);
        break;
      }
    }
  }

  #ready(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  *#loop(): Task<void> {
    const { process } = this.#parts;
    for (;;) {
      const queued = this.queue.pop();
      if (queued === undefined) {
        yield* this.#waitForPod();
        continue;
      }
      this.#attempt(queued);
      // Each attempt is a resume of its own, so that watch events come in between, as they do beside the real scheduling goroutine.
      yield* process.sleep(0);
    }
  }

  *#waitForPod(): Task<void> {
    const { process } = this.#parts;
    yield* suspend<void>((resolve) => {
      this.#wake = resolve;
      const at = this.queue.nextReadyAt();
      if (at !== undefined) this.#timer = process.after(Math.max(0, at - process.mono()), () => this.#ready());
    });
    process.cancel(this.#timer);
    this.#timer = 0;
  }

  #attempt(queued: QueuedPod): void {
    const { process, recorder } = this.#parts;
    const { pod } = queued.info;
    if (this.cache.isAssumed(queued.uid)) return;
    if (pod.metadata.deletionTimestamp !== undefined) {
      recorder.event(pod, 'Warning', 'FailedScheduling', `skip schedule deleting pod: ${queued.info.key}`);
      this.queue.remove(queued.uid);
      return;
    }
    const decision = schedulePod(this.#profile, queued.info, this.#view, this.config, this.nominator, this.#start, process.random);
    const evaluated = decision.kind === 'chosen' ? decision.evaluated : this.cache.nodes.length;
    process.charge(this.config.cycleCostUs + Math.floor((this.config.cycleCostPerNodeNs * evaluated) / 1000));
    this.#parts.onDecision?.(pod, decision);
    switch (decision.kind) {
      case 'no-nodes':
        // Upstream treats this as an error: the pod is tried again after its back-off, not upon an event.
        this.queue.fail(queued);
        this.#tellFailure(pod, 'Unschedulable', noNodesMessage, {});
        return;
      case 'unschedulable':
        this.#unschedulable(queued, decision);
        return;
      case 'chosen':
        this.#assume(queued, this.#chosen(pod, decision));
        return;
    }
  }

  #chosen(pod: Pod, decision: Extract<Decision, { kind: 'chosen' }>): string {
    if (this.#parts.choose === undefined || decision.totals.length === 0) return decision.node;
    const best = Math.max(...decision.totals);
    const top = decision.feasible.filter((_, i) => decision.totals[i] === best).map((node) => node.name);
    return this.#parts.choose(pod, top) ?? decision.node;
  }

  /** Reserves the place and binds beside the next cycles. */
  #assume(queued: QueuedPod, node: string): void {
    const { pod } = queued.info;
    const volumes = decideVolumes(queued.info, this.cache.node(node), this.#view);
    const assumed: Pod = { ...pod, spec: { ...pod.spec, nodeName: node } };
    this.cache.assume(assumed, node);
    // An assumption stays until the binding has failed or the informer shows what became of it. One that ends by itself frees a place that
    // is taken as soon as API server or watch are slow (kubernetes#106361).
    if (this.defects.has('K5')) this.#parts.process.after(assumedPodLife, () => this.cache.forget(queued.uid));
    this.nominator.remove(queued.uid);
    for (const claim of volumes?.claims ?? []) this.#volumes.assumeClaim(claim);
    for (const volume of volumes?.volumes ?? []) this.#volumes.assumeVolume(volume);
    this.#parts.process.spawn(`bind ${queued.info.key}`, this.#bind(queued, node, volumes));
  }

  *#bind(queued: QueuedPod, node: string, volumes: VolumeDecision | undefined): Task<void> {
    const { client, recorder, facts } = this.#parts;
    const { pod } = queued.info;
    let volumeFailure: ApiFailure | undefined;
    if (volumes !== undefined) {
      // NominatedNodeNameForExpectation (KEP-5278): what takes long before the binding is announced.
      this.#patchStatus(pod, { nominatedNodeName: node });
      volumeFailure = yield* bindVolumes(client, this.#view, volumes);
    }
    const bound = volumeFailure ?? (yield* client.bind(pod, node));
    if (bound.ok) {
      this.queue.remove(queued.uid);
      facts.podBound.emit(queued.info.key, queued.uid, node);
      recorder.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${queued.info.key} to ${node}`);
      return;
    }
    if (bound.code === 0 && this.cache.has(queued.uid) && !this.cache.isAssumed(queued.uid)) {
      // No answer came, but the informer has shown the pod on its node: the binding did happen.
      facts.podBound.emit(queued.info.key, queued.uid, node);
      return;
    }
    const assumed = this.cache.isAssumed(queued.uid);
    this.cache.forget(queued.uid);
    for (const claim of volumes?.claims ?? []) this.#volumes.forget(claim.metadata.uid ?? '');
    for (const volume of volumes?.volumes ?? []) this.#volumes.forget(volume.metadata.uid ?? '');
    if (assumed) this.handle({ kind: 'pod-deleted', pod: { ...pod, spec: { ...pod.spec, nodeName: node } } });
    if (isNotFound(bound)) {
      this.queue.remove(queued.uid);
      return;
    }
    // Gone, or placed by somebody else, in the meantime: nothing to tell about.
    if (this.queue.get(queued.uid) !== queued) return;
    const message = `binding rejected: ${bound.message}`;
    this.queue.fail(queued);
    this.#tellFailure(pod, 'SchedulerError', message, {});
  }

  #unschedulable(queued: QueuedPod, decision: Extract<Decision, { kind: 'unschedulable' }>): void {
    const { diagnosis } = decision;
    if (diagnosis.preFilterMessage !== '') {
      // DynamicResources finds no state of its own PreFilter, which did not get to run, and says so.
      this.#refused(queued, fitErrorMessage(diagnosis, 'not found'), diagnosis.plugins);
      return;
    }
    const answer = preempt(queued.info, diagnosis, decision.filters, this.#view, this.nominator, this.#parts.process.random);
    if (answer.kind === 'nominate') this.#nominate(queued, decision, answer);
    else {
      const clear = answer.clearNomination && (queued.info.pod.status?.nominatedNodeName ?? '') !== '';
      if (clear) this.nominator.remove(queued.uid);
      const message = fitErrorMessage(diagnosis, `no new claims to deallocate, preemption: ${answer.message}`);
      this.#refused(queued, message, diagnosis.plugins, clear ? '' : undefined);
    }
  }

  #nominate(
    queued: QueuedPod,
    decision: Extract<Decision, { kind: 'unschedulable' }>,
    answer: Extract<Preemption, { kind: 'nominate' }>,
  ): void {
    const { candidate } = answer;
    // Where the victims terminate already there is nothing to do, and lower nominations stay until their pods are tried again.
    const alive = candidate.victims.some((victim) => victim.pod.metadata.deletionTimestamp === undefined);
    if (alive) this.#clearLowerNominations(queued.info, candidate.node);
    this.nominator.set(queued.info, candidate.node);
    this.#preempting.add(queued.uid);
    this.#parts.process.spawn(`preempt for ${queued.info.key}`, this.#evict(queued, candidate));
    this.#refused(queued, fitErrorMessage(decision.diagnosis, ''), decision.diagnosis.plugins, candidate.node);
  }

  *#evict(queued: QueuedPod, candidate: Candidate): Task<void> {
    const { client, recorder } = this.#parts;
    const failure = yield* evictVictims(client, recorder, this.config.schedulerName, queued.info.pod, candidate);
    this.#preempting.delete(queued.uid);
    const now = this.queue.get(queued.uid);
    if (now?.where !== 'unschedulable') return;
    // Events came while the pod was held back; if the victims are gone already, none will come again.
    const gone = candidate.victims.every((victim) => !this.cache.has(victim.uid));
    if (failure !== undefined || gone) this.queue.requeue(now);
  }

  /** Pods of lower priority that were nominated for the node look for another. */
  #clearLowerNominations(info: PodInfo, node: string): void {
    for (const other of this.nominator.on(node)) {
      if (podPriority(other.pod) >= podPriority(info.pod)) continue;
      this.nominator.remove(other.uid);
      this.#patchStatus(other.pod, { nominatedNodeName: '' });
    }
  }

  #refused(queued: QueuedPod, message: string, plugins: ReadonlySet<string>, nominatedNodeName?: string): void {
    this.queue.refuse(queued, plugins);
    this.#watchLeftover();
    this.#tellFailure(queued.info.pod, 'Unschedulable', message, nominatedNodeName === undefined ? {} : { nominatedNodeName });
  }

  #tellFailure(pod: Pod, reason: string, message: string, change: StatusChange): void {
    const short = message.length > messageMax ? `${message.slice(0, messageMax - 4)} ...` : message;
    this.#parts.recorder.event(pod, 'Warning', 'FailedScheduling', short);
    this.#patchStatus(pod, { ...change, condition: { type: 'PodScheduled', status: 'False', reason, message } });
  }

  #patchStatus(pod: Pod, change: StatusChange): void {
    const { client, process } = this.#parts;
    const patch = podStatusPatch(pod, change, process.wall());
    if (patch === undefined) return;
    process.spawn(
      'pod-status',
      client.resource(PODS).patch(pod.metadata.namespace ?? '', pod.metadata.name ?? '', 'strategic', patch, { subresource: 'status' }),
    );
  }

  #watchLeftover(): void {
    if (this.#leftoverTimer !== 0) return;
    this.#leftoverTimer = this.#parts.process.after(leftoverPeriod, () => {
      this.#leftoverTimer = 0;
      this.queue.flushLeftover();
      if (this.queue.hasUnschedulable) this.#watchLeftover();
    });
  }

  /** Keeps the nominations in step with what pods say. */
  noteNomination(pod: Pod): void {
    const node = pod.status?.nominatedNodeName;
    const info = podInfoOf(pod);
    if (node !== undefined && node !== '') this.nominator.set(info, node);
  }
}
