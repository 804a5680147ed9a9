import { entriesApplied, snapshotApplied } from './applied.ts';
import { stepCandidate } from './candidate.ts';
import { CampaignElection, CampaignPreElection, hup } from './election.ts';
import { stepFollower } from './follower.ts';
import { stepLeader } from './leader.ts';
import { hex } from './log-sink.ts';
import {
  blankMessage,
  CampaignTransfer,
  type Message,
  MsgApp,
  MsgHeartbeat,
  MsgHup,
  MsgPreVote,
  MsgPreVoteResp,
  MsgSnap,
  MsgStorageAppendResp,
  MsgStorageApplyResp,
  MsgVote,
  MsgVoteResp,
  makeMessage,
  messageTypeName,
  NoNode,
  noEntries,
} from './message.ts';
import type { Raft } from './raft.ts';
import { becomeFollower } from './transitions.ts';
import { type LogIndex, type Snapshot, StateFollower, StateLeader, type StepError, type Term } from './types.ts';

/** Handles one message: the term rules first (paper, figure 2, "all servers"), then the role's. */
export function step(r: Raft, m: Message): StepError | undefined {
  if (m.term !== 0 && m.term !== r.term) {
    if (m.term < r.term) {
      handleLowerTerm(r, m);
      return undefined;
    }
    if (!handleHigherTerm(r, m)) return undefined;
  }
  switch (m.type) {
    case MsgHup:
      hup(r, r.config.preVote ? CampaignPreElection : CampaignElection);
      return undefined;
    case MsgStorageAppendResp:
      storageAppended(r, m.index, m.logTerm, m.snapshot);
      return undefined;
    case MsgStorageApplyResp:
      entriesApplied(r, m.entries);
      return undefined;
    case MsgVote:
    case MsgPreVote:
      handleVoteRequest(r, m);
      return undefined;
    default:
      if (r.state === StateLeader) return stepLeader(r, m);
      if (r.state === StateFollower) return stepFollower(r, m);
      return stepCandidate(r, m);
  }
}

/** The log up to (index, term), and the snapshot if there was one, are on stable storage. */
export function storageAppended(r: Raft, index: LogIndex, term: Term, snapshot: Snapshot | undefined): void {
  if (index !== 0) r.log.unstable.stableTo(index, term);
  if (snapshot !== undefined) snapshotApplied(r, snapshot);
}

/** A write finished that was started in an earlier term. */
export function storageAppendedInLowerTerm(r: Raft, term: Term, index: LogIndex, snapshot: Snapshot | undefined): void {
  // The entries may have been replaced since, with a write of the replacement still under way: an ABA problem that the term
  // guards against (upstream: newStorageAppendRespMsg). Every change of term starts a new write, whose end is not ignored.
  if (index !== 0) {
    r.sink?.info(
      `${hex(r.id)} [term: ${r.term}] ignored entry appends from a MsgStorageAppendResp message with lower term [term: ${term}]`,
    );
  }
  // A snapshot is committed state: it stays valid whatever the term.
  if (snapshot !== undefined) snapshotApplied(r, snapshot);
}

/** True if the message should be handled on. */
function handleHigherTerm(r: Raft, m: Message): boolean {
  const { type } = m;
  if (type === MsgVote || type === MsgPreVote) {
    const forced = m.context === CampaignTransfer;
    const inLease = r.config.checkQuorum && r.lead !== NoNode && r.electionElapsed < r.config.electionTicks;
    if (!forced && inLease) {
      // Heard from a leader within the minimum election timeout: neither the term nor the vote moves (dissertation, section 4.2.3).
      r.sink?.info(
        `${voterText(r)} ignored ${requestText(r, m)}: lease is not expired (remaining ticks: ${r.config.electionTicks - r.electionElapsed})`,
      );
      return false;
    }
  }
  // A pre-vote never changes a term: neither the request, nor an answer that grants it (it carries the future term).
  if (type === MsgPreVote || (type === MsgPreVoteResp && !m.reject)) return true;
  r.sink?.info(
    `${hex(r.id)} [term: ${r.term}] received a ${messageTypeName(type)} message with higher term from ${hex(m.from)} [term: ${m.term}]`,
  );
  const fromLeader = type === MsgApp || type === MsgHeartbeat || type === MsgSnap;
  becomeFollower(r, m.term, fromLeader ? m.from : NoNode);
  return true;
}

function handleLowerTerm(r: Raft, m: Message): void {
  const { checkQuorum, preVote } = r.config;
  if ((checkQuorum || preVote) && (m.type === MsgHeartbeat || m.type === MsgApp)) {
    // With leases or pre-votes a node of a higher term cannot get back by campaigning, so it must tell the leader its term, or it
    // would stay out forever (etcd#8501).
    r.sendAck(m.from, 0);
  } else if (m.type === MsgPreVote && !r.config.dropsLowerPreVotes) {
    // Answered, not dropped: the rejection carries the higher term. Else a node of a low term and a good log, and one of a higher term, could
    // wait for each other for ever once the leader is gone (etcd#8243; etcd#8501, with mixed settings).
    r.sink?.info(`${voterText(r)} rejected ${requestText(r, m)}`);
    r.sendAfterAppend(blankMessage(MsgPreVoteResp, { to: m.from, from: r.id, term: r.term, reject: true }));
  } else if (m.type === MsgStorageAppendResp) {
    storageAppendedInLowerTerm(r, m.term, m.index, m.snapshot);
  } else {
    r.sink?.info(
      `${hex(r.id)} [term: ${r.term}] ignored a ${messageTypeName(m.type)} message with lower term from ${hex(m.from)} [term: ${m.term}]`,
    );
  }
}

/** Receiver of RequestVote (paper, figure 2 and section 5.4.1). */
function handleVoteRequest(r: Raft, m: Message): void {
  const isPre = m.type === MsgPreVote;
  const response = isPre ? MsgPreVoteResp : MsgVoteResp;
  // Learners vote too: one may have been promoted by a committed entry that it has not seen, and its vote be needed to tell it (etcd#10998).
  if (r.isLearner && r.config.learnersRefuseVotes) return;
  const canVote = r.vote === m.from || (r.vote === NoNode && r.lead === NoNode) || (isPre && m.term > r.term);
  if (!canVote || !r.log.isUpToDate(m.index, m.logTerm)) {
    r.sink?.info(`${voterText(r)} rejected ${requestText(r, m)}`);
    r.sendAfterAppend(blankMessage(response, { to: m.from, from: r.id, term: r.term, reject: true }));
    return;
  }
  r.sink?.info(`${voterText(r)} cast ${requestText(r, m, 'for')}`);
  // The message's term, not this node's: a pre-candidate would ignore an answer of a lower term (etcd#8243).
  const term = r.config.dropsLowerPreVotes ? r.term : m.term;
  r.sendAfterAppend(makeMessage(response, m.from, r.id, term, 0, 0, 0, noEntries, 0));
  if (!isPre) {
    r.electionElapsed = 0;
    r.vote = m.from;
  }
}

function voterText(r: Raft): string {
  return `${hex(r.id)} [logterm: ${r.log.lastTerm()}, index: ${r.log.lastIndex()}, vote: ${hex(r.vote)}]`;
}

function requestText(r: Raft, m: Message, preposition = 'from'): string {
  return `${messageTypeName(m.type)} ${preposition} ${hex(m.from)} [logterm: ${m.logTerm}, index: ${m.index}] at term ${r.term}`;
}
