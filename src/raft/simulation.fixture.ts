import type { RaftConfig, RaftDefects } from './config.ts';
import { AppendThread, isStorageThread, type Message, MsgSnap } from './message.ts';
import { RawNode } from './rawnode.ts';
import { MemoryStorage } from './storage.ts';
import {
  type ConfChange,
  type ConfState,
  type Entry,
  EntryNormal,
  emptyConfState,
  type HardState,
  type LogIndex,
  leaveJointChange,
  type NodeId,
  type Snapshot,
  StateLeader,
  type Term,
} from './types.ts';

/** Where every log starts: a snapshot at index 2 of term 1, so that index 1 is compacted from the beginning. */
const baseIndex = 2;
const baseTerm = 1;

/** A broken property, named as in the paper's figure 3 (and "Linearizable Reads"). */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** Options of every node of a simulation. */
export type SimulationOptions = Pick<
  RaftConfig,
  'asyncStorageWrites' | 'preVote' | 'checkQuorum' | 'bytesPerMessageMax' | 'inflightMessagesMax' | 'committedBytesPerReadyMax' | 'logSink'
> & {
  readonly voters: number;
  /** Nodes outside the first configuration, which may be added. */
  readonly spares?: number;
  readonly defects?: RaftDefects;
};

/** One node: what survives a crash (`storage`), and what does not. */
export interface SimulatedNode {
  readonly id: NodeId;
  readonly storage: MemoryStorage;
  raw: RawNode;
  confState: ConfState;
  applied: LogIndex;
  appendWork: Message[];
  applyWork: Message[];
  /** While leading: the term, and the log's end as last seen, which may only grow. */
  ledTerm: Term;
  ledEntries: Entry[];
}

/** Nodes in memory with a bag of messages in flight, and the paper's safety properties, checked after each step. */
export class Simulation {
  readonly nodes: SimulatedNode[] = [];
  inFlight: Message[] = [];
  /** The node that the network is cut off from; 0 is none. */
  private cutOff: NodeId = 0;
  private readonly options: SimulationOptions;
  private draws = 0;
  private proposals = 0;

  /** Election Safety: who led each term. */
  private readonly leaders = new Map<Term, NodeId>();
  /** Log Matching: what precedes and fills each (index, term), and which object holds the payload. */
  private readonly seen = new Map<string, { previousTerm: Term; data: unknown }>();
  /** What is committed, with the term of the leader that committed it first. */
  private readonly committed = new Map<LogIndex, { term: Term; committedIn: Term }>();
  private maxCommitted: LogIndex = baseIndex;
  /** Reads under way: the commit index of the cluster when each began. */
  private readonly reads = new Map<number, LogIndex>();
  /** Answered reads, so that a test can tell that it tested anything. */
  answeredReads = 0;

  constructor(options: SimulationOptions) {
    this.options = options;
    const count = options.voters + (options.spares ?? 0);
    const voters = Array.from({ length: options.voters }, (_, i) => i + 1);
    for (let id = 1; id <= count; id++) {
      const storage = new MemoryStorage();
      const isVoter = id <= options.voters;
      const confState = isVoter ? { ...emptyConfState, voters } : emptyConfState;
      if (isVoter) {
        storage.applySnapshot({ index: baseIndex, term: baseTerm, confState, data: undefined });
        storage.setHardState({ term: baseTerm, vote: 0, commit: baseIndex });
      }
      this.nodes.push({
        id,
        storage,
        raw: this.start(id, storage),
        confState,
        applied: isVoter ? baseIndex : 0,
        appendWork: [],
        applyWork: [],
        ledTerm: 0,
        ledEntries: [],
      });
    }
  }

  private start(id: NodeId, storage: MemoryStorage): RawNode {
    const { voters: _voters, spares: _spares, ...options } = this.options;
    return new RawNode({
      ...options,
      id,
      electionTicks: 10,
      heartbeatTicks: 1,
      storage,
      draw: (bound) => {
        this.draws = (this.draws * 48271 + 11) % 2147483647;
        return this.draws % bound;
      },
      applied: storage.snapshot()?.index ?? 0,
    });
  }

  node(id: NodeId): SimulatedNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }

  /** Nodes that believe to lead, in the order of ids. */
  leadingNodes(): SimulatedNode[] {
    return this.nodes.filter(({ raw }) => raw.state === StateLeader);
  }

  /** Loses everything that was not on stable storage, and starts again. */
  crash(id: NodeId): void {
    const node = this.node(id);
    node.raw = this.start(id, node.storage);
    const snapshot = node.storage.snapshot();
    node.applied = snapshot?.index ?? 0;
    node.confState = snapshot?.confState ?? emptyConfState;
    node.appendWork = [];
    node.applyWork = [];
    node.ledTerm = 0;
    this.check(node);
  }

  /** Steps a message into its addressee. */
  deliver(message: Message): void {
    const node = this.nodes[message.to - 1];
    if (node === undefined) return;
    node.raw.step(message);
    if (message.type === MsgSnap) this.nodes[message.from - 1]?.raw.reportSnapshot(message.to, true);
    this.check(node);
  }

  /** Takes the messages that match out of flight and delivers them, until none matches any more. Nodes work meanwhile. */
  deliverWhere(matches: (message: Message) => boolean): void {
    for (let at = this.inFlight.findIndex(matches); at >= 0; at = this.inFlight.findIndex(matches)) {
      const [message] = this.inFlight.splice(at, 1);
      if (message === undefined) return;
      this.deliver(message);
      this.work(message.to);
    }
  }

  private send(message: Message): void {
    if (message.from !== this.cutOff && message.to !== this.cutOff) this.inFlight.push(message);
  }

  /** Cuts one node off from now on (0: heals the network). What is in flight to and from it is lost. */
  cut(id: NodeId): void {
    this.cutOff = id;
    if (id !== 0) this.dropWhere(({ from, to }) => from === id || to === id);
  }

  /** Loses the messages that match. */
  dropWhere(matches: (message: Message) => boolean): void {
    this.inFlight = this.inFlight.filter((message) => !matches(message));
  }

  /** Handles everything that a node wants done. */
  work(id: NodeId): void {
    const node = this.node(id);
    while (node.raw.hasReady()) this.handleReady(node);
    while (node.appendWork.length > 0 || node.applyWork.length > 0) {
      this.appendThread(node);
      this.applyThread(node);
      while (node.raw.hasReady()) this.handleReady(node);
    }
  }

  handleReady(node: SimulatedNode): void {
    const ready = node.raw.ready();
    for (const { index, requestCtx } of ready.readStates) this.checkRead(index, requestCtx);
    if (!this.options.asyncStorageWrites) {
      this.persist(node, ready.hardState, ready.entries, ready.snapshot);
      this.apply(node, ready.committedEntries);
    }
    for (const message of ready.messages) {
      if (!isStorageThread(message.to)) this.send(message);
      else if (message.to === AppendThread) node.appendWork.push(message);
      else node.applyWork.push(message);
    }
    if (!this.options.asyncStorageWrites) node.raw.advance();
    this.check(node);
  }

  /** Does the oldest work of the append thread. */
  appendThread(node: SimulatedNode): void {
    const work = node.appendWork.shift();
    if (work === undefined) return;
    const { term, vote, commit } = work;
    this.persist(node, term === 0 ? undefined : { term, vote, commit }, work.entries, work.snapshot);
    this.respond(node, work);
  }

  /** Does the oldest work of the apply thread. */
  applyThread(node: SimulatedNode): void {
    const work = node.applyWork.shift();
    if (work === undefined) return;
    this.apply(node, work.entries);
    this.respond(node, work);
  }

  private respond(node: SimulatedNode, work: Message): void {
    for (const response of work.responses) {
      if (response.to === node.id) node.raw.step(response);
      else this.send(response);
    }
    this.check(node);
  }

  private persist(node: SimulatedNode, hardState: HardState | undefined, entries: readonly Entry[], snapshot: Snapshot | undefined): void {
    if (hardState !== undefined) node.storage.setHardState(hardState);
    if (snapshot !== undefined && node.storage.applySnapshot(snapshot)) {
      node.applied = snapshot.index;
      node.confState = snapshot.confState;
    }
    node.storage.append(entries);
  }

  private apply(node: SimulatedNode, entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.index <= node.applied) continue;
      if (entry.index !== node.applied + 1) {
        throw new Violation(`State Machine Safety: ${node.id} applies ${entry.index} after ${node.applied}`);
      }
      const known = this.committed.get(entry.index);
      if (known === undefined || known.term !== entry.term) {
        throw new Violation(`State Machine Safety: ${node.id} applies ${entry.term}/${entry.index}, others ${known?.term}/${entry.index}`);
      }
      node.applied = entry.index;
      // Entries that the apply thread still had to do when a snapshot came in are part of it.
      if (entry.type !== EntryNormal && entry.index >= node.raw.firstIndex) {
        node.confState = node.raw.applyConfChange((entry.data as ConfChange | undefined) ?? leaveJointChange);
      }
    }
  }

  /** Proposes a command at a node. */
  propose(id: NodeId): void {
    const node = this.node(id);
    this.proposals++;
    node.raw.propose({ command: this.proposals }, 8);
    this.check(node);
  }

  /** Starts a read at a node. */
  read(id: NodeId): void {
    const context = this.reads.size + 1;
    this.reads.set(context, this.maxCommitted);
    const node = this.node(id);
    node.raw.readIndex(context);
    this.check(node);
  }

  private checkRead(index: LogIndex, context: unknown): void {
    const floor = this.reads.get(context as number) ?? 0;
    // Only with fixed members: a leader that is its configuration's only voter answers at once, even before its first commit, as
    // upstream; a predecessor that left the configuration may have committed more.
    if (index < floor && this.options.spares === undefined) {
      throw new Violation(`Linearizable Reads: read at ${index}, but ${floor} was committed before it began`);
    }
    this.answeredReads++;
  }

  /** Makes a snapshot of a node's state machine, and discards the log up to it. */
  compact(id: NodeId): void {
    const { storage, applied, confState, raw } = this.node(id);
    if (applied <= storage.firstIndex() || raw.applied < applied || applied > storage.lastIndex()) return;
    storage.createSnapshot(applied, confState, undefined);
    storage.compact(applied);
  }

  /** Checks everything that a step of this node may have broken. */
  check(node: SimulatedNode): void {
    this.checkLeader(node);
    this.checkLog(node);
    this.checkCommitted(node);
  }

  private checkLeader(node: SimulatedNode): void {
    const { raw, id } = node;
    if (raw.state !== StateLeader) {
      node.ledTerm = 0;
      return;
    }
    const other = this.leaders.get(raw.term);
    if (other !== undefined && other !== id) {
      throw new Violation(`Election Safety: ${other} and ${id} both led term ${raw.term}`);
    }
    this.leaders.set(raw.term, id);
    if (node.ledTerm !== raw.term) {
      node.ledTerm = raw.term;
      node.ledEntries = [];
      this.checkCompleteness(node);
    }
    for (const entry of node.ledEntries) {
      if (entry.index >= raw.firstIndex && raw.entryAt(entry.index)?.term !== entry.term) {
        throw new Violation(`Leader Append-Only: ${id} lost ${entry.term}/${entry.index} in term ${raw.term}`);
      }
    }
    node.ledEntries = this.entriesOf(raw);
  }

  private checkCompleteness({ id, raw }: SimulatedNode): void {
    for (const [index, { term, committedIn }] of this.committed) {
      if (committedIn >= raw.term || index < raw.firstIndex) continue;
      if (raw.entryAt(index)?.term !== term) {
        throw new Violation(`Leader Completeness: ${id} leads term ${raw.term} without ${term}/${index}`);
      }
    }
  }

  private entriesOf(raw: RawNode): Entry[] {
    const entries: Entry[] = [];
    for (let index = raw.firstIndex; index <= raw.lastIndex; index++) {
      const entry = raw.entryAt(index);
      if (entry !== undefined) entries.push(entry);
    }
    return entries;
  }

  private checkLog({ id, raw }: SimulatedNode): void {
    let previousTerm: Term | undefined;
    for (const entry of this.entriesOf(raw)) {
      const key = `${entry.index}/${entry.term}`;
      const known = this.seen.get(key);
      if (previousTerm !== undefined) {
        if (known === undefined) this.seen.set(key, { previousTerm, data: entry.data });
        else if (known.previousTerm !== previousTerm || known.data !== entry.data) {
          throw new Violation(`Log Matching: ${id} has another ${key} than others, or another entry before it`);
        }
        if (previousTerm > entry.term) throw new Violation(`Log Matching: terms of ${id} decrease at ${key}`);
      }
      previousTerm = entry.term;
    }
  }

  private checkCommitted({ id, raw }: SimulatedNode): void {
    for (let index = Math.max(raw.firstIndex, baseIndex + 1); index <= raw.committed; index++) {
      const term = raw.entryAt(index)?.term ?? 0;
      const known = this.committed.get(index);
      if (known === undefined) this.committed.set(index, { term, committedIn: raw.term });
      else if (known.term !== term) {
        throw new Violation(`State Machine Safety: ${id} commits ${term}/${index}, others ${known.term}/${index}`);
      }
    }
    if (raw.committed > this.maxCommitted) this.maxCommitted = raw.committed;
  }

  /** What was committed, for tests that want to know whether anything was. */
  get committedCount(): number {
    return this.committed.size;
  }

  get termCount(): number {
    return this.leaders.size;
  }
}
