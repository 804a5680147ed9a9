import { CampaignElection, campaign } from './election.ts';
import { handleAppend, handleHeartbeat, handleSnapshot } from './follower.ts';
import { hex } from './log-sink.ts';
import {
  type Message,
  MsgApp,
  MsgHeartbeat,
  MsgPreVoteResp,
  MsgProp,
  MsgSnap,
  MsgTimeoutNow,
  MsgVoteResp,
  messageTypeName,
  NoNode,
} from './message.ts';
import { VoteLost, VoteWon } from './quorum.ts';
import type { Raft } from './raft.ts';
import { broadcastAppend } from './replication.ts';
import { becomeFollower, becomeLeader } from './transitions.ts';
import { ErrProposalDropped, raftStateName, StatePreCandidate, type StepError } from './types.ts';

/** Candidates and pre-candidates; they differ in which votes they count. */
export function stepCandidate(r: Raft, m: Message): StepError | undefined {
  switch (m.type) {
    case MsgProp:
      r.sink?.info(`${hex(r.id)} no leader at term ${r.term}; dropping proposal`);
      return ErrProposalDropped;
    // Whoever leads this term has won its election (paper, section 5.2).
    case MsgApp:
      becomeFollower(r, m.term, m.from);
      handleAppend(r, m);
      return undefined;
    case MsgHeartbeat:
      becomeFollower(r, m.term, m.from);
      handleHeartbeat(r, m);
      return undefined;
    case MsgSnap:
      becomeFollower(r, m.term, m.from);
      handleSnapshot(r, m);
      return undefined;
    case MsgPreVoteResp:
      if (r.state === StatePreCandidate) countVote(r, m);
      return undefined;
    case MsgVoteResp:
      if (r.state !== StatePreCandidate) countVote(r, m);
      return undefined;
    case MsgTimeoutNow:
      r.sink?.debug(`${hex(r.id)} [term ${r.term} state ${raftStateName(r.state)}] ignored MsgTimeoutNow from ${hex(m.from)}`);
      return undefined;
    default:
      return undefined;
  }
}

function countVote(r: Raft, m: Message): void {
  const name = messageTypeName(m.type);
  r.sink?.info(`${hex(r.id)} received ${name}${m.reject ? ' rejection' : ''} from ${hex(m.from)} at term ${r.term}`);
  r.tracker.recordVote(m.from, !m.reject);
  const { granted, rejected, result } = r.tracker.tallyVotes();
  r.sink?.info(`${hex(r.id)} has received ${granted} ${name} votes and ${rejected} vote rejections`);
  if (result === VoteWon) {
    if (r.state === StatePreCandidate) {
      campaign(r, CampaignElection);
    } else {
      becomeLeader(r);
      broadcastAppend(r);
    }
  } else if (result === VoteLost) {
    // A pre-vote's answer may carry the future term: this node's own term stands.
    becomeFollower(r, r.term, NoNode);
  }
}
