import { formatTime, parseTime } from '../api/time.ts';
import type { Endpoint, EndpointSlice, Node, Pod, Service } from '../api/types.ts';
import type { EventRecorder } from '../client/events.ts';
import type { Informer } from '../client/informer.ts';
import { objectKey, splitKey } from '../client/reflector.ts';
import { ENDPOINT_SLICES, NODES, PODS, SERVICES } from '../client/resources.ts';
import { type ApiFailure, isNamespaceTerminating, isNotFound } from '../client/result.ts';
import { type ReconcileError, WorkQueue, runWorkers } from '../client/work-queue.ts';
import type { Task } from '../../sim/task.ts';
import { SECOND } from '../../sim/time.ts';
import type { ControllerContext } from './context.ts';
import { endpointCostUs, endpointPorts, isEndpointPod, podAddresses, podEndpoint, publishesNotReady, readinessChange } from './endpoint.ts';
import { planHints } from './endpoint-slice-hints.ts';
import { type PortGroup, type SlicePlan, managedBy, planFamily, portsKey } from './endpoint-slice-plan.ts';
import { EndpointSliceTracker, managedByLabel, serviceKeyOf, serviceNameLabel } from './endpoint-slice-tracker.ts';
import { indexServicesByNamespace, selectsPod, servicesOf, servicesOnUpdate } from './service-membership.ts';

const retriesMax = 15;
/** A slice that somebody else changed is looked at after this long: upstream endpointSliceChangeMinSyncDelay. */
const sliceChangeDelay = SECOND;
const triggerTimeAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';
const byService = 'service';
const byNamespace = 'namespace';

/** Keeps the slices of each service in step with its pods: pkg/controller/endpointslice and staging's endpointslice reconciler. */
export function startEndpointSliceController(context: ControllerContext): void {
  new EndpointSliceController(context).start();
}

interface Entry {
  readonly service: Service;
  readonly node: Node | undefined;
  readonly family: 'IPv4' | 'IPv6';
  readonly ports: PortGroup['ports'];
  readonly key: string;
  readonly endpoint: Endpoint;
}

class EndpointSliceController {
  readonly #context: ControllerContext;
  readonly #recorder: EventRecorder;
  readonly #services: Informer<Service>;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #slices: Informer<EndpointSlice>;
  readonly #queue: WorkQueue;
  readonly #tracker = new EndpointSliceTracker();
  /** Trigger times of the service and its pods as of the last sync: upstream TriggerTimeTracker. */
  readonly #triggers = new Map<string, Map<string, number>>();
  readonly #entries = new WeakMap<Pod, Entry>();

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#recorder = context.recorder('endpoint-slice-controller');
    this.#services = context.informer(SERVICES);
    this.#pods = context.informer(PODS);
    this.#nodes = context.informer(NODES);
    this.#slices = context.informer(ENDPOINT_SLICES);
    this.#queue = new WorkQueue(context.process, { baseDelayUs: SECOND });
  }

  start(): void {
    const { process, config } = this.#context;
    indexServicesByNamespace(this.#services);
    this.#pods.addIndex(byNamespace, (pod) => [pod.metadata.namespace ?? '']);
    this.#slices.addIndex(byService, (slice) => {
      const key = serviceKeyOf(slice);
      return key === undefined ? [] : [key];
    });
    const enqueue = (service: Service): void => this.#queue.add(objectKey(service));
    this.#services.addHandler({ onAdd: enqueue, onUpdate: (_, next) => enqueue(next), onDelete: enqueue });
    const enqueueAll = (keys: readonly string[]): void => {
      for (const key of keys) this.#queue.add(key);
    };
    this.#pods.addHandler({
      onAdd: (pod) => enqueueAll(servicesOf(this.#services, pod)),
      onUpdate: (previous, next) => enqueueAll(servicesOnUpdate(this.#services, previous, next)),
      onDelete: (pod) => enqueueAll(servicesOf(this.#services, pod)),
    });
    this.#slices.addHandler({
      onAdd: (slice) => {
        if (isManaged(slice) && this.#tracker.shouldSync(slice)) this.#sliceChanged(slice);
      },
      onUpdate: (previous, next) => this.#sliceUpdated(previous, next),
      onDelete: (slice) => {
        if (isManaged(slice) && this.#tracker.has(slice) && !this.#tracker.deleted(slice)) this.#sliceChanged(slice);
      },
    });
    this.#context.whenSynced([this.#services, this.#pods, this.#nodes, this.#slices], () => {
      runWorkers(
        process,
        'endpointslice',
        this.#queue,
        config.concurrentEndpointSliceSyncs,
        (key) => this.#sync(key),
        (key) => this.#queue.requeues(key) < retriesMax,
      );
    });
  }

  #sliceChanged(slice: EndpointSlice): void {
    const key = serviceKeyOf(slice);
    if (key !== undefined) this.#queue.addAfter(key, sliceChangeDelay);
  }

  #sliceUpdated(previous: EndpointSlice, next: EndpointSlice): void {
    if (previous.metadata.labels?.[serviceNameLabel] !== next.metadata.labels?.[serviceNameLabel]) {
      this.#sliceChanged(previous);
      this.#sliceChanged(next);
      return;
    }
    if (isManaged(previous) !== isManaged(next) || (isManaged(next) && this.#tracker.shouldSync(next))) this.#sliceChanged(next);
  }

  *#sync(key: string): Task<ReconcileError> {
    const { process, config, defects } = this.#context;
    process.charge(config.reconcileCostUs);
    const service = this.#services.get(key);
    if (service === undefined) {
      this.#triggers.delete(key);
      this.#tracker.forgetService(key);
      return undefined;
    }
    if (service.spec?.type === 'ExternalName' || service.spec?.selector === undefined) return undefined;
    const pods = this.#pods.byIndex(byNamespace, splitKey(key).namespace).filter((pod) => selectsPod(service, pod.metadata.labels));
    const owned = this.#slices.byIndex(byService, key).filter((slice) => isManaged(slice));
    process.charge(pods.length * endpointCostUs);
    // Compared with a copy that lacks our own last write, a change that takes it back looks like no change; without this check it was
    // skipped and nothing came to try again (kubernetes#127429, #125638).
    if (!defects.has('K10') && this.#tracker.isStale(key, owned)) return { message: 'EndpointSlice informer cache is out of date' };
    // The API server writes a list without endpoints as null, as Go prints an empty slice.
    const existing = owned
      .filter((slice) => slice.metadata.deletionTimestamp === undefined)
      .map((slice) => ((slice.endpoints as EndpointSlice['endpoints'] | null) === null ? { ...slice, endpoints: [] } : slice));
    const trigger = this.#triggerTime(key, service, pods);
    const failure = yield* this.#reconcile(service, pods, existing, trigger);
    if (failure === undefined) return undefined;
    const { namespace, name } = splitKey(key);
    this.#recorder.event(
      service,
      'Warning',
      'FailedToUpdateEndpointSlices',
      `Error updating Endpoint Slices for Service ${namespace}/${name}: ${failure.message}`,
    );
    return failure;
  }

  *#reconcile(
    service: Service,
    pods: readonly Pod[],
    existing: readonly EndpointSlice[],
    trigger: number | undefined,
  ): Task<ReconcileError> {
    const families = (service.spec?.ipFamilies ?? []).filter((family): family is 'IPv4' | 'IPv6' => family !== '');
    let failure: ReconcileError;
    for (const family of families.length === 0 ? (['IPv4'] as const) : families) {
      const ofFamily = existing.filter((slice) => slice.addressType === family);
      const groups = this.#portGroups(service, pods, family);
      const plan = planHints(service, ofFamily, planFamily(service, family, ofFamily, groups, this.#context.config.maxEndpointsPerSlice));
      failure = (yield* this.#write(service, plan, trigger)) ?? failure;
    }
    for (const slice of existing) {
      if (families.length > 0 && !families.some((family) => family === slice.addressType))
        failure = (yield* this.#delete(slice)) ?? failure;
    }
    return failure;
  }

  /** What a pod gives to a service; worked out once for the same objects, which never change. */
  #entry(pod: Pod, node: Node | undefined, service: Service, family: 'IPv4' | 'IPv6'): Entry {
    const known = this.#entries.get(pod);
    if (known !== undefined && known.service === service && known.node === node && known.family === family) return known;
    const ports = endpointPorts(service, pod);
    const entry = { service, node, family, ports, key: portsKey(ports), endpoint: podEndpoint(pod, node, service, family) };
    this.#entries.set(pod, entry);
    return entry;
  }

  #portGroups(service: Service, pods: readonly Pod[], family: 'IPv4' | 'IPv6'): readonly PortGroup[] {
    const groups = new Map<string, PortGroup>();
    for (const pod of pods) {
      if (!isEndpointPod(pod, true) || podAddresses(pod, family).length === 0) continue;
      const node = pod.spec.nodeName === undefined ? undefined : this.#nodes.get(pod.spec.nodeName);
      // Without its node the zone is unknown; the pod comes back with the node.
      if (node === undefined && !publishesNotReady(service)) continue;
      const { ports, key, endpoint } = this.#entry(pod, node, service, family);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { ports, endpoints: [endpoint] });
      else group.endpoints.push(endpoint);
    }
    return [...groups.keys()].sort().map((key) => groups.get(key) as PortGroup);
  }

  *#write(service: Service, plan: SlicePlan, trigger: number | undefined): Task<ReconcileError> {
    const slices = this.#context.client.resource(ENDPOINT_SLICES);
    if (service.metadata.deletionTimestamp === undefined) {
      for (const slice of plan.create) {
        const created = yield* slices.create(withTrigger(slice, trigger));
        if (created.ok) this.#tracker.update(created.object);
        else if (isNamespaceTerminating(created)) return undefined;
        else return prefixed('failed to create EndpointSlice for Service', service, created);
      }
    }
    for (const slice of plan.update) {
      const updated = yield* slices.update(withTrigger(slice, trigger));
      if (updated.ok) this.#tracker.update(updated.object);
      else return prefixed(`failed to update ${slice.metadata.name ?? ''} EndpointSlice for Service`, service, updated);
    }
    for (const slice of plan.delete) {
      const failure = yield* this.#delete(slice);
      if (failure !== undefined)
        return prefixed(`failed to delete ${slice.metadata.name ?? ''} EndpointSlice for Service`, service, failure);
    }
    return undefined;
  }

  *#delete(slice: EndpointSlice): Task<ApiFailure | undefined> {
    const deleted = yield* this.#context.client.resource(ENDPOINT_SLICES).delete(slice.metadata.namespace ?? '', slice.metadata.name ?? '');
    if (deleted.ok) this.#tracker.expectDeletion(slice);
    return deleted.ok || isNotFound(deleted) ? undefined : deleted;
  }

  /** The oldest change since the last sync: upstream ComputeEndpointLastChangeTriggerTime. */
  #triggerTime(key: string, service: Service, pods: readonly Pod[]): number | undefined {
    const known = this.#triggers.get(key);
    const now = new Map<string, number>();
    let oldest: number | undefined;
    for (const pod of pods) {
      const changed = readinessChange(pod);
      if (changed === undefined) continue;
      const name = pod.metadata.name ?? '';
      now.set(name, changed);
      const before = known?.get(name);
      if ((before === undefined || changed > before) && (oldest === undefined || changed < oldest)) oldest = changed;
    }
    this.#triggers.set(key, now);
    if (known === undefined) return parseTime(service.metadata.creationTimestamp ?? '') ?? oldest;
    return oldest;
  }
}

function isManaged(slice: EndpointSlice): boolean {
  return slice.metadata.labels?.[managedByLabel] === managedBy;
}

function prefixed(text: string, service: Service, failure: { readonly message: string }): ReconcileError {
  return { ...failure, message: `${text} ${service.metadata.namespace ?? ''}/${service.metadata.name ?? ''}: ${failure.message}` };
}

function withTrigger(slice: EndpointSlice, trigger: number | undefined): EndpointSlice {
  const { [triggerTimeAnnotation]: old, ...rest } = slice.metadata.annotations ?? {};
  if (trigger === undefined && old === undefined) return slice;
  const annotations = trigger === undefined ? rest : { ...rest, [triggerTimeAnnotation]: formatTime(trigger) };
  return { ...slice, metadata: { ...slice.metadata, annotations } };
}
