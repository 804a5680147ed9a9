import type { Property } from './property.ts';

/** etcd API guarantees: events are ordered by revision; an event never appears after a later one. */
export const watchOrdered: Property = {
  id: 'watch-ordered',
  about: 'A watch delivers events in the order of their revisions.',
  clauses: [{ id: 'revisions-do-not-go-back', must: 'The revision of an event is never below that of an earlier event of the watch.' }],
  needsKubernetes: false,
  start({ facts, clock, views, violate }) {
    const { watches } = views;
    let judged = 0;
    facts.watchEvent.subscribe((watch, revision, _sub, key) => {
      const state = watches.open.get(watch);
      if (state === undefined) return;
      judged++;
      if (revision < state.revision) {
        violate({
          clause: 'revisions-do-not-go-back',
          atUs: clock.now,
          sentence: `The watch of ${state.client} on ${state.member} got ${key} at revision ${revision} after revision ${state.revision}.`,
          expected: `an event at revision ${state.revision} or later`,
          actual: `revision ${revision}`,
          subjects: [state.client, state.member],
          facts: [{ atUs: clock.now, subject: state.member, text: `delivers ${key} at revision ${revision} after ${state.revision}` }],
        });
      } else state.revision = revision;
    });
    return { exercised: () => judged };
  },
};
