import type { ApiList, ApiObject, Status } from '../api/object.ts';
import type { RequestOptions, WatchEvent } from '../api/request.ts';
import { MILLISECOND, MINUTE, SECOND, type Micros } from '../../sim/time.ts';
import { Backoff } from './backoff.ts';
import type { Resource } from './resources.ts';
import { type ApiFailure, failureOfStatus, isExpired, isTooLargeResourceVersion, isTooManyRequests } from './result.ts';
import type { ApiTransport } from './transport.ts';

export interface ReflectorOptions {
  /** '' or absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Gate WatchListClient: the first state comes as a stream (default since 1.35) instead of a list at resourceVersion 0. */
  readonly watchList?: boolean;
}

/** Who keeps what the reflector brings. */
export interface ReflectorSink<T extends ApiObject> {
  /** The whole state at a version: after a (re)list. */
  replace(items: readonly T[], resourceVersion: string): void;
  /** Changes in order. */
  apply(events: readonly WatchEvent<T>[]): void;
}

/** Upstream cache.defaultMinWatchTimeout: a watch lasts 5 to 10 minutes. */
const WATCH_TIMEOUT_MIN: Micros = 5 * MINUTE;
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/**
 * Keeps a local copy of a resource up to date: client-go tools/cache/reflector.go. Lists (or streams) the state, watches from its
 * version, resumes broken watches from the last version seen, lists again after 410; backs off 800 ms to 30 s.
 */
export class Reflector<T extends ApiObject> {
  readonly #transport: ApiTransport;
  readonly #resource: Resource<T>;
  readonly #options: ReflectorOptions;
  readonly #sink: ReflectorSink<T>;
  readonly #backoff: Backoff;
  #lastVersion = '';
  /** The last version cannot be served (410, or ahead of a lagging server): ask for the newest instead. */
  #versionUnavailable = false;
  readonly #useWatchList: boolean;
  #stopped = false;
  #timer = 0;
  #cancel: (() => void) | undefined;
  #watchStarted: Micros = 0;
  #watchEvents = 0;
  /** State that a WatchList stream has brought so far; undefined outside of its first phase. */
  #initial: Map<string, T> | undefined;

  constructor(transport: ApiTransport, resource: Resource<T>, options: ReflectorOptions, sink: ReflectorSink<T>) {
    this.#transport = transport;
    this.#resource = resource;
    this.#options = options;
    this.#sink = sink;
    this.#useWatchList = options.watchList ?? false;
    this.#backoff = new Backoff(transport.process, {
      initialUs: 800 * MILLISECOND,
      maxUs: 30 * SECOND,
      factor: 2,
      jitterPercent: 100,
      resetUs: 2 * MINUTE,
    });
  }

  /** Version up to which the local copy is known to be. */
  get lastSyncResourceVersion(): string {
    return this.#lastVersion;
  }

  start(): void {
    this.#listAndWatch();
  }

  stop(): void {
    this.#stopped = true;
    this.#transport.process.cancel(this.#timer);
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #listAndWatch(): void {
    if (this.#stopped) return;
    if (this.#useWatchList) this.#streamInitialState();
    else this.#listOnce();
  }

  /** Lists at the last version known, at the beginning at whatever the server's cache holds ('0'). */
  #listOnce(): void {
    if (this.#versionUnavailable) this.#list('', true);
    else this.#list(this.#lastVersion === '' ? '0' : this.#lastVersion, true);
  }

  #list(resourceVersion: string, mayRetry: boolean): void {
    const request = {
      ...this.#base(),
      verb: 'list' as const,
      options: { ...this.#selectors(), ...(resourceVersion === '' ? {} : { resourceVersion }) },
    };
    this.#cancel = this.#transport.requestThen(request, {}, (result) => {
      this.#cancel = undefined;
      if (this.#stopped) return;
      if (!result.ok) {
        // Upstream: an expired or future version makes one immediate second try at the newest state.
        if (mayRetry && (isExpired(result) || isTooLargeResourceVersion(result))) {
          this.#versionUnavailable = true;
          this.#list('', false);
        } else this.#again();
        return;
      }
      const list = result.response.object as unknown as ApiList<T>;
      this.#versionUnavailable = false;
      this.#lastVersion = list.metadata.resourceVersion ?? '';
      this.#sink.replace(list.items, this.#lastVersion);
      this.#watch();
    });
  }

  /** Upstream Reflector.watchList (KEP-3157). */
  #streamInitialState(): void {
    this.#initial = new Map();
    const resourceVersion = this.#versionUnavailable ? '' : this.#lastVersion;
    this.#openWatch({
      ...(resourceVersion === '' ? {} : { resourceVersion }),
      sendInitialEvents: true,
      resourceVersionMatch: 'NotOlderThan',
    });
  }

  #watch(): void {
    this.#openWatch({ resourceVersion: this.#lastVersion });
  }

  #openWatch(versions: RequestOptions): void {
    const process = this.#transport.process;
    const timeoutSeconds = Math.floor((WATCH_TIMEOUT_MIN + process.random.below(WATCH_TIMEOUT_MIN)) / SECOND);
    const options: RequestOptions = { ...this.#selectors(), ...versions, allowWatchBookmarks: true, timeoutSeconds };
    this.#watchStarted = process.mono();
    this.#watchEvents = 0;
    let ended = false;
    const end = (failure: ApiFailure | undefined) => {
      if (ended || this.#stopped) return;
      ended = true;
      this.#cancel = undefined;
      this.#watchEnded(failure);
    };
    const cancel = this.#transport.watch(
      { ...this.#base(), verb: 'watch', options },
      {
        onEvents: (events) => {
          if (ended || this.#stopped) return;
          const failure = this.#take(events as readonly WatchEvent<T>[]);
          if (failure !== undefined) {
            cancel();
            end(failure);
          }
        },
        onEnd: end,
      },
    );
    // A refusal may have come during the call itself and started the next step already.
    if (!ended) this.#cancel = cancel;
  }

  /** Takes events; answers the failure of an ERROR event. */
  #take(events: readonly WatchEvent<T>[]): ApiFailure | undefined {
    this.#watchEvents += events.length;
    let failure: ApiFailure | undefined;
    let good = events;
    for (let i = 0; i < events.length; i++) {
      const event = events[i] as WatchEvent<T>;
      if (event.type === 'ERROR') {
        failure = failureOfStatus((event.object as Status).code ?? 500, event.object as Status);
        good = events.slice(0, i);
        break;
      }
    }
    if (good.length === 0) return failure;
    if (this.#initial === undefined) this.#applyGood(good);
    else this.#takeInitial(good, this.#initial);
    return failure;
  }

  #applyGood(events: readonly WatchEvent<T>[]): void {
    const last = events[events.length - 1] as WatchEvent<T>;
    this.#lastVersion = (last.object as ApiObject).metadata.resourceVersion ?? this.#lastVersion;
    this.#sink.apply(events);
  }

  #takeInitial(events: readonly WatchEvent<T>[], state: Map<string, T>): void {
    for (let i = 0; i < events.length; i++) {
      const event = events[i] as WatchEvent<T>;
      const object = event.object as T;
      const key = objectKey(object);
      if (event.type === 'ADDED' || event.type === 'MODIFIED') state.set(key, object);
      else if (event.type === 'DELETED') state.delete(key);
      else if (object.metadata.annotations?.[INITIAL_EVENTS_END] === 'true') {
        this.#initial = undefined;
        this.#versionUnavailable = false;
        this.#lastVersion = object.metadata.resourceVersion ?? '';
        const keys = [...state.keys()].sort();
        this.#sink.replace(
          keys.map((k) => state.get(k) as T),
          this.#lastVersion,
        );
        if (i + 1 < events.length) this.#applyGood(events.slice(i + 1));
        return;
      }
    }
  }

  #watchEnded(failure: ApiFailure | undefined): void {
    const process = this.#transport.process;
    if (this.#initial !== undefined) {
      this.#initial = undefined;
      this.#initialStreamEnded(failure);
      return;
    }
    if (failure === undefined || failure.reason === 'ConnectionLost') {
      // "very short watch: Unexpected watch close": starts over with a list after a back-off.
      if (this.#wasVeryShort()) this.#again();
      else this.#watch();
      return;
    }
    if (failure.reason === 'ConnectionRefused' || isTooManyRequests(failure)) {
      this.#timer = process.after(this.#backoff.delay(), () => this.#watch());
      return;
    }
    this.#again();
  }

  /** The stream ended before the whole first state had come: Reflector.watchList and its callers. */
  #initialStreamEnded(failure: ApiFailure | undefined): void {
    if (failure === undefined || failure.reason === 'ConnectionLost') {
      if (this.#wasVeryShort()) this.#listOnce();
      else this.#listAndWatch();
    } else if (isExpired(failure) || isTooLargeResourceVersion(failure)) {
      this.#versionUnavailable = true;
      this.#listAndWatch();
    } else if (failure.reason === 'ConnectionRefused' || isTooManyRequests(failure)) this.#again();
    // "falling back to the standard LIST/WATCH semantics because making progress is better than deadlocking", for this time.
    else this.#listOnce();
  }

  #wasVeryShort(): boolean {
    return this.#transport.process.mono() - this.#watchStarted < SECOND && this.#watchEvents === 0;
  }

  /** Starts over after a back-off (upstream BackoffUntil around ListAndWatch). */
  #again(): void {
    this.#timer = this.#transport.process.after(this.#backoff.delay(), () => this.#listAndWatch());
  }

  #base(): { readonly group: string; readonly version: string; readonly resource: string; readonly namespace?: string } {
    const { group, version, resource } = this.#resource;
    const { namespace } = this.#options;
    return { group, version, resource, ...(namespace === undefined || namespace === '' ? {} : { namespace }) };
  }

  #selectors(): RequestOptions {
    const { labelSelector, fieldSelector } = this.#options;
    return { ...(labelSelector === undefined ? {} : { labelSelector }), ...(fieldSelector === undefined ? {} : { fieldSelector }) };
  }
}

/** 'namespace/name', or 'name' of a cluster-wide object: cache.MetaNamespaceKeyFunc. */
export function objectKey(object: ApiObject): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined || namespace === '' ? (name ?? '') : `${namespace}/${name ?? ''}`;
}

/** The two parts of an {@link objectKey}. */
export function splitKey(key: string): { readonly namespace: string; readonly name: string } {
  const at = key.indexOf('/');
  return at < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, at), name: key.slice(at + 1) };
}
