import { without } from '../../defaults/missing.ts';
import type { Service, ServicePort, ServiceSpec } from '../../types.ts';
import { sameValue } from '../../validation/immutable.ts';

/**
 * Fields of a service that depend on its type or on what was allocated before.
 * Upstream: dropTypeDependentFields of pkg/registry/core/service/strategy.go; normalizeClusterIPs and patchAllocatedValues of its storage.
 */

export function isExternallyAccessible(spec: ServiceSpec): boolean {
  return spec.type === 'LoadBalancer' || spec.type === 'NodePort' || (spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0);
}

export function needsHealthCheckPort(spec: ServiceSpec): boolean {
  return spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
}

export function needsClusterIp(spec: ServiceSpec): boolean {
  return spec.type !== 'ExternalName';
}

/** Whether its ports get node ports. */
export function needsNodePorts(spec: ServiceSpec): boolean {
  return spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
}

function mayHaveNodePorts(spec: ServiceSpec): boolean {
  return spec.type === 'NodePort' || spec.type === 'LoadBalancer';
}

/** clusterIP and clusterIPs say the same, whichever of them the client knows. */
export function normalizeClusterIps(service: Service, previous: Service | undefined): Service {
  const spec = service.spec ?? {};
  const { clusterIP = '', clusterIPs = [] } = spec;
  const before = previous?.spec ?? {};
  const oldIp = before.clusterIP ?? '';
  if (previous === undefined) {
    if (clusterIP !== '' && clusterIPs.length === 0) return { ...service, spec: { ...spec, clusterIPs: [clusterIP] } };
    return service;
  }
  // A client that does not know of clusterIPs clears or changes clusterIP alone.
  if (clusterIP === '' && oldIp !== '' && sameValue(clusterIPs, before.clusterIPs))
    return { ...service, spec: without(spec, 'clusterIPs') };
  if (clusterIP !== '' && clusterIP !== oldIp && sameValue(clusterIPs, before.clusterIPs)) {
    return { ...service, spec: { ...spec, clusterIPs: [clusterIP, ...clusterIPs.slice(1)] } };
  }
  return service;
}

/** What was allocated stays allocated where an update leaves it out. */
export function patchAllocatedValues(next: Service, previous: Service): Service {
  const before = previous.spec ?? {};
  let spec = next.spec ?? {};
  if (needsClusterIp(before) && needsClusterIp(spec)) {
    const { clusterIP = '', clusterIPs = [] } = spec;
    if (clusterIP === '' && (before.clusterIP ?? '') !== '') spec = { ...spec, clusterIP: before.clusterIP ?? '' };
    if (clusterIPs.length === 0 && spec.clusterIP === before.clusterIP && before.clusterIPs !== undefined)
      spec = { ...spec, clusterIPs: before.clusterIPs };
  }
  if (mayHaveNodePorts(before) && mayHaveNodePorts(spec)) spec = patchNodePorts(spec, before);
  if (
    needsHealthCheckPort(before) &&
    needsHealthCheckPort(spec) &&
    (spec.healthCheckNodePort ?? 0) === 0 &&
    before.healthCheckNodePort !== undefined
  ) {
    spec = { ...spec, healthCheckNodePort: before.healthCheckNodePort };
  }
  return spec === next.spec ? next : { ...next, spec };
}

function patchNodePorts(spec: ServiceSpec, before: ServiceSpec): ServiceSpec {
  const key = (port: ServicePort): string => `${port.protocol}/${port.port}`;
  const known = new Map<string, number>();
  for (const port of before.ports ?? []) if ((port.nodePort ?? 0) !== 0) known.set(key(port), port.nodePort ?? 0);
  const used = new Set((spec.ports ?? []).map((p) => p.nodePort ?? 0));
  let anyChanged = false;
  const ports = (spec.ports ?? []).map((port) => {
    const nodePort = known.get(key(port));
    if ((port.nodePort ?? 0) !== 0 || nodePort === undefined || used.has(nodePort)) return port;
    used.add(nodePort);
    anyChanged = true;
    return { ...port, nodePort };
  });
  return anyChanged ? { ...spec, ports } : spec;
}

/** A change of type takes with it what the new type cannot have, if the client left it as it was. */
export function dropTypeDependentFields(next: Service, previous: Service): Service {
  const before = previous.spec ?? {};
  let spec = next.spec ?? {};
  if (needsClusterIp(before) && !needsClusterIp(spec)) {
    if (sameValue([spec.clusterIP, spec.clusterIPs], [before.clusterIP, before.clusterIPs]))
      spec = without(without(spec, 'clusterIP'), 'clusterIPs');
    if (sameValue(spec.ipFamilies, before.ipFamilies)) spec = without(spec, 'ipFamilies');
    if (spec.ipFamilyPolicy === before.ipFamilyPolicy) spec = without(spec, 'ipFamilyPolicy');
  }
  if (needsClusterIp(before) && !needsClusterIp(spec) && spec.internalTrafficPolicy === before.internalTrafficPolicy)
    spec = without(spec, 'internalTrafficPolicy');
  if (mayHaveNodePorts(before) && !mayHaveNodePorts(spec)) {
    const nodePorts = (s: ServiceSpec): readonly number[] =>
      (s.ports ?? [])
        .map((p) => p.nodePort ?? 0)
        .filter((p) => p !== 0)
        .sort((a, b) => a - b);
    if (sameValue(nodePorts(spec), nodePorts(before)) && spec.ports !== undefined)
      spec = { ...spec, ports: spec.ports.map((p) => without(p, 'nodePort')) };
  }
  if (needsHealthCheckPort(before) && !needsHealthCheckPort(spec) && spec.healthCheckNodePort === before.healthCheckNodePort)
    spec = without(spec, 'healthCheckNodePort');
  if (before.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === before.allocateLoadBalancerNodePorts) spec = without(spec, 'allocateLoadBalancerNodePorts');
    if (spec.loadBalancerClass === before.loadBalancerClass) spec = without(spec, 'loadBalancerClass');
  }
  if (isExternallyAccessible(before) && !isExternallyAccessible(spec) && spec.externalTrafficPolicy === before.externalTrafficPolicy) {
    spec = without(spec, 'externalTrafficPolicy');
  }
  return spec === next.spec ? next : { ...next, spec };
}
