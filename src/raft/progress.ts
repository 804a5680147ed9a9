import type { Inflights } from './inflights.ts';
import type { LogIndex, NodeId } from './types.ts';

/** One append at a time, to find where the follower's log ends. */
export const ProgressProbe = 0;
/** Appends are pipelined. */
export const ProgressReplicate = 1;
/** A snapshot is on its way; no appends. */
export const ProgressSnapshot = 2;

/** One of the three `Progress…` numbers. */
export type ProgressState = number;

const progressStateNames = ['StateProbe', 'StateReplicate', 'StateSnapshot'];

/**
 * What the leader knows about one member, and the flow control towards it. Invariant: 0 <= match < next; everything in
 * (match, next) is in flight. Mirrors etcd's tracker/progress.go.
 */
export class Progress {
  readonly id: NodeId;
  /** Highest index known to be on the follower (paper: matchIndex). */
  match: LogIndex = 0;
  /** Next index to send (paper: nextIndex). */
  next: LogIndex;
  state: ProgressState = ProgressProbe;
  /** Appends are held back until a heartbeat response: an unanswered probe, or a full window. */
  paused = false;
  /** Highest commit index sent, so that an empty append goes out only when it would tell something. */
  sentCommit: LogIndex = 0;
  /** Index of the snapshot on its way. */
  pendingSnapshot: LogIndex = 0;
  /** Heard from within the current CheckQuorum interval. */
  recentActive = false;
  isLearner: boolean;
  readonly inflights: Inflights;

  constructor(id: NodeId, next: LogIndex, isLearner: boolean, inflights: Inflights) {
    this.id = id;
    this.next = next;
    this.isLearner = isLearner;
    this.inflights = inflights;
  }

  /** A copy that shares the window: configuration changes alter only `isLearner`. */
  copy(): Progress {
    const copy = new Progress(this.id, this.next, this.isLearner, this.inflights);
    copy.match = this.match;
    copy.state = this.state;
    copy.paused = this.paused;
    copy.sentCommit = this.sentCommit;
    copy.pendingSnapshot = this.pendingSnapshot;
    copy.recentActive = this.recentActive;
    return copy;
  }

  /** Back to what a new term knows: nothing. */
  restart(next: LogIndex, match: LogIndex): void {
    this.resetState(ProgressProbe);
    this.match = match;
    this.next = next;
    this.sentCommit = 0;
    this.recentActive = false;
  }

  private resetState(state: ProgressState): void {
    this.paused = false;
    this.pendingSnapshot = 0;
    this.state = state;
    this.inflights.reset();
  }

  /** Starts probing from after the last match, or from after the snapshot that was sent. */
  becomeProbe(): void {
    const pending = this.state === ProgressSnapshot ? this.pendingSnapshot : 0;
    this.resetState(ProgressProbe);
    this.next = Math.max(this.match, pending) + 1;
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
  }

  /** The logs match up to `match`: start the pipeline. */
  becomeReplicate(): void {
    this.resetState(ProgressReplicate);
    this.next = this.match + 1;
  }

  /** A snapshot at `index` was sent. */
  becomeSnapshot(index: LogIndex): void {
    this.resetState(ProgressSnapshot);
    this.pendingSnapshot = index;
    this.next = index + 1;
    this.sentCommit = index;
  }

  /** Accounts for an append just sent. */
  sentEntries(count: number, sizeBytes: number): void {
    if (this.state === ProgressReplicate) {
      if (count > 0) {
        this.next += count;
        this.inflights.add(this.next - 1, sizeBytes);
      }
      // A message that fills the window (or meets it full) counts as a probe: only a heartbeat response lets the next through.
      this.paused = this.inflights.full();
    } else if (count > 0) {
      this.paused = true;
    }
  }

  /** Whether sending this commit index could move the follower's. */
  canBumpCommit(commit: LogIndex): boolean {
    return commit > this.sentCommit && this.sentCommit < this.next - 1;
  }

  /** The follower acknowledged everything up to `index`; false if that is old news. */
  maybeUpdate(index: LogIndex): boolean {
    if (index <= this.match) return false;
    this.match = index;
    if (this.next <= index) this.next = index + 1;
    this.paused = false;
    return true;
  }

  /** The follower rejected an append after `rejected` and suggests `matchHint`; false if the rejection is stale. */
  maybeDecreaseTo(rejected: LogIndex, matchHint: LogIndex): boolean {
    if (this.state === ProgressReplicate) {
      if (rejected <= this.match) return false;
      this.next = this.match + 1;
      this.sentCommit = Math.min(this.sentCommit, this.next - 1);
      return true;
    }
    // Outside replication there is one probe at a time, so a rejection of anything else is a late duplicate.
    if (this.next - 1 !== rejected) return false;
    this.next = Math.max(Math.min(rejected, matchHint + 1), this.match + 1);
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
    this.paused = false;
    return true;
  }

  /** Whether appends to this member are held back. */
  isPaused(): boolean {
    return this.paused || this.state === ProgressSnapshot;
  }

  /** The line that `status` and log lines print. */
  toString(): string {
    let text = `${progressStateNames[this.state]} match=${this.match} next=${this.next}`;
    if (this.isLearner) text += ' learner';
    if (this.isPaused()) text += ' paused';
    if (this.pendingSnapshot > 0) text += ` pendingSnap=${this.pendingSnapshot}`;
    if (!this.recentActive) text += ' inactive';
    if (this.inflights.count > 0) {
      text += ` inflight=${this.inflights.count}`;
      if (this.inflights.full()) text += '[full]';
    }
    return text;
  }
}
