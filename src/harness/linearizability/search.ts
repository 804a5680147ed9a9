import { ConfigurationSet } from './configuration-set.ts';

/** What `step` answers for an operation that is impossible in a state. */
export const ILLEGAL = -1;

/** A history in numbers: what the search works on. */
export interface SearchProblem {
  readonly operationCount: number;
  /** Events in order of real time: `i` for the call of operation i, `~i` for its return. Open operations have no return. */
  readonly events: Int32Array;
  readonly initial: number;
  /** The state after operation i in a state, or {@link ILLEGAL}. */
  readonly step: (state: number, operation: number) => number;
  /** 1 for operations that never change the state. */
  readonly isReadOnly: Uint8Array;
  /** Per open operation the nearest earlier open one that asks for the same, else -1. */
  readonly twinBefore: Int32Array;
  /**
   * Whether a read that is not legal in a state cannot become legal whatever is placed later: then the state is a dead end. Optional: it
   * only saves work.
   */
  readonly isDoomed?: (state: number, read: number, isPlaced: (operation: number) => boolean) => boolean;
}

/** What bounds a search. */
export interface SearchBudget {
  /** Calls of `step`. */
  readonly stepsMax: number;
  /** Bytes of remembered configurations. */
  readonly memoryBytesMax: number;
}

/** `order`: operations as placed; on `illegal` the longest prefix that is legal, and `stuck`, the operation without a place after it. */
export type SearchResult =
  | { readonly verdict: 'linearizable'; readonly order: readonly number[]; readonly steps: number }
  | { readonly verdict: 'illegal'; readonly order: readonly number[]; readonly stuck: number; readonly steps: number }
  | { readonly verdict: 'gave-up'; readonly order: readonly number[]; readonly steps: number };

/**
 * Wing and Gong's search (1993) as Lowe made it (2017, "Testing for linearizability"): a list of pending events that a placed operation
 * is lifted out of, and a memory of configurations met. On top of it, without loss:
 * - a read that is legal now is placed now: moved forward it stays legal, and nothing else notices (so only writes branch);
 * - an open operation is optional, so one that would not change the state is not placed;
 * - of open operations that ask for the same, the earliest called goes first: any later one could be exchanged for it.
 */
export function searchLinearization(problem: SearchProblem, budget: SearchBudget): SearchResult {
  return new Search(problem, budget).run();
}

/** How many returns the look-ahead for doomed reads passes. */
const returnsAhead = 8;

class Search {
  private readonly problem: SearchProblem;
  private readonly budget: SearchBudget;
  /** The list: nodes are positions of `events` + 1; 0 is the head, the last is the end. */
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  private readonly callNode: Int32Array;
  private readonly returnNode: Int32Array;
  private readonly end: number;
  private readonly bits: Int32Array;
  private readonly keys: Int32Array;
  private readonly met: ConfigurationSet;
  private hash = 0;
  private state: number;
  private steps = 0;
  private completedLeft = 0;
  /** Operations in order of their placing; `forced` ones (reads) are no choice. */
  private readonly placed: Int32Array;
  private readonly stateBefore: Int32Array;
  private readonly forced: Uint8Array;
  private depth = 0;
  private readonly isPlacedHere = (operation: number): boolean => this.isPlaced(operation);
  private fewestLeft = Number.POSITIVE_INFINITY;
  private stuck = -1;
  private longestPrefix: Int32Array = new Int32Array(0);

  constructor(problem: SearchProblem, budget: SearchBudget) {
    this.problem = problem;
    this.budget = budget;
    const { events, operationCount: n } = problem;
    const nodes = events.length + 2;
    this.end = nodes - 1;
    this.next = new Int32Array(nodes).map((_, i) => i + 1);
    this.previous = new Int32Array(nodes).map((_, i) => i - 1);
    this.callNode = new Int32Array(n);
    this.returnNode = new Int32Array(n);
    for (let i = 0; i < events.length; i++) {
      const event = events[i] as number;
      if (event >= 0) this.callNode[event] = i + 1;
      else {
        this.returnNode[~event] = i + 1;
        this.completedLeft++;
      }
    }
    this.bits = new Int32Array((n + 31) >>> 5);
    this.keys = randomKeys(n);
    this.met = new ConfigurationSet(this.bits.length);
    this.state = problem.initial;
    this.placed = new Int32Array(n);
    this.stateBefore = new Int32Array(n);
    this.forced = new Uint8Array(n);
  }

  run(): SearchResult {
    const { events } = this.problem;
    this.placeReads();
    let node = this.next[0] as number;
    while (this.completedLeft > 0) {
      if (this.steps > this.budget.stepsMax || this.met.bytes > this.budget.memoryBytesMax) {
        return { verdict: 'gave-up', order: this.order(), steps: this.steps };
      }
      const event = node === this.end ? -1 : (events[node - 1] as number);
      if (node !== this.end && event >= 0) {
        node = this.tryToPlace(event) ? (this.next[0] as number) : (this.next[node] as number);
        continue;
      }
      this.noteDeadEnd(~event);
      const last = this.takeBack();
      if (last < 0) return { verdict: 'illegal', order: [...this.longestPrefix], stuck: this.stuck, steps: this.steps };
      node = this.next[this.callNode[last] as number] as number;
    }
    return { verdict: 'linearizable', order: this.order(), steps: this.steps };
  }

  private order(): readonly number[] {
    return [...this.placed.subarray(0, this.depth)];
  }

  /** Keeps the longest prefix met, by what completed operations it places, and the operation that ends it. */
  private noteDeadEnd(stuck: number): void {
    if (this.completedLeft >= this.fewestLeft) return;
    this.fewestLeft = this.completedLeft;
    this.stuck = stuck;
    this.longestPrefix = this.placed.slice(0, this.depth);
  }

  /** Places an operation if that is legal and leads to something new. */
  private tryToPlace(operation: number): boolean {
    const { step, twinBefore, isReadOnly } = this.problem;
    // What reads there are that are legal were placed when the state was reached.
    if (isReadOnly[operation] === 1) return false;
    const isOpen = this.returnNode[operation] === 0;
    if (isOpen) {
      const twin = twinBefore[operation] as number;
      if (twin >= 0 && !this.isPlaced(twin)) return false;
    }
    this.steps++;
    const after = step(this.state, operation);
    if (after === ILLEGAL || (isOpen && after === this.state)) return false;
    this.place(operation, after, 0);
    this.placeReads();
    if (this.completedLeft === 0 || (!this.isDoomed() && this.met.add(this.bits, this.state, this.hash))) return true;
    this.takeBack();
    return false;
  }

  /** Places every pending read that is legal in the state; one pass is enough, because the state stays. */
  private placeReads(): void {
    const { events, step, isReadOnly } = this.problem;
    let before = 0;
    for (let node = this.next[before] as number; node !== this.end; node = this.next[before] as number) {
      const event = events[node - 1] as number;
      if (event < 0) return;
      if (isReadOnly[event] === 1 && this.returnNode[event] !== 0) {
        this.steps++;
        if (step(this.state, event) !== ILLEGAL) {
          this.place(event, this.state, 1);
          // The node is out of the list, perhaps with the one behind it.
          continue;
        }
      }
      before = node;
    }
  }

  /** Whether one of the next reads can never be placed any more. */
  private isDoomed(): boolean {
    const { events, isReadOnly, isDoomed } = this.problem;
    if (isDoomed === undefined) return false;
    let returns = 0;
    for (let node = this.next[0] as number; node !== this.end && returns < returnsAhead; node = this.next[node] as number) {
      const event = events[node - 1] as number;
      if (event < 0) returns++;
      else if (isReadOnly[event] === 1 && this.returnNode[event] !== 0 && isDoomed(this.state, event, this.isPlacedHere)) {
        this.noteDeadEnd(event);
        return true;
      }
    }
    return false;
  }

  private isPlaced(operation: number): boolean {
    return ((this.bits[operation >>> 5] as number) & (1 << (operation & 31))) !== 0;
  }

  private place(operation: number, after: number, forced: 0 | 1): void {
    this.flip(operation);
    this.placed[this.depth] = operation;
    this.stateBefore[this.depth] = this.state;
    this.forced[this.depth] = forced;
    this.depth++;
    this.state = after;
    this.lift(this.callNode[operation] as number);
    const back = this.returnNode[operation] as number;
    if (back !== 0) {
      this.lift(back);
      this.completedLeft--;
    }
  }

  /** Takes the last choice back, with the reads that followed; -1 when there was none. */
  private takeBack(): number {
    while (this.depth > 0) {
      this.depth--;
      const operation = this.placed[this.depth] as number;
      const back = this.returnNode[operation] as number;
      if (back !== 0) {
        this.unlift(back);
        this.completedLeft++;
      }
      this.unlift(this.callNode[operation] as number);
      this.state = this.stateBefore[this.depth] as number;
      this.flip(operation);
      if (this.forced[this.depth] === 0) return operation;
    }
    return -1;
  }

  private flip(operation: number): void {
    const word = operation >>> 5;
    this.bits[word] = (this.bits[word] as number) ^ (1 << (operation & 31));
    this.hash ^= this.keys[operation] as number;
  }

  private lift(node: number): void {
    const before = this.previous[node] as number;
    const after = this.next[node] as number;
    this.next[before] = after;
    this.previous[after] = before;
  }

  private unlift(node: number): void {
    this.next[this.previous[node] as number] = node;
    this.previous[this.next[node] as number] = node;
  }
}

/** One fixed random word an operation: the hash of a set is their exclusive or (Zobrist 1970). */
function randomKeys(count: number): Int32Array {
  const keys = new Int32Array(count);
  let seed = 0x2545f491;
  for (let i = 0; i < count; i++) {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    keys[i] = seed;
  }
  return keys;
}
