import type { Cancel, Task } from '../../sim/task.ts';
import type { Status, UntypedObject } from '../api/object.ts';
import type { ServedKind } from '../api/registry.ts';
import type { WatchEvent } from '../api/request.ts';
import { expired } from '../api/status.ts';
import { refuse } from './refusal.ts';
import { prefixOf } from './resource-store.ts';
import { selects } from './selection.ts';
import type { ServerContext } from './server-context.ts';
import { isStorageFailure, type StorageEntry, type StorageEvent, type StorageFailure } from './storage.ts';
import { storageStatus } from './storage-errors.ts';
import type { CacheWatchOptions, WatchSink } from './cache-watcher.ts';

/** What a watch without a watch cache asks for; the rest is as with a cache. */
export interface StorageWatchOptions extends CacheWatchOptions {
  /** Begin with the objects that there are. */
  readonly initialState: boolean;
  /** Say by a bookmark where those end. */
  readonly endMark: boolean;
}

/** A watch that a server without watch caches serves straight from etcd: upstream etcd3.watcher. */
export function* watchStorage(server: ServerContext, kind: ServedKind, sink: WatchSink, options: StorageWatchOptions): Task<Cancel> {
  const { namespace, selection, convert } = options;
  const prefix = namespace === undefined ? prefixOf(kind) : `${prefixOf(kind)}${namespace}/`;
  const stored = server.registry.storageKind(kind);
  let isFirst = true;
  const send = (event: WatchEvent): void => {
    sink.send(convert === undefined ? event : convert(event, isFirst));
    isFirst = false;
  };
  const selected = (entry: StorageEntry | undefined): UntypedObject | undefined => {
    const object = entry?.value.at(entry.modRevision);
    return object !== undefined && selects(selection, stored, object) ? object : undefined;
  };
  let after = options.afterRevision;
  if (options.initialState || after === 0) {
    const listed = yield* server.storage.list(prefix);
    if (isStorageFailure(listed)) refuse(storageStatus(listed));
    after = listed.revision;
    if (options.initialState) {
      for (const entry of listed.entries) {
        const object = selected(entry);
        if (object !== undefined) send({ type: 'ADDED', object });
      }
      if (options.endMark) {
        const metadata = { resourceVersion: String(after), annotations: { 'k8s.io/initial-events-end': 'true' } };
        send({ type: 'BOOKMARK', object: { kind: kind.kind, apiVersion: kind.apiVersion, metadata } as unknown as UntypedObject });
      }
    }
  }
  const change = (event: StorageEvent): void => {
    const before = selected(event.previous);
    const now = event.type === 'put' ? selected({ key: event.key, value: event.value, modRevision: event.modRevision }) : undefined;
    if (now !== undefined) send({ type: before === undefined ? 'ADDED' : 'MODIFIED', object: now });
    else if (before !== undefined && event.previous !== undefined)
      send({ type: 'DELETED', object: event.previous.value.at(event.modRevision) });
  };
  return server.storage.watch(prefix, after + 1, {
    events: (events) => events.forEach(change),
    progress: () => {},
    closed: (why) => {
      sink.send({ type: 'ERROR', object: watchStatus(why) });
      sink.closed();
    },
  });
}

function watchStatus(why: StorageFailure): Status {
  return why.failure === 'compacted' ? expired('The resourceVersion for the provided watch is too old.') : storageStatus(why);
}
