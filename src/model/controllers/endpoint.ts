import { parseTime } from '../api/time.ts';
import type { Container, DiscoveryEndpointPort, Endpoint, Node, Pod, Service, ServicePort } from '../api/types.ts';
import { isPodFinished, isPodReady, podReadySince } from './pod-state.ts';

/** Label and annotation of a service that wants addresses of pods that are not ready: the field replaced the annotation. */
const tolerateUnreadyAnnotation = 'service.alpha.kubernetes.io/tolerate-unready-endpoints';

/**
 * CPU of looking at one endpoint in a sync (converting, comparing, encoding it): the larger a service, the longer a sync takes and the
 * more changes the next one finds together.
 */
export const endpointCostUs = 5;

export function publishesNotReady(service: Service): boolean {
  return service.spec?.publishNotReadyAddresses === true || service.metadata.annotations?.[tolerateUnreadyAnnotation] === 'true';
}

export function isHeadless(service: Service): boolean {
  return service.spec?.clusterIP === 'None';
}

/** Whether the pod is an endpoint at all: it has an address and may still serve. Upstream ShouldPodBeInEndpoints. */
export function isEndpointPod(pod: Pod, includeTerminating: boolean): boolean {
  if (isPodFinished(pod)) return false;
  if ((pod.status?.podIPs ?? []).length === 0 && (pod.status?.podIP ?? '') === '') return false;
  return includeTerminating || pod.metadata.deletionTimestamp === undefined;
}

export function podAddresses(pod: Pod, family: 'IPv4' | 'IPv6'): readonly string[] {
  const all = pod.status?.podIPs?.map((entry) => entry.ip) ?? (pod.status?.podIP === undefined ? [] : [pod.status.podIP]);
  return all.filter((ip): ip is string => ip !== undefined && ip.includes(':') === (family === 'IPv6'));
}

/** The hostname under which DNS knows the pod of a headless service. */
export function endpointHostname(pod: Pod, service: Service): string | undefined {
  const { hostname, subdomain } = pod.spec;
  const named = hostname !== undefined && hostname !== '' && subdomain === service.metadata.name;
  return named && pod.metadata.namespace === service.metadata.namespace ? hostname : undefined;
}

/** Upstream podToEndpoint. A terminating pod is never ready, but may still serve. */
export function podEndpoint(pod: Pod, node: Node | undefined, service: Service, family: 'IPv4' | 'IPv6'): Endpoint {
  const serving = isPodReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const zone = node?.metadata.labels?.['topology.kubernetes.io/zone'];
  const hostname = endpointHostname(pod, service);
  const { namespace, name, uid } = pod.metadata;
  return {
    addresses: podAddresses(pod, family),
    conditions: { ready: publishesNotReady(service) || (serving && !terminating), serving, terminating },
    ...(hostname !== undefined ? { hostname } : {}),
    targetRef: {
      kind: 'Pod',
      ...(namespace !== undefined ? { namespace } : {}),
      ...(name !== undefined ? { name } : {}),
      ...(uid !== undefined ? { uid } : {}),
    },
    ...(pod.spec.nodeName !== undefined && pod.spec.nodeName !== '' ? { nodeName: pod.spec.nodeName } : {}),
    ...(zone !== undefined ? { zone } : {}),
  };
}

function namedPort(containers: readonly Container[], name: string, protocol: string): number | undefined {
  for (const container of containers) {
    for (const port of container.ports ?? []) if (port.name === name && (port.protocol ?? 'TCP') === protocol) return port.containerPort;
  }
  return undefined;
}

/** The port of the pod behind a service port, or undefined where the pod has none of that name. Upstream podutil.FindPort. */
export function targetPort(pod: Pod, port: ServicePort): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === 'number') return target === 0 ? port.port : target;
  const sidecars = (pod.spec.initContainers ?? []).filter((container) => container.restartPolicy === 'Always');
  const protocol = port.protocol ?? 'TCP';
  return namedPort(pod.spec.containers, target, protocol) ?? namedPort(sidecars, target, protocol);
}

/** Upstream getEndpointPorts. A headless service may have no ports at all. */
export function endpointPorts(service: Service, pod: Pod): readonly DiscoveryEndpointPort[] {
  const ports: DiscoveryEndpointPort[] = [];
  for (const port of service.spec?.ports ?? []) {
    const number = targetPort(pod, port);
    if (number === undefined) continue;
    ports.push({
      name: port.name ?? '',
      protocol: port.protocol ?? 'TCP',
      port: number,
      ...(port.appProtocol !== undefined ? { appProtocol: port.appProtocol } : {}),
    });
  }
  return ports;
}

function hasEndpointChange(a: Pod, b: Pod): boolean {
  if (a.metadata.deletionTimestamp !== b.metadata.deletionTimestamp) return true;
  if (isPodReady(a) !== isPodReady(b) || podReadySince(a) !== podReadySince(b)) return true;
  if (isPodFinished(a) !== isPodFinished(b)) return true;
  if (a.spec.nodeName !== b.spec.nodeName || a.spec.hostname !== b.spec.hostname || a.spec.subdomain !== b.spec.subdomain) return true;
  const before = a.status?.podIPs;
  const after = b.status?.podIPs;
  return before !== after && JSON.stringify(before ?? []) !== JSON.stringify(after ?? []);
}

/** What of an update of a pod matters to its services: upstream podEndpointsChanged. */
export function podEndpointChange(previous: Pod, next: Pod): { readonly endpoint: boolean; readonly labels: boolean } {
  const before = previous.metadata.labels;
  const after = next.metadata.labels;
  return {
    endpoint: hasEndpointChange(previous, next),
    labels: before !== after && JSON.stringify(before ?? {}) !== JSON.stringify(after ?? {}),
  };
}

const readinessChanges = new WeakMap<Pod, { readonly at: number | undefined }>();

/** When the pod's readiness last changed, for the trigger time that proxies measure their delay from. */
export function readinessChange(pod: Pod): number | undefined {
  let known = readinessChanges.get(pod);
  if (known === undefined) {
    const condition = pod.status?.conditions?.find((entry) => entry.type === 'Ready');
    known = { at: condition?.lastTransitionTime === undefined ? undefined : parseTime(condition.lastTransitionTime) };
    readinessChanges.set(pod, known);
  }
  return known.at;
}
