import type { Facts } from '../model/facts.ts';
import type { Change } from './committed-history.ts';

/** What is known of one watch while it is open. */
export interface WatchState {
  readonly watch: number;
  readonly client: string;
  member: string;
  readonly key: string;
  readonly rangeEnd: string;
  /** Everything below this revision is not this watch's business. */
  readonly fromRevision: number;
  /** Kinds of changes that it does not want to hear of: NOPUT, NODELETE. */
  readonly filters: readonly string[];
  /** What the server was asked to begin at, when the watch was opened or last taken up again. */
  askedRevision: number;
  /** Highest revision of which an event came. */
  revision: number;
  /** Position in the committed history up to which all events of the range have come. */
  position: number;
  /** Position up to which notifications have been judged. */
  notified: number;
  resumes: number;
  events: number;
}

/** Keeps the state of every open watch. */
export class Watches {
  readonly open = new Map<number, WatchState>();

  constructor(facts: Facts) {
    facts.watchOpened.subscribe((watch, client, member, key, rangeEnd, fromRevision, filters) => {
      this.open.set(watch, {
        watch,
        client,
        member,
        key,
        rangeEnd,
        fromRevision,
        filters: filters === '' ? [] : filters.split(','),
        askedRevision: fromRevision,
        revision: 0,
        position: -1,
        notified: -1,
        resumes: 0,
        events: 0,
      });
    });
    facts.watchResumed.subscribe((watch, member, fromRevision) => {
      const state = this.open.get(watch);
      if (state === undefined) return;
      state.member = member;
      state.askedRevision = fromRevision;
      state.resumes++;
    });
    facts.watchClosed.subscribe((watch) => this.open.delete(watch));
  }
}

/** True when a key lies in the watched range ('' : the one key; '\0': everything from the key on). */
export function inRange(state: WatchState, key: string): boolean {
  if (state.rangeEnd === '') return key === state.key;
  return key >= state.key && (state.rangeEnd === '\0' || key < state.rangeEnd);
}

/** True when the watch wants to hear of this kind of change. */
export function wantsType(state: WatchState, deleted: boolean): boolean {
  return !state.filters.includes(deleted ? 'NODELETE' : 'NOPUT');
}

/** True when the watch has to tell of a change. */
export function concerns(state: WatchState, change: Change): boolean {
  return inRange(state, change.key) && wantsType(state, change.deleted);
}
