import type { Process } from '../../sim/process.ts';
import type { RpcClient } from '../../sim/rpc.ts';
import type { Task } from '../../sim/task.ts';
import { MINUTE, SECOND, type Micros } from '../../sim/time.ts';
import type { Json } from '../api/object.ts';
import type { Service } from '../api/types.ts';
import type { EventRecorder } from '../client/events.ts';
import type { Informer } from '../client/informer.ts';
import { SERVICES } from '../client/resources.ts';
import type { Client } from '../client/typed-client.ts';
import { WorkQueue } from '../client/work-queue.ts';

/** Upstream servicehelper.LoadBalancerCleanupFinalizer. */
const FINALIZER = 'service.kubernetes.io/load-balancer-cleanup';
/** --concurrent-service-syncs, minRetryDelay, maxRetryDelay. */
const WORKERS = 1;
const RETRY_MIN: Micros = 5 * SECOND;
const RETRY_MAX: Micros = 5 * MINUTE;
const CALL_TIMEOUT: Micros = MINUTE;
/** Said of a Service that is not there any more. */
const GONE = 'it is gone';

type JsonObject = { readonly [name: string]: Json };

/**
 * The cloud controller manager's service controller: a Service of type LoadBalancer gets a load balancer of the cloud and its address, and gives it back before it
 * goes (cloud-provider/controllers/service). Its changes of nodes behind load balancers are left out: clients find healthy nodes themselves.
 */
export class ServiceController {
  readonly #process: Process;
  readonly #client: Client;
  readonly #services: Informer<Service>;
  readonly #recorder: EventRecorder;
  readonly #cloud: RpcClient;
  readonly #queue: WorkQueue;

  constructor(process: Process, client: Client, services: Informer<Service>, recorder: EventRecorder, cloud: RpcClient) {
    this.#process = process;
    this.#client = client;
    this.#services = services;
    this.#recorder = recorder;
    this.#cloud = cloud;
    this.#queue = new WorkQueue(process, { baseDelayUs: RETRY_MIN, maxDelayUs: RETRY_MAX });
  }

  start(): void {
    const add = (service: Service): void => {
      if (wants(service) || hasFinalizer(service)) this.#queue.add(keyOf(service));
    };
    this.#services.addHandler({ onAdd: add, onUpdate: (_before, service) => add(service) });
    for (let i = 0; i < WORKERS; i++) this.#process.spawn(`service-worker-${i}`, this.#work());
  }

  *#work(): Task<void> {
    yield* this.#services.waitForSync();
    for (;;) {
      const key = yield* this.#queue.get();
      const service = this.#services.get(key);
      const error = service === undefined ? undefined : yield* this.#sync(service);
      if (error === undefined) this.#queue.forget(key);
      else {
        if (service !== undefined)
          this.#recorder.event(service, 'Warning', 'SyncLoadBalancerFailed', `Error syncing load balancer: ${error}`);
        this.#queue.addRateLimited(key);
      }
      this.#queue.done(key);
    }
  }

  /** The error, if any. */
  *#sync(service: Service): Task<string | undefined> {
    if (wants(service) && service.metadata.deletionTimestamp === undefined) return yield* this.#ensure(service);
    if (!hasFinalizer(service)) return undefined;
    this.#recorder.event(service, 'Normal', 'DeletingLoadBalancer', 'Deleting load balancer');
    const deleted = yield* this.#cloud.call('delete-load-balancer', nameOf(service), { timeoutUs: CALL_TIMEOUT });
    if (!deleted.ok) return 'failed to delete load balancer: the cloud does not answer';
    if (service.metadata.deletionTimestamp === undefined && ingressOf(service) !== undefined) {
      const cleared = yield* this.#patch(service, { status: { loadBalancer: null } }, 'status');
      if (cleared !== undefined && cleared !== GONE) return cleared;
    }
    const finalizers = (service.metadata.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
    const removed = yield* this.#patch(service, { metadata: { finalizers } });
    if (removed !== undefined && removed !== GONE) return `failed to remove load balancer cleanup finalizer: ${removed}`;
    this.#recorder.event(service, 'Normal', 'DeletedLoadBalancer', 'Deleted load balancer');
    return undefined;
  }

  *#ensure(service: Service): Task<string | undefined> {
    const before = ingressOf(service);
    if (before !== undefined && hasFinalizer(service)) return undefined;
    this.#recorder.event(service, 'Normal', 'EnsuringLoadBalancer', 'Ensuring load balancer');
    // Before the cloud is asked: nobody may forget to give the load balancer back.
    if (!hasFinalizer(service)) {
      const added = yield* this.#patch(service, { metadata: { finalizers: [...(service.metadata.finalizers ?? []), FINALIZER] } });
      if (added === GONE) return undefined;
      if (added !== undefined) return `failed to add load balancer cleanup finalizer: ${added}`;
    }
    const made = yield* this.#cloud.call<string>('ensure-load-balancer', nameOf(service), { timeoutUs: CALL_TIMEOUT });
    if (!made.ok) return 'failed to ensure load balancer: the cloud does not answer';
    if (before !== made.value) {
      const told = yield* this.#patch(service, { status: { loadBalancer: { ingress: [{ ip: made.value, ipMode: 'VIP' }] } } }, 'status');
      if (told !== undefined && told !== GONE) return `failed to update load balancer status: ${told}`;
    }
    this.#recorder.event(service, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer');
    return undefined;
  }

  /** The error, if any. What was seen is what is changed: a Service that somebody has written since is looked at again. */
  *#patch(service: Service, change: JsonObject, subresource?: string): Task<string | undefined> {
    const { namespace = '', name = '', uid = '', resourceVersion = '' } = service.metadata;
    const metadata = { ...(change['metadata'] as JsonObject | undefined), uid, ...(subresource === undefined ? { resourceVersion } : {}) };
    const patch: Json = { ...change, metadata };
    const answer = yield* this.#client
      .resource(SERVICES)
      .patch(namespace, name, 'merge', patch, subresource === undefined ? {} : { subresource });
    if (answer.ok) return undefined;
    return answer.code === 404 ? GONE : answer.message;
  }
}

/** Upstream wantsLoadBalancer. */
function wants(service: Service): boolean {
  return service.spec?.type === 'LoadBalancer' && service.spec.loadBalancerClass === undefined;
}

function hasFinalizer(service: Service): boolean {
  return service.metadata.finalizers?.includes(FINALIZER) === true;
}

function ingressOf(service: Service): string | undefined {
  return service.status?.loadBalancer?.ingress?.[0]?.ip;
}

/** Upstream DefaultLoadBalancerName: 'a' and the uid. */
function nameOf(service: Service): string {
  return `a${(service.metadata.uid ?? '').replaceAll('-', '')}`.slice(0, 32);
}

function keyOf(service: Service): string {
  return `${service.metadata.namespace}/${service.metadata.name}`;
}
