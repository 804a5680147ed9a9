import { assert } from '../../../sim/assert.ts';
import type { KeyRecord } from './record.ts';

const CHUNK = 1024;

/** A state of the log that stays as it is whatever is appended or compacted later: what a backend commit makes durable. */
export interface LogMark {
  readonly chunks: readonly KeyRecord[][];
  /** Rows of the last chunk that belong to the mark; later rows in the same array do not. */
  readonly lastLength: number;
}

/** How far a batch of a compaction came. A full one is never the last: whether rows are left only the next one sees, as in etcd. */
export interface CompactedBatch {
  readonly through: number;
  readonly isFull: boolean;
}

/**
 * The backend's key bucket: all rows in order of revision. Rows are only appended at the end; compaction puts new chunks in the place of
 * old ones. So a mark costs nothing, and a crash goes back to one without an undo journal.
 */
export class RevisionLog {
  #chunks: KeyRecord[][];
  #last: KeyRecord[];
  #shared = false;

  constructor(mark?: LogMark) {
    if (mark === undefined || mark.chunks.length === 0) {
      this.#last = [];
      this.#chunks = [this.#last];
      return;
    }
    // The last chunk is copied: whoever wrote it may have gone on appending to its array after the mark.
    this.#last = (mark.chunks[mark.chunks.length - 1] ?? []).slice(0, mark.lastLength);
    this.#chunks = [...mark.chunks.slice(0, -1), this.#last];
  }

  append(record: KeyRecord): void {
    if (this.#last.length >= CHUNK) {
      this.#own();
      this.#last = [];
      this.#chunks.push(this.#last);
    }
    this.#last.push(record);
  }

  mark(): LogMark {
    this.#shared = true;
    return { chunks: this.#chunks, lastLength: this.#last.length };
  }

  /** Calls `visit` for every row with modRevision >= `from`, in order, until it returns false. */
  forEachFrom(from: number, visit: (record: KeyRecord) => boolean): void {
    let c = this.#chunkOf(from);
    let i = c < this.#chunks.length ? lowerBound(this.#chunks[c] ?? [], from) : 0;
    for (; c < this.#chunks.length; c++) {
      const chunk = this.#chunks[c] ?? [];
      for (; i < chunk.length; i++) {
        const record = chunk[i];
        if (record !== undefined && !visit(record)) return;
      }
      i = 0;
    }
  }

  /** The last row, if any. */
  last(): KeyRecord | undefined {
    for (let c = this.#chunks.length - 1; c >= 0; c--) {
      const chunk = this.#chunks[c] ?? [];
      if (chunk.length > 0) return chunk[chunk.length - 1];
    }
    return undefined;
  }

  /** Number of rows. */
  get size(): number {
    let rows = 0;
    for (const chunk of this.#chunks) rows += chunk.length;
    return rows;
  }

  /**
   * One batch of a compaction: looks at up to `limit` rows with a revision in (`after`, `through`], keeps those that `keep` wants.
   * Returns the revision up to which rows have been looked at, or `through` when there are none left.
   */
  compactBatch(after: number, through: number, limit: number, keep: (record: KeyRecord) => boolean): CompactedBatch {
    const first = this.#chunkOf(after + 1);
    let looked = 0;
    let end = first;
    let lookedThrough = through;
    const kept: KeyRecord[] = [];
    let rest: KeyRecord[] | undefined;
    scan: for (; end < this.#chunks.length; end++) {
      const chunk = this.#chunks[end] ?? [];
      for (let i = 0; i < chunk.length; i++) {
        const record = chunk[i];
        assert(record !== undefined, 'RevisionLog.compactBatch: hole in a chunk');
        if (record.modRevision <= after) {
          kept.push(record);
          continue;
        }
        const boundary = looked >= limit && record.modRevision > lookedThrough;
        if (record.modRevision > through || boundary) {
          rest = chunk.slice(i);
          end++;
          break scan;
        }
        looked++;
        if (looked >= limit) lookedThrough = record.modRevision;
        if (keep(record)) kept.push(record);
      }
    }
    if (end === first) return { through, isFull: false };
    const packed: KeyRecord[][] = [];
    const before = this.#chunks.slice(0, first);
    // The chunk before is filled up too, so that repeated compaction does not leave a trail of tiny chunks.
    const previous = before[before.length - 1];
    if (previous !== undefined && previous.length + kept.length <= CHUNK) {
      before.pop();
      packed.push([...previous, ...kept]);
    } else {
      for (let i = 0; i < kept.length; i += CHUNK) packed.push(kept.slice(i, i + CHUNK));
    }
    if (rest !== undefined) packed.push(rest);
    this.#chunks = [...before, ...packed, ...this.#chunks.slice(end)];
    this.#shared = false;
    if (this.#chunks.length === 0) this.#chunks.push([]);
    this.#last = this.#chunks[this.#chunks.length - 1] ?? [];
    return looked >= limit ? { through: lookedThrough, isFull: true } : { through, isFull: false };
  }

  /** The first chunk that may hold rows of revision `from` or later. */
  #chunkOf(from: number): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const chunk = this.#chunks[middle] ?? [];
      const last = chunk[chunk.length - 1];
      if (last !== undefined && last.modRevision < from) low = middle + 1;
      else if (last === undefined && middle < this.#chunks.length - 1) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The outer array may belong to a mark: copy it before the first change after one. */
  #own(): void {
    if (!this.#shared) return;
    this.#chunks = [...this.#chunks];
    this.#shared = false;
  }
}

function lowerBound(chunk: readonly KeyRecord[], from: number): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const record = chunk[middle];
    if (record !== undefined && record.modRevision < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
