import type { Process } from '../../sim/process.ts';
import { SECOND, type Micros } from '../../sim/time.ts';

/**
 * When pods are to be synced again: the kubelet's work queue, which its loop looks at once a second. Looked at only in seconds in which
 * something is due.
 */
export class WorkTicks {
  readonly #process: Process;
  readonly #startedAt: Micros;
  readonly #due = new Map<string, Micros>();
  readonly #handle: (podUid: string) => void;
  #timer = 0;
  #timerAt: Micros = 0;

  constructor(process: Process, handle: (podUid: string) => void) {
    this.#process = process;
    this.#startedAt = process.mono();
    this.#handle = handle;
  }

  /** Syncs the pod at the first look after `delayUs`; replaces what was set before. */
  enqueue(podUid: string, delayUs: Micros): void {
    const at = this.#process.mono() + delayUs;
    this.#due.set(podUid, at);
    this.#arm(this.#lookAfter(at));
  }

  remove(podUid: string): void {
    this.#due.delete(podUid);
  }

  /** The first look at or after `at`. */
  #lookAfter(at: Micros): Micros {
    const since = at - this.#startedAt;
    return this.#startedAt + Math.ceil(since / SECOND) * SECOND;
  }

  #arm(at: Micros): void {
    if (this.#timer !== 0 && this.#timerAt <= at) return;
    this.#process.cancel(this.#timer);
    this.#timerAt = at;
    this.#timer = this.#process.after(Math.max(0, at - this.#process.mono()), () => this.#look());
  }

  #look(): void {
    this.#timer = 0;
    const now = this.#process.mono();
    const ready: string[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const [uid, at] of this.#due) {
      if (at <= now) ready.push(uid);
      else if (at < next) next = at;
    }
    for (const uid of ready.sort()) this.#due.delete(uid);
    if (next !== Number.POSITIVE_INFINITY) this.#arm(this.#lookAfter(next));
    for (const uid of ready) this.#handle(uid);
  }
}
