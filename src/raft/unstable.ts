import type { LogSink } from './log-sink.ts';
import { noEntries } from './message.ts';
import { type Entry, type LogIndex, RaftInvariantError, type Snapshot, type Term } from './types.ts';

/**
 * The part of the log (and possibly a snapshot) that the host has not yet reported as written. `entries[i]` is at
 * `offset + i`; positions below `offsetInProgress` were handed to the host. `offset` may be below the stable log's end: then
 * the next write truncates it. Mirrors etcd's log_unstable.go.
 */
export class Unstable {
  snapshot: Snapshot | undefined = undefined;
  snapshotInProgress = false;
  offset: LogIndex;
  offsetInProgress: LogIndex;
  private list: Entry[] = [];
  /** Whether `list` itself was handed out; then it must not change any more, and a change copies it first. */
  private shared = false;
  private readonly sink: LogSink | undefined;

  constructor(offset: LogIndex, sink: LogSink | undefined) {
    this.offset = offset;
    this.offsetInProgress = offset;
    this.sink = sink;
  }

  /** How many entries are unstable. */
  get length(): number {
    return this.list.length;
  }

  /** Index of the last entry, or of the snapshot; 0 if there is neither. */
  lastIndex(): LogIndex {
    if (this.list.length !== 0) return this.offset + this.list.length - 1;
    return this.snapshot === undefined ? 0 : this.snapshot.index;
  }

  /** Term at an index, or -1 if this part of the log does not know it. */
  term(index: LogIndex): Term {
    if (index < this.offset) {
      return this.snapshot !== undefined && this.snapshot.index === index ? this.snapshot.term : -1;
    }
    const at = index - this.offset;
    if (at >= this.list.length) return -1;
    return this.list[at]?.term ?? -1;
  }

  /** Entries that the host was not yet given. */
  nextEntries(): readonly Entry[] {
    const end = this.offset + this.list.length;
    return this.offsetInProgress >= end ? noEntries : this.slice(this.offsetInProgress, end);
  }

  /** Whether there are such entries. */
  hasNextEntries(): boolean {
    return this.offsetInProgress < this.offset + this.list.length;
  }

  /** The snapshot, if the host was not yet given it. */
  nextSnapshot(): Snapshot | undefined {
    return this.snapshotInProgress ? undefined : this.snapshot;
  }

  /** The host was given everything. */
  acceptInProgress(): void {
    if (this.list.length > 0) this.offsetInProgress = this.offset + this.list.length;
    if (this.snapshot !== undefined) this.snapshotInProgress = true;
  }

  /** Everything up to (index, term) is on stable storage, and no write that is still under way may overwrite it. */
  stableTo(index: LogIndex, term: Term): void {
    const known = this.term(index);
    if (known < 0) {
      this.sink?.info(`entry at index ${index} missing from unstable log; ignoring`);
      return;
    }
    if (index < this.offset) {
      this.sink?.info(`entry at index ${index} matched unstable snapshot; ignoring`);
      return;
    }
    if (known !== term) {
      // A later append replaced what this write stored; the acknowledgement says nothing about the replacement.
      this.sink?.info(`entry at (index,term)=(${index},${term}) mismatched with entry at (${index},${known}) in unstable log; ignoring`);
      return;
    }
    const done = index + 1 - this.offset;
    this.list = done === this.list.length ? [] : this.list.slice(done);
    this.shared = false;
    this.offset = index + 1;
    if (this.offsetInProgress < this.offset) this.offsetInProgress = this.offset;
  }

  /** The snapshot at `index` is on stable storage. */
  stableSnapTo(index: LogIndex): void {
    if (this.snapshot !== undefined && this.snapshot.index === index) {
      this.snapshot = undefined;
      this.snapshotInProgress = false;
    }
  }

  /** Forgets everything in favour of a snapshot. */
  restore(snapshot: Snapshot): void {
    this.offset = snapshot.index + 1;
    this.offsetInProgress = this.offset;
    this.list = [];
    this.shared = false;
    this.snapshot = snapshot;
    this.snapshotInProgress = false;
  }

  /** Appends one entry that follows the last: the leader's path. */
  push(entry: Entry): void {
    if (this.list.length === 0) this.list = [entry];
    else {
      this.own();
      this.list.push(entry);
    }
    this.shared = false;
  }

  /** Appends `entries` from position `from` on; existing entries at their positions and after are dropped. */
  truncateAndAppend(entries: readonly Entry[], from: number): void {
    const first = entries[from];
    if (first === undefined) throw new RaftInvariantError('append of no entries');
    const end = this.offset + this.list.length;
    if (first.index === end) {
      this.own();
    } else if (first.index <= this.offset) {
      this.sink?.info(`replace the unstable entries from index ${first.index}`);
      this.list = [];
      this.shared = false;
      this.offset = first.index;
      this.offsetInProgress = first.index;
    } else {
      this.sink?.info(`truncate the unstable entries before index ${first.index}`);
      this.list = this.list.slice(0, first.index - this.offset);
      this.shared = false;
      if (this.offsetInProgress > first.index) this.offsetInProgress = first.index;
    }
    if (this.list.length === 0 && from === 0) {
      // The message's own list is immutable, so it can serve as ours until something is appended to it.
      this.list = entries as Entry[];
      this.shared = true;
      return;
    }
    for (let i = from; i < entries.length; i++) {
      const entry = entries[i];
      if (entry !== undefined) this.list.push(entry);
    }
  }

  /** Entries in [lo, hi); the range must lie within the unstable part. The result is immutable. */
  slice(lo: LogIndex, hi: LogIndex): readonly Entry[] {
    const end = this.offset + this.list.length;
    if (lo > hi || lo < this.offset || hi > end) {
      throw new RaftInvariantError(`unstable.slice[${lo},${hi}) out of bound [${this.offset},${end}]`);
    }
    if (lo === this.offset && hi === end) {
      this.shared = true;
      return this.list;
    }
    return this.list.slice(lo - this.offset, hi - this.offset);
  }

  private own(): void {
    if (this.shared) {
      this.list = this.list.slice();
      this.shared = false;
    }
  }
}
