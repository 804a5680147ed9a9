const ROWS_FIRST = 1024;
const ROWS_MAX = 32_768;

/** Numbers for names, in the order in which they were first used: rows hold numbers. */
export class NameNumbers {
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [];

  of(name: string): number {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.#names.push(name) - 1;
      this.#numbers.set(name, number);
    }
    return number;
  }

  name(number: number): string {
    return this.#names[number] ?? '';
  }
}

/**
 * A row of numbers for each of the newest indexes of something that only grows (a log, revisions): a ring over one typed array, so that a
 * fact allocates nothing, and memory stays flat however long a trial is. Field 0 of a row is its index, which is at least 1.
 */
export class RecentRows {
  readonly #width: number;
  #count = ROWS_FIRST;
  /** The rows, one after the other. */
  values: Float64Array;

  /** `width`: numbers a row, the index included. */
  constructor(width: number) {
    this.#width = width;
    this.values = new Float64Array(ROWS_FIRST * width);
  }

  /** Where the row of an index begins in `values`; -1 where nothing is known of it (any more). */
  find(index: number): number {
    const at = (index & (this.#count - 1)) * this.#width;
    return this.values[at] === index ? at : -1;
  }

  /** Makes a row for an index that has none, to be filled by the caller; -1 for an index that is too old to be kept. */
  add(index: number): number {
    for (;;) {
      const at = (index & (this.#count - 1)) * this.#width;
      const holds = this.values[at] as number;
      if (holds > 0 && this.#count < ROWS_MAX) {
        this.#grow();
        continue;
      }
      if (holds > index) return -1;
      this.values[at] = index;
      return at;
    }
  }

  /** From this index on everything is known that was added, if `newest` is the newest; of what is older only some. */
  oldest(newest: number): number {
    return Math.max(1, newest - this.#count + 1);
  }

  #grow(): void {
    const before = this.values;
    const width = this.#width;
    this.#count *= 2;
    this.values = new Float64Array(this.#count * width);
    for (let from = 0; from < before.length; from += width) {
      const to = ((before[from] as number) & (this.#count - 1)) * width;
      // Of two that meet in the larger ring the newer one stays; without an index a row is empty.
      if ((before[from] as number) <= (this.values[to] as number)) continue;
      for (let field = 0; field < width; field++) this.values[to + field] = before[from + field] as number;
    }
  }
}
