import type { Kind } from '../../../model/api/kind.ts';
import type { ApiObject, Status } from '../../../model/api/object.ts';
import type { ServedKind } from '../../../model/api/registry.ts';
import type { WatchEvent } from '../../../model/api/request.ts';
import type { ApiServerCore } from '../../../model/apiserver/core.ts';
import type { MemoryStorage } from '../../../model/apiserver/memory-storage.ts';
import type { WatchHandle } from '../../../model/apiserver/watch.ts';
import { answerPath, isUnrouted } from '../../../serve/http-paths.ts';
import { decodeHttpRequest, type HttpRequest } from '../../../serve/http-request.ts';
import { identify } from '../../../serve/identify.ts';
import { negotiate, type Representation, renderBody, shape } from '../../../serve/http-response.ts';
import { apiStructure, compareAnswers, firstDifference, withoutManagedFields } from './compare.ts';
import { Placeholders } from './placeholders.ts';
import { type Exchange, readResponseFile, type Suite } from './suite.ts';
import type { VirtualWorld } from './virtual-world.ts';

/** How one exchange came out: undefined difference means that it passed. */
export interface CaseResult {
  readonly step: number;
  readonly name: string;
  readonly difference: string | undefined;
}

interface Answer {
  readonly code: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: unknown;
  readonly text?: string;
}

interface OpenWatch {
  readonly events: unknown[];
  readonly handle: WatchHandle | undefined;
  closed: boolean;
}

export interface ReplayServer {
  readonly core: ApiServerCore;
}

export interface ReplayConfig {
  readonly suite: Suite;
  readonly suitePath: string;
  readonly world: VirtualWorld;
  readonly storage: MemoryStorage;
  /** The server that began the cluster. */
  readonly first: ReplayServer;
  readonly makeServer: () => ReplayServer;
  readonly kinds: readonly Kind[];
}

const stepUs = 2_000;
const quietUs = 300_000;
const serverEndWaitUs = 100_000_000;

/** Replays one suite, step by step. */
export class Replay {
  private readonly config: ReplayConfig;
  private readonly placeholders = new Placeholders();
  private readonly watches = new Map<string, OpenWatch>();
  private server: ReplayServer;

  constructor(config: ReplayConfig) {
    this.config = config;
    this.server = config.first;
  }

  run(): readonly CaseResult[] {
    return this.config.suite.exchanges.map((exchange) => ({ step: exchange.step, name: exchange.name, difference: this.step(exchange) }));
  }

  private step(exchange: Exchange): string | undefined {
    const { world, storage } = this.config;
    world.advance((exchange.waitBefore ?? 0) * 1000 + stepUs);
    if (exchange.before === 'compact') storage.compact();
    if (exchange.before === 'restart') {
      for (const watch of this.watches.values()) watch.closed = true;
      this.server = this.config.makeServer();
    }
    try {
      if (exchange.watch?.action === 'close') return this.closeWatch(exchange);
      return this.call(exchange);
    } catch (error) {
      return `threw ${(error as Error)?.stack?.split('\n').slice(0, 3).join(' ') ?? JSON.stringify(error)}`;
    }
  }

  private httpOf(exchange: Exchange): HttpRequest {
    const nowUs = this.config.world.environment.now();
    let body = exchange.body === undefined ? undefined : this.placeholders.fill(exchange.body, nowUs);
    if (exchange.bodyPad !== undefined) body = padded(body, exchange.bodyPad);
    const many = /a list of (\d+) empty objects/.exec(exchange.note ?? '');
    if (many !== null) body = Array.from({ length: Number(many[1]) }, () => ({}));
    const headers: Record<string, string> = { 'user-agent': 'golden/1.0', accept: 'application/json' };
    const as = exchange.as === undefined ? 'admin' : exchange.as;
    if (typeof as === 'string' && as !== 'anonymous') headers['authorization'] = `Bearer token-${as}`;
    if (typeof as === 'object' && as !== null) headers['authorization'] = `Bearer ${this.placeholders.fillText(as.token, nowUs)}`;
    if (body !== undefined && exchange.contentType !== null) headers['content-type'] = exchange.contentType ?? 'application/json';
    for (const [name, value] of Object.entries(exchange.headers ?? {})) {
      if (value === null) delete headers[name.toLowerCase()];
      else headers[name.toLowerCase()] = String(this.placeholders.fillText(value, nowUs));
    }
    const isRaw = typeof body === 'string';
    const path = String(this.placeholders.fillText(exchange.path, nowUs));
    return { method: exchange.method, path, headers, body: body === undefined ? '' : isRaw ? String(body) : JSON.stringify(body) };
  }

  private call(exchange: Exchange): string | undefined {
    const http = this.httpOf(exchange);
    const watchId = exchange.watch?.id;
    const answer = this.answer(http, watchId);
    if (watchId !== undefined && answer === undefined)
      return exchange.status === 200 ? undefined : `expected status ${exchange.status}, got a watch`;
    if (answer === undefined) return 'no answer';
    if (answer.code !== exchange.status)
      return `status: expected ${exchange.status}, got ${answer.code} ${JSON.stringify(answer.body)?.slice(0, 700)}`;
    return this.compare(exchange, answer);
  }

  private compare(exchange: Exchange, answer: Answer): string | undefined {
    const headers = exchange.responseHeaders ?? {};
    if (exchange.status === 200 && exchange.path.startsWith('/openapi/')) {
      const expected =
        exchange.responseFile === undefined ? exchange.responseText : readResponseFile(this.config.suitePath, exchange.responseFile);
      const difference = firstDifference(apiStructure(expected), apiStructure(answer.text ?? answer.body), this.placeholders);
      if (difference !== undefined) return `structure ${difference}`;
    } else if (exchange.responseText !== undefined) {
      const text = answer.text ?? (answer.body === undefined ? '' : JSON.stringify(answer.body));
      const difference = firstDifference(exchange.responseText, text, this.placeholders);
      if (difference !== undefined) return `text ${difference}`;
    } else if (exchange.response !== undefined || exchange.responseFile !== undefined) {
      const expected =
        exchange.responseFile === undefined ? exchange.response : readResponseFile(this.config.suitePath, exchange.responseFile);
      // Suite 90 leaves managedFields out.
      const body = this.config.suite.name.startsWith('90') ? withoutManagedFields(answer.body) : answer.body;
      const difference = compareAnswers(expected, body, this.placeholders);
      if (difference !== undefined && exchange.unstable !== true) return difference;
    }
    for (const name of ['Content-Type', 'Warning', 'Retry-After', 'Allow']) {
      const difference = firstDifference(headers[name], answer.headers[name], this.placeholders, name);
      if (difference !== undefined) return `header ${difference}`;
    }
    return undefined;
  }

  /** The server's answer; undefined when a watch has been opened under the id. */
  private answer(http: HttpRequest, watchId: string | undefined): Answer | undefined {
    const { core } = this.server;
    const context = core.kindContext();
    const user = this.config.world.run(identify(core, http.headers));
    if ('status' in user) return statusAnswer(user);
    const route = decodeHttpRequest(http, core.registry, user);
    if (route.kind === 'refused') return statusAnswer(route.status, http.method === 'HEAD');
    if (route.kind === 'path') {
      const denied = this.config.world.run(core.authorizePath(user, verbOfMethod(http.method), route.path));
      if (denied !== undefined) return statusAnswer(denied);
      const found = answerPath({
        method: http.method,
        path: route.path,
        query: route.query,
        accept: http.headers['accept'],
        custom: core.registry.customKinds(),
        serverAddress: '192.0.2.10:16443',
      });
      const text = found.text ?? (found.contentType === 'application/yaml' ? renderBody(found.body, 'yaml') : undefined);
      return {
        code: found.code,
        headers: found.contentType === undefined ? {} : { 'Content-Type': found.contentType },
        body: found.body,
        ...(text === undefined ? {} : { text }),
      };
    }
    const kind = core.registry.resource(route.request.group, route.request.version, route.request.resource);
    if (isUnrouted(core.registry, kind, route.request)) {
      const denied = this.config.world.run(core.allows(route.request));
      return denied === undefined ? pathAnswer() : statusAnswer(denied);
    }
    const streams = route.request.verb === 'list' || route.request.verb === 'watch';
    const representation = negotiate(http.headers['accept'], streams);
    if ('status' in representation) return statusAnswer(representation);
    const includeObject = route.query.get('includeObject') ?? '';
    if (route.isWatch) {
      const refused = this.openWatch(watchId ?? '', route.request, kind, representation, includeObject);
      return refused === undefined ? undefined : toAnswer(refused.code, refused.object, refused.warnings, representation, http);
    }
    const response = this.config.world.run(core.handle(route.request));
    if (response.text !== undefined) return { code: response.code, headers: {}, body: undefined, text: response.text };
    const target =
      kind !== undefined && response.object.kind !== `${kind.kind}List` && response.object.kind !== kind.kind
        ? core.registry.kindOf(response.object)
        : kind;
    const shaped = shape(response.object as ApiObject, representation, target ?? kind, context, includeObject) as {
      readonly kind?: string;
      readonly code?: number;
    };
    const code = shaped.kind === 'Status' && shaped.code !== undefined ? shaped.code : response.code;
    return toAnswer(code, shaped, response.warnings, representation, http);
  }

  private openWatch(
    id: string,
    request: Parameters<ApiServerCore['watch']>[0],
    kind: ServedKind | undefined,
    representation: Representation,
    includeObject: string,
  ) {
    const { core } = this.server;
    const open: OpenWatch = { events: [], handle: undefined, closed: false };
    let first = true;
    const send = (event: WatchEvent): void => {
      let object: unknown = event.object;
      if (event.type !== 'ERROR' && representation.as !== undefined) {
        const as = representation.as === 'PartialObjectMetadataList' ? 'PartialObjectMetadata' : representation.as;
        object = shape(event.object, { ...representation, as }, kind, core.kindContext(), includeObject, first);
      }
      first = false;
      open.events.push({ type: event.type, object });
    };
    const answer = this.config.world.run(
      core.watch(request, {
        send,
        closed: () => {
          open.closed = true;
        },
      }),
    );
    if (!('stop' in answer)) return answer;
    this.watches.set(id, {
      ...open,
      handle: answer,
      get closed() {
        return open.closed;
      },
    } as OpenWatch);
    return undefined;
  }

  private closeWatch(exchange: Exchange): string | undefined {
    const watch = this.watches.get(exchange.watch?.id ?? '');
    if (watch === undefined) return 'the watch was never opened';
    this.config.world.advance(quietUs);
    const endedByServer = exchange.watch?.end !== undefined && !exchange.watch.end.startsWith('client');
    if (endedByServer && !watch.closed) this.config.world.advance(serverEndWaitUs);
    if (endedByServer !== watch.closed)
      return `end: expected ${exchange.watch?.end}, the server ${watch.closed ? 'closed' : 'did not close'} it`;
    watch.handle?.stop();
    const difference = compareAnswers(exchange.events ?? [], watch.events, this.placeholders);
    return difference === undefined
      ? undefined
      : `events ${difference} (got ${watch.events.length}: ${(watch.events as WatchEvent[]).map((e) => e.type).join(' ')})`;
  }
}

/** The verb of a request that names no resource. */
function verbOfMethod(method: string): string {
  return method.toLowerCase();
}

function statusAnswer(status: Status, isHead = false): Answer {
  return { code: status.code ?? 500, headers: { 'Content-Type': 'application/json' }, body: isHead ? undefined : status };
}

function pathAnswer(): Answer {
  return { code: 404, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: undefined, text: '404 page not found\n' };
}

function toAnswer(
  code: number,
  body: unknown,
  warnings: readonly string[] | undefined,
  representation: Representation,
  http: HttpRequest,
): Answer {
  const headers: Record<string, string | readonly string[]> = { 'Content-Type': `application/${representation.format}` };
  if (warnings !== undefined && warnings.length > 0) {
    const texts = warnings.map((text) => `299 - ${JSON.stringify(text)}`);
    headers['Warning'] = texts.length === 1 ? (texts[0] as string) : texts;
  }
  const retry = (body as Status | undefined)?.details?.retryAfterSeconds;
  if ((body as Status | undefined)?.kind === 'Status' && retry !== undefined && retry > 0) headers['Retry-After'] = String(retry);
  const text = representation.format === 'yaml' ? renderBody(body, 'yaml') : undefined;
  return { code, headers, body: http.method === 'HEAD' ? undefined : body, ...(text === undefined ? {} : { text }) };
}

function padded(body: unknown, pad: NonNullable<Exchange['bodyPad']>): unknown {
  const text = pad.char.repeat(pad.count);
  const segments = pad.path
    .replace(/\[(\d+)\]/g, '.$1')
    .replace(/^[./]/, '')
    .split(/[./]/);
  const set = (value: unknown, depth: number): unknown => {
    if (depth === segments.length) return text;
    const key = segments[depth] ?? '';
    if (Array.isArray(value)) return value.map((item, i) => (i === Number(key) ? set(item, depth + 1) : item));
    const map = (value ?? {}) as Readonly<Record<string, unknown>>;
    return { ...map, [key]: set(map[key], depth + 1) };
  };
  return set(body, 0);
}
