import type { ServiceSpec } from '../../types.ts';
import { type FieldErrors, invalid } from '../../validation/field-errors.ts';
import { sameValue } from '../../validation/immutable.ts';
import { isIpv6 } from '../../validation/ip.ts';
import { checkClusterIps } from './service-validation.ts';

type IpFamily = NonNullable<ServiceSpec['ipFamilies']>[number];

function same(a: ServiceSpec, b: ServiceSpec): boolean {
  return sameValue([a.clusterIPs, a.ipFamilies, a.selector, a.ipFamilyPolicy], [b.clusterIPs, b.ipFamilies, b.selector, b.ipFamilyPolicy]);
}

/** Fewer families than before: the second address and family go unless the client changed them. */
function trimmed(spec: ServiceSpec, before: ServiceSpec | undefined): ServiceSpec {
  if (before === undefined || spec.ipFamilyPolicy !== 'SingleStack') return spec;
  const { clusterIPs = [], ipFamilies = [] } = spec;
  let next = spec;
  if (clusterIPs.length > 1 && sameValue(clusterIPs, before.clusterIPs)) next = { ...next, clusterIPs: clusterIPs.slice(0, 1) };
  if (ipFamilies.length > 1 && sameValue(ipFamilies, before.ipFamilies)) next = { ...next, ipFamilies: ipFamilies.slice(0, 1) };
  return next;
}

/**
 * ipFamilies and ipFamilyPolicy of a service in a cluster whose service ranges are of these families, the default first.
 * Runs before addresses are allocated. Upstream: initIPFamilyFields of pkg/registry/core/service/storage/alloc.go.
 */
export function initIpFamilies(
  given: ServiceSpec,
  before: ServiceSpec | undefined,
  configured: readonly IpFamily[],
  out: FieldErrors,
): ServiceSpec {
  if (given.type === 'ExternalName') return given;
  if (before !== undefined && given.ipFamilyPolicy === 'PreferDualStack' && same(given, before)) return given;
  const first = out.length;
  const trim = trimmed(given, before);
  checkClusterIps(trim, out);
  if (out.length > first) return given;

  const ips = trim.clusterIPs ?? [];
  let families = [...(trim.ipFamilies ?? [])];
  let policy = trim.ipFamilyPolicy;
  for (let i = families.length; i < ips.length && ips[i] !== 'None'; i++) {
    const family: IpFamily = isIpv6(ips[i] ?? '') ? 'IPv6' : 'IPv4';
    if (configured.includes(family)) families.push(family);
    else out.push(invalid(`spec.clusterIPs[${i}]`, ips, `${family} is not configured on this cluster`));
  }
  if (out.length > first) return given;
  if (families.length === 2) policy ??= 'RequireDualStack';

  const [main = 'IPv4'] = configured;
  if (ips[0] === 'None' && Object.keys(trim.selector ?? {}).length === 0) {
    if (families.length === 0) families = [main];
    if (families.length < 2 && policy !== 'SingleStack') families.push(families[0] === 'IPv4' ? 'IPv6' : 'IPv4');
    return { ...trim, ipFamilies: families, ipFamilyPolicy: policy ?? 'RequireDualStack' };
  }
  if (policy === 'RequireDualStack' && configured.length < 2) {
    out.push(invalid('spec.ipFamilyPolicy', policy, 'this cluster is not configured for dual-stack services'));
  }
  for (const [i, family] of families.entries()) {
    if (!configured.includes(family)) out.push(invalid(`spec.ipFamilies[${i}]`, family, 'not configured on this cluster'));
  }
  if (out.length > first) return given;
  policy ??= 'SingleStack';
  if (families.length === 0) families = [main];
  if (policy !== 'SingleStack' && families.length === 1)
    families.push(...configured.filter((family) => family !== families[0]).slice(0, 1));
  if (policy === trim.ipFamilyPolicy && sameValue(families, trim.ipFamilies)) return trim;
  return { ...trim, ipFamilies: families, ipFamilyPolicy: policy };
}
