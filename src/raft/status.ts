import type { Config } from './tracker.ts';
import type { LogIndex, NodeId, RaftState, Term } from './types.ts';

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
  /** One per member, sorted by id; only leaders have any. */
  readonly progress: readonly ProgressStatus[];
}

/** What a leader knows about one member. */
export interface ProgressStatus {
  readonly id: NodeId;
  readonly match: LogIndex;
  readonly next: LogIndex;
  readonly isLearner: boolean;
  readonly recentActive: boolean;
  readonly isPaused: boolean;
  /** The line that scripts print. */
  readonly text: string;
}
