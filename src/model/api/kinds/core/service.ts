import { changed, changedEach, mapShared, withMissing, without } from '../../defaults/missing.ts';
import type { LoadBalancerIngress, Service, ServicePort, ServiceSpec } from '../../types.ts';
import { type FieldErrors, forbidden, invalid, notSupported, required } from '../../validation/field-errors.ts';
import { checkIp, parseIp } from '../../validation/ip.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isDns1123Subdomain, nameIsDns1035Label } from '../../validation/names.ts';
import { ipWarning, nonCanonicalIp } from '../../validation/pod-warnings.ts';
import { age, columns, formatLabels, none } from '../columns.ts';
import { defineKind } from '../define.ts';
import { keepStatus, statusUpdate } from '../strategy.ts';
import { dropTypeDependentFields, isExternallyAccessible, normalizeClusterIps, patchAllocatedValues } from './service-fields.ts';
import { checkClusterIps, checkServiceSpec, checkServiceSpecUpdate } from './service-validation.ts';

/**
 * Upstream: pkg/registry/core/service/strategy.go, pkg/apis/core/v1/defaults.go, pkg/apis/core/validation. Cluster IPs and node ports
 * are allocated by the API server between preparation and validation.
 */
const rule = { namespaced: true, name: nameIsDns1035Label, coreFinalizers: true };
const clientIpDefaults = { clientIP: { timeoutSeconds: 10_800 } };

function setDefaults(service: Service): Service {
  let spec: ServiceSpec = withMissing(service.spec ?? {}, { sessionAffinity: 'None', type: 'ClusterIP' });
  if (spec.sessionAffinity === 'None') spec = without(spec, 'sessionAffinityConfig');
  else if (spec.sessionAffinity === 'ClientIP') {
    spec = changed(withMissing(spec, { sessionAffinityConfig: clientIpDefaults }), 'sessionAffinityConfig', (config) =>
      changed(withMissing(config, clientIpDefaults), 'clientIP', (client) => withMissing(client, clientIpDefaults.clientIP)),
    );
  }
  spec = changedEach(spec, 'ports', (port: ServicePort) => {
    const target = port.targetPort;
    return withMissing(target === 0 || target === '' ? without(port, 'targetPort') : port, { protocol: 'TCP', targetPort: port.port });
  });
  if (isExternallyAccessible(spec)) spec = withMissing(spec, { externalTrafficPolicy: 'Cluster' });
  if (spec.type !== 'ExternalName') spec = withMissing(spec, { internalTrafficPolicy: 'Cluster' });
  if (spec.type === 'LoadBalancer') spec = withMissing(spec, { allocateLoadBalancerNodePorts: true });
  const result = spec === service.spec ? service : { ...service, spec };
  const ingress = result.status?.loadBalancer?.ingress;
  if (ingress === undefined) return result;
  const moded = mapShared(ingress, (i: LoadBalancerIngress) => ((i.ip ?? '') === '' ? i : withMissing(i, { ipMode: 'VIP' })));
  return moded === ingress
    ? result
    : { ...result, status: { ...result.status, loadBalancer: { ...result.status?.loadBalancer, ingress: moded } } };
}

function checkLoadBalancer({ spec, status }: Service, out: FieldErrors): void {
  const ingress = status?.loadBalancer?.ingress ?? [];
  const field = 'status.loadBalancer.ingress';
  if (ingress.length > 0 && spec?.type !== 'LoadBalancer')
    return void out.push(forbidden(field, "may only be used when `spec.type` is 'LoadBalancer'"));
  checkLoadBalancerIngress(ingress, field, out);
}

/** ValidateLoadBalancerStatus, of one list. */
export function checkLoadBalancerIngress(ingress: readonly LoadBalancerIngress[], field: string, out: FieldErrors): void {
  for (const [i, { ip = '', hostname = '', ipMode }] of ingress.entries()) {
    const path = `${field}[${i}]`;
    if (ip !== '') checkIp(ip, `${path}.ip`, out);
    if (ipMode === undefined) {
      if (ip !== '') out.push(required(`${path}.ipMode`, 'must be specified when `ip` is set'));
    } else if (ip === '') out.push(forbidden(`${path}.ipMode`, 'may not be specified when `ip` is not set'));
    else if (ipMode !== 'VIP' && ipMode !== 'Proxy') out.push(notSupported(`${path}.ipMode`, ipMode, ['Proxy', 'VIP']));
    if (hostname === '') continue;
    for (const message of isDns1123Subdomain(hostname)) out.push(invalid(`${path}.hostname`, hostname, message));
    if (parseIp(hostname) !== undefined) out.push(invalid(`${path}.hostname`, hostname, 'must be a DNS name, not an IP address'));
  }
}

function warnings(next: Service, previous: Service | undefined): readonly string[] {
  if (next.spec === previous?.spec && next.metadata.annotations === previous?.metadata.annotations) return [];
  const out: string[] = [];
  const { spec = {}, metadata } = next;
  const hints = 'service.kubernetes.io/topology-aware-hints';
  if (metadata.annotations?.[hints] !== undefined)
    out.push(`metadata.annotations[${hints}]: annotation is deprecated, please use service.kubernetes.io/topology-mode instead`);
  const headless = spec.clusterIP === 'None';
  if (headless) {
    if ((spec.loadBalancerIP ?? '') !== '') out.push('spec.loadBalancerIP is ignored when spec.clusterIP is "None"');
    if ((spec.externalIPs ?? []).length > 0) out.push('spec.externalIPs is ignored when spec.clusterIP is "None"');
    if (spec.sessionAffinity !== 'None' && spec.sessionAffinity !== undefined)
      out.push('spec.SessionAffinity is ignored for headless services');
  }
  for (const [i, ip] of (spec.clusterIPs ?? []).entries()) if (nonCanonicalIp(ip)) out.push(ipWarning(`spec.clusterIPs[${i}]`, ip));
  for (const [i, ip] of (spec.externalIPs ?? []).entries()) if (nonCanonicalIp(ip)) out.push(ipWarning(`spec.externalIPs[${i}]`, ip));
  if (spec.type === 'ExternalName' && (spec.externalIPs ?? []).length > 0)
    out.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  if (spec.type !== 'ExternalName' && (spec.externalName ?? '') !== '')
    out.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  if (spec.trafficDistribution === 'PreferClose') out.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  return out;
}

function externalIps({ spec = {}, status }: Service): string {
  const ips = spec.externalIPs ?? [];
  switch (spec.type) {
    case 'LoadBalancer': {
      const ingress = (status?.loadBalancer?.ingress ?? [])
        .map((i) => ((i.ip ?? '') === '' ? (i.hostname ?? '') : (i.ip ?? '')))
        .filter((t) => t !== '');
      const all = [...new Set([...ingress, ...ips])];
      return all.length === 0 ? '<pending>' : all.join(',');
    }
    case 'ExternalName':
      return spec.externalName ?? '';
    default:
      return ips.length === 0 ? none : ips.join(',');
  }
}

function ports({ spec = {} }: Service): string {
  const list = spec.ports ?? [];
  if (list.length === 0) return none;
  return list.map((p) => `${p.port}${(p.nodePort ?? 0) > 0 ? `:${p.nodePort}` : ''}/${p.protocol}`).join(',');
}

export const service = defineKind<Service>('v1', 'services', {
  setDefaults,
  prepareForCreate: (object) => normalizeClusterIps({ ...object, status: { loadBalancer: {} } }, undefined),
  prepareForUpdate(given, previous) {
    const dropped = dropTypeDependentFields(keepStatus(given, previous), previous);
    return normalizeClusterIps(patchAllocatedValues(dropped, previous), previous);
  },
  prepareForStatusUpdate: statusUpdate,
  validate(object) {
    const out: FieldErrors = [];
    checkMetadata(object.metadata, rule, out);
    checkServiceSpec(object, out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    // Upstream allocates before it validates, and allocation starts with these.
    if (next.spec !== previous.spec) checkClusterIps(next.spec ?? {}, out);
    if (out.length > 0) return out;
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    checkServiceSpecUpdate(next, previous, out);
    checkMetadata(next.metadata, rule, out);
    if (next.spec !== previous.spec) checkServiceSpec(next, out);
    return out;
  },
  validateStatusUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    checkLoadBalancer(next, out);
    return out;
  },
  warnings,
  fieldNames: ['spec.clusterIP', 'spec.type'],
  fields: ({ spec }) => ({ 'spec.clusterIP': spec?.clusterIP ?? '', 'spec.type': spec?.type ?? '' }),
  columns: columns<Service>('services', [
    ['Type', 'string', ({ spec }) => spec?.type ?? ''],
    ['Cluster-IP', 'string', ({ spec }) => spec?.clusterIPs?.[0] ?? none],
    ['External-IP', 'string', externalIps],
    ['Port(s)', 'string', ports],
    age(),
    ['Selector', 'string', ({ spec }) => formatLabels(spec?.selector), 1],
  ]),
});
