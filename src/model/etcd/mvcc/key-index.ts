import { assert } from '../../../sim/assert.ts';
import { hashText } from '../../../sim/mix.ts';
import { compareKeys, FROM_KEY, isPlainKey } from '../keys.ts';
import { isTombstone, type KeyRecord } from './record.ts';

const BLOCK = 256;

/** A run of entries in byte order. */
interface Block {
  entries: KeyEntry[];
  /** How many of them exist now: lets counts skip whole blocks. */
  live: number;
}

/** One key with the rows that are left of it, in order of revision (etcd's keyIndex; its generations end at the tombstones). */
export interface KeyEntry {
  readonly key: string;
  readonly keyHash: number;
  revs: KeyRecord[];
  /** The newest row, if it is no tombstone. */
  live: KeyRecord | undefined;
  block: Block;
}

/** Adds the newest row of an entry. */
export function pushRecord(entry: KeyEntry, record: KeyRecord): void {
  entry.revs.push(record);
  const live = isTombstone(record) ? undefined : record;
  if ((live === undefined) !== (entry.live === undefined)) entry.block.live += live === undefined ? -1 : 1;
  entry.live = live;
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
  #blocks: Block[] = [{ entries: [], live: 0 }];
  /** Until a key beyond the surrogates appears, the engine's own string order is byte order. */
  #plain = true;

  get(key: string): KeyEntry | undefined {
    return this.#map.get(key);
  }

  /** The entry of a key, made if need be. */
  ensure(key: string): KeyEntry {
    const known = this.#map.get(key);
    if (known !== undefined) return known;
    this.#notePlainness(key);
    const b = this.#blockOf(key);
    const block = this.#block(b);
    const entry: KeyEntry = { key, keyHash: hashText(key), revs: [], live: undefined, block };
    this.#map.set(key, entry);
    block.entries.splice(this.#lowerBound(block.entries, key), 0, entry);
    if (block.entries.length > BLOCK) this.#split(b, block, entry);
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
    this.#noteBounds(begin, rangeEnd);
    let b = this.#blockOf(begin);
    let i = this.#lowerBound(this.#block(b).entries, begin);
    for (; b < this.#blocks.length; b++) {
      const { entries } = this.#block(b);
      const open = this.#endsBefore(b, rangeEnd);
      for (; i < entries.length; i++) {
        const entry = entries[i];
        if (entry === undefined) continue;
        if (!open && !this.#less(entry.key, rangeEnd)) return;
        if (!visit(entry)) return;
      }
      i = 0;
    }
  }

  /** Keys that exist now in a range: the rows of the first `limit` of them, and how many there are in all. */
  currentRange(begin: string, rangeEnd: string, limit: number): { readonly rows: readonly KeyRecord[]; readonly count: number } {
    const rows: KeyRecord[] = [];
    if (rangeEnd === '') {
      const live = this.#map.get(begin)?.live;
      if (live === undefined) return { rows, count: 0 };
      if (limit > 0) rows.push(live);
      return { rows, count: 1 };
    }
    this.#noteBounds(begin, rangeEnd);
    let count = 0;
    let b = this.#blockOf(begin);
    let i = this.#lowerBound(this.#block(b).entries, begin);
    for (; b < this.#blocks.length; b++) {
      const { entries, live } = this.#block(b);
      const whole = this.#endsBefore(b, rangeEnd);
      if (whole && i === 0 && rows.length >= limit) {
        count += live;
        continue;
      }
      for (; i < entries.length; i++) {
        const entry = entries[i];
        if (entry === undefined) continue;
        if (!whole && !this.#less(entry.key, rangeEnd)) return { rows, count };
        if (entry.live === undefined) continue;
        count++;
        if (rows.length < limit) rows.push(entry.live);
      }
      i = 0;
    }
    return { rows, count };
  }

  /** Applies a compaction to every key: `compact` changes an entry's rows. Keys without rows are dropped. */
  compact(compact: (entry: KeyEntry) => void): void {
    const blocks: Block[] = [];
    for (const block of this.#blocks) {
      let dropped = false;
      for (const entry of block.entries) {
        compact(entry);
        if (entry.revs.length > 0) continue;
        this.#map.delete(entry.key);
        dropped = true;
      }
      if (dropped) block.entries = block.entries.filter((entry) => entry.revs.length > 0);
      const previous = blocks[blocks.length - 1];
      if (block.entries.length === 0) continue;
      if (previous === undefined || previous.entries.length + block.entries.length > BLOCK / 2) blocks.push(block);
      else adopt(previous, block.entries, block.live);
    }
    if (blocks.length === 0) blocks.push({ entries: [], live: 0 });
    this.#blocks = blocks;
  }

  #block(b: number): Block {
    const block = this.#blocks[b];
    assert(block !== undefined, () => `KeyIndex: no block ${b} of ${this.#blocks.length}`);
    return block;
  }

  #split(b: number, block: Block, added: KeyEntry): void {
    // Keys often arrive in ascending order: then a full block stays full and a new one starts.
    const appended = b === this.#blocks.length - 1 && block.entries[block.entries.length - 1] === added;
    const moved = block.entries.splice(appended ? block.entries.length - 1 : BLOCK / 2);
    const next: Block = { entries: [], live: 0 };
    let live = 0;
    for (const entry of moved) if (entry.live !== undefined) live++;
    block.live -= live;
    adopt(next, moved, live);
    this.#blocks.splice(b + 1, 0, next);
  }

  #noteBounds(begin: string, rangeEnd: string): void {
    this.#notePlainness(begin);
    if (rangeEnd !== FROM_KEY) this.#notePlainness(rangeEnd);
  }

  /** Whether all keys of a block lie before the end of a range. */
  #endsBefore(b: number, rangeEnd: string): boolean {
    if (rangeEnd === FROM_KEY) return true;
    const next = this.#blocks[b + 1]?.entries[0];
    return next !== undefined && !this.#less(rangeEnd, next.key);
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
      const first = this.#blocks[middle]?.entries[0];
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

function adopt(block: Block, entries: readonly KeyEntry[], live: number): void {
  for (const entry of entries) {
    entry.block = block;
    block.entries.push(entry);
  }
  block.live += live;
}
