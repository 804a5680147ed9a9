import type { Task } from '../../../sim/task.ts';
import type { UntypedObject } from '../../api/object.ts';
import type { ServedKind } from '../../api/registry.ts';
import { keyOf } from '../resource-store.ts';
import type { ServerContext } from '../server-context.ts';
import type { WatchCache } from '../watch-cache.ts';

const nothing: readonly UntypedObject[] = [];

/** A built-in kind by its resource; its absence is a bug. */
export function kindNamed(server: ServerContext, group: string, version: string, resource: string): ServedKind {
  const kind = server.registry.resource(group, version, resource);
  if (kind === undefined) throw new Error(`admission: ${group}/${version} ${resource} is not served`);
  return kind;
}

/** An object as the server's own informer has it: it may lag behind etcd. */
export function* cachedOne(server: ServerContext, kind: ServedKind, namespace: string, name: string): Task<UntypedObject | undefined> {
  const cache = server.cacheOf(kind);
  if (!cache.ready) yield* cache.untilReady();
  return cache.get(keyOf(kind, namespace, name));
}

/** All objects of a namespace (or of the cluster) as the server's own informer has them, sorted by key. */
export function* cachedAll(server: ServerContext, kind: ServedKind, namespace: string | undefined): Task<readonly UntypedObject[]> {
  const cache = server.cacheOf(kind);
  if (!cache.ready) yield* cache.untilReady();
  if (cache.isEmpty) return nothing;
  return [...cache.items(namespace)].map(([, object]) => object);
}

/** Finds a built-in kind's watch cache, once for each server: admission looks into some on every write. */
export function cacheFinder(group: string, version: string, resource: string): (server: ServerContext) => WatchCache {
  const known = new WeakMap<ServerContext, WatchCache>();
  return (server) => {
    let cache = known.get(server);
    if (cache === undefined) {
      cache = server.cacheOf(kindNamed(server, group, version, resource));
      known.set(server, cache);
    }
    return cache;
  };
}
