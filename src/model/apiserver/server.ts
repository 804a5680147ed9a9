import type { Kind } from '../api/kind.ts';
import type { ApiObject, Status } from '../api/object.ts';
import type { ApiRequest, ApiResponse, WatchEvent } from '../api/request.ts';
import { failure } from '../api/status.ts';
import type { Facts } from '../facts.ts';
import type { Program } from '../../sim/host.ts';
import type { Process } from '../../sim/process.ts';
import { type ServerCall, serveRpc } from '../../sim/rpc.ts';
import type { Task } from '../../sim/task.ts';
import { MINUTE, SECOND, type Micros } from '../../sim/time.ts';
import { bootstrapObjects } from './bootstrap.ts';
import { compactor } from './compactor.ts';
import { ApiServerCore } from './core.ts';
import type { ServerEnvironment } from './environment.ts';
import { ProcessConnector } from './node-connector.ts';
import { Presence, type PresenceStore } from './presence.ts';
import { RequestGate, turnedAway } from './request-gate.ts';
import type { AdmissionPlugin, Authorizer, ServerOptions } from './server-context.ts';
import type { Storage, StorageWatchSink } from './storage.ts';
import type { WatchHandle } from './watch.ts';
import { WebhookClient } from './webhook-client.ts';

/** A storage that also offers what the compactor needs; the in-memory one does not, and then nothing is compacted. */
export interface ServerStorage extends Storage {
  readonly compaction?: CompactionStore;
  readonly presence?: PresenceStore;
}

/** The two calls of the compact_rev_key protocol. */
export interface CompactionStore {
  /** Puts `value` under the key if its version is `version`; else answers the current version. */
  readonly swap: (
    key: string,
    version: number,
    value: string,
  ) => Task<{ readonly swapped: boolean; readonly version: number; readonly revision: number } | undefined>;
  readonly compact: (revision: number) => Task<boolean>;
}

export interface ApiServerOptions {
  /** Program name: 'api-0'. */
  readonly name: string;
  /** Address it listens on: the host's name. */
  readonly address: string;
  readonly port?: string;
  /** IP under which clients inside of the cluster find it; without one it is not announced. */
  readonly advertiseAddress?: string;
  readonly storage: (process: Process) => ServerStorage;
  readonly kinds?: readonly Kind[];
  readonly admission?: readonly AdmissionPlugin[];
  readonly authorizer?: Authorizer;
  readonly options?: ServerOptions;
  readonly config?: Partial<ApiServerConfig>;
  readonly facts: Facts;
}

export interface ApiServerConfig {
  /** --request-timeout. */
  readonly requestTimeoutUs: Micros;
  /** Upstream endpoints/handlers requestTimeoutUpperBound: writes end earlier. */
  readonly writeTimeoutUs: Micros;
  /** --etcd-compaction-interval; 0: this server never compacts. */
  readonly compactionIntervalUs: Micros;
  /** How often etcd is asked for the progress of idle watches, so that bookmarks move on. */
  readonly progressIntervalUs: Micros;
  /** CPU of one request that is let in; of taking it off the socket, identifying it and finding its queue; of each object in its answer; of one frame. */
  readonly requestCostUs: Micros;
  readonly filterCostUs: Micros;
  readonly itemCostUs: Micros;
  readonly frameCostUs: Micros;
}

export const DEFAULT_API_SERVER_CONFIG: ApiServerConfig = {
  requestTimeoutUs: 60 * SECOND,
  writeTimeoutUs: 34 * SECOND,
  compactionIntervalUs: 5 * MINUTE,
  progressIntervalUs: MINUTE,
  // A server core answers some ten thousand small requests a second.
  requestCostUs: 70,
  filterCostUs: 10,
  // JSON of an object of one or two kilobytes; a list holds its CPU for all of them.
  itemCostUs: 8,
  frameCostUs: 5,
};

/** kube-apiserver as a program: serves `call('api', ApiRequest)` and `open('watch', ApiRequest)` over an ApiServerCore. */
export function apiServer(options: ApiServerOptions): Program {
  return { name: options.name, restartAfterUs: SECOND, start: (process) => new ApiServer(process, options).start() };
}

class ApiServer {
  readonly #process: Process;
  readonly #options: ApiServerOptions;
  readonly #config: ApiServerConfig;
  readonly #core: ApiServerCore;
  readonly #storage: ServerStorage;
  readonly #gate: RequestGate;
  /** Watches that have events to send at the end of the current resume. */
  #pending: Watch[] = [];

  constructor(process: Process, options: ApiServerOptions) {
    this.#process = process;
    this.#options = options;
    this.#config = { ...DEFAULT_API_SERVER_CONFIG, ...options.config };
    this.#storage = options.storage(process);
    this.#core = new ApiServerCore({
      storage: this.#flushing(this.#storage),
      environment: this.#environment(),
      ...(options.kinds === undefined ? {} : { kinds: options.kinds }),
      ...(options.admission === undefined ? {} : { admission: options.admission }),
      ...(options.authorizer === undefined ? {} : { authorizer: options.authorizer }),
      options: { ...options.options, connector: new ProcessConnector(process) },
      webhooks: new WebhookClient(process),
    });
    this.#gate = new RequestGate(process, this.#core);
  }

  start(): void {
    this.#process.spawn('start', this.#start());
    if (this.#config.compactionIntervalUs > 0 && this.#storage.compaction !== undefined) {
      this.#process.spawn('compactor', compactor(this.#process, this.#storage.compaction, this.#config.compactionIntervalUs));
    }
  }

  /** Fills the watch caches, then takes requests: a load balancer sends nothing to a server whose /readyz fails. */
  *#start(): Task<void> {
    const { address, port, advertiseAddress } = this.#options;
    const caches = this.#core.registry
      .all()
      .filter((kind) => kind.storagePath !== '')
      .map((kind) => this.#core.cacheOf(kind));
    for (const cache of caches) yield* cache.untilReady();
    const handlers = {
      call: (_method: string, body: unknown, call: ServerCall) => this.#serve(body as ApiRequest, call),
      open: (_method: string, body: unknown, call: ServerCall) => this.#serveWatch(body as ApiRequest, call),
    };
    serveRpc(this.#process, address, port ?? '6443', handlers, this.#config.frameCostUs);
    if (advertiseAddress !== undefined) {
      this.#process.world.network.bindAddress(advertiseAddress, this.#process.host);
      serveRpc(this.#process, advertiseAddress, port ?? '6443', handlers, this.#config.frameCostUs);
    }
    this.#progressLater();
    yield* bootstrapObjects(this.#process, this.#core);
    const store = this.#storage.presence;
    if (advertiseAddress === undefined || store === undefined) return;
    new Presence({ process: this.#process, core: this.#core, store, address: advertiseAddress, port: Number(port ?? '6443') }).start();
  }

  #progressLater(): void {
    this.#process.after(this.#config.progressIntervalUs, () => {
      this.#storage.requestProgress();
      this.#progressLater();
    });
  }

  #serve(request: ApiRequest, call: ServerCall): void {
    this.#process.charge(this.#config.filterCostUs);
    let timer = 0;
    let answered = false;
    let giveUp = (): void => {};
    let release = (): void => {};
    const answer = (response: ApiResponse) => {
      if (answered) return;
      answered = true;
      if (timer !== 0) this.#process.cancel(timer);
      this.#emit(request, response);
      const items = (response.object as { readonly items?: readonly unknown[] }).items?.length ?? 0;
      if (items > 0) this.#process.charge(items * this.#config.itemCostUs);
      call.answer(response, 400 + 400 * items);
      release();
    };
    const waiting = this.#gate.handle(request, {
      run: (done) => {
        release = done;
        this.#process.charge(this.#config.requestCostUs);
        const run = this.#process.spawn('request', this.#core.handle(request), answer);
        giveUp = () => run.cancel();
      },
      reject: (retryAfter) => answer(turnedAway(retryAfter)),
    });
    if (answered) return;
    const isRead = request.verb === 'get' || request.verb === 'list';
    timer = this.#process.after(isRead ? this.#config.requestTimeoutUs : this.#config.writeTimeoutUs, () => {
      waiting();
      giveUp();
      answer({ code: 504, object: requestTimedOut() });
    });
    call.onCancel = () => {
      if (answered) return;
      answered = true;
      this.#process.cancel(timer);
      waiting();
      giveUp();
      release();
    };
  }

  #serveWatch(request: ApiRequest, call: ServerCall): void {
    this.#process.charge(this.#config.filterCostUs);
    const watch = new Watch(call, (one) => this.#pending.push(one));
    const sink = { send: (event: WatchEvent) => watch.send(event), closed: () => watch.closed() };
    let giveUp = (): void => {};
    let release: (() => void) | undefined;
    const ended = (answer: ApiResponse): void => {
      this.#emit(request, answer);
      call.end(answer);
    };
    const waiting = this.#gate.handle(request, {
      // A watch holds its seat until it has begun.
      run: (done) => {
        release = done;
        this.#process.charge(this.#config.requestCostUs);
        const run = this.#process.spawn('watch', this.#core.watch(request, sink), (answer) => {
          if ('stop' in answer) watch.started(answer);
          else ended(answer);
          this.#flush();
          release?.();
          release = undefined;
        });
        giveUp = () => run.cancel();
      },
      reject: (retryAfter) => ended(turnedAway(retryAfter)),
    });
    call.onCancel = () => {
      waiting();
      giveUp();
      watch.stop();
      release?.();
      release = undefined;
    };
  }

  #flush(): void {
    if (this.#pending.length === 0) return;
    const pending = this.#pending;
    this.#pending = [];
    for (const watch of pending) watch.flush();
  }

  #environment(): ServerEnvironment {
    const process = this.#process;
    return {
      now: () => process.wall(),
      random: () => process.random.u32(),
      setTimer: (delayUs, callback) => {
        const timer = process.after(delayUs, () => {
          callback();
          this.#flush();
        });
        return () => process.cancel(timer);
      },
      spawn: (task) => {
        process.spawn('cache', task);
      },
    };
  }

  /** The storage, with every batch of its events followed by the sending of what they put into watches: one message a watch, not an event. */
  #flushing(storage: ServerStorage): Storage {
    return {
      get: (key) => storage.get(key),
      list: (prefix, options) => storage.list(prefix, options),
      create: (key, value, ttl) => storage.create(key, value, ttl),
      compareAndPut: (key, revision, value, ttl) => storage.compareAndPut(key, revision, value, ttl),
      compareAndDelete: (key, revision) => storage.compareAndDelete(key, revision),
      currentRevision: () => storage.currentRevision(),
      requestProgress: () => storage.requestProgress(),
      watch: (prefix, fromRevision, sink) => {
        const flushing: StorageWatchSink = {
          events: (events, revision) => {
            sink.events(events, revision);
            this.#flush();
          },
          progress: (revision) => {
            sink.progress(revision);
            this.#flush();
          },
          closed: (why) => {
            sink.closed(why);
            this.#flush();
          },
        };
        return storage.watch(prefix, fromRevision, flushing);
      },
    };
  }

  #emit(request: ApiRequest, response: ApiResponse): void {
    const { facts, name } = this.#options;
    if (response.code >= 500) {
      facts.apiFailure.emit(name, request.user.name, request.verb, request.resource, keyOfRequest(request, undefined), response.code);
      return;
    }
    if (response.code >= 300 || !facts.apiWrite.on || request.verb === 'get' || request.verb === 'list' || request.verb === 'watch') return;
    const object = response.object as ApiObject;
    const version = Number(object.metadata?.resourceVersion ?? 0);
    facts.apiWrite.emit(name, request.user.name, request.verb, request.resource, keyOfRequest(request, object), version);
  }
}

/** One client's watch: gathers the events of a resume and sends them as one message. */
class Watch {
  readonly #call: ServerCall;
  readonly #queue: (watch: Watch) => void;
  #events: WatchEvent[] = [];
  #handle: WatchHandle | undefined;
  #ended = false;
  #endAfterFlush = false;

  constructor(call: ServerCall, queue: (watch: Watch) => void) {
    this.#call = call;
    this.#queue = queue;
  }

  started(handle: WatchHandle): void {
    this.#handle = handle;
    if (this.#ended) handle.stop();
  }

  send(event: WatchEvent): void {
    if (this.#ended) return;
    if (this.#events.length === 0 && !this.#endAfterFlush) this.#queue(this);
    this.#events.push(event);
  }

  closed(): void {
    if (this.#ended || this.#endAfterFlush) return;
    this.#endAfterFlush = true;
    if (this.#events.length === 0) this.#queue(this);
  }

  flush(): void {
    if (this.#ended) return;
    if (this.#events.length > 0) {
      const events = this.#events;
      this.#events = [];
      // A reader that does not keep up is cut off, as upstream's cacheWatcher does when its buffer is full.
      if (!this.#call.send(events, 400 * events.length)) this.#endAfterFlush = true;
    }
    if (this.#endAfterFlush) {
      this.stop();
      this.#call.end(undefined);
    }
  }

  stop(): void {
    this.#ended = true;
    this.#handle?.stop();
  }
}

/** Upstream finisher.finishRequest when the context of the request ended first. */
function requestTimedOut(): Status {
  return failure(504, 'Timeout', 'Timeout: request did not complete within requested timeout - context deadline exceeded', {});
}

function keyOfRequest(request: ApiRequest, object: ApiObject | undefined): string {
  const name = request.name ?? object?.metadata?.name ?? request.object?.metadata.name ?? '';
  return request.namespace === undefined || request.namespace === '' ? name : `${request.namespace}/${name}`;
}
