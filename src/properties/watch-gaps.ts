import type { Facts } from '../model/facts.ts';
import type { Micros } from '../sim/time.ts';
import type { Change, CommittedHistory } from './committed-history.ts';
import type { Witness } from './property.ts';
import { concerns, type Watches, type WatchState } from './watches.ts';

/** A change of the range that a watch passed over. */
export interface Gap {
  readonly state: WatchState;
  readonly missed: Change;
  readonly revision: number;
  readonly atUs: Micros;
}

/** What a watch tells by which a gap shows: a later event, or a notification that all up to a revision has been told. */
export type GapSign = 'event' | 'notification';

/** What a property makes of the comparison. */
export interface GapListener {
  readonly sign: GapSign;
  /** A change was passed over, as such a sign shows. */
  gap(gap: Gap): void;
  /** Such a sign came and was judged. */
  step(state: WatchState): void;
}

/**
 * Compares what each watch delivers with the committed history: when an event of revision r comes, every change below r that concerns the
 * watch must have come, and when a notification of r comes, also those of r.
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
      this.#step('event', state);
      this.#event(state, revision, key);
    });
    facts.watchProgress.subscribe((watch, revision) => {
      const state = watches.open.get(watch);
      if (state === undefined) return;
      this.#step('notification', state);
      this.#notification(state, revision);
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
      if (change.revision === revision && concerns(state, change)) {
        if (change.key === key) state.position++;
        return;
      }
      state.position++;
      if (concerns(state, change)) this.#missed('event', { state, missed: change, revision, atUs: this.#clock.now });
    }
  }

  /** Leaves the position to events, which show the same gap in their own way. */
  #notification(state: WatchState, revision: number): void {
    this.#find(state);
    let at = Math.max(state.position, state.notified);
    for (; ; at++) {
      const change = this.#history.change(at);
      if (change === undefined || change.revision > revision) break;
      if (concerns(state, change)) this.#missed('notification', { state, missed: change, revision, atUs: this.#clock.now });
    }
    state.notified = at;
  }

  #step(sign: GapSign, state: WatchState): void {
    for (const listener of this.#listeners) if (listener.sign === sign) listener.step(state);
  }

  #find(state: WatchState): void {
    if (state.position < 0) state.position = this.#history.positionOf(state.fromRevision);
    // What is forgotten cannot be judged: no watch lags behind by so much.
    if (state.position < this.#history.first) state.position = this.#history.first;
  }

  #missed(sign: GapSign, gap: Gap): void {
    for (const listener of this.#listeners) if (listener.sign === sign) listener.gap(gap);
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
