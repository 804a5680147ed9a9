import { payloadBytesOf } from './entry-size.ts';
import { hex } from './log-sink.ts';
import { blankMessage, MsgApp, MsgHeartbeat, MsgSnap, MsgTimeoutNow, makeMessage, noEntries } from './message.ts';
import { type Progress, ProgressReplicate } from './progress.ts';
import type { Raft } from './raft.ts';
import { type Entry, type EntryType, type NodeId, RaftInvariantError } from './types.ts';

/** Counts payload bytes as uncommitted; false if that would exceed the limit. */
function reserveUncommitted(r: Raft, bytes: number): boolean {
  // Empty payloads are never refused: a new leader's first entry and the automatic leave must go through. And if nothing is
  // uncommitted, one proposal of any size is let in, or it could never be.
  if (r.uncommittedBytes > 0 && bytes > 0 && r.uncommittedBytes + bytes > r.config.uncommittedBytesMax) {
    r.sink?.warn(`${hex(r.id)} appending new entries to log would exceed uncommitted entry size limit; dropping proposal`);
    return false;
  }
  r.uncommittedBytes += bytes;
  return true;
}

/** Appends one entry to the leader's log; false if the uncommitted size limit refuses it. */
export function appendEntry(r: Raft, type: EntryType, data: unknown, sizeBytes: number): boolean {
  if (!reserveUncommitted(r, sizeBytes)) return false;
  const index = r.log.lastIndex() + 1;
  r.log.push({ term: r.term, index, type, data, sizeBytes });
  countOwn(r, index);
  return true;
}

/** Appends proposed entries, all or none. Copies them: a forwarded proposal may be delivered twice. */
export function appendEntries(r: Raft, proposals: readonly Entry[]): boolean {
  if (!reserveUncommitted(r, payloadBytesOf(proposals))) return false;
  let index = r.log.lastIndex();
  for (const { type, data, sizeBytes } of proposals) {
    index++;
    r.log.push({ term: r.term, index, type, data, sizeBytes });
  }
  countOwn(r, index);
  return true;
}

/**
 * The leader counts its own entry only once it is on its own stable storage, hence an acknowledgement to itself. With the defect it counts
 * at once, and where it is the only voter that commits (etcd#14370).
 */
function countOwn(r: Raft, index: number): void {
  r.sendAck(r.id, index);
  if (r.config.countsUnwrittenEntries && r.tracker.find(r.id)?.maybeUpdate(index) === true) maybeCommit(r);
}

/** Sends an append, or a snapshot, to one member unless flow control holds it back. True if something was sent. */
export function maybeSendAppend(r: Raft, pr: Progress, sendIfEmpty: boolean): boolean {
  if (pr.isPaused()) return false;
  const previous = pr.next - 1;
  const previousTerm = r.log.term(previous);
  // Compacted away: the member can only catch up from a snapshot.
  if (previousTerm < 0) return maybeSendSnapshot(r, pr);
  let entries: readonly Entry[] | undefined = noEntries;
  // With a full window only an empty append may go: if all messages in flight were lost, its answer is what restarts replication.
  if (pr.state !== ProgressReplicate || !pr.inflights.full()) {
    entries = r.log.entries(pr.next, r.config.bytesPerMessageMax);
  }
  if (entries === undefined) return sendIfEmpty ? maybeSendSnapshot(r, pr) : false;
  if (entries.length === 0 && !sendIfEmpty) return false;
  const { committed } = r.log;
  r.messages.push(makeMessage(MsgApp, pr.id, r.id, r.term, previousTerm, previous, committed, entries, 0));
  pr.sentEntries(entries.length, payloadBytesOf(entries));
  pr.sentCommit = committed;
  return true;
}

function maybeSendSnapshot(r: Raft, pr: Progress): boolean {
  if (!pr.recentActive) {
    r.sink?.debug(`ignore sending snapshot to ${hex(pr.id)} since it is not recently active`);
    return false;
  }
  const snapshot = r.log.snapshot();
  if (snapshot === undefined) {
    r.sink?.debug(`${hex(r.id)} failed to send snapshot to ${hex(pr.id)} because snapshot is temporarily unavailable`);
    return false;
  }
  if (snapshot.index === 0) throw new RaftInvariantError('need non-empty snapshot');
  r.sink?.debug(
    `${hex(r.id)} [firstindex: ${r.log.firstIndex()}, commit: ${r.log.committed}] sent snapshot[index: ${snapshot.index}, term: ${snapshot.term}] to ${hex(pr.id)} [${pr.toString()}]`,
  );
  pr.becomeSnapshot(snapshot.index);
  r.sink?.debug(`${hex(r.id)} paused sending replication messages to ${hex(pr.id)} [${pr.toString()}]`);
  r.send(blankMessage(MsgSnap, { to: pr.id, from: r.id, term: r.term, snapshot }));
  return true;
}

/** Sends an append, even an empty one, to every other member. */
export function broadcastAppend(r: Raft): void {
  const { progress } = r.tracker;
  for (let i = 0; i < progress.length; i++) {
    const pr = progress[i];
    if (pr !== undefined && pr.id !== r.id) maybeSendAppend(r, pr, true);
  }
}

/** Sends a heartbeat to every other member, carrying the newest unconfirmed read. */
export function broadcastHeartbeat(r: Raft): void {
  const context = r.readOnly.position();
  const { progress } = r.tracker;
  for (let i = 0; i < progress.length; i++) {
    const pr = progress[i];
    if (pr === undefined || pr.id === r.id) continue;
    // Never beyond what the member is known to hold: it commits up to this index without a consistency check.
    const commit = Math.min(pr.match, r.log.committed);
    r.messages.push(makeMessage(MsgHeartbeat, pr.id, r.id, r.term, 0, 0, commit, noEntries, context));
    pr.sentCommit = commit;
  }
}

/** Tells the transferee to campaign at once. */
export function sendTimeoutNow(r: Raft, to: NodeId): void {
  r.send(makeMessage(MsgTimeoutNow, to, r.id, r.term, 0, 0, 0, noEntries, 0));
}

/** Advances the commit index if a quorum allows it; true if it moved. Leaders only. */
export function maybeCommit(r: Raft): boolean {
  const index = r.tracker.committed();
  if (index <= r.log.committed) return false;
  // Only an entry of the leader's own term commits by counting replicas; older ones commit with it (paper, section 5.4.2).
  // Without this check an old-term entry on a majority can still be overwritten, as in figure 8 (logcabin#44).
  if (!r.config.countOldTermReplicas && r.log.termOrZero(index) !== r.term) return false;
  r.log.commitTo(index);
  return true;
}
