import seedrandom from 'seedrandom';
import { assert, InvariantError } from './assert.ts';
import { finalize32, hashText, mixWord } from './mix.ts';
import { type Micros, SECOND } from './time.ts';

/** Where a stream reads the virtual time from. */
export interface Now {
  readonly now: Micros;
}

/**
 * A named stream of random numbers. A draw is a mix of (key, current virtual second, how many draws this second): one draw more or
 * less shifts the draws of that second only, and from the next second on the stream is what it would have been.
 * Probabilities are integer ratios; nothing here uses Math.log or other functions in which engines differ.
 */
export class RandomStream {
  readonly #key: number;
  readonly #key2: number;
  readonly #clock: Now;
  /** The virtual second of the last draw ends here; what its draws are mixed from; how many there were. */
  #secondEnd = 0;
  #base = 0;
  #draws = 0;

  constructor(key: number, key2: number, clock: Now) {
    this.#key = key;
    this.#key2 = key2;
    this.#clock = clock;
  }

  /** A uniform 32-bit unsigned integer. */
  u32(): number {
    // Time does not go back.
    if (this.#clock.now >= this.#secondEnd) this.#nextSecond();
    return finalize32(mixWord(this.#base, this.#draws++) ^ this.#key2);
  }

  #nextSecond(): void {
    const second = Math.floor(this.#clock.now / SECOND);
    this.#secondEnd = (second + 1) * SECOND;
    this.#base = mixWord(this.#key, second);
    this.#draws = 0;
  }

  /** A uniform integer in [0, n). n is at most 2^32; the bias is below n / 2^32. */
  below(n: number): number {
    // Spelled out: a closure for the message would be made at every draw.
    if (!(n >= 1 && n <= 0x100000000)) throw outOfRange(n);
    // High part of a 32x32 bit product, in doubles: exact, because both factors are below 2^32 and the quotient is floored.
    return Math.floor((this.u32() * n) / 0x100000000);
  }

  /** A uniform integer in [low, high], both included. */
  between(low: number, high: number): number {
    return high <= low ? low : low + this.below(high - low + 1);
  }

  /** True with probability numerator / denominator. Draws even when the answer is certain, so that a changed ratio shifts nothing. */
  chance(numerator: number, denominator: number): boolean {
    return this.below(denominator) < numerator;
  }

  /** One of the items. */
  pick<T>(items: readonly T[]): T {
    assert(items.length > 0, 'RandomStream.pick: nothing to pick from');
    return items[this.below(items.length)] as T;
  }

  /** A new array in random order (Fisher–Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const out = items.slice();
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const t = out[i] as T;
      out[i] = out[j] as T;
      out[j] = t;
    }
    return out;
  }
}

/** Makes the named streams of one trial: keyed through seedrandom from (seed, name). */
export class Randomness {
  readonly #root: number;
  readonly #root2: number;
  readonly #clock: Now;
  readonly #streams = new Map<string, RandomStream>();

  constructor(seed: string, clock: Now) {
    const root = seedrandom(seed);
    this.#root = root.int32();
    this.#root2 = root.int32();
    this.#clock = clock;
  }

  /** The stream of that name; the same object every time, so two subsystems must not share a name. */
  stream(name: string): RandomStream {
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = new RandomStream(hashText(name, this.#root), hashText(name, this.#root2), this.#clock);
      this.#streams.set(name, stream);
    }
    return stream;
  }
}

function outOfRange(n: number): InvariantError {
  return new InvariantError(`RandomStream.below: n = ${n}, must be 1..2^32`);
}
