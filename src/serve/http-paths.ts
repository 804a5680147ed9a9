import type { KindRegistry, ServedKind } from '../model/api/registry.ts';
import type { ApiRequest } from '../model/api/request.ts';
import { methodNotAllowed, notAcceptable, unknownResource } from '../model/api/status.ts';
import { aggregated, groupsOf, healthChecks, indexPaths, listedResources, serverVersion } from '../model/apiserver/discovery.ts';
import { negotiate } from './http-response.ts';
import { openApiIndex, openApiV2, openApiV3 } from './openapi.ts';

/** An answer to a path that names no resource. */
export interface PathAnswer {
  readonly code: number;
  /** Undefined: the answer has no such header. */
  readonly contentType: string | undefined;
  readonly body?: unknown;
  readonly text?: string;
}

export interface PathRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accept: string | undefined;
  /** Kinds that custom resource definitions brought. */
  readonly custom: readonly ServedKind[];
  /** host:port under which the server is advertised. */
  readonly serverAddress: string;
}

const plain = 'text/plain; charset=utf-8';
const json = 'application/json';
export const notFoundPage: PathAnswer = { code: 404, contentType: plain, text: '404 page not found\n' };
const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** Paths of groups that are not built in reach no handler at all unless a definition serves just that; they get the router's own page. */
export function isUnrouted(registry: KindRegistry, kind: ServedKind | undefined, request: ApiRequest): boolean {
  if (kind === undefined) return !registry.hasBuiltInGroup(request.group);
  if (kind.custom === undefined) return false;
  const isNamespaced = request.namespace !== undefined && request.namespace !== '';
  return isNamespaced ? !kind.namespaced : kind.namespaced && request.verb !== 'list' && request.verb !== 'watch';
}

function answer(body: unknown, code = 200): PathAnswer {
  return { code, contentType: json, body };
}

/** Health, version and discovery. */
export function answerPath(request: PathRequest): PathAnswer {
  const path = request.path.length > 1 && request.path.endsWith('/') ? request.path.slice(0, -1) : request.path;
  const isKnown = path === '/version' || path === '/api' || path === '/apis' || /^\/(api|apis)\//.test(path);
  if (request.method !== 'GET' && isKnown) return answer(methodNotAllowed(), 405);
  const [, first = '', ...rest] = path.split('/');
  switch (first) {
    case '':
      return answer({ paths: indexPaths });
    case 'healthz':
    case 'livez':
    case 'readyz':
      return health(first, rest, request.query);
    case 'version':
      return rest.length > 0 ? notFoundPage : version(request.accept);
    case 'api':
    case 'apis':
      return discovery(request, first, rest);
    case '.well-known':
      return rest.join('/') === 'openid-configuration' ? answer(openId(request.serverAddress)) : notFoundPage;
    case 'openapi':
      return openApi(rest);
    default:
      return notFoundPage;
  }
}

/** The index of OpenAPI documents is announced as plain text, and an unknown document has no body: both as upstream. */
function openApi(rest: readonly string[]): PathAnswer {
  const [version, ...path] = rest;
  if (version === 'v2' && path.length === 0) return answer(openApiV2());
  if (version !== 'v3') return notFoundPage;
  if (path.length === 0) return { code: 200, contentType: plain, text: JSON.stringify(openApiIndex()) };
  const document = openApiV3(path.join('/'));
  return document === undefined ? { code: 404, contentType: undefined, text: '' } : answer(document);
}

function health(name: string, rest: readonly string[], query: URLSearchParams): PathAnswer {
  const checks = healthChecks[name] ?? [];
  const excluded = new Set(query.getAll('exclude'));
  if (rest.length > 0) return checks.includes(rest.join('/')) ? { code: 200, contentType: plain, text: 'ok' } : notFoundPage;
  if (!query.has('verbose')) return { code: 200, contentType: plain, text: 'ok' };
  const lines = checks.map((check) => (excluded.has(check) ? `[+]${check} excluded: ok\n` : `[+]${check} ok\n`));
  return { code: 200, contentType: plain, text: `${lines.join('')}${name} check passed\n` };
}

function version(accept: string | undefined): PathAnswer {
  const wanted = (accept ?? '*/*').split(',').map((clause) => clause.split(';')[0]?.trim());
  if (wanted.some((type) => type === '*/*' || type === json || type === 'application/*')) return answer(serverVersion);
  return {
    ...answer({ ...notAcceptable('406: Not Acceptable\n\nAvailable representations: application/json'), details: {} }, 406),
    contentType: accept === 'application/yaml' ? 'application/yaml' : json,
  };
}

function openId(address: string): object {
  return {
    issuer: 'https://kubernetes.default.svc',
    jwks_uri: `https://${address}/openid/v1/jwks`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  };
}

function discovery(request: PathRequest, root: string, rest: readonly string[]): PathAnswer {
  const { custom, accept } = request;
  if (rest.length === 0) {
    const wantsAggregated = (accept ?? '')
      .split(',')
      .some(
        (clause) => /as=APIGroupDiscoveryList/.test(clause) && /v=v2(;|$)/.test(clause.trim()) && /g=apidiscovery\.k8s\.io/.test(clause),
      );
    if (wantsAggregated) return { code: 200, contentType: aggregatedType, body: aggregated(root === 'api', custom) };
  }
  const representation = negotiate(accept, false);
  if ('status' in representation) return answer(representation, 406);
  if (root === 'api') {
    if (rest.length === 0) {
      return answer({
        kind: 'APIVersions',
        versions: ['v1'],
        serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: request.serverAddress }],
      });
    }
    if (rest[0] !== 'v1') return answer(unknownResource(), 404);
    return answer({ kind: 'APIResourceList', groupVersion: 'v1', resources: listedResources('v1', custom) });
  }
  const groups = groupsOf(custom);
  if (rest.length === 0) return answer({ kind: 'APIGroupList', apiVersion: 'v1', groups });
  const group = groups.find(({ name }) => name === rest[0]);
  if (group === undefined) return notFoundPage;
  if (rest.length === 1) return answer({ kind: 'APIGroup', apiVersion: 'v1', ...group });
  const groupVersion = `${rest[0]}/${rest[1]}`;
  const resources = group.versions.some((v) => v.groupVersion === groupVersion) ? listedResources(groupVersion, custom) : undefined;
  if (resources === undefined) return answer(unknownResource(), 404);
  return answer({ kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources });
}
