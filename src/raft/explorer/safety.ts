import { BASE_INDEX, type LocalState } from './local-nodes.ts';

/** One entry that somebody committed, and the term of who did first. */
interface Committed {
  readonly entry: string;
  readonly inTerm: number;
}

/**
 * The properties of the paper's figure 3 that speak of several nodes. What they remember of a run (which entries were committed, in which
 * terms) is part of an exploration's state, as one of finitely many histories.
 */
export class Safety {
  readonly #histories: (readonly Committed[])[] = [[]];
  readonly #ids = new Map<string, number>([['', 0]]);
  readonly #extended: (readonly (number | string)[])[] = [];
  readonly #matching = new Map<number, boolean>();

  /**
   * The history once a node is in this state, or what it breaks (State Machine Safety): what a node has committed is what others have
   * committed there.
   */
  commit(history: number, stateId: number, state: LocalState): number | string {
    const count = state.commit - BASE_INDEX;
    const committed = this.#histories[history] as readonly Committed[];
    if (count === 0) return history;
    let row = this.#extended[history] as (number | string)[] | undefined;
    if (row === undefined) this.#extended[history] = row = [];
    const known = row[stateId];
    if (known !== undefined) return known;
    const result = this.#extend(committed, count, state);
    row[stateId] = result;
    return result;
  }

  #extend(committed: readonly Committed[], count: number, state: LocalState): number | string {
    const next = [...committed];
    for (let i = 0; i < count; i++) {
      const entry = state.log[i] as string;
      const other = committed[i];
      if (other === undefined) next.push({ entry, inTerm: state.term });
      else if (other.entry !== entry)
        return `State Machine Safety: node ${state.node} committed ${entry} at ${i + BASE_INDEX + 1}, others ${other.entry}`;
    }
    return this.#intern(next);
  }

  #intern(committed: readonly Committed[]): number {
    const key = committed.map((c) => `${c.entry}@${c.inTerm}`).join(' ');
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.#histories.length;
      this.#histories.push(committed);
      this.#ids.set(key, id);
    }
    return id;
  }

  /** Leader Completeness, for a node that has just been elected: it has all that was committed in earlier terms. */
  missing(history: number, leader: LocalState): string | undefined {
    const committed = this.#histories[history] as readonly Committed[];
    const at = committed.findIndex(({ entry, inTerm }, i) => inTerm < leader.term && leader.log[i] !== entry);
    if (at < 0) return undefined;
    return `Leader Completeness: node ${leader.node} leads term ${leader.term} without ${committed[at]?.entry} at ${at + BASE_INDEX + 1}`;
  }

  /** Log Matching: two logs that hold an entry of one index and term are equal up to it. */
  match(a: LocalState, b: LocalState): boolean {
    if (a.logId === b.logId) return true;
    const key = Math.min(a.logId, b.logId) * 0x10_0000 + Math.max(a.logId, b.logId);
    const known = this.#matching.get(key);
    if (known !== undefined) return known;
    const ok = logsMatch(a.log, b.log);
    this.#matching.set(key, ok);
    return ok;
  }
}

function logsMatch(a: readonly string[], b: readonly string[]): boolean {
  for (let i = Math.min(a.length, b.length) - 1; i >= 0; i--) {
    if (termOf(a[i]) !== termOf(b[i])) continue;
    for (let j = 0; j <= i; j++) if (a[j] !== b[j]) return false;
    return true;
  }
  return true;
}

function termOf(entry: string | undefined): string {
  return entry?.split(':', 1)[0] ?? '';
}
