import type { Entry, NodeId, LogIndex, Snapshot, Term } from './types.ts';

/** Asks this node to campaign. Local. */
export const MsgHup = 0;
/** Asks a leader to send heartbeats. Local. */
export const MsgBeat = 1;
/** A proposal, local or forwarded to the leader. */
export const MsgProp = 2;
/** AppendEntries request (paper, figure 2). */
export const MsgApp = 3;
/** AppendEntries response. */
export const MsgAppResp = 4;
/** RequestVote request. */
export const MsgVote = 5;
/** RequestVote response. */
export const MsgVoteResp = 6;
/** InstallSnapshot request. */
export const MsgSnap = 7;
/** Heartbeat; carries the commit index and a read-index context. */
export const MsgHeartbeat = 8;
/** Answer to a heartbeat; echoes the read-index context. */
export const MsgHeartbeatResp = 9;
/** The host could not reach `from`. Local. */
export const MsgUnreachable = 10;
/** The host reports how a snapshot transfer to `from` ended. Local. */
export const MsgSnapStatus = 11;
/** Asks a leader whether a quorum is still active. Local. */
export const MsgCheckQuorum = 12;
/** Asks the leader to hand leadership to `from`. */
export const MsgTransferLeader = 13;
/** Tells the transferee to campaign at once (dissertation, section 3.10). */
export const MsgTimeoutNow = 14;
/** A read-index request, local or forwarded to the leader. */
export const MsgReadIndex = 15;
/** The read index, sent back to the follower that asked. */
export const MsgReadIndexResp = 16;
/** Pre-vote request (dissertation, section 9.6). */
export const MsgPreVote = 17;
/** Pre-vote response. */
export const MsgPreVoteResp = 18;
/** Work for the append thread (asynchronous storage writes only). */
export const MsgStorageAppend = 19;
/** The append thread is done. */
export const MsgStorageAppendResp = 20;
/** Work for the apply thread (asynchronous storage writes only). */
export const MsgStorageApply = 21;
/** The apply thread is done. */
export const MsgStorageApplyResp = 22;
/** Asks a follower to forget who leads, so that it may vote. Local. */
export const MsgForgetLeader = 23;

/** One of the `Msg…` numbers above, in the order of the upstream enumeration. */
export type MessageType = number;

/** Names in the order of the numbers, as scripts and log lines print them. */
export const messageTypeNames: readonly string[] = [
  'MsgHup',
  'MsgBeat',
  'MsgProp',
  'MsgApp',
  'MsgAppResp',
  'MsgVote',
  'MsgVoteResp',
  'MsgSnap',
  'MsgHeartbeat',
  'MsgHeartbeatResp',
  'MsgUnreachable',
  'MsgSnapStatus',
  'MsgCheckQuorum',
  'MsgTransferLeader',
  'MsgTimeoutNow',
  'MsgReadIndex',
  'MsgReadIndexResp',
  'MsgPreVote',
  'MsgPreVoteResp',
  'MsgStorageAppend',
  'MsgStorageAppendResp',
  'MsgStorageApply',
  'MsgStorageApplyResp',
  'MsgForgetLeader',
];

/** Name of a message type. */
export function messageTypeName(type: MessageType): string {
  return messageTypeNames[type] ?? `MessageType(${type})`;
}

/** No node: "no leader", "no vote". */
export const NoNode: NodeId = 0;
/** Address of the local append thread (asynchronous storage writes). */
export const AppendThread: NodeId = Number.MAX_SAFE_INTEGER;
/** Address of the local apply thread (asynchronous storage writes). */
export const ApplyThread: NodeId = Number.MAX_SAFE_INTEGER - 1;

/** Context of a vote request that belongs to a leadership transfer: it overrides the lease. */
export const CampaignTransfer = -1;

/**
 * One message between nodes, or between a node and its storage threads. All kinds share one shape, so that every call site on
 * the hot path stays monomorphic (a union with per-variant fields costs a map check per access); fields that a kind does not
 * use are zero. A message is immutable once it has left the node, and so may be delivered twice.
 */
export interface Message {
  readonly type: MessageType;
  readonly to: NodeId;
  readonly from: NodeId;
  /** Zero for messages that carry no term (proposals, read requests, local messages). */
  readonly term: Term;
  /** Term of the entry at `index`: what AppendEntries and RequestVote compare. */
  readonly logTerm: Term;
  readonly index: LogIndex;
  readonly commit: LogIndex;
  readonly entries: readonly Entry[];
  readonly reject: boolean;
  /** With `reject`: where the sender of MsgApp should try next. */
  readonly rejectHint: LogIndex;
  /** Read-index position (heartbeats) or {@link CampaignTransfer} (votes); zero is "none". */
  readonly context: number;
  /** Only MsgStorageAppend: the vote to persist. */
  readonly vote: NodeId;
  readonly snapshot: Snapshot | undefined;
  /** Only MsgStorageAppend and MsgStorageApply: what to deliver once the work is done. */
  readonly responses: readonly Message[];
}

/** The one empty entry list; shared so that messages without entries allocate none. */
export const noEntries: readonly Entry[] = [];
/** The one empty message list. */
export const noMessages: readonly Message[] = [];

/** Makes a message of the kinds that carry only log positions; others start from {@link blankMessage}. */
export function makeMessage(
  type: MessageType,
  to: NodeId,
  from: NodeId,
  term: Term,
  logTerm: Term,
  index: LogIndex,
  commit: LogIndex,
  entries: readonly Entry[],
  context: number,
): Message {
  return {
    type,
    to,
    from,
    term,
    logTerm,
    index,
    commit,
    entries,
    reject: false,
    rejectHint: 0,
    context,
    vote: 0,
    snapshot: undefined,
    responses: noMessages,
  };
}

/** The same object shape with every field given by name: for the rare kinds, where readability beats speed. */
export function blankMessage(type: MessageType, fields: Partial<Message>): Message {
  return {
    type,
    to: fields.to ?? 0,
    from: fields.from ?? 0,
    term: fields.term ?? 0,
    logTerm: fields.logTerm ?? 0,
    index: fields.index ?? 0,
    commit: fields.commit ?? 0,
    entries: fields.entries ?? noEntries,
    reject: fields.reject ?? false,
    rejectHint: fields.rejectHint ?? 0,
    context: fields.context ?? 0,
    vote: fields.vote ?? 0,
    snapshot: fields.snapshot,
    responses: fields.responses ?? noMessages,
  };
}

/** Whether a message of this kind may only come from the node itself or its storage threads. */
export function isLocalMessage(type: MessageType): boolean {
  switch (type) {
    case MsgHup:
    case MsgBeat:
    case MsgUnreachable:
    case MsgSnapStatus:
    case MsgCheckQuorum:
    case MsgStorageAppend:
    case MsgStorageAppendResp:
    case MsgStorageApply:
    case MsgStorageApplyResp:
      return true;
    default:
      return false;
  }
}

/** Whether a message of this kind answers something: it is refused from nodes outside the configuration. */
export function isResponseMessage(type: MessageType): boolean {
  switch (type) {
    case MsgAppResp:
    case MsgVoteResp:
    case MsgHeartbeatResp:
    case MsgUnreachable:
    case MsgReadIndexResp:
    case MsgPreVoteResp:
    case MsgStorageAppendResp:
    case MsgStorageApplyResp:
      return true;
    default:
      return false;
  }
}

/** Whether the id is one of the two storage threads. */
export function isStorageThread(id: NodeId): boolean {
  return id >= ApplyThread;
}
