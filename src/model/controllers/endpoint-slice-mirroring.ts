import type { Endpoint, EndpointAddress, EndpointSlice, EndpointSubset, Endpoints, Service } from '../api/types.ts';
import type { EventRecorder } from '../client/events.ts';
import type { Informer } from '../client/informer.ts';
import { objectKey } from '../client/reflector.ts';
import { ENDPOINT_SLICES, ENDPOINTS, SERVICES } from '../client/resources.ts';
import { type ApiFailure, isNotFound } from '../client/result.ts';
import { type ReconcileError, WorkQueue, runWorkers } from '../client/work-queue.ts';
import type { Task } from '../../sim/task.ts';
import { SECOND } from '../../sim/time.ts';
import type { ControllerContext } from './context.ts';
import { portsKey } from './endpoint-slice-plan.ts';
import { EndpointSliceTracker, managedByLabel, serviceKeyOf, serviceNameLabel } from './endpoint-slice-tracker.ts';
import { newControllerRef } from './owner-reference.ts';
import { semanticEqual } from './semantic-equal.ts';

const managedBy = 'endpointslicemirroring-controller.k8s.io';
const skipMirrorLabel = 'endpointslice.kubernetes.io/skip-mirror';
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader';
const lastChangeAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';
const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';
/** --mirroring-max-endpoints-per-subset. */
const endpointsPerSubsetMax = 1000;
const retriesMax = 15;
const byService = 'mirrored-service';

/** Copies Endpoints that users keep by hand into slices: pkg/controller/endpointslicemirroring. */
export function startEndpointSliceMirroringController(context: ControllerContext): void {
  new EndpointSliceMirroringController(context).start();
}

class EndpointSliceMirroringController {
  readonly #context: ControllerContext;
  readonly #recorder: EventRecorder;
  readonly #endpoints: Informer<Endpoints>;
  readonly #services: Informer<Service>;
  readonly #slices: Informer<EndpointSlice>;
  readonly #queue: WorkQueue;
  readonly #tracker = new EndpointSliceTracker();

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#recorder = context.recorder('endpoint-slice-mirroring-controller');
    this.#endpoints = context.informer(ENDPOINTS);
    this.#services = context.informer(SERVICES);
    this.#slices = context.informer(ENDPOINT_SLICES);
    this.#queue = new WorkQueue(context.process, { baseDelayUs: SECOND, maxDelayUs: 100 * SECOND });
  }

  start(): void {
    const { process, config } = this.#context;
    this.#slices.addIndex(byService, (slice) => {
      const key = serviceKeyOf(slice);
      return key === undefined || !isMirror(slice) ? [] : [key];
    });
    const enqueue = (object: Endpoints | Service): void => this.#queue.add(objectKey(object));
    this.#endpoints.addHandler({
      onAdd: (endpoints) => {
        if (isMirrored(endpoints)) enqueue(endpoints);
      },
      onUpdate: (previous, next) => {
        if (isMirrored(previous) || isMirrored(next)) enqueue(next);
      },
      onDelete: (endpoints) => {
        if (isMirrored(endpoints)) enqueue(endpoints);
      },
    });
    this.#services.addHandler({ onAdd: enqueue, onUpdate: (_, next) => enqueue(next), onDelete: enqueue });
    this.#slices.addHandler({
      onUpdate: (_, next) => {
        if (isMirror(next) && this.#tracker.shouldSync(next)) this.#enqueueSlice(next);
      },
      onDelete: (slice) => {
        if (isMirror(slice) && this.#tracker.has(slice) && !this.#tracker.deleted(slice)) this.#enqueueSlice(slice);
      },
    });
    this.#context.whenSynced([this.#endpoints, this.#services, this.#slices], () => {
      runWorkers(
        process,
        'endpointslicemirroring',
        this.#queue,
        config.concurrentEndpointSliceSyncs,
        (key) => this.#sync(key),
        (key) => this.#queue.requeues(key) < retriesMax,
      );
    });
  }

  #enqueueSlice(slice: EndpointSlice): void {
    const key = serviceKeyOf(slice);
    if (key !== undefined) this.#queue.addAfter(key, SECOND);
  }

  *#sync(key: string): Task<ReconcileError> {
    const { process, config } = this.#context;
    process.charge(config.reconcileCostUs);
    const endpoints = this.#endpoints.get(key);
    const service = this.#services.get(key);
    const own = this.#slices.byIndex(byService, key);
    const wanted = endpoints !== undefined && isMirrored(endpoints) && service !== undefined && service.spec?.selector === undefined;
    if (!wanted) {
      // A selector, or nothing to mirror: the slices are the other controller's business, or nobody's.
      for (const slice of own) {
        const failure = yield* this.#delete(slice);
        if (failure !== undefined) return failure;
      }
      if (service === undefined) this.#tracker.forgetService(key);
      return undefined;
    }
    if (this.#tracker.isStale(key, own)) return { message: 'EndpointSlice informer cache is out of date' };
    const existing = own.filter((slice) => slice.metadata.deletionTimestamp === undefined);
    return yield* this.#reconcile(endpoints, existing);
  }

  *#reconcile(endpoints: Endpoints, existing: readonly EndpointSlice[]): Task<ReconcileError> {
    const slices = this.#context.client.resource(ENDPOINT_SLICES);
    const plan = planMirror(
      mirror(endpoints, (reason, message) => this.#recorder.event(endpoints, 'Warning', reason, message)),
      existing,
    );
    for (const draft of endpoints.metadata.deletionTimestamp === undefined ? plan.create : []) {
      const created = yield* slices.create(draft);
      if (!created.ok) return created;
      this.#tracker.update(created.object);
    }
    for (const slice of plan.update) {
      const updated = yield* slices.update(slice);
      if (!updated.ok) return updated;
      this.#tracker.update(updated.object);
    }
    for (const slice of plan.delete) {
      const failure = yield* this.#delete(slice);
      if (failure !== undefined) return failure;
    }
    return undefined;
  }

  *#delete(slice: EndpointSlice): Task<ApiFailure | undefined> {
    const deleted = yield* this.#context.client.resource(ENDPOINT_SLICES).delete(slice.metadata.namespace ?? '', slice.metadata.name ?? '');
    if (deleted.ok) this.#tracker.expectDeletion(slice);
    return deleted.ok || isNotFound(deleted) ? undefined : deleted;
  }
}

function isMirror(slice: EndpointSlice): boolean {
  return slice.metadata.labels?.[managedByLabel] === managedBy;
}

/** Leader election objects and those that say so are left alone. */
function isMirrored(endpoints: Endpoints): boolean {
  const { labels, annotations } = endpoints.metadata;
  return labels?.[skipMirrorLabel] !== 'true' && annotations?.[leaderAnnotation] === undefined;
}

function endpointOf(address: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [address.ip],
    conditions: { ready },
    ...(address.hostname !== undefined && address.hostname !== '' ? { hostname: address.hostname } : {}),
    ...(address.nodeName !== undefined ? { nodeName: address.nodeName } : {}),
    ...(address.targetRef !== undefined ? { targetRef: address.targetRef } : {}),
  };
}

type Warn = (reason: string, message: string) => void;

/** The endpoints of a subset by family, the ready ones first, as many as are mirrored. */
function endpointsOf(subset: EndpointSubset): {
  readonly byFamily: ReadonlyMap<'IPv4' | 'IPv6', Endpoint[]>;
  readonly invalid: number;
  readonly skipped: number;
} {
  const byFamily = new Map<'IPv4' | 'IPv6', Endpoint[]>();
  const all = [
    ...(subset.addresses ?? []).map((address) => endpointOf(address, true)),
    ...(subset.notReadyAddresses ?? []).map((address) => endpointOf(address, false)),
  ];
  let added = 0;
  let invalid = 0;
  for (const endpoint of all) {
    if (added === endpointsPerSubsetMax) break;
    const ip = endpoint.addresses[0] ?? '';
    if (!/^[0-9a-fA-F:.]+$/.test(ip)) {
      invalid++;
      continue;
    }
    added++;
    const family = ip.includes(':') ? 'IPv6' : 'IPv4';
    byFamily.set(family, [...(byFamily.get(family) ?? []), endpoint]);
  }
  return { byFamily, invalid, skipped: all.length - added };
}

/** The slices that mirror an Endpoints object: one for each set of ports and family. */
function mirror(endpoints: Endpoints, warn: Warn): readonly EndpointSlice[] {
  const name = endpoints.metadata.name ?? '';
  const { [lastAppliedAnnotation]: _, [lastChangeAnnotation]: _trigger, ...annotations } = endpoints.metadata.annotations ?? {};
  const labels = { ...endpoints.metadata.labels, [serviceNameLabel]: name, [managedByLabel]: managedBy };
  const byKey = new Map<string, EndpointSlice>();
  let invalid = 0;
  let skipped = 0;
  for (const subset of endpoints.subsets ?? []) {
    const ports = (subset.ports ?? []).map((port) => ({ ...port, name: port.name ?? '', protocol: port.protocol ?? ('TCP' as const) }));
    const found = endpointsOf(subset);
    invalid += found.invalid;
    skipped += found.skipped;
    for (const [family, list] of found.byFamily) {
      const key = `${family} ${portsKey(ports)}`;
      const known = byKey.get(key);
      byKey.set(
        key,
        known !== undefined
          ? { ...known, endpoints: [...known.endpoints, ...list] }
          : {
              apiVersion: 'discovery.k8s.io/v1',
              kind: 'EndpointSlice',
              metadata: {
                generateName: `${name}-`,
                namespace: endpoints.metadata.namespace ?? '',
                labels,
                ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
                ownerReferences: [newControllerRef(endpoints, 'v1', 'Endpoints')],
              },
              addressType: family,
              endpoints: list,
              ...(ports.length > 0 ? { ports } : {}),
            },
      );
    }
  }
  if (invalid > 0) warn('InvalidIPAddress', `Skipped ${invalid} invalid IP addresses when mirroring to EndpointSlices`);
  if (skipped > invalid)
    warn(
      'TooManyAddressesToMirror',
      `A max of ${endpointsPerSubsetMax} addresses can be mirrored to EndpointSlices per Endpoints subset. ${skipped} addresses were skipped`,
    );
  return [...byKey.keys()].sort().map((key) => byKey.get(key) as EndpointSlice);
}

interface MirrorPlan {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly delete: readonly EndpointSlice[];
}

/** The existing slice with the contents of the wanted one. */
function replaced(current: EndpointSlice, wanted: EndpointSlice): EndpointSlice {
  const { annotations: _, ...metadata } = current.metadata;
  const { labels = {}, annotations, ownerReferences = [] } = wanted.metadata;
  return { ...wanted, metadata: { ...metadata, labels, ownerReferences, ...(annotations !== undefined ? { annotations } : {}) } };
}

function isMirrorOf(current: EndpointSlice, wanted: EndpointSlice): boolean {
  const sorted = (slice: EndpointSlice): readonly Endpoint[] =>
    [...slice.endpoints].sort((a, b) => ((a.addresses[0] ?? '') < (b.addresses[0] ?? '') ? -1 : 1));
  return (
    semanticEqual(sorted(current), sorted(wanted)) &&
    semanticEqual(current.metadata.labels, wanted.metadata.labels) &&
    semanticEqual(current.metadata.annotations ?? {}, wanted.metadata.annotations ?? {})
  );
}

/**
 * What to write so that the slices are as wanted. A slice that would be deleted while another of its family is created is rewritten instead:
 * upstream recycleSlices.
 */
export function planMirror(wanted: readonly EndpointSlice[], existing: readonly EndpointSlice[]): MirrorPlan {
  const keyOf = (slice: EndpointSlice): string => `${slice.addressType} ${portsKey(slice.ports)}`;
  const free = [...existing];
  const update: EndpointSlice[] = [];
  const missing: EndpointSlice[] = [];
  for (const draft of wanted) {
    const at = free.findIndex((slice) => keyOf(slice) === keyOf(draft));
    if (at < 0) {
      missing.push(draft);
      continue;
    }
    const [current] = free.splice(at, 1) as [EndpointSlice];
    if (!isMirrorOf(current, draft)) update.push(replaced(current, draft));
  }
  const create: EndpointSlice[] = [];
  for (const draft of missing) {
    const at = free.findIndex((slice) => slice.addressType === draft.addressType);
    if (at < 0) create.push(draft);
    else update.push(replaced(free.splice(at, 1)[0] as EndpointSlice, draft));
  }
  return { create, update, delete: free };
}
