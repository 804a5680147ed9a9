import { limitBytes, noLimit } from './entry-size.ts';
import type { LogSink } from './log-sink.ts';
import { noEntries } from './message.ts';
import { type Storage, TermCompacted, TermUnavailable } from './storage.ts';
import { type Entry, type LogIndex, RaftInvariantError, type Snapshot, type Term } from './types.ts';
import { Unstable } from './unstable.ts';

/** A node's log: the stable part in storage, the unstable part in memory, and the marks on it. Mirrors etcd's log.go. */
export class RaftLog {
  readonly storage: Storage;
  readonly unstable: Unstable;
  /** Highest index known to be on a quorum (paper: commitIndex). */
  committed: LogIndex;
  /** Highest index handed to the host for applying. Invariant: applied <= applying <= committed. */
  applying: LogIndex;
  /** Highest index that the host has applied (paper: lastApplied). */
  applied: LogIndex;
  private readonly applyingBytesMax: number;
  private applyingBytes = 0;
  private applyingPaused = false;
  private readonly sink: LogSink | undefined;

  constructor(storage: Storage, sink: LogSink | undefined, applyingBytesMax: number) {
    this.storage = storage;
    this.sink = sink;
    this.applyingBytesMax = applyingBytesMax;
    const first = storage.firstIndex();
    this.unstable = new Unstable(storage.lastIndex() + 1, sink);
    this.committed = first - 1;
    this.applying = first - 1;
    this.applied = first - 1;
  }

  firstIndex(): LogIndex {
    const snapshot = this.unstable.snapshot;
    return snapshot !== undefined ? snapshot.index + 1 : this.storage.firstIndex();
  }

  lastIndex(): LogIndex {
    const unstable = this.unstable.lastIndex();
    return unstable !== 0 ? unstable : this.storage.lastIndex();
  }

  lastTerm(): Term {
    const term = this.term(this.lastIndex());
    if (term < 0) throw new RaftInvariantError(`unexpected error when getting the last term (${term})`);
    return term;
  }

  /** Term of an entry in [firstIndex - 1, lastIndex], else a negative number: TermCompacted or TermUnavailable. */
  term(index: LogIndex): Term {
    // The unstable part is asked first: the hot paths look at its entries only.
    const unstable = this.unstable.term(index);
    if (unstable >= 0) return unstable;
    if (index + 1 < this.firstIndex()) return TermCompacted;
    if (index > this.lastIndex()) return TermUnavailable;
    return this.storage.term(index);
  }

  /** The term, or 0 where it is not known. */
  termOrZero(index: LogIndex): Term {
    const term = this.term(index);
    return Math.max(term, 0);
  }

  /** Whether the log holds an entry with this index and term (paper, section 5.3: the consistency check). */
  matchTerm(index: LogIndex, term: Term): boolean {
    return this.term(index) === term;
  }

  /** Whether a log that ends with (index, term) is at least as up to date as this one (paper, section 5.4.1). */
  isUpToDate(index: LogIndex, term: Term): boolean {
    const lastTerm = this.lastTerm();
    return term > lastTerm || (term === lastTerm && index >= this.lastIndex());
  }

  /** A follower's append. Returns the last new index, or -1 if the log does not hold (index, logTerm). */
  maybeAppend(index: LogIndex, logTerm: Term, committed: LogIndex, entries: readonly Entry[]): LogIndex {
    if (!this.matchTerm(index, logTerm)) return -1;
    const lastNew = index + entries.length;
    const from = this.findConflict(entries);
    if (from < entries.length) {
      const conflict = index + 1 + from;
      if (conflict <= this.committed) {
        throw new RaftInvariantError(`entry ${conflict} conflict with committed entry [committed(${this.committed})]`);
      }
      this.unstable.truncateAndAppend(entries, from);
    }
    this.commitTo(Math.min(committed, lastNew));
    return lastNew;
  }

  /** Appends one entry at the end: the leader's path. */
  push(entry: Entry): void {
    this.unstable.push(entry);
  }

  /** Position in `entries` of the first that the log does not hold, or their length. */
  private findConflict(entries: readonly Entry[]): number {
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i];
      if (entry === undefined || this.matchTerm(entry.index, entry.term)) continue;
      if (this.sink !== undefined && entry.index <= this.lastIndex()) {
        this.sink.info(
          `found conflict at index ${entry.index} [existing term: ${this.termOrZero(entry.index)}, conflicting term: ${entry.term}]`,
        );
      }
      return i;
    }
    return entries.length;
  }

  /**
   * The largest index at or below `index` whose term is at most `term`, or whose term is unknown: the best guess at where two logs
   * part, given one entry of the other (the optimisation that closes the paper's section 5.3).
   */
  findConflictByTerm(index: LogIndex, term: Term): LogIndex {
    for (let at = index; at > 0; at--) {
      if (this.term(at) <= term) return at;
    }
    return 0;
  }

  /** Raises the commit index; never lowers it. */
  commitTo(index: LogIndex): void {
    if (this.committed >= index) return;
    const last = this.lastIndex();
    if (last < index) {
      throw new RaftInvariantError(
        `tocommit(${index}) is out of range [lastIndex(${last})]. Was the raft log corrupted, truncated, or lost?`,
      );
    }
    this.committed = index;
  }

  /** Entries from `index` on, within `bytesMax`; undefined if they were compacted. */
  entries(index: LogIndex, bytesMax: number): readonly Entry[] | undefined {
    const last = this.lastIndex();
    return index > last ? noEntries : this.slice(index, last + 1, bytesMax);
  }

  /** Entries in [lo, hi) within `bytesMax`, at least one; undefined if `lo` was compacted. */
  slice(lo: LogIndex, hi: LogIndex, bytesMax: number): readonly Entry[] | undefined {
    if (lo >= hi) return noEntries;
    const offset = this.unstable.offset;
    if (lo >= offset) return limitBytes(this.unstable.slice(lo, hi), bytesMax);
    if (lo < this.firstIndex()) return undefined;
    const stableEnd = Math.min(hi, offset);
    const stable = this.storage.entries(lo, stableEnd, bytesMax);
    if (stable === undefined || hi <= offset || stable.length < stableEnd - lo) return stable;
    return limitBytes([...stable, ...this.unstable.slice(offset, hi)], bytesMax);
  }

  /** The highest index that may be applied now. Asynchronous storage applies only what is stable. */
  private maxAppliable(allowUnstable: boolean): LogIndex {
    return allowUnstable ? this.committed : Math.min(this.committed, this.unstable.offset - 1);
  }

  /** Whether there is something to apply. */
  hasNextCommitted(allowUnstable: boolean): boolean {
    // A snapshot goes first: entries after it can only be applied on top of it.
    if (this.applyingPaused || this.unstable.snapshot !== undefined) return false;
    return this.applying < this.maxAppliable(allowUnstable);
  }

  /** What to apply next. */
  nextCommitted(allowUnstable: boolean): readonly Entry[] {
    if (!this.hasNextCommitted(allowUnstable)) return noEntries;
    const bytesMax = this.applyingBytesMax - this.applyingBytes;
    const entries = this.slice(this.applying + 1, this.maxAppliable(allowUnstable) + 1, bytesMax);
    if (entries === undefined) {
      throw new RaftInvariantError(`unapplied entries after ${this.applying} were compacted`);
    }
    return entries;
  }

  /** The host took entries up to `index` for applying. */
  acceptApplying(index: LogIndex, bytes: number, allowUnstable: boolean): void {
    if (this.committed < index) {
      throw new RaftInvariantError(`applying(${index}) is out of range [committed(${this.committed})]`);
    }
    this.applying = index;
    this.applyingBytes += bytes;
    // Pause at the limit, and also when the size limit cut the batch short: the next entry would exceed it.
    this.applyingPaused = this.applyingBytes >= this.applyingBytesMax || index < this.maxAppliable(allowUnstable);
  }

  /** The host applied entries up to `index`. */
  appliedTo(index: LogIndex, bytes: number): void {
    if (this.committed < index || index < this.applied) {
      throw new RaftInvariantError(`applied(${index}) is out of range [prevApplied(${this.applied}), committed(${this.committed})]`);
    }
    this.applied = index;
    if (this.applying < index) this.applying = index;
    this.applyingBytes = Math.max(0, this.applyingBytes - bytes);
    this.applyingPaused = this.applyingBytes >= this.applyingBytesMax;
  }

  /** Whether sizes of applied entries must be counted at all. */
  countsApplyingBytes(): boolean {
    return this.applyingBytesMax !== noLimit;
  }

  /** The snapshot to send to a member that is too far behind; undefined while the host prepares it. */
  snapshot(): Snapshot | undefined {
    return this.unstable.snapshot ?? this.storage.snapshot();
  }

  /** Restarts the log from a snapshot. */
  restore(snapshot: Snapshot): void {
    this.sink?.info(`log [${this.toString()}] starts to restore snapshot [index: ${snapshot.index}, term: ${snapshot.term}]`);
    this.committed = snapshot.index;
    // Only a snapshot from the past (defect R13) lies below what is applied; what follows it is then handed out once more.
    this.applied = Math.min(this.applied, snapshot.index);
    this.applying = Math.min(this.applying, snapshot.index);
    this.unstable.restore(snapshot);
  }

  toString(): string {
    const { offset, offsetInProgress, length } = this.unstable;
    return `committed=${this.committed}, applied=${this.applied}, applying=${this.applying}, unstable.offset=${offset}, unstable.offsetInProgress=${offsetInProgress}, len(unstable.Entries)=${length}`;
  }
}
