import type { ResponseHeader, WatchCreate, WatchEvent, WatchResponse } from '../api.ts';
import { type EtcdError, etcdError, isError, type Result } from '../errors.ts';
import { compareKeys, FROM_KEY } from '../keys.ts';
import type { WatchableStore } from './watchable-store.ts';
import type { Watcher } from './watcher.ts';

/** chanBufLen: messages with events that wait in one stream before its watchers become victims. */
export const STREAM_BUFFER = 128;
/** Watch id of an answer that belongs to no watch (clientv3.InvalidWatchID). */
export const INVALID_WATCH_ID = -1;

/** What a stream needs from its server. */
export interface StreamHost {
  /** The header of a message that states this revision. */
  header(revision: number): ResponseHeader;
  /** The stream has messages to take. Called when it had none before. */
  ready(): void;
  /** Messages with fragments are cut at this size; Infinity for never. */
  readonly fragmentBytes: number;
}

const noEvents: readonly WatchEvent[] = [];

/**
 * The watches of one client stream, with the messages that wait to be sent. Ids count from 0 per stream. The owner takes messages as
 * fast as its connection allows; what it leaves fills the buffer, and then the stream's watchers fall back to catching up.
 */
export class WatchStream {
  readonly #store: WatchableStore;
  readonly #host: StreamHost;
  readonly #watchers = new Map<number, Watcher>();
  /** Whether a watch has been quiet since the last progress tick (serverWatchStream.progress). */
  readonly #quiet = new Map<number, boolean>();
  #nextId = 0;
  #queue: WatchResponse[] = [];
  #taken = 0;
  #waitingWithEvents = 0;
  #closed = false;

  constructor(store: WatchableStore, host: StreamHost) {
    this.#store = store;
    this.#host = host;
  }

  /** Creates a watch and queues the answer to it; `refusal` is what the permission check said. */
  create(request: WatchCreate, refusal?: { readonly error: EtcdError; readonly text: string }): void {
    const result = refusal === undefined ? this.#watch(request) : refusal.error;
    const refused = isError(result);
    const watchId = refused ? INVALID_WATCH_ID : result.id;
    const cancelReason = refused ? (refusal?.text ?? result.message) : '';
    this.#control({ watchId, created: true, canceled: refused, cancelReason }, this.#store.revision);
  }

  #watch(request: WatchCreate): Result<Watcher> {
    // A refused start revision still makes a "created" answer (watch.go: force creating the watcher in the same stream).
    if ((request.startRevision ?? 0) < 0) return etcdError('compacted');
    const key = request.key === '' ? '\0' : request.key;
    const rangeEnd = request.rangeEnd ?? '';
    if (rangeEnd !== '' && rangeEnd !== FROM_KEY && compareKeys(key, rangeEnd) >= 0) return etcdError('emptyWatcherRange');
    let id = request.watchId ?? 0;
    if (id === 0) {
      while (this.#watchers.has(this.#nextId)) this.#nextId++;
      id = this.#nextId++;
    } else if (this.#watchers.has(id)) {
      return etcdError('duplicateWatchId');
    }
    const watcher = this.#store.addWatcher(this, id, key, rangeEnd, request);
    this.#watchers.set(id, watcher);
    if (request.progressNotify === true) this.#quiet.set(id, true);
    return watcher;
  }

  /** Cancels a watch of this stream; an unknown id is ignored. */
  cancel(watchId: number): void {
    const watcher = this.#watchers.get(watchId);
    if (watcher === undefined) return;
    this.#drop(watcher);
    this.#control({ watchId, created: false, canceled: true, cancelReason: '' }, this.#store.revision);
  }

  /** A manual progress request: answered only while every watch of the stream is up to date. */
  requestProgress(): void {
    const watchers = [...this.#watchers.values()];
    if (watchers.length > 0 && watchers.every((watcher) => this.#store.isUpToDate(watcher))) {
      this.#control({ watchId: INVALID_WATCH_ID, created: false, canceled: false, cancelReason: '' }, this.#store.revision);
    }
  }

  /** The periodic progress notification: watches that asked for it and had no event since the last tick. */
  progressTick(): void {
    for (const [id, quiet] of [...this.#quiet].sort((a, b) => a[0] - b[0])) {
      const watcher = this.#watchers.get(id);
      if (quiet && watcher !== undefined && this.#store.isUpToDate(watcher)) {
        this.#control({ watchId: id, created: false, canceled: false, cancelReason: '' }, this.#store.revision);
      }
      this.#quiet.set(id, true);
    }
  }

  /** Whether any watch asked for periodic progress. */
  get wantsProgress(): boolean {
    return this.#quiet.size > 0;
  }

  get watchCount(): number {
    return this.#watchers.size;
  }

  /** Queues events; false if the buffer is full. */
  sendEvents(watcher: Watcher, events: readonly WatchEvent[], revision: number): boolean {
    if (this.#waitingWithEvents >= STREAM_BUFFER) return false;
    if (this.#quiet.has(watcher.id)) this.#quiet.set(watcher.id, false);
    const pieces = watcher.fragment ? fragments(events, this.#host.fragmentBytes) : [events];
    const header = this.#host.header(revision);
    for (let i = 0; i < pieces.length; i++) {
      this.#waitingWithEvents++;
      this.#push({
        header,
        watchId: watcher.id,
        created: false,
        canceled: false,
        compactRevision: 0,
        cancelReason: '',
        fragment: i < pieces.length - 1,
        events: pieces[i] ?? noEvents,
      });
    }
    return true;
  }

  /** Ends a watch whose start revision has been compacted; the message carries no revision. */
  sendCompacted(watcher: Watcher, compactRevision: number): void {
    this.#watchers.delete(watcher.id);
    this.#quiet.delete(watcher.id);
    this.#push({
      header: this.#host.header(0),
      watchId: watcher.id,
      created: false,
      canceled: true,
      compactRevision,
      cancelReason: '',
      fragment: false,
      events: noEvents,
    });
  }

  /** The next message to send, left in the queue. */
  peek(): WatchResponse | undefined {
    return this.#queue[this.#taken];
  }

  /** The next message to send, if any. */
  take(): WatchResponse | undefined {
    const message = this.#queue[this.#taken];
    if (message === undefined) return undefined;
    this.#taken++;
    if (message.events.length > 0) this.#waitingWithEvents--;
    if (this.#taken === this.#queue.length) {
      this.#queue = [];
      this.#taken = 0;
    }
    return message;
  }

  /** Drops all watches; nothing is queued any more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const watcher of this.#watchers.values()) this.#store.removeWatcher(watcher);
    this.#watchers.clear();
    this.#quiet.clear();
    this.#queue = [];
    this.#taken = 0;
  }

  #drop(watcher: Watcher): void {
    this.#watchers.delete(watcher.id);
    this.#quiet.delete(watcher.id);
    this.#store.removeWatcher(watcher);
  }

  #control(fields: Pick<WatchResponse, 'watchId' | 'created' | 'canceled' | 'cancelReason'>, revision: number): void {
    this.#push({ header: this.#host.header(revision), ...fields, compactRevision: 0, fragment: false, events: noEvents });
  }

  #push(message: WatchResponse): void {
    if (this.#closed) return;
    const idle = this.#queue.length === 0;
    this.#queue.push(message);
    if (idle) this.#host.ready();
  }
}

/** sendFragments: as many events as fit a message; a single event is never cut. */
function fragments(events: readonly WatchEvent[], bytesMax: number): (readonly WatchEvent[])[] {
  const pieces: WatchEvent[][] = [];
  let bytes = 0;
  for (const event of events) {
    const size = eventBytes(event);
    const piece = pieces.length === 0 ? undefined : pieces[pieces.length - 1];
    if (piece === undefined || bytes + size >= bytesMax) {
      pieces.push([event]);
      bytes = size;
    } else {
      piece.push(event);
      bytes += size;
    }
  }
  return pieces;
}

/** Size of an event as protobuf would write it, closely enough for limits. */
export function eventBytes(event: WatchEvent): number {
  const previous = event.prevKv === undefined ? 0 : event.prevKv.key.length + event.prevKv.sizeBytes + 24;
  return event.kv.key.length + event.kv.sizeBytes + 24 + previous;
}
