import type { Process } from '../../../sim/process.ts';
import { type Task, suspend } from '../../../sim/task.ts';
import { SECOND, type Micros } from '../../../sim/time.ts';
import type { Pod } from '../../api/types.ts';
import type { KubeletConfig } from '../config.ts';
import { isCritical } from '../pod-spec.ts';
import type { Eviction } from '../pod-workers.ts';
import { bytesText, evictionMessage, type PodUsage, rankPods } from './ranking.ts';
import {
  amountBytes,
  byEvictionPriority,
  conditionOfSignal,
  isMet,
  type Observations,
  resourceOfSignal,
  type Threshold,
  thresholdsOf,
} from './thresholds.ts';

export interface EvictionOptions {
  readonly process: Process;
  readonly config: KubeletConfig;
  readonly observe: () => Observations;
  /** Pods that have something running. */
  readonly activePods: () => readonly Pod[];
  readonly usageOf: (pod: Pod) => PodUsage;
  /** Ends a pod; `done` once nothing of it runs. */
  readonly evict: (pod: Pod, graceSeconds: number, eviction: Eviction, done: () => void) => void;
  /** Unused images and dead containers are removed. */
  readonly reclaimDisk: () => Task<void>;
  readonly event: (reason: string, message: string) => void;
  readonly onConditions: () => void;
}

/** How often the amounts are looked at (evictionMonitoringPeriod). */
const PERIOD: Micros = 10 * SECOND;
/** Hard thresholds leave a pod this long (immediateEvictionGracePeriodSeconds). */
const IMMEDIATE_GRACE_SECONDS = 1;
/** Longest wait for an evicted pod to be gone before the next look (podCleanupTimeout). */
const CLEANUP_TIMEOUT: Micros = 30 * SECOND;

/**
 * Ends pods when the node runs short of memory or disk: upstream pkg/kubelet/eviction. The real one looks every ten seconds; here a look
 * that could see nothing new costs nothing: it is skipped until an app's usage changes or a condition may end.
 */
export class EvictionManager {
  readonly #options: EvictionOptions;
  readonly #thresholds: readonly Threshold[];
  readonly #firstMetAt = new Map<Threshold, Micros>();
  readonly #conditionSeenAt = new Map<string, Micros>();
  #met: readonly Threshold[] = [];
  #conditions: readonly string[] = [];
  #wake: (() => void) | undefined;
  #changed = true;

  constructor(options: EvictionOptions) {
    this.#options = options;
    this.#thresholds = thresholdsOf(options.config);
  }

  /** Pressure that holds, by the node's condition types, in code-unit order. */
  get conditions(): readonly string[] {
    return this.#conditions;
  }

  start(): void {
    if (this.#thresholds.length > 0) this.#options.process.spawn('eviction-manager', this.#run());
  }

  /** An app uses more or less than before. */
  usageChanged(): void {
    this.#changed = true;
    this.#wake?.();
  }

  *#run(): Task<void> {
    const { process } = this.#options;
    for (;;) {
      this.#changed = false;
      const evicted = yield* this.#synchronize();
      if (evicted !== undefined) {
        // The next look follows as soon as the pod is gone.
        yield* evicted;
        continue;
      }
      const lookedAt = process.mono();
      if (!this.#changed && this.#firstMetAt.size === 0 && this.#conditions.length === 0) yield* this.#parked();
      const since = process.mono() - lookedAt;
      yield* process.sleep(since === 0 ? PERIOD : (PERIOD - (since % PERIOD)) % PERIOD);
    }
  }

  *#parked(): Task<void> {
    yield* suspend<void>((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve(undefined);
      };
    });
  }

  /** Upstream synchronize. Answers the wait for the pod that it ended, if it did. */
  *#synchronize(): Task<Task<void> | undefined> {
    const { process, config, observe } = this.#options;
    const now = process.mono();
    let observations = observe();
    const isStarved = (threshold: Threshold) =>
      isMet(threshold, observations, false) || (this.#met.includes(threshold) && isMet(threshold, observations, true));
    const starved = this.#thresholds.filter(isStarved);
    for (const threshold of this.#thresholds) {
      if (!starved.includes(threshold)) this.#firstMetAt.delete(threshold);
      else if (!this.#firstMetAt.has(threshold)) this.#firstMetAt.set(threshold, now);
    }
    this.#noteConditions(starved, now);
    const due = starved.filter((threshold) => now - (this.#firstMetAt.get(threshold) ?? now) >= threshold.gracePeriodUs);
    this.#met = due;
    const [first] = [...due].sort(byEvictionPriority);
    if (first === undefined) return undefined;
    const resource = resourceOfSignal(first.signal);
    this.#options.event('EvictionThresholdMet', `Attempting to reclaim ${resource}`);
    if (resource === 'ephemeral-storage') {
      yield* this.#options.reclaimDisk();
      observations = observe();
      if (!this.#thresholds.some((threshold) => isMet(threshold, observations, true))) return undefined;
    }
    const observation = observations[first.signal];
    for (const pod of rankPods(this.#options.activePods(), resource, this.#options.usageOf)) {
      if (isCritical(pod)) continue;
      const message = evictionMessage(pod, resource, this.#options.usageOf(pod), {
        quantity: bytesText(amountBytes(first, observation)),
        available: bytesText(observation.availableBytes),
      });
      const grace = first.hard ? IMMEDIATE_GRACE_SECONDS : config.evictionMaxPodGracePeriodSeconds;
      return this.#ended(pod, grace, { reason: 'Evicted', message, disruption: true });
    }
    return undefined;
  }

  /** Ends one pod and waits until it is cleaned up, looked at once a second. */
  #ended(pod: Pod, graceSeconds: number, eviction: Eviction): Task<void> {
    const { process } = this.#options;
    let gone = false;
    let wake: (() => void) | undefined;
    this.#options.evict(pod, graceSeconds, eviction, () => {
      gone = true;
      wake?.();
    });
    return (function* (): Task<void> {
      const begun = process.mono();
      if (!gone) {
        yield* suspend<void>((resolve) => {
          const timer = process.after(CLEANUP_TIMEOUT, () => resolve(undefined));
          wake = () => {
            process.cancel(timer);
            resolve(undefined);
          };
        });
      }
      const since = process.mono() - begun;
      yield* process.sleep((SECOND - (since % SECOND)) % SECOND);
    })();
  }

  #noteConditions(starved: readonly Threshold[], now: Micros): void {
    for (const threshold of starved) this.#conditionSeenAt.set(conditionOfSignal(threshold.signal), now);
    const { evictionPressureTransitionPeriodUs } = this.#options.config;
    for (const [condition, at] of this.#conditionSeenAt)
      if (now - at >= evictionPressureTransitionPeriodUs) this.#conditionSeenAt.delete(condition);
    const conditions = [...this.#conditionSeenAt.keys()].sort();
    if (conditions.join() === this.#conditions.join()) return;
    this.#conditions = conditions;
    this.#options.onConditions();
  }
}
