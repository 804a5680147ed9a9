import type { Task } from '../../sim/task.ts';
import { equalApartFromVersion } from '../api/equal.ts';
import type { UntypedObject } from '../api/object.ts';
import type { ServedKind } from '../api/registry.ts';
import { conflict, notFound } from '../api/status.ts';
import { refuse } from './refusal.ts';
import type { ServerContext } from './server-context.ts';
import { isStorageFailure, type StorageEntry } from './storage.ts';
import { storageStatus } from './storage-errors.ts';
import { StoredObject, withResourceVersion } from './stored-object.ts';

const root = '/registry';

/** Prefix of all keys of a kind. */
export function prefixOf(kind: ServedKind): string {
  return `${root}/${kind.storagePath}/`;
}

export function keyOf(kind: ServedKind, namespace: string, name: string): string {
  return kind.namespaced ? `${root}/${kind.storagePath}/${namespace}/${name}` : `${root}/${kind.storagePath}/${name}`;
}

function objectOf(entry: StorageEntry): UntypedObject {
  return entry.value.at(entry.modRevision);
}

/** A quorum read of one object. */
export function* readObject(server: ServerContext, key: string): Task<UntypedObject | undefined> {
  const answer = yield* server.storage.get(key);
  if (isStorageFailure(answer)) refuse(storageStatus(answer));
  return answer.entry === undefined ? undefined : objectOf(answer.entry);
}

/** Puts a new object; undefined when the key exists. */
export function* createObject(
  server: ServerContext,
  key: string,
  object: UntypedObject,
  ttlSeconds?: number,
): Task<UntypedObject | undefined> {
  const value = new StoredObject(object);
  const answer = yield* server.storage.create(key, value, ttlSeconds);
  if (isStorageFailure(answer)) refuse(storageStatus(answer));
  return answer.succeeded ? value.at(answer.revision) : undefined;
}

/** What an update function decides: the next state, or that the object goes now. */
export type UpdateStep = UntypedObject | { readonly remove: UntypedObject };

export interface GuaranteedUpdateOptions {
  readonly kind: ServedKind;
  readonly key: string;
  readonly name: string;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly dryRun: boolean;
  readonly ttlSeconds?: number | undefined;
  /** The update may create an object that does not exist. */
  readonly allowCreate?: boolean;
  /** Start from the watch cache's state, as upstream does; a refusal on stale state is tried again on etcd's. */
  readonly cached?: UntypedObject | undefined;
}

export interface UpdateResult {
  readonly object: UntypedObject;
  readonly created: boolean;
  readonly removed: boolean;
}

/**
 * Upstream `etcd3.store.GuaranteedUpdate`: computes the next state from the current one and writes it if the key has not changed
 * meanwhile, again and again until it succeeds or `update` refuses. An update that changes nothing writes nothing.
 */
export function* guaranteedUpdate(
  server: ServerContext,
  options: GuaranteedUpdateOptions,
  update: (existing: UntypedObject | undefined) => Task<UpdateStep>,
): Task<UpdateResult> {
  const { kind, key, name } = options;
  let existing = options.cached;
  let isCached = existing !== undefined;
  if (!isCached) existing = yield* readObject(server, key);
  for (;;) {
    let step: UpdateStep;
    try {
      if (existing === undefined && options.allowCreate !== true) refuse(notFound(kind, name));
      if (existing !== undefined) checkPreconditions(options, existing);
      step = yield* update(existing);
    } catch (refusal) {
      if (!isCached) throw refusal;
      isCached = false;
      const live: UntypedObject | undefined = yield* readObject(server, key);
      if (live === existing) throw refusal;
      existing = live;
      continue;
    }
    const removed = 'remove' in step;
    const next = (removed ? step.remove : step) as UntypedObject;
    if (existing === undefined) {
      if (options.dryRun) return { object: next, created: true, removed: false };
      const created: UntypedObject | undefined = yield* createObject(server, key, next, options.ttlSeconds);
      if (created !== undefined) return { object: created, created: true, removed: false };
      existing = yield* readObject(server, key);
      continue;
    }
    const modRevision = Number(existing.metadata.resourceVersion);
    if (removed) {
      if (options.dryRun) return { object: next, created: false, removed: true };
      const answer = yield* server.storage.compareAndDelete(key, modRevision);
      if (isStorageFailure(answer)) refuse(storageStatus(answer));
      if (answer.succeeded) return { object: next, created: false, removed: true };
      existing = answer.current === undefined ? undefined : objectOf(answer.current);
      isCached = false;
      continue;
    }
    if (equalApartFromVersion(next, existing)) {
      if (isCached) {
        // A cached state may be stale: that nothing changes must be decided on etcd's state.
        isCached = false;
        const live: UntypedObject | undefined = yield* readObject(server, key);
        if (live !== existing) {
          existing = live;
          continue;
        }
      }
      return { object: existing, created: false, removed: false };
    }
    if (options.dryRun)
      return { object: withResourceVersion(next, existing.metadata.resourceVersion ?? ''), created: false, removed: false };
    const value = new StoredObject(next);
    const answer = yield* server.storage.compareAndPut(key, modRevision, value, options.ttlSeconds);
    if (isStorageFailure(answer)) refuse(storageStatus(answer));
    if (answer.succeeded) return { object: value.at(answer.revision), created: false, removed: false };
    existing = answer.current === undefined ? undefined : objectOf(answer.current);
    isCached = false;
  }
}

function checkPreconditions(options: GuaranteedUpdateOptions, existing: UntypedObject): void {
  const { kind, key, name, uid, resourceVersion } = options;
  const failed = (what: string, wanted: string, actual: string): never =>
    refuse(
      conflict(
        kind,
        name,
        `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${actual}`,
      ),
    );
  if (uid !== undefined && uid !== existing.metadata.uid) failed('UID', uid, existing.metadata.uid ?? '');
  if (resourceVersion !== undefined && resourceVersion !== existing.metadata.resourceVersion) {
    failed('ResourceVersion', resourceVersion, existing.metadata.resourceVersion ?? '');
  }
}
