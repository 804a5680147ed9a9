import type { EffectCounter } from './link.ts';

/** Which streams a fault stalls: those that a process opened (by its name) and whose label starts with `label` ('' : all). */
export interface StreamHold extends EffectCounter {
  readonly process: string;
  readonly label: string;
}

/** A stream as the faults see it. */
export interface HoldableStream {
  readonly process: string;
  readonly label: string;
  /** Delivers what was held back. */
  release(): void;
}

/**
 * Faults on single streams of a multiplexed connection: a stalled stream (flow control, a stuck proxy) delivers nothing while its
 * connection and the other streams live on. What it held comes, in order, when the hold ends.
 */
export class StreamFaults {
  #holds: readonly StreamHold[] = [];
  readonly #held = new Set<HoldableStream>();

  hold(hold: StreamHold): void {
    this.#holds = [...this.#holds, hold];
  }

  release(hold: StreamHold): void {
    this.#holds = this.#holds.filter((h) => h !== hold);
    const free = [...this.#held].filter((stream) => this.#match(stream.process, stream.label) === undefined);
    for (const stream of free) {
      this.#held.delete(stream);
      stream.release();
    }
  }

  /** True when the stream must keep a message back; the fault has then touched it. */
  holds(stream: HoldableStream): boolean {
    if (this.#holds.length === 0) return false;
    const hold = this.#match(stream.process, stream.label);
    if (hold === undefined) return false;
    hold.touched++;
    this.#held.add(stream);
    return true;
  }

  /** Forgets a stream that ended. */
  ended(stream: HoldableStream): void {
    this.#held.delete(stream);
  }

  #match(process: string, label: string): StreamHold | undefined {
    return this.#holds.find((hold) => hold.process === process && label.startsWith(hold.label));
  }
}
