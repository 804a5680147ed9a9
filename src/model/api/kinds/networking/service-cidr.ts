import type { ServiceCIDR } from '../../types.ts';
import { type FieldErrors, invalid, required } from '../../validation/field-errors.ts';
import { checkCidr, isIpv6 } from '../../validation/ip.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../validation/names.ts';
import { age, columns } from '../columns.ts';
import { defineKind } from '../define.ts';
import { keepStatus, statusUpdate } from '../strategy.ts';

/** Upstream: pkg/registry/networking/servicecidr/strategy.go, pkg/apis/networking/validation. */
const rule = { namespaced: false, name: nameIsDnsSubdomain, coreFinalizers: true };

export const serviceCidr = defineKind<ServiceCIDR>('networking.k8s.io/v1', 'servicecidrs', {
  hasGeneration: false,
  prepareForCreate: (object) => ({ ...object, status: {} }),
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: statusUpdate,
  validate({ metadata, spec }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    const cidrs = spec?.cidrs ?? [];
    if (cidrs.length === 0) out.push(required('spec.cidrs', 'at least one CIDR required'));
    if (cidrs.length > 2) out.push(invalid('spec', { CIDRs: cidrs }, 'may only hold up to 2 values'));
    for (const [i, cidr] of cidrs.entries()) checkCidr(cidr, `spec.cidrs[${i}]`, out);
    if (cidrs.length === 2 && isIpv6((cidrs[0] ?? '').split('/')[0] ?? '') === isIpv6((cidrs[1] ?? '').split('/')[0] ?? '')) {
      out.push(
        invalid('spec', { CIDRs: cidrs }, 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64'),
      );
    }
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    const before = previous.spec?.cidrs ?? [];
    const after = next.spec?.cidrs ?? [];
    if (after.length < before.length || before.some((cidr, i) => after[i] !== cidr))
      out.push(invalid('spec.cidrs', after, 'field is immutable'));
    return out;
  },
  columns: columns<ServiceCIDR>('servicecidrs.networking.k8s.io', [
    ['CIDRs', 'string', ({ spec }) => (spec?.cidrs ?? []).join(',')],
    age(),
  ]),
});
