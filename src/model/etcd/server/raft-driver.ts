import { type Message, MsgSnap } from '../../../raft/message.ts';
import { RawNode } from '../../../raft/rawnode.ts';
import type { Ready } from '../../../raft/ready.ts';
import type { MemoryStorage } from '../../../raft/storage.ts';
import {
  type ConfChange,
  type ConfState,
  type Entry,
  EntryConfChangeV2,
  EntryNormal,
  RaftInvariantError,
  type ReadState,
  type Snapshot,
  StateCandidate,
  StateFollower,
  StateLeader,
  StatePreCandidate,
  type StepError,
  TransitionAuto,
} from '../../../raft/types.ts';
import type { Process } from '../../../sim/process.ts';
import type { EtcdConfig } from './config.ts';
import { entryHash } from './entry-hash.ts';
import { Ticker } from './ticker.ts';
import type { Wal } from './wal.ts';

/** Ticks without which a member counts as not active. */
const ACTIVE_TICKS = 3;

/**
 * What raft panics with, here as upstream, where a log lost what it had acknowledged (a lying disk, defect R18). It ends the member; any
 * other broken invariant is our own bug.
 */
const lostLogPanics = ['tocommit(', 'need non-empty snapshot'];

/** What raft's host gets from the driver. */
export interface RaftEvents {
  /** Leader or role changed. `gained`: there is a leader, and it is another one than before. */
  leaderChanged(isLeader: boolean, gained: boolean): void;
  readState(state: ReadState): void;
  /** Committed entries, or a snapshot, to apply. A snapshot counts as persisted when `snapshotSaved` is called. */
  toApply(entries: readonly Entry[], snapshot: Snapshot | undefined): void;
  /** Calls `done` once everything up to an index is applied, at once where it is. */
  whenApplied(index: number, done: () => void): void;
  /** Puts a received snapshot on disk before its Ready goes on. */
  saveSnapshot(snapshot: Snapshot, done: () => void): void;
  snapshotSaved(snapshot: Snapshot): void;
  send(messages: readonly Message[]): void;
  /** A change of members was put into the log. */
  configInLog?(): void;
  /** How facts name a member. */
  nameOf(id: number): string;
  /** The leader wants a member to get a snapshot: the host makes it from its present state. */
  sendSnapshot(message: Message): void;
}

/** One input of raft. Those of the hot path are functions of their own: a closure for every message would cost as much as some inputs. */
type Input<A> = (node: RawNode, argument: A, bytes: number) => StepError | undefined;

const stepMessage: Input<Message> = (node, message) => node.step(message);
const proposeData: Input<unknown> = (node, data, bytes) => node.propose(data, bytes);
const askReadIndex: Input<unknown> = (node, context) => {
  node.readIndex(context);
  return undefined;
};

/**
 * Drives a RawNode as etcd's raftNode does (server/etcdserver/raft.go): one Ready at a time; a leader sends while it writes, a follower
 * only when its write is durable; applying goes on apart from it.
 */
export class RaftDriver {
  readonly node: RawNode;
  readonly storage: MemoryStorage;
  readonly #process: Process;
  readonly #config: EtcdConfig;
  readonly #wal: Wal;
  readonly #events: RaftEvents;
  readonly #ticker: Ticker;
  #writing = false;
  #writingSince = 0;
  #pumping = false;
  readonly #ticksWait: boolean;
  /** The Ready whose records are being synced, and whether this member led when it was taken. */
  #syncing: Ready | undefined;
  #syncingLeads = false;
  readonly #onSynced = (): void => this.#synced();
  #lead = 0;
  #state: number = StateFollower;
  #lastVote = 0;
  #lastVoteTerm = 0;
  #lastAppended: number;

  constructor(process: Process, config: EtcdConfig, id: number, storage: MemoryStorage, wal: Wal, events: RaftEvents) {
    this.#process = process;
    this.#config = config;
    this.#wal = wal;
    this.#events = events;
    this.storage = storage;
    this.node = new RawNode({
      id,
      electionTicks: config.electionTicks,
      heartbeatTicks: 1,
      storage,
      draw: (bound) => process.random.below(bound),
      bytesPerMessageMax: config.appendBytesMax,
      inflightMessagesMax: 512,
      checkQuorum: true,
      preVote: config.preVote,
      configOnAppend: config.variants.has('config-on-append'),
      defects: {
        countOldTermReplicas: config.defects.has('R2'),
        leaderReadsLocally: config.defects.has('R12'),
        readIndexBeforeOwnCommit: config.defects.has('R10'),
        countsUnwrittenEntries: config.defects.has('E2'),
        changesConfigAtOnce: config.defects.has('R1'),
        unionMajority: config.defects.has('R6'),
        successorsStayJoint: config.defects.has('R7'),
        learnersRefuseVotes: config.defects.has('R8'),
        retriesShareContext: config.defects.has('R11'),
        lateSnapshotTruncates: config.defects.has('R13'),
        dropsLowerPreVotes: config.defects.has('R16'),
      },
    });
    // etcd takes ticks and writes in one loop: while an fsync hangs, CheckQuorum does not fire, and a leader goes on to lead (etcd#13527, open).
    this.#ticksWait = !config.variants.has('ticks-apart') || config.defects.has('R20');
    this.#lastAppended = storage.lastIndex();
    this.#ticker = new Ticker(process, config.heartbeatUs, () => this.wake());
  }

  get isLeader(): boolean {
    return this.node.state === StateLeader;
  }

  get lead(): number {
    return this.#lead;
  }

  /**
   * Whether the raft loop has taken a tick lately (EtcdServer.isActive). It has not while it waits for a stalled disk or right after its
   * process was stopped: then it does not know what it has missed.
   */
  get isActive(): boolean {
    const patience = ACTIVE_TICKS * this.#config.heartbeatUs;
    const waits = this.#writing && this.#process.mono() - this.#writingSince > patience;
    return !waits && this.#ticker.pausedUs <= patience;
  }

  /** Begins to run, `ticks` into the first election timeout. */
  start(ticks: number): void {
    // What passed before it runs is nobody's silence.
    this.#ticker.dropMissed();
    if (ticks > 0) this.node.tickMany(ticks);
    this.wake();
  }

  /** Brings the first election nearer (etcd: --initial-election-tick-advance). */
  advanceTicks(ticks: number): void {
    this.#input((node) => void node.tickMany(ticks), undefined, 0);
  }

  receive(message: Message): void {
    this.#input(stepMessage, message, 0);
  }

  propose(data: unknown, sizeBytes: number): StepError | undefined {
    return this.#input(proposeData, data, sizeBytes);
  }

  proposeConfChange(change: ConfChange): StepError | undefined {
    // etcd proposes single changes in the old form; the new one is for joint consensus.
    return this.#input((node) => node.proposeConfChange(change, change.transition === TransitionAuto), undefined, 0);
  }

  readIndex(context: unknown): void {
    this.#input(askReadIndex, context, 0);
  }

  transferLeadership(transferee: number): void {
    this.#input((node) => void node.transferLeadership(transferee), undefined, 0);
  }

  reportUnreachable(id: number): void {
    this.#input((node) => void node.reportUnreachable(id), undefined, 0);
  }

  reportSnapshot(id: number, ok: boolean): void {
    this.#input((node) => void node.reportSnapshot(id, ok), undefined, 0);
  }

  applyConfChange(change: ConfChange, index?: number): ConfState {
    return this.node.applyConfChange(change, index);
  }

  /** Time has passed, or applying has changed what raft may do next. */
  wake(): void {
    this.#input(undefined, undefined, 0);
  }

  /** Tells raft of the time, then of one input, and does what it asks for. */
  #input<A>(act: Input<A> | undefined, argument: A, bytes: number): StepError | undefined {
    let error: StepError | undefined;
    try {
      if (!this.#writing || !this.#ticksWait) {
        const ticks = this.#ticker.take();
        if (ticks > 0) this.node.tickMany(ticks);
      }
      if (act !== undefined) error = act(this.node, argument, bytes);
      this.#pump();
    } catch (broken) {
      if (broken instanceof RaftInvariantError && lostLogPanics.some((text) => broken.message.startsWith(text))) {
        this.#process.exit(2, broken.message);
      }
      throw broken;
    }
    // The end of the write looks again; until then the next tick may lie in the past, and a timer for it would fire without end.
    if (!this.#writing || !this.#ticksWait) this.#ticker.wakeAfter(this.node.ticksUntilNextAction());
    if (this.#writing && !this.#ticksWait && this.#state === StateLeader && !this.isLeader) this.#noteRole(this.node.lead);
    return error;
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (!this.#writing && this.node.hasReady()) this.#handle(this.node.ready());
    this.#pumping = false;
  }

  #handle(ready: Ready): void {
    const leads = this.isLeader;
    if (ready.softState !== undefined) this.#noteRole(ready.softState.lead);
    const { readStates } = ready;
    if (readStates.length > 0) this.#events.readState(readStates[readStates.length - 1] as ReadState);
    const { snapshot } = ready;
    if (ready.committedEntries.length > 0 || snapshot !== undefined) this.#events.toApply(ready.committedEntries, snapshot);
    // The leader writes to its disk in parallel with replicating to its followers (dissertation, section 10.2.1).
    if (leads) this.#send(ready.messages);
    this.#writingSince = this.#process.mono();
    if (snapshot !== undefined) {
      this.#writing = true;
      this.#events.saveSnapshot(snapshot, () => this.#save(ready, leads));
      return;
    }
    this.#save(ready, leads);
  }

  #save(ready: Ready, leads: boolean): void {
    this.#noteEntries(ready.entries);
    const result = this.#wal.save(ready.hardState, ready.entries);
    if (!result.ok) this.#process.exit(1, 'failed to save Raft hard state and entries: no space left on device');
    if (!ready.mustSync && ready.snapshot === undefined) {
      this.#finish(ready, leads);
      return;
    }
    this.#writing = true;
    this.#syncing = ready;
    this.#syncingLeads = leads;
    this.#wal.sync(this.#onSynced);
  }

  #synced(): void {
    const ready = this.#syncing;
    if (ready === undefined) return;
    this.#syncing = undefined;
    if (this.#ticksWait) this.#ticker.dropMissed();
    this.#finish(ready, this.#syncingLeads);
    this.wake();
  }

  #finish(ready: Ready, leads: boolean): void {
    // Applying a snapshot may come back here with new input: the next Ready has to wait for `advance` all the same.
    this.#writing = true;
    if (ready.snapshot !== undefined) {
      this.storage.applySnapshot(ready.snapshot);
      this.#lastAppended = Math.max(this.#lastAppended, ready.snapshot.index);
      this.#events.snapshotSaved(ready.snapshot);
    }
    if (ready.entries.length > 0) this.storage.append(ready.entries);
    if (ready.hardState !== undefined) {
      this.storage.setHardState(ready.hardState);
      const { term, vote, commit } = ready.hardState;
      this.#config.facts.raftCommit.emit(this.#config.name, commit, term);
      if (vote !== 0 && (this.#lastVote !== vote || this.#lastVoteTerm !== term)) {
        this.#lastVote = vote;
        this.#lastVoteTerm = term;
        this.#config.facts.raftVote.emit(this.#config.name, term, this.#events.nameOf(vote));
      }
    }
    const changed = lastConfigChange(ready.committedEntries, leads);
    if (changed === 0) this.#advance(ready, leads);
    else {
      let waits = false;
      this.#events.whenApplied(changed, () => {
        // The loop stood still: of the ticks that it missed one is left, as after a slow write.
        if (waits && this.#ticksWait) this.#ticker.dropMissed();
        this.#advance(ready, leads);
        if (waits) this.wake();
      });
      waits = true;
    }
  }

  #advance(ready: Ready, leads: boolean): void {
    if (!leads) this.#send(ready.messages);
    this.node.advance();
    this.#writing = false;
  }

  #send(messages: readonly Message[]): void {
    if (messages.length === 0) return;
    this.#events.send(messages);
    for (let i = 0; i < messages.length; i++) {
      const message = messages[i] as Message;
      if (message.type === MsgSnap) this.#events.sendSnapshot(message);
    }
  }

  #noteRole(lead: number): void {
    const gained = lead !== 0 && lead !== this.#lead;
    this.#lead = lead;
    this.#state = this.node.state;
    const { facts, name } = this.#config;
    facts.raftRole.emit(name, this.#roleName(), this.node.term, lead === 0 ? '' : this.#events.nameOf(lead));
    if (gained && this.isLeader) {
      facts.raftLeader.emit(name, this.node.term, this.storage.lastIndex(), this.storage.term(this.storage.lastIndex()));
    }
    this.#events.leaderChanged(this.isLeader, gained);
  }

  #roleName(): string {
    switch (this.node.state) {
      case StateLeader:
        return 'leader';
      case StateCandidate:
        return 'candidate';
      case StatePreCandidate:
        return 'pre-candidate';
      default:
        return 'follower';
    }
  }

  #noteEntries(entries: readonly Entry[]): void {
    const { facts, name } = this.#config;
    const first = entries[0];
    if (first === undefined) return;
    if (first.index <= this.#lastAppended) facts.raftTruncate.emit(name, first.index);
    if (facts.raftAppend.on) {
      for (let i = 0; i < entries.length; i++) {
        const entry = entries[i] as Entry;
        facts.raftAppend.emit(name, entry.index, entry.term, entryHash(entry));
      }
    }
    this.#lastAppended = first.index + entries.length - 1;
    if (entries.some((entry) => entry.type !== EntryNormal)) this.#events.configInLog?.();
  }
}

/**
 * Index of the last change of configuration that the loop waits for, until it is applied; 0 where there is none. A follower waits for each before it sends anything,
 * or it might count votes of members that are gone (etcdserver/raft.go, confChanged); a leader for none. Changes in several steps, which etcd never proposes, a
 * leader has to apply before raft goes on (raft.Node.ApplyConfChange): else it proposes to leave a joint configuration that it is leaving already.
 */
function lastConfigChange(entries: readonly Entry[], leads: boolean): number {
  for (let i = entries.length - 1; i >= 0; i--) {
    const entry = entries[i] as Entry;
    if (entry.type === EntryConfChangeV2 || (entry.type !== EntryNormal && !leads)) return entry.index;
  }
  return 0;
}
