import { CampaignByTransfer, hup } from './election.ts';
import { hasId } from './id-set.ts';
import { followLog, restartLogConfigs } from './log-configs.ts';
import { hex } from './log-sink.ts';
import { installConfState } from './membership.ts';
import {
  blankMessage,
  type Message,
  MsgApp,
  MsgAppResp,
  MsgForgetLeader,
  MsgHeartbeat,
  MsgHeartbeatResp,
  MsgProp,
  MsgReadIndex,
  MsgReadIndexResp,
  MsgSnap,
  MsgTimeoutNow,
  MsgTransferLeader,
  makeMessage,
  NoNode,
  noEntries,
} from './message.ts';
import type { Raft } from './raft.ts';
import { ReadOnlyLeaseBased } from './read-only.ts';
import { becomeFollower } from './transitions.ts';
import { type ConfState, ErrProposalDropped, emptySnapshot, type Snapshot, StateFollower, type StepError } from './types.ts';

/** A follower's part of the paper's figure 2. */
export function stepFollower(r: Raft, m: Message): StepError | undefined {
  switch (m.type) {
    case MsgApp:
      r.electionElapsed = 0;
      r.lead = m.from;
      handleAppend(r, m);
      return undefined;
    case MsgHeartbeat:
      r.electionElapsed = 0;
      r.lead = m.from;
      handleHeartbeat(r, m);
      return undefined;
    case MsgProp:
      return forwardProposal(r, m);
    case MsgSnap:
      r.electionElapsed = 0;
      r.lead = m.from;
      handleSnapshot(r, m);
      return undefined;
    case MsgTransferLeader:
      if (r.lead === NoNode) {
        r.sink?.info(`${hex(r.id)} no leader at term ${r.term}; dropping leader transfer msg`);
        return undefined;
      }
      r.send({ ...m, to: r.lead, from: m.from === NoNode ? r.id : m.from, term: r.term });
      return undefined;
    case MsgForgetLeader:
      forgetLeader(r);
      return undefined;
    case MsgTimeoutNow:
      r.sink?.info(`${hex(r.id)} [term ${r.term}] received MsgTimeoutNow from ${hex(m.from)} and starts an election to get leadership.`);
      // Never with a pre-vote: the leader just said that this node's log is complete.
      hup(r, CampaignByTransfer);
      return undefined;
    case MsgReadIndex:
      if (r.lead === NoNode) {
        r.sink?.info(`${hex(r.id)} no leader at term ${r.term}; dropping index reading msg`);
        return undefined;
      }
      r.send({ ...m, to: r.lead, from: m.from === NoNode ? r.id : m.from });
      return undefined;
    case MsgReadIndexResp:
      if (m.entries.length !== 1) {
        r.sink?.error(`${hex(r.id)} invalid format of MsgReadIndexResp from ${hex(m.from)}, entries count: ${m.entries.length}`);
        return undefined;
      }
      r.readStates.push({ index: m.index, requestCtx: m.entries[0]?.data });
      return undefined;
    default:
      return undefined;
  }
}

function forwardProposal(r: Raft, m: Message): StepError | undefined {
  if (r.lead === NoNode) {
    r.sink?.info(`${hex(r.id)} no leader at term ${r.term}; dropping proposal`);
    return ErrProposalDropped;
  }
  if (r.config.disableProposalForwarding) {
    r.sink?.info(`${hex(r.id)} not forwarding to leader ${hex(r.lead)} at term ${r.term}; dropping proposal`);
    return ErrProposalDropped;
  }
  r.send({ ...m, to: r.lead, from: m.from === NoNode ? r.id : m.from });
  return undefined;
}

function forgetLeader(r: Raft): void {
  // A lease is a promise not to vote for another until it runs out, and the leader serves reads on it.
  if (r.config.readOnly === ReadOnlyLeaseBased) {
    r.sink?.error('ignoring MsgForgetLeader due to ReadOnlyLeaseBased');
    return;
  }
  if (r.lead !== NoNode) {
    r.sink?.info(`${hex(r.id)} forgetting leader ${hex(r.lead)} at term ${r.term}`);
    r.lead = NoNode;
  }
}

/** Receiver of AppendEntries (paper, figure 2). */
export function handleAppend(r: Raft, m: Message): void {
  const { log } = r;
  if (m.index < log.committed) {
    // What is committed cannot conflict: tell the leader where to go on.
    r.sendAck(m.from, log.committed);
    return;
  }
  const lastNew = log.maybeAppend(m.index, m.logTerm, m.commit, m.entries);
  if (lastNew >= 0) {
    followLog(r, m.index + 1);
    r.sendAck(m.from, lastNew);
    return;
  }
  r.sink?.debug(
    `${hex(r.id)} [logterm: ${log.termOrZero(m.index)}, index: ${m.index}] rejected MsgApp [logterm: ${m.logTerm}, index: ${m.index}] from ${hex(m.from)}`,
  );
  // The hint skips the whole tail of terms above the leader's, instead of one entry per round trip (paper, end of section 5.3).
  const hint = log.findConflictByTerm(Math.min(m.index, log.lastIndex()), m.logTerm);
  r.sendAfterAppend(
    blankMessage(MsgAppResp, {
      to: m.from,
      from: r.id,
      term: r.term,
      index: m.index,
      reject: true,
      rejectHint: hint,
      logTerm: log.termOrZero(hint),
    }),
  );
}

/** Takes over the leader's commit index and answers, echoing the read context. */
export function handleHeartbeat(r: Raft, m: Message): void {
  // Beyond the end of the log it would be a broken invariant; whoever loses acknowledged entries (defect R13) follows figure 2 to the letter and
  // commits what it has.
  r.log.commitTo(r.config.lateSnapshotTruncates ? Math.min(m.commit, r.log.lastIndex()) : m.commit);
  r.send(makeMessage(MsgHeartbeatResp, m.from, r.id, r.term, 0, 0, 0, noEntries, m.context));
}

/** Receiver of InstallSnapshot (paper, section 7). */
export function handleSnapshot(r: Raft, m: Message): void {
  const snapshot = m.snapshot ?? emptySnapshot;
  const restored = restore(r, snapshot);
  r.sink?.info(
    `${hex(r.id)} [commit: ${r.log.committed}] ${restored ? 'restored' : 'ignored'} snapshot [index: ${snapshot.index}, term: ${snapshot.term}]`,
  );
  r.sendAck(m.from, restored ? r.log.lastIndex() : r.log.committed);
}

function isInConfState(state: ConfState, id: number): boolean {
  return hasId(state.voters, id) || hasId(state.learners, id) || hasId(state.votersOutgoing, id);
}

function confStateText(state: ConfState): string {
  const list = (ids: readonly number[]): string => `[${ids.join(' ')}]`;
  return `Voters:${list(state.voters)} VotersOutgoing:${list(state.votersOutgoing)} Learners:${list(state.learners)} LearnersNext:${list(state.learnersNext)} AutoLeave:${state.autoLeave}`;
}

/** Restarts log and configuration from a snapshot; false if it is old, or already contained in the log. */
function restore(r: Raft, snapshot: Snapshot): boolean {
  const { log } = r;
  // A snapshot may come late, when appends have overtaken it: what it holds is committed here already, and a log that goes beyond it has been
  // acknowledged as a whole (etcd#1763; camunda#6092). With the defect the log is cut back to the snapshot all the same.
  const replacesLog = r.config.lateSnapshotTruncates && snapshot.index >= log.firstIndex();
  if (snapshot.index <= log.committed && !replacesLog) return false;
  if (r.state !== StateFollower) {
    r.sink?.warn(`${hex(r.id)} attempted to restore snapshot as leader; should never happen`);
    becomeFollower(r, r.term + 1, NoNode);
    return false;
  }
  if (!isInConfState(snapshot.confState, r.id)) {
    r.sink?.warn(
      `${hex(r.id)} attempted to restore snapshot but it is not in the ConfState ${confStateText(snapshot.confState)}; should never happen`,
    );
    return false;
  }
  const position = `snapshot [index: ${snapshot.index}, term: ${snapshot.term}]`;
  if (log.matchTerm(snapshot.index, snapshot.term) && !replacesLog) {
    // It holds nothing that the log lacks, whose entries are as good.
    r.sink?.info(
      `${hex(r.id)} [commit: ${log.committed}, lastindex: ${log.lastIndex()}, lastterm: ${log.lastTerm()}] fast-forwarded commit to ${position}`,
    );
    log.commitTo(snapshot.index);
    return false;
  }
  log.restore(snapshot);
  installConfState(r, snapshot.confState);
  restartLogConfigs(r, snapshot);
  r.sink?.info(`${hex(r.id)} [commit: ${log.committed}, lastindex: ${log.lastIndex()}, lastterm: ${log.lastTerm()}] restored ${position}`);
  return true;
}
