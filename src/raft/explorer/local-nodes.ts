import type { RaftDefects } from '../config.ts';
import { type Message, messageTypeName } from '../message.ts';
import { RawNode } from '../rawnode.ts';
import { MemoryStorage } from '../storage.ts';
import { type Entry, emptyConfState, type NodeId, StateCandidate, StateLeader } from '../types.ts';

/** Where every log starts: as if index 1 had been compacted, so that followers can be told to begin anew. */
export const BASE_INDEX = 1;

/** What can happen to one node; numbers from {@link INPUT_MESSAGE} on are messages that are delivered. */
export const INPUT_CAMPAIGN = 0;
export const INPUT_CRASH = 1;
export const INPUT_BEAT = 2;
/** Proposals of the values 1 to 12. */
export const INPUT_PROPOSE = 3;
export const INPUT_MESSAGE = 16;

/** How the nodes and their hosts are. */
export interface NodeOptions {
  readonly voters: number;
  readonly defects?: RaftDefects;
  /** The host keeps neither term nor vote on its disk (defect R4). */
  readonly forgetsVote?: boolean;
}

/** Everything about one node on which its future depends, as one of finitely many. */
export interface LocalState {
  /** Equal for equal states. */
  readonly key: string;
  readonly node: NodeId;
  readonly term: number;
  readonly isLeader: boolean;
  readonly commit: number;
  /** Terms and payloads of the entries after the base, `term:value` each; equal logs have equal ids. */
  readonly log: readonly string[];
  readonly logId: number;
  /** How it was first reached: what has to be done again to have a node in this state. */
  readonly before: number;
  readonly input: number;
}

/** What one input makes of one node. */
export interface Step {
  readonly to: number;
  /** Numbers of the messages that it sends. */
  readonly sends: readonly number[];
  /** A rule that the node broke by itself. */
  readonly broken: string | undefined;
}

/** A message in flight. */
export interface KnownMessage {
  readonly message: Message;
  readonly to: NodeId;
  readonly term: number;
}

/**
 * The nodes of an exploration, one local state at a time. A RawNode is deterministic, so what an input makes of a local state is found out
 * once, by a real RawNode that is brought into that state again, and remembered: an exploration meets few local states in millions of
 * combinations. Inputs are whole rounds: the node takes the input, persists, sends and applies until it has nothing more to do.
 */
export class LocalNodes {
  readonly states: LocalState[] = [];
  readonly messages: KnownMessage[] = [];
  readonly #options: NodeOptions;
  readonly #stateIds = new Map<string, number>();
  readonly #messageIds = new Map<string, number>();
  readonly #logIds = new Map<string, number>();
  readonly #steps: (Step | undefined)[][] = [];

  constructor(options: NodeOptions) {
    this.#options = options;
  }

  /** The state of a node that never ran. */
  initial(node: NodeId): number {
    return this.#intern(new LiveNode(node, this.#options), -1, -1);
  }

  state(id: number): LocalState {
    return this.states[id] as LocalState;
  }

  /** What the input makes of the state. */
  step(id: number, input: number): Step {
    const known = this.#steps[id] as (Step | undefined)[];
    const found = known[input];
    if (found !== undefined) return found;
    const made = this.#make(id, input);
    known[input] = made;
    return made;
  }

  #make(id: number, input: number): Step {
    const before = this.state(id);
    const live = this.#revive(id);
    let sent: readonly Message[];
    try {
      sent = live.take(input, this.messages);
    } catch (error) {
      return { to: id, sends: [], broken: `a broken invariant: ${(error as Error).message}` };
    }
    const to = this.#intern(live, id, input);
    return { to, sends: sent.map((message) => this.#messageId(message)), broken: appendOnly(before, this.state(to)) };
  }

  /** A node in that state, by doing again what led to it. */
  #revive(id: number): LiveNode {
    const inputs: number[] = [];
    let at = this.state(id);
    for (; at.before >= 0; at = this.state(at.before)) inputs.push(at.input);
    const live = new LiveNode(at.node, this.#options);
    for (let i = inputs.length - 1; i >= 0; i--) live.take(inputs[i] as number, this.messages);
    return live;
  }

  #intern(live: LiveNode, before: number, input: number): number {
    const key = live.key();
    const known = this.#stateIds.get(key);
    if (known !== undefined) return known;
    const id = this.states.length;
    const log = live.log();
    const logKey = log.join(' ');
    let logId = this.#logIds.get(logKey);
    if (logId === undefined) {
      logId = this.#logIds.size;
      this.#logIds.set(logKey, logId);
    }
    const { term, state, committed } = live.raw;
    this.states.push({ key, node: live.id, term, isLeader: state === StateLeader, commit: committed, log, logId, before, input });
    this.#steps.push([]);
    this.#stateIds.set(key, id);
    return id;
  }

  #messageId(message: Message): number {
    const key = messageText(message);
    let id = this.#messageIds.get(key);
    if (id === undefined) {
      // 0 means "no message" in an exploration's rows.
      if (this.messages.length === 0) this.messages.push({ message, to: 0, term: 0 });
      id = this.messages.length;
      this.messages.push({ message, to: message.to, term: message.term });
      this.#messageIds.set(key, id);
    }
    return id;
  }
}

/** Raft paper, figure 3: a leader never overwrites or deletes entries of its own log. */
function appendOnly(before: LocalState, after: LocalState): string | undefined {
  if (!before.isLeader || !after.isLeader || before.term !== after.term) return undefined;
  const kept = before.log.every((entry, i) => after.log[i] === entry);
  return kept ? undefined : `Leader Append-Only: node ${before.node} changed its log in term ${before.term}`;
}

/** One node with its disk, driven as its host drives it. @internal The slow twin uses it too. */
export class LiveNode {
  readonly id: NodeId;
  readonly #options: NodeOptions;
  readonly #storage = new MemoryStorage();
  raw: RawNode;

  constructor(id: NodeId, options: NodeOptions) {
    this.id = id;
    this.#options = options;
    const voters = Array.from({ length: options.voters }, (_, i) => i + 1);
    this.#storage.applySnapshot({ index: BASE_INDEX, term: 0, confState: { ...emptyConfState, voters }, data: undefined });
    this.#storage.setHardState({ term: 0, vote: 0, commit: BASE_INDEX });
    this.raw = this.#start();
  }

  #start(): RawNode {
    const { defects } = this.#options;
    return new RawNode({
      id: this.id,
      electionTicks: 10,
      heartbeatTicks: 1,
      storage: this.#storage,
      draw: () => 0,
      // Entries travel one by one: that is when copies of old terms spread apart from newer ones (figure 8).
      bytesPerMessageMax: 1,
      committedBytesPerReadyMax: Number.POSITIVE_INFINITY,
      ...(defects === undefined ? {} : { defects }),
    });
  }

  /** Takes one input and does all that follows from it here; the messages that leave. */
  take(input: number, messages: readonly KnownMessage[]): readonly Message[] {
    switch (input) {
      case INPUT_CAMPAIGN:
        this.raw.campaign();
        break;
      case INPUT_CRASH:
        this.#crash();
        break;
      case INPUT_BEAT:
        this.raw.tick();
        break;
      default:
        if (input < INPUT_MESSAGE) this.raw.propose(input - INPUT_PROPOSE + 1, 8);
        else this.raw.step((messages[input - INPUT_MESSAGE] as KnownMessage).message);
    }
    const sent: Message[] = [];
    while (this.raw.hasReady()) {
      const ready = this.raw.ready();
      if (ready.hardState !== undefined) this.#storage.setHardState(ready.hardState);
      this.#storage.append(ready.entries);
      sent.push(...ready.messages);
      this.raw.advance();
    }
    return sent;
  }

  #crash(): void {
    if (this.#options.forgetsVote === true) {
      const { commit } = this.#storage.initialState().hardState;
      this.#storage.setHardState({ term: Math.max(0, this.#storage.term(this.#storage.lastIndex())), vote: 0, commit });
    }
    this.raw = this.#start();
  }

  log(): readonly string[] {
    const entries: string[] = [];
    for (let index = BASE_INDEX + 1; index <= this.raw.lastIndex; index++) entries.push(entryText(this.raw.entryAt(index)));
    return entries;
  }

  /**
   * Everything that its future depends on. Left out is what only ticks, reads, proposals of followers and a check of the quorum look at:
   * elapsed ticks, recent activity, who leads (that somebody does counts: such a node gives no vote); of a window without a limit only its
   * bounds matter.
   */
  key(): string {
    const { id, term, vote, lead, state, commit, progress, votes } = this.raw.status();
    let key = `${id}|${term}|${vote}|${lead === 0 ? '' : 'led'}|${state}|${commit}|${this.log().join(' ')}`;
    if (state === StateCandidate) key += `|${votes.map(([from, granted]) => `${from}${granted ? '+' : '-'}`).join('')}`;
    for (const pr of progress) if (pr.id !== id) key += `|${pr.match},${pr.next},${pr.sentCommit},${pr.text.slice(0, 10)}${pr.isPaused}`;
    return key;
  }
}

function entryText(entry: Entry | undefined): string {
  return `${entry?.term}:${entry?.data ?? ''}`;
}

/** A message in words; equal messages have equal texts. */
export function messageText(m: Message): string {
  let text = `${messageTypeName(m.type)} ${m.from}→${m.to} term ${m.term}`;
  if (m.index > 0 || m.entries.length > 0) text += ` at ${m.index}/${m.logTerm}`;
  if (m.commit > 0) text += ` commit ${m.commit}`;
  if (m.entries.length > 0) text += ` [${m.entries.map(entryText).join(' ')}]`;
  if (m.reject) text += ` reject, hint ${m.rejectHint}`;
  return text;
}

/** An input in words. */
export function inputText(node: NodeId, input: number, messages: readonly KnownMessage[]): string {
  switch (input) {
    case INPUT_CAMPAIGN:
      return `node ${node} campaigns`;
    case INPUT_CRASH:
      return `node ${node} crashes and comes back`;
    case INPUT_BEAT:
      return `node ${node} sends heartbeats`;
    default:
      if (input < INPUT_MESSAGE) return `node ${node} proposes ${input - INPUT_PROPOSE + 1}`;
      return `delivered: ${messageText((messages[input - INPUT_MESSAGE] as KnownMessage).message)}`;
  }
}
