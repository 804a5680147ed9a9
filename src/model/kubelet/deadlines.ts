import type { Process } from '../../sim/process.ts';
import { SECOND, type Micros } from '../../sim/time.ts';
import { parseTime } from '../api/time.ts';
import type { Pod } from '../api/types.ts';
import type { PodEvents } from './pod-events.ts';
import { WorkTicks } from './work-ticks.ts';

/** When pods have been active for as long as they may: upstream active_deadline.go. */
export class Deadlines {
  readonly #process: Process;
  readonly #events: PodEvents;
  readonly #startTime: (podUid: string) => string | undefined;
  readonly #at = new Map<string, Micros>();
  readonly #ticks: WorkTicks;

  /** `startTime`: of the kubelet's own status of a pod; `onDue`: the pod is to be synced. */
  constructor(process: Process, events: PodEvents, startTime: (podUid: string) => string | undefined, onDue: (podUid: string) => void) {
    this.#process = process;
    this.#events = events;
    this.#startTime = startTime;
    this.#ticks = new WorkTicks(process, onDue);
  }

  note(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    const seconds = pod.spec.activeDeadlineSeconds;
    if (seconds === undefined) return;
    const start = parseTime(pod.status?.startTime ?? this.#startTime(uid) ?? '');
    if (start === undefined) return;
    const at = start + seconds * SECOND;
    if (this.#at.get(uid) === at) return;
    this.#at.set(uid, at);
    this.#ticks.enqueue(uid, Math.max(0, at - this.#process.wall()));
  }

  forget(podUid: string): void {
    this.#at.delete(podUid);
  }

  /** Why the pod is to end, once its time is over. */
  passed(pod: Pod): { readonly reason: string; readonly message: string } | undefined {
    const at = this.#at.get(pod.metadata.uid ?? '');
    if (at === undefined || this.#process.wall() < at) return undefined;
    const message = 'Pod was active on the node longer than the specified deadline';
    // Upstream's handler tells it whenever it is asked.
    this.#events.pod(pod, 'Normal', 'DeadlineExceeded', message);
    return { reason: 'DeadlineExceeded', message };
  }
}
