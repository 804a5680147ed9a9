import type { Json, UntypedObject } from '../../api/object.ts';
import type { ServedKind } from '../../api/registry.ts';
import type { ApiRequest, PatchType, RequestOptions, Verb } from '../../api/request.ts';
import { type StructType, structType } from '../../api/schema.ts';
import { Choices } from './choices.fixture.ts';
import { seedOf } from './seeds.fixture.ts';
import { anyJson, mutate, randomText, valueOfType } from './values.fixture.ts';

const admin = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };

/** Bodies of the subresources that are no part of the object itself. */
const subresourceTypes: Readonly<Record<string, readonly [string, string, string]>> = {
  scale: ['Scale', 'autoscaling/v1', 'Scale'],
  binding: ['Binding', 'v1', 'Binding'],
  eviction: ['Eviction', 'policy/v1', 'Eviction'],
  token: ['TokenRequest', 'authentication.k8s.io/v1', 'TokenRequest'],
};

const subresourceSeeds: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  scale: { spec: { replicas: 3 } },
  binding: { target: { kind: 'Node', name: 'n' } },
  eviction: {},
  token: { spec: { audiences: ['a'], expirationSeconds: 600 } },
};

export interface Subject {
  readonly kind: ServedKind;
  readonly namespace: string | undefined;
  readonly name: string;
  /** What a read answers now. */
  readonly current: UntypedObject | undefined;
}

function base(subject: Subject, verb: Verb, extra: Partial<ApiRequest>): ApiRequest {
  const { kind, namespace } = subject;
  return {
    verb,
    group: kind.group,
    version: kind.version,
    resource: kind.resource,
    ...(namespace === undefined ? {} : { namespace }),
    user: admin,
    userAgent: 'fuzz',
    ...extra,
  };
}

function metadataOf(c: Choices, subject: Subject): UntypedObject['metadata'] {
  const plain = {
    name: subject.name,
    ...(subject.namespace === undefined ? {} : { namespace: subject.namespace }),
    ...(c.oneIn(2) ? { labels: { app: c.pick(['a', 'b', 'c']), ...(c.oneIn(2) ? { tier: c.pick(['x', 'y', '']) } : {}) } } : {}),
  };
  return (c.oneIn(5) ? mutate(c, plain, structType('ObjectMeta')) : plain) as UntypedObject['metadata'];
}

/** A new object of the kind: its seed with up to four places changed. */
export function newObject(c: Choices, subject: Subject): UntypedObject {
  const { kind } = subject;
  let body: unknown = { apiVersion: kind.apiVersion, kind: kind.kind, metadata: metadataOf(c, subject), ...seedOf(kind) };
  if (kind.type !== undefined) for (let left = c.below(5); left > 0; left--) body = mutateBody(c, body, kind.type);
  return body as UntypedObject;
}

/** Changes anything but the envelope, which has an arbitrary of its own. */
function mutateBody(c: Choices, body: unknown, type: StructType): unknown {
  const next = mutate(c, body, type);
  if (typeof next !== 'object' || next === null || Array.isArray(next)) return body;
  const { apiVersion, kind, metadata } = body as UntypedObject;
  return c.oneIn(30) ? next : { ...next, apiVersion, kind, metadata: c.oneIn(4) ? (next as UntypedObject).metadata : metadata };
}

function writeOptions(c: Choices): { readonly options?: RequestOptions } {
  if (!c.oneIn(3)) return {};
  return {
    options: {
      ...(c.oneIn(3) ? { dryRun: [c.oneIn(8) ? randomText(c) : 'All'] } : {}),
      ...(c.oneIn(3) ? { fieldManager: c.oneIn(4) ? randomText(c) : 'm' } : {}),
      ...(c.oneIn(2) ? { fieldValidation: c.pick(['Strict', 'Warn', 'Ignore', 'Odd']) } : {}),
    },
  };
}

/** The seed as it is. */
export function plainCreate(subject: Subject): ApiRequest {
  return createRequest(new Choices([]), subject);
}

export function createRequest(c: Choices, subject: Subject): ApiRequest {
  return base(subject, 'create', { object: newObject(c, subject), ...writeOptions(c) });
}

/** The current object, or a new one where there is none. */
function startOf(c: Choices, subject: Subject): UntypedObject {
  return subject.current ?? newObject(c, subject);
}

function changed(c: Choices, subject: Subject): UntypedObject {
  const { type } = subject.kind;
  let next: unknown = startOf(c, subject);
  if (type !== undefined) for (let left = 1 + c.below(3); left > 0; left--) next = mutateBody(c, next, type);
  return next as UntypedObject;
}

function withoutVersion(object: UntypedObject): UntypedObject {
  const { resourceVersion: _, ...metadata } = object.metadata ?? {};
  return { ...object, metadata };
}

export function updateRequest(c: Choices, subject: Subject, subresource?: string): ApiRequest {
  const object = changed(c, subject);
  const part = subresource === undefined ? {} : { subresource };
  return base(subject, 'update', { name: subject.name, object: c.oneIn(3) ? withoutVersion(object) : object, ...part, ...writeOptions(c) });
}

export function patchRequest(c: Choices, subject: Subject, subresource?: string): ApiRequest {
  const patchType = c.pick<readonly [PatchType, ...PatchType[]]>(['merge', 'strategic', 'json', 'apply']);
  const options: RequestOptions = {
    ...writeOptions(c).options,
    ...(patchType === 'apply' || c.oneIn(20) ? { fieldManager: c.pick(['m', 'n', 'fuzz', '']) } : {}),
    ...(patchType === 'apply' ? { force: c.oneIn(2) } : {}),
  };
  const patch = (c.oneIn(40) ? anyJson(c) : patchBody(c, subject, patchType, subresource)) as Json;
  return base(subject, 'patch', {
    name: subject.name,
    patchType,
    patch,
    options,
    ...(subresource === undefined ? {} : { subresource }),
  });
}

function patchBody(c: Choices, subject: Subject, patchType: PatchType, subresource: string | undefined): unknown {
  switch (patchType) {
    case 'json':
      return Array.from({ length: 1 + c.below(3) }, () => jsonOperation(c, subject));
    case 'merge':
      return partial(c, subject, subresource);
    case 'strategic':
      return withDirectives(c, partial(c, subject, subresource));
    case 'apply': {
      const body = c.oneIn(2) ? newObject(c, subject) : partial(c, subject, subresource);
      return { ...body, apiVersion: subject.kind.apiVersion, kind: subject.kind.kind };
    }
  }
}

/** A part of an object: one or two of its top fields as they might become. */
function partial(c: Choices, subject: Subject, subresource: string | undefined): Record<string, unknown> {
  const next = changed(c, subject) as Readonly<Record<string, unknown>>;
  const names = Object.keys(next).filter((name) => name !== 'apiVersion' && name !== 'kind');
  const made: Record<string, unknown> = {};
  for (let left = 1 + c.below(2); left > 0; left--) {
    const name = subresource === 'status' && c.oneIn(2) ? 'status' : (c.pickAny(names) ?? 'metadata');
    made[name] = next[name] ?? valueOfType(c, subject.kind.type?.fields.get(name)?.type ?? structType('ObjectMeta'), name);
  }
  if (made['metadata'] !== undefined && typeof made['metadata'] === 'object' && made['metadata'] !== null && !c.oneIn(6)) {
    const { resourceVersion: _v, uid: _u, managedFields: _m, ...metadata } = made['metadata'] as Record<string, unknown>;
    made['metadata'] = metadata;
  }
  return made;
}

const directives: readonly (readonly [string, unknown])[] = [
  ['$patch', 'delete'],
  ['$patch', 'replace'],
  ['$patch', 'merge'],
  ['$patch', 'odd'],
  ['$retainKeys', ['name', 'type']],
  ['$retainKeys', 'name'],
  ['$setElementOrder/containers', [{ name: 'c' }, { name: 'a' }]],
  ['$setElementOrder/finalizers', ['a', 'b']],
  ['$setElementOrder/ports', [{ port: 80 }]],
  ['$setElementOrder/env', null],
  ['$deleteFromPrimitiveList/finalizers', ['a']],
  ['$deleteFromPrimitiveList/args', 'a'],
];

/** Strategic merge directives at random depths. */
function withDirectives(c: Choices, value: unknown): unknown {
  if (c.oneIn(2) || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    if (value.length === 0) return value;
    const at = c.below(value.length);
    return value.map((item, i) => (i === at ? withDirectives(c, item) : item));
  }
  const map = value as Readonly<Record<string, unknown>>;
  if (c.oneIn(3)) return { ...map, ...Object.fromEntries([c.pickAny(directives) ?? ['$patch', 'delete']]) };
  const names = Object.keys(map);
  const name = c.pickAny(names);
  return name === undefined ? map : { ...map, ...Object.fromEntries([[name, withDirectives(c, map[name])]]) };
}

function pointer(c: Choices, value: unknown): string {
  let text = '';
  let at = value;
  while (typeof at === 'object' && at !== null && !(text !== '' && c.oneIn(3))) {
    const names = Object.keys(at);
    const name = c.oneIn(8) ? c.pick(['-', '0', '99', '-1', 'x', '__proto__', 'toString', 'a~1b', '~', '']) : (c.pickAny(names) ?? 'x');
    text += `/${name.replace(/~(?![01])/g, '~0').replace(/\//g, '~1')}`;
    at = Object.hasOwn(at, name) ? (at as Readonly<Record<string, unknown>>)[name] : undefined;
  }
  return c.oneIn(20) ? randomText(c) : text;
}

function jsonOperation(c: Choices, subject: Subject): unknown {
  const document = startOf(c, subject);
  if (c.oneIn(40)) return anyJson(c);
  const op = c.pick(['add', 'replace', 'remove', 'test', 'copy', 'move', 'odd']);
  const path = pointer(c, document);
  if (op === 'copy' || op === 'move') return { op, path, from: c.oneIn(12) ? anyJson(c) : pointer(c, document) };
  if (op === 'remove') return { op, path };
  return { op, path, value: anyJson(c) };
}

/** Any verb of any subresource that the kind has, or has not. */
export function subresourceRequest(c: Choices, subject: Subject): ApiRequest {
  const subresource = c.oneIn(10) ? c.pick(['status', 'scale', 'odd', 'eviction']) : (c.pickAny(subject.kind.subresources) ?? 'status');
  const own = subresourceTypes[subresource];
  if (own === undefined) {
    const roll = c.below(6);
    if (roll < 2) return updateRequest(c, subject, subresource);
    if (roll < 4) return patchRequest(c, subject, subresource);
    const verb = roll === 4 ? 'get' : c.pick<readonly [Verb, ...Verb[]]>(['create', 'delete', 'get']);
    return base(subject, verb, { name: subject.name, subresource, ...(verb === 'create' ? { object: newObject(c, subject) } : {}) });
  }
  const [typeName, apiVersion, kind] = own;
  const type = structType(typeName);
  let body: unknown = { apiVersion, kind, metadata: { name: subject.name }, ...subresourceSeeds[subresource] };
  for (let left = c.below(3); left > 0; left--) body = mutateBody(c, body, type);
  const verb =
    subresource === 'scale'
      ? c.pick<readonly [Verb, ...Verb[]]>(['update', 'patch', 'get', 'delete', 'create'])
      : c.pick<readonly [Verb, ...Verb[]]>(['create', 'get', 'update']);
  if (verb === 'patch') {
    const patchType = c.pick<readonly [PatchType, ...PatchType[]]>(['merge', 'json', 'strategic', 'apply']);
    const patch =
      patchType === 'json'
        ? [{ op: c.pick(['replace', 'add', 'remove', 'odd']), path: c.pick(['/spec/replicas', '/spec', '/x/y', '']), value: anyJson(c) }]
        : patchType === 'apply'
          ? body
          : c.oneIn(10)
            ? anyJson(c)
            : { spec: (body as UntypedObject)['spec'] };
    const options = patchType === 'apply' ? { options: { fieldManager: 'm', force: c.oneIn(2) } } : {};
    return base(subject, 'patch', { name: subject.name, subresource, patchType, patch: patch as Json, ...options });
  }
  return base(subject, verb, { name: subject.name, subresource, object: body as UntypedObject, ...writeOptions(c) });
}

export function deleteRequest(c: Choices, subject: Subject): ApiRequest {
  const options: RequestOptions = {
    ...writeOptions(c).options,
    ...(c.oneIn(3) ? { gracePeriodSeconds: c.pick([0, 1, 30, -1, 2 ** 31]) } : {}),
    ...(c.oneIn(3) ? { propagationPolicy: c.pick(['Foreground', 'Background', 'Orphan', 'Odd', '']) } : {}),
    ...(c.oneIn(8) ? { orphanDependents: c.oneIn(2) } : {}),
    ...(c.oneIn(8) ? { preconditions: { uid: c.pick([subject.current?.metadata.uid ?? '', 'x']) } } : {}),
    ...(c.oneIn(12) ? { preconditions: { resourceVersion: c.pick(['1', 'x', '']) } } : {}),
  };
  if (c.oneIn(6)) return base(subject, 'deletecollection', { options: { ...options, ...readOptions(c) } });
  return base(subject, 'delete', { name: subject.name, options });
}

/** Requirements as data, so that the test can judge them without the parser, with their text. */
export interface Requirement {
  readonly key: string;
  readonly operator: '=' | '!=' | 'in' | 'notin' | 'exists' | '!';
  readonly values: readonly string[];
}

export function requirements(c: Choices): readonly Requirement[] {
  return Array.from({ length: 1 + c.below(2) }, () => ({
    key: c.pick(['app', 'tier', 'none']),
    operator: c.pick<readonly [Requirement['operator'], ...Requirement['operator'][]]>(['=', '!=', 'in', 'notin', 'exists', '!']),
    values: Array.from({ length: 1 + c.below(2) }, () => c.pick(['a', 'b', 'x', ''])),
  }));
}

export function requirementsText(list: readonly Requirement[]): string {
  return list
    .map(({ key, operator, values }) => {
      switch (operator) {
        case '=':
        case '!=':
          return `${key}${operator}${values[0] ?? ''}`;
        case 'in':
        case 'notin':
          return `${key} ${operator} (${values.join(',')})`;
        case 'exists':
          return key;
        case '!':
          return `!${key}`;
      }
    })
    .join(',');
}

/** What the documentation of label selectors says of one requirement. */
export function meets(labels: Readonly<Record<string, string>> | undefined, { key, operator, values }: Requirement): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case '=':
      return value === values[0];
    case '!=':
      return value !== values[0];
    case 'in':
      return value !== undefined && values.includes(value);
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
  }
}

const selectorPieces = [
  'app',
  'a',
  '=',
  '==',
  '!=',
  '!',
  ',',
  '(',
  ')',
  ' in ',
  ' notin ',
  'x',
  '',
  ' ',
  '\\',
  '>',
  '<',
  '1',
  'metadata.name',
  'é',
] as const;

function selectorText(c: Choices): string {
  return Array.from({ length: c.below(7) }, () => c.pick(selectorPieces)).join('');
}

export function readOptions(c: Choices): RequestOptions {
  return {
    ...(c.oneIn(3) ? { labelSelector: selectorText(c) } : {}),
    ...(c.oneIn(3) ? { fieldSelector: c.oneIn(2) ? `metadata.name=${c.pick(['a', 'b', ''])}` : selectorText(c) } : {}),
    ...(c.oneIn(3) ? { limit: c.pick([1, 0, 2, -1, 500]) } : {}),
    ...(c.oneIn(3) ? { resourceVersion: c.pick(['0', '', '1', '3', '99999', 'x', '-1', '1.5']) } : {}),
    ...(c.oneIn(4) ? { resourceVersionMatch: c.pick(['Exact', 'NotOlderThan', 'odd', '']) } : {}),
    ...(c.oneIn(8) ? { continue: c.oneIn(2) ? randomText(c) : 'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhIn0' } : {}),
    ...(c.oneIn(8) ? { sendInitialEvents: c.oneIn(2) } : {}),
    ...(c.oneIn(8) ? { allowWatchBookmarks: true } : {}),
    ...(c.oneIn(8) ? { timeoutSeconds: c.pick([1, 0, -1]) } : {}),
  };
}

export function readRequest(c: Choices, subject: Subject): ApiRequest {
  const options = readOptions(c);
  if (c.oneIn(4)) return base(subject, 'get', { name: c.oneIn(6) ? randomText(c) : subject.name, options });
  return base(subject, 'list', { options });
}

export function watchRequest(c: Choices, subject: Subject): ApiRequest {
  return base(subject, 'watch', { options: readOptions(c) });
}
