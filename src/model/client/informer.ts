import type { ApiObject } from '../api/object.ts';
import type { WatchEvent } from '../api/request.ts';
import { type Task, suspend } from '../../sim/task.ts';
import type { Micros } from '../../sim/time.ts';
import { objectKey, Reflector, type ReflectorOptions } from './reflector.ts';
import type { Resource } from './resources.ts';
import { type IndexFunction, Store } from './store.ts';
import type { ApiTransport } from './transport.ts';

/** What a program does with changes. Called after the store has them, in order, within one resume of the process. */
export interface InformerHandler<T extends ApiObject> {
  onAdd?(object: T, isInInitialList: boolean): void;
  /** `previous === next` (or equal versions) in a resync. */
  onUpdate?(previous: T, next: T): void;
  /** `finalStateUnknown`: the deletion was missed, `object` is the last state seen (DeletedFinalStateUnknown). */
  onDelete?(object: T, finalStateUnknown: boolean): void;
}

/** A shared informer: reflector, store with indexes, handlers. client-go tools/cache/shared_informer.go. */
export class Informer<T extends ApiObject> {
  readonly resource: Resource<T>;
  readonly store = new Store<T>();
  readonly #transport: ApiTransport;
  readonly #reflector: Reflector<T>;
  readonly #handlers: InformerHandler<T>[] = [];
  #waiters: (() => void)[] = [];
  #synced = false;
  #started = false;

  constructor(transport: ApiTransport, resource: Resource<T>, options: ReflectorOptions = {}) {
    this.resource = resource;
    this.#transport = transport;
    this.#reflector = new Reflector(transport, resource, options, {
      replace: (items) => this.#replace(items),
      apply: (events) => this.#apply(events),
    });
  }

  /** The first state has been taken in, and every handler has heard of it. */
  get synced(): boolean {
    return this.#synced;
  }

  get lastSyncResourceVersion(): string {
    return this.#reflector.lastSyncResourceVersion;
  }

  get(key: string): T | undefined {
    return this.store.get(key);
  }

  /** All objects in key order; the same array until something changes. */
  list(): readonly T[] {
    return this.store.list();
  }

  /** Objects with that index value in key order. */
  byIndex(index: string, value: string): readonly T[] {
    return this.store.byIndex(index, value);
  }

  /** Adds an index, once for each name. */
  addIndex(name: string, values: IndexFunction<T>): void {
    if (!this.store.hasIndex(name)) this.store.addIndex(name, values);
  }

  /** A handler that comes late hears of everything there is. `resyncUs`: tells every object again that often (0: never, the default). */
  addHandler(handler: InformerHandler<T>, resyncUs: Micros = 0): void {
    this.#handlers.push(handler);
    for (const object of this.store.list()) handler.onAdd?.(object, true);
    if (resyncUs > 0) this.#resyncEvery(handler, resyncUs);
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#reflector.start();
  }

  stop(): void {
    this.#reflector.stop();
  }

  /** Waits until {@link synced}. */
  *waitForSync(): Task<void> {
    if (this.#synced) return;
    yield* suspend<void>((resolve) => {
      this.#waiters.push(resolve);
    });
  }

  #resyncEvery(handler: InformerHandler<T>, period: Micros): void {
    this.#transport.process.after(period, () => {
      for (const object of this.store.list()) handler.onUpdate?.(object, object);
      this.#resyncEvery(handler, period);
    });
  }

  #replace(items: readonly T[]): void {
    const first = !this.#synced;
    const present = new Set<string>();
    for (const object of items) {
      const key = objectKey(object);
      present.add(key);
      this.#upsert(key, object, first);
    }
    const gone = [...this.store.keys()].filter((key) => !present.has(key)).sort();
    for (const key of gone) {
      const object = this.store.get(key) as T;
      this.store.delete(key);
      for (const handler of this.#handlers) handler.onDelete?.(object, true);
    }
    if (first) {
      this.#synced = true;
      const waiters = this.#waiters;
      this.#waiters = [];
      for (const waiter of waiters) waiter();
    }
  }

  #apply(events: readonly WatchEvent<T>[]): void {
    for (const event of events) {
      switch (event.type) {
        case 'ADDED':
        case 'MODIFIED':
          this.#upsert(objectKey(event.object), event.object, false);
          break;
        case 'DELETED': {
          this.store.delete(objectKey(event.object));
          for (const handler of this.#handlers) handler.onDelete?.(event.object, false);
          break;
        }
        case 'BOOKMARK':
        case 'ERROR':
          break;
      }
    }
  }

  #upsert(key: string, object: T, initial: boolean): void {
    const previous = this.store.get(key);
    this.store.set(key, object);
    if (previous === undefined) for (const handler of this.#handlers) handler.onAdd?.(object, initial);
    else for (const handler of this.#handlers) handler.onUpdate?.(previous, object);
  }
}
