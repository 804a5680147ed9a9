import type { Property } from './property.ts';

/** etcd API guarantees: an event never appears on a watch twice. */
export const watchUnique: Property = {
  id: 'watch-unique',
  about: 'A watch never delivers the same change twice.',
  clauses: [{ id: 'no-event-twice', must: 'No key is delivered twice for one revision on one watch.' }],
  needsKubernetes: false,
  start({ facts, clock, views, violate }) {
    const { watches } = views;
    /** The newest revision of each watch and the keys delivered at it: older ones are ordered's business. */
    const newest = new Map<number, { revision: number; keys: string[] }>();
    let judged = 0;
    facts.watchEvent.subscribe((watch, revision, _sub, key) => {
      const state = watches.open.get(watch);
      if (state === undefined) return;
      judged++;
      const last = newest.get(watch);
      if (last === undefined) {
        newest.set(watch, { revision, keys: [key] });
        return;
      }
      if (revision > last.revision) {
        last.revision = revision;
        last.keys = [];
      }
      if (revision < last.revision || !last.keys.includes(key)) {
        if (revision === last.revision) last.keys.push(key);
        return;
      }
      violate({
        clause: 'no-event-twice',
        atUs: clock.now,
        sentence: `The watch of ${state.client} on ${state.member} got ${key} at revision ${revision} twice.`,
        expected: 'each change once',
        actual: `${key} at revision ${revision} twice`,
        subjects: [state.client, state.member],
        facts: [{ atUs: clock.now, subject: state.member, text: `delivers ${key} at revision ${revision} again` }],
      });
    });
    facts.watchClosed.subscribe((watch) => newest.delete(watch));
    return { exercised: () => judged };
  },
};
