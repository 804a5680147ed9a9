import type { Facts } from '../model/facts.ts';

/** What is known of one watch while it is open. */
export interface WatchState {
  readonly watch: number;
  readonly client: string;
  member: string;
  readonly key: string;
  readonly rangeEnd: string;
  /** Everything below this revision is not this watch's business. */
  readonly fromRevision: number;
  /** Highest revision of which an event came. */
  revision: number;
  /** Position in the committed history up to which all events of the range have come. */
  position: number;
  resumes: number;
  events: number;
}

/** Keeps the state of every open watch. */
export class Watches {
  readonly open = new Map<number, WatchState>();

  constructor(facts: Facts) {
    facts.watchOpened.subscribe((watch, client, member, key, rangeEnd, fromRevision) => {
      this.open.set(watch, { watch, client, member, key, rangeEnd, fromRevision, revision: 0, position: -1, resumes: 0, events: 0 });
    });
    facts.watchResumed.subscribe((watch, member) => {
      const state = this.open.get(watch);
      if (state === undefined) return;
      state.member = member;
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
