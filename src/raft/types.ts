/** A member's id; positive, 0 means "none". */
export type NodeId = number;
/** An election term. */
export type Term = number;
/** A position in the log; the first entry is 1. */
export type LogIndex = number;

/** A command of the replicated state machine, or the empty entry of a new leader. */
export const EntryNormal = 0;
/** An old-style single membership change. */
export const EntryConfChange = 1;
/** A membership change, possibly through joint consensus; without changes it leaves a joint configuration. */
export const EntryConfChangeV2 = 2;

/** One of the three `Entry…` numbers. */
export type EntryType = number;

/** One log entry. Immutable and shared by reference between logs, messages and the host. */
export interface Entry {
  readonly term: Term;
  readonly index: LogIndex;
  readonly type: EntryType;
  /** The proposer's payload; `undefined` in a leader's empty entry; a {@link ConfChange} in configuration entries. */
  readonly data: unknown;
  /** Bytes that the payload would take in the real log; every size limit counts these. */
  readonly sizeBytes: number;
}

/** What must be on stable storage before a node answers (paper, figure 2: persistent state), and the commit index. */
export interface HardState {
  readonly term: Term;
  readonly vote: NodeId;
  readonly commit: LogIndex;
}

/** The hard state of a node that never ran. */
export const emptyHardState: HardState = { term: 0, vote: 0, commit: 0 };

/** Role numbers, in the order of the upstream enumeration. */
export const StateFollower = 0;
/** Campaigning for this term. */
export const StateCandidate = 1;
/** Leading this term. */
export const StateLeader = 2;
/** Asking whether a campaign would succeed. */
export const StatePreCandidate = 3;

/** One of the four `State…` numbers. */
export type RaftState = number;

const stateNames = ['StateFollower', 'StateCandidate', 'StateLeader', 'StatePreCandidate'];

/** Name of a role. */
export function raftStateName(state: RaftState): string {
  return stateNames[state] ?? `RaftState(${state})`;
}

/** State that is useful to know but need not survive a restart. */
export interface SoftState {
  readonly lead: NodeId;
  readonly state: RaftState;
}

/** A configuration as snapshots carry it. Every list is sorted. */
export interface ConfState {
  readonly voters: readonly NodeId[];
  readonly votersOutgoing: readonly NodeId[];
  readonly learners: readonly NodeId[];
  readonly learnersNext: readonly NodeId[];
  readonly autoLeave: boolean;
}

/** The configuration without members. */
export const emptyConfState: ConfState = {
  voters: [],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

/** A snapshot of the host's state machine; index 0 means "none". */
export interface Snapshot {
  readonly index: LogIndex;
  readonly term: Term;
  readonly confState: ConfState;
  readonly data: unknown;
}

/** The snapshot of an empty state machine. */
export const emptySnapshot: Snapshot = { index: 0, term: 0, confState: emptyConfState, data: undefined };

/** Adds a voter, or promotes a learner. */
export const ConfChangeAddNode = 0;
/** Removes a voter or learner. */
export const ConfChangeRemoveNode = 1;
/** Changes nothing in raft; hosts use it to carry member attributes. */
export const ConfChangeUpdateNode = 2;
/** Adds a learner, or demotes a voter. */
export const ConfChangeAddLearnerNode = 3;

/** One of the four `ConfChange…` numbers above. */
export type ConfChangeType = number;

/** One step of a membership change. */
export interface ConfChangeSingle {
  readonly type: ConfChangeType;
  readonly nodeId: NodeId;
}

/** Simple change if possible, else joint with automatic leave. */
export const TransitionAuto = 0;
/** Joint, left automatically. */
export const TransitionJointImplicit = 1;
/** Joint, left by an explicit empty change. */
export const TransitionJointExplicit = 2;

/** One of the three `Transition…` numbers. */
export type ConfChangeTransition = number;

/** A membership change as entries carry it. Without changes (and with TransitionAuto) it leaves the joint configuration. */
export interface ConfChange {
  readonly transition: ConfChangeTransition;
  readonly changes: readonly ConfChangeSingle[];
  /** Whatever the host attaches (etcd: the member's attributes); raft does not look at it. */
  readonly context: unknown;
}

/** The change that leaves a joint configuration. */
export const leaveJointChange: ConfChange = { transition: TransitionAuto, changes: [], context: undefined };

/** An answered read: everything up to `index` must be applied before the read with this context is served. */
export interface ReadState {
  readonly index: LogIndex;
  readonly requestCtx: unknown;
}

/** The step was a proposal that could not be accepted; the proposer should retry later. */
export const ErrProposalDropped = 'raft proposal dropped';
/** A message kind that only the node itself may make came from elsewhere. */
export const ErrStepLocalMsg = 'raft: cannot step raft local message';
/** A response came from a node outside the configuration. */
export const ErrStepPeerNotFound = 'raft: cannot step as peer not found';

/** Why a step was refused; refusals are ordinary results, not exceptions. */
export type StepError = typeof ErrProposalDropped | typeof ErrStepLocalMsg | typeof ErrStepPeerNotFound;

/** A broken invariant of this library or of its host's storage: a bug, never a simulated failure. */
export class RaftInvariantError extends Error {
  override readonly name = 'RaftInvariantError';
}
