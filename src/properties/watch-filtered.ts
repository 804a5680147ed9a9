import type { Property } from './property.ts';
import { inRange, type WatchState, wantsType } from './watches.ts';

/** etcd's watch request: a key or range, a start revision, and filters; nothing else is to come. */
export const watchFiltered: Property = {
  id: 'watch-filtered',
  about: 'A watch delivers only what it asked for.',
  clauses: [
    { id: 'in-range', must: 'Every event is of a key in the range of the watch.' },
    { id: 'wanted-kind', must: 'No event is of a kind that the watch filters out.' },
    { id: 'from-start', must: 'No event is of a revision before the one that the watch asked to begin at.' },
  ],
  needsKubernetes: false,
  start({ facts, clock, views, violate }) {
    const { watches } = views;
    let judged = 0;
    const tell = (state: WatchState, clause: string, what: string, expected: string): void =>
      violate({
        clause,
        atUs: clock.now,
        sentence: `The watch of ${state.client} on ${state.member} got ${what}, although it asked for ${expected} only.`,
        expected,
        actual: what,
        subjects: [state.client, state.member],
        facts: [{ atUs: clock.now, subject: state.member, text: `delivers ${what}` }],
      });
    facts.watchEvent.subscribe((watch, revision, _sub, key, type) => {
      const state = watches.open.get(watch);
      if (state === undefined) return;
      judged++;
      if (!inRange(state, key)) tell(state, 'in-range', key, rangeOf(state));
      if (!wantsType(state, type === 'DELETE')) tell(state, 'wanted-kind', `the ${type} of ${key}`, `changes without ${type}`);
      if (revision < state.askedRevision)
        tell(state, 'from-start', `${key} at revision ${revision}`, `what comes from revision ${state.askedRevision} on`);
    });
    return { exercised: () => judged };
  },
};

function rangeOf({ key, rangeEnd }: WatchState): string {
  if (rangeEnd === '') return key;
  return rangeEnd === '\0' ? `keys from ${key} on` : `keys from ${key} to ${rangeEnd}`;
}
