import type { Endpoint } from '../../sim/network.ts';
import type { Process } from '../../sim/process.ts';
import { RpcClient, type RpcResult } from '../../sim/rpc.ts';
import { MILLISECOND, type Micros, SECOND } from '../../sim/time.ts';
import type { Cancel, Task } from '../../sim/task.ts';
import type {
  CallMetadata,
  CompactionRequest,
  DeleteRangeRequest,
  EtcdRequest,
  LeaseGrantResponse,
  LeaseId,
  LeaseKeepAliveResponse,
  PutRequest,
  RangeRequest,
  ResponseTo,
  TxnRequest,
} from './api.ts';
import { type EtcdError, etcdError, GrpcCode, isError, type Result } from './errors.ts';
import { messageBytes } from './server/message-bytes.ts';
import { EtcdWatch, type WatchOptions, type WatchSink } from './watch-client.ts';

/** How a client behaves; defaults are clientv3's. */
export interface EtcdClientOptions {
  /** Tried in this order, beginning at `first`; the client sticks to one until it breaks. */
  readonly endpoints: readonly Endpoint[];
  readonly first?: number;
  /** Per call; undefined waits for ever, as clientv3 does without a context deadline. */
  readonly timeoutUs?: Micros;
  readonly dialTimeoutUs?: Micros;
  readonly keepAliveUs?: Micros;
  readonly metadata?: CallMetadata;
  /** Do not go to another endpoint: a client that is pinned to its member. */
  readonly pinned?: boolean;
}

/** clientv3: back-off between attempts, with up to as much jitter. */
const BACKOFF_US = 25 * MILLISECOND;
const ATTEMPTS_MAX = 100;
/**
 * grpc/backoff.DefaultConfig.BaseDelay: no new connection sooner after one that failed; calls fail at once meanwhile. Its growth to 120 s is left
 * out: a trial's calm phases are too short for it.
 */
const REDIAL_US = 1 * SECOND;

/**
 * A client of the cluster, as clientv3 is one: sticks to an endpoint and goes to the next when its connection breaks; repeats what is safe
 * to repeat (reads always, writes only if the request surely never reached a server). Calls are tasks; errors are results.
 */
export class EtcdClient {
  readonly #process: Process;
  readonly #options: EtcdClientOptions;
  readonly #rpcs: readonly RpcClient[];
  /** Before when an endpoint that could not be reached is not dialled again, by this host's clock. */
  readonly #redialAt = new Map<RpcClient, Micros>();
  #at: number;
  #token: string | undefined;

  constructor(process: Process, options: EtcdClientOptions) {
    this.#process = process;
    this.#options = options;
    this.#at = options.first ?? 0;
    this.#token = options.metadata?.token;
    this.#rpcs = options.endpoints.map((endpoint) => {
      const rpc = new RpcClient(process, endpoint, {
        connectTimeoutUs: options.dialTimeoutUs ?? 5 * SECOND,
        ...(options.keepAliveUs === undefined ? {} : { keepAliveUs: options.keepAliveUs }),
      });
      rpc.onDisconnect = (reason) => {
        if (reason === 'refused' || reason === 'connect-timeout') this.#redialAt.set(rpc, process.mono() + REDIAL_US);
        else this.#redialAt.delete(rpc);
        this.moveOn(rpc);
      };
      return rpc;
    });
  }

  /** The endpoint that calls go to now. */
  get endpoint(): Endpoint {
    return this.current.endpoint;
  }

  /** @internal The connection that calls and watches go over now. */
  get current(): RpcClient {
    const rpc = this.#rpcs[this.#at % this.#rpcs.length];
    if (rpc === undefined) throw new Error('EtcdClient: no endpoints');
    return rpc;
  }

  get metadata(): CallMetadata {
    return this.#token === undefined ? (this.#options.metadata ?? {}) : { ...this.#options.metadata, token: this.#token };
  }

  /** @internal How long until the present endpoint may be dialled. A pinned client asks when its caller does. */
  get redialInUs(): Micros {
    const at = this.#redialAt.size === 0 || this.#options.pinned === true ? undefined : this.#redialAt.get(this.current);
    return at === undefined ? 0 : Math.max(0, at - this.#process.mono());
  }

  /** @internal Goes to the next endpoint if calls still go over this connection. */
  moveOn(from: RpcClient): void {
    if (this.#options.pinned !== true && this.current === from) this.#at = (this.#at + 1) % this.#rpcs.length;
  }

  range(request: Omit<RangeRequest, 'type'>): Task<Result<ResponseTo<RangeRequest>>> {
    return this.call({ type: 'range', ...request });
  }

  put(request: Omit<PutRequest, 'type'>): Task<Result<ResponseTo<PutRequest>>> {
    return this.call({ type: 'put', ...request });
  }

  deleteRange(request: Omit<DeleteRangeRequest, 'type'>): Task<Result<ResponseTo<DeleteRangeRequest>>> {
    return this.call({ type: 'deleteRange', ...request });
  }

  txn(request: Omit<TxnRequest, 'type'>): Task<Result<ResponseTo<TxnRequest>>> {
    return this.call({ type: 'txn', ...request });
  }

  *compact(request: Omit<CompactionRequest, 'type'>): Task<Result<ResponseTo<CompactionRequest>>> {
    return yield* this.call({ type: 'compact', ...request });
  }

  *leaseGrant(ttl: number, id: LeaseId = 0n): Task<Result<LeaseGrantResponse>> {
    return yield* this.call({ type: 'leaseGrant', ttl, id });
  }

  *leaseRevoke(id: LeaseId): Task<Result<ResponseTo<{ readonly type: 'leaseRevoke'; readonly id: LeaseId }>>> {
    return yield* this.call({ type: 'leaseRevoke', id });
  }

  *leaseKeepAliveOnce(id: LeaseId): Task<Result<LeaseKeepAliveResponse>> {
    return yield* this.call({ type: 'leaseKeepAlive', id });
  }

  /**
   * Renews a lease every third of its TTL until it is lost or nothing was heard of it for a whole TTL. The value is why it ended.
   */
  *keepAlive(id: LeaseId, ttlSeconds: number): Task<EtcdError> {
    let deadline = this.#process.mono() + ttlSeconds * SECOND;
    for (;;) {
      const answer = yield* this.leaseKeepAliveOnce(id);
      if (!isError(answer)) {
        if (answer.ttl <= 0) return etcdError('leaseNotFound');
        deadline = this.#process.mono() + answer.ttl * SECOND;
        yield* this.#process.sleep(Math.floor((answer.ttl * SECOND) / 3));
        continue;
      }
      if (this.#process.mono() >= deadline) return answer;
      yield* this.#process.sleep(500 * MILLISECOND);
    }
  }

  /** Logs in; later calls carry the token. */
  *authenticate(name: string, password: string): Task<Result<void>> {
    const answer = yield* this.call({ type: 'authenticate', name, password });
    if (isError(answer)) return answer;
    this.#token = answer.token;
  }

  /** Follows a key or range; see {@link EtcdWatch}. */
  watch(options: WatchOptions, sink: WatchSink): EtcdWatch {
    return new EtcdWatch(this.#process, this, options, sink);
  }

  /** Any call, repeated where that is safe. */
  *call<R extends EtcdRequest>(request: R): Task<Result<ResponseTo<R>>> {
    // Yielded as it is: a generator around it would be made for every call.
    return (yield (resolve) => this.callThen(request, resolve)) as Result<ResponseTo<R>>;
  }

  /** As {@link call}, with a callback: for hot paths. The answer gives the call up. */
  callThen<R extends EtcdRequest>(request: R, done: (result: Result<ResponseTo<R>>) => void): Cancel {
    const { timeoutUs } = this.#options;
    const deadline = timeoutUs === undefined ? undefined : this.#process.mono() + timeoutUs;
    const sizeBytes = messageBytes(request);
    let attempts = 0;
    let giveUp: Cancel = () => undefined;
    const attempt = () => {
      const rpc = this.current;
      const left = deadline === undefined ? undefined : deadline - this.#process.mono();
      if (left !== undefined && left <= 0) return done(etcdError('deadlineExceeded'));
      const waitUs = this.redialInUs;
      if (waitUs > 0) {
        // What it would spend on attempts that fail at once, in one piece.
        attempts += Math.ceil(waitUs / (1.5 * BACKOFF_US));
        if (attempts >= ATTEMPTS_MAX) return done(etcdError('connectionRefused'));
        const timer = this.#process.after(left === undefined ? waitUs : Math.min(waitUs, left), attempt);
        giveUp = () => this.#process.cancel(timer);
        return;
      }
      giveUp = rpc.callThen(
        'etcd',
        { request, metadata: this.metadata },
        left === undefined ? { sizeBytes } : { sizeBytes, timeoutUs: left },
        (result) => {
          const outcome = outcomeOf(result as RpcResult<Result<ResponseTo<R>>>);
          if (isError(outcome) && ++attempts < ATTEMPTS_MAX && this.#mayRepeat(request, result, outcome)) {
            this.moveOn(rpc);
            const timer = this.#process.after(BACKOFF_US + this.#process.random.below(BACKOFF_US), attempt);
            giveUp = () => this.#process.cancel(timer);
            return;
          }
          done(outcome);
        },
      );
    };
    attempt();
    return () => giveUp();
  }

  /**
   * Whether another attempt cannot do harm (clientv3/retry.go): a request that no server took may always be sent again, an answer of
   * Unavailable only if the request reads; a write that may have happened is the caller's to judge.
   */
  #mayRepeat(request: EtcdRequest, result: RpcResult<unknown>, error: EtcdError): boolean {
    if (!result.ok) {
      if (result.error === 'timeout') return false;
      // A pinned client has no other endpoint: the caller hears of it.
      if (this.#options.pinned === true) return false;
      return result.error === 'refused' || result.error === 'connect-timeout' || isRead(request);
    }
    return isRead(request) && error.grpc === GrpcCode.unavailable && error.code !== 'noLeader';
  }
}

function isRead(request: EtcdRequest): boolean {
  switch (request.type) {
    case 'range':
    case 'memberList':
    case 'leaseTimeToLive':
    case 'leaseLeases':
    case 'status':
    case 'hashKv':
      return true;
    default:
      return false;
  }
}

function outcomeOf<T>(result: RpcResult<Result<T>>): Result<T> {
  if (result.ok) return result.value;
  switch (result.error) {
    case 'refused':
    case 'connect-timeout':
      return etcdError('connectionRefused');
    case 'timeout':
      return etcdError('deadlineExceeded');
    case 'closed':
      return etcdError('connectionLost');
  }
}
