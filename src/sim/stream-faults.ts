import type { EffectCounter } from './link.ts';
import type { Micros } from './time.ts';

/** Which streams a fault keeps back: those that a process opened (by its name) and whose label starts with `label` ('' : all). */
export interface StreamHold extends EffectCounter {
  readonly process: string;
  readonly label: string;
  /** Each message comes so much later; absent: not before the hold ends. */
  readonly delayUs?: Micros;
}

/** A stream as the faults see it. */
export interface HoldableStream {
  readonly process: string;
  readonly label: string;
  /** Delivers what was held back, or only the oldest message of it. */
  release(oldestOnly: boolean): void;
}

/** The clock of the world, as far as late messages need it. */
export interface StreamClock {
  readonly now: Micros;
  at(at: Micros, action: () => void): unknown;
}

/**
 * Faults on single streams of a multiplexed connection: a stalled stream (flow control, a stuck proxy) delivers nothing while its
 * connection and the other streams live on. What it held comes, in order, when the hold ends. A slow stream delivers each message late.
 */
export class StreamFaults {
  readonly #clock: StreamClock;
  #holds: readonly StreamHold[] = [];
  readonly #held = new Set<HoldableStream>();

  constructor(clock: StreamClock) {
    this.#clock = clock;
  }

  hold(hold: StreamHold): void {
    this.#holds = [...this.#holds, hold];
  }

  release(hold: StreamHold): void {
    this.#holds = this.#holds.filter((h) => h !== hold);
    for (const stream of [...this.#held]) {
      const other = this.#match(stream.process, stream.label);
      if (other !== undefined && other.delayUs === undefined) continue;
      this.#held.delete(stream);
      stream.release(false);
    }
  }

  /** True when the stream must keep a message back; the fault has then touched it. */
  holds(stream: HoldableStream): boolean {
    if (this.#holds.length === 0) return false;
    const hold = this.#match(stream.process, stream.label);
    if (hold === undefined) return false;
    hold.touched++;
    this.#held.add(stream);
    if (hold.delayUs !== undefined) this.#clock.at(this.#clock.now + hold.delayUs, () => this.#due(stream));
    return true;
  }

  /** Forgets a stream that ended. */
  ended(stream: HoldableStream): void {
    this.#held.delete(stream);
  }

  /** A late message's time has come: its stream gives the oldest one free, unless it stands still altogether. */
  #due(stream: HoldableStream): void {
    if (!this.#held.has(stream)) return;
    const hold = this.#match(stream.process, stream.label);
    if (hold !== undefined && hold.delayUs === undefined) return;
    stream.release(true);
  }

  /** The hold on a stream: one that holds for good before one that only delays. */
  #match(process: string, label: string): StreamHold | undefined {
    const holds = this.#holds.filter((hold) => hold.process === process && label.startsWith(hold.label));
    return holds.find((hold) => hold.delayUs === undefined) ?? holds[0];
  }
}
