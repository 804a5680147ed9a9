import type { Task } from '../../sim/task.ts';
import type { Kind, KindContext } from '../api/kind.ts';
import { KindRegistry, type ServedKind } from '../api/registry.ts';
import type { Status } from '../api/object.ts';
import type { ApiRequest, ApiResponse, RequestOptions, UserInfo } from '../api/request.ts';
import { methodNotAllowed, notFound, unknownResource } from '../api/status.ts';
import { authorizationOf, deniedStatus } from './auth/denial.ts';
import type { CacheWatchOptions, WatchSink } from './cache-watcher.ts';
import { WatchCache } from './watch-cache.ts';
import { componentStatuses } from './component-status.ts';
import { create } from './create.ts';
import { remove } from './delete.ts';
import type { ServerEnvironment } from './environment.ts';
import { isConverted, present } from './conversion.ts';
import { CustomResources } from './custom-resources.ts';
import { removeCollection } from './delete-collection.ts';
import { patch } from './patch.ts';
import { get, list } from './read.ts';
import { Refusal, refuse } from './refusal.ts';
import { prefixOf } from './resource-store.ts';
import type {
  AdmissionPlugin,
  Authenticator,
  AuthorizationRequest,
  Authorizer,
  RequestScope,
  ServerContext,
  ServerOptions,
  WebhookTransport,
} from './server-context.ts';
import type { Storage } from './storage.ts';
import { subresourceCall } from './subresources.ts';
import { update } from './update.ts';
import { type WatchHandle, watch } from './watch.ts';

export interface ApiServerCoreConfig {
  readonly storage: Storage;
  readonly environment: ServerEnvironment;
  /** The kinds with rules; rows of the others are served without. */
  readonly kinds?: readonly Kind[];
  readonly admission?: readonly AdmissionPlugin[];
  readonly authorizer?: Authorizer;
  readonly authenticator?: Authenticator;
  readonly options?: ServerOptions;
  readonly webhooks?: WebhookTransport;
}

const allowAll: Authorizer = {
  // biome-ignore lint/correctness/useYield: a task that answers at once
  *authorize() {
    return { allowed: true, reason: '' };
  },
};

const noOptions: RequestOptions = {};

/** Feature gates that are off in Kubernetes 1.35 unless a server sets them. */
const gatesOff: ReadonlySet<string> = new Set(['MaxUnavailableStatefulSet', 'WatchFromStorageWithoutResourceVersion']);

/**
 * The request handling of one kube-apiserver, without its network: a request comes in as data, and the answer is a task.
 *
 * ```ts
 * const storage = new MemoryStorage();            // or an etcd client
 * const server = new ApiServerCore({ storage, environment, kinds: builtInKinds });
 * const answer = runToEnd(server.handle({ verb: 'create', group: '', version: 'v1', resource: 'configmaps', namespace: 'default', object, user }));
 * const handle = runToEnd(server.watch({ verb: 'watch', group: '', version: 'v1', resource: 'pods', user }, { send, closed }));
 * ```
 *
 * In a simulated process use `yield*` instead of `runToEnd`: storage calls and cache waits take virtual time. A request that is killed in between
 * is simply never resumed. The server keeps no state but its watch caches; several servers over one storage are independent.
 */
export class ApiServerCore implements ServerContext {
  readonly storage: Storage;
  readonly environment: ServerEnvironment;
  readonly registry: KindRegistry;
  readonly options: ServerOptions;
  readonly admission: readonly AdmissionPlugin[];
  readonly authorizer: Authorizer;
  readonly authenticator: Authenticator | undefined;
  readonly customResources: CustomResources;
  readonly webhooks: WebhookTransport | undefined;
  private readonly caches = new Map<string, WatchCache>();
  private readonly gates: Readonly<Record<string, boolean>>;

  constructor(config: ApiServerCoreConfig) {
    this.storage = config.storage;
    this.environment = config.environment;
    this.registry = new KindRegistry(config.kinds);
    this.options = config.options ?? {};
    this.admission = config.admission ?? [];
    this.authorizer = config.authorizer ?? allowAll;
    this.authenticator = config.authenticator;
    this.customResources = new CustomResources(this);
    this.webhooks = config.webhooks;
    this.gates = this.options.featureGates ?? {};
  }

  readonly featureGate = (name: string): boolean => this.gates[name] ?? !gatesOff.has(name);

  readonly kindContext = (): KindContext => ({ nowUs: this.environment.now(), featureGate: this.featureGate });

  readonly cacheOf = (kind: ServedKind): WatchCache => {
    let cache = this.caches.get(kind.storeKey);
    if (cache === undefined) {
      cache = new WatchCache(
        this.registry.storageKind(kind),
        this.storage,
        this.environment,
        prefixOf(kind),
        this.options.defects?.has('K21') ?? false,
      );
      this.caches.set(kind.storeKey, cache);
      cache.start();
    }
    return cache;
  };

  /** Starts the watch caches of all kinds at once, as a real server does; without it each starts when it is first read. */
  startCaches(): void {
    if (this.options.watchCache === false) return;
    this.customResources.start();
    for (const kind of this.registry.all()) if (kind.storagePath !== '') this.cacheOf(kind);
  }

  /** Answers any request but a watch. */
  *handle(request: ApiRequest): Task<ApiResponse> {
    let warnings: readonly string[] = [];
    try {
      yield* this.authorize(request);
      const scope = this.scopeOf(request);
      warnings = scope.warnings;
      const deprecated = deprecations[`${scope.kind.apiVersion} ${scope.kind.kind}`];
      if (deprecated !== undefined && (scope.kind.kind !== 'ComponentStatus' || request.verb === 'get' || request.verb === 'list'))
        scope.warnings.push(deprecated);
      if (scope.kind.custom?.deprecation !== undefined) scope.warnings.push(scope.kind.custom.deprecation);
      const dispatched = yield* dispatch(scope);
      const answer = isConverted(scope.kind) ? { ...dispatched, object: present(scope.kind, dispatched.object) } : dispatched;
      return scope.warnings.length === 0 ? answer : { ...answer, warnings: [...new Set(scope.warnings)] };
    } catch (refusal) {
      return refused(refusal, warnings);
    }
  }

  /** Starts a watch. The answer is a handle, or the refusal. */
  *watch(request: ApiRequest, sink: WatchSink, convert?: CacheWatchOptions['convert']): Task<WatchHandle | ApiResponse> {
    try {
      yield* this.authorize(request);
      const scope = this.scopeOf(request);
      return yield* watch(scope, sink, isConverted(scope.kind) ? converting(scope.kind, convert) : convert);
    } catch (refusal) {
      return refused(refusal);
    }
  }

  private scopeOf(request: ApiRequest): RequestScope {
    const options = request.options ?? noOptions;
    let kind = this.registry.resource(request.group, request.version, request.resource);
    if (kind === undefined && this.options.opaqueKinds === true) kind = this.opaqueKind(request);
    if (kind === undefined) refuse(unknownResource());
    checkRoute(kind, request);
    if (request.refused !== undefined) refuse(request.refused);
    return {
      server: this,
      request,
      options,
      kind,
      namespace: kind.namespaced ? (request.namespace ?? '') : '',
      dryRun: options.dryRun !== undefined && options.dryRun.length > 0,
      context: this.kindContext(),
      warnings: [],
    };
  }

  /** A kind that nobody declared, served as it comes. Its name is taken from the first object seen. */
  private opaqueKind(request: ApiRequest): ServedKind | undefined {
    const kind = request.object?.kind;
    if (kind === undefined) return undefined;
    return this.registry.add({
      group: request.group,
      version: request.version,
      kind,
      resource: request.resource,
      singular: kind.toLowerCase(),
      shortNames: [],
      categories: [],
      namespaced: request.namespace !== undefined,
      storagePath: `${request.group}/${request.resource}`,
      subresources: ['status'],
      hasGeneration: true,
    });
  }

  private *authorize(request: ApiRequest): Task<void> {
    if (this.authorizer === allowAll) return;
    const asked = authorizationOf(request);
    const { allowed, reason } = yield* this.authorizer.authorize(asked, this);
    if (!allowed) refuse(deniedStatus(asked, reason));
  }

  /** The refusal of a request by the authorizer, without answering it. */
  *allows(request: ApiRequest): Task<Status | undefined> {
    const asked = authorizationOf(request);
    const { allowed, reason } = yield* this.authorizer.authorize(asked, this);
    return allowed ? undefined : deniedStatus(asked, reason);
  }

  /** Whether a user may GET (or else) a path that is no resource; the refusal if not. */
  *authorizePath(user: UserInfo, verb: string, path: string): Task<Status | undefined> {
    const asked: AuthorizationRequest = {
      user,
      verb,
      group: '',
      version: '',
      resource: '',
      subresource: '',
      namespace: '',
      name: '',
      path,
    };
    const { allowed, reason } = yield* this.authorizer.authorize(asked, this);
    return allowed ? undefined : deniedStatus(asked, reason);
  }
}

/** Whether the path and the verb fit the kind, as the server's router sees it. */
function checkRoute(kind: ServedKind, request: ApiRequest): void {
  const { verb, name, namespace, subresource = '' } = request;
  if (subresource !== '' && !kind.subresources.includes(subresource))
    refuse(kind.custom === undefined ? unknownResource() : notFound(kind, name ?? ''));
  if (!kind.namespaced && namespace !== undefined && namespace !== '' && kind.kind !== 'Namespace') refuse(unknownResource());
  // Reviews and bindings are answered, never stored: they have a collection to post to, and nothing else.
  if (kind.storagePath === '' && kind.kind !== 'ComponentStatus') {
    if (name !== undefined && name !== '') refuse(unknownResource());
    if (verb !== 'create') refuse(methodNotAllowed());
  }
  if (!kind.namespaced || (namespace !== undefined && namespace !== '')) {
    if (verb === 'deletecollection' && kind.kind === 'Namespace') refuse(methodNotAllowed());
    if (verb === 'create' && subresource === '' && name !== undefined && name !== '') refuse(methodNotAllowed());
    if ((verb === 'update' || verb === 'patch') && (name === undefined || name === '')) refuse(methodNotAllowed());
    return;
  }
  if (name !== undefined && name !== '') refuse(unknownResource());
  if (verb !== 'list' && verb !== 'watch') refuse(methodNotAllowed());
}

/** Watch events of a kind that is stored in another version. */
function converting(kind: ServedKind, next: CacheWatchOptions['convert']): NonNullable<CacheWatchOptions['convert']> {
  return (event, isFirst) => {
    const converted = event.type === 'ERROR' || event.type === 'BOOKMARK' ? event : { ...event, object: present(kind, event.object) };
    return next === undefined ? converted : next(converted, isFirst);
  };
}

/** Warnings that every request for a deprecated kind gets. */
const deprecations: Readonly<Record<string, string>> = {
  'v1 Endpoints': 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  'v1 ComponentStatus': 'v1 ComponentStatus is deprecated in v1.19+',
};

function refused(refusal: unknown, warnings?: readonly string[]): ApiResponse {
  if (!(refusal instanceof Refusal)) throw refusal;
  return {
    code: refusal.status.code ?? 500,
    object: refusal.status,
    ...(warnings !== undefined && warnings.length > 0 ? { warnings } : {}),
  };
}

function* dispatch(scope: RequestScope): Task<ApiResponse> {
  const { request } = scope;
  const subresource = request.subresource ?? '';
  if (scope.kind.kind === 'ComponentStatus' && scope.kind.group === '') return componentStatuses(scope);
  if (subresource !== '' && subresource !== 'status') return yield* subresourceCall(scope);
  if (subresource === 'status' && (request.verb === 'create' || request.verb === 'delete')) refuse(methodNotAllowed());
  switch (request.verb) {
    case 'get':
      return yield* get(scope);
    case 'list':
      return yield* list(scope);
    case 'create':
      return yield* create(scope);
    case 'update':
      return yield* update(scope);
    case 'delete':
      return yield* remove(scope);
    case 'patch':
      return yield* patch(scope);
    case 'deletecollection':
      return yield* removeCollection(scope);
    case 'watch':
      return refuse(methodNotAllowed());
  }
}
