import { noLimit } from './entry-size.ts';
import type { LogSink } from './log-sink.ts';
import { ReadOnlyLeaseBased, type ReadOnlyOption, ReadOnlySafe } from './read-only.ts';
import type { Storage } from './storage.ts';
import type { LogIndex, NodeId } from './types.ts';

/** Known bugs that can be switched back on. All off by default. */
export interface RaftDefects {
  /** A leader commits entries of earlier terms by counting replicas (logcabin#44; paper, section 5.4.2 and figure 8). */
  readonly countOldTermReplicas?: boolean;
  /** A leader answers reads without asking a quorum whether it still leads (etcd 0.4.1; tikv#964). */
  readonly leaderReadsLocally?: boolean;
  /** A new leader answers reads before it has committed an entry of its own term (etcd#7331; tikv#6340). */
  readonly readIndexBeforeOwnCommit?: boolean;
  /** A leader counts its own copy of an entry before it is on its disk: alone, it commits at once (etcd#14370). */
  readonly countsUnwrittenEntries?: boolean;
  /** A read that is asked for again is confirmed by late answers to the first time (etcd#20418). */
  readonly retriesShareContext?: boolean;
  /** Pre-votes of a lower term are dropped, and granted ones carry the voter's own term (etcd#8243; etcd#8501). */
  readonly dropsLowerPreVotes?: boolean;
  /** A learner never votes (etcd#10998). */
  readonly learnersRefuseVotes?: boolean;
  /** Only the leader that applies a joint configuration proposes to leave it (etcd#12136). */
  readonly successorsStayJoint?: boolean;
  /** A joint configuration decides by one majority of all its voters (async-raft#62). */
  readonly unionMajority?: boolean;
  /** With `configOnAppend`: a leader changes the configuration before it has committed an entry of its own term (raft-dev, July 2015). */
  readonly changesConfigAtOnce?: boolean;
  /** A snapshot that comes late replaces a log that goes beyond it (etcd#1763; camunda#6092). */
  readonly lateSnapshotTruncates?: boolean;
}

/** Draws an integer in [0, bound). */
export type Draw = (bound: number) => number;

/** How to run one node. Times are in ticks; the host decides how long a tick lasts. */
export interface RaftConfig {
  readonly id: NodeId;
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  readonly storage: Storage;
  /** Randomness for election timeouts; the only randomness in raft. */
  readonly draw: Draw;
  /** Last index that the host had applied before a restart; entries up to it are not handed out again. */
  readonly applied?: LogIndex;
  /** Encoded bytes of entries per append message. Unlimited by default. */
  readonly bytesPerMessageMax?: number;
  /** Encoded bytes of entries handed out for applying and not yet acknowledged. Default: `bytesPerMessageMax`. */
  readonly committedBytesPerReadyMax?: number;
  /** Payload bytes of a leader's uncommitted entries before it drops proposals. Unlimited by default. */
  readonly uncommittedBytesMax?: number;
  /** Append messages in flight to one member. Unlimited by default. */
  readonly inflightMessagesMax?: number;
  /** Payload bytes in flight to one member. Unlimited by default. */
  readonly inflightBytesMax?: number;
  readonly checkQuorum?: boolean;
  readonly preVote?: boolean;
  readonly readOnly?: ReadOnlyOption;
  /** The host writes and applies through MsgStorageAppend and MsgStorageApply instead of Advance. */
  readonly asyncStorageWrites?: boolean;
  readonly disableProposalForwarding?: boolean;
  readonly disableConfChangeValidation?: boolean;
  /** A leader that applies its own removal becomes a follower, instead of leading without a vote. */
  readonly stepDownOnRemoval?: boolean;
  /** A configuration counts once its entry is in the log (dissertation, section 4.1), not only when that is applied. The host may refuse no change. */
  readonly configOnAppend?: boolean;
  readonly logSink?: LogSink;
  readonly defects?: RaftDefects;
}

/** A configuration with every default filled in. */
export interface ResolvedConfig {
  readonly id: NodeId;
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  readonly storage: Storage;
  readonly draw: Draw;
  readonly applied: LogIndex;
  readonly bytesPerMessageMax: number;
  readonly committedBytesPerReadyMax: number;
  readonly uncommittedBytesMax: number;
  readonly inflightMessagesMax: number;
  readonly inflightBytesMax: number;
  readonly checkQuorum: boolean;
  readonly preVote: boolean;
  readonly readOnly: ReadOnlyOption;
  readonly asyncStorageWrites: boolean;
  readonly disableProposalForwarding: boolean;
  readonly disableConfChangeValidation: boolean;
  readonly stepDownOnRemoval: boolean;
  readonly configOnAppend: boolean;
  readonly sink: LogSink | undefined;
  readonly countOldTermReplicas: boolean;
  readonly leaderReadsLocally: boolean;
  readonly readIndexBeforeOwnCommit: boolean;
  readonly countsUnwrittenEntries: boolean;
  readonly retriesShareContext: boolean;
  readonly dropsLowerPreVotes: boolean;
  readonly lateSnapshotTruncates: boolean;
  readonly learnersRefuseVotes: boolean;
  readonly successorsStayJoint: boolean;
  readonly unionMajority: boolean;
  readonly changesConfigAtOnce: boolean;
}

/** Problems of a configuration, one sentence each; empty if there are none. */
export function configProblems(config: RaftConfig): string[] {
  const problems: string[] = [];
  const { heartbeatTicks, electionTicks, bytesPerMessageMax = noLimit } = config;
  if (!Number.isSafeInteger(config.id) || config.id <= 0) problems.push('id must be a positive integer');
  if (heartbeatTicks <= 0) problems.push('heartbeatTicks must be greater than 0');
  if (electionTicks <= heartbeatTicks) problems.push('electionTicks must be greater than heartbeatTicks');
  if ((config.inflightMessagesMax ?? 1) <= 0) problems.push('inflightMessagesMax must be greater than 0');
  const inflightBytesMax = config.inflightBytesMax ?? noLimit;
  if (bytesPerMessageMax !== noLimit && inflightBytesMax < bytesPerMessageMax) {
    problems.push('inflightBytesMax must be at least bytesPerMessageMax');
  }
  if (config.readOnly === ReadOnlyLeaseBased && !config.checkQuorum) {
    problems.push('lease-based reads need checkQuorum');
  }
  return problems;
}

/** Fills in defaults. Throws one error that lists all problems. */
export function resolveConfig(config: RaftConfig): ResolvedConfig {
  const problems = configProblems(config);
  if (problems.length > 0) throw new Error(`raft configuration: ${problems.join('; ')}`);
  const bytesPerMessageMax = config.bytesPerMessageMax ?? noLimit;
  const defects = config.defects ?? {};
  return {
    id: config.id,
    electionTicks: config.electionTicks,
    heartbeatTicks: config.heartbeatTicks,
    storage: config.storage,
    draw: config.draw,
    applied: config.applied ?? 0,
    bytesPerMessageMax,
    committedBytesPerReadyMax: config.committedBytesPerReadyMax ?? bytesPerMessageMax,
    uncommittedBytesMax: config.uncommittedBytesMax ?? noLimit,
    inflightMessagesMax: config.inflightMessagesMax ?? 2 ** 31 - 1,
    inflightBytesMax: config.inflightBytesMax ?? noLimit,
    checkQuorum: config.checkQuorum ?? false,
    preVote: config.preVote ?? false,
    readOnly: config.readOnly ?? ReadOnlySafe,
    asyncStorageWrites: config.asyncStorageWrites ?? false,
    disableProposalForwarding: config.disableProposalForwarding ?? false,
    disableConfChangeValidation: config.disableConfChangeValidation ?? false,
    stepDownOnRemoval: config.stepDownOnRemoval ?? false,
    configOnAppend: config.configOnAppend ?? false,
    sink: config.logSink,
    countOldTermReplicas: defects.countOldTermReplicas ?? false,
    leaderReadsLocally: defects.leaderReadsLocally ?? false,
    readIndexBeforeOwnCommit: defects.readIndexBeforeOwnCommit ?? false,
    countsUnwrittenEntries: defects.countsUnwrittenEntries ?? false,
    retriesShareContext: defects.retriesShareContext ?? false,
    dropsLowerPreVotes: defects.dropsLowerPreVotes ?? false,
    lateSnapshotTruncates: defects.lateSnapshotTruncates ?? false,
    learnersRefuseVotes: defects.learnersRefuseVotes ?? false,
    successorsStayJoint: defects.successorsStayJoint ?? false,
    unionMajority: defects.unionMajority ?? false,
    changesConfigAtOnce: defects.changesConfigAtOnce ?? false,
  };
}
