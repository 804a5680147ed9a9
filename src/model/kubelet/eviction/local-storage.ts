import type { Process } from '../../../sim/process.ts';
import { SECOND, type Micros } from '../../../sim/time.ts';
import type { Pod } from '../../api/types.ts';
import type { PodEvents } from '../pod-events.ts';
import type { KillOrder } from '../pod-workers.ts';

/** Volumes are measured once a minute and looked at every ten seconds: half of that on average. */
const VOLUME_STATS: Micros = 35 * SECOND;

export interface LocalStorageOptions {
  readonly process: Process;
  readonly events: PodEvents;
  /** The pod, unless it is gone or being ended. */
  readonly pod: (podUid: string) => Pod | undefined;
  readonly kill: (pod: Pod, order: KillOrder) => void;
}

/** Ends pods that keep more in an emptyDir than they may: upstream eviction manager, localStorageEviction. */
export class LocalStorage {
  readonly #options: LocalStorageOptions;
  readonly #measuring = new Set<string>();

  constructor(options: LocalStorageOptions) {
    this.#options = options;
  }

  /** An emptyDir has grown beyond its limit: seen when the volumes are measured the next time. */
  volumeFull(podUid: string, volume: string): void {
    if (this.#measuring.has(podUid)) return;
    this.#measuring.add(podUid);
    this.#options.process.after(VOLUME_STATS, () => {
      this.#measuring.delete(podUid);
      const pod = this.#options.pod(podUid);
      const limit = pod?.spec.volumes?.find((candidate) => candidate.name === volume)?.emptyDir?.sizeLimit;
      if (pod === undefined || limit === undefined) return;
      const message = `Usage of EmptyDir volume ${JSON.stringify(volume)} exceeds the limit ${JSON.stringify(limit)}. `;
      this.#options.events.pod(pod, 'Warning', 'Evicted', message);
      this.#options.kill(pod, { graceSeconds: 1, evict: { reason: 'Evicted', message, disruption: false } });
    });
  }
}
