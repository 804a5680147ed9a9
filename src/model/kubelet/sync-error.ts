import type { Micros } from '../../sim/time.ts';
import type { WaitingReason } from './status/container-statuses.ts';

/** Why a step of a pod's sync did not work, with the reason that the status shows for a waiting container. */
export interface SyncFailure {
  readonly ok: false;
  readonly reason: string;
  readonly message: string;
  /** Of a back-off: when it is over, by the host's wall clock. */
  readonly retryAt?: Micros;
}

export type SyncStep<T = undefined> = { readonly ok: true; readonly value: T } | SyncFailure;

export const stepDone: SyncStep = { ok: true, value: undefined };

export function failed(reason: string, message: string, retryAt?: Micros): SyncFailure {
  return retryAt === undefined ? { ok: false, reason, message } : { ok: false, reason, message, retryAt };
}

/** Why containers could not be started at the last sync, by pod and container: upstream ReasonCache. */
export class ReasonCache {
  readonly #reasons = new Map<string, Map<string, WaitingReason>>();

  get(podUid: string, container: string): WaitingReason | undefined {
    return this.#reasons.get(podUid)?.get(container);
  }

  set(podUid: string, container: string, failure: SyncFailure): void {
    let pod = this.#reasons.get(podUid);
    if (pod === undefined) {
      pod = new Map();
      this.#reasons.set(podUid, pod);
    }
    pod.set(container, { reason: failure.reason, message: failure.message });
  }

  clear(podUid: string, container: string): void {
    this.#reasons.get(podUid)?.delete(container);
  }

  removePod(podUid: string): void {
    this.#reasons.delete(podUid);
  }
}

/** The earliest end of a back-off among failures, when all of them are back-offs. */
export function backOffEnd(failures: readonly SyncFailure[]): Micros | undefined {
  let earliest: Micros | undefined;
  for (const failure of failures) {
    if (failure.retryAt === undefined) return undefined;
    if (earliest === undefined || failure.retryAt < earliest) earliest = failure.retryAt;
  }
  return earliest;
}
