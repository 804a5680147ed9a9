/** Slots of the table for every configuration that it may hold. */
const slack = 2;
const firstCapacity = 1 << 10;

/**
 * The configurations (operations placed, state) that a search has met: an open-addressing table over an arena of words. Bits are
 * compared in full, so a collision of hashes never hides a configuration.
 */
export class ConfigurationSet {
  private readonly words: number;
  private arena: Int32Array;
  private slots: Int32Array;
  private count = 0;

  /** `bitWords`: length of the bit sets. */
  constructor(bitWords: number) {
    this.words = bitWords + 2;
    this.arena = new Int32Array(firstCapacity * this.words);
    this.slots = new Int32Array(firstCapacity * slack);
  }

  get size(): number {
    return this.count;
  }

  get bytes(): number {
    return this.arena.byteLength + this.slots.byteLength;
  }

  /** Adds a configuration; false when it was there. `hash` depends on the bits alone. */
  add(bits: Int32Array, state: number, hash: number): boolean {
    const full = mix(hash, state);
    const mask = this.slots.length - 1;
    const { words, arena } = this;
    for (let slot = full & mask; ; slot = (slot + 1) & mask) {
      const index = this.slots[slot] as number;
      if (index === 0) {
        this.insert(slot, bits, state, full);
        return true;
      }
      const at = (index - 1) * words;
      if (arena[at] !== full || arena[at + 1] !== state) continue;
      let same = true;
      for (let w = 0; w < bits.length; w++) {
        if (arena[at + 2 + w] !== bits[w]) {
          same = false;
          break;
        }
      }
      if (same) return false;
    }
  }

  private insert(slot: number, bits: Int32Array, state: number, full: number): void {
    const at = this.count * this.words;
    if (at + this.words > this.arena.length) {
      const larger = new Int32Array(this.arena.length * 2);
      larger.set(this.arena);
      this.arena = larger;
    }
    this.arena[at] = full;
    this.arena[at + 1] = state;
    this.arena.set(bits, at + 2);
    this.count++;
    this.slots[slot] = this.count;
    if (this.count * slack > this.slots.length) this.grow();
  }

  private grow(): void {
    const slots = new Int32Array(this.slots.length * 2);
    const mask = slots.length - 1;
    for (let index = 1; index <= this.count; index++) {
      let slot = (this.arena[(index - 1) * this.words] as number) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index;
    }
    this.slots = slots;
  }
}

function mix(hash: number, state: number): number {
  let h = hash ^ Math.imul(state + 1, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
