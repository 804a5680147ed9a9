import type { RaftDefects } from '../config.ts';
import type { NodeId } from '../types.ts';
import {
  INPUT_BEAT,
  INPUT_CAMPAIGN,
  INPUT_CRASH,
  INPUT_MESSAGE,
  INPUT_PROPOSE,
  inputText,
  LocalNodes,
  type LocalState,
  type Step,
} from './local-nodes.ts';
import { Safety } from './safety.ts';
import { StateTable } from './state-table.ts';

/** What an exploration goes through: everything that can happen within these bounds, in every order. */
export interface Bounds {
  readonly terms: number;
  readonly proposals: number;
  readonly crashes: number;
  /** Messages in flight; what is sent beyond that is lost. */
  readonly inFlight: number;
  /** Leaders send heartbeats, so that appends that were lost are sent again. */
  readonly heartbeats?: boolean;
  /** Only one node stands for election in each term: makes room for more terms. */
  readonly oneCandidateATerm?: boolean;
  /** States that are kept at the most; an exploration that meets more is not complete. */
  readonly states?: number;
}

export interface ExplorerOptions {
  readonly bounds: Bounds;
  readonly defects?: RaftDefects;
  /** The hosts keep neither terms nor votes (defect R4). */
  readonly forgetsVote?: boolean;
}

/** A property that broke, with a shortest way there. */
export interface Broken {
  /** `Leader Completeness: …`, as the paper names it. */
  readonly what: string;
  readonly steps: readonly string[];
}

export interface Exploration {
  /** States made, known ones again included: what checkers count as generated. */
  readonly generated: number;
  readonly distinct: number;
  /** Local states of single nodes: so many times a RawNode was asked. */
  readonly localStates: number;
  /** Steps from the beginning to the farthest state. */
  readonly depth: number;
  /** Every state within the bounds was reached. */
  readonly isComplete: boolean;
  readonly broken: Broken | undefined;
}

const NODES = 3;
const STATES_MAX = 20_000_000;
/** Columns of a row: the local states, the history of commits, who led which term, what was used up, then the messages in flight. */
const HISTORY = NODES;
const LEADERS = NODES + 1;
const USED = NODES + 2;
const FLIGHT = NODES + 3;
/** Positions in the number of what was used up. */
const CRASH = 1;
const PROPOSAL = 1 << 8;

/**
 * Goes through every state that three nodes can reach within the bounds, breadth first, and checks the five properties of the raft paper's
 * figure 3 on each. The nodes are RawNodes as the simulator runs them; messages are lost (never delivered), overtake each other and
 * wait for as long as they like. Not explored: snapshots, changes of members, reads, a crash within a round (as a loss of its messages it is),
 * and messages that come twice.
 *
 * Two reductions keep everything that can go wrong: a message of a term that its addressee has left behind is forgotten, since raft
 * ignores it (unless votes are forgotten: then terms may go back); and nodes are alike in the beginning, so node 1 is the first to stand.
 */
export function explore(options: ExplorerOptions): Exploration {
  return new Explorer(options).run();
}

class Explorer {
  readonly #bounds: Bounds;
  readonly #nodes: LocalNodes;
  readonly #safety = new Safety();
  readonly #table: StateTable;
  readonly #prunes: boolean;
  readonly #row: Uint32Array;
  readonly #next: Uint32Array;
  #generated = 0;
  #broken: { readonly what: string; readonly from: number; readonly action: number } | undefined;

  constructor({ bounds, defects, forgetsVote = false }: ExplorerOptions) {
    this.#bounds = bounds;
    this.#nodes = new LocalNodes({ voters: NODES, forgetsVote, ...(defects === undefined ? {} : { defects }) });
    this.#prunes = !forgetsVote;
    const width = FLIGHT + bounds.inFlight;
    this.#row = new Uint32Array(width);
    this.#next = new Uint32Array(width);
    this.#table = new StateTable(width, bounds.states ?? STATES_MAX);
  }

  run(): Exploration {
    for (let n = 0; n < NODES; n++) this.#row[n] = this.#nodes.initial(n + 1);
    this.#table.add(this.#row, 0, 0);
    let depth = 0;
    let levelEnds = 1;
    for (let at = 0; at < this.#table.count && this.#broken === undefined; at++) {
      if (at === levelEnds) {
        depth++;
        levelEnds = this.#table.count;
      }
      this.#table.read(at, this.#row);
      this.#expand(at);
    }
    return {
      generated: this.#generated,
      distinct: this.#table.count,
      localStates: this.#nodes.states.length,
      depth,
      isComplete: !this.#table.isFull && this.#broken === undefined,
      broken: this.#broken === undefined ? undefined : { what: this.#broken.what, steps: this.#path(this.#broken) },
    };
  }

  /** All that can happen next. */
  #expand(at: number): void {
    const { terms, crashes, proposals, inFlight, heartbeats } = this.#bounds;
    const used = this.#row[USED] as number;
    const crashed = used & 0xff;
    const proposed = used >> 8;
    for (let n = 0; n < NODES; n++) {
      const state = this.#local(n);
      if (state.isLeader) {
        if (proposed < proposals) this.#act(at, n, INPUT_PROPOSE + proposed, -1, PROPOSAL);
        if (heartbeats === true) this.#act(at, n, INPUT_BEAT, -1, 0);
      } else if (state.term < terms && this.#mayStand(at, n, state)) this.#act(at, n, INPUT_CAMPAIGN, -1, 0);
      if (crashed < crashes) this.#act(at, n, INPUT_CRASH, -1, CRASH);
    }
    for (let slot = FLIGHT; slot < FLIGHT + inFlight; slot++) {
      const message = this.#row[slot] as number;
      if (message === 0) return;
      this.#act(at, (this.#nodes.messages[message]?.to ?? 0) - 1, INPUT_MESSAGE + message, slot, 0);
    }
  }

  #mayStand(at: number, n: number, state: LocalState): boolean {
    if (at === 0) return n === 0;
    if (this.#bounds.oneCandidateATerm !== true) return true;
    for (let other = 0; other < NODES; other++) if (this.#local(other).term > state.term) return false;
    return true;
  }

  #local(n: number): LocalState {
    return this.#nodes.state(this.#row[n] as number);
  }

  /** One input to one node; `slot`: where the message that is delivered lies. */
  #act(at: number, n: number, input: number, slot: number, uses: number): void {
    const before = this.#row[n] as number;
    const step = this.#nodes.step(before, input);
    const action = input * 4 + n;
    this.#generated++;
    if (step.broken !== undefined) return this.#break(step.broken, at, action);
    const next = this.#next;
    next.set(this.#row);
    next[n] = step.to;
    next[USED] = (next[USED] as number) + uses;
    if (slot >= 0) remove(next, slot);
    this.#send(next, step);
    if (step.to !== before) {
      if (this.#prunes && this.#nodes.state(step.to).term > this.#nodes.state(before).term) this.#forget(next, n);
      const broken = this.#judge(next, n, before, step.to);
      if (broken !== undefined) return this.#break(broken, at, action);
    }
    this.#table.add(next, at, action);
  }

  #break(what: string, from: number, action: number): void {
    this.#broken ??= { what, from, action };
  }

  #send(next: Uint32Array, step: Step): void {
    const { sends } = step;
    for (let i = 0; i < sends.length; i++) {
      const id = sends[i] as number;
      const message = this.#nodes.messages[id];
      if (message === undefined) continue;
      if (this.#prunes && message.term < this.#nodes.state(next[message.to - 1] as number).term) continue;
      insert(next, id);
    }
  }

  /** Messages that the node will ignore for ever. */
  #forget(next: Uint32Array, n: number): void {
    const { term } = this.#nodes.state(next[n] as number);
    for (let slot = next.length - 1; slot >= FLIGHT; slot--) {
      const message = this.#nodes.messages[next[slot] as number];
      if (message !== undefined && message.to === n + 1 && message.term < term) remove(next, slot);
    }
  }

  #judge(next: Uint32Array, n: number, beforeId: number, afterId: number): string | undefined {
    const before = this.#nodes.state(beforeId);
    const after = this.#nodes.state(afterId);
    if (after.commit !== before.commit) {
      const history = this.#safety.commit(next[HISTORY] as number, afterId, after);
      if (typeof history === 'string') return history;
      next[HISTORY] = history;
    }
    if (after.isLeader && !(before.isLeader && before.term === after.term)) {
      const shift = 2 * (after.term - 1);
      const other = ((next[LEADERS] as number) >>> shift) & 3;
      if (other !== 0 && other !== n + 1) return `Election Safety: nodes ${other} and ${n + 1} both led term ${after.term}`;
      next[LEADERS] = ((next[LEADERS] as number) | ((n + 1) << shift)) >>> 0;
      const missing = this.#safety.missing(next[HISTORY] as number, after);
      if (missing !== undefined) return missing;
    }
    if (after.logId !== before.logId) {
      for (let other = 0; other < NODES; other++) {
        if (other === n || this.#safety.match(after, this.#nodes.state(next[other] as number))) continue;
        return `Log Matching: the logs of nodes ${n + 1} and ${other + 1} part before an entry that they share`;
      }
    }
    return undefined;
  }

  #path(broken: { readonly from: number; readonly action: number }): readonly string[] {
    const steps: string[] = [];
    let { from, action } = broken;
    for (;;) {
      const node: NodeId = (action % 4) + 1;
      steps.push(inputText(node, Math.floor(action / 4), this.#nodes.messages));
      if (from === 0) return steps.reverse();
      ({ from, action } = this.#table.origin(from));
    }
  }
}

/** Takes a message out of flight; those that follow move up. */
function remove(row: Uint32Array, slot: number): void {
  for (let i = slot; i < row.length - 1; i++) row[i] = row[i + 1] as number;
  row[row.length - 1] = 0;
}

/** Puts a message into flight, in order, unless it is there already or there is no room. */
function insert(row: Uint32Array, id: number): void {
  if ((row[row.length - 1] as number) !== 0) return;
  let slot = FLIGHT;
  for (; slot < row.length && row[slot] !== 0 && (row[slot] as number) < id; slot++);
  if (row[slot] === id) return;
  for (let i = row.length - 1; i > slot; i--) row[i] = row[i - 1] as number;
  row[slot] = id;
}
