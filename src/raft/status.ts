import type { Raft } from './raft.ts';
import type { Config } from './tracker.ts';
import { type LogIndex, type NodeId, type RaftState, StateLeader, type Term } from './types.ts';

/** A snapshot of a node's state, for people and properties. */
export interface Status {
  readonly id: NodeId;
  readonly term: Term;
  readonly vote: NodeId;
  readonly lead: NodeId;
  readonly state: RaftState;
  readonly commit: LogIndex;
  readonly applied: LogIndex;
  readonly leadTransferee: NodeId;
  readonly config: Config;
  /** What a candidate was answered so far, by id. */
  readonly votes: readonly (readonly [NodeId, boolean])[];
  /** One per member, sorted by id; only leaders have any. */
  readonly progress: readonly ProgressStatus[];
}

/** What a leader knows about one member. */
export interface ProgressStatus {
  readonly id: NodeId;
  readonly match: LogIndex;
  readonly next: LogIndex;
  /** Highest commit index that was sent. */
  readonly sentCommit: LogIndex;
  readonly isLearner: boolean;
  readonly recentActive: boolean;
  readonly isPaused: boolean;
  /** The line that scripts print. */
  readonly text: string;
}

/** Looks at a node. */
export function statusOf(r: Raft): Status {
  const progress = r.state === StateLeader ? r.tracker.progress : [];
  return {
    id: r.id,
    term: r.term,
    vote: r.vote,
    lead: r.lead,
    state: r.state,
    commit: r.log.committed,
    applied: r.log.applied,
    leadTransferee: r.leadTransferee,
    config: r.tracker.config,
    votes: r.tracker.answers(),
    progress: progress.map((pr) => ({
      id: pr.id,
      match: pr.match,
      next: pr.next,
      sentCommit: pr.sentCommit,
      isLearner: pr.isLearner,
      recentActive: pr.recentActive,
      isPaused: pr.isPaused(),
      text: pr.toString(),
    })),
  };
}
