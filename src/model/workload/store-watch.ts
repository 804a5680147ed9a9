import type { Endpoint } from '../../sim/network.ts';
import type { Process } from '../../sim/process.ts';
import { MILLISECOND, SECOND } from '../../sim/time.ts';
import type { WatchEvent, WatchFilter } from '../etcd/api.ts';
import { EtcdClient } from '../etcd/client.ts';
import { hashValue } from '../etcd/mvcc/record.ts';
import type { EtcdWatch } from '../etcd/watch-client.ts';
import type { Facts } from '../facts.ts';
import { STORE_PREFIX, STORE_RANGE_END } from './store-keys.ts';

/** What a watcher needs to know; a part of a store client's options. */
export interface StoreWatchOptions {
  readonly index: number;
  readonly members: readonly { readonly name: string; readonly endpoint: Endpoint }[];
  readonly facts: Facts;
  readonly running: () => boolean;
  readonly rewatch?: boolean;
}

/** Numbers of the watches that one client opens after another, when its history was compacted away. */
const WATCH_STEP = 1000;
/** How often a watcher asks how far it is. */
const PROGRESS_US = 2 * SECOND;
/** What one watcher of four follows: a few keys only, and not their deletion. */
const NARROW = { key: `${STORE_PREFIX}1`, rangeEnd: `${STORE_PREFIX}3`, filters: ['NODELETE'] as readonly WatchFilter[] };
const WIDE = { key: STORE_PREFIX, rangeEnd: STORE_RANGE_END, filters: [] as readonly WatchFilter[] };

/** Follows keys over a client that fails over, and tells as facts what it is told. */
export function watchKeys(process: Process, name: string, options: StoreWatchOptions): void {
  new StoreWatch(process, name, options).open(0);
}

class StoreWatch {
  readonly #process: Process;
  readonly #name: string;
  readonly #options: StoreWatchOptions;
  readonly #client: EtcdClient;
  #watch: number;
  #opened = false;
  /** The revision behind the last one that was told. */
  #next = 0;

  constructor(process: Process, name: string, options: StoreWatchOptions) {
    this.#process = process;
    this.#name = name;
    this.#options = options;
    this.#watch = options.index + 1;
    const { members, index } = options;
    this.#client = new EtcdClient(process, { endpoints: members.map((m) => m.endpoint), first: index % members.length });
  }

  open(startRevision: number): void {
    const { facts, rewatch, index } = this.#options;
    const { key, rangeEnd, filters } = index % 4 === 3 ? NARROW : WIDE;
    let over = false;
    const handle = this.#client.watch(
      { key, rangeEnd, filters, startRevision, fragment: index % 2 === 1 },
      {
        created: (_revision, endpoint, from) => {
          const member = this.#memberOf(endpoint);
          if (this.#opened) facts.watchResumed.emit(this.#watch, member, from);
          else {
            facts.watchOpened.emit(this.#watch, this.#name, member, key, rangeEnd, from, filters.join(','));
            this.#next = from;
          }
          this.#opened = true;
        },
        events: (events, revision) => this.#tell(events, revision),
        progress: (revision) => {
          this.#next = Math.max(this.#next, revision + 1);
          facts.watchProgress.emit(this.#watch, revision);
        },
        closed: (error, compactRevision) => {
          over = true;
          facts.watchClosed.emit(this.#watch, error.code, compactRevision);
          if (rewatch !== true || !this.#options.running()) return;
          // What it missed is gone: another watch begins with what comes from now on.
          this.#watch += WATCH_STEP;
          this.#opened = false;
          this.#process.after(SECOND, () => this.open(0));
        },
      },
    );
    this.#askProgress(handle, () => over);
    if (rewatch !== true) return;
    const { random } = this.#process;
    this.#process.after(SECOND + random.below(2 * SECOND), () => {
      if (over || !this.#options.running()) return;
      over = true;
      handle.cancel();
      this.#process.after(500 * MILLISECOND + random.below(2 * SECOND), () => this.open(this.#opened ? this.#next : 0));
    });
  }

  #tell(events: readonly WatchEvent[], revision: number): void {
    const { facts } = this.#options;
    for (const event of events) {
      const { key, modRevision, value } = event.kv;
      this.#next = modRevision + 1;
      facts.watchEvent.emit(this.#watch, modRevision, 0, key, event.type, event.type === 'DELETE' ? 0 : hashValue(value, undefined));
    }
    facts.watchResponse.emit(this.#watch, revision, events.length);
  }

  #askProgress(handle: EtcdWatch, isOver: () => boolean): void {
    this.#process.after(PROGRESS_US, () => {
      if (isOver() || !this.#options.running()) return;
      handle.requestProgress();
      this.#askProgress(handle, isOver);
    });
  }

  #memberOf(endpoint: string): string {
    const { members } = this.#options;
    return (
      members.find((m) => `${m.endpoint.address}:${m.endpoint.port}` === endpoint || m.endpoint.address === endpoint)?.name ?? endpoint
    );
  }
}
