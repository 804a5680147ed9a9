import type { RandomStream } from './random.ts';
import type { Micros } from './time.ts';

/** Counts what a fault touched; reports say "touched nothing" where it stays 0. */
export interface EffectCounter {
  touched: number;
}

/** What a fault does to the messages of one direction of a link. Ratios are in parts per million. */
export interface LinkModifier extends EffectCounter {
  readonly extraLatencyUs?: Micros;
  readonly extraJitterUs?: Micros;
  readonly lossPpm?: number;
  readonly duplicatePpm?: number;
  readonly reorderPpm?: number;
  /** How late a reordered message comes. */
  readonly reorderUs?: Micros;
  readonly bytesPerSecond?: number;
  /** Nothing arrives before this instant; what has been held back until then comes in the order in which it left. */
  readonly heldUntilUs?: Micros;
}

/** What becomes of one message: lost, or its delay(s). */
export interface Passage {
  lost: boolean;
  delayUs: Micros;
  /** Delay of a second copy; -1: none. */
  duplicateDelayUs: Micros;
  /** A reorder fault lets this message be overtaken, even on an ordered stream of datagrams. */
  overtaken: boolean;
}

const MILLION = 1_000_000;

/** One direction between two hosts: latency, faults in force, and since when it is cut. */
export class Link {
  readonly #baseUs: Micros;
  readonly #jitterUs: Micros;
  readonly #stream: RandomStream;
  #modifiers: readonly LinkModifier[] = [];
  #blockers: readonly EffectCounter[] = [];
  #bandwidthFreeAt: Micros = 0;
  /** Since when the direction is cut; meaningful while `blocked`. */
  blockedSince: Micros = 0;
  /** Latest arrival promised to ordered datagrams. */
  lastOrderedArrival: Micros = 0;
  readonly #passage: Passage = { lost: false, delayUs: 0, duplicateDelayUs: -1, overtaken: false };

  constructor(baseUs: Micros, jitterUs: Micros, stream: RandomStream) {
    this.#baseUs = baseUs;
    this.#jitterUs = jitterUs;
    this.#stream = stream;
  }

  get blocked(): boolean {
    return this.#blockers.length > 0;
  }

  /** Cuts the direction until `unblock` with the same counter; overlapping cuts add up. */
  block(counter: EffectCounter, now: Micros): void {
    if (this.#blockers.length === 0) this.blockedSince = now;
    this.#blockers = [...this.#blockers, counter];
  }

  unblock(counter: EffectCounter): void {
    this.#blockers = this.#blockers.filter((b) => b !== counter);
  }

  /** Every cut in force touched one more message. */
  countBlocked(): void {
    for (const blocker of this.#blockers) blocker.touched++;
  }

  addModifier(modifier: LinkModifier): void {
    this.#modifiers = [...this.#modifiers, modifier];
  }

  removeModifier(modifier: LinkModifier): void {
    this.#modifiers = this.#modifiers.filter((m) => m !== modifier);
  }

  /**
   * Draws what happens to a message that departs now. The answer is overwritten by the next call. `mayRepeat`: a second copy would be seen;
   * a connection drops it, so there a duplication touches nothing.
   */
  pass(departure: Micros, sizeBytes: number, mayRepeat = false): Passage {
    const passage = this.#passage;
    const draw = this.#stream.u32() >>> 0;
    // Both sides unsigned: the engine then divides integers and not doubles.
    let delay = this.#baseUs + (draw % ((this.#jitterUs + 1) >>> 0));
    // One message in 4096 meets a queue: ten times the latency.
    if (draw >>> 20 === 0) delay += this.#baseUs * 10;
    passage.lost = false;
    passage.duplicateDelayUs = -1;
    passage.overtaken = false;
    if (this.#modifiers.length > 0) delay = this.#applyModifiers(passage, delay, departure, sizeBytes, mayRepeat);
    passage.delayUs = delay;
    return passage;
  }

  #applyModifiers(passage: Passage, base: Micros, departure: Micros, sizeBytes: number, mayRepeat: boolean): Micros {
    let delay = base;
    for (const modifier of this.#modifiers) {
      let touched = false;
      if (modifier.lossPpm !== undefined && this.#stream.below(MILLION) < modifier.lossPpm) {
        passage.lost = true;
        touched = true;
      }
      if (modifier.duplicatePpm !== undefined && this.#stream.below(MILLION) < modifier.duplicatePpm) {
        passage.duplicateDelayUs = delay + this.#stream.below(4 * this.#baseUs + 1000);
        touched ||= mayRepeat;
      }
      if (modifier.reorderPpm !== undefined && this.#stream.below(MILLION) < modifier.reorderPpm) {
        delay += this.#stream.below((modifier.reorderUs ?? 10_000) + 1);
        passage.overtaken = true;
        touched = true;
      }
      const extra = (modifier.extraLatencyUs ?? 0) + (modifier.extraJitterUs ? this.#stream.below(modifier.extraJitterUs + 1) : 0);
      if (extra > 0) {
        delay += extra;
        touched = true;
      }
      if (modifier.bytesPerSecond !== undefined) {
        const start = Math.max(departure, this.#bandwidthFreeAt);
        this.#bandwidthFreeAt = start + Math.ceil((sizeBytes * MILLION) / modifier.bytesPerSecond);
        delay += this.#bandwidthFreeAt - departure;
        touched = true;
      }
      if (modifier.heldUntilUs !== undefined && departure + delay < modifier.heldUntilUs) {
        delay = modifier.heldUntilUs - departure;
        touched = true;
      }
      if (touched) modifier.touched++;
    }
    return delay;
  }
}
