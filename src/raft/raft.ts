import { type RaftConfig, type ResolvedConfig, resolveConfig } from './config.ts';
import { RaftLog } from './log.ts';
import type { LoggedConfig } from './log-configs.ts';
import type { LogSink } from './log-sink.ts';
import { makeMessage, type Message, MsgAppResp, NoNode, noEntries } from './message.ts';
import { ReadOnly } from './read-only.ts';
import type { ReadQueue } from './read-queue.ts';
import { SharedContextReads } from './shared-context-reads.ts';
import { Tracker } from './tracker.ts';
import { type HardState, type LogIndex, type NodeId, type RaftState, type ReadState, StateFollower, type Term } from './types.ts';

/**
 * The state of one node. What it does lies beside it, one file per role or rule: step.ts dispatches, leader.ts, candidate.ts
 * and follower.ts decide, transitions.ts changes roles, replication.ts sends, membership.ts reconfigures. Mirrors etcd's raft.go.
 */
export class Raft {
  readonly config: ResolvedConfig;
  readonly id: NodeId;
  readonly log: RaftLog;
  readonly tracker: Tracker;
  readonly readOnly: ReadQueue;
  readonly sink: LogSink | undefined;

  term: Term;
  vote: NodeId;
  lead: NodeId = NoNode;
  state: RaftState = StateFollower;
  isLearner = false;

  /** Ticks since the follower heard from its leader, or since the leader last checked its quorum. */
  electionElapsed = 0;
  heartbeatElapsed = 0;
  /** In [electionTicks, 2 * electionTicks - 1]; drawn anew at each change of role (paper, section 5.2). */
  randomizedElectionTimeout = 0;

  /** To whom leadership is being handed (dissertation, section 3.10). */
  leadTransferee: NodeId = NoNode;
  /** At or above the index of the newest membership change that may not be applied yet; one at a time may be. */
  pendingConfIndex: LogIndex = 0;
  /** With `configOnAppend`: the configurations of the log, newest last; the first is where the log begins. */
  configs: LoggedConfig[] = [];
  /** Payload bytes of this leader's uncommitted entries; an underestimate. */
  uncommittedBytes = 0;

  /** Messages that may leave at once. */
  messages: Message[] = [];
  /**
   * Votes and acknowledgements: they may leave only when everything unstable at the time they were made is on stable storage
   * (paper, figure 2: persistent state is updated before responding). Some are addressed to this node itself.
   */
  messagesAfterAppend: Message[] = [];
  readStates: ReadState[] = [];
  /** Reads that arrived before this leader committed an entry of its term. */
  pendingReads: Message[] = [];

  constructor(config: RaftConfig) {
    const resolved = resolveConfig(config);
    const { hardState } = resolved.storage.initialState();
    this.config = resolved;
    this.id = resolved.id;
    this.sink = resolved.sink;
    this.log = new RaftLog(resolved.storage, resolved.sink, resolved.committedBytesPerReadyMax);
    this.tracker = new Tracker(resolved.inflightMessagesMax, resolved.inflightBytesMax, resolved.unionMajority);
    // etcd#20418: a number of the leader's own for every request, because a context that a retry shares is confirmed by answers to the first.
    this.readOnly = resolved.retriesShareContext ? new SharedContextReads() : new ReadOnly();
    this.term = hardState.term;
    this.vote = hardState.vote;
  }

  hardState(): HardState {
    return { term: this.term, vote: this.vote, commit: this.log.committed };
  }

  /** Queues a message that may leave at once. */
  send(message: Message): void {
    this.messages.push(message);
  }

  /** Queues a message that must wait for stable storage. */
  sendAfterAppend(message: Message): void {
    // The first makes the list, which then has room for just one: mostly it stays the only one.
    if (this.messagesAfterAppend.length === 0) this.messagesAfterAppend = [message];
    else this.messagesAfterAppend.push(message);
  }

  /** Acknowledges the log up to `index`, to the leader or (as the leader) to itself. */
  sendAck(to: NodeId, index: LogIndex): void {
    this.sendAfterAppend(makeMessage(MsgAppResp, to, this.id, this.term, 0, index, 0, noEntries, 0));
  }

  /** Whether this node may campaign: a voter of its own configuration, without a snapshot to apply first. */
  isPromotable(): boolean {
    const own = this.tracker.find(this.id);
    return own !== undefined && !own.isLearner && this.log.unstable.snapshot === undefined;
  }

  /** Whether an entry of the current term is committed: from then on the leader knows what is committed (paper, section 8). */
  hasCommittedInTerm(): boolean {
    return this.log.termOrZero(this.log.committed) === this.term;
  }

  /** Forgets what belonged to the previous role, and to the previous term if it is over. */
  reset(term: Term): void {
    if (this.term !== term) {
      this.term = term;
      this.vote = NoNode;
    }
    this.lead = NoNode;
    this.electionElapsed = 0;
    this.heartbeatElapsed = 0;
    const { electionTicks, draw } = this.config;
    this.randomizedElectionTimeout = electionTicks + draw(electionTicks);
    this.leadTransferee = NoNode;
    this.tracker.resetVotes();
    const last = this.log.lastIndex();
    for (const pr of this.tracker.progress) pr.restart(last + 1, pr.id === this.id ? last : 0);
    this.pendingConfIndex = 0;
    this.uncommittedBytes = 0;
    this.readOnly.reset();
  }
}
