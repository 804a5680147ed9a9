import type { Facts } from '../model/facts.ts';
import type { Micros } from '../sim/time.ts';
import type { Change, CommittedHistory } from './committed-history.ts';
import type { Witness } from './property.ts';
import { inRange, type Watches, type WatchState } from './watches.ts';

/** A change of the range that a watch passed over. */
export interface Gap {
  readonly state: WatchState;
  readonly missed: Change;
  readonly revision: number;
  readonly atUs: Micros;
}

/** What a property makes of the comparison. */
export interface GapListener {
  /** A change was passed over. */
  gap(gap: Gap): void;
  /** Something came that was judged. */
  step(state: WatchState): void;
}

/**
 * Compares what each watch delivers with the committed history: when an event (or a progress notice) of revision r comes, every change of
 * the range below r must have come.
 */
export class WatchGaps {
  readonly #clock: { readonly now: Micros };
  readonly #history: CommittedHistory;
  readonly #listeners: GapListener[] = [];

  constructor(facts: Facts, clock: { readonly now: Micros }, history: CommittedHistory, watches: Watches) {
    this.#clock = clock;
    this.#history = history;
    facts.watchEvent.subscribe((watch, revision, _sub, key) => {
      const state = watches.open.get(watch);
      if (state === undefined) return;
      state.events++;
      for (const listener of this.#listeners) listener.step(state);
      this.#event(state, revision, key);
    });
    facts.watchProgress.subscribe((watch, revision) => {
      const state = watches.open.get(watch);
      if (state === undefined) return;
      for (const listener of this.#listeners) listener.step(state);
      this.#progress(state, revision);
    });
  }

  listen(listener: GapListener): void {
    this.#listeners.push(listener);
  }

  /** Passes over changes outside the range, and over this one once it is reached; anything else in the range was missed. */
  #event(state: WatchState, revision: number, key: string): void {
    this.#find(state);
    for (;;) {
      const change = this.#history.change(state.position);
      if (change === undefined || change.revision > revision) return;
      if (change.revision === revision && inRange(state, change.key)) {
        if (change.key === key) state.position++;
        return;
      }
      state.position++;
      if (inRange(state, change.key)) this.#missed(state, change, revision);
    }
  }

  #progress(state: WatchState, revision: number): void {
    this.#find(state);
    for (;;) {
      const change = this.#history.change(state.position);
      if (change === undefined || change.revision > revision) return;
      state.position++;
      if (inRange(state, change.key)) this.#missed(state, change, revision + 1);
    }
  }

  #find(state: WatchState): void {
    if (state.position < 0) state.position = this.#history.positionOf(state.fromRevision);
    // What is forgotten cannot be judged: no watch lags behind by so much.
    if (state.position < this.#history.first) state.position = this.#history.first;
  }

  #missed(state: WatchState, missed: Change, revision: number): void {
    const gap = { state, missed, revision, atUs: this.#clock.now };
    for (const listener of this.#listeners) listener.gap(gap);
  }
}

/** What a gap shows, whichever clause it breaks. */
export function gapEvidence({ state, missed, revision, atUs }: Gap): Omit<Witness, 'clause' | 'sentence'> {
  return {
    atUs,
    expected: `${missed.key} at revision ${missed.revision} before revision ${revision}`,
    actual: `revision ${revision} without it`,
    subjects: [state.client, state.member],
    facts: [
      {
        atUs,
        subject: state.member,
        text: `delivers revision ${revision} but never delivered ${missed.key} at revision ${missed.revision}`,
      },
    ],
  };
}
