import type { ApiRequest, ApiResponse, UserInfo } from '../api/request.ts';
import type { Status } from '../api/object.ts';
import type { Facts } from '../facts.ts';
import type { Endpoint } from '../../sim/network.ts';
import type { Process } from '../../sim/process.ts';
import { RpcClient, type ClientStream, type RpcError } from '../../sim/rpc.ts';
import { type Task, suspend } from '../../sim/task.ts';
import { SECOND, type Micros } from '../../sim/time.ts';
import { TokenBucket } from './rate-limiter.ts';
import { type ApiFailure, failureOfRpc, failureOfStatus } from './result.ts';

export interface TransportOptions {
  /** Every API server of the cluster (address = host name, port '6443'). */
  readonly servers: readonly Endpoint[];
  readonly user: UserInfo;
  /** 'kubelet', 'kube-controller-manager', 'kubectl'…: the default field manager. */
  readonly userAgent: string;
  /** Index in `servers` tried first at every new connection (kubeadm points manager and scheduler to the local one). Absent: any, by draw. */
  readonly preferred?: number;
  /** Client-side rate limit (rest.Config QPS, Burst); absent: none. */
  readonly qps?: number;
  readonly burst?: number;
  /** Time-out of every call unless the call states its own (rest.Config.Timeout); absent: none. */
  readonly timeoutUs?: Micros;
  /** Give up opening a connection after this long and try the next server. */
  readonly connectTimeoutUs?: Micros;
  readonly facts?: Facts;
}

/** A request without who asks: the transport adds that. */
export type ClientRequest = Omit<ApiRequest, 'user' | 'userAgent'>;

export type TransportResult = { readonly ok: true; readonly response: ApiResponse } | ApiFailure;

export interface WatchHandlers {
  /** One message of the stream: events in order. */
  onEvents(events: readonly unknown[]): void;
  /** The stream ended: orderly (undefined), refused by a Status, or because the connection is gone. Called once, not after cancel. */
  onEnd(failure: ApiFailure | undefined): void;
}

/** Upstream rest.Request.maxRetries. */
const RETRIES_MAX = 10;
/** A load balancer's health check finds a dead server sooner than a dialer's 30 s. */
const CONNECT_TIMEOUT: Micros = 5 * SECOND;

/**
 * How a program reaches the API: one multiplexed connection to one server, kept until it breaks, then another (HTTP/2 behind a load
 * balancer). Retries as client-go's rest.Request does: 429 and 5xx that carry Retry-After, and lost connections of GETs only.
 */
export class ApiTransport {
  readonly process: Process;
  readonly options: TransportOptions;
  readonly #clients: readonly RpcClient[];
  readonly #bucket: TokenBucket | undefined;
  #current: number;

  constructor(process: Process, options: TransportOptions) {
    this.process = process;
    this.options = options;
    const connect = { connectTimeoutUs: options.connectTimeoutUs ?? CONNECT_TIMEOUT };
    this.#clients = options.servers.map((endpoint) => new RpcClient(process, endpoint, connect));
    this.#clients.forEach((client, index) => {
      client.onDisconnect = () => {
        if (index === this.#current) this.#choose(index);
      };
    });
    this.#bucket = options.qps === undefined ? undefined : new TokenBucket(options.qps, options.burst ?? options.qps * 2);
    this.#current = options.preferred ?? process.random.below(Math.max(1, options.servers.length));
  }

  /** Name of the host whose API server this client sticks to now. */
  get server(): string {
    return this.options.servers[this.#current]?.address ?? '';
  }

  /** Index of that server in the options. */
  get serverIndex(): number {
    return this.#current;
  }

  /** Drops the connection and chooses anew: what kubelets do after failing heartbeats (closeAllConns). */
  closeConnections(): void {
    const index = this.#current;
    this.#clients[index]?.disconnect();
    this.#choose(index);
  }

  /** One call with client-go's retries. */
  *request(request: ClientRequest, options: { readonly timeoutUs?: Micros; readonly sizeBytes?: number } = {}): Task<TransportResult> {
    return yield* suspend<TransportResult>((resolve) => this.requestThen(request, options, resolve));
  }

  /** As {@link request}, with a callback. The answer gives the call up. */
  requestThen(
    request: ClientRequest,
    options: { readonly timeoutUs?: Micros; readonly sizeBytes?: number },
    done: (result: TransportResult) => void,
  ): () => void {
    const call = new Call(this, request, options.timeoutUs ?? this.options.timeoutUs, options.sizeBytes, done);
    const wait = this.#bucket?.reserve(this.process.mono()) ?? 0;
    if (wait > 0) call.later(wait);
    else call.attempt();
    return () => call.giveUp();
  }

  /** Opens a watch on the current server, or on the next that takes a connection. */
  watch(request: ClientRequest, handlers: WatchHandlers): () => void {
    const full = this.full(request);
    let stream: ClientStream | undefined;
    let ended = false;
    let tries = 0;
    const open = () => {
      const index = this.#current;
      stream = (this.#clients[index] as RpcClient).open(
        'watch',
        full,
        {
          onMessage: (body) => {
            if (!ended) handlers.onEvents(body as readonly unknown[]);
          },
          onEnd: (end) => {
            if (ended) return;
            if (end.by === 'connection' && isUnsent(end.error) && ++tries < this.#clients.length) {
              this.failedOver(index);
              open();
              return;
            }
            ended = true;
            if (end.by === 'server') {
              const answer = end.body as ApiResponse | Status | undefined;
              handlers.onEnd(answer === undefined ? undefined : failureOfEnd(answer));
            } else {
              this.failedOver(index);
              handlers.onEnd(failureOfRpc(end.error, this.options.servers[index]?.address ?? ''));
            }
          },
        },
        { label: `watch ${request.resource}` },
      );
    };
    open();
    return () => {
      if (ended) return;
      ended = true;
      stream?.cancel();
    };
  }

  /** @internal */
  full(request: ClientRequest): ApiRequest {
    return { ...request, user: this.options.user, userAgent: this.options.userAgent };
  }

  /** @internal */
  client(index: number): RpcClient {
    return this.#clients[index] as RpcClient;
  }

  /** @internal The server of that index took no connection: chooses another one, unless somebody did already. */
  failedOver(index: number): void {
    if (index === this.#current && this.#clients[index]?.connected !== true) this.#choose(index);
  }

  /** A load balancer gives a broken connection's successor to any other server; a preferred one comes first unless it is the broken one. */
  #choose(broken: number): void {
    const count = this.#clients.length;
    if (count < 2) return;
    const { preferred } = this.options;
    if (preferred !== undefined && broken !== preferred) this.#current = preferred;
    else this.#current = (broken + 1 + this.process.random.below(count - 1)) % count;
  }
}

/** Nothing was taken: the call may go to another server. */
function isUnsent(error: RpcError): boolean {
  return error === 'refused' || error === 'connect-timeout';
}

function failureOfEnd(answer: ApiResponse | Status): ApiFailure {
  if ('object' in answer) return failureOfStatus(answer.code, answer.object as Status);
  return failureOfStatus(answer.code ?? 500, answer);
}

/** One call with its retries. */
class Call {
  readonly #transport: ApiTransport;
  readonly #request: ApiRequest;
  readonly #sizeBytes: number | undefined;
  readonly #done: (result: TransportResult) => void;
  readonly #deadline: Micros | undefined;
  #retries = 0;
  #serversTried = 0;
  #timer = 0;
  #cancel: (() => void) | undefined;

  constructor(
    transport: ApiTransport,
    request: ClientRequest,
    timeoutUs: Micros | undefined,
    sizeBytes: number | undefined,
    done: (result: TransportResult) => void,
  ) {
    this.#transport = transport;
    this.#request = transport.full(request);
    this.#sizeBytes = sizeBytes;
    this.#done = done;
    this.#deadline = timeoutUs === undefined ? undefined : transport.process.mono() + timeoutUs;
  }

  later(delay: Micros): void {
    const left = this.#left();
    if (left !== undefined && left < delay) {
      // client-go's rate limiter refuses at once when the wait would exceed the deadline; a retry sleeps until it.
      this.#timer = this.#transport.process.after(Math.max(0, left), () => this.#finish(failureOfRpc('timeout', '')));
      return;
    }
    this.#timer = this.#transport.process.after(delay, () => this.attempt());
  }

  attempt(): void {
    const index = this.#transport.serverIndex;
    const left = this.#left();
    if (left !== undefined && left <= 0) {
      this.#finish(failureOfRpc('timeout', ''));
      return;
    }
    this.#cancel = this.#transport
      .client(index)
      .callThen(
        'api',
        this.#request,
        { ...(left === undefined ? {} : { timeoutUs: left }), ...(this.#sizeBytes === undefined ? {} : { sizeBytes: this.#sizeBytes }) },
        (result) => {
          this.#cancel = undefined;
          if (result.ok) this.#answered(result.value as ApiResponse);
          else this.#failed(result.error, index);
        },
      );
  }

  giveUp(): void {
    this.#transport.process.cancel(this.#timer);
    this.#cancel?.();
  }

  #answered(response: ApiResponse): void {
    if (response.code < 400) {
      this.#finish({ ok: true, response });
      return;
    }
    const status = response.object as Status;
    const retryAfter = status.details?.retryAfterSeconds ?? 0;
    // Upstream rest.withRetry: only an answer with a Retry-After header is tried again, 429 or any 5xx.
    if (retryAfter > 0 && (response.code === 429 || response.code >= 500) && this.#retries++ < RETRIES_MAX) {
      this.later(retryAfter * SECOND);
      return;
    }
    this.#finish(failureOfStatus(response.code, status));
  }

  #failed(error: RpcError, index: number): void {
    const transport = this.#transport;
    if (error !== 'timeout') transport.failedOver(index);
    if (isUnsent(error) && ++this.#serversTried < transport.options.servers.length) {
      this.attempt();
      return;
    }
    const isRead = this.#request.verb === 'get' || this.#request.verb === 'list';
    if (error === 'closed' && isRead && this.#retries++ < RETRIES_MAX) {
      this.later(SECOND);
      return;
    }
    this.#finish(failureOfRpc(error, transport.options.servers[index]?.address ?? ''));
  }

  #finish(result: TransportResult): void {
    if (!result.ok && result.code === 0) {
      const { facts, user } = this.#transport.options;
      const r = this.#request;
      facts?.apiFailure.emit(
        '',
        user.name,
        r.verb,
        r.resource,
        r.namespace === undefined ? (r.name ?? '') : `${r.namespace}/${r.name ?? ''}`,
        0,
      );
    }
    this.#done(result);
  }

  #left(): Micros | undefined {
    return this.#deadline === undefined ? undefined : this.#deadline - this.#transport.process.mono();
  }
}
