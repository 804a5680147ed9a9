import type { Process } from '../../../sim/process.ts';
import type { LeaseId } from '../api.ts';
import { LEASE_CHECK_INTERVAL_US, LEASE_REVOKE_RATE, type LeaseRow } from '../lessor.ts';
import type { EtcdState } from '../state.ts';

/** Looks for expired leases on the primary, twice a second as the real lessor does, but only when one may have expired. */
export class LeaseExpiry {
  readonly #process: Process;
  readonly #state: () => EtcdState;
  readonly #revoke: (ids: readonly LeaseId[]) => void;
  readonly #checkpoint: (rows: readonly LeaseRow[]) => void;
  readonly #startedAt: number;
  #timer = 0;
  #due = Number.POSITIVE_INFINITY;

  constructor(
    process: Process,
    state: () => EtcdState,
    revoke: (ids: readonly LeaseId[]) => void,
    checkpoint: (rows: readonly LeaseRow[]) => void,
  ) {
    this.#process = process;
    this.#state = state;
    this.#revoke = revoke;
    this.#checkpoint = checkpoint;
    this.#startedAt = process.mono();
  }

  /** Leases may have changed: sets the timer to the first look that can find one. */
  reschedule(): void {
    const next = this.#state().lessor.nextCheckAt();
    if (next === Number.POSITIVE_INFINITY) return;
    const now = this.#process.mono();
    const looks = Math.max(1, Math.ceil((Math.max(next, now + 1) - this.#startedAt) / LEASE_CHECK_INTERVAL_US));
    const due = this.#startedAt + looks * LEASE_CHECK_INTERVAL_US;
    if (this.#timer !== 0 && this.#due <= due) return;
    if (this.#timer !== 0) this.#process.cancel(this.#timer);
    this.#due = due;
    this.#timer = this.#process.after(due - now, () => this.#look());
  }

  #look(): void {
    this.#timer = 0;
    this.#due = Number.POSITIVE_INFINITY;
    // At most half the revoke rate per look (lessor.revokeExpiredLeases).
    const expired = this.#state().lessor.takeExpired(this.#process.mono(), LEASE_REVOKE_RATE / 2);
    if (expired.length > 0) this.#revoke(expired);
    const due = this.#state().lessor.takeDueCheckpoints(this.#process.mono());
    if (due.length > 0) this.#checkpoint(due);
    this.reschedule();
  }
}
