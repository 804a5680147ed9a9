import { blankMessage, type Message, MsgReadIndexResp, NoNode } from './message.ts';
import type { Raft } from './raft.ts';
import { ReadOnlySafe } from './read-only.ts';
import { broadcastHeartbeat } from './replication.ts';

/** A leader's answer to a read request (dissertation, section 6.4). */
export function readIndex(r: Raft, request: Message): void {
  // The only voter decides alone. (As upstream this goes before the check below, so that such a leader may answer below what a
  // predecessor outside the configuration committed, until its own first entry is written.)
  if (r.tracker.isSingleton()) {
    answerRead(r, request, r.log.committed);
    return;
  }
  // A new leader does not know yet how far earlier terms committed: its commit index may lie behind what was acknowledged to a
  // client. The entry of its own term settles that, so reads wait for it (etcd#7331).
  if (!r.config.readIndexBeforeOwnCommit && !r.hasCommittedInTerm()) {
    r.pendingReads.push(request);
    return;
  }
  confirmRead(r, request);
}

function confirmRead(r: Raft, request: Message): void {
  // Another leader may have been elected meanwhile, and may have committed more: only a quorum that still follows this one rules
  // that out (etcd 0.4.1 in Jepsen; tikv#964).
  if (r.config.readOnly === ReadOnlySafe && !r.config.leaderReadsLocally) {
    r.readOnly.add(r.log.committed, request);
    r.readOnly.acknowledge(r.id, r.readOnly.position());
    broadcastHeartbeat(r);
    return;
  }
  answerRead(r, request, r.log.committed);
}

/** The first commit of the term happened: reads that waited for it go on. */
export function releasePendingReads(r: Raft): void {
  if (r.pendingReads.length === 0) return;
  if (!r.hasCommittedInTerm()) {
    r.sink?.error('pending MsgReadIndex should be released only after first commit in current term');
    return;
  }
  const requests = r.pendingReads;
  r.pendingReads = [];
  for (const request of requests) confirmRead(r, request);
}

/** Hands the read index to the host, or back to the follower that asked. */
export function answerRead(r: Raft, request: Message, index: number): void {
  if (request.from === NoNode || request.from === r.id) {
    r.readStates.push({ index, requestCtx: request.entries[0]?.data });
    return;
  }
  r.send(
    blankMessage(MsgReadIndexResp, {
      to: request.from,
      from: r.id,
      term: r.term,
      index,
      entries: request.entries,
    }),
  );
}
