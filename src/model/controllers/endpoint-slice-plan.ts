import type { DiscoveryEndpointPort, Endpoint, EndpointSlice, Service } from '../api/types.ts';
import { isHeadless } from './endpoint.ts';
import { managedByLabel, serviceNameLabel } from './endpoint-slice-tracker.ts';
import { newControllerRef } from './owner-reference.ts';
import { semanticEqual } from './semantic-equal.ts';

const headlessLabel = 'service.kubernetes.io/headless';
export const managedBy = 'endpointslice-controller.k8s.io';

/** What is to be written for one service and address family. */
export interface SlicePlan {
  readonly create: EndpointSlice[];
  readonly update: EndpointSlice[];
  readonly delete: EndpointSlice[];
}

/** Endpoints that share their ports, in the order of their pods. */
export interface PortGroup {
  readonly ports: readonly DiscoveryEndpointPort[];
  readonly endpoints: Endpoint[];
}

/** What makes two endpoints the same one: addresses, hostname and pod. Upstream endpointset hashEndpoint. */
function identity(endpoint: Endpoint): string {
  const target = endpoint.targetRef;
  if (endpoint.addresses.length === 1)
    return `${endpoint.addresses[0]} ${endpoint.hostname ?? ''} ${target?.namespace ?? ''}/${target?.name ?? ''}`;
  return JSON.stringify([
    [...endpoint.addresses].sort(),
    endpoint.hostname ?? '',
    endpoint.targetRef?.namespace ?? '',
    endpoint.targetRef?.name ?? '',
  ]);
}

/** Labels of a service's slices: the service's own, and those that the controller needs. Upstream setEndpointSliceLabels. */
export function sliceLabels(service: Service): { readonly [key: string]: string } {
  const labels: { [key: string]: string } = {};
  for (const [key, value] of Object.entries(service.metadata.labels ?? {})) {
    if (key !== serviceNameLabel && key !== managedByLabel && key !== headlessLabel) labels[key] = value;
  }
  if (isHeadless(service)) labels[headlessLabel] = '';
  labels[serviceNameLabel] = service.metadata.name ?? '';
  labels[managedByLabel] = managedBy;
  return labels;
}

export function portsKey(ports: readonly DiscoveryEndpointPort[] | undefined): string {
  const texts = (ports ?? []).map((port) =>
    JSON.stringify([port.name ?? '', port.protocol ?? 'TCP', port.port ?? 0, port.appProtocol ?? '']),
  );
  return texts.sort().join(',');
}

export function newSlice(
  service: Service,
  family: 'IPv4' | 'IPv6',
  ports: readonly DiscoveryEndpointPort[],
  endpoints: readonly Endpoint[],
): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${service.metadata.name ?? ''}-`,
      namespace: service.metadata.namespace ?? '',
      labels: sliceLabels(service),
      ownerReferences: [newControllerRef(service, 'v1', 'Service')],
    },
    addressType: family,
    endpoints,
    ...(ports.length > 0 ? { ports } : {}),
  };
}

/** Where all that is missing still fits, the fullest slice that can take it. Upstream getSliceToFill. */
function sliceToFill(slices: readonly EndpointSlice[], missing: number, max: number): EndpointSlice | undefined {
  let best: EndpointSlice | undefined;
  for (const slice of slices) {
    const size = slice.endpoints.length;
    if (size + missing <= max && (best === undefined || size > best.endpoints.length)) best = slice;
  }
  return best;
}

/** The existing slice with what is still wanted of it, and the wanted endpoints that no slice has. */
interface Kept {
  readonly unchanged: EndpointSlice[];
  readonly changed: EndpointSlice[];
  readonly emptied: EndpointSlice[];
  readonly missing: Endpoint[];
}

function keepWanted(existing: readonly EndpointSlice[], wanted: readonly Endpoint[], labels: { readonly [key: string]: string }): Kept {
  const left = new Map(wanted.map((endpoint) => [identity(endpoint), endpoint]));
  const kept: Kept = { unchanged: [], changed: [], emptied: [], missing: [] };
  for (const slice of existing) {
    const endpoints: Endpoint[] = [];
    let changed = false;
    for (const endpoint of slice.endpoints) {
      const key = identity(endpoint);
      const next = left.get(key);
      if (next === undefined) continue;
      left.delete(key);
      if (semanticEqual(next, endpoint)) endpoints.push(endpoint);
      else {
        endpoints.push(next);
        changed = true;
      }
    }
    if (changed || endpoints.length !== slice.endpoints.length) {
      if (endpoints.length === 0) kept.emptied.push(slice);
      else kept.changed.push({ ...slice, metadata: { ...slice.metadata, labels }, endpoints });
    } else if (!semanticEqual(slice.metadata.labels, labels)) kept.changed.push({ ...slice, metadata: { ...slice.metadata, labels } });
    else kept.unchanged.push(slice);
  }
  kept.missing.push(...left.values());
  return kept;
}

/** Brings the slices of one group of ports up to date with as few writes as it can. Upstream reconcileByPortMapping. */
export function planPortGroup(
  service: Service,
  family: 'IPv4' | 'IPv6',
  existing: readonly EndpointSlice[],
  group: PortGroup,
  max: number,
): SlicePlan {
  const kept = keepWanted(existing, group.endpoints, sliceLabels(service));
  const missing = kept.missing;
  // Slices that are written anyway take new endpoints first, the fullest before others.
  const update = [...kept.changed].sort((a, b) => b.endpoints.length - a.endpoints.length);
  for (const [i, slice] of update.entries()) {
    const room = max - slice.endpoints.length;
    if (missing.length > 0 && room > 0) update[i] = { ...slice, endpoints: [...slice.endpoints, ...missing.splice(0, room)] };
  }
  const create: EndpointSlice[] = [];
  const unchanged = [...kept.unchanged];
  while (missing.length > 0) {
    const target = missing.length < max ? sliceToFill(unchanged, missing.length, max) : undefined;
    if (target === undefined) create.push(newSlice(service, family, group.ports, missing.splice(0, max)));
    else {
      unchanged.splice(unchanged.indexOf(target), 1);
      update.push({ ...target, endpoints: [...target.endpoints, ...missing.splice(0)] });
    }
  }
  return { create, update, delete: kept.emptied };
}

function isPlaceholder(slice: EndpointSlice, service: Service): boolean {
  return slice.endpoints.length === 0 && (slice.ports ?? []).length === 0 && semanticEqual(slice.metadata.labels, sliceLabels(service));
}

/** All slices of a service and family: upstream reconcileByAddressType. Empty services keep one empty slice. */
export function planFamily(
  service: Service,
  family: 'IPv4' | 'IPv6',
  existing: readonly EndpointSlice[],
  groups: readonly PortGroup[],
  max: number,
): SlicePlan {
  const byPorts = new Map<string, EndpointSlice[]>();
  for (const slice of existing) {
    const key = portsKey(slice.ports);
    byPorts.set(key, [...(byPorts.get(key) ?? []), slice]);
  }
  const plan: SlicePlan = { create: [], update: [], delete: [] };
  for (const group of groups) {
    const key = portsKey(group.ports);
    const part = planPortGroup(service, family, byPorts.get(key) ?? [], group, max);
    byPorts.delete(key);
    plan.create.push(...part.create);
    plan.update.push(...part.update);
    plan.delete.push(...part.delete);
  }
  for (const key of [...byPorts.keys()].sort()) plan.delete.push(...(byPorts.get(key) ?? []));
  if (existing.length !== plan.delete.length || plan.create.length > 0) return reuseNames(service, plan);
  const only = plan.delete.length === 1 ? plan.delete[0] : undefined;
  if (only !== undefined && isPlaceholder(only, service)) return { create: [], update: plan.update, delete: [] };
  plan.create.push(newSlice(service, family, [], []));
  return reuseNames(service, plan);
}

/** A slice to be created takes the place of one to be deleted: one write instead of two. Upstream finalize. */
function reuseNames(service: Service, plan: SlicePlan): SlicePlan {
  const { create, update } = plan;
  const deleted: EndpointSlice[] = [];
  for (const slice of plan.delete) {
    const owned = slice.metadata.ownerReferences?.some((reference) => reference.uid === service.metadata.uid) === true;
    const next = owned ? create.pop() : undefined;
    if (next === undefined) deleted.push(slice);
    else update.push({ ...next, metadata: { ...slice.metadata, labels: next.metadata.labels ?? {} } });
  }
  return { create, update, delete: deleted };
}
