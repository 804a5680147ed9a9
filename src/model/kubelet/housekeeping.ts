import type { Process } from '../../sim/process.ts';
import type { Task } from '../../sim/task.ts';
import { SECOND, type Micros } from '../../sim/time.ts';
import type { Pod } from '../api/types.ts';
import type { PodRecords } from './cri.ts';
import type { MirrorPods } from './mirror-pods.ts';
import type { Pleg } from './pleg.ts';
import type { PodManager } from './pod-manager.ts';
import type { PodWorkers } from './pod-workers.ts';
import { keyOf } from './runtime/machine.ts';
import type { RuntimeManager } from './runtime-manager.ts';

/** The kubelet looks for what should not be there every two seconds (housekeepingPeriod). */
const PERIOD: Micros = 2 * SECOND;

export interface HousekeepingOptions {
  readonly process: Process;
  readonly pods: PodManager;
  readonly workers: PodWorkers;
  readonly pleg: Pleg;
  readonly runtime: RuntimeManager;
  readonly mirrors: MirrorPods;
  /** Pods that were refused: what the runtime has of them is to go. */
  readonly isRejected: (podUid: string) => boolean;
  /** A pod that came back while it was being ended. */
  readonly restart: (podUid: string) => void;
  /** After the first look: every pod of the runtime is known by now, or being ended. */
  readonly onFirst: () => void;
  readonly onOrphanGone: (pod: Pod) => void;
}

/**
 * Brings what is there to what the sources name: upstream HandlePodCleanups. The real one runs every two seconds; here only while there is
 * something to clean up, on the same grid.
 */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #orphans = new Set<string>();
  #startedAt: Micros = -1;
  #timer = 0;
  #first = true;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
  }

  /** All sources have told of their pods. */
  start(): void {
    this.#startedAt = this.#options.process.mono();
    this.#killOrphans();
    this.#arm();
  }

  /** Something may be there to be cleaned up. */
  due(): void {
    if (this.#startedAt >= 0) this.#arm();
  }

  /** Pods of the runtime that nobody wants were seen: they are ended at once. */
  orphansSeen(): void {
    if (this.#startedAt >= 0) this.#killOrphans();
  }

  #arm(): void {
    if (this.#timer !== 0) return;
    const { process } = this.#options;
    this.#timer = process.after(PERIOD - ((process.mono() - this.#startedAt) % PERIOD), () => {
      this.#timer = 0;
      this.#look();
    });
  }

  #look(): void {
    const { process, pods, workers, mirrors, restart, onFirst } = this.#options;
    const { restart: again, left } = workers.syncKnown();
    for (const uid of again) restart(uid);
    if (this.#first) {
      this.#first = false;
      workers.podsSynced();
      onFirst();
    }
    this.#killOrphans();
    const orphaned = pods.orphanedMirrors();
    for (const mirror of orphaned) if (!workers.isTerminatingByName(keyOf(mirror))) process.spawn('mirror', mirrors.delete(mirror));
    if (left || orphaned.length > 0) this.#arm();
  }

  #killOrphans(): void {
    const { process, pleg, pods, workers, isRejected } = this.#options;
    for (const uid of pleg.podUids()) {
      if ((pods.has(uid) && !isRejected(uid)) || workers.knows(uid) || this.#orphans.has(uid)) continue;
      const records = pleg.get(uid);
      if (records === undefined) continue;
      this.#orphans.add(uid);
      process.spawn('orphan', this.#killOrphan(records));
    }
  }

  /** Upstream SyncTerminatingRuntimePod: without a specification, and quickly. */
  *#killOrphan(records: PodRecords): Task<void> {
    const { process, pleg, runtime, onOrphanGone } = this.#options;
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: records.name, namespace: records.namespace, uid: records.podUid },
      spec: { containers: records.containers.map((container) => ({ name: container.name })) },
    };
    const killed = yield* runtime.killPod(pod, records, 1);
    if (!killed.ok) {
      this.#orphans.delete(records.podUid);
      this.#arm();
      return;
    }
    const now = yield* pleg.newerThan(records.podUid, process.mono());
    if (now !== undefined) yield* runtime.cleanUp(now, true);
    this.#orphans.delete(records.podUid);
    onOrphanGone(pod);
  }
}
