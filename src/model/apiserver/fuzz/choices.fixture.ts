/**
 * Random structure from a tape of numbers that fast-check draws: each decision takes the next number, and a tape that is used up answers 0.
 * So the generators below can be ordinary recursive functions over the schema, and a failure still shrinks: fast-check makes the tape
 * shorter and its numbers smaller, which makes the objects smaller (decision 0 is always the plainest one).
 */
export class Choices {
  readonly #tape: ArrayLike<number>;
  #at = 0;

  constructor(tape: ArrayLike<number>) {
    this.#tape = tape;
  }

  /** Nothing is left to decide: loops end here. */
  get spent(): boolean {
    return this.#at >= this.#tape.length;
  }

  /** 0 … n-1. */
  below(n: number): number {
    const value = this.#tape[this.#at++] ?? 0;
    return n <= 1 ? 0 : value % n;
  }

  /** True once in `n`; never when the tape is used up. */
  oneIn(n: number): boolean {
    return this.below(n) === n - 1;
  }

  pick<const T extends readonly [unknown, ...unknown[]]>(items: T): T[number] {
    return items[this.below(items.length)] ?? items[0];
  }

  /** One of a list that may be empty. */
  pickAny<T>(items: readonly T[]): T | undefined {
    return items.length === 0 ? undefined : items[this.below(items.length)];
  }
}
