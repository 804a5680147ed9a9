import { hex } from './log-sink.ts';
import { NoNode } from './message.ts';
import type { Raft } from './raft.ts';
import { appendEntry } from './replication.ts';
import {
  EntryNormal,
  type NodeId,
  RaftInvariantError,
  StateCandidate,
  StateFollower,
  StateLeader,
  StatePreCandidate,
  type Term,
} from './types.ts';

/** Follows `lead` (or nobody yet) in `term`. */
export function becomeFollower(r: Raft, term: Term, lead: NodeId): void {
  r.reset(term);
  r.lead = lead;
  r.state = StateFollower;
  r.sink?.info(`${hex(r.id)} became follower at term ${r.term}`);
}

/** Starts a term of its own and votes for itself (paper, section 5.2). */
export function becomeCandidate(r: Raft): void {
  if (r.state === StateLeader) throw new RaftInvariantError('invalid transition [leader -> candidate]');
  r.reset(r.term + 1);
  r.vote = r.id;
  r.state = StateCandidate;
  r.sink?.info(`${hex(r.id)} became candidate at term ${r.term}`);
}

/** Asks for votes without touching term or vote, so that a node that cannot win disturbs nobody (dissertation, section 9.6). */
export function becomePreCandidate(r: Raft): void {
  if (r.state === StateLeader) throw new RaftInvariantError('invalid transition [leader -> pre-candidate]');
  r.tracker.resetVotes();
  r.lead = NoNode;
  r.state = StatePreCandidate;
  r.sink?.info(`${hex(r.id)} became pre-candidate at term ${r.term}`);
}

/** Leads the current term. */
export function becomeLeader(r: Raft): void {
  if (r.state === StateFollower) throw new RaftInvariantError('invalid transition [follower -> leader]');
  r.reset(r.term);
  r.lead = r.id;
  r.state = StateLeader;
  const own = r.tracker.find(r.id);
  if (own === undefined) throw new RaftInvariantError(`${hex(r.id)} became leader outside its configuration`);
  own.becomeReplicate();
  own.recentActive = true;
  // There may be an unapplied membership change anywhere in the tail; waiting until all of it is applied is safe, scanning is not cheap.
  // Where configurations are known by their entries, the newest is known.
  r.pendingConfIndex = r.configs[r.configs.length - 1]?.index ?? r.log.lastIndex();
  // An entry of its own term is what lets a new leader commit, and so learn, what earlier terms left behind (paper, section 8).
  appendEntry(r, EntryNormal, undefined, 0);
  r.sink?.info(`${hex(r.id)} became leader at term ${r.term}`);
}
