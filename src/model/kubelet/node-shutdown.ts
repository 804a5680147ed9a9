import type { Process } from '../../sim/process.ts';
import { SECOND, type Micros } from '../../sim/time.ts';
import type { Pod } from '../api/types.ts';
import type { KubeletConfig } from './config.ts';
import { isCritical } from './pod-spec.ts';
import type { KillOrder } from './pod-workers.ts';

const EVICTION = { reason: 'Terminated', message: 'Pod was terminated in response to imminent node shutdown.', disruption: true };

export interface NodeShutdownOptions {
  readonly process: Process;
  readonly config: KubeletConfig;
  /** Pods that hold resources, oldest first. */
  readonly activePods: () => readonly Pod[];
  readonly kill: (pod: Pod, order: KillOrder) => void;
  readonly onBegin: () => void;
}

/** Systemd announces a shutdown: ordinary pods go first, critical ones in the time that is kept for them. Upstream nodeshutdown manager. */
export class NodeShutdown {
  readonly #options: NodeShutdownOptions;
  #begun = false;

  constructor(options: NodeShutdownOptions) {
    this.#options = options;
  }

  get begun(): boolean {
    return this.#begun;
  }

  begin(): void {
    const { process, config, onBegin } = this.#options;
    const { shutdownGracePeriodUs, shutdownGracePeriodCriticalPodsUs } = config;
    if (shutdownGracePeriodUs === 0 || this.#begun) return;
    this.#begun = true;
    onBegin();
    const ordinary = shutdownGracePeriodUs - shutdownGracePeriodCriticalPodsUs;
    this.#end(false, ordinary);
    process.after(ordinary, () => this.#end(true, shutdownGracePeriodCriticalPodsUs));
  }

  #end(critical: boolean, withinUs: Micros): void {
    for (const pod of this.#options.activePods()) {
      if (isCritical(pod) !== critical) continue;
      const graceSeconds = Math.min(Math.floor(withinUs / SECOND), pod.spec.terminationGracePeriodSeconds ?? 30);
      this.#options.kill(pod, { graceSeconds, evict: EVICTION });
    }
  }
}
