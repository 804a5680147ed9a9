import type { Cancel, Task } from '../../sim/task.ts';
import { conversionTo } from '../api/kinds/conversion.ts';
import type { Status, UntypedObject } from '../api/object.ts';
import type { ServedKind } from '../api/registry.ts';
import type { ApiResponse, WatchEvent } from '../api/request.ts';
import { selectionFor } from './read.ts';
import { refuse } from './refusal.ts';
import { checkListOptions } from './request-options.ts';
import type { RequestScope } from './server-context.ts';
import { watchStorage } from './storage-watch.ts';
import { invalidVersion } from './update.ts';
import type { CacheWatchOptions, WatchSink } from './cache-watcher.ts';

/** Upstream minRequestTimeout: without timeoutSeconds a watch ends after 30 to 60 minutes. */
const watchTimeoutUsMin = 1_800_000_000;

/** A running watch. `stop` is the client's side closing it; nothing is sent afterwards. */
export interface WatchHandle {
  readonly stop: () => void;
}

/** WATCH: answers a handle once the watch runs, or the refusal. Events may come before the handle does. */
export function* watch(scope: RequestScope, sink: WatchSink, convert?: CacheWatchOptions['convert']): Task<WatchHandle | ApiResponse> {
  const { kind, options, server } = scope;
  checkListOptions(options, true);
  const selection = selectionFor(kind, options, scope.request.name);
  const version = options.resourceVersion ?? '';
  if (version !== '' && !/^[0-9]+$/.test(version)) refuse(invalidVersion(version));
  let cancel: Cancel = () => {};
  let cancelTimer: Cancel = () => {};
  let ended = false;
  const end = (): void => {
    ended = true;
    cancelTimer();
    cancel();
  };
  const guarded: WatchSink = {
    send: (event) => {
      if (!ended) sink.send(event);
    },
    closed: () => {
      if (ended) return;
      end();
      sink.closed();
    },
  };
  const watchOptions: CacheWatchOptions = {
    namespace: scope.namespace === '' ? undefined : scope.namespace,
    selection,
    bookmarks: options.allowWatchBookmarks === true,
    afterRevision: version === '' ? 0 : Number(version),
    convert: inOwnVersion(kind, convert),
  };
  // Without a word about initial events a watch from nothing or from 0 begins with them (upstream SetListOptionsDefaults, KEP-3157).
  const isLegacy = options.sendInitialEvents === undefined && (version === '' || version === '0');
  const initialState = options.sendInitialEvents === true || isLegacy;
  const timeoutUs =
    options.timeoutSeconds !== undefined && options.timeoutSeconds > 0
      ? options.timeoutSeconds * 1_000_000
      : watchTimeoutUsMin + (server.environment.random() % 1800) * 1_000_000;
  if (server.options.watchCache === false) {
    cancel = yield* watchStorage(server, kind, guarded, {
      ...watchOptions,
      initialState,
      endMark: options.sendInitialEvents === true && watchOptions.bookmarks,
    });
    if (!ended) cancelTimer = server.environment.setTimer(timeoutUs, guarded.closed);
    return { stop: end };
  }
  const cache = server.cacheOf(kind);
  yield* cache.untilReady();
  let started: Cancel | Status;
  if (initialState) {
    const late =
      version === '' || version === '0'
        ? version === '0'
          ? undefined
          : yield* cache.untilConsistent()
        : yield* cache.untilFresh(Number(version));
    if (late !== undefined) refuse(late);
    started = cache.watchWithInitialState(guarded, watchOptions, watchOptions.bookmarks);
  } else if (version === '' || version === '0') {
    const late = version === '' ? yield* cache.untilConsistent() : undefined;
    if (late !== undefined) refuse(late);
    started = cache.watch(guarded, { ...watchOptions, afterRevision: cache.revision });
  } else started = cache.watch(guarded, watchOptions);
  if (typeof started !== 'function') {
    // A watch that is too old has begun as far as HTTP is concerned: the refusal comes as its only event.
    if (started.reason === 'Expired' || started.reason === 'Gone') {
      sink.send({ type: 'ERROR', object: started });
      sink.closed();
      return { stop: () => {} };
    }
    refuse(started);
  }
  cancel = started;
  cancelTimer = server.environment.setTimer(timeoutUs, () => {
    cache.lastBookmark(guarded);
    guarded.closed();
  });
  return { stop: end };
}

/** Events of kinds that have several forms come in the form that was asked for. */
function inOwnVersion(kind: ServedKind, convert: CacheWatchOptions['convert']): CacheWatchOptions['convert'] {
  const toVersion = conversionTo(kind.apiVersion, kind.kind);
  if (toVersion === undefined) return convert;
  return (event, isFirst) => {
    const object = event.object as UntypedObject;
    const own =
      object.kind === kind.kind && event.type !== 'BOOKMARK' && object.apiVersion !== kind.apiVersion
        ? ({ ...event, object: toVersion(object) } as WatchEvent)
        : event;
    return convert === undefined ? own : convert(own, isFirst);
  };
}
