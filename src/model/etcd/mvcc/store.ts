import { assert } from '../../../sim/assert.ts';
import { finalize32, mixWord } from '../../../sim/mix.ts';
import type { KeyValue } from '../api.ts';
import { etcdError, type Result } from '../errors.ts';
import { type KeyEntry, KeyIndex, liveRecordAt, pushRecord } from './key-index.ts';
import type { LeaseAttachments } from './lease-attachments.ts';
import { isTombstone, type KeyRecord, type PutValue, putRecord, tombstoneRecord } from './record.ts';
import { type LogMark, RevisionLog } from './revision-log.ts';

/** What the backend keeps of the store: all that a restart needs. */
export interface StoreMark {
  readonly log: LogMark;
  /** Compaction asked for; -1 if none ever. */
  readonly scheduledCompactRevision: number;
  /** Compaction whose rows are all gone. */
  readonly finishedCompactRevision: number;
  /** Hash over all changes ever made, in order. */
  readonly historyHash: number;
  readonly sizeBytes: number;
  readonly hashes: readonly StoredHash[];
}

/** A HashKV that a compaction computed on its way (mvcc.hashStorage). */
export interface StoredHash {
  readonly revision: number;
  readonly compactRevision: number;
  readonly hash: number;
}

export interface RangeOptions {
  /** 0: the current revision. */
  readonly revision: number;
  /** 0: no limit. */
  readonly limit: number;
  readonly countOnly: boolean;
}

export interface RangeResult {
  readonly kvs: readonly KeyValue[];
  /** All live keys in the range, whatever the limit. */
  readonly count: number;
  /** The store's revision that the read saw. */
  readonly revision: number;
}

/** Told of every write transaction's changes once it is complete, with the live row that each replaced. */
export type ChangeListener = (revision: number, changes: readonly KeyRecord[], previous: readonly (KeyRecord | undefined)[]) => void;

/** Rows that one batch of a compaction looks at (etcd: --compaction-batch-limit). */
export const COMPACTION_BATCH_LIMIT = 1000;
/** hashStorage keeps this many. */
const STORED_HASHES_MAX = 10;
/** kvOverhead of a row, close to what bbolt's pages take. */
const ROW_OVERHEAD_BYTES = 48;

/** Where switched-on defects change the store (see model/defects.ts). */
export interface StoreDefects {
  /** Compaction at a delete's revision drops the tombstone. */
  readonly dropsTombstoneAtCompaction: boolean;
  /** The revision is taken from the last row that is left, even if a compaction removed later ones. */
  readonly forgetsRevisionAfterCompaction: boolean;
}

const noDefects: StoreDefects = { dropsTombstoneAtCompaction: false, forgetsRevisionAfterCompaction: false };

/**
 * etcd's multi-version store (server/storage/mvcc): an index of keys over a log of rows. Synchronous and pure: writes come in
 * transactions, reads see the state between two of them, time-driven work (compaction batches) is called for by the owner.
 */
export class MvccStore {
  readonly #index = new KeyIndex();
  readonly #log: RevisionLog;
  readonly #leases: LeaseAttachments;
  readonly #defects: StoreDefects;
  #onChanges: ChangeListener = () => {};
  #currentRevision = 1;
  #compactRevision = -1;
  #scheduledCompact = -1;
  #finishedCompact = -1;
  #compactionCursor = -1;
  #compacting = false;
  #historyHash = 0;
  #keysHash = 0;
  #sizeBytes = 0;
  #hashes: readonly StoredHash[] = [];
  #txn: WriteTxn | undefined;

  /** Opens an empty store, or restores one from what the backend kept (store.restore). */
  constructor(leases: LeaseAttachments, mark?: StoreMark, defects: StoreDefects = noDefects) {
    this.#leases = leases;
    this.#defects = defects;
    this.#log = new RevisionLog(mark?.log);
    if (mark !== undefined) this.#restore(mark);
  }

  /** Who is told of changes; one listener (the watchable store). */
  set onChanges(listener: ChangeListener) {
    this.#onChanges = listener;
  }

  get revision(): number {
    return this.#currentRevision;
  }

  /** Everything below this has been compacted; -1 before the first compaction. */
  get compactRevision(): number {
    return this.#compactRevision;
  }

  /** Hash over all changes ever made, in order: equal on members with equal revisions. */
  get historyHash(): number {
    return this.#historyHash;
  }

  /** Hash over the keys that exist now. Not kept on disk: a restart computes it from the rows that it finds. */
  get keysHash(): number {
    return this.#keysHash;
  }

  /** Bytes that rows take. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get keyCount(): number {
    return this.#index.size;
  }

  /** All rows from a revision on, in order. */
  forEachChangeFrom(revision: number, visit: (record: KeyRecord) => boolean): void {
    this.#log.forEachFrom(revision, visit);
  }

  /** The row that was live just before `record` was written, if it is still known. */
  previousOf(record: KeyRecord): KeyValue | undefined {
    const before = record.modRevision - 1;
    if (before < this.#compactRevision) return undefined;
    const entry = this.#index.get(record.key);
    return entry === undefined ? undefined : liveRecordAt(entry, before);
  }

  /** mvcc's range, outside or inside the running transaction. */
  range(key: string, rangeEnd: string, options: RangeOptions): Result<RangeResult> {
    const current = this.#txn === undefined ? this.#currentRevision : this.#txn.readRevision;
    if (options.revision > current) return etcdError('futureRevision');
    const revision = options.revision <= 0 ? current : options.revision;
    if (revision < this.#compactRevision) return etcdError('compacted');
    const limit = options.countOnly ? 0 : options.limit > 0 ? options.limit : Number.POSITIVE_INFINITY;
    if (revision === current) {
      const { rows, count } = this.#index.currentRange(key, rangeEnd, limit);
      return { kvs: rows, count, revision: current };
    }
    const kvs: KeyValue[] = [];
    let count = 0;
    this.#index.forRange(key, rangeEnd, (entry) => {
      const record = liveRecordAt(entry, revision);
      if (record !== undefined && count++ < limit) kvs.push(record);
      return true;
    });
    return { kvs, count, revision: current };
  }

  /** The current row of one key. */
  get(key: string): KeyRecord | undefined {
    return this.#index.get(key)?.live;
  }

  /** Starts a write transaction; end it with `end()`. */
  write(): WriteTxn {
    assert(this.#txn === undefined, 'MvccStore.write: a transaction is open; transactions do not nest');
    const txn = new WriteTxn(this.#index, this.#log, this.#leases, this.#currentRevision, this.#endTxn);
    this.#txn = txn;
    return txn;
  }

  readonly #endTxn = (changes: readonly KeyRecord[], previous: readonly (KeyRecord | undefined)[]): void => {
    this.#txn = undefined;
    if (changes.length === 0) return;
    this.#currentRevision++;
    for (let i = 0; i < changes.length; i++) {
      const record = changes[i] as KeyRecord;
      this.#historyHash = mixWord(this.#historyHash, record.hash);
      this.#sizeBytes += rowBytes(record);
      this.#keysHash = (this.#keysHash + (isTombstone(record) ? 0 : record.hash) - (previous[i]?.hash ?? 0)) | 0;
    }
    this.#onChanges(this.#currentRevision, changes, previous);
  };

  /** Asks for a compaction (store.updateCompactRev). It takes effect for readers at once; rows go in batches. */
  compact(revision: number): Result<void> {
    if (revision <= this.#compactRevision) return etcdError('compacted');
    if (revision > this.#currentRevision) return etcdError('futureRevision');
    // The hash at the new boundary is remembered before its older rows go (store.scheduleCompaction).
    const stored = this.#hashAt(revision, this.#compactRevision);
    this.#hashes = [...this.#hashes, stored].slice(-STORED_HASHES_MAX);
    this.#compactRevision = revision;
    this.#scheduledCompact = revision;
    this.#startCompaction();
  }

  /** Whether batches of a compaction are left to do. */
  get compacting(): boolean {
    return this.#compacting;
  }

  /** Removes one batch of compacted rows; true when the compaction is finished and its mark set. */
  compactStep(limit: number = COMPACTION_BATCH_LIMIT): boolean {
    if (!this.#compacting) return true;
    const target = this.#scheduledCompact;
    const { through, isFull } = this.#log.compactBatch(this.#compactionCursor, target, limit, (record) => {
      const kept = this.#index.get(record.key)?.revs[0] === record;
      if (!kept) this.#sizeBytes -= rowBytes(record);
      return kept;
    });
    this.#compactionCursor = through;
    if (through < target || isFull) return false;
    this.#compacting = false;
    this.#finishedCompact = target;
    return true;
  }

  #startCompaction(): void {
    const revision = this.#scheduledCompact;
    this.#compacting = true;
    this.#compactionCursor = -1;
    this.#index.compact((entry) => this.#compactEntry(entry, revision));
  }

  #compactEntry(entry: KeyEntry, revision: number): void {
    const first = entry.revs[0];
    if (first === undefined || first.modRevision > revision) return;
    let keepFrom = 0;
    for (let i = 0; i < entry.revs.length; i++) {
      const record = entry.revs[i];
      if (record !== undefined && record.modRevision <= revision) keepFrom = i;
    }
    const boundary = entry.revs[keepFrom];
    if (boundary !== undefined && isTombstone(boundary)) {
      // etcd#18089: the tombstone at exactly the compacted revision stays, because a watch may start there.
      if (boundary.modRevision < revision || this.#defects.dropsTombstoneAtCompaction) keepFrom++;
    }
    if (keepFrom > 0) entry.revs = entry.revs.slice(keepFrom);
  }

  /** Hashes that compactions remembered, oldest first. */
  get storedHashes(): readonly StoredHash[] {
    return this.#hashes;
  }

  /** HashKV at a revision (0: now). */
  hashKv(revision: number): Result<StoredHash & { readonly current: number }> {
    if (revision !== 0 && revision < this.#compactRevision) return etcdError('compacted');
    if (revision > this.#currentRevision) return etcdError('futureRevision');
    const at = revision === 0 ? this.#currentRevision : revision;
    const stored = this.#hashes.find((h) => h.revision === at);
    const found = stored ?? this.#hashAt(at, this.#compactRevision);
    return { ...found, current: this.#currentRevision };
  }

  /**
   * Hash over the rows of a store at `revision` (kvHasher). Of rows at or below the compaction only those count that a compaction at
   * `revision` would keep: members may be at different batches, and a key deleted by `revision` is in no case needed.
   */
  #hashAt(revision: number, compactRevision: number): StoredHash {
    let sum = 0;
    this.#log.forEachFrom(0, (record) => {
      if (record.modRevision > revision) return false;
      if (record.modRevision <= compactRevision) {
        const entry = this.#index.get(record.key);
        if (entry === undefined || liveRecordAt(entry, revision) !== record) return true;
      }
      sum = (sum + record.hash) | 0;
      return true;
    });
    return { revision, compactRevision, hash: finalize32(sum) };
  }

  /** Everything a restart needs, as it is now; costs nothing. */
  mark(): StoreMark {
    return {
      log: this.#log.mark(),
      scheduledCompactRevision: this.#scheduledCompact,
      finishedCompactRevision: this.#finishedCompact,
      historyHash: this.#historyHash,
      sizeBytes: this.#sizeBytes,
      hashes: this.#hashes,
    };
  }

  /** store.restore: the index and the revision come from the rows, an unfinished compaction starts again. */
  #restore(mark: StoreMark): void {
    this.#log.forEachFrom(0, (record) => {
      pushRecord(this.#index.ensure(record.key), record);
      return true;
    });
    this.#historyHash = mark.historyHash;
    this.#sizeBytes = mark.sizeBytes;
    this.#hashes = mark.hashes;
    this.#finishedCompact = mark.finishedCompactRevision;
    this.#scheduledCompact = mark.scheduledCompactRevision;
    this.#compactRevision = mark.finishedCompactRevision;
    const newest = this.#log.last()?.modRevision ?? 1;
    this.#currentRevision = Math.max(newest, this.#finishedCompact, 1);
    // etcd#17780: a compaction cut short may have removed the newest rows already; the revision must not go back behind it.
    if (!this.#defects.forgetsRevisionAfterCompaction) {
      this.#currentRevision = Math.max(this.#currentRevision, this.#scheduledCompact);
    }
    if (this.#scheduledCompact > this.#finishedCompact) {
      this.#compactRevision = this.#scheduledCompact;
      this.#startCompaction();
    }
    this.#readLive();
  }

  #readLive(): void {
    this.#index.forRange('', '\0', (entry) => {
      if (entry.live === undefined) return true;
      this.#keysHash = (this.#keysHash + entry.live.hash) | 0;
      if (entry.live.lease !== 0n) this.#leases.attach(entry.live.lease, entry.key);
      return true;
    });
  }
}

function rowBytes(record: KeyRecord): number {
  return ROW_OVERHEAD_BYTES + record.key.length + record.sizeBytes;
}

/** One write transaction (storeTxnWrite): all its changes share the next revision. */
export class WriteTxn {
  readonly changes: KeyRecord[] = [];
  readonly #previous: (KeyRecord | undefined)[] = [];
  readonly #index: KeyIndex;
  readonly #log: RevisionLog;
  readonly #leases: LeaseAttachments;
  readonly #beginRevision: number;
  readonly #end: (changes: readonly KeyRecord[], previous: readonly (KeyRecord | undefined)[]) => void;

  constructor(
    index: KeyIndex,
    log: RevisionLog,
    leases: LeaseAttachments,
    beginRevision: number,
    end: (changes: readonly KeyRecord[], previous: readonly (KeyRecord | undefined)[]) => void,
  ) {
    this.#index = index;
    this.#log = log;
    this.#leases = leases;
    this.#beginRevision = beginRevision;
    this.#end = end;
  }

  /** The revision that reads inside the transaction see: the new one as soon as something was written. */
  get readRevision(): number {
    return this.changes.length > 0 ? this.#beginRevision + 1 : this.#beginRevision;
  }

  /** Writes a value and returns the revision. */
  put(key: string, write: PutValue, lease: bigint): number {
    const revision = this.#beginRevision + 1;
    const entry = this.#index.ensure(key);
    const live = entry.live;
    const fields = { key, keyHash: entry.keyHash, previous: live, modRevision: revision, sub: this.changes.length, lease };
    const record = putRecord(fields, write);
    pushRecord(entry, record);
    this.#log.append(record);
    this.changes.push(record);
    this.#previous.push(live);
    const oldLease = live === undefined ? 0n : live.lease;
    if (oldLease !== lease) {
      if (oldLease !== 0n) this.#leases.detach(oldLease, key);
      if (lease !== 0n) this.#leases.attach(lease, key);
    }
    return revision;
  }

  /** Deletes all live keys of a range; returns how many and the revision. */
  deleteRange(key: string, rangeEnd: string): { readonly deleted: number; readonly revision: number } {
    const revision = this.#beginRevision + 1;
    let deleted = 0;
    this.#index.forRange(key, rangeEnd, (entry) => {
      const { live } = entry;
      if (live === undefined) return true;
      const record = tombstoneRecord(entry.key, entry.keyHash, revision, this.changes.length);
      pushRecord(entry, record);
      this.#log.append(record);
      this.changes.push(record);
      this.#previous.push(live);
      if (live.lease !== 0n) this.#leases.detach(live.lease, entry.key);
      deleted++;
      return true;
    });
    return { deleted, revision: this.readRevision };
  }

  end(): void {
    this.#end(this.changes, this.#previous);
  }
}
