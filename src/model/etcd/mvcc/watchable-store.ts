import type { KeyValue, WatchCreate, WatchEvent } from '../api.ts';
import { inRange } from '../keys.ts';
import { isTombstone, type KeyRecord } from './record.ts';
import type { MvccStore } from './store.ts';
import { type StreamHost, WatchStream } from './watch-stream.ts';
import { type VictimBatch, type Watcher, wantsEvent } from './watcher.ts';
import { WatcherGroup } from './watcher-group.ts';

/** maxWatchersPerSync: so many watchers catch up at once. */
const WATCHERS_PER_SYNC = 512;
/** watchBatchMaxRevs: so many revisions of history go into one message. */
const REVISIONS_PER_BATCH = 1000;

/**
 * The watch side of the store (mvcc.watchableStore). Watchers are synced (hear of every change at once), unsynced (get history in
 * `syncWatchers`) or victims (their stream was full; `retryVictims`). The owner calls these two periodically while there is need.
 */
export class WatchableStore {
  #store: MvccStore;
  readonly #synced = new WatcherGroup();
  readonly #unsynced = new Set<Watcher>();
  #victims: VictimBatch[] = [];
  #nextSeq = 0;
  /** The defect E12: a watch from the future is treated as one that is up to date. */
  readonly #forgetsStart: boolean;

  constructor(store: MvccStore, forgetsStart = false) {
    this.#store = store;
    this.#forgetsStart = forgetsStart;
    store.onChanges = this.#notify;
  }

  get store(): MvccStore {
    return this.#store;
  }

  get revision(): number {
    return this.#store.revision;
  }

  /** Whether `syncWatchers` has something to do. */
  get hasUnsynced(): boolean {
    return this.#unsynced.size > 0;
  }

  /** Whether `retryVictims` has something to do. */
  get hasVictims(): boolean {
    return this.#victims.length > 0;
  }

  /** How many watchers are in each state. */
  counts(): { readonly synced: number; readonly unsynced: number; readonly victims: number } {
    return { synced: this.#synced.size, unsynced: this.#unsynced.size, victims: this.#victims.length };
  }

  openStream(host: StreamHost): WatchStream {
    return new WatchStream(this, host);
  }

  /**
   * Puts another store in the place of this one (a snapshot came). Whoever was up to date must look at the history again: it may hold
   * changes that were never announced here (etcd#8411).
   */
  restore(store: MvccStore, skipsWatchers = false): void {
    this.#store.onChanges = () => {};
    this.#store = store;
    store.onChanges = this.#notify;
    if (skipsWatchers) return;
    for (const watcher of this.#synced.all()) {
      this.#synced.delete(watcher);
      watcher.state = 'unsynced';
      this.#unsynced.add(watcher);
    }
  }

  addWatcher(stream: WatchStream, id: number, key: string, rangeEnd: string, request: WatchCreate): Watcher {
    const start = request.startRevision ?? 0;
    const current = this.#store.revision;
    const synced = start === 0 || start > current;
    const watcher: Watcher = {
      seq: this.#nextSeq++,
      id,
      stream,
      key,
      rangeEnd,
      filters: request.filters ?? [],
      prevKv: request.prevKv === true,
      fragment: request.fragment === true,
      startRevision: start,
      minRevision: synced ? Math.max(start, current + 1) : start,
      state: synced ? 'synced' : 'unsynced',
    };
    if (synced) this.#synced.add(watcher);
    else this.#unsynced.add(watcher);
    return watcher;
  }

  removeWatcher(watcher: Watcher): void {
    switch (watcher.state) {
      case 'synced':
        this.#synced.delete(watcher);
        break;
      case 'unsynced':
        this.#unsynced.delete(watcher);
        break;
      case 'victim':
        this.#victims = this.#victims.filter((victim) => victim.watcher !== watcher);
        break;
      case 'gone':
        return;
    }
    watcher.state = 'gone';
  }

  /** Whether a watcher has heard of everything that it asked for, so that its progress may be reported. */
  isUpToDate(watcher: Watcher): boolean {
    // etcd#20221: a watch from the future must not be told of progress before its start.
    return watcher.state === 'synced' && (this.#forgetsStart || this.#store.revision >= watcher.startRevision);
  }

  readonly #notify = (revision: number, changes: readonly KeyRecord[], previous: readonly (KeyRecord | undefined)[]): void => {
    if (this.#synced.size === 0 || changes.length === 0) return;
    const only = changes[0];
    if (changes.length === 1 && only !== undefined) {
      this.#notifyOne(revision, only, previous[0]);
      return;
    }
    const batches = new Map<Watcher, WatchEvent[]>();
    for (let i = 0; i < changes.length; i++) {
      const record = changes[i];
      if (record === undefined) continue;
      const events = new EventPair(record, previous[i]);
      for (const watcher of this.#synced.watchersOf(record.key)) {
        if (revision < watcher.minRevision || !wantsEvent(watcher, record)) continue;
        const batch = batches.get(watcher);
        if (batch === undefined) batches.set(watcher, [events.forWatcher(watcher)]);
        else batch.push(events.forWatcher(watcher));
      }
    }
    const inOrder = [...batches].sort((a, b) => a[0].seq - b[0].seq);
    for (const [watcher, events] of inOrder) this.#deliverLive(watcher, events, revision);
  };

  /** The common case, without building batches. */
  #notifyOne(revision: number, record: KeyRecord, previous: KeyRecord | undefined): void {
    const watchers = this.#synced.watchersOf(record.key);
    if (watchers.length === 0) return;
    const events = new EventPair(record, previous);
    let blocked: Watcher[] | undefined;
    for (const watcher of watchers) {
      if (revision < watcher.minRevision || !wantsEvent(watcher, record)) continue;
      if (watcher.stream.sendEvents(watcher, events.listFor(watcher), revision)) {
        watcher.minRevision = revision + 1;
      } else {
        blocked ??= [];
        blocked.push(watcher);
      }
    }
    if (blocked === undefined) return;
    for (const watcher of blocked) this.#makeVictim(watcher, events.listFor(watcher), revision, revision + 1);
  }

  #deliverLive(watcher: Watcher, events: readonly WatchEvent[], revision: number): void {
    if (watcher.stream.sendEvents(watcher, events, revision)) watcher.minRevision = revision + 1;
    else this.#makeVictim(watcher, events, revision, revision + 1);
  }

  #makeVictim(watcher: Watcher, events: readonly WatchEvent[], revision: number, nextRevision: number): void {
    this.#synced.delete(watcher);
    this.#unsynced.delete(watcher);
    watcher.state = 'victim';
    watcher.minRevision = nextRevision;
    this.#victims.push({ watcher, events, revision, nextRevision });
  }

  /** Tries to hand victims their batch; those that got it catch up (syncVictimsLoop). */
  retryVictims(): void {
    const victims = this.#victims;
    this.#victims = [];
    for (const victim of victims) {
      const { watcher } = victim;
      if (!watcher.stream.sendEvents(watcher, victim.events, victim.revision)) {
        this.#victims.push(victim);
        continue;
      }
      this.#settle(watcher, victim.nextRevision);
    }
  }

  #settle(watcher: Watcher, nextRevision: number): void {
    watcher.minRevision = nextRevision;
    this.#unsynced.delete(watcher);
    if (nextRevision <= this.#store.revision) {
      watcher.state = 'unsynced';
      this.#unsynced.add(watcher);
    } else {
      watcher.state = 'synced';
      this.#synced.add(watcher);
    }
  }

  /** Hands unsynced watchers their history (syncWatchers); call again while `hasUnsynced`. */
  syncWatchers(): void {
    const chosen = [...this.#unsynced].sort((a, b) => a.seq - b.seq).slice(0, WATCHERS_PER_SYNC);
    for (const watcher of chosen) this.#syncOne(watcher);
  }

  #syncOne(watcher: Watcher): void {
    const current = this.#store.revision;
    const compacted = this.#store.compactRevision;
    if (watcher.minRevision < compacted) {
      this.#unsynced.delete(watcher);
      watcher.state = 'gone';
      watcher.stream.sendCompacted(watcher, compacted);
      return;
    }
    // A watch from the future whose store was replaced by a snapshot waits on: its start may not be lowered (etcd#20221).
    if (watcher.minRevision > current) {
      this.#settle(watcher, this.#forgetsStart ? current + 1 : watcher.minRevision);
      return;
    }
    const { events, next } = this.#history(watcher, current);
    if (events.length === 0 || watcher.stream.sendEvents(watcher, events, current)) this.#settle(watcher, next);
    else this.#makeVictim(watcher, events, current, next);
  }

  #history(watcher: Watcher, current: number): { readonly events: readonly WatchEvent[]; readonly next: number } {
    const events: WatchEvent[] = [];
    let revisions = 0;
    let lastRevision = -1;
    let next = current + 1;
    this.#store.forEachChangeFrom(watcher.minRevision, (record) => {
      if (!inRange(record.key, watcher.key, watcher.rangeEnd)) return true;
      if (record.modRevision !== lastRevision) {
        if (revisions === REVISIONS_PER_BATCH) {
          next = record.modRevision;
          return false;
        }
        revisions++;
        lastRevision = record.modRevision;
      }
      if (wantsEvent(watcher, record)) {
        const previous = watcher.prevKv ? this.#store.previousOf(record) : undefined;
        events.push(new EventPair(record, previous).forWatcher(watcher));
      }
      return true;
    });
    return { events, next };
  }
}

/** The event of one change, made at most once for watchers that want the previous value and once for those that do not. */
class EventPair {
  readonly #record: KeyRecord;
  readonly #previous: KeyValue | undefined;
  #plain: readonly [WatchEvent] | undefined;
  #withPrevious: readonly [WatchEvent] | undefined;

  constructor(record: KeyRecord, previous: KeyValue | undefined) {
    this.#record = record;
    this.#previous = previous;
  }

  forWatcher(watcher: Watcher): WatchEvent {
    return this.listFor(watcher)[0];
  }

  listFor(watcher: Watcher): readonly [WatchEvent] {
    if (!watcher.prevKv) {
      this.#plain ??= [eventOf(this.#record, undefined)];
      return this.#plain;
    }
    this.#withPrevious ??= [eventOf(this.#record, this.#previous)];
    return this.#withPrevious;
  }
}

function eventOf(record: KeyRecord, prevKv: KeyValue | undefined): WatchEvent {
  const type = isTombstone(record) ? 'DELETE' : 'PUT';
  return prevKv === undefined ? { type, kv: record } : { type, kv: record, prevKv };
}
