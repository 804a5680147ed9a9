import { isJoint } from './confchange.ts';
import { followLog } from './log-configs.ts';
import { hex } from './log-sink.ts';
import {
  type Message,
  MsgAppResp,
  MsgBeat,
  MsgCheckQuorum,
  MsgForgetLeader,
  MsgHeartbeatResp,
  MsgProp,
  MsgReadIndex,
  MsgSnapStatus,
  MsgTransferLeader,
  MsgUnreachable,
  NoNode,
} from './message.ts';
import { type Progress, ProgressProbe, ProgressReplicate, ProgressSnapshot } from './progress.ts';
import type { Raft } from './raft.ts';
import { ReadOnlySafe } from './read-only.ts';
import { answerRead, readIndex, releasePendingReads } from './reads.ts';
import {
  appendEntries,
  appendEntry,
  broadcastAppend,
  broadcastHeartbeat,
  maybeCommit,
  maybeSendAppend,
  sendTimeoutNow,
} from './replication.ts';
import { configToString } from './tracker.ts';
import { becomeFollower } from './transitions.ts';
import {
  type ConfChange,
  ConfChangeAddLearnerNode,
  ConfChangeAddNode,
  ConfChangeRemoveNode,
  type Entry,
  EntryNormal,
  ErrProposalDropped,
  leaveJointChange,
  RaftInvariantError,
  type StepError,
  TransitionAuto,
  TransitionJointImplicit,
} from './types.ts';

/** A leader's part of the paper's figure 2. */
export function stepLeader(r: Raft, m: Message): StepError | undefined {
  switch (m.type) {
    case MsgBeat:
      broadcastHeartbeat(r);
      return undefined;
    case MsgCheckQuorum:
      checkQuorum(r);
      return undefined;
    case MsgProp:
      return proposeEntries(r, m.entries);
    case MsgReadIndex:
      readIndex(r, m);
      return undefined;
    case MsgForgetLeader:
      return undefined;
    default:
      break;
  }
  const pr = r.tracker.find(m.from);
  if (pr === undefined) {
    r.sink?.debug(`${hex(r.id)} no progress available for ${hex(m.from)}`);
    return undefined;
  }
  switch (m.type) {
    case MsgAppResp:
      pr.recentActive = true;
      if (m.reject) handleRejection(r, pr, m);
      else handleAck(r, pr, m);
      break;
    case MsgHeartbeatResp:
      handleHeartbeatResponse(r, pr, m);
      break;
    case MsgSnapStatus:
      handleSnapshotStatus(r, pr, m);
      break;
    case MsgUnreachable:
      // Whatever was pipelined is probably lost: back to one append at a time.
      if (pr.state === ProgressReplicate) pr.becomeProbe();
      r.sink?.debug(`${hex(r.id)} failed to send message to ${hex(m.from)} because it is unreachable [${pr.toString()}]`);
      break;
    case MsgTransferLeader:
      transferLeadership(r, pr);
      break;
    default:
      break;
  }
  return undefined;
}

function checkQuorum(r: Raft): void {
  // A leader cut off from the quorum must stop leading by itself, or it would serve clients forever (dissertation, section 6.2).
  if (!r.tracker.quorumActive()) {
    r.sink?.warn(`${hex(r.id)} stepped down to follower since quorum is not active`);
    becomeFollower(r, r.term, NoNode);
  }
  for (const pr of r.tracker.progress) if (pr.id !== r.id) pr.recentActive = false;
}

/** Whether the leader takes proposals at all. */
function acceptsProposals(r: Raft): boolean {
  // Removed from the configuration while leading: it could not count its own copy.
  if (r.tracker.find(r.id) === undefined) return false;
  if (r.leadTransferee !== NoNode) {
    r.sink?.debug(`${hex(r.id)} [term ${r.term}] transfer leadership to ${hex(r.leadTransferee)} is in progress; dropping proposal`);
    return false;
  }
  return true;
}

/** The leader's fast path for one command proposed by its own host. */
export function proposeNormal(r: Raft, data: unknown, sizeBytes: number): StepError | undefined {
  if (!acceptsProposals(r) || !appendEntry(r, EntryNormal, data, sizeBytes)) return ErrProposalDropped;
  broadcastAppend(r);
  return undefined;
}

/** Appends proposed entries and replicates them. */
export function proposeEntries(r: Raft, proposals: readonly Entry[]): StepError | undefined {
  if (proposals.length === 0) throw new RaftInvariantError(`${hex(r.id)} stepped empty MsgProp`);
  if (!acceptsProposals(r)) return ErrProposalDropped;
  const entries = proposals.map((entry, i) => (entry.type === EntryNormal ? entry : admitConfChange(r, entry, r.log.lastIndex() + i + 1)));
  const from = r.log.lastIndex() + 1;
  if (!appendEntries(r, entries)) return ErrProposalDropped;
  followLog(r, from);
  broadcastAppend(r);
  return undefined;
}

/** Lets a membership change pass, or replaces it by an empty entry: only one may be unapplied at a time. */
function admitConfChange(r: Raft, entry: Entry, index: number): Entry {
  const change = (entry.data as ConfChange | undefined) ?? leaveJointChange;
  const joint = isJoint(r.tracker.config);
  const leaves = change.changes.length === 0;
  let reason = '';
  if (r.pendingConfIndex > r.log.applied) {
    reason = `possible unapplied conf change at index ${r.pendingConfIndex} (applied to ${r.log.applied})`;
  } else if (joint && !leaves) {
    reason = 'must transition out of joint config first';
  } else if (r.config.configOnAppend && !r.config.changesConfigAtOnce && !r.hasCommittedInTerm()) {
    // Two leaders may each make a change of their own from the same configuration, and these need not have a quorum in common. The entry of its
    // own term, committed under the old configuration, sees to it that the other one is not elected any more (raft-dev, July 2015).
    reason = 'no entry of this term is committed yet';
  } else if (!joint && leaves) {
    reason = 'not in joint state; refusing empty conf change';
  }
  if (reason !== '' && !r.config.disableConfChangeValidation) {
    r.sink?.info(`${hex(r.id)} ignoring conf change ${confChangeText(change)} at config ${configToString(r.tracker.config)}: ${reason}`);
    return { term: 0, index: 0, type: EntryNormal, data: undefined, sizeBytes: 0 };
  }
  r.pendingConfIndex = index;
  return entry;
}

function confChangeText(change: ConfChange): string {
  let text = 'transition:ConfChangeTransition';
  if (change.transition === TransitionAuto) text += 'Auto';
  else text += change.transition === TransitionJointImplicit ? 'JointImplicit' : 'JointExplicit';
  for (const { type, nodeId } of change.changes) {
    let name = 'ConfChangeUpdateNode';
    if (type === ConfChangeAddNode) name = 'ConfChangeAddNode';
    else if (type === ConfChangeRemoveNode) name = 'ConfChangeRemoveNode';
    else if (type === ConfChangeAddLearnerNode) name = 'ConfChangeAddLearnerNode';
    text += ` changes:{type:${name} node_id:${nodeId}}`;
  }
  return text;
}

function handleRejection(r: Raft, pr: Progress, m: Message): void {
  r.sink?.debug(
    `${hex(r.id)} received MsgAppResp(rejected, hint: (index ${m.rejectHint}, term ${m.logTerm})) from ${hex(m.from)} for index ${m.index}`,
  );
  // The follower's log has term logTerm at the hint. Where our terms are greater, the logs cannot match: skip those indexes too.
  const hint = m.logTerm > 0 ? r.log.findConflictByTerm(m.rejectHint, m.logTerm) : m.rejectHint;
  if (!pr.maybeDecreaseTo(m.index, hint)) return;
  r.sink?.debug(`${hex(r.id)} decreased progress of ${hex(m.from)} to [${pr.toString()}]`);
  if (pr.state === ProgressReplicate) pr.becomeProbe();
  maybeSendAppend(r, pr, true);
}

function handleAck(r: Raft, pr: Progress, m: Message): void {
  const moved = pr.maybeUpdate(m.index);
  // An acknowledgement that moves nothing still ends probing (a heartbeat after MsgUnreachable leads here).
  if (!moved && !(pr.match === m.index && pr.state === ProgressProbe)) return;
  if (pr.state === ProgressReplicate) {
    pr.inflights.freeTo(m.index);
  } else if (pr.state === ProgressProbe) {
    pr.becomeReplicate();
  } else if (pr.match + 1 >= r.log.firstIndex()) {
    // Whatever snapshot the member applied, the log reaches on from there.
    r.sink?.debug(
      `${hex(r.id)} recovered from needing snapshot, resumed sending replication messages to ${hex(m.from)} [${pr.toString()}]`,
    );
    pr.becomeProbe();
    pr.becomeReplicate();
  }
  if (maybeCommit(r)) {
    releasePendingReads(r);
    broadcastAppend(r);
  } else if (m.from !== r.id && pr.canBumpCommit(r.log.committed)) {
    maybeSendAppend(r, pr, true);
  }
  if (m.from === r.id) return;
  // The window may have room for several messages now.
  while (maybeSendAppend(r, pr, false)) {
    // Each call sends one message.
  }
  if (m.from === r.leadTransferee && pr.match === r.log.lastIndex()) {
    r.sink?.info(`${hex(r.id)} sent MsgTimeoutNow to ${hex(m.from)} after received MsgAppResp`);
    sendTimeoutNow(r, m.from);
  }
}

function handleHeartbeatResponse(r: Raft, pr: Progress, m: Message): void {
  pr.recentActive = true;
  pr.paused = false;
  // Behind, or still probing: an append (with a full window an empty one) finds out what arrived and restarts the flow.
  if (pr.match < r.log.lastIndex() || pr.state === ProgressProbe) maybeSendAppend(r, pr, true);
  if (r.config.readOnly !== ReadOnlySafe || m.context === 0) return;
  r.readOnly.acknowledge(m.from, m.context);
  for (const read of r.readOnly.takeConfirmed(r.tracker.config)) answerRead(r, read.request, read.index);
}

function handleSnapshotStatus(r: Raft, pr: Progress, m: Message): void {
  if (pr.state !== ProgressSnapshot) return;
  // After a failure the snapshot index means nothing: probe from the last match.
  if (m.reject) pr.pendingSnapshot = 0;
  pr.becomeProbe();
  r.sink?.debug(
    `${hex(r.id)} snapshot ${m.reject ? 'failed' : 'succeeded'}, resumed sending replication messages to ${hex(m.from)} [${pr.toString()}]`,
  );
  // The member's own acknowledgement, or the next heartbeat response, lets the next append go.
  pr.paused = true;
}

function transferLeadership(r: Raft, pr: Progress): void {
  if (pr.isLearner) {
    r.sink?.debug(`${hex(r.id)} is learner. Ignored transferring leadership`);
    return;
  }
  const previous = r.leadTransferee;
  if (previous !== NoNode) {
    if (previous === pr.id) {
      r.sink?.info(
        `${hex(r.id)} [term ${r.term}] transfer leadership to ${hex(pr.id)} is in progress, ignores request to same node ${hex(pr.id)}`,
      );
      return;
    }
    r.leadTransferee = NoNode;
    r.sink?.info(`${hex(r.id)} [term ${r.term}] abort previous transferring leadership to ${hex(previous)}`);
  }
  if (pr.id === r.id) {
    r.sink?.debug(`${hex(r.id)} is already leader. Ignored transferring leadership to self`);
    return;
  }
  r.sink?.info(`${hex(r.id)} [term ${r.term}] starts to transfer leadership to ${hex(pr.id)}`);
  // The transfer gets one election timeout; then the leader takes proposals again.
  r.electionElapsed = 0;
  r.leadTransferee = pr.id;
  if (pr.match === r.log.lastIndex()) {
    sendTimeoutNow(r, pr.id);
    r.sink?.info(`${hex(r.id)} sends MsgTimeoutNow to ${hex(pr.id)} immediately as ${hex(pr.id)} already has up-to-date log`);
  } else {
    maybeSendAppend(r, pr, true);
  }
}
