import { encodedBytesOf, payloadBytesOf } from './entry-size.ts';
import { proposeEntries } from './leader.ts';
import type { Raft } from './raft.ts';
import { configToString } from './tracker.ts';
import { type Entry, EntryConfChangeV2, type LogIndex, type Snapshot, StateLeader } from './types.ts';

const leaveEntry: readonly Entry[] = [{ term: 0, index: 0, type: EntryConfChangeV2, data: undefined, sizeBytes: 0 }];

function appliedTo(r: Raft, index: LogIndex, bytes: number): void {
  const applied = Math.max(index, r.log.applied);
  const before = r.log.applied;
  r.log.appliedTo(applied, bytes);
  const { config } = r.tracker;
  // Looked at on every application, not only on the one that reaches pendingConfIndex: the successor of a leader that was deposed
  // before it proposed to leave must do it, or the configuration stays joint forever (etcd#12136).
  if (!config.autoLeave || applied < r.pendingConfIndex || r.state !== StateLeader) return;
  // Whoever had applied everything when it was elected never passes that mark.
  if (r.config.successorsStayJoint && before >= r.pendingConfIndex) return;
  // No payload, so the size limit cannot refuse it. A transfer of leadership can; then the next applied entry tries again.
  const error = proposeEntries(r, leaveEntry);
  if (r.sink === undefined) return;
  const text = `initiating automatic transition out of joint configuration ${configToString(config)}`;
  if (error === undefined) r.sink.info(text);
  else r.sink.debug(`not ${text}: ${error}`);
}

/** The host has applied these entries. */
export function entriesApplied(r: Raft, entries: readonly Entry[]): void {
  const last = entries.length === 0 ? undefined : entries[entries.length - 1];
  if (last === undefined) return;
  appliedTo(r, last.index, r.log.countsApplyingBytes() ? encodedBytesOf(entries) : 0);
  if (r.uncommittedBytes > 0) {
    r.uncommittedBytes = Math.max(0, r.uncommittedBytes - payloadBytesOf(entries));
  }
}

/** The host has applied this snapshot, and it is on stable storage. */
export function snapshotApplied(r: Raft, snapshot: Snapshot): void {
  r.log.unstable.stableSnapTo(snapshot.index);
  appliedTo(r, snapshot.index, 0);
}
