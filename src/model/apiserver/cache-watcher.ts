import type { WatchEvent } from '../api/request.ts';
import type { Selection } from './selection.ts';

/** Who receives a watch. `closed` comes at most once and last. */
export interface WatchSink {
  readonly send: (event: WatchEvent) => void;
  readonly closed: () => void;
}

export interface CacheWatchOptions {
  /** The namespace, or undefined for all. */
  readonly namespace: string | undefined;
  readonly selection: Selection;
  readonly bookmarks: boolean;
  /** Versions up to this one are not sent. */
  readonly afterRevision: number;
  /** Turns objects into what the client asked for (another version, a table row, metadata only). */
  readonly convert: ((event: WatchEvent, isFirst: boolean) => WatchEvent) | undefined;
}

/** One watch that a cache serves. */
export class Watcher {
  readonly sink: WatchSink;
  readonly options: CacheWatchOptions;
  readonly buckets: Set<Watcher>[] = [];
  sentRevision: number;
  /** Version of the last bookmark. */
  bookmarkRevision = 0;
  isFirst = true;

  constructor(sink: WatchSink, options: CacheWatchOptions) {
    this.sink = sink;
    this.options = options;
    this.sentRevision = options.afterRevision;
  }

  send(event: WatchEvent): void {
    this.sink.send(this.options.convert === undefined ? event : this.options.convert(event, this.isFirst));
    this.isFirst = false;
  }
}
