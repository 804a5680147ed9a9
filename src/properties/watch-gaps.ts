import type { Micros } from '../sim/time.ts';
import type { Change } from './committed-history.ts';
import type { PropertyContext, Witness } from './property.ts';
import { inRange, Watches, type WatchState } from './watches.ts';

/** A change of the range that a watch passed over. */
export interface Gap {
  readonly state: WatchState;
  readonly missed: Change;
  readonly revision: number;
  readonly atUs: Micros;
}

/**
 * Compares what each watch delivers with the committed history: when an event (or a progress notice) of revision r comes, every change of
 * the range below r must have come. Calls back for each gap; answers how many steps were judged.
 */
export function watchGaps(
  context: Pick<PropertyContext, 'facts' | 'clock' | 'views'>,
  onGap: (gap: Gap) => void,
  onStep: (state: WatchState) => void,
): void {
  const { facts, clock } = context;
  const { history } = context.views;
  const watches = new Watches(facts);

  const advance = (state: WatchState, upTo: number): void => {
    if (state.position < 0) state.position = history.positionOf(state.fromRevision);
    for (;;) {
      const change = history.change(state.position);
      if (change === undefined || change.revision >= upTo) return;
      state.position++;
      if (!inRange(state, change.key)) continue;
      onGap({ state, missed: change, revision: upTo, atUs: clock.now });
    }
  };

  facts.watchEvent.subscribe((watch, revision, _sub, key) => {
    const state = watches.open.get(watch);
    if (state === undefined) return;
    state.events++;
    onStep(state);
    if (state.position < 0) state.position = history.positionOf(state.fromRevision);
    // Passes over changes outside the range, and over this one once it is reached; anything else in the range was missed.
    for (;;) {
      const change = history.change(state.position);
      if (change === undefined || change.revision > revision) return;
      if (change.revision === revision && inRange(state, change.key)) {
        if (change.key === key) state.position++;
        return;
      }
      state.position++;
      if (inRange(state, change.key)) onGap({ state, missed: change, revision, atUs: clock.now });
    }
  });
  facts.watchProgress.subscribe((watch, revision) => {
    const state = watches.open.get(watch);
    if (state === undefined) return;
    onStep(state);
    advance(state, revision + 1);
  });
  facts.watchClosed.subscribe((watch) => watches.open.delete(watch));
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
