import { limitBytes } from './entry-size.ts';
import {
  type ConfState,
  type Entry,
  emptyHardState,
  emptySnapshot,
  type HardState,
  type LogIndex,
  RaftInvariantError,
  type Snapshot,
  type Term,
} from './types.ts';

/** Answer of `term` for an index that was compacted away. */
export const TermCompacted = -1;
/** Answer of `term` for an index beyond the log. */
export const TermUnavailable = -2;

/**
 * The stable log as raft reads it. The host owns it and writes it when it handles a Ready. Reads must reflect every write that
 * the host has reported as done (Advance, or MsgStorageAppendResp).
 */
export interface Storage {
  /** What was persisted, read once when the node starts. */
  initialState(): { hardState: HardState; confState: ConfState };
  /** Entries in [lo, hi), as many as fit in `bytesMax` encoded bytes but at least one; undefined if `lo` was compacted. */
  entries(lo: LogIndex, hi: LogIndex, bytesMax: number): readonly Entry[] | undefined;
  /** Term of an entry in [firstIndex - 1, lastIndex], or {@link TermCompacted} or {@link TermUnavailable}. */
  term(index: LogIndex): Term;
  lastIndex(): LogIndex;
  /** First index that was not compacted away. */
  firstIndex(): LogIndex;
  /** The newest snapshot, or undefined while the host is still preparing it. */
  snapshot(): Snapshot | undefined;
}

/** A stable log in memory (upstream: storage.go, MemoryStorage). */
export class MemoryStorage implements Storage {
  private hardState: HardState = emptyHardState;
  private lastSnapshot: Snapshot = emptySnapshot;
  /** Position of the compaction point: log[0] is at `offset + 1`. */
  private offset: LogIndex = 0;
  private offsetTerm: Term = 0;
  private log: Entry[] = [];

  initialState(): { hardState: HardState; confState: ConfState } {
    return { hardState: this.hardState, confState: this.lastSnapshot.confState };
  }

  setHardState(state: HardState): void {
    this.hardState = state;
  }

  entries(lo: LogIndex, hi: LogIndex, bytesMax: number): readonly Entry[] | undefined {
    if (lo <= this.offset) return undefined;
    if (hi > this.lastIndex() + 1) {
      throw new RaftInvariantError(`entries' hi(${hi}) is out of bound lastindex(${this.lastIndex()})`);
    }
    const from = lo - this.offset - 1;
    return limitBytes(this.log.slice(from, from + hi - lo), bytesMax);
  }

  term(index: LogIndex): Term {
    if (index < this.offset) return TermCompacted;
    if (index === this.offset) return this.offsetTerm;
    return this.log[index - this.offset - 1]?.term ?? TermUnavailable;
  }

  lastIndex(): LogIndex {
    return this.offset + this.log.length;
  }

  firstIndex(): LogIndex {
    return this.offset + 1;
  }

  snapshot(): Snapshot | undefined {
    return this.lastSnapshot;
  }

  /** Replaces everything by a snapshot. False if the snapshot is not newer than the one held. */
  applySnapshot(snapshot: Snapshot): boolean {
    if (this.lastSnapshot.index >= snapshot.index) return false;
    this.lastSnapshot = snapshot;
    this.offset = snapshot.index;
    this.offsetTerm = snapshot.term;
    this.log = [];
    return true;
  }

  /** Records a snapshot of the state at `index`, without discarding any entry. False if it is not newer than the one held. */
  createSnapshot(index: LogIndex, confState: ConfState | undefined, data: unknown): boolean {
    if (index <= this.lastSnapshot.index) return false;
    const term = this.term(index);
    if (term < 0) throw new RaftInvariantError(`snapshot ${index} is out of bound lastindex(${this.lastIndex()})`);
    this.lastSnapshot = { index, term, confState: confState ?? this.lastSnapshot.confState, data };
    return true;
  }

  /** Discards entries up to and including `index`. False if that was compacted before. */
  compact(index: LogIndex): boolean {
    if (index <= this.offset) return false;
    const term = this.term(index);
    if (term < 0) throw new RaftInvariantError(`compact ${index} is out of bound lastindex(${this.lastIndex()})`);
    this.log = this.log.slice(index - this.offset);
    this.offset = index;
    this.offsetTerm = term;
    return true;
  }

  /** Appends; entries at existing positions truncate what follows, and compacted positions are skipped. */
  append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    let skip = 0;
    let at = first.index - this.offset - 1;
    if (at < 0) {
      skip = -at;
      at = 0;
      if (skip >= entries.length) return;
    }
    if (at > this.log.length) {
      throw new RaftInvariantError(`missing log entry [last: ${this.lastIndex()}, append at: ${first.index}]`);
    }
    if (at < this.log.length) this.log.length = at;
    for (let i = skip; i < entries.length; i++) {
      const entry = entries[i];
      if (entry !== undefined) this.log.push(entry);
    }
  }
}
