/**
 * The states that an exploration has met, each a row of numbers, in the order in which they were found, with the row before and what led
 * from it. Rows are compared whole: no state is ever taken for another.
 */
export class StateTable {
  readonly #width: number;
  readonly #max: number;
  #rows: Uint32Array;
  /** Two numbers a row: where it came from, and by which action. */
  #origins: Uint32Array;
  #slots: Int32Array;
  #count = 0;

  /** `width`: numbers a row; at most `max` rows are kept. */
  constructor(width: number, max: number) {
    this.#width = width;
    this.#max = max;
    const first = Math.min(max, 1 << 14);
    this.#rows = new Uint32Array(first * width);
    this.#origins = new Uint32Array(first * 2);
    this.#slots = new Int32Array(1 << 16).fill(-1);
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count >= this.#max;
  }

  /** Copies a row out. */
  read(at: number, into: Uint32Array): void {
    const from = at * this.#width;
    for (let i = 0; i < this.#width; i++) into[i] = this.#rows[from + i] as number;
  }

  origin(at: number): { readonly from: number; readonly action: number } {
    return { from: this.#origins[at * 2] as number, action: this.#origins[at * 2 + 1] as number };
  }

  /** Adds the row unless it is known; true if it was new. */
  add(row: Uint32Array, from: number, action: number): boolean {
    const width = this.#width;
    const mask = this.#slots.length - 1;
    let slot = hashOf(row, width) & mask;
    for (;;) {
      const at = this.#slots[slot] as number;
      if (at < 0) break;
      if (this.#equals(at, row)) return false;
      slot = (slot + 1) & mask;
    }
    if (this.isFull) return false;
    if (this.#count * width === this.#rows.length) this.#growRows();
    this.#rows.set(row, this.#count * width);
    this.#origins[this.#count * 2] = from;
    this.#origins[this.#count * 2 + 1] = action;
    this.#slots[slot] = this.#count++;
    if (this.#count * 2 > this.#slots.length) this.#growSlots();
    return true;
  }

  #equals(at: number, row: Uint32Array): boolean {
    const from = at * this.#width;
    for (let i = 0; i < this.#width; i++) if (this.#rows[from + i] !== row[i]) return false;
    return true;
  }

  #growRows(): void {
    const rows = new Uint32Array(this.#rows.length * 2);
    rows.set(this.#rows);
    this.#rows = rows;
    const origins = new Uint32Array(this.#origins.length * 2);
    origins.set(this.#origins);
    this.#origins = origins;
  }

  #growSlots(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(-1);
    const mask = slots.length - 1;
    const row = new Uint32Array(this.#width);
    for (let at = 0; at < this.#count; at++) {
      this.read(at, row);
      let slot = hashOf(row, this.#width) & mask;
      while ((slots[slot] as number) >= 0) slot = (slot + 1) & mask;
      slots[slot] = at;
    }
    this.#slots = slots;
  }
}

function hashOf(row: Uint32Array, width: number): number {
  let h = 0x9e37_79b9;
  for (let i = 0; i < width; i++) {
    h = Math.imul(h ^ (row[i] as number), 0x85eb_ca6b);
    h ^= h >>> 13;
  }
  h = Math.imul(h, 0xc2b2_ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
