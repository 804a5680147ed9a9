import { sharedContentBytes, sharedContentHash } from '../../sim/content-hash.ts';
import { hashText, mixWord } from '../../sim/mix.ts';
import type { Endpoint } from '../../sim/network.ts';
import type { Process } from '../../sim/process.ts';
import type { Cancel, Task } from '../../sim/task.ts';
import { SECOND, type Micros } from '../../sim/time.ts';
import type { LeaseId, RequestOp } from '../etcd/api.ts';
import { EtcdClient } from '../etcd/client.ts';
import { isError } from '../etcd/errors.ts';
import { prefixRangeEnd } from '../etcd/keys.ts';
import { storageFailureOf } from './etcd-failure.ts';
import { EtcdWatches, toStorageEntry } from './etcd-watches.ts';
import type { PresenceStore } from './presence.ts';
import type { CompactionStore, ServerStorage } from './server.ts';
import type { GetAnswer, ListAnswer, ListOptions, StorageFailure, StorageWatchSink, WriteAnswer } from './storage.ts';
import type { StoredObject } from './stored-object.ts';

/** What an average object takes in etcd; it counts against the quota and the bandwidth only. */
const OBJECT_BYTES = 1024;
/** Objects that take more than this count with what they take: etcd refuses those above 1.5 MiB. */
const LARGE_OBJECT_BYTES = 64 * 1024;
/** Upstream leaseManager: one lease serves the keys of so long and so many. */
const LEASE_REUSE_MAX: Micros = 60 * SECOND;
const LEASE_OBJECTS_MAX = 1000;
const NO_LEASE: LeaseId = 0n;

/** The API server's storage over etcd: storage/etcd3/store.go, one transaction a write. */
export class EtcdStorage implements ServerStorage {
  readonly compaction: CompactionStore;
  readonly presence: PresenceStore;
  readonly #process: Process;
  readonly #client: EtcdClient;
  readonly #watches: EtcdWatches;
  readonly #writer: number;
  #writes = 0;
  /** Lease of the key that is announced. */
  #announced: LeaseId | undefined;
  #lease: { readonly id: LeaseId; readonly ttlSeconds: number; readonly until: Micros; objects: number } | undefined;

  /** `endpoints`: the members this server is configured with (only the local one where etcd is stacked), tried in this order from `first` on. */
  constructor(process: Process, endpoints: readonly Endpoint[], first = 0) {
    this.#process = process;
    this.#client = new EtcdClient(process, { endpoints, first });
    this.#watches = new EtcdWatches(process, this.#client);
    this.#writer = mixWord(hashText(`${process.host.name}/${process.name}`, 0x57), process.incarnation);
    this.compaction = this.#compaction();
    this.presence = { announce: (key, value, ttlSeconds) => this.#announce(key, value, ttlSeconds) };
  }

  *get(key: string): Task<GetAnswer | StorageFailure> {
    const answer = yield* this.#client.range({ key });
    if (isError(answer)) return storageFailureOf(answer);
    const kv = answer.kvs[0];
    return { revision: answer.header.revision, entry: kv === undefined ? undefined : toStorageEntry(kv) };
  }

  *list(prefix: string, options: ListOptions = {}): Task<ListAnswer | StorageFailure> {
    const answer = yield* this.#client.range({
      key: options.fromKey ?? prefix,
      rangeEnd: prefixRangeEnd(prefix),
      ...(options.limit === undefined || options.limit === 0 ? {} : { limit: options.limit }),
      ...(options.revision === undefined || options.revision === 0 ? {} : { revision: options.revision }),
    });
    if (isError(answer)) return storageFailureOf(answer);
    return { revision: answer.header.revision, entries: answer.kvs.map(toStorageEntry), count: answer.count };
  }

  create(key: string, value: StoredObject, ttlSeconds?: number): Task<WriteAnswer | StorageFailure> {
    return this.#write(key, 0, value, ttlSeconds);
  }

  compareAndPut(key: string, modRevision: number, value: StoredObject, ttlSeconds?: number): Task<WriteAnswer | StorageFailure> {
    return this.#write(key, modRevision, value, ttlSeconds);
  }

  compareAndDelete(key: string, modRevision: number): Task<WriteAnswer | StorageFailure> {
    return this.#transact(key, modRevision, { type: 'deleteRange', key, prevKv: true });
  }

  watch(prefix: string, fromRevision: number, sink: StorageWatchSink): Cancel {
    return this.#watches.watch(prefix, fromRevision, sink);
  }

  *currentRevision(): Task<number | StorageFailure> {
    const answer = yield* this.#client.range({ key: 'compact_rev_key', countOnly: true });
    return isError(answer) ? storageFailureOf(answer) : answer.header.revision;
  }

  requestProgress(): void {
    this.#watches.requestProgress();
  }

  *#write(key: string, modRevision: number, value: StoredObject, ttlSeconds: number | undefined): Task<WriteAnswer | StorageFailure> {
    this.#process.world.digest.fold(sharedContentHash(value.raw));
    let lease = NO_LEASE;
    if (ttlSeconds !== undefined && ttlSeconds > 0) {
      const granted = yield* this.#leaseFor(ttlSeconds);
      if (typeof granted !== 'bigint') return granted;
      lease = granted;
    }
    // Names the content: two writes never share it, so members that hold different content differ in their hash.
    const bytes = sharedContentBytes(value.raw);
    const valueHash = this.#nextHash();
    return yield* this.#transact(key, modRevision, {
      type: 'put',
      key,
      value,
      sizeBytes: bytes > LARGE_OBJECT_BYTES ? bytes : OBJECT_BYTES,
      valueHash,
      ...(lease === NO_LEASE ? {} : { lease }),
    });
  }

  *#transact(key: string, modRevision: number, op: RequestOp): Task<WriteAnswer | StorageFailure> {
    const answer = yield* this.#client.txn({
      compare: [{ target: 'MOD', key, result: 'EQUAL', number: modRevision }],
      success: [op],
      failure: [{ type: 'range', key }],
    });
    if (isError(answer)) return storageFailureOf(answer);
    if (answer.succeeded) return { succeeded: true, revision: answer.header.revision, current: undefined };
    const read = answer.responses[0];
    const kv = read?.type === 'range' ? read.response.kvs[0] : undefined;
    return { succeeded: false, revision: answer.header.revision, current: kv === undefined ? undefined : toStorageEntry(kv) };
  }

  /** Upstream leaseManager.GetLease: keys of about the same time share a lease that lives a little longer than asked. */
  *#leaseFor(ttlSeconds: number): Task<LeaseId | StorageFailure> {
    const now = this.#process.mono();
    const known = this.#lease;
    if (known !== undefined && known.ttlSeconds === ttlSeconds && now < known.until && known.objects < LEASE_OBJECTS_MAX) {
      known.objects++;
      return known.id;
    }
    const reuseSeconds = Math.min(Math.floor(ttlSeconds * 0.05), LEASE_REUSE_MAX / SECOND);
    const granted = yield* this.#client.leaseGrant(ttlSeconds + reuseSeconds);
    if (isError(granted)) return storageFailureOf(granted);
    this.#lease = { id: granted.id, ttlSeconds, until: now + reuseSeconds * SECOND, objects: 1 };
    return granted.id;
  }

  /** One key under a lease of its own, which is kept alive as long as it is announced. */
  *#announce(key: string, value: StoredObject, ttlSeconds: number): Task<boolean> {
    const held = this.#announced;
    if (held !== undefined) {
      const alive = yield* this.#client.leaseKeepAliveOnce(held);
      if (!isError(alive) && alive.ttl > 0) return true;
      this.#announced = undefined;
    }
    const granted = yield* this.#client.leaseGrant(ttlSeconds);
    if (isError(granted)) return false;
    const put = yield* this.#client.put({ key, value, sizeBytes: OBJECT_BYTES, lease: granted.id, valueHash: this.#nextHash() });
    if (isError(put)) return false;
    this.#announced = granted.id;
    return true;
  }

  #nextHash(): number {
    return mixWord(this.#writer, ++this.#writes) >>> 0;
  }

  #compaction(): CompactionStore {
    const client = this.#client;
    return {
      *swap(key, version, value) {
        const answer = yield* client.txn({
          compare: [{ target: 'VERSION', key, result: 'EQUAL', number: version }],
          success: [{ type: 'put', key, value }],
          failure: [{ type: 'range', key }],
        });
        if (isError(answer)) return undefined;
        const { revision } = answer.header;
        if (answer.succeeded) return { swapped: true, version: version + 1, revision };
        const read = answer.responses[0];
        const kv = read?.type === 'range' ? read.response.kvs[0] : undefined;
        return { swapped: false, version: kv?.version ?? 0, revision };
      },
      *compact(revision) {
        return !isError(yield* client.compact({ revision }));
      },
    };
  }
}
