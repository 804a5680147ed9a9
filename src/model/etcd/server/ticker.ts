import type { Process } from '../../../sim/process.ts';
import type { Micros } from '../../../sim/time.ts';

/**
 * Counts the ticks of raft's clock without an event for each. It behaves as Go's ticker does: ticks that nobody could take, because the
 * process was stopped or its raft loop was waiting for the disk, are dropped but for one (etcd#13527).
 */
export class Ticker {
  readonly #process: Process;
  readonly #intervalUs: Micros;
  #base: Micros;
  #taken = 0;
  #pausedSeen: Micros;
  #timer = 0;
  #timerDue: Micros = Number.POSITIVE_INFINITY;
  readonly #onDue: () => void;

  constructor(process: Process, intervalUs: Micros, onDue: () => void) {
    this.#process = process;
    this.#intervalUs = intervalUs;
    this.#base = process.mono();
    this.#pausedSeen = process.pausedUs;
    this.#onDue = onDue;
  }

  /** How long the process has been stopped since the last tick was taken. */
  get pausedUs(): Micros {
    return this.#process.pausedUs - this.#pausedSeen;
  }

  /** Ticks that have passed since the last call. */
  take(): number {
    this.#dropPaused();
    const due = Math.floor((this.#process.mono() - this.#base) / this.#intervalUs) - this.#taken;
    if (due <= 0) return 0;
    this.#taken += due;
    return due;
  }

  /** The loop was busy: of the ticks since the last `take` only one is left. */
  dropMissed(): void {
    const due = Math.floor((this.#process.mono() - this.#base) / this.#intervalUs) - this.#taken;
    if (due > 1) this.#base += (due - 1) * this.#intervalUs;
  }

  /** Makes sure that `onDue` is called when `ticks` more have passed; it may be called earlier. */
  wakeAfter(ticks: number): void {
    if (ticks === Number.POSITIVE_INFINITY) return;
    const due = this.#base + (this.#taken + ticks) * this.#intervalUs;
    // A timer that fires too early costs less than taking it back at every heartbeat.
    if (this.#timer !== 0 && this.#timerDue <= due) return;
    if (this.#timer !== 0) this.#process.cancel(this.#timer);
    this.#timerDue = due;
    this.#timer = this.#process.after(Math.max(0, due - this.#process.mono()), () => {
      this.#timer = 0;
      this.#timerDue = Number.POSITIVE_INFINITY;
      this.#onDue();
    });
  }

  #dropPaused(): void {
    const paused = this.#process.pausedUs - this.#pausedSeen;
    if (paused === 0) return;
    this.#pausedSeen += paused;
    this.#base += Math.max(0, paused - this.#intervalUs);
  }
}
