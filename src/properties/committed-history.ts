import type { Facts } from '../model/facts.ts';

/** One committed change of one key. */
export interface Change {
  readonly revision: number;
  readonly sub: number;
  readonly key: string;
  readonly deleted: boolean;
  readonly value: number;
}

/** The true history of the store, rebuilt from the facts: what every read and watch is held against. */
export class CommittedHistory {
  readonly #byKey = new Map<string, Change[]>();
  readonly #changes: Change[] = [];
  #compacted = 0;
  #revision = 1;

  constructor(facts: Facts) {
    facts.keyChanged.subscribe((revision, sub, key, type, value) => {
      const change: Change = { revision, sub, key, deleted: type === 'DELETE', value };
      this.#revision = Math.max(this.#revision, revision);
      this.#changes.push(change);
      const ofKey = this.#byKey.get(key);
      if (ofKey === undefined) this.#byKey.set(key, [change]);
      else ofKey.push(change);
    });
    facts.storeCompacted.subscribe((revision) => {
      this.#compacted = Math.max(this.#compacted, revision);
    });
  }

  /** Highest committed revision. */
  get revision(): number {
    return this.#revision;
  }

  /** The key's state at a revision: its last change at or before it, or undefined where it did not exist. */
  at(key: string, revision: number): Change | undefined {
    const changes = this.#byKey.get(key);
    if (changes === undefined) return undefined;
    let low = 0;
    let high = changes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((changes[middle] as Change).revision <= revision) low = middle + 1;
      else high = middle;
    }
    const change = changes[low - 1];
    return change === undefined || change.deleted ? undefined : change;
  }

  /** The change that a revision made to a key. */
  changeAt(key: string, revision: number): Change | undefined {
    return this.#byKey.get(key)?.findLast((change) => change.revision === revision);
  }

  /** Number of changes so far: a position to iterate from. */
  get length(): number {
    return this.#changes.length;
  }

  /** The nth change. Changes are in order of revision and sub-revision. */
  change(n: number): Change | undefined {
    return this.#changes[n];
  }

  /** Position of the first change with at least this revision. */
  positionOf(revision: number): number {
    let low = 0;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#changes[middle] as Change).revision < revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
