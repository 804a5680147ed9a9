import { type Cancel, suspend, type Task } from '../../sim/task.ts';
import type { UntypedObject } from '../api/object.ts';
import type { Status } from '../api/object.ts';
import type { ServedKind } from '../api/registry.ts';
import type { WatchEvent } from '../api/request.ts';
import { tooLargeResourceVersion, tooManyRequests, tooOldResourceVersion } from '../api/status.ts';
import { type CacheWatchOptions, Watcher, type WatchSink } from './cache-watcher.ts';
import { type ServerEnvironment, sleep } from './environment.ts';
import { type CacheEvent, EventWindow } from './event-window.ts';
import { lowerBound } from './lower-bound.ts';
import { nodeNameOf, selects } from './selection.ts';
import { isStorageFailure, type Storage, type StorageEvent, type StorageFailure } from './storage.ts';
import { storageStatus } from './storage-errors.ts';
import { withResourceVersion } from './stored-object.ts';

/** How long a read waits for the cache to reach a version: upstream blockTimeout. */
const freshWaitUs = 3_000_000;
/** Upstream progressRequestPeriod. */
const progressPeriodUs = 100_000;
/** Upstream reflector back-off after a failed list or a broken watch. */
const relistDelayUs = 1_000_000;
/** Upstream bookmarkFrequency. */
const bookmarkPeriodUs = 60_000_000;

interface Waiter {
  readonly revision: number;
  readonly wake: () => void;
}

/**
 * The watch cache of one resource in one API server: upstream `storage/cacher`. Fed by one list and watch of etcd, it may lag behind etcd, and
 * answers reads and watches from what it has seen. It knows nothing of etcd's truth but through that watch.
 * Long because feed, reads and watches wait for each other's progress: upstream's cacher.go and watch_cache.go in one.
 */
export class WatchCache {
  readonly kind: ServedKind;
  /** The version up to which this cache has seen everything. */
  revision = 0;
  /** Grows with every change that this cache has seen: what memos of its content are kept by. */
  changes = 0;
  private isReady = false;
  private readonly listed = new Map<string, UntypedObject[]>();
  private listedAt = -1;
  private readonly storage: Storage;
  private readonly environment: ServerEnvironment;
  private readonly prefix: string;
  /** Defect K21. */
  private readonly acceptsOneTooOld: boolean;
  private readonly objects = new Map<string, UntypedObject>();
  /** Keys by namespace ('' for cluster-wide kinds), each list sorted when it is read. */
  private readonly keys = new Map<string, { sorted: string[]; dirty: boolean }>();
  private readonly window = new EventWindow();
  private readonly watchers = new Set<Watcher>();
  private readonly bySink = new Map<WatchSink, Watcher>();
  private readonly everywhere = new Set<Watcher>();
  private readonly byNamespace = new Map<string, Set<Watcher>>();
  private readonly byName = new Map<string, Set<Watcher>>();
  private readonly byNode = new Map<string, Set<Watcher>>();
  private waiters: Waiter[] = [];
  private readyWaiters: (() => void)[] = [];
  private stopWatch: Cancel | undefined;
  private progressTimer: Cancel | undefined;
  private bookmarkTimer: Cancel | undefined;
  private started = false;

  constructor(kind: ServedKind, storage: Storage, environment: ServerEnvironment, prefix: string, acceptsOneTooOld = false) {
    this.kind = kind;
    this.storage = storage;
    this.environment = environment;
    this.prefix = prefix;
    this.acceptsOneTooOld = acceptsOneTooOld;
  }

  /** Begins to list and watch; does nothing when it already has. */
  start(): void {
    if (this.started) return;
    this.started = true;
    this.environment.spawn(this.listAndWatch());
  }

  /** Whether it is known to hold nothing: most kinds that admission asks for on every write have no object. */
  get isEmpty(): boolean {
    return this.ready && this.objects.size === 0;
  }

  get ready(): boolean {
    return this.isReady;
  }

  /** Objects in the cache. */
  get size(): number {
    return this.objects.size;
  }

  /** Watches that it serves. */
  get watching(): number {
    return this.watchers.size;
  }

  private *listAndWatch(): Task<void> {
    for (;;) {
      const listed = yield* this.storage.list(this.prefix);
      if (!isStorageFailure(listed)) {
        this.replace(
          listed.entries.map((entry) => [entry.key, entry.value.at(entry.modRevision)] as const),
          listed.revision,
        );
        const why = yield* this.follow(listed.revision + 1);
        this.becomeUnready(why);
      }
      yield* sleep(this.environment, relistDelayUs);
    }
  }

  private follow(fromRevision: number): Task<StorageFailure> {
    return suspend<StorageFailure>((resolve) => {
      this.stopWatch = this.storage.watch(this.prefix, fromRevision, {
        events: (events, revision) => {
          for (const event of events) this.apply(event);
          this.advance(revision);
        },
        progress: (revision) => this.advance(revision),
        closed: resolve,
      });
      return this.stopWatch;
    });
  }

  private replace(entries: readonly (readonly [string, UntypedObject])[], revision: number): void {
    this.objects.clear();
    this.keys.clear();
    for (const [key, object] of entries) {
      this.objects.set(key, object);
      this.keysOf(object.metadata.namespace ?? '').sorted.push(key);
    }
    for (const bucket of this.keys.values()) bucket.dirty = true;
    this.changes++;
    this.window.reset(revision);
    this.isReady = true;
    this.advance(revision);
    const woken = this.readyWaiters;
    this.readyWaiters = [];
    for (const wake of woken) wake();
  }

  /** The watch of etcd broke: every watcher is ended and must come again, as upstream does. */
  private becomeUnready(_why: StorageFailure): void {
    this.isReady = false;
    this.stopWatch = undefined;
    for (const watcher of [...this.watchers]) {
      this.forget(watcher);
      watcher.sink.closed();
    }
  }

  private keysOf(namespace: string): { sorted: string[]; dirty: boolean } {
    let bucket = this.keys.get(namespace);
    if (bucket === undefined) {
      bucket = { sorted: [], dirty: false };
      this.keys.set(namespace, bucket);
    }
    return bucket;
  }

  private apply(event: StorageEvent): void {
    const known = this.objects.get(event.key);
    let object: UntypedObject;
    if (event.type === 'put') {
      object = event.value.at(event.modRevision);
      this.objects.set(event.key, object);
      if (known === undefined) {
        const bucket = this.keysOf(object.metadata.namespace ?? '');
        const last = bucket.sorted.at(-1);
        if (last !== undefined && last > event.key) bucket.dirty = true;
        bucket.sorted.push(event.key);
      }
    } else {
      if (known === undefined) return;
      object = withResourceVersion(known, String(event.modRevision));
      this.objects.delete(event.key);
      const bucket = this.keysOf(object.metadata.namespace ?? '');
      const at = bucket.dirty ? bucket.sorted.indexOf(event.key) : lowerBound(bucket.sorted, event.key);
      bucket.sorted.splice(at, 1);
    }
    const change: CacheEvent = {
      revision: event.modRevision,
      key: event.key,
      object,
      previous: known,
      deleted: event.type === 'delete',
      atUs: this.environment.now(),
      shared: { added: undefined, modified: undefined, deleted: undefined },
    };
    this.changes++;
    this.window.add(change);
    this.revision = event.modRevision;
    this.dispatch(change);
  }

  private advance(revision: number): void {
    if (revision > this.revision) this.revision = revision;
    if (this.waiters.length === 0) return;
    const woken = this.waiters.filter((waiter) => waiter.revision <= this.revision);
    if (woken.length === 0) return;
    this.waiters = this.waiters.filter((waiter) => waiter.revision > this.revision);
    for (const waiter of woken) waiter.wake();
  }

  // --- reads

  get(key: string): UntypedObject | undefined {
    return this.objects.get(key);
  }

  /** Objects of a namespace (or all) sorted by key, as of now, as one list that is the same until something changes. */
  list(namespace: string | undefined): readonly UntypedObject[] {
    if (this.listedAt !== this.changes) {
      this.listed.clear();
      this.listedAt = this.changes;
    }
    const space = namespace ?? '';
    let list = this.listed.get(space);
    if (list === undefined) {
      list = [];
      for (const key of this.spacesOf(namespace)) {
        for (const name of this.sortedKeys(key)) {
          const object = this.objects.get(name);
          if (object !== undefined) list.push(object);
        }
      }
      this.listed.set(space, list);
    }
    return list;
  }

  private spacesOf(namespace: string | undefined): readonly string[] {
    return namespace === undefined ? [...this.keys.keys()].sort() : [namespace];
  }

  private sortedKeys(space: string): readonly string[] {
    const bucket = this.keys.get(space);
    if (bucket === undefined) return [];
    if (bucket.dirty) {
      bucket.sorted.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
      bucket.dirty = false;
    }
    return bucket.sorted;
  }

  /** Objects of a namespace (or all) sorted by key, as of now. */
  *items(namespace: string | undefined): Generator<readonly [string, UntypedObject], void, undefined> {
    for (const space of this.spacesOf(namespace)) {
      for (const key of this.sortedKeys(space)) {
        const object = this.objects.get(key);
        if (object !== undefined) yield [key, object];
      }
    }
  }

  /** The oldest version at which {@link itemsAt} and watches can still be served. */
  oldestRevision(): number {
    return this.window.oldest();
  }

  /** Objects as of an earlier version inside the window: today's state with later events undone. */
  itemsAt(namespace: string | undefined, revision: number): readonly (readonly [string, UntypedObject])[] {
    const undo = this.window.since(revision);
    if (undo.length === 0) return [...this.items(namespace)];
    const state = new Map<string, UntypedObject>(this.items(namespace));
    for (let i = undo.length - 1; i >= 0; i--) {
      const event = undo[i];
      if (event === undefined) continue;
      if (namespace !== undefined && event.object.metadata.namespace !== namespace) continue;
      if (event.previous === undefined) state.delete(event.key);
      else state.set(event.key, event.previous);
    }
    return [...state].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  }

  /** Waits until the cache has been filled once. */
  *untilReady(): Task<void> {
    this.start();
    while (!this.isReady) yield (resolve) => void this.readyWaiters.push(() => resolve(undefined));
  }

  /** Waits until the cache has seen everything up to a version; answers the Status of a server that does not get there in time. */
  *untilFresh(revision: number): Task<Status | undefined> {
    yield* this.untilReady();
    if (this.revision >= revision) return undefined;
    this.storage.requestProgress();
    if (this.revision >= revision) return undefined;
    this.askForProgress();
    const arrived = yield* suspend<boolean>((resolve) => {
      const waiter: Waiter = {
        revision,
        wake: () => {
          cancel();
          resolve(true);
        },
      };
      this.waiters.push(waiter);
      const cancel = this.environment.setTimer(freshWaitUs, () => {
        this.waiters = this.waiters.filter((w) => w !== waiter);
        resolve(false);
      });
      return () => {
        cancel();
        this.waiters = this.waiters.filter((w) => w !== waiter);
      };
    });
    return arrived ? undefined : tooLargeResourceVersion(revision, this.revision, 1);
  }

  /** A consistent read: asks etcd for its revision and waits for the cache to have reached it (KEP-2340). */
  *untilConsistent(): Task<Status | undefined> {
    const current = yield* this.storage.currentRevision();
    if (typeof current !== 'number') return storageStatus(current);
    return yield* this.untilFresh(current);
  }

  private askForProgress(): void {
    if (this.progressTimer !== undefined) return;
    this.progressTimer = this.environment.setTimer(progressPeriodUs, () => {
      this.progressTimer = undefined;
      if (this.waiters.length === 0) return;
      this.storage.requestProgress();
      this.askForProgress();
    });
  }

  // --- watches

  /** Starts a watch after a version, with the missed events first; a Status when the version is too old. */
  watch(sink: WatchSink, options: CacheWatchOptions): Cancel | Status {
    if (!this.isReady) return tooManyRequests('storage is (re)initializing', 1);
    // With nothing in the window yet, the state as listed is the oldest that a watch can go on from: what the list's own revision changed
    // is not kept as an event (kubernetes#49956).
    const oldest = this.window.oldest() - (this.acceptsOneTooOld && this.window.isEmpty ? 1 : 0);
    if (options.afterRevision < oldest) return tooOldResourceVersion(options.afterRevision, oldest);
    const missed = options.afterRevision >= this.revision ? [] : this.window.since(options.afterRevision);
    return this.begin(sink, options, missed);
  }

  /** Starts a watch with today's objects as ADDED; with `endMark` a bookmark says where they end (KEP-3157). */
  watchWithInitialState(sink: WatchSink, options: CacheWatchOptions, endMark: boolean): Cancel | Status {
    if (!this.isReady) return tooManyRequests('storage is (re)initializing', 1);
    const watcher = new Watcher(sink, { ...options, afterRevision: this.revision });
    for (const [, object] of this.items(options.namespace)) {
      if (selects(options.selection, this.kind, object)) watcher.send({ type: 'ADDED', object });
    }
    if (endMark) {
      watcher.bookmarkRevision = this.revision;
      watcher.send(this.bookmark({ 'k8s.io/initial-events-end': 'true' }));
    }
    return this.register(watcher);
  }

  private begin(sink: WatchSink, options: CacheWatchOptions, missed: readonly CacheEvent[]): Cancel {
    const watcher = new Watcher(sink, options);
    for (const event of missed) this.offer(watcher, event);
    return this.register(watcher);
  }

  private register(watcher: Watcher): Cancel {
    this.watchers.add(watcher);
    this.bySink.set(watcher.sink, watcher);
    const { namespace, selection } = watcher.options;
    if (selection.name !== undefined) put(this.byName, `${namespace ?? '*'}/${selection.name}`, watcher);
    else if (selection.nodeName !== undefined && this.kind.resource === 'pods') put(this.byNode, selection.nodeName, watcher);
    else if (namespace !== undefined) put(this.byNamespace, namespace, watcher);
    else {
      this.everywhere.add(watcher);
      watcher.buckets.push(this.everywhere);
    }
    if (watcher.options.bookmarks) this.scheduleBookmarks();
    return () => this.forget(watcher);
  }

  private forget(watcher: Watcher): void {
    this.watchers.delete(watcher);
    this.bySink.delete(watcher.sink);
    for (const bucket of watcher.buckets) bucket.delete(watcher);
  }

  private dispatch(event: CacheEvent): void {
    if (this.watchers.size === 0) return;
    const { metadata } = event.object;
    this.offerAll(this.everywhere, event);
    if (this.byNamespace.size > 0 && metadata.namespace !== undefined) this.offerAll(this.byNamespace.get(metadata.namespace), event);
    if (this.byName.size > 0) {
      this.offerAll(this.byName.get(`${metadata.namespace ?? '*'}/${metadata.name}`), event);
      if (metadata.namespace !== undefined) this.offerAll(this.byName.get(`*/${metadata.name}`), event);
    }
    if (this.byNode.size > 0) {
      const node = nodeNameOf(event.object);
      this.offerAll(this.byNode.get(node), event);
      if (event.previous !== undefined) {
        const before = nodeNameOf(event.previous);
        if (before !== node) this.offerAll(this.byNode.get(before), event);
      }
    }
  }

  private offerAll(watchers: Set<Watcher> | undefined, event: CacheEvent): void {
    if (watchers === undefined) return;
    for (const watcher of watchers) this.offer(watcher, event);
  }

  /** Upstream `convertToWatchEvent`: an object that begins or ceases to match is ADDED or DELETED. */
  private offer(watcher: Watcher, event: CacheEvent): void {
    const { namespace, selection } = watcher.options;
    if (event.revision <= watcher.sentRevision) return;
    if (namespace !== undefined && event.object.metadata.namespace !== namespace) return;
    const matches = !event.deleted && selects(selection, this.kind, event.object);
    const matched = event.previous !== undefined && selects(selection, this.kind, event.previous);
    watcher.sentRevision = event.revision;
    if (matches) watcher.send(matched ? modified(event) : added(event));
    else if (matched) watcher.send(deleted(event));
  }

  private bookmark(annotations?: Readonly<Record<string, string>>): WatchEvent {
    return {
      type: 'BOOKMARK',
      object: {
        kind: this.kind.kind,
        apiVersion: this.kind.apiVersion,
        metadata: { resourceVersion: String(this.revision), ...(annotations ? { annotations } : {}) },
      },
    };
  }

  /** Sends a bookmark, unless the watcher has been told of this version already. */
  private mark(watcher: Watcher): void {
    if (!watcher.options.bookmarks || watcher.bookmarkRevision >= this.revision) return;
    watcher.bookmarkRevision = this.revision;
    watcher.send(this.bookmark());
  }

  private scheduleBookmarks(): void {
    if (this.bookmarkTimer !== undefined) return;
    this.bookmarkTimer = this.environment.setTimer(bookmarkPeriodUs, () => {
      this.bookmarkTimer = undefined;
      let wanted = false;
      for (const watcher of this.watchers) {
        if (!watcher.options.bookmarks) continue;
        wanted = true;
        this.mark(watcher);
      }
      if (wanted) this.scheduleBookmarks();
    });
  }

  /** Sends one watcher's last bookmark, as upstream does shortly before a watch times out. */
  lastBookmark(sink: WatchSink): void {
    const watcher = this.bySink.get(sink);
    if (watcher !== undefined) this.mark(watcher);
  }
}

function put(map: Map<string, Set<Watcher>>, key: string, watcher: Watcher): void {
  let bucket = map.get(key);
  if (bucket === undefined) {
    bucket = new Set();
    map.set(key, bucket);
  }
  bucket.add(watcher);
  watcher.buckets.push(bucket);
}

/** Events of one change are shared by all watchers that get the same kind of it. */
function added(event: CacheEvent): WatchEvent {
  event.shared.added ??= { type: 'ADDED', object: event.object };
  return event.shared.added;
}

function modified(event: CacheEvent): WatchEvent {
  event.shared.modified ??= { type: 'MODIFIED', object: event.object };
  return event.shared.modified;
}

/** What left a selection shows its last matching state under the resourceVersion of the change. */
function deleted(event: CacheEvent): WatchEvent {
  if (event.shared.deleted === undefined) {
    const object =
      event.deleted || event.previous === undefined
        ? event.object
        : withResourceVersion(event.previous, event.object.metadata.resourceVersion ?? '');
    event.shared.deleted = { type: 'DELETED', object };
  }
  return event.shared.deleted;
}
