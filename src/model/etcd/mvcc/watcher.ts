import type { WatchEvent, WatchFilter } from '../api.ts';
import type { KeyRecord } from './record.ts';
import { isTombstone } from './record.ts';
import type { WatchStream } from './watch-stream.ts';

/** Where a watcher stands: served live, catching up from history, or with a message that its stream had no room for. */
export type WatcherState = 'synced' | 'unsynced' | 'victim' | 'gone';

/** One watch: a key or range on a stream, from a revision on. */
export interface Watcher {
  /** Order of creation in the member; messages of one revision go out in this order. */
  readonly seq: number;
  readonly id: number;
  readonly stream: WatchStream;
  readonly key: string;
  readonly rangeEnd: string;
  readonly filters: readonly WatchFilter[];
  readonly prevKv: boolean;
  readonly fragment: boolean;
  /** The revision that the watch asked for; 0 for "from now on". */
  readonly startRevision: number;
  /** The first revision not yet delivered. */
  minRevision: number;
  state: WatcherState;
}

/** The events of one watcher that wait for room in its stream. */
export interface VictimBatch {
  readonly watcher: Watcher;
  readonly events: readonly WatchEvent[];
  readonly revision: number;
  /** Where the watcher goes on after this batch. */
  readonly nextRevision: number;
}

/** Whether a watcher wants to hear of a change of a key in its range. */
export function wantsEvent(watcher: Watcher, record: KeyRecord): boolean {
  for (const filter of watcher.filters) {
    if (filter === (isTombstone(record) ? 'NODELETE' : 'NOPUT')) return false;
  }
  return true;
}
