import type { Pod } from '../api/types.ts';
import { type Micros, SECOND } from '../../sim/time.ts';
import type { SchedulerConfig } from './config.ts';
import { PodHeap } from './pod-heap.ts';
import { type PodInfo, podInfoOf, podPriority } from './pod-info.ts';

/** A pod in the queue with what its past attempts left: upstream framework.QueuedPodInfo. */
export interface QueuedPod {
  readonly uid: string;
  info: PodInfo;
  /** When it came into the queue part that it is in, by mono(). */
  since: Micros;
  attempts: number;
  /** Consecutive attempts that ended in errors rather than in refusals. */
  errors: number;
  /** Plugins that refused it last. */
  refusedBy: ReadonlySet<string>;
  where: 'active' | 'backoff' | 'error-backoff' | 'unschedulable' | 'in-flight';
}

/** Upstream flushBackoffQCompleted. */
const flushPeriod: Micros = SECOND;

/** Upstream PrioritySort: higher priority first, then who waits longer. */
function activeOrder(a: QueuedPod, b: QueuedPod): number {
  const priority = podPriority(b.info.pod) - podPriority(a.info.pod);
  if (priority !== 0) return priority;
  if (a.since !== b.since) return a.since - b.since;
  return a.info.key < b.info.key ? -1 : a.info.key > b.info.key ? 1 : 0;
}

/**
 * Pods that wait for a node: upstream backend/queue/scheduling_queue.go. Active pods are tried in order of priority; refused ones wait for
 * an event that may help, then out their back-off. With nothing active, back-off ends early (gate SchedulerPopFromBackoffQ).
 */
export class SchedulingQueue {
  readonly #config: SchedulerConfig;
  readonly #mono: () => Micros;
  readonly #pods = new Map<string, QueuedPod>();
  readonly #active = new PodHeap<QueuedPod>(activeOrder);
  readonly #backoff: PodHeap<QueuedPod>;
  readonly #errorBackoff: PodHeap<QueuedPod>;
  readonly #unschedulable = new Map<string, QueuedPod>();
  /** Told whenever something can be popped, or the next back-off ends earlier than thought. */
  onReady: () => void = () => {};

  constructor(config: SchedulerConfig, mono: () => Micros) {
    this.#config = config;
    this.#mono = mono;
    const byEnd = (a: QueuedPod, b: QueuedPod): number => this.#backoffEnd(a) - this.#backoffEnd(b) || activeOrder(a, b);
    this.#backoff = new PodHeap(byEnd);
    this.#errorBackoff = new PodHeap(byEnd);
  }

  get(uid: string): QueuedPod | undefined {
    return this.#pods.get(uid);
  }

  /** Pods in the part of the refused, in order of their keys. */
  unschedulable(): readonly QueuedPod[] {
    if (this.#unschedulable.size === 0) return none;
    return [...this.#unschedulable.values()].sort((a, b) => (a.info.key < b.info.key ? -1 : 1));
  }

  /** A pod that is new to the queue. Gated ones wait where the refused do. */
  add(pod: Pod): void {
    const info = podInfoOf(pod);
    this.remove(info.uid);
    const queued: QueuedPod = { uid: info.uid, info, since: this.#mono(), attempts: 0, errors: 0, refusedBy: noPlugins, where: 'active' };
    this.#pods.set(info.uid, queued);
    if (isGated(pod)) this.#park(queued);
    else this.#activate(queued);
  }

  /** The pod object changed; `requeue`: in a way that may help. */
  update(pod: Pod, requeue: boolean): void {
    const info = podInfoOf(pod);
    const queued = this.#pods.get(info.uid);
    if (queued === undefined) {
      this.add(pod);
      return;
    }
    const before = podPriority(queued.info.pod);
    queued.info = info;
    if (queued.where === 'unschedulable' && requeue && !isGated(pod)) this.requeue(queued);
    else if (queued.where === 'active' && before !== podPriority(pod)) {
      this.#active.remove(queued);
      this.#active.push(queued);
    }
  }

  remove(uid: string): void {
    const queued = this.#pods.get(uid);
    if (queued === undefined) return;
    this.#pods.delete(uid);
    this.#take(queued);
  }

  /** A refused pod may be schedulable now: active, or in back-off for the rest of it. */
  requeue(queued: QueuedPod): void {
    if (isGated(queued.info.pod)) return;
    this.#take(queued);
    if (this.#backoffEnd(queued) > this.#mono()) {
      queued.where = 'backoff';
      this.#backoff.push(queued);
      this.onReady();
    } else this.#activate(queued);
  }

  /** Gives back a pod that found no node. */
  refuse(queued: QueuedPod, refusedBy: ReadonlySet<string>): void {
    if (this.#pods.get(queued.uid) !== queued) return;
    queued.since = this.#mono();
    queued.errors = 0;
    queued.refusedBy = refusedBy;
    this.#park(queued);
  }

  /** Gives back a pod whose attempt ended in an error: it waits out its back-off whatever happens. */
  fail(queued: QueuedPod): void {
    if (this.#pods.get(queued.uid) !== queued) return;
    queued.since = this.#mono();
    queued.errors++;
    queued.refusedBy = noPlugins;
    queued.where = 'error-backoff';
    this.#errorBackoff.push(queued);
    this.onReady();
  }

  /** The next pod to try, which is in flight from now on. */
  pop(): QueuedPod | undefined {
    this.#flush();
    const queued = this.#active.pop() ?? this.#backoff.pop();
    if (queued === undefined) return undefined;
    queued.where = 'in-flight';
    queued.attempts++;
    return queued;
  }

  /** When the next pod of the error back-off becomes active, by mono(). Others need no timer: they are popped before that. */
  nextReadyAt(): Micros | undefined {
    const next = this.#errorBackoff.peek();
    return next === undefined ? undefined : this.#backoffEnd(next);
  }

  /** Refused pods that have waited so long that something must have been missed: upstream flushUnschedulablePodsLeftover. */
  flushLeftover(): void {
    const now = this.#mono();
    for (const queued of this.unschedulable()) if (now - queued.since > this.#config.unschedulableTimeoutUs) this.requeue(queued);
  }

  get hasUnschedulable(): boolean {
    return this.#unschedulable.size > 0;
  }

  #flush(): void {
    const now = this.#mono();
    for (const heap of [this.#backoff, this.#errorBackoff]) {
      for (let next = heap.peek(); next !== undefined && this.#backoffEnd(next) <= now; next = heap.peek()) {
        heap.pop();
        next.where = 'active';
        this.#active.push(next);
      }
    }
  }

  /** Upstream calculateBackoffDuration: 1 s, 2 s, 4 s… at most 10 s, from the end of the attempt. */
  #backoffEnd(queued: QueuedPod): Micros {
    const count = queued.errors > 0 ? queued.errors : queued.attempts;
    if (count === 0) return 0;
    const duration = Math.min(this.#config.podMaxBackoffUs, this.#config.podInitialBackoffUs * 2 ** Math.min(count - 1, 20));
    const end = queued.since + duration;
    // Back-off queues are looked at once a second (upstream flushBackoffQCompleted); refused pods are popped earlier, failed ones are not.
    // An attempt that a look began ends after it, however short it was: the look that may end its back-off is never one at that very instant.
    return queued.errors > 0 ? (Math.floor(end / flushPeriod) + 1) * flushPeriod : end;
  }

  #activate(queued: QueuedPod): void {
    queued.where = 'active';
    this.#active.push(queued);
    this.onReady();
  }

  #park(queued: QueuedPod): void {
    queued.where = 'unschedulable';
    this.#unschedulable.set(queued.uid, queued);
  }

  #take(queued: QueuedPod): void {
    switch (queued.where) {
      case 'active':
        this.#active.remove(queued);
        break;
      case 'backoff':
        this.#backoff.remove(queued);
        break;
      case 'error-backoff':
        this.#errorBackoff.remove(queued);
        break;
      case 'unschedulable':
        this.#unschedulable.delete(queued.uid);
        break;
      case 'in-flight':
        break;
    }
  }
}

/** Plugin SchedulingGates: a pod with gates is not tried. */
export function isGated(pod: Pod): boolean {
  return (pod.spec.schedulingGates ?? []).length > 0;
}

const none: readonly QueuedPod[] = [];
const noPlugins: ReadonlySet<string> = new Set();
