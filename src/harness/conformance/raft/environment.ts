import type { RaftConfig } from '../../../raft/config.ts';
import { AppendThread, blankMessage, isStorageThread, type Message, type MessageType, MsgSnap } from '../../../raft/message.ts';
import { RawNode } from '../../../raft/rawnode.ts';
import { MemoryStorage } from '../../../raft/storage.ts';
import {
  type ConfChange,
  type ConfState,
  type Entry,
  EntryNormal,
  emptySnapshot,
  type HardState,
  leaveJointChange,
  type NodeId,
  type Snapshot,
} from '../../../raft/types.ts';
import { messageText, readyText } from './format.ts';
import { ScriptOutput } from './output.ts';

/** An error that a command reports as its result. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError';
}

/** Storage whose newest snapshot is that of the node's state machine, not what was compacted. */
class HistoryStorage extends MemoryStorage {
  readonly history: Snapshot[];

  constructor(first: Snapshot) {
    super();
    this.history = [first];
  }

  newest(): Snapshot {
    return this.history[this.history.length - 1] ?? emptySnapshot;
  }

  override snapshot(): Snapshot {
    return this.newest();
  }
}

/** Options of new nodes beyond the defaults of the script language. */
export type NodeOptions = Omit<Partial<RaftConfig>, 'id' | 'storage' | 'draw' | 'logSink' | 'applied'>;

/** A node of a script: a raw node, its storage and the queues of its storage threads. */
export interface ScriptNode {
  readonly raw: RawNode;
  readonly storage: HistoryStorage;
  readonly isAsync: boolean;
  readonly appendWork: Message[];
  readonly applyWork: Message[];
}

/** Who gets messages delivered, or loses them. */
export interface Recipient {
  readonly id: NodeId;
  readonly drop: boolean;
}

/** The nodes of one script, and the messages between them. */
export class Environment {
  readonly output = new ScriptOutput();
  readonly nodes: ScriptNode[] = [];
  messages: Message[] = [];

  node(id: NodeId): ScriptNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }

  /** Adds nodes, from a common snapshot if there is one. */
  addNodes(count: number, options: NodeOptions, bootstrap: Snapshot | undefined): void {
    for (let i = 0; i < count; i++) {
      if (bootstrap !== undefined && bootstrap.index <= 1) {
        throw new ScriptError('index must be specified as > 1 due to bootstrap');
      }
      const snapshot = bootstrap === undefined ? emptySnapshot : { ...bootstrap, term: 1 };
      const storage = new HistoryStorage(snapshot);
      if (bootstrap !== undefined) storage.applySnapshot(snapshot);
      const raw = new RawNode({
        electionTicks: 3,
        heartbeatTicks: 1,
        ...options,
        id: this.nodes.length + 1,
        storage,
        // The scripts are written so that no output depends on the draw.
        draw: () => 0,
        applied: snapshot.index,
        logSink: this.output,
      });
      const isAsync = options.asyncStorageWrites ?? false;
      this.nodes.push({ raw, storage, isAsync, appendWork: [], applyWork: [] });
    }
  }

  processReady(id: NodeId): void {
    const node = this.node(id);
    const ready = node.raw.ready();
    this.output.write(readyText(ready));
    if (!node.isAsync) {
      append(node, ready.hardState, ready.entries, ready.snapshot);
      apply(node, ready.committedEntries);
    }
    for (const m of ready.messages) {
      if (!isStorageThread(m.to)) this.messages.push(m);
      else if (m.to === AppendThread) node.appendWork.push(m);
      else node.applyWork.push(m);
    }
    if (!node.isAsync) node.raw.advance();
  }

  /** Performs one piece of append work. */
  processAppendThread(id: NodeId): void {
    const node = this.node(id);
    const m = node.appendWork.shift();
    if (m === undefined) {
      this.output.write('no append work to perform');
      return;
    }
    this.output.write(`Processing:\n${messageText({ ...m, responses: [] })}\n`);
    const { term, vote, commit } = m;
    const hardState = term === 0 && vote === 0 && commit === 0 ? undefined : { term, vote, commit };
    append(node, hardState, m.entries, m.snapshot);
    this.respond(m);
  }

  /** Performs one piece of apply work. */
  processApplyThread(id: NodeId): void {
    const node = this.node(id);
    const m = node.applyWork.shift();
    if (m === undefined) {
      this.output.write('no apply work to perform');
      return;
    }
    this.output.write(`Processing:\n${messageText({ ...m, responses: [] })}\n`);
    apply(node, m.entries);
    this.respond(m);
  }

  private respond(m: Message): void {
    this.output.write('Responses:\n');
    for (const response of m.responses) this.output.write(`${messageText(response)}\n`);
    this.messages.push(...m.responses);
  }

  /** Whether any message to the node is in flight. */
  hasMessages(id: NodeId): boolean {
    return this.messages.some((m) => m.to === id);
  }

  /** Delivers or drops messages; returns how many. */
  deliver(recipients: readonly Recipient[], type: MessageType | undefined): number {
    let count = 0;
    for (const { id, drop } of recipients) {
      const matches = (m: Message): boolean => m.to === id && !(drop && isLocal(m)) && (type === undefined || m.type === type);
      const taken = this.messages.filter(matches);
      this.messages = this.messages.filter((m) => !matches(m));
      count += taken.length;
      for (const m of taken) {
        this.output.write(`${drop ? 'dropped: ' : ''}${messageText(m)}\n`);
        if (drop) continue;
        const error = this.node(id).raw.step(m);
        if (error !== undefined) this.output.write(`${error}\n`);
      }
    }
    return count;
  }

  /** Sends the newest snapshot of one node to another, past raft. */
  sendSnapshot(from: NodeId, to: NodeId): void {
    const { raw, storage } = this.node(from);
    const m = blankMessage(MsgSnap, { from, to, term: raw.term, snapshot: storage.newest() });
    this.messages.push(m);
    this.output.write(messageText(m));
  }

  /** Lets the nodes work until nothing is left to do. */
  stabilize(ids: readonly NodeId[]): void {
    let isDone = false;
    while (!isDone) {
      isDone = true;
      for (const id of ids) {
        if (!this.node(id).raw.hasReady()) continue;
        this.output.write(`> ${id} handling Ready\n`);
        this.output.indented(() => this.processReady(id));
        isDone = false;
      }
      for (const id of ids) {
        if (!this.hasMessages(id)) continue;
        this.output.write(`> ${id} receiving messages\n`);
        this.output.indented(() => this.deliver([{ id, drop: false }], undefined));
        isDone = false;
      }
      for (const id of ids) {
        if (this.node(id).appendWork.length === 0) continue;
        this.output.write(`> ${id} processing append thread\n`);
        while (this.node(id).appendWork.length > 0) this.output.indented(() => this.processAppendThread(id));
        isDone = false;
      }
      for (const id of ids) {
        if (this.node(id).applyWork.length === 0) continue;
        this.output.write(`> ${id} processing apply thread\n`);
        while (this.node(id).applyWork.length > 0) this.output.indented(() => this.processApplyThread(id));
        isDone = false;
      }
    }
  }
}

function isLocal(m: Message): boolean {
  return m.from === m.to || isStorageThread(m.from) || isStorageThread(m.to);
}

function append(node: ScriptNode, hardState: HardState | undefined, entries: readonly Entry[], snapshot: Snapshot | undefined): void {
  const { storage } = node;
  if (hardState !== undefined) storage.setHardState(hardState);
  if (snapshot !== undefined && snapshot.index !== 0) {
    if (entries.length > 0) throw new ScriptError("can't apply snapshot and entries at the same time");
    if (!storage.applySnapshot(snapshot)) {
      throw new ScriptError('requested index is older than the existing snapshot');
    }
    return;
  }
  storage.append(entries);
}

/** Applies entries to the state machine of the scripts, which concatenates what it is given. */
function apply(node: ScriptNode, entries: readonly Entry[]): void {
  const { storage, raw } = node;
  for (const { type, data, index, term } of entries) {
    let text = '';
    let confState: ConfState | undefined;
    if (type === EntryNormal) {
      if (typeof data === 'string') text = data;
    } else {
      confState = raw.applyConfChange((data as ConfChange | undefined) ?? leaveJointChange);
    }
    const previous = storage.newest();
    storage.history.push({
      index,
      term,
      confState: confState ?? previous.confState,
      data: `${typeof previous.data === 'string' ? previous.data : ''}${text}`,
    });
  }
}

/** Bytes of a command's text. */
export function textBytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
