import { hashText } from '../../../sim/mix.ts';
import { compareKeys, FROM_KEY, isPlainKey } from '../keys.ts';
import { isTombstone, type KeyRecord } from './record.ts';

const BLOCK = 256;

/** One key with the rows that are left of it, in order of revision (etcd's keyIndex; its generations end at the tombstones). */
export interface KeyEntry {
  readonly key: string;
  readonly keyHash: number;
  revs: KeyRecord[];
}

/** The row of an entry that a read at `revision` sees, tombstones included. */
export function recordAt(entry: KeyEntry, revision: number): KeyRecord | undefined {
  const revs = entry.revs;
  for (let i = revs.length - 1; i >= 0; i--) {
    const record = revs[i];
    if (record !== undefined && record.modRevision <= revision) return record;
  }
  return undefined;
}

/** The row that a read at `revision` returns: nothing where the key did not exist. */
export function liveRecordAt(entry: KeyEntry, revision: number): KeyRecord | undefined {
  const record = recordAt(entry, revision);
  return record === undefined || isTombstone(record) ? undefined : record;
}

/**
 * All keys: a map for single keys and, for ranges, a two-level sorted array (blocks of at most 256 keys), so that a put of a known key
 * touches only the map and a prefix read starts after two binary searches.
 */
export class KeyIndex {
  readonly #map = new Map<string, KeyEntry>();
  #blocks: KeyEntry[][] = [[]];
  /** Until a key beyond the surrogates appears, the engine's own string order is byte order. */
  #plain = true;

  get(key: string): KeyEntry | undefined {
    return this.#map.get(key);
  }

  /** The entry of a key, made if need be. */
  ensure(key: string): KeyEntry {
    const known = this.#map.get(key);
    if (known !== undefined) return known;
    const entry: KeyEntry = { key, keyHash: hashText(key), revs: [] };
    this.#map.set(key, entry);
    this.#insert(entry);
    return entry;
  }

  get size(): number {
    return this.#map.size;
  }

  /** Calls `visit` for every entry in the range of a request's key and range end, in byte order, until it returns false. */
  forRange(begin: string, rangeEnd: string, visit: (entry: KeyEntry) => boolean): void {
    if (rangeEnd === '') {
      const entry = this.#map.get(begin);
      if (entry !== undefined) visit(entry);
      return;
    }
    this.#notePlainness(begin);
    if (rangeEnd !== FROM_KEY) this.#notePlainness(rangeEnd);
    const open = rangeEnd === FROM_KEY;
    let b = this.#blockOf(begin);
    let i = this.#lowerBound(this.#blocks[b] ?? [], begin);
    for (; b < this.#blocks.length; b++) {
      const block = this.#blocks[b] ?? [];
      for (; i < block.length; i++) {
        const entry = block[i];
        if (entry === undefined) continue;
        if (!open && !this.#less(entry.key, rangeEnd)) return;
        if (!visit(entry)) return;
      }
      i = 0;
    }
  }

  /**
   * Applies a compaction to every key: `compact` changes an entry's rows. Keys without rows are dropped.
   */
  compact(compact: (entry: KeyEntry) => void): void {
    const blocks: KeyEntry[][] = [];
    for (const block of this.#blocks) {
      let dropped = false;
      for (const entry of block) {
        compact(entry);
        if (entry.revs.length === 0) {
          this.#map.delete(entry.key);
          dropped = true;
        }
      }
      const left = dropped ? block.filter((entry) => entry.revs.length > 0) : block;
      const previous = blocks[blocks.length - 1];
      if (left.length === 0) continue;
      if (previous !== undefined && previous.length + left.length <= BLOCK / 2) previous.push(...left);
      else blocks.push(left);
    }
    if (blocks.length === 0) blocks.push([]);
    this.#blocks = blocks;
  }

  #insert(entry: KeyEntry): void {
    this.#notePlainness(entry.key);
    const b = this.#blockOf(entry.key);
    const block = this.#blocks[b] ?? [];
    block.splice(this.#lowerBound(block, entry.key), 0, entry);
    if (block.length > BLOCK) {
      // Keys often arrive in ascending order: then a full block stays full and a new one starts.
      const appended = b === this.#blocks.length - 1 && block[block.length - 1] === entry;
      const at = appended ? block.length - 1 : BLOCK / 2;
      this.#blocks.splice(b + 1, 0, block.splice(at));
    }
  }

  #notePlainness(key: string): void {
    if (this.#plain && !isPlainKey(key)) this.#plain = false;
  }

  #less(a: string, b: string): boolean {
    return this.#plain ? a < b : compareKeys(a, b) < 0;
  }

  /** The block in which a key lies or would be put. */
  #blockOf(key: string): number {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      const first = this.#blocks[middle]?.[0];
      if (first !== undefined && !this.#less(key, first.key)) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #lowerBound(block: readonly KeyEntry[], key: string): number {
    let low = 0;
    let high = block.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = block[middle];
      if (entry !== undefined && this.#less(entry.key, key)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
