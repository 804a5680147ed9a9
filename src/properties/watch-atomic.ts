import type { CommittedHistory } from './committed-history.ts';
import type { Property } from './property.ts';
import { concerns, type WatchState } from './watches.ts';

/** What came of the newest revision of a watch. */
interface Newest {
  revision: number;
  atUs: number;
  keys: Set<string>;
  /** Its response is complete. */
  over: boolean;
}

/** etcd API guarantees: a list of events is guaranteed to encompass complete revisions. Fragments of a response are parts of it. */
export const watchAtomic: Property = {
  id: 'watch-atomic',
  about: 'A watch delivers all changes of one revision in one response.',
  clauses: [
    { id: 'one-response', must: 'The events of one revision never come in two responses.' },
    { id: 'whole-revision', must: 'A response that holds an event of a revision holds all of its changes that concern the watch.' },
  ],
  needsKubernetes: false,
  start({ facts, clock, views, violate }) {
    const { history, watches } = views;
    const newest = new Map<number, Newest>();
    /** Revisions of the response that is being told, with their keys. */
    let open: Newest[] = [];
    let judged = 0;

    facts.watchEvent.subscribe((watch, revision, _sub, key) => {
      const state = watches.open.get(watch);
      if (state === undefined) return;
      const last = newest.get(watch);
      if (last !== undefined && last.revision === revision) {
        if (last.over) split(state, last, key);
        last.keys.add(key);
        return;
      }
      const next: Newest = { revision, atUs: clock.now, keys: new Set([key]), over: false };
      newest.set(watch, next);
      open.push(next);
    });
    facts.watchResponse.subscribe((watch) => {
      const state = watches.open.get(watch);
      const told = open;
      open = [];
      for (const one of told) {
        one.over = true;
        if (state !== undefined) judge(state, one);
      }
    });
    facts.watchClosed.subscribe((watch) => newest.delete(watch));

    const split = (state: WatchState, last: Newest, key: string): void =>
      violate({
        clause: 'one-response',
        atUs: clock.now,
        sentence: `The watch of ${state.client} on ${state.member} got ${key} at revision ${last.revision} apart from the other changes of that revision.`,
        expected: `all of revision ${last.revision} in one response`,
        actual: `${key} in a response of its own`,
        subjects: [state.client, state.member],
        facts: [
          { atUs: last.atUs, subject: state.member, text: `delivers ${[...last.keys].sort().join(', ')} at revision ${last.revision}` },
          { atUs: clock.now, subject: state.member, text: `delivers ${key} at revision ${last.revision}` },
        ],
      });

    const judge = (state: WatchState, { revision, keys }: Newest): void => {
      const due = changesOf(history, revision).filter((change) => concerns(state, change));
      if (due.length > 1) judged++;
      const missed = due.find((change) => !keys.has(change.key));
      if (missed === undefined) return;
      violate({
        clause: 'whole-revision',
        atUs: clock.now,
        sentence: `The watch of ${state.client} on ${state.member} got ${keys.size} of ${due.length} changes of revision ${revision}: ${missed.key} was not among them.`,
        expected: due.map((change) => change.key).join(', '),
        actual: [...keys].sort().join(', '),
        subjects: [state.client, state.member],
        facts: [{ atUs: clock.now, subject: state.member, text: `delivers revision ${revision} without ${missed.key}` }],
      });
    };
    return { exercised: () => judged };
  },
};

function changesOf(history: CommittedHistory, revision: number) {
  const changes = [];
  for (let at = history.positionOf(revision); ; at++) {
    const change = history.change(at);
    if (change === undefined || change.revision !== revision) return changes;
    changes.push(change);
  }
}
