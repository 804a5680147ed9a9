import type { Process } from '../../sim/process.ts';
import { MINUTE } from '../../sim/time.ts';
import type { ServedKind } from '../api/registry.ts';
import type { ApiRequest, ApiResponse } from '../api/request.ts';
import { tooManyRequests } from '../api/status.ts';
import type { FlowSchema, PriorityLevelConfiguration } from '../api/types.ts';
import type { ApiServerCore } from './core.ts';
import { flowConfig } from './flowcontrol/flow-config.ts';
import { FlowControl, type FlowHandlers } from './flowcontrol/flow-control.ts';
import { isMutating, MaxInFlight } from './flowcontrol/max-in-flight.ts';
import { CONNECTING } from './subresource/connect.ts';
import { requestWidth } from './flowcontrol/request-width.ts';

/** --max-requests-inflight and --max-mutating-requests-inflight. */
const READS_MAX = 400;
const WRITES_MAX = 200;
/** Upstream: a request may wait for a quarter of --request-timeout. */
const WAIT_MAX = MINUTE / 4;

const GROUP = 'flowcontrol.apiserver.k8s.io';

/** What stands between an API server's socket and its handlers: how many requests run at once, and whose turn it is. */
export class RequestGate {
  readonly #process: Process;
  readonly #core: ApiServerCore;
  readonly #flows: FlowControl | undefined;
  readonly #limits = new MaxInFlight(READS_MAX, WRITES_MAX);
  readonly #schemas: ServedKind | undefined;
  readonly #levels: ServedKind | undefined;
  /** State of the two caches that the configuration was read from. */
  #readAt = '';

  constructor(process: Process, core: ApiServerCore) {
    this.#process = process;
    this.#core = core;
    this.#schemas = core.registry.resource(GROUP, 'v1', 'flowschemas');
    this.#levels = core.registry.resource(GROUP, 'v1', 'prioritylevelconfigurations');
    if (!core.featureGate('APIPriorityAndFairness')) return;
    this.#flows = new FlowControl({
      seats: READS_MAX + WRITES_MAX,
      now: () => process.mono(),
      setTimer: (delayUs, callback) => {
        const timer = process.after(delayUs, callback);
        return () => process.cancel(timer);
      },
      waitUsMax: WAIT_MAX,
    });
  }

  /** Runs a request when it has its seats, or answers 429. The answer gives it up while it waits. */
  handle(request: ApiRequest, handlers: FlowHandlers): () => void {
    // Upstream's long-running requests: they would hold a seat as long as somebody looks at a log.
    if (CONNECTING.has(request.subresource ?? '')) {
      handlers.run(() => {});
      return () => {};
    }
    const flows = this.#flows;
    if (flows === undefined) return this.#limits.handle(request, handlers);
    this.#refresh(flows);
    const level = flows.levelOf(request);
    const { seats, extraUs } = requestWidth(request, this.#counts(request), level.seatsMax);
    if (extraUs === 0) return flows.handle(request, seats, handlers);
    return flows.handle(request, seats, {
      reject: handlers.reject,
      run: (release) => handlers.run(() => this.#process.after(extraUs, release)),
    });
  }

  /** The objects are followed through the server's own caches; a real server has informers of its own over the loopback. */
  #refresh(flows: FlowControl): void {
    const { cacheOf } = this.#core;
    if (this.#schemas === undefined || this.#levels === undefined) return;
    const schemas = cacheOf(this.#schemas);
    const levels = cacheOf(this.#levels);
    const at = `${schemas.changes} ${levels.changes}`;
    if (at === this.#readAt || !schemas.ready || !levels.ready) return;
    this.#readAt = at;
    const list = (cache: typeof schemas): readonly unknown[] => [...cache.items(undefined)].map(([, object]) => object);
    flows.configure(flowConfig(list(schemas) as readonly FlowSchema[], list(levels) as readonly PriorityLevelConfiguration[]));
  }

  #counts(request: ApiRequest): { readonly objects: number | undefined; readonly watches: number } {
    if (request.verb === 'get') return nothing;
    const kind = this.#core.registry.resource(request.group, request.version, request.resource);
    if (kind === undefined || kind.storagePath === '') return nothing;
    const cache = this.#core.cacheOf(kind);
    return isMutating(request) ? { objects: undefined, watches: cache.watching } : { objects: cache.size, watches: 0 };
  }
}

const nothing = { objects: undefined, watches: 0 };

/** What is told to whom is turned away: upstream `filters/priority-and-fairness.go` tooManyRequests. */
export function turnedAway(retryAfterSeconds: number): ApiResponse {
  return { code: 429, object: tooManyRequests('Too many requests, please try again later.', retryAfterSeconds) };
}
