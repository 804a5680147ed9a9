import type { Property } from './property.ts';
import { gapEvidence } from './watch-gaps.ts';

/** etcd API guarantees: a progress notification guarantees that all events up to its revision have been delivered. */
export const watchBookmarkable: Property = {
  id: 'watch-bookmarkable',
  about: 'A progress notification of a watch says truly how far the watch is.',
  clauses: [
    { id: 'nothing-owed', must: 'When a notification of a revision comes, every change of the range up to it has come.' },
    { id: 'nothing-after', must: 'After a notification of a revision no event of it or of an earlier one comes.' },
    { id: 'not-before-start', must: 'No notification is of a revision before the one that the watch asked to begin at.' },
  ],
  needsKubernetes: false,
  start(context) {
    const { facts, clock, views, violate } = context;
    const { watches } = views;
    let judged = 0;
    views.watchGaps.listen({
      sign: 'notification',
      gap: (gap) => {
        const { state, missed, revision } = gap;
        violate({
          ...gapEvidence(gap),
          clause: 'nothing-owed',
          sentence: `The watch of ${state.client} on ${state.member} was told that it is at revision ${revision}, but never got ${missed.key} at revision ${missed.revision}.`,
          expected: `${missed.key} at revision ${missed.revision} before the notification of revision ${revision}`,
          actual: `the notification of revision ${revision} without it`,
        });
      },
      step: () => judged++,
    });
    /** The newest notification of each watch. */
    const notified = new Map<number, { readonly revision: number; readonly atUs: number }>();
    facts.watchProgress.subscribe((watch, revision) => {
      const state = watches.open.get(watch);
      if (state === undefined) return;
      if (revision > (notified.get(watch)?.revision ?? 0)) notified.set(watch, { revision, atUs: clock.now });
      // A watch from now on begins behind the revision at which the server took it: that one may be told.
      if (revision >= state.askedRevision - 1) return;
      violate({
        clause: 'not-before-start',
        atUs: clock.now,
        sentence: `The watch of ${state.client} on ${state.member} asked for what comes from revision ${state.askedRevision} on and was told that it is at revision ${revision}.`,
        expected: `silence until revision ${state.askedRevision - 1} is reached`,
        actual: `a notification of revision ${revision}`,
        subjects: [state.client, state.member],
        facts: [{ atUs: clock.now, subject: state.member, text: `notifies of revision ${revision}` }],
      });
    });
    facts.watchEvent.subscribe((watch, revision, _sub, key) => {
      const state = watches.open.get(watch);
      const last = notified.get(watch);
      if (state === undefined || last === undefined || revision > last.revision) return;
      violate({
        clause: 'nothing-after',
        atUs: clock.now,
        sentence: `The watch of ${state.client} on ${state.member} got ${key} at revision ${revision} after it had been told that it is at revision ${last.revision}.`,
        expected: `events after revision ${last.revision} only`,
        actual: `${key} at revision ${revision}`,
        subjects: [state.client, state.member],
        facts: [
          { atUs: last.atUs, subject: state.member, text: `notifies of revision ${last.revision}` },
          { atUs: clock.now, subject: state.member, text: `delivers ${key} at revision ${revision}` },
        ],
      });
    });
    facts.watchClosed.subscribe((watch) => notified.delete(watch));
    return { exercised: () => judged };
  },
};
