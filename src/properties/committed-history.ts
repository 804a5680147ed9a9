import type { Facts } from '../model/facts.ts';

/** One committed change of one key. */
export interface Change {
  readonly revision: number;
  readonly sub: number;
  readonly key: string;
  readonly deleted: boolean;
  readonly value: number;
}

/** At least so many of the newest changes are kept: nothing that is asked or watched lags behind by more. */
const KEPT = 20_000;

/**
 * The true history of the store, rebuilt from the facts: what every read and watch is held against. Changes have positions, in order of
 * revision and sub-revision. Memory stays flat: of changes that are far behind only each key's last is kept.
 */
export class CommittedHistory {
  /** The changes of each key that are still known, oldest first. */
  readonly #byKey = new Map<string, Change[]>();
  #changes: Change[] = [];
  /** Position of the first change that is still known. */
  #first = 0;
  #revision = 1;
  #oldest = 1;

  constructor(facts: Facts) {
    facts.keyChanged.subscribe((revision, sub, key, type, value) => {
      const change: Change = { revision, sub, key, deleted: type === 'DELETE', value };
      if (revision > this.#revision) this.#revision = revision;
      this.#changes.push(change);
      const ofKey = this.#byKey.get(key);
      if (ofKey === undefined) this.#byKey.set(key, [change]);
      else ofKey.push(change);
      if (this.#changes.length >= 2 * KEPT) this.#forget();
    });
  }

  /** Highest committed revision. */
  get revision(): number {
    return this.#revision;
  }

  /** Lowest revision of which the state of every key is known. */
  get oldest(): number {
    return this.#oldest;
  }

  /** The key's state at a revision: its last change at or before it, or undefined where it did not exist. */
  at(key: string, revision: number): Change | undefined {
    const changes = this.#byKey.get(key);
    if (changes === undefined) return undefined;
    const change = changes[firstAfter(changes, revision) - 1];
    return change === undefined || change.deleted ? undefined : change;
  }

  /** The change that a revision made to a key. */
  changeAt(key: string, revision: number): Change | undefined {
    const changes = this.#byKey.get(key);
    if (changes === undefined) return undefined;
    const change = changes[firstAfter(changes, revision) - 1];
    return change?.revision === revision ? change : undefined;
  }

  /** Position of the first change that is still known. */
  get first(): number {
    return this.#first;
  }

  /** The change at a position. */
  change(position: number): Change | undefined {
    return this.#changes[position - this.#first];
  }

  /** Position of the first change with at least this revision. */
  positionOf(revision: number): number {
    return this.#first + firstAfter(this.#changes, revision - 1);
  }

  /** Drops the older half of the changes, but for what shows a key's state at the oldest revision that stays. */
  #forget(): void {
    const gone = this.#changes.slice(0, KEPT);
    this.#changes = this.#changes.slice(KEPT);
    this.#first += KEPT;
    const oldest = (this.#changes[0] as Change).revision;
    this.#oldest = oldest;
    for (const { key } of gone) {
      const changes = this.#byKey.get(key);
      if (changes === undefined) continue;
      const last = firstAfter(changes, oldest - 1) - 1;
      if (last > 0) changes.splice(0, last);
      const only = changes.length === 1 ? changes[0] : undefined;
      if (only?.deleted === true && only.revision < oldest) this.#byKey.delete(key);
    }
  }
}

/** Where in a list in order of revision the first change after a revision lies. */
function firstAfter(changes: readonly Change[], revision: number): number {
  let low = 0;
  let high = changes.length;
  // Most questions are about the newest change.
  if (high > 0 && (changes[high - 1] as Change).revision <= revision) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((changes[middle] as Change).revision <= revision) low = middle + 1;
    else high = middle;
  }
  return low;
}
