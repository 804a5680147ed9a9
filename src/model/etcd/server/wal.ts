import type { Disk, DiskResult } from '../../../sim/disk.ts';
import type { Process } from '../../../sim/process.ts';
import { MINUTE } from '../../../sim/time.ts';
import type { ConfState, Entry, HardState } from '../../../raft/types.ts';
import type { MemberId } from '../api.ts';

/** Who the log belongs to: the first record of every segment. */
export interface WalMetadata {
  readonly memberId: MemberId;
  readonly clusterId: number;
}

/** Marks that a snapshot with this position is on disk. */
export interface WalSnapshot {
  readonly index: number;
  readonly term: number;
  readonly confState: ConfState;
}

/** Records are told apart by their fields: entries and hard states are written as they are, since there are two for every change. */
type WalRecord = Entry | HardState | { readonly metadata: WalMetadata } | { readonly snapshot: WalSnapshot };

/** What a restart finds in the log. */
export interface WalContent {
  readonly metadata: WalMetadata;
  readonly state: HardState;
  /** Entries after the snapshot that was asked for. */
  readonly entries: readonly Entry[];
}

/** A segment is closed at this size (wal.SegmentSizeBytes). */
const SEGMENT_BYTES = 64 * 1000 * 1000;
const RECORD_BYTES = 24;
/** NATS JetStream's sync_interval, for the defect R18. */
export const LATE_SYNC_US = 2 * MINUTE;

/** Where switched-on defects change what is written and read. */
export interface WalDefects {
  /** Term and vote are not saved. */
  readonly forgetsVote: boolean;
  /** An entry at or below the snapshot's index does not truncate what was read before. */
  readonly resurrectsTruncated: boolean;
  /** Records count as durable at once; they are synced only now and then. */
  readonly syncsLate: boolean;
}

const OK: DiskResult = { ok: true };

interface Segment {
  readonly file: string;
  /** Index of the last entry written before the segment was opened. */
  readonly after: number;
}

/**
 * Whether a log holds anything that its member may have promised to others. One that lost power while it wrote its very first records (the
 * members that it was configured with, term 1) has promised nothing and begins again.
 */
export function walIsUsed(disk: Disk, prefix: string): boolean {
  return disk.list(prefix).some((file) =>
    (disk.read(file) ?? []).some((stored) => {
      const record = stored.value as WalRecord;
      if ('vote' in record) return record.term > 0 || record.commit > 0;
      return 'snapshot' in record || ('index' in record && record.term > 1);
    }),
  );
}

/**
 * etcd's write-ahead log (server/storage/wal): segments of checksummed records, appended and synced, read once at start. A torn last
 * record is cut off; a bad one before it ends the program.
 */
export class Wal {
  readonly #process: Process;
  readonly #disk: Disk;
  readonly #prefix: string;
  readonly #defects: WalDefects;
  #segments: Segment[] = [];
  #metadata: WalMetadata | undefined;
  #lastState: HardState = { term: 0, vote: 0, commit: 0 };
  #lastIndex = 0;
  #bytes = 0;
  /** The segment that is written, if it has records that are not synced; and others that have. */
  #unsyncedLast = '';
  #unsyncedBefore: string[] = [];
  #lateTimer = 0;

  constructor(process: Process, prefix: string, defects: WalDefects) {
    this.#process = process;
    this.#disk = process.host.disk;
    this.#prefix = prefix;
    this.#defects = defects;
  }

  /** Starts a new log. */
  create(metadata: WalMetadata): DiskResult {
    this.#metadata = metadata;
    for (const file of this.#disk.list(this.#prefix)) this.#disk.remove(this.#process, file);
    return this.#openSegment();
  }

  /** The snapshots that the log knows to be on disk, oldest first (ValidSnapshotEntries). */
  snapshots(): readonly WalSnapshot[] {
    const found: WalSnapshot[] = [];
    for (const record of this.#records()) if ('snapshot' in record) found.push(record.snapshot);
    return found;
  }

  /** Reads everything after a snapshot and makes the log ready for appending. `undefined`: no metadata, the log was never used. */
  open(snapshot: { readonly index: number }): WalContent | undefined {
    let metadata: WalMetadata | undefined;
    let state: HardState = { term: 0, vote: 0, commit: 0 };
    const entries: Entry[] = [];
    for (const record of this.#records()) {
      if ('metadata' in record) metadata = record.metadata;
      else if ('vote' in record) state = record;
      else if ('index' in record) this.#readEntry(entries, record, snapshot.index);
    }
    if (metadata === undefined) return undefined;
    this.#metadata = metadata;
    this.#lastState = state;
    this.#lastIndex = entries[entries.length - 1]?.index ?? snapshot.index;
    return { metadata, state, entries };
  }

  #readEntry(entries: Entry[], entry: Entry, snapshotIndex: number): void {
    const at = entry.index - snapshotIndex - 1;
    if (at >= 0) {
      if (at < entries.length) entries.length = at;
      if (at > entries.length) this.#process.exit(1, 'wal: slice bounds out of range');
      entries.push(entry);
      return;
    }
    // etcd#22442: an overwritten entry below the snapshot takes the old tail above the snapshot with it.
    if (!this.#defects.resurrectsTruncated) entries.length = 0;
  }

  /** All readable records; cuts a torn end off the last segment (wal.Repair), ends the program at damage anywhere else. */
  #records(): readonly WalRecord[] {
    const files = this.#disk.list(this.#prefix);
    const records: WalRecord[] = [];
    this.#segments = [];
    let lastIndex = 0;
    files.forEach((file, f) => {
      this.#segments.push({ file, after: lastIndex });
      const stored = this.#disk.read(file) ?? [];
      this.#bytes = 0;
      for (let i = 0; i < stored.length; i++) {
        const record = stored[i];
        if (record === undefined) break;
        if (record.torn === true || record.rotten === true) {
          const atEnd = f === files.length - 1 && i === stored.length - 1;
          if (!atEnd || record.rotten === true) this.#process.exit(1, 'wal: crc mismatch');
          this.#disk.truncate(this.#process, file, i);
          break;
        }
        const value = record.value as WalRecord;
        this.#bytes += record.sizeBytes;
        if ('index' in value) lastIndex = value.index;
        records.push(value);
      }
    });
    return records;
  }

  /** Appends entries and hard state to the page cache, in that order. */
  save(state: HardState | undefined, entries: readonly Entry[]): DiskResult {
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as Entry;
      const result = this.#append(entry, entry.sizeBytes);
      if (!result.ok) return result;
      this.#lastIndex = entry.index;
    }
    if (state !== undefined) {
      // Vote and term must be stable before a vote is given (raft paper, figure 2). The defect keeps the old ones.
      const saved = this.#defects.forgetsVote ? { ...state, term: this.#lastState.term, vote: this.#lastState.vote } : state;
      const result = this.#append(saved, 0);
      if (!result.ok) return result;
      this.#lastState = saved;
    }
    return this.#bytes > SEGMENT_BYTES ? this.#openSegment() : OK;
  }

  /** Records that a snapshot is on disk, at the beginning of a new segment: so the mark outlives the segments that it makes needless. */
  saveSnapshot(snapshot: WalSnapshot): DiskResult {
    this.#lastIndex = Math.max(this.#lastIndex, snapshot.index);
    const opened = this.#openSegment();
    return opened.ok ? this.#append({ snapshot }, 64) : opened;
  }

  /** Makes what was appended durable, then calls `done`. */
  sync(done: () => void): void {
    // Whoever answers before the records are on the platter loses them with the power (raft paper, figure 2).
    if (this.#defects.syncsLate) {
      this.#syncLate();
      done();
      return;
    }
    const file = this.#unsyncedLast;
    if (file === '') {
      done();
      return;
    }
    if (this.#unsyncedBefore.length > 0) {
      this.#syncAll(this.#takeUnsynced(), done);
      return;
    }
    this.#unsyncedLast = '';
    this.#disk.fsyncThen(this.#process, file, done);
  }

  /** Files with records that are not synced, oldest first; they count as synced from here on. */
  #takeUnsynced(): readonly string[] {
    const files = this.#unsyncedLast === '' ? [] : [...this.#unsyncedBefore, this.#unsyncedLast];
    this.#unsyncedLast = '';
    this.#unsyncedBefore = [];
    return files;
  }

  #syncAll(files: readonly string[], done: () => void): void {
    let left = files.length;
    for (const file of files) {
      this.#disk.fsyncThen(this.#process, file, () => {
        if (--left === 0) done();
      });
    }
  }

  #syncLate(): void {
    if (this.#lateTimer !== 0) return;
    this.#lateTimer = this.#process.after(LATE_SYNC_US, () => {
      this.#lateTimer = 0;
      for (const file of this.#takeUnsynced()) this.#disk.fsyncThen(this.#process, file, () => undefined);
    });
  }

  /** Removes segments that hold nothing after `index`. */
  release(index: number): void {
    while (this.#segments.length > 1) {
      const next = this.#segments[1];
      const first = this.#segments[0];
      if (first === undefined || next === undefined || next.after > index) return;
      this.#disk.remove(this.#process, first.file);
      this.#segments.shift();
    }
  }

  #openSegment(): DiskResult {
    const last = this.#segments[this.#segments.length - 1]?.file;
    const sequence = last === undefined ? 0 : Number(last.slice(this.#prefix.length)) + 1;
    const file = `${this.#prefix}${String(sequence).padStart(8, '0')}`;
    this.#segments.push({ file, after: this.#lastIndex });
    this.#bytes = 0;
    if (this.#metadata !== undefined) {
      const result = this.#append({ metadata: this.#metadata }, 16);
      if (!result.ok) return result;
    }
    return this.#append(this.#lastState, 0);
  }

  #append(record: WalRecord, bytes: number): DiskResult {
    const segment = this.#segments[this.#segments.length - 1];
    if (segment === undefined) throw new Error('Wal: append before create or open');
    const size = RECORD_BYTES + bytes;
    this.#bytes += size;
    if (this.#unsyncedLast !== segment.file) {
      if (this.#unsyncedLast !== '') this.#unsyncedBefore.push(this.#unsyncedLast);
      this.#unsyncedLast = segment.file;
    }
    return this.#disk.append(this.#process, segment.file, record, size);
  }
}
