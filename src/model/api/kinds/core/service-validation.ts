import type { Service, ServicePort, ServiceSpec } from '../../types.ts';
import { checkProtocol } from '../../validation/containers.ts';
import { duplicate, type FieldErrors, forbidden, invalid, notSupported, required } from '../../validation/field-errors.ts';
import { checkCidr, checkIp, checkNonSpecialIp, isIpv6 } from '../../validation/ip.ts';
import { checkLabels } from '../../validation/labels.ts';
import { isDns1123Label, isDns1123Subdomain, isQualifiedName } from '../../validation/names.ts';
import { checkPortNumber, checkPortNumberOrName } from '../../validation/numbers.ts';
import { isExternallyAccessible, needsHealthCheckPort } from './service-fields.ts';

/** Upstream: ValidateService and ValidateServiceUpdate of pkg/apis/core/validation. */

const lbOnly = "may only be used when `type` is 'LoadBalancer'";
const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const sourceRangesKey = 'service.beta.kubernetes.io/load-balancer-source-ranges';
const changeless = 'may not change once set';

export function isHeadless(spec: ServiceSpec): boolean {
  return spec.clusterIPs?.length === 1 && spec.clusterIPs[0] === 'None';
}

export function checkServiceSpec({ metadata, spec = {} }: Service, out: FieldErrors): void {
  const type: string = spec.type ?? '';
  const ports = spec.ports ?? [];
  if (ports.length === 0 && !isHeadless(spec) && type !== 'ExternalName') out.push(required('spec.ports'));
  if ((type === 'LoadBalancer' || type === 'NodePort') && isHeadless(spec)) {
    out.push(invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${type} services`));
  }
  if (type === 'ExternalName') checkExternalName(spec, out);
  const names = new Set<string>();
  for (const [i, port] of ports.entries()) checkPort(port, ports.length > 1, names, `spec.ports[${i}]`, out);
  checkLabels(spec.selector, 'spec.selector', out);
  checkSessionAffinity(spec, out);
  checkClusterIps(spec, out);
  for (const [i, ip] of (spec.externalIPs ?? []).entries())
    if (checkIp(ip, `spec.externalIPs[${i}]`, out)) checkNonSpecialIp(ip, `spec.externalIPs[${i}]`, out);
  if (type === '') out.push(required('spec.type'));
  else if (!types.includes(type)) out.push(notSupported('spec.type', type, types));
  checkPortUse(spec, ports, out);
  checkSourceRanges(metadata.annotations, spec, out);
  if (spec.allocateLoadBalancerNodePorts !== undefined && type !== 'LoadBalancer')
    out.push(forbidden('spec.allocateLoadBalancerNodePorts', lbOnly));
  if (spec.allocateLoadBalancerNodePorts === undefined && type === 'LoadBalancer') out.push(required('allocateLoadBalancerNodePorts'));
  checkLoadBalancerClass(spec, undefined, out);
  checkTrafficPolicies(spec, out);
}

function checkExternalName(spec: ServiceSpec, out: FieldErrors): void {
  const detail = 'may not be set for ExternalName services';
  if ((spec.clusterIPs ?? []).length > 0) out.push(forbidden('spec.clusterIPs', detail));
  if ((spec.ipFamilies ?? []).length > 0) out.push(forbidden('spec.ipFamilies', detail));
  if (spec.ipFamilyPolicy !== undefined) out.push(forbidden('spec.ipFamilyPolicy', detail));
  const given = spec.externalName ?? '';
  const name = given.endsWith('.') ? given.slice(0, -1) : given;
  if (name === '') out.push(required('spec.externalName'));
  else for (const message of isDns1123Subdomain(name)) out.push(invalid('spec.externalName', name, message));
}

function checkPort(port: ServicePort, named: boolean, names: Set<string>, field: string, out: FieldErrors): void {
  const name = port.name ?? '';
  if (name !== '') {
    for (const message of isDns1123Label(name)) out.push(invalid(`${field}.name`, name, message));
    if (names.has(name)) out.push(duplicate(`${field}.name`, name));
    names.add(name);
  } else if (named) out.push(required(`${field}.name`));
  checkPortNumber(port.port ?? 0, `${field}.port`, out);
  checkProtocol(port.protocol, `${field}.protocol`, out);
  checkPortNumberOrName(port.targetPort ?? 0, `${field}.targetPort`, out);
  if (port.appProtocol !== undefined)
    for (const message of isQualifiedName(port.appProtocol)) out.push(invalid(`${field}.appProtocol`, port.appProtocol, message));
}

function checkSessionAffinity(spec: ServiceSpec, out: FieldErrors): void {
  const affinity: string = spec.sessionAffinity ?? '';
  const field = 'spec.sessionAffinityConfig';
  if (affinity === '') out.push(required('spec.sessionAffinity'));
  else if (affinity !== 'None' && affinity !== 'ClientIP') out.push(notSupported('spec.sessionAffinity', affinity, ['ClientIP', 'None']));
  if (affinity === 'None' && spec.sessionAffinityConfig !== undefined)
    out.push(forbidden(field, 'must not be set when session affinity is None'));
  if (affinity !== 'ClientIP') return;
  const client = spec.sessionAffinityConfig?.clientIP;
  const detail = 'when session affinity type is ClientIP';
  if (spec.sessionAffinityConfig === undefined) out.push(required(field, detail));
  else if (client === undefined) out.push(required(`${field}.clientIP`, detail));
  else if (client.timeoutSeconds === undefined) out.push(required(`${field}.clientIP.timeoutSeconds`, detail));
  else if (client.timeoutSeconds <= 0 || client.timeoutSeconds > 86_400) {
    out.push(invalid(`${field}.clientIP.timeoutSeconds`, client.timeoutSeconds, 'must be greater than 0 and less than 86400'));
  }
}

/** ValidateServiceClusterIPsRelatedFields, also used while addresses are allocated. */
export function checkClusterIps(spec: ServiceSpec, out: FieldErrors): void {
  if (spec.type === 'ExternalName') return;
  const { clusterIP = '', clusterIPs = [], ipFamilies = [] } = spec;
  if (clusterIP !== '') {
    if (clusterIPs.length === 0) out.push(required('spec.clusterIPs'));
    else if (clusterIPs[0] !== clusterIP) out.push(invalid('spec.clusterIPs', clusterIPs, 'first value must match `clusterIP`'));
  } else if (clusterIPs.length > 0) out.push(invalid('spec.clusterIPs', clusterIPs, 'must be empty when `clusterIP` is not specified'));
  for (const [i, family] of ipFamilies.entries()) {
    if (family !== 'IPv4' && family !== 'IPv6') out.push(notSupported(`spec.ipFamilies[${i}]`, family, ['IPv4', 'IPv6']));
    if (ipFamilies.indexOf(family) < i) out.push(duplicate(`spec.ipFamilies[${i}]`, family));
  }
  const policy: string | undefined = spec.ipFamilyPolicy;
  const policies = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
  if (policy !== undefined && !policies.includes(policy)) out.push(notSupported('spec.ipFamilyPolicy', policy, policies));
  let valid = true;
  for (const [i, ip] of clusterIPs.entries()) {
    if (i === 0 && ip === 'None') {
      if (clusterIPs.length > 1) {
        valid = false;
        out.push(invalid('spec.clusterIPs', clusterIPs, "'None' must be the first and only value"));
      }
    } else if (!checkIp(ip, `spec.clusterIPs[${i}]`, out)) valid = false;
  }
  if (clusterIPs.length > 2) out.push(invalid('spec.clusterIPs', clusterIPs, 'may only hold up to 2 values'));
  if (!valid) return;
  if (clusterIPs.length > 1 && clusterIPs.every(isIpv6) === clusterIPs.some(isIpv6)) {
    out.push(invalid('spec.clusterIPs', clusterIPs, 'may specify no more than one IP for each IP family'));
  }
  if (isHeadless(spec)) return;
  for (const [i, ip] of clusterIPs.entries()) {
    const family = ipFamilies[i];
    if (family === 'IPv4' && isIpv6(ip))
      out.push(invalid(`spec.clusterIPs[${i}]`, ip, `expected an IPv4 value as indicated by \`ipFamilies[${i}]\``));
    if (family === 'IPv6' && !isIpv6(ip))
      out.push(invalid(`spec.clusterIPs[${i}]`, ip, `expected an IPv6 value as indicated by \`ipFamilies[${i}]\``));
  }
}

function checkPortUse(spec: ServiceSpec, ports: readonly ServicePort[], out: FieldErrors): void {
  if (spec.type === 'ClusterIP') {
    for (const [i, port] of ports.entries())
      if ((port.nodePort ?? 0) !== 0) out.push(forbidden(`spec.ports[${i}].nodePort`, "may not be used when `type` is 'ClusterIP'"));
  }
  for (const [i, port] of ports.entries()) {
    const nodePort = port.nodePort ?? 0;
    const clash = ports.findIndex((p) => p.protocol === port.protocol && (p.nodePort ?? 0) === nodePort);
    if (nodePort !== 0 && clash < i) out.push(duplicate(`spec.ports[${i}].nodePort`, nodePort));
  }
  for (const [i, { port, protocol }] of ports.entries()) {
    if (ports.findIndex((p) => p.protocol === protocol && p.port === port) < i) {
      out.push(duplicate(`spec.ports[${i}]`, { Name: '', Protocol: protocol, AppProtocol: null, Port: port, TargetPort: 0, NodePort: 0 }));
    }
  }
}

function checkSourceRanges(annotations: Service['metadata']['annotations'], spec: ServiceSpec, out: FieldErrors): void {
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length > 0) {
    if (spec.type !== 'LoadBalancer') out.push(forbidden('spec.LoadBalancerSourceRanges', lbOnly));
    for (const [i, range] of ranges.entries()) checkCidr(range.trim(), `spec.LoadBalancerSourceRanges[${i}]`, out);
    return;
  }
  const value = annotations?.[sourceRangesKey];
  if (value === undefined) return;
  const field = `metadata.annotations[${sourceRangesKey}]`;
  if (spec.type !== 'LoadBalancer') out.push(forbidden(field, lbOnly));
  if (value.trim() !== '') for (const range of value.trim().split(',')) checkCidr(range.trim(), field, out);
}

function checkLoadBalancerClass(spec: ServiceSpec, previous: ServiceSpec | undefined, out: FieldErrors): void {
  const field = 'spec.loadBalancerClass';
  const { loadBalancerClass } = spec;
  if (previous?.type === 'LoadBalancer' && spec.type === 'LoadBalancer' && previous.loadBalancerClass !== loadBalancerClass) {
    out.push(invalid(field, loadBalancerClass ?? null, changeless));
  }
  if (loadBalancerClass === undefined) return;
  if (spec.type !== 'LoadBalancer') out.push(forbidden(field, lbOnly));
  else for (const message of isQualifiedName(loadBalancerClass)) out.push(invalid(field, loadBalancerClass, message));
}

function checkTrafficPolicies(spec: ServiceSpec, out: FieldErrors): void {
  const external: string = spec.externalTrafficPolicy ?? '';
  if (!isExternallyAccessible(spec)) {
    if (external !== '') out.push(invalid('spec.externalTrafficPolicy', external, 'may only be set for externally-accessible services'));
  } else if (external === '') out.push(required('spec.externalTrafficPolicy'));
  else if (external !== 'Cluster' && external !== 'Local')
    out.push(notSupported('spec.externalTrafficPolicy', external, ['Cluster', 'Local']));
  const port = spec.healthCheckNodePort ?? 0;
  if (port !== 0) {
    if (!needsHealthCheckPort(spec)) {
      out.push(
        invalid('spec.healthCheckNodePort', port, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"),
      );
    } else checkPortNumber(port, 'spec.healthCheckNodePort', out);
  }
  const internal: string = spec.internalTrafficPolicy ?? '';
  if (internal === '') {
    if (spec.type === 'NodePort' || spec.type === 'LoadBalancer' || spec.type === 'ClusterIP')
      out.push(required('spec.internalTrafficPolicy'));
  } else if (internal !== 'Cluster' && internal !== 'Local')
    out.push(notSupported('spec.internalTrafficPolicy', internal, ['Cluster', 'Local']));
  const distributions = ['PreferClose', 'PreferSameNode', 'PreferSameZone'];
  if (spec.trafficDistribution !== undefined && !distributions.includes(spec.trafficDistribution)) {
    out.push(notSupported('spec.trafficDistribution', spec.trafficDistribution, distributions));
  }
}

/** What ValidateServiceUpdate checks between old and new. */
export function checkServiceSpecUpdate({ spec = {} }: Service, { spec: before = {} }: Service, out: FieldErrors): void {
  if (spec === before) return;
  if (spec.type !== 'ExternalName' && before.type !== 'ExternalName') {
    checkClusterIpChange(spec, before, out);
    checkFamilyChange(spec, before, out);
  }
  checkLoadBalancerClass(spec, before, out);
  if (needsHealthCheckPort(before) && needsHealthCheckPort(spec) && spec.healthCheckNodePort !== before.healthCheckNodePort) {
    out.push(forbidden('spec.healthCheckNodePort', 'field is immutable'));
  }
}

function checkClusterIpChange(spec: ServiceSpec, before: ServiceSpec, out: FieldErrors): void {
  if (isHeadless(spec) && isHeadless(before)) return;
  const next = spec.clusterIPs ?? [];
  const previous = before.clusterIPs ?? [];
  if (next.length === previous.length) {
    for (const [i, ip] of previous.entries()) if (ip !== next[i]) out.push(invalid(`spec.clusterIPs[${i}]`, next, changeless));
    return;
  }
  if (next.length < previous.length && next.length === 0)
    out.push(invalid('spec.clusterIPs[0]', null, 'primary clusterIP can not be unset'));
  if (previous.length > 0 && next.length > 0 && next[0] !== previous[0]) out.push(invalid('spec.clusterIPs[0]', next, changeless));
  if (next.length < previous.length && next.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    out.push(
      invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy ?? null, "must be set to 'SingleStack' when releasing the secondary clusterIP"),
    );
  }
}

function checkFamilyChange(spec: ServiceSpec, before: ServiceSpec, out: FieldErrors): void {
  if (isHeadless(spec) || isHeadless(before)) return;
  const next = spec.ipFamilies ?? [];
  const previous = before.ipFamilies ?? [];
  if (next.length === previous.length) {
    for (const [i, family] of previous.entries()) if (family !== next[i]) out.push(invalid('spec.ipFamilies[0]', next, changeless));
    return;
  }
  if (next.length < previous.length && (spec.clusterIPs ?? []).length === 0)
    out.push(invalid('spec.ipFamilies[0]', next, 'primary ipFamily can not be unset'));
  if (previous.length > 0 && next.length > 0 && next[0] !== previous[0])
    out.push(invalid('spec.ipFamilies[0]', spec.clusterIPs ?? null, changeless));
  if (next.length < previous.length && next.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    out.push(
      invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy ?? null, "must be set to 'SingleStack' when releasing the secondary ipFamily"),
    );
  }
}
