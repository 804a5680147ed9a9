import type { Cancel, Task } from '../../sim/task.ts';
import type { StoredObject } from './stored-object.ts';

/** Why etcd did not answer. Each becomes the Status that a real API server answers: see {@link ./storage-errors.ts}. */
export type StorageFailure =
  /** etcdserver: request timed out. The write may or may not have happened. */
  | { readonly failure: 'timeout' }
  /** etcdserver: no leader. */
  | { readonly failure: 'no-leader' }
  /** etcdserver: leader changed. */
  | { readonly failure: 'leader-changed' }
  /** The connection to every etcd member is gone. */
  | { readonly failure: 'unavailable' }
  /** etcdserver: mvcc: database space exceeded. */
  | { readonly failure: 'no-space' }
  /** etcdserver: request is too large. */
  | { readonly failure: 'request-too-large' }
  /** etcdserver: too many requests. */
  | { readonly failure: 'too-many-requests' }
  /** etcdserver: mvcc: required revision has been compacted; the oldest that is left. */
  | { readonly failure: 'compacted'; readonly compactRevision: number }
  /** etcdserver: mvcc: required revision is a future revision. */
  | { readonly failure: 'future-revision'; readonly currentRevision: number }
  | { readonly failure: 'permission-denied' };

export function isStorageFailure(answer: object): answer is StorageFailure {
  return 'failure' in answer;
}

/** One key as read. */
export interface StorageEntry {
  readonly key: string;
  readonly value: StoredObject;
  readonly modRevision: number;
}

export interface GetAnswer {
  /** The store's revision when it read. */
  readonly revision: number;
  readonly entry: StorageEntry | undefined;
}

export interface ListOptions {
  /** Read as of this revision; 0 or absent: now. */
  readonly revision?: number;
  /** At most this many; 0 or absent: all. */
  readonly limit?: number;
  /** First key, inclusive; absent: the prefix itself. */
  readonly fromKey?: string;
}

export interface ListAnswer {
  readonly revision: number;
  readonly entries: readonly StorageEntry[];
  /** Keys in the range, whatever the limit. */
  readonly count: number;
}

/** What a compare-and-write did. When the comparison failed, the current entry comes with the answer (one etcd transaction). */
export interface WriteAnswer {
  readonly succeeded: boolean;
  /** Revision of the write, or of the read when it did not succeed. */
  readonly revision: number;
  readonly current: StorageEntry | undefined;
}

export type StorageEvent =
  | {
      readonly type: 'put';
      readonly key: string;
      readonly value: StoredObject;
      readonly modRevision: number;
      readonly previous: StorageEntry | undefined;
    }
  | { readonly type: 'delete'; readonly key: string; readonly modRevision: number; readonly previous: StorageEntry | undefined };

/** Who follows a watch. Called in revision order; after `closed` nothing more comes. */
export interface StorageWatchSink {
  readonly events: (events: readonly StorageEvent[], revision: number) => void;
  /** Everything up to this revision has been delivered. */
  readonly progress: (revision: number) => void;
  readonly closed: (why: StorageFailure) => void;
}

/**
 * What the API server needs of etcd, in etcd's terms (one transaction per write, compare on mod revision). Keys begin with /registry.
 * Implemented by an etcd client over a simulated connection, and by {@link ./memory-storage.ts}.
 */
export interface Storage {
  readonly get: (key: string) => Task<GetAnswer | StorageFailure>;
  readonly list: (prefix: string, options?: ListOptions) => Task<ListAnswer | StorageFailure>;
  /** Puts the key if it does not exist. `ttlSeconds` binds it to a lease. */
  readonly create: (key: string, value: StoredObject, ttlSeconds?: number) => Task<WriteAnswer | StorageFailure>;
  /** Puts the key if its mod revision is still this one. */
  readonly compareAndPut: (
    key: string,
    modRevision: number,
    value: StoredObject,
    ttlSeconds?: number,
  ) => Task<WriteAnswer | StorageFailure>;
  readonly compareAndDelete: (key: string, modRevision: number) => Task<WriteAnswer | StorageFailure>;
  /** Events of the prefix from this revision on (inclusive), with the previous values. */
  readonly watch: (prefix: string, fromRevision: number, sink: StorageWatchSink) => Cancel;
  /** A linearizable read of the revision alone: what consistent reads from the cache wait for. */
  readonly currentRevision: () => Task<number | StorageFailure>;
  /** Asks that the open watches report their progress soon (etcd's WatchProgressRequest). */
  readonly requestProgress: () => void;
}
