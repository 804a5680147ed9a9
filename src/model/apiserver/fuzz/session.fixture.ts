import { VirtualWorld } from '../../../harness/conformance/api/virtual-world.ts';
import { equalApartFromVersion, equalJson } from '../../api/equal.ts';
import { builtInKinds } from '../../api/kinds/registry.ts';
import type { ApiList, Status, UntypedObject } from '../../api/object.ts';
import type { ServedKind } from '../../api/registry.ts';
import type { ApiRequest, ApiResponse, WatchEvent } from '../../api/request.ts';
import { admissionPlugins } from '../admission/default-plugins.ts';
import { ApiServerCore } from '../core.ts';
import { MemoryStorage } from '../memory-storage.ts';
import { isStorageFailure, type StorageEntry } from '../storage.ts';
import { metadataOnly, tableOf } from '../table.ts';
import type { Choices } from './choices.fixture.ts';
import {
  createRequest,
  deleteRequest,
  meets,
  patchRequest,
  plainCreate,
  readRequest,
  requirements,
  requirementsText,
  type Subject,
  subresourceRequest,
  updateRequest,
  watchRequest,
} from './requests.fixture.ts';
import { seedName } from './seeds.fixture.ts';

/** 2026-01-01T00:00:00Z. */
const startUs = 1_767_225_600_000_000;
const admin = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };

/** What a server did that it must never do, with the request that made it. */
export class Broken extends Error {
  constructor(rule: string, request: unknown, seen: unknown) {
    super(`${rule}\nrequest ${show(request)}\nseen    ${show(seen)}`);
  }
}

function show(value: unknown): string {
  return value instanceof Error ? (value.stack ?? value.message) : (JSON.stringify(value)?.slice(0, 4000) ?? String(value));
}

/** Freezes a value and all in it: a server that changes what somebody else holds throws. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const key of Object.keys(value)) deepFreeze((value as Record<string, unknown>)[key]);
  return value;
}

/** Undefined where a value is JSON as it stands; else the path of what JSON cannot say. */
export function notJson(value: unknown, path = ''): string | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : `${path}: ${value}`;
    case 'object': {
      if (value === null) return undefined;
      const prototype: unknown = Object.getPrototypeOf(value);
      if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return `${path}: an object with a prototype`;
      for (const key of Object.keys(value)) {
        const found = notJson((value as Record<string, unknown>)[key], `${path}.${key}`);
        if (found !== undefined) return found;
      }
      return undefined;
    }
    default:
      return `${path}: ${typeof value}`;
  }
}

/** Where allocations live: a refused request may leave them changed, as upstream's repair loop expects. */
const allocationPrefixes = ['/registry/ipaddresses/', '/registry/ranges/'];

/** One small cluster with a fuzzed life: a server, a few requests, and what must hold after each. */
export class FuzzSession {
  readonly #choices: Choices;
  readonly #world = new VirtualWorld(startUs);
  readonly #storage = new MemoryStorage();
  readonly #core: ApiServerCore;
  readonly #kinds: readonly ServedKind[];
  /** What happened, for the coverage of the fuzzer itself: 'create 201', 'patch 422'. */
  readonly outcomes: string[] = [];

  constructor(choices: Choices) {
    this.#choices = choices;
    this.#core = new ApiServerCore({
      storage: this.#storage,
      environment: this.#world.environment,
      kinds: builtInKinds,
      admission: choices.oneIn(3) ? [] : admissionPlugins(),
      options: choices.oneIn(4) ? { managedFields: false } : choices.oneIn(4) ? { watchCache: false } : {},
    });
    this.#kinds = this.#core.registry.all();
    for (const name of ['default', 'other']) {
      this.#must({
        verb: 'create',
        group: '',
        version: 'v1',
        resource: 'namespaces',
        object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
      });
      const object = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } };
      this.#must({ verb: 'create', group: '', version: 'v1', resource: 'serviceaccounts', namespace: name, object });
    }
  }

  #must(request: Omit<ApiRequest, 'user'>): void {
    const answer = this.#world.run(this.#core.handle({ ...request, user: admin }));
    if (answer.code !== 201) throw new Broken('the seed of a cluster is refused', request, answer);
  }

  run(steps: number): void {
    const c = this.#choices;
    const kind = (c.oneIn(6) ? this.#core.registry.resource('', 'v1', 'pods') : c.pickAny(this.#kinds)) as ServedKind;
    const name = seedName(kind.kind) ?? 'a';
    const namespace = kind.namespaced ? 'default' : undefined;
    const view = kind.storagePath === '' ? undefined : this.#watchAll(kind);
    const subject: Subject = { kind, namespace, name, current: undefined };
    this.#step(createRequest(c, subject), kind, name);
    // What was changed too much is refused: the rest of this life has the plain seed.
    if (kind.storagePath !== '' && this.#read(kind, namespace, name) === undefined) this.#step(plainCreate(subject), kind, name);
    for (let i = 1; i < steps && !c.spent; i++) {
      const named = seedName(kind.kind) ?? (c.oneIn(5) ? 'b' : 'a');
      const subject: Subject = { kind, namespace, name: named, current: this.#read(kind, namespace, named) };
      this.#step(this.#request(subject), kind, named);
    }
    if (view !== undefined) this.#sameAsList(kind, view);
  }

  #request(subject: Subject): ApiRequest {
    const c = this.#choices;
    switch (c.below(12)) {
      case 0:
        return createRequest(c, subject);
      case 1:
      case 2:
        return updateRequest(c, subject);
      case 3:
      case 4:
      case 5:
      case 6:
        return patchRequest(c, subject, c.oneIn(6) ? 'status' : undefined);
      case 7:
      case 8:
        return subresourceRequest(c, subject);
      case 9:
        return deleteRequest(c, subject);
      case 10:
        return watchRequest(c, subject);
      default:
        return readRequest(c, subject);
    }
  }

  #step(given: ApiRequest, kind: ServedKind, name: string): void {
    // As from the wire: JSON text has no shared parts, no undefined and no lone surrogates' identity.
    const request = deepFreeze(JSON.parse(JSON.stringify(given)) as ApiRequest);
    const before = this.#contents();
    if (request.verb === 'watch') return this.#stepWatch(request);
    const answer = this.#handle(request);
    this.outcomes.push(
      `${request.verb}${request.subresource === undefined ? '' : `/${request.subresource}`}${request.patchType === undefined ? '' : ` ${request.patchType}`} ${answer.code}`,
    );
    this.#checkAnswer(request, answer);
    const after = this.#contents();
    for (const entry of after.values()) {
      deepFreeze(entry.value.raw);
      deepFreeze(entry.value.at(entry.modRevision));
    }
    const isDry = (request.options?.dryRun?.length ?? 0) > 0;
    // A collection is deleted one by one, and an eviction marks the pod before it deletes it (upstream addConditionAndDeletePod).
    const isOneWrite = request.verb !== 'deletecollection' && request.subresource !== 'eviction';
    if (answer.code >= 400 && isOneWrite) this.#unchanged('a refused request changed what is stored', request, before, after);
    if (isDry) this.#unchanged('a dry run changed what is stored', request, before, after);
    for (const [key, entry] of after) if (before.get(key)?.modRevision !== entry.modRevision) this.#readable(request, key, entry);
    if (answer.code < 300 && !isDry && kind.storagePath !== '' && (request.subresource ?? '') === '')
      this.#answersWhatIsStored(request, kind, name, answer);
    if (answer.code < 300 && request.verb === 'list') this.#checkSelectors(kind, request);
  }

  #handle(request: ApiRequest): ApiResponse {
    try {
      return deepFreeze(this.#world.run(this.#core.handle(request)));
    } catch (error) {
      throw new Broken('the server throws', request, error);
    }
  }

  #stepWatch(request: ApiRequest): void {
    const events: WatchEvent[] = [];
    try {
      const answer = this.#world.run(this.#core.watch(request, { send: (event) => events.push(deepFreeze(event)), closed: () => {} }));
      this.outcomes.push(`watch ${'stop' in answer ? 200 : answer.code}`);
      if ('stop' in answer) answer.stop();
      else this.#checkAnswer(request, answer);
    } catch (error) {
      throw error instanceof Broken ? error : new Broken('the server throws', request, error);
    }
  }

  #checkAnswer(request: ApiRequest, answer: ApiResponse): void {
    const bad = notJson(answer.object);
    if (bad !== undefined) throw new Broken(`the answer is no JSON at ${bad}`, request, answer);
    if (answer.code < 400) return;
    const status = answer.object as Status;
    if (status.kind !== 'Status' || status.code !== answer.code || typeof status.message !== 'string')
      throw new Broken('a refusal is not a Status', request, answer);
  }

  #contents(): ReadonlyMap<string, StorageEntry> {
    const answer = this.#world.run(this.#storage.list('/registry/'));
    if (isStorageFailure(answer)) throw new Error(`fuzz: ${answer.failure}`);
    return new Map(answer.entries.map((entry) => [entry.key, entry]));
  }

  #unchanged(rule: string, request: ApiRequest, before: ReadonlyMap<string, StorageEntry>, after: ReadonlyMap<string, StorageEntry>): void {
    for (const key of new Set([...before.keys(), ...after.keys()])) {
      if (allocationPrefixes.some((prefix) => key.startsWith(prefix))) continue;
      if (before.get(key)?.modRevision !== after.get(key)?.modRevision)
        throw new Broken(rule, request, { key, now: after.get(key)?.value.raw });
    }
  }

  /** Everything that was just stored: reads, lists, tables and an unchanged update must cope with it. */
  #readable(request: ApiRequest, key: string, entry: StorageEntry): void {
    const raw = entry.value.raw;
    const bad = notJson(raw);
    if (bad !== undefined) throw new Broken(`what is stored is no JSON at ${bad}`, request, raw);
    // What the allocators keep is no resource.
    if (raw.kind === 'RangeAllocation') return;
    const kind = this.#core.registry.kindOf(raw);
    if (kind === undefined) throw new Broken('an object without a kind is stored', request, raw);
    for (const version of this.#kinds.filter((one) => one.storeKey === kind.storeKey)) this.#readableAs(request, version, key, raw);
  }

  #readableAs(request: ApiRequest, kind: ServedKind, key: string, raw: UntypedObject): void {
    const { name = '', namespace } = raw.metadata;
    const object = this.#read(kind, kind.namespaced ? namespace : undefined, name);
    if (object === undefined) throw new Broken(`what is stored under ${key} cannot be read`, request, raw);
    if (kind.kind === raw.kind && kind.apiVersion === raw.apiVersion) {
      if (!equalApartFromVersion(object, raw)) throw new Broken('a read differs from what is stored', request, { raw, object });
    }
    const list = this.#handle(this.#of(kind, namespace, 'list')).object as ApiList;
    if (!(list.items ?? []).some((item) => item.metadata.name === name))
      throw new Broken('a list leaves out what is stored', request, { raw, list });
    try {
      tableOf(kind, [object], {}, this.#core.kindContext(), { version: 'v1', includeObject: 'Object', withColumns: true });
      metadataOnly(object, 'v1');
    } catch (error) {
      throw new Broken('an object that is stored cannot be printed', raw, error);
    }
    // Upstream adds the storage version to status.storedVersions in every update.
    // And a version other than the stored one may lose what it has no words for, such as a second CPU metric in autoscaling/v1.
    if (kind.kind === 'CustomResourceDefinition' || kind.apiVersion !== raw.apiVersion) return;
    const again = this.#handle({ ...this.#of(kind, namespace, 'update'), name, object });
    this.#checkAnswer(request, again);
    if (again.code < 300 && (again.object as UntypedObject).metadata.resourceVersion !== object.metadata.resourceVersion)
      throw new Broken('an unchanged update is written', raw, again.object);
    const patched = this.#handle({ ...this.#of(kind, namespace, 'patch'), name, patchType: 'merge', patch: {} });
    this.#checkAnswer(request, patched);
    if (patched.code < 300 && (patched.object as UntypedObject).metadata.resourceVersion !== object.metadata.resourceVersion)
      throw new Broken('an empty patch is written', object, patched.object);
    if (again.code >= 400 || patched.code >= 400)
      this.outcomes.push(`unchanged ${kind.kind} refused: ${(again.object as Status).message ?? ''}`);
  }

  #answersWhatIsStored(request: ApiRequest, kind: ServedKind, name: string, answer: ApiResponse): void {
    if (request.verb !== 'create' && request.verb !== 'update' && request.verb !== 'patch') return;
    const answered = answer.object as UntypedObject;
    const stored = this.#read(kind, kind.namespaced ? request.namespace : undefined, answered.metadata.name ?? name);
    if (stored === undefined) {
      if (request.verb === 'create' || answered.metadata.deletionTimestamp === undefined)
        throw new Broken('a write that was answered is not stored', request, answered);
      return;
    }
    if (!equalJson(stored, answered)) throw new Broken('a write answers what is not stored', request, { answered, stored });
  }

  #checkSelectors(kind: ServedKind, request: ApiRequest): void {
    const wanted = requirements(this.#choices);
    const all = this.#handle(this.#of(kind, request.namespace, 'list'));
    const some = this.#handle({ ...this.#of(kind, request.namespace, 'list'), options: { labelSelector: requirementsText(wanted) } });
    if (all.code >= 300) return;
    if (some.code >= 300) throw new Broken('a selector is refused', wanted, some);
    const expected = (all.object as ApiList).items.filter((item) => wanted.every((one) => meets(item.metadata.labels, one)));
    if (!equalJson(expected, (some.object as ApiList).items)) throw new Broken('a selector finds others', wanted, some.object);
  }

  #of(kind: ServedKind, namespace: string | undefined, verb: ApiRequest['verb']): ApiRequest {
    return {
      verb,
      group: kind.group,
      version: kind.version,
      resource: kind.resource,
      ...(kind.namespaced && namespace !== undefined ? { namespace } : {}),
      user: admin,
      // A name of its own would own what it writes back.
      userAgent: 'fuzz',
    };
  }

  #read(kind: ServedKind, namespace: string | undefined, name: string): UntypedObject | undefined {
    if (kind.storagePath === '') return undefined;
    const answer = this.#handle({ ...this.#of(kind, namespace, 'get'), name });
    return answer.code === 200 ? (answer.object as UntypedObject) : undefined;
  }

  /** A watch from the beginning, as an informer has it. */
  #watchAll(kind: ServedKind): Map<string, UntypedObject> {
    const view = new Map<string, UntypedObject>();
    const keyOf = (object: UntypedObject): string => `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    const answer = this.#world.run(
      this.#core.watch(this.#of(kind, undefined, 'watch'), {
        send: (event) => {
          deepFreeze(event);
          const object = event.object as UntypedObject;
          if (event.type === 'DELETED') view.delete(keyOf(object));
          else if (event.type === 'ADDED' || event.type === 'MODIFIED') view.set(keyOf(object), object);
        },
        closed: () => {},
      }),
    );
    if (!('stop' in answer)) throw new Broken('a plain watch is refused', kind.resource, answer);
    return view;
  }

  #sameAsList(kind: ServedKind, view: ReadonlyMap<string, UntypedObject>): void {
    const list = this.#handle(this.#of(kind, undefined, 'list')).object as ApiList;
    const watched = [...view.values()];
    const listed = list.items.map((item) => view.get(`${item.metadata.namespace ?? ''}/${item.metadata.name}`));
    if (watched.length !== list.items.length || !equalJson(listed, list.items))
      throw new Broken('a watch tells another story than a list', kind.resource, { watched, list });
  }
}
