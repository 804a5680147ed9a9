import type { Json, Status, UntypedObject } from '../model/api/object.ts';
import type { KindRegistry, ServedKind } from '../model/api/registry.ts';
import type { ApiRequest, PatchType, RequestOptions, UserInfo, Verb } from '../model/api/request.ts';
import { badRequest, failure, requestEntityTooLarge } from '../model/api/status.ts';
import { type ParsedText, parseGoJson, parseGoYaml } from './go-json.ts';

/** An HTTP request as it came over a socket or out of a recording. Header names are in lower case. */
export interface HttpRequest {
  readonly method: string;
  /** Path with its query, percent-encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a path asks for. */
export type Route =
  | { readonly kind: 'resource'; readonly request: ApiRequest; readonly isWatch: boolean; readonly query: URLSearchParams }
  | { readonly kind: 'path'; readonly path: string; readonly query: URLSearchParams }
  | { readonly kind: 'refused'; readonly status: Status };

interface ParsedPath {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  readonly isWatch: boolean;
}

/** Subresources of namespaces, which would otherwise read as resources in a namespace. */
const namespaceSubresources = new Set(['status', 'finalize']);

/** Subresources that are connections: they have a query of their own and no body that the server reads. */
const connections = new Set(['log', 'exec', 'attach', 'portforward', 'proxy']);

/** Upstream `apiserver/pkg/endpoints/request.RequestInfoFactory`. Undefined for paths that name no resource. */
export function parsePath(path: string): ParsedPath | undefined {
  const segments = path.split('/').slice(1).map(decodeURIComponent);
  if (segments.at(-1) === '') segments.pop();
  let rest: string[];
  let group = '';
  let version: string;
  if (segments[0] === 'api' && segments.length >= 3) {
    version = segments[1] ?? '';
    rest = segments.slice(2);
  } else if (segments[0] === 'apis' && segments.length >= 4) {
    group = segments[1] ?? '';
    version = segments[2] ?? '';
    rest = segments.slice(3);
  } else return undefined;
  let isWatch = false;
  if (rest[0] === 'watch' && rest.length > 1) {
    isWatch = true;
    rest = rest.slice(1);
  }
  let namespace: string | undefined;
  if (rest[0] === 'namespaces' && rest.length > 2 && !namespaceSubresources.has(rest[2] ?? '')) {
    namespace = rest[1] ?? '';
    rest = rest.slice(2);
  }
  const [resource = '', name, subresource, ...more] = rest;
  return {
    group,
    version,
    resource,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource: subresource === 'proxy' ? subresource : [subresource, ...more].join('/') }),
    isWatch,
  };
}

function integer(query: URLSearchParams, key: string): number | Status | undefined {
  const text = query.get(key);
  if (text === null || text === '') return undefined;
  if (!/^[+-]?[0-9]+$/.test(text)) return badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

function boolean(query: URLSearchParams, key: string): boolean | undefined {
  const text = query.get(key);
  if (text === null) return undefined;
  return text !== '0' && text.toLowerCase() !== 'false';
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function optionsOf(query: URLSearchParams): { readonly options: RequestOptions; readonly refused: Status | undefined } {
  const options: Mutable<RequestOptions> = {};
  let refused: Status | undefined;
  for (const key of [
    'resourceVersion',
    'resourceVersionMatch',
    'labelSelector',
    'fieldSelector',
    'continue',
    'fieldManager',
    'fieldValidation',
    'propagationPolicy',
  ] as const) {
    const value = query.get(key);
    if (value !== null) options[key] = value;
  }
  for (const key of ['limit', 'timeoutSeconds', 'gracePeriodSeconds'] as const) {
    const value = integer(query, key);
    if (typeof value === 'number') options[key] = value;
    else if (value !== undefined) refused ??= value;
  }
  for (const key of ['allowWatchBookmarks', 'sendInitialEvents', 'force', 'orphanDependents'] as const) {
    const value = boolean(query, key);
    if (value !== undefined) options[key] = value;
  }
  if (query.has('dryRun')) options.dryRun = query.getAll('dryRun');
  return { options, refused };
}

const patchTypes: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

/** Below this a body's size is not worth telling: only many such patches could make an object too big for etcd. */
const bigBodyBytes = 100_000;
const bodyTypes = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
const bodyBytesMax = 3 * 1024 * 1024;

function verbOf(method: string, path: ParsedPath, query: URLSearchParams): Verb | undefined {
  const named = path.name !== undefined && path.name !== '';
  switch (method) {
    case 'GET':
      if (path.isWatch || (boolean(query, 'watch') === true && !named)) return 'watch';
      return named ? 'get' : 'list';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return named ? 'delete' : 'deletecollection';
    default:
      return undefined;
  }
}

/** Turns a request into data. What is wrong with its text travels along as `refused`, because permission is asked first. */
export function decodeHttpRequest(http: HttpRequest, registry: KindRegistry, user: UserInfo): Route {
  const mark = http.path.indexOf('?');
  const path = mark < 0 ? http.path : http.path.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? '' : http.path.slice(mark + 1));
  const parsed = parsePath(path);
  if (parsed === undefined) return { kind: 'path', path, query };
  const verb = verbOf(http.method, parsed, query);
  if (verb === undefined)
    return {
      kind: 'refused',
      status: failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {}),
    };
  const kind = registry.resource(parsed.group, parsed.version, parsed.resource);
  const isConnection = connections.has(parsed.subresource ?? '');
  const { options, refused } = isConnection ? { options: { connect: Object.fromEntries(query) }, refused: undefined } : optionsOf(query);
  const agent = (http.headers['user-agent'] ?? '').split('/')[0] ?? '';
  const { isWatch: _, ...target } = parsed;
  const base: ApiRequest = {
    verb,
    ...target,
    options,
    user,
    ...(agent === '' ? {} : { userAgent: agent }),
    ...(http.body.length > bigBodyBytes ? { bodyBytes: http.body.length } : {}),
    ...(refused === undefined ? {} : { refused }),
  };
  const request = query.has('export')
    ? { ...base, refused: badRequest('the export parameter, deprecated since v1.14, is no longer supported') }
    : isConnection
      ? base
      : withBody(base, http, kind);
  return { kind: 'resource', request, isWatch: verb === 'watch', query };
}

function withBody(request: ApiRequest, http: HttpRequest, kind: ServedKind | undefined): ApiRequest {
  const type = (http.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  switch (request.verb) {
    case 'create':
    case 'update':
      return withObject(request, http.body, type, kind?.kind ?? '');
    case 'patch':
      return withPatch(request, http.body, type);
    case 'delete':
    case 'deletecollection':
      return http.body === '' ? request : withDeleteOptions(request, http.body, type);
    default:
      return request;
  }
}

/** Go prints the beginning of a body that it could not read: as text when it looks like JSON, else as hexadecimal. */
function bodyText(body: string): string {
  if (body === '') return '<empty>';
  if (!body.startsWith('{') && !body.startsWith('[{')) {
    const hex = [...new TextEncoder().encode(body)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    return hex.length > 30 ? `${hex.slice(0, 30)} ...` : hex;
  }
  return body.length > 30 ? `${body.slice(0, 30)} ...` : body;
}

function unrecognized(kind: string, why: string, body: string): Status {
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${bodyText(body)})`);
}

function withObject(request: ApiRequest, body: string, type: string, kind: string): ApiRequest {
  if (request.refused !== undefined) return request;
  if (type !== '' && type !== 'application/json' && type !== 'application/yaml' && type !== 'application/vnd.kubernetes.protobuf') {
    return {
      ...request,
      refused: failure(
        415,
        'UnsupportedMediaType',
        `the body of the request was in an unknown format - accepted media types include: ${bodyTypes}`,
      ),
    };
  }
  if (type === 'application/vnd.kubernetes.protobuf') {
    return {
      ...request,
      refused: unrecognized(kind, 'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]', body),
    };
  }
  if (new TextEncoder().encode(body).length > bodyBytesMax) {
    return { ...request, refused: requestEntityTooLarge(`Request entity too large: limit is ${bodyBytesMax}`) };
  }
  const parsed = type === 'application/yaml' ? parseGoYaml(body) : parseGoJson(body);
  if (parsed.error !== undefined)
    return { ...request, refused: unrecognized(kind, `couldn't get version/kind; json parse error: ${parsed.error}`, body) };
  const problem = envelopeProblem(parsed.value);
  if (problem !== undefined) return { ...request, refused: unrecognized(kind, problem, body) };
  const duplicateFields = parsed.duplicates;
  return {
    ...request,
    object: (parsed.value ?? {}) as UntypedObject,
    ...(duplicateFields.length > 0 ? { options: { ...request.options, duplicateFields } } : {}),
  };
}

function envelopeProblem(value: unknown): string | undefined {
  const target = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
  if (value === null) return undefined;
  const what = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  if (what !== 'object')
    return `couldn't get version/kind; json parse error: json: cannot unmarshal ${what} into Go value of type ${target}`;
  const { apiVersion, kind } = value as { readonly apiVersion?: unknown; readonly kind?: unknown };
  for (const [name, field] of [
    ['apiVersion', apiVersion],
    ['kind', kind],
  ] as const) {
    if (field === undefined || field === null || typeof field === 'string') continue;
    return `couldn't get version/kind; json parse error: json: cannot unmarshal ${Array.isArray(field) ? 'array' : typeof field === 'boolean' ? 'bool' : typeof field} into Go struct field .${name} of type string`;
  }
  if (typeof apiVersion === 'string' && apiVersion.split('/').length > 2) return `unexpected GroupVersion string: ${apiVersion}`;
  return undefined;
}

function withPatch(request: ApiRequest, body: string, type: string): ApiRequest {
  const patchType = patchTypes[type];
  if (patchType === undefined) return { ...request, refused: failure(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {}) };
  if (request.refused !== undefined) return { ...request, patchType };
  let parsed: ParsedText;
  if (patchType === 'apply') {
    parsed = parseGoYaml(body);
    if (parsed.error !== undefined) return { ...request, patchType, refused: badRequest(`error decoding YAML: ${parsed.error}`) };
  } else {
    parsed = parseGoJson(body);
    if (parsed.error !== undefined)
      return {
        ...request,
        patchType,
        refused: badRequest(patchType === 'strategic' ? parsed.error : `error decoding patch: ${parsed.error}`),
      };
  }
  const duplicateFields = patchType === 'apply' ? parsed.duplicates : [];
  return {
    ...request,
    patchType,
    patch: (parsed.value ?? null) as Json,
    ...(duplicateFields.length > 0 ? { options: { ...request.options, duplicateFields } } : {}),
  };
}

function withDeleteOptions(request: ApiRequest, body: string, type: string): ApiRequest {
  const parsed = type === 'application/yaml' ? parseGoYaml(body) : parseGoJson(body);
  if (parsed.error !== undefined)
    return { ...request, refused: badRequest(`couldn't get version/kind; json parse error: ${parsed.error}`) };
  const given = (parsed.value ?? {}) as Readonly<Record<string, unknown>> &
    RequestOptions & { readonly kind?: string; readonly apiVersion?: string };
  if (given.kind !== undefined && given.kind !== 'DeleteOptions') {
    return {
      ...request,
      refused: badRequest(
        `no kind ${JSON.stringify(given.kind)} is registered for version ${JSON.stringify(given.apiVersion ?? '')} in scheme "pkg/runtime/scheme.go:111"`,
      ),
    };
  }
  const options: Mutable<RequestOptions> = { ...request.options };
  if (typeof given.gracePeriodSeconds === 'number') options.gracePeriodSeconds = given.gracePeriodSeconds;
  if (typeof given.propagationPolicy === 'string') options.propagationPolicy = given.propagationPolicy;
  if (typeof given.orphanDependents === 'boolean') options.orphanDependents = given.orphanDependents;
  if (given.preconditions !== undefined && given.preconditions !== null) options.preconditions = given.preconditions;
  if (Array.isArray(given.dryRun)) options.dryRun = given.dryRun as readonly string[];
  return { ...request, options };
}
