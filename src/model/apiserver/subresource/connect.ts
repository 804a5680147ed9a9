import type { Task } from '../../../sim/task.ts';
import type { ApiResponse } from '../../api/request.ts';
import { badRequest, failure, invalid as invalidStatus, methodNotAllowed, notFound, plainError } from '../../api/status.ts';
import type { Endpoints, Node, Pod } from '../../api/types.ts';
import { type FieldErrors, forbidden, invalid } from '../../api/validation/field-errors.ts';
import { kindNamed } from '../admission/lookup.ts';
import { validateAdmission } from '../admission-chain.ts';
import { refuse } from '../refusal.ts';
import { keyOf, readObject } from '../resource-store.ts';
import type { RequestScope } from '../server-context.ts';

/**
 * Subresources that are connections through the server to a kubelet, a pod or a service: log, exec, attach, portforward, proxy. What the API
 * server itself finds out comes first; then its connector asks the kubelet or the pod. Streams in both directions are not modelled: a command
 * is answered when it has ended, attach and portforward are not answered at all.
 */

/** What an API server asks of a kubelet. */
export interface KubeletRequest {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
}

/** What it hears. */
export interface KubeletAnswer {
  readonly code: number;
  readonly text: string;
}

/** How an API server reaches kubelets and pods. Undefined answers: nobody took the connection. */
export interface NodeConnector {
  readonly kubelet: (node: string, request: KubeletRequest) => Task<KubeletAnswer | undefined>;
  readonly http: (address: string, port: number) => Task<KubeletAnswer | undefined>;
}

/** The subresources that connect to something outside of the server. */
export const CONNECTING: ReadonlySet<string> = new Set(['attach', 'exec', 'log', 'portforward', 'proxy']);

/** An answer that is text and no object. */
function said({ code, text }: KubeletAnswer): ApiResponse {
  return { code, object: { kind: 'Status', apiVersion: 'v1' }, text };
}

function* askKubelet(scope: RequestScope, node: string, path: string): Task<KubeletAnswer | undefined> {
  const { connector } = scope.server.options;
  return connector === undefined ? undefined : yield* connector.kubelet(node, { path: `/${path}`, query: queryOf(scope) });
}

const kubeletPort = 10_250;
/** --kubelet-preferred-address-types. */
const addressTypes = ['Hostname', 'InternalDNS', 'InternalIP', 'ExternalDNS', 'ExternalIP'];
const podsResource = { group: '', resource: 'pods' };

function queryOf(scope: RequestScope): Readonly<Record<string, string>> {
  return scope.options.connect ?? {};
}

/** pods/log: upstream `registry/core/pod/rest/log.go` and LogLocation. */
export function* log(scope: RequestScope): Task<ApiResponse> {
  if (scope.request.verb !== 'get') refuse(methodNotAllowed());
  checkLogOptions(scope);
  const pod = yield* podOf(scope);
  const container = containerOf(pod, queryOf(scope)['container'] ?? '');
  // A pod that is nowhere has no log yet.
  if ((pod.spec.nodeName ?? '') === '') return { code: 204, object: { kind: 'Status', apiVersion: 'v1' }, text: '' };
  const address = yield* kubeletAddress(scope, pod.spec.nodeName ?? '');
  const path = `containerLogs/${pod.metadata.namespace}/${pod.metadata.name}/${container}`;
  const answer = yield* askKubelet(scope, pod.spec.nodeName ?? '', path);
  if (answer === undefined) return refuse(plainError(`Get "https://${address}/${path}": dial tcp ${address}: connect: connection refused`));
  // Upstream GenericHttpResponseChecker: what the kubelet complains of is the message of a Status.
  if (answer.code === 400) return refuse(badRequest(answer.text.trim()));
  return answer.code > 400 ? refuse(failure(answer.code, 'InternalError', answer.text.trim(), {})) : said(answer);
}

function checkLogOptions(scope: RequestScope): void {
  const query = queryOf(scope);
  const errors: FieldErrors = [];
  const least = (name: string, min: number, text: string): void => {
    const value = query[name];
    if (value === undefined || value === '') return;
    if (!/^[+-]?\d+$/.test(value)) refuse(badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`));
    if (Number(value) < min) errors.push(invalid(name, Number(value), text));
  };
  least('tailLines', 0, 'must be greater than or equal to 0');
  least('limitBytes', 1, 'must be greater than 0');
  if (query['sinceSeconds'] !== undefined && query['sinceTime'] !== undefined)
    errors.push(forbidden('sinceSeconds', 'at most one of `sinceTime` or `sinceSeconds` may be specified'));
  else least('sinceSeconds', 1, 'must be greater than 0');
  if (errors.length > 0) refuse(invalidStatus({ group: '', kind: 'PodLogOptions' }, scope.request.name ?? '', errors));
}

/** pods/exec, pods/attach and pods/portforward: upstream `registry/core/pod/strategy.go` streamLocation and PortForwardLocation. */
export function* stream(scope: RequestScope): Task<ApiResponse> {
  const { verb, subresource = '' } = scope.request;
  if (verb !== 'get' && verb !== 'create') refuse(methodNotAllowed());
  const pod = yield* podOf(scope);
  yield* admitConnection(scope);
  let container = '';
  if (subresource !== 'portforward') {
    container = containerOf(pod, queryOf(scope)['container'] ?? '');
    const phase = pod.status?.phase;
    if (phase === 'Succeeded' || phase === 'Failed')
      refuse(
        badRequest(`cannot ${subresource === 'exec' ? 'exec' : 'attach'} into a container in a completed pod; current phase is ${phase}`),
      );
  }
  if ((pod.spec.nodeName ?? '') === '') refuse(badRequest(`pod ${pod.metadata.name} does not have a host assigned`));
  const address = yield* kubeletAddress(scope, pod.spec.nodeName ?? '');
  const path = `${subresource}/${pod.metadata.namespace}/${pod.metadata.name}/${container}`;
  const answer = yield* askKubelet(scope, pod.spec.nodeName ?? '', path);
  if (answer === undefined) return refuse(plainError(`error dialing backend: dial tcp ${address}: connect: connection refused`));
  if (answer.code >= 400) refuse(failure(answer.code, answer.code === 501 ? 'NotImplemented' : 'InternalError', answer.text.trim(), {}));
  return said(answer);
}

function* admitConnection(scope: RequestScope): Task<void> {
  const { kind, request } = scope;
  yield* validateAdmission(scope, { operation: 'CONNECT', kind, name: request.name ?? '', object: undefined, oldObject: undefined });
}

function* podOf(scope: RequestScope): Task<Pod> {
  const name = scope.request.name ?? '';
  const pod = yield* readObject(scope.server, keyOf(scope.kind, scope.namespace, name));
  return pod === undefined ? refuse(notFound(scope.kind, name)) : (pod as unknown as Pod);
}

/** The container that a request means: upstream validateContainer. */
function containerOf(pod: Pod, wanted: string): string {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec;
  const names = (list: readonly { readonly name: string }[]): string => list.map(({ name }) => name).join(' ');
  if (wanted !== '') {
    const isThere = [...containers, ...initContainers, ...ephemeralContainers].some(({ name }) => name === wanted);
    return isThere ? wanted : refuse(badRequest(`container ${wanted} is not valid for pod ${pod.metadata.name}`));
  }
  const [only, ...others] = containers;
  if (only !== undefined && others.length === 0) return only.name;
  const also = initContainers.length === 0 ? '' : ` or one of the init containers: [${names(initContainers)}]`;
  return refuse(
    badRequest(`a container name must be specified for pod ${pod.metadata.name}, choose one of: [${names(containers)}]${also}`),
  );
}

/** host:port of a node's kubelet. A missing node is told as if it were a pod: upstream interprets the error for the resource of the request. */
function* kubeletAddress(scope: RequestScope, nodeName: string): Task<string> {
  const node = yield* readObject(scope.server, keyOf(kindNamed(scope.server, '', 'v1', 'nodes'), '', nodeName));
  if (node === undefined) refuse(notFound(podsResource, nodeName));
  return addressOf(node as unknown as Node);
}

function addressOf({ status }: Node): string {
  const addresses = status?.addresses ?? [];
  for (const type of addressTypes) {
    const found = addresses.find((address) => address.type === type);
    if (found !== undefined) return `${found.address}:${status?.daemonEndpoints?.kubeletEndpoint?.Port || kubeletPort}`;
  }
  const known = addresses.map(({ type, address }) => `{${type} ${address}}`).join(' ');
  return refuse(plainError(`no preferred addresses found; known addresses: [${known}]`));
}

/** `scheme:name:port`, each but the name optional: upstream utilnet.SplitSchemeNamePort. */
function splitTarget(id: string): { readonly name: string; readonly port: string } | undefined {
  const parts = id.split(':');
  if (parts.length > 3) return undefined;
  const [scheme, name, port] = parts.length === 3 ? parts : ['', ...parts];
  if (scheme !== '' && scheme !== 'http' && scheme !== 'https') return undefined;
  return name === undefined || name === '' ? undefined : { name, port: port ?? '' };
}

/** nodes/proxy, pods/proxy and services/proxy: their ResourceLocation. */
export function* proxy(scope: RequestScope): Task<ApiResponse> {
  const { kind, server } = scope;
  const id = scope.request.name ?? '';
  const target = splitTarget(id);
  const word = kind.kind.toLowerCase();
  if (target === undefined) return refuse(badRequest(`invalid ${word} request ${JSON.stringify(id)}`));
  const object = yield* readObject(server, keyOf(kind, scope.namespace, target.name));
  if (object === undefined) refuse(notFound(kind, target.name));
  yield* admitConnection(scope);
  let address: string;
  if (kind.kind === 'Node') address = addressOf(object as unknown as Node);
  else if (kind.kind === 'Pod') address = podAddress(object as unknown as Pod, target.port);
  else address = yield* endpointOf(scope, id, target);
  const answer = yield* kind.kind === 'Node' ? askKubelet(scope, target.name, queryOf(scope)['path'] ?? '') : askHttp(scope, address);
  return answer === undefined
    ? refuse(failure(503, 'ServiceUnavailable', `error trying to reach service: dial tcp ${address}: connect: connection refused`))
    : said(answer);
}

function* askHttp(scope: RequestScope, address: string): Task<KubeletAnswer | undefined> {
  const { connector } = scope.server.options;
  const colon = address.lastIndexOf(':');
  return connector === undefined ? undefined : yield* connector.http(address.slice(0, colon), Number(address.slice(colon + 1)));
}

function podAddress(pod: Pod, wanted: string): string {
  const ip = pod.status?.podIP ?? '';
  if (ip === '') refuse(badRequest('address not allowed'));
  // Without a port the first that a container declares.
  const declared = pod.spec.containers.flatMap(({ ports = [] }) => ports).find(({ protocol }) => (protocol ?? 'TCP') === 'TCP');
  return `${ip}:${wanted === '' ? (declared?.containerPort ?? 80) : wanted}`;
}

function* endpointOf(scope: RequestScope, id: string, target: { readonly name: string; readonly port: string }): Task<string> {
  const kind = kindNamed(scope.server, '', 'v1', 'endpoints');
  const endpoints = (yield* readObject(scope.server, keyOf(kind, scope.namespace, target.name))) as unknown as Endpoints | undefined;
  for (const { addresses = [], ports = [] } of endpoints?.subsets ?? []) {
    const port = ports.find((one) => target.port === '' || one.name === target.port || String(one.port) === target.port);
    const [first] = addresses;
    if (port !== undefined && first !== undefined) return `${first.ip}:${port.port}`;
  }
  return refuse(failure(503, 'ServiceUnavailable', `no endpoints available for service ${JSON.stringify(id)}`));
}
