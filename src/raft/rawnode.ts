/**
 * How a host drives a node.
 *
 * ```
 * const node = new RawNode({ id, electionTicks: 10, heartbeatTicks: 1, storage, draw });
 * node.tick();  node.step(message);  node.propose(data, sizeBytes);  …        // inputs, in any order
 * while (node.hasReady()) {
 *   const ready = node.ready();
 *   // 1. persist: snapshot, entries, hardState — together; fsync if ready.mustSync
 *   // 2. send ready.messages (never before 1: they promise what was persisted)
 *   // 3. apply ready.snapshot, then ready.committedEntries; for each membership change call applyConfChange
 *   node.advance();   // 4. from now on storage must answer with what was persisted
 * }
 * ```
 *
 * With `asyncStorageWrites` there is no advance. The messages to {@link AppendThread} and {@link ApplyThread} are work for the host:
 * when it is done, deliver their `responses` (to this node by `step`, to others by the network). Work of one thread is done in
 * order, and the responses of an append only after it is durable. The other messages may leave at once.
 *
 * The host calls `advance` (or delivers responses) before it asks for the next Ready in synchronous mode. A node knows no clock:
 * the host calls `tick` at regular intervals, or sleeps `ticksUntilNextAction()` ticks and then calls `tickMany(n)`; such a host must
 * call `tickMany` for the ticks that have passed *before* every other input, because leases depend on elapsed ticks.
 *
 * A snapshot that a follower receives switches raft's configuration at once. A host that still has older entries to apply then
 * (possible only if it applies apart from the Ready loop) must not call applyConfChange for those: they are part of the snapshot.
 *
 * After a crash the host makes a new node on what its stable storage holds, with `applied` set to the index that its state
 * machine is at; `storage.initialState().confState` must be the configuration as of that index.
 *
 * Refused inputs are results (StepError), broken invariants throw RaftInvariantError.
 */
import { entriesApplied } from './applied.ts';
import { bootstrapLog, type Peer } from './bootstrap.ts';
import type { RaftConfig } from './config.ts';
import { confChangeBytes, encodedBytesOf, noLimit } from './entry-size.ts';
import { proposeNormal } from './leader.ts';
import { configAt, startLogConfigs } from './log-configs.ts';
import { hex } from './log-sink.ts';
import { applyConfChange, installConfState } from './membership.ts';
import {
  blankMessage,
  isLocalMessage,
  isResponseMessage,
  isStorageThread,
  type Message,
  MsgForgetLeader,
  MsgHup,
  MsgProp,
  MsgReadIndex,
  MsgSnapStatus,
  MsgTransferLeader,
  MsgUnreachable,
  makeMessage,
  NoNode,
  noEntries,
  noMessages,
} from './message.ts';
import { Raft } from './raft.ts';
import type { Ready } from './ready.ts';
import { type Status, statusOf } from './status.ts';
import { step, storageAppended, storageAppendedInLowerTerm } from './step.ts';
import { takeMessagesForThreads } from './storage-threads.ts';
import { tick, tickMany, ticksUntilNextAction } from './ticks.ts';
import { becomeFollower } from './transitions.ts';
import {
  type ConfChange,
  type ConfState,
  type Entry,
  EntryConfChange,
  EntryConfChangeV2,
  EntryNormal,
  ErrStepLocalMsg,
  ErrStepPeerNotFound,
  emptyHardState,
  type HardState,
  type LogIndex,
  type NodeId,
  RaftInvariantError,
  type RaftState,
  type ReadState,
  type Snapshot,
  type SoftState,
  StateLeader,
  type StepError,
  type Term,
} from './types.ts';

export type { Peer };

const noReadStates: readonly ReadState[] = [];

/** One raft node, without a clock, threads or a network. */
export class RawNode {
  private readonly raft: Raft;
  private readonly isAsync: boolean;
  private previousLead: NodeId;
  private previousState: RaftState;
  private previousTerm: Term;
  private previousVote: NodeId;
  private previousCommit: LogIndex;

  // What `advance` steps, recorded when a Ready is accepted: own acknowledgements and votes, then the finished write, then the
  // finished application. Kept in fields instead of messages: nothing else would read those.
  private isAccepted = false;
  private ownMessages: readonly Message[] = noMessages;
  private writtenTerm: Term = 0;
  private writtenIndex: LogIndex = 0;
  private writtenLogTerm: Term = 0;
  private writtenSnapshot: Snapshot | undefined = undefined;
  private appliedEntries: readonly Entry[] = noEntries;

  constructor(config: RaftConfig) {
    const r = new Raft(config);
    this.raft = r;
    this.isAsync = r.config.asyncStorageWrites;
    const { hardState, confState } = config.storage.initialState();
    installConfState(r, confState);
    if (hardState.term !== 0 || hardState.vote !== NoNode || hardState.commit !== 0) {
      if (hardState.commit < r.log.committed || hardState.commit > r.log.lastIndex()) {
        throw new RaftInvariantError(
          `${hex(r.id)} state.commit ${hardState.commit} is out of range [${r.log.committed}, ${r.log.lastIndex()}]`,
        );
      }
      r.log.committed = hardState.commit;
    }
    startLogConfigs(r, confState);
    if (r.config.applied > 0) r.log.appliedTo(r.config.applied, 0);
    becomeFollower(r, r.term, NoNode);
    r.sink?.info(
      `newRaft ${hex(r.id)} [peers: [${r.tracker.voterIds().map(hex).join(',')}], term: ${r.term}, commit: ${r.log.committed}, applied: ${r.log.applied}, lastindex: ${r.log.lastIndex()}, lastterm: ${r.log.lastTerm()}]`,
    );
    this.previousLead = r.lead;
    this.previousState = r.state;
    this.previousTerm = r.term;
    this.previousVote = r.vote;
    this.previousCommit = r.log.committed;
  }

  get id(): NodeId {
    return this.raft.id;
  }
  get term(): Term {
    return this.raft.term;
  }
  get vote(): NodeId {
    return this.raft.vote;
  }
  /** The leader that this node follows (itself, if it leads); 0 if it knows none. */
  get lead(): NodeId {
    return this.raft.lead;
  }
  get state(): RaftState {
    return this.raft.state;
  }
  get committed(): LogIndex {
    return this.raft.log.committed;
  }
  get applied(): LogIndex {
    return this.raft.log.applied;
  }
  get lastIndex(): LogIndex {
    return this.raft.log.lastIndex();
  }
  get leadTransferee(): NodeId {
    return this.raft.leadTransferee;
  }

  /** First index that is still in the log. */
  get firstIndex(): LogIndex {
    return this.raft.log.firstIndex();
  }

  /** An entry of the log, stable or not; undefined outside [firstIndex, lastIndex]. For properties and tests: it may copy. */
  entryAt(index: LogIndex): Entry | undefined {
    if (index < this.firstIndex || index > this.lastIndex) return undefined;
    return this.raft.log.slice(index, index + 1, noLimit)?.[0];
  }

  /** Lets one tick pass. */
  tick(): void {
    tick(this.raft);
  }

  /** Lets `count` ticks pass, as `count` calls of `tick` would. */
  tickMany(count: number): void {
    tickMany(this.raft, count);
  }

  /** How many ticks until one does something (1: the next); Infinity if none will until another input. */
  ticksUntilNextAction(): number {
    return ticksUntilNextAction(this.raft);
  }

  /** Handles a message from another node, or a response of a storage thread. */
  step(message: Message): StepError | undefined {
    if (isLocalMessage(message.type) && !isStorageThread(message.from)) return ErrStepLocalMsg;
    if (isResponseMessage(message.type) && !isStorageThread(message.from) && this.raft.tracker.find(message.from) === undefined) {
      return ErrStepPeerNotFound;
    }
    return step(this.raft, message);
  }

  /** Proposes a command. A follower forwards it; it may get lost on the way, so proposers retry. */
  propose(data: unknown, sizeBytes: number): StepError | undefined {
    const r = this.raft;
    if (r.state === StateLeader) return proposeNormal(r, data, sizeBytes);
    return this.proposeEntry(EntryNormal, data, sizeBytes);
  }

  /** Proposes a membership change. `oldStyle` makes an EntryConfChange (what etcd 3.6 proposes): one operation, no transition. */
  proposeConfChange(change: ConfChange, oldStyle = false): StepError | undefined {
    const type = oldStyle ? EntryConfChange : EntryConfChangeV2;
    return this.proposeEntry(type, change, confChangeBytes(change, oldStyle));
  }

  private proposeEntry(type: number, data: unknown, sizeBytes: number): StepError | undefined {
    const entry: Entry = { term: 0, index: 0, type, data, sizeBytes };
    return step(this.raft, makeMessage(MsgProp, 0, this.raft.id, 0, 0, 0, 0, [entry], 0));
  }

  /** Must be called when a committed membership change (the entry at `index`, which `configOnAppend` needs) is applied, unless the host decides against it. */
  applyConfChange(change: ConfChange, index?: LogIndex): ConfState {
    // Where configurations count from their append on, applying the entry changes nothing any more.
    const logged = index === undefined ? undefined : configAt(this.raft, index);
    return logged ?? applyConfChange(this.raft, change);
  }

  /** Asks for a read index; the answer comes as a ReadState with the same context, or (message lost, no leader) never. */
  readIndex(requestCtx: unknown): void {
    const entry: Entry = { term: 0, index: 0, type: EntryNormal, data: requestCtx, sizeBytes: 0 };
    step(this.raft, makeMessage(MsgReadIndex, 0, 0, 0, 0, 0, 0, [entry], 0));
  }

  /** Asks the leader (this node or the one that it follows) to hand leadership over. */
  transferLeadership(transferee: NodeId): void {
    step(this.raft, makeMessage(MsgTransferLeader, 0, transferee, 0, 0, 0, 0, noEntries, 0));
  }

  /** Campaigns now. */
  campaign(): void {
    step(this.raft, makeMessage(MsgHup, 0, 0, 0, 0, 0, 0, noEntries, 0));
  }

  /** Makes a follower forget its leader, so that it grants pre-votes within the lease. */
  forgetLeader(): void {
    step(this.raft, makeMessage(MsgForgetLeader, 0, 0, 0, 0, 0, 0, noEntries, 0));
  }

  /** A message to this member could not be sent. */
  reportUnreachable(id: NodeId): void {
    step(this.raft, makeMessage(MsgUnreachable, 0, id, 0, 0, 0, 0, noEntries, 0));
  }

  /** A snapshot was transferred to this member, or that failed. Must be called for every MsgSnap sent. */
  reportSnapshot(id: NodeId, ok: boolean): void {
    step(this.raft, blankMessage(MsgSnapStatus, { from: id, reject: !ok }));
  }

  /** Everything about this node. Allocates; the getters do not. */
  status(): Status {
    return statusOf(this.raft);
  }

  /** Overrides the drawn election timeout until the next change of role. For scripts and tests. */
  setRandomizedElectionTimeout(ticks: number): void {
    this.raft.randomizedElectionTimeout = ticks;
  }

  /**
   * Starts a new cluster: fills the empty log with one membership change per peer, committed in term 1. Every first member does
   * this with the same peers. The entries are handed out like any others; applying them again changes nothing.
   */
  bootstrap(peers: readonly Peer[]): void {
    bootstrapLog(this.raft, peers);
    // Nothing was persisted yet: the first Ready carries the hard state.
    this.previousTerm = emptyHardState.term;
    this.previousVote = emptyHardState.vote;
    this.previousCommit = emptyHardState.commit;
  }

  /** Whether there is something for the host to do. */
  hasReady(): boolean {
    const r = this.raft;
    const { log } = r;
    if (r.messages.length > 0 || r.messagesAfterAppend.length > 0) return true;
    if (r.lead !== this.previousLead || r.state !== this.previousState || this.hardStateChanged()) return true;
    return (
      log.unstable.hasNextEntries() ||
      log.hasNextCommitted(!this.isAsync) ||
      log.unstable.nextSnapshot() !== undefined ||
      r.readStates.length > 0
    );
  }

  private hardStateChanged(): boolean {
    const r = this.raft;
    return r.term !== this.previousTerm || r.vote !== this.previousVote || r.log.committed !== this.previousCommit;
  }

  /** Takes what is to be done; it counts as taken from here on. */
  ready(): Ready {
    const r = this.raft;
    const { log } = r;
    if (this.isAccepted) throw new RaftInvariantError('two accepted Ready structs without call to Advance');
    const entries = log.unstable.nextEntries();
    const committedEntries = log.nextCommitted(!this.isAsync);
    const snapshot = log.unstable.nextSnapshot();
    const mustSync = entries.length > 0 || r.vote !== this.previousVote || r.term !== this.previousTerm;
    let softState: SoftState | undefined;
    if (r.lead !== this.previousLead || r.state !== this.previousState) {
      softState = { lead: r.lead, state: r.state };
      this.previousLead = r.lead;
      this.previousState = r.state;
    }
    let hardState: HardState | undefined;
    if (this.hardStateChanged()) {
      hardState = r.hardState();
      this.previousTerm = r.term;
      this.previousVote = r.vote;
      this.previousCommit = r.log.committed;
    }
    let readStates = noReadStates;
    if (r.readStates.length > 0) {
      readStates = r.readStates;
      r.readStates = [];
    }
    const messages = this.isAsync
      ? takeMessagesForThreads(r, entries, hardState, snapshot, committedEntries)
      : this.takeMessages(snapshot, committedEntries);
    log.unstable.acceptInProgress();
    // An empty list has no element -1, and looking for one costs more than all the rest of this.
    const lastCommitted = committedEntries.length === 0 ? undefined : committedEntries[committedEntries.length - 1];
    if (lastCommitted !== undefined) {
      const bytes = log.countsApplyingBytes() ? encodedBytesOf(committedEntries) : 0;
      log.acceptApplying(lastCommitted.index, bytes, !this.isAsync);
    }
    return { softState, hardState, readStates, entries, snapshot, committedEntries, messages, mustSync };
  }

  /** Synchronous mode: own messages wait for `advance`, everything else is sent after the write. */
  private takeMessages(snapshot: Snapshot | undefined, committed: readonly Entry[]): readonly Message[] {
    const r = this.raft;
    let messages: Message[] | typeof noMessages = noMessages;
    if (r.messages.length > 0) {
      messages = r.messages;
      r.messages = [];
    }
    const after = r.messagesAfterAppend;
    if (after.length > 0) {
      let own = 0;
      for (let i = 0; i < after.length; i++) if (after[i]?.to === r.id) own++;
      if (own === after.length) this.ownMessages = after;
      else if (own === 0) messages = messages.length === 0 ? after : [...messages, ...after];
      else {
        this.ownMessages = after.filter((m) => m.to === r.id);
        messages = [...messages, ...after.filter((m) => m.to !== r.id)];
      }
      r.messagesAfterAppend = [];
    }
    this.isAccepted = true;
    this.writtenTerm = r.term;
    if (r.log.unstable.length > 0) {
      this.writtenIndex = r.log.lastIndex();
      this.writtenLogTerm = r.log.lastTerm();
    }
    this.writtenSnapshot = snapshot;
    this.appliedEntries = committed;
    return messages;
  }

  /** The Ready last taken is persisted, sent and applied. Synchronous mode only. */
  advance(): void {
    if (this.isAsync) {
      throw new RaftInvariantError('Advance must not be called when using AsyncStorageWrites');
    }
    const r = this.raft;
    const own = this.ownMessages;
    const { writtenIndex, writtenSnapshot, appliedEntries } = this;
    this.isAccepted = false;
    this.ownMessages = noMessages;
    this.writtenIndex = 0;
    this.writtenSnapshot = undefined;
    this.appliedEntries = noEntries;
    for (let i = 0; i < own.length; i++) {
      const message = own[i];
      if (message !== undefined) step(r, message);
    }
    if (writtenIndex !== 0 || writtenSnapshot !== undefined) {
      // An own vote stepped just before may have started a new term.
      if (this.writtenTerm === r.term) {
        storageAppended(r, writtenIndex, this.writtenLogTerm, writtenSnapshot);
      } else {
        storageAppendedInLowerTerm(r, this.writtenTerm, writtenIndex, writtenSnapshot);
      }
    }
    if (appliedEntries.length > 0) entriesApplied(r, appliedEntries);
  }
}
