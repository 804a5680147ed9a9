import type { EndpointAddress, EndpointPort, EndpointSubset, Endpoints, Pod, Service } from '../api/types.ts';
import type { EventRecorder } from '../client/events.ts';
import type { Informer } from '../client/informer.ts';
import { objectKey, splitKey } from '../client/reflector.ts';
import { ENDPOINTS, PODS, SERVICES } from '../client/resources.ts';
import { isForbidden, isNotFound } from '../client/result.ts';
import { type ReconcileError, WorkQueue, runWorkers } from '../client/work-queue.ts';
import type { Task } from '../../sim/task.ts';
import { SECOND } from '../../sim/time.ts';
import type { ControllerContext } from './context.ts';
import { endpointCostUs, endpointHostname, isEndpointPod, isHeadless, podAddresses, publishesNotReady, targetPort } from './endpoint.ts';
import { isPodReady } from './pod-state.ts';
import { semanticEqual } from './semantic-equal.ts';
import { indexServicesByNamespace, selectsPod, servicesOf, servicesOnUpdate } from './service-membership.ts';

const retriesMax = 15;
const byNamespace = 'namespace';
const headlessLabel = 'service.kubernetes.io/headless';
const managedByLabel = 'endpoints.kubernetes.io/managed-by';

/** Keeps the older Endpoints objects: pkg/controller/endpoint/endpoints_controller.go. Deprecated upstream, and still running. */
/** Endpoints that serve as a lock of leader election have no Service. */
const LEADER_ANNOTATION = 'control-plane.alpha.kubernetes.io/leader';

export function startEndpointsController(context: ControllerContext): void {
  new EndpointsController(context).start();
}

interface Entry {
  readonly service: Service;
  readonly portsKey: string;
  /** Sorts addresses. */
  readonly order: string;
  readonly address: EndpointAddress;
  readonly ready: boolean;
  readonly ports: EndpointPort[];
}

class EndpointsController {
  readonly #context: ControllerContext;
  readonly #recorder: EventRecorder;
  readonly #services: Informer<Service>;
  readonly #pods: Informer<Pod>;
  readonly #endpoints: Informer<Endpoints>;
  readonly #queue: WorkQueue;
  /** Versions that this controller has replaced: what still shows one is a stale copy (upstream staleEndpointsTracker). */
  readonly #replaced = new Map<string, string>();
  readonly #entries = new WeakMap<Pod, Entry>();

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#recorder = context.recorder('endpoint-controller');
    this.#services = context.informer(SERVICES);
    this.#pods = context.informer(PODS);
    this.#endpoints = context.informer(ENDPOINTS);
    this.#queue = new WorkQueue(context.process, { baseDelayUs: SECOND });
  }

  start(): void {
    const { process, config } = this.#context;
    indexServicesByNamespace(this.#services);
    this.#pods.addIndex(byNamespace, (pod) => [pod.metadata.namespace ?? '']);
    const enqueue = (service: Service): void => this.#queue.add(objectKey(service));
    const enqueueAll = (keys: readonly string[]): void => {
      for (const key of keys) this.#queue.add(key);
    };
    this.#services.addHandler({ onAdd: enqueue, onUpdate: (_, next) => enqueue(next), onDelete: enqueue });
    this.#pods.addHandler({
      onAdd: (pod) => enqueueAll(servicesOf(this.#services, pod)),
      onUpdate: (previous, next) => enqueueAll(servicesOnUpdate(this.#services, previous, next)),
      onDelete: (pod) => enqueueAll(servicesOf(this.#services, pod)),
    });
    this.#endpoints.addHandler({ onDelete: (endpoints) => this.#queue.add(objectKey(endpoints)) });
    this.#context.whenSynced([this.#services, this.#pods, this.#endpoints], () => {
      // Services that went while no manager was at work left theirs behind (upstream checkLeftoverEndpoints).
      for (const endpoints of this.#endpoints.list()) {
        if (endpoints.metadata.annotations?.[LEADER_ANNOTATION] === undefined) this.#queue.add(objectKey(endpoints));
      }
      runWorkers(
        process,
        'endpoints',
        this.#queue,
        config.concurrentEndpointSliceSyncs,
        (key) => this.#sync(key),
        (key) => this.#queue.requeues(key) < retriesMax,
      );
    });
  }

  *#sync(key: string): Task<ReconcileError> {
    const { client, process, config, defects } = this.#context;
    process.charge(config.reconcileCostUs);
    const service = this.#services.get(key);
    const { namespace, name } = splitKey(key);
    if (service === undefined) {
      this.#replaced.delete(key);
      const deleted = yield* client.resource(ENDPOINTS).delete(namespace, name);
      return deleted.ok || isNotFound(deleted) ? undefined : deleted;
    }
    if (service.spec?.type === 'ExternalName' || service.spec?.selector === undefined) return undefined;
    const current = this.#endpoints.get(key);
    // Compared with a copy older than our own last write, a change that takes it back looks like none (kubernetes#125638).
    if (!defects.has('K10') && current !== undefined && this.#replaced.get(key) === current.metadata.resourceVersion) {
      return {
        message: `endpoints informer cache is out of date, resource version ${current.metadata.resourceVersion} already processed for endpoints ${key}`,
      };
    }
    const pods = this.#pods.byIndex(byNamespace, namespace);
    process.charge(pods.length * endpointCostUs);
    const subsets = this.#subsets(service, pods);
    const labels = endpointsLabels(service);
    if (current !== undefined && semanticEqual(current.subsets, subsets) && semanticEqual(current.metadata.labels, labels))
      return undefined;
    const metadata = current === undefined ? { namespace, name, labels } : { ...current.metadata, labels };
    const next: Endpoints = { apiVersion: 'v1', kind: 'Endpoints', metadata, ...(subsets.length > 0 ? { subsets } : {}) };
    const written = current === undefined ? yield* client.resource(ENDPOINTS).create(next) : yield* client.resource(ENDPOINTS).update(next);
    if (written.ok) {
      if (current?.metadata.resourceVersion !== undefined) this.#replaced.set(key, current.metadata.resourceVersion);
      return undefined;
    }
    if (current === undefined && isForbidden(written)) return written;
    const verb = current === undefined ? 'Create' : 'Update';
    const text = current === undefined ? 'Failed to create endpoint for service' : 'Failed to update endpoint';
    this.#recorder.event(current ?? next, 'Warning', `FailedTo${verb}Endpoint`, `${text} ${key}: ${written.message}`);
    return written;
  }

  /** What a pod gives to a service; worked out once for the same objects, which never change. */
  #entry(pod: Pod, service: Service, family: 'IPv4' | 'IPv6', tolerates: boolean): Entry | undefined {
    const known = this.#entries.get(pod);
    if (known !== undefined && known.service === service) return known;
    const ip = podAddresses(pod, family)[0];
    const ports = ip === undefined ? undefined : portsOf(service, pod);
    if (ip === undefined || ports === undefined) return undefined;
    const ready = tolerates || isPodReady(pod);
    const order = `${ip}/${pod.metadata.uid ?? ''}`;
    const entry = { service, address: addressOf(pod, ip, service), ready, ports, portsKey: JSON.stringify(ports), order };
    this.#entries.set(pod, entry);
    return entry;
  }

  /** Pods by the set of ports that they serve, as upstream endpoints.RepackSubsets orders them. */
  #subsets(service: Service, pods: readonly Pod[]): readonly EndpointSubset[] {
    const family = service.spec?.ipFamilies?.[0] === 'IPv6' ? 'IPv6' : 'IPv4';
    const tolerates = publishesNotReady(service);
    const entries: Entry[] = [];
    for (const pod of pods) {
      if (!selectsPod(service, pod.metadata.labels) || !isEndpointPod(pod, tolerates)) continue;
      const entry = this.#entry(pod, service, family, tolerates);
      if (entry !== undefined) entries.push(entry);
    }
    entries.sort((x, y) => (x.order < y.order ? -1 : x.order > y.order ? 1 : 0));
    const groups = new Map<
      string,
      { readonly ports: readonly EndpointPort[]; readonly ready: EndpointAddress[]; readonly notReady: EndpointAddress[] }
    >();
    for (const entry of entries) {
      let group = groups.get(entry.portsKey);
      if (group === undefined) {
        group = { ports: entry.ports, ready: [], notReady: [] };
        groups.set(entry.portsKey, group);
      }
      (entry.ready ? group.ready : group.notReady).push(entry.address);
    }
    return [...groups.keys()].sort().map((key) => {
      const group = groups.get(key) as {
        readonly ports: readonly EndpointPort[];
        readonly ready: EndpointAddress[];
        readonly notReady: EndpointAddress[];
      };
      return {
        ...(group.ready.length > 0 ? { addresses: group.ready } : {}),
        ...(group.notReady.length > 0 ? { notReadyAddresses: group.notReady } : {}),
        ...(group.ports.length > 0 ? { ports: group.ports } : {}),
      };
    });
  }
}

/** Undefined: the pod serves none of the service's ports. */
function portsOf(service: Service, pod: Pod): EndpointPort[] | undefined {
  const wanted = service.spec?.ports ?? [];
  if (wanted.length === 0) return isHeadless(service) ? [] : undefined;
  const ports: EndpointPort[] = [];
  for (const port of wanted) {
    const number = targetPort(pod, port);
    if (number === undefined) continue;
    ports.push({
      ...(port.name !== undefined && port.name !== '' ? { name: port.name } : {}),
      port: number,
      protocol: port.protocol ?? 'TCP',
      ...(port.appProtocol !== undefined ? { appProtocol: port.appProtocol } : {}),
    });
  }
  return ports.length === 0 ? undefined : ports;
}

function addressOf(pod: Pod, ip: string, service: Service): EndpointAddress {
  const hostname = endpointHostname(pod, service);
  return {
    ip,
    ...(hostname !== undefined ? { hostname } : {}),
    ...(pod.spec.nodeName !== undefined ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: 'Pod', namespace: pod.metadata.namespace ?? '', name: pod.metadata.name ?? '', uid: pod.metadata.uid ?? '' },
  };
}

function endpointsLabels(service: Service): { readonly [key: string]: string } {
  const { [headlessLabel]: _, ...own } = service.metadata.labels ?? {};
  return { ...own, ...(isHeadless(service) ? { [headlessLabel]: '' } : {}), [managedByLabel]: 'endpoint-controller' };
}
