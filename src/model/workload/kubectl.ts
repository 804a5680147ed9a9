import type { Endpoint } from '../../sim/network.ts';
import type { Process } from '../../sim/process.ts';
import type { Program } from '../../sim/host.ts';
import { Channel } from '../../sim/sync.ts';
import { SECOND } from '../../sim/time.ts';
import type { Task } from '../../sim/task.ts';
import { kindOfKind } from '../api/kinds/registry.ts';
import type { ApiObject, Json, UntypedObject } from '../api/object.ts';
import type { Deployment, StatefulSet } from '../api/types.ts';
import { DEPLOYMENTS, NAMESPACES, NODES, PODS, type Resource, STATEFUL_SETS } from '../client/resources.ts';
import { type ApiFailure, type ApiResult, isAlreadyExists, isConflict } from '../client/result.ts';
import { ApiTransport } from '../client/transport.ts';
import { Client, type ResourceClient } from '../client/typed-client.ts';
import type { Facts } from '../facts.ts';
import { type Errand, RunningErrand } from './errand.ts';

/** One thing that a user asks for. */
export type UserOrder =
  | { readonly what: 'apply'; readonly source: string; readonly object: UntypedObject }
  | { readonly what: 'set-image'; readonly deployment: string; readonly image: string }
  | { readonly what: 'scale'; readonly deployment: string; readonly replicas: number }
  | { readonly what: 'apply-deployment'; readonly deployment: string; readonly image: string; readonly replicas: number }
  | { readonly what: 'delete'; readonly kind: 'node' | 'namespace'; readonly name: string }
  | { readonly what: 'drain'; readonly node: string }
  | { readonly what: 'uncordon'; readonly node: string }
  | { readonly what: 'delete-pod'; readonly workload: string; readonly ordinal: number };

export interface KubectlOptions {
  readonly name: string;
  readonly servers: readonly Endpoint[];
  readonly facts: Facts;
  /** A manifest that the API server refuses for good: its Status's message with the place of the document. */
  readonly onRefused: (source: string, message: string) => void;
}

interface Given {
  readonly order: UserOrder;
  readonly errand: RunningErrand;
}

const ATTEMPTS_MAX = 60;
const RETRY_US = 1 * SECOND;

/**
 * A user with kubectl: works off orders one after the other, through whatever API server the load balancer gives, and tries again what
 * the cluster could not take (a person would press the up arrow). Orders are given from outside and survive nothing: a user does not crash.
 */
export class Kubectl {
  readonly #options: KubectlOptions;
  readonly #waiting: Given[] = [];
  #orders: Channel<Given> | undefined;
  #stopped = false;
  #operation = 0;

  constructor(options: KubectlOptions) {
    this.#options = options;
  }

  program(): Program {
    return { name: this.#options.name, start: (process) => this.#start(process) };
  }

  /** Gives an order; it is worked off after those before it. */
  order(order: UserOrder): Errand {
    const given = { order, errand: new RunningErrand() };
    if (this.#orders === undefined) this.#waiting.push(given);
    else this.#orders.send(given);
    return given.errand;
  }

  /** No new attempts from now on. */
  stop(): void {
    this.#stopped = true;
  }

  #start(process: Process): void {
    const { servers, name } = this.#options;
    const user = { name: 'kubernetes-admin', groups: ['kubeadm:cluster-admins', 'system:masters', 'system:authenticated'] };
    const client = new Client(new ApiTransport(process, { servers, user, userAgent: 'kubectl' }));
    this.#orders = new Channel();
    for (const given of this.#waiting.splice(0)) this.#orders.send(given);
    process.spawn(name, this.#work(process, client, this.#orders));
  }

  *#work(process: Process, client: Client, orders: Channel<Given>): Task<void> {
    const { facts, name, onRefused } = this.#options;
    for (;;) {
      const { order, errand } = yield* orders.receive();
      const op = ++this.#operation;
      facts.userOperation.emit(op, name, describe(order));
      let outcome = 'unknown';
      let detail = '';
      for (let attempt = 0; attempt < ATTEMPTS_MAX && !this.#stopped; attempt++) {
        if (attempt > 0) yield* process.sleep(RETRY_US);
        const result = yield* carryOut(client, order, errand);
        if (result.ok) {
          if (result.object !== undefined) errand.taken++;
          outcome = 'ok';
          break;
        }
        detail = result.message;
        if (isFinal(result)) {
          outcome = 'refused';
          if (order.what === 'apply') onRefused(order.source, result.message);
          break;
        }
      }
      facts.userAnswer.emit(op, outcome, detail);
    }
  }
}

function describe(order: UserOrder): string {
  switch (order.what) {
    case 'apply':
      return `apply ${order.object.kind} ${order.object.metadata.name ?? ''}`;
    case 'set-image':
      return `set image deployment/${order.deployment} ${order.image}`;
    case 'scale':
      return `scale deployment/${order.deployment} --replicas=${order.replicas}`;
    case 'apply-deployment':
      return `apply deployment/${order.deployment} ${order.image} replicas=${order.replicas}`;
    case 'delete':
      return `delete ${order.kind} ${order.name}`;
    case 'drain':
      return `drain ${order.node} --ignore-daemonsets --delete-emptydir-data`;
    case 'uncordon':
      return `uncordon ${order.node}`;
    case 'delete-pod':
      return `delete pod ${order.ordinal} of ${order.workload}`;
  }
}

/** An answer that no further attempt changes. */
function isFinal(result: ApiFailure): boolean {
  return result.code >= 400 && result.code < 500 && result.code !== 429 && !isConflict(result) && result.code !== 404;
}

/** An answer without an object: there was nothing to do. */
function* carryOut(client: Client, order: UserOrder, errand: RunningErrand): Task<ApiResult<unknown>> {
  switch (order.what) {
    case 'apply':
      return yield* apply(client, order.object);
    case 'set-image':
      return yield* changeDeployment(client.resource(DEPLOYMENTS), order.deployment, order.image);
    case 'apply-deployment':
      return yield* changeDeployment(client.resource(DEPLOYMENTS), order.deployment, order.image, order.replicas);
    case 'delete': {
      const resource: Resource<ApiObject> = order.kind === 'node' ? NODES : NAMESPACES;
      const deleted = yield* client.resource(resource).delete('', order.name);
      // What a first attempt deleted without our hearing of it is gone all the same.
      return !deleted.ok && deleted.code === 404 ? { ok: true, object: undefined } : deleted;
    }
    case 'scale': {
      const [namespace, name] = split(order.deployment);
      return yield* client
        .resource(DEPLOYMENTS)
        .patch(namespace, name, 'merge', { spec: { replicas: order.replicas } }, { subresource: 'scale' });
    }
    case 'drain':
      return yield* drain(client, order.node, errand);
    case 'uncordon':
      return yield* client.resource(NODES).patch('', order.node, 'strategic', { spec: { unschedulable: null } });
    case 'delete-pod':
      return yield* deletePod(client, order.workload, order.ordinal);
  }
}

/** Creates the object, or changes it to what the document says where it exists. */
function* apply(client: Client, document: UntypedObject): Task<ApiResult<unknown>> {
  const resource = resourceOf(document);
  const namespace = document.metadata.namespace ?? 'default';
  const object = resource.namespaced ? { ...document, metadata: { ...document.metadata, namespace } } : document;
  const created = yield* client.resource(resource).create(object);
  if (created.ok || !isAlreadyExists(created)) return created;
  return yield* client
    .resource(resource)
    .patch(resource.namespaced ? namespace : '', object.metadata.name ?? '', 'merge', object as unknown as Json);
}

/** Where objects of this kind are served. A kind that is not modelled is taken as opaque, under the plural that kubectl would guess. */
function resourceOf(object: UntypedObject): Resource<ApiObject> {
  const [group, version] = object.apiVersion.includes('/') ? (object.apiVersion.split('/') as [string, string]) : ['', object.apiVersion];
  const kind = kindOfKind(group, version, object.kind);
  if (kind !== undefined) return { group, version, resource: kind.resource, kind: kind.kind, namespaced: kind.namespaced };
  return { group, version, resource: guessPlural(object.kind), kind: object.kind, namespaced: object.metadata.namespace !== undefined };
}

/** meta.UnsafeGuessKindToResource. */
function guessPlural(kind: string): string {
  const lower = kind.toLowerCase();
  if (lower.endsWith('s')) return `${lower}es`;
  return lower.endsWith('y') ? `${lower.slice(0, -1)}ies` : `${lower}s`;
}

/** Another image for the first container and, where it is given, another number of replicas, in one request. */
function* changeDeployment(
  deployments: ResourceClient<Deployment>,
  key: string,
  image: string,
  replicas?: number,
): Task<ApiResult<unknown>> {
  const [namespace, name] = split(key);
  const got = yield* deployments.get(namespace, name);
  if (!got.ok) return got;
  const containers = (got.object.spec?.template.spec?.containers ?? []).map((container, i) =>
    i === 0 ? { ...container, image } : container,
  );
  return yield* deployments.patch(namespace, name, 'strategic', {
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      template: { spec: { containers: containers.map((c) => ({ name: c.name, image: c.image ?? '' })) } },
    },
  });
}

/** `kubectl drain`: cordons the node and evicts its pods; those of DaemonSets stay. A refused eviction is tried again with the whole order. */
function* drain(client: Client, node: string, errand: RunningErrand): Task<ApiResult<unknown>> {
  const cordoned = yield* client.resource(NODES).patch('', node, 'strategic', { spec: { unschedulable: true } });
  if (!cordoned.ok) return cordoned;
  // Tried again, a drain cordons again.
  if (errand.taken === 0) errand.taken++;
  const pods = yield* client.resource(PODS).list('', { options: { fieldSelector: `spec.nodeName=${node}` } });
  if (!pods.ok) return pods;
  for (const pod of pods.object.items) {
    if (pod.metadata.deletionTimestamp !== undefined || pod.metadata.ownerReferences?.some((owner) => owner.kind === 'DaemonSet')) continue;
    const evicted = yield* client.evict(pod.metadata.namespace ?? '', pod.metadata.name ?? '');
    if (evicted.ok) errand.taken++;
    else if (evicted.code !== 404) return evicted;
  }
  return { ok: true, object: undefined };
}

function* deletePod(client: Client, workload: string, ordinal: number): Task<ApiResult<unknown>> {
  const [namespace, name] = split(workload);
  const deployment: ApiResult<Deployment | StatefulSet> = yield* client.resource(DEPLOYMENTS).get(namespace, name);
  const owner: ApiResult<Deployment | StatefulSet> = deployment.ok
    ? deployment
    : yield* client.resource(STATEFUL_SETS).get(namespace, name);
  if (!owner.ok) return owner;
  const labels = owner.object.spec?.selector.matchLabels ?? {};
  const labelSelector = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
  const pods = yield* client.resource(PODS).list(namespace, { options: { labelSelector } });
  if (!pods.ok) return pods;
  const names = pods.object.items
    .filter((pod) => pod.metadata.deletionTimestamp === undefined)
    .map((pod) => pod.metadata.name ?? '')
    .sort();
  const victim = names[ordinal % Math.max(1, names.length)];
  return victim === undefined ? { ok: true, object: undefined } : yield* client.resource(PODS).delete(namespace, victim);
}

function split(key: string): [string, string] {
  const [namespace, name] = key.split('/');
  return [namespace ?? 'default', name ?? ''];
}
