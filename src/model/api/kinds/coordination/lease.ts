import type { Lease } from '../../types.ts';
import { type FieldErrors, forbidden, invalid } from '../../validation/field-errors.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkNonNegative } from '../../validation/numbers.ts';
import { age, columns } from '../columns.ts';
import { defineKind } from '../define.ts';

/** Upstream: pkg/registry/coordination/lease/strategy.go, pkg/apis/coordination/validation. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };

function checkSpec(spec: Lease['spec'], out: FieldErrors): void {
  const duration = spec?.leaseDurationSeconds;
  if (duration !== undefined && duration <= 0) out.push(invalid('spec.leaseDurationSeconds', duration, 'must be greater than 0'));
  checkNonNegative(spec?.leaseTransitions, 'spec.leaseTransitions', out);
  if (spec?.preferredHolder !== undefined && spec.preferredHolder !== '' && (spec.strategy ?? '') === '') {
    out.push(forbidden('spec.preferredHolder', 'may only be specified if `strategy` is defined'));
  }
}

export const lease = defineKind<Lease>('coordination.k8s.io/v1', 'leases', {
  validate({ metadata, spec }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    checkSpec(spec, out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    checkSpec(next.spec, out);
    return out;
  },
  columns: columns<Lease>('leases.coordination.k8s.io', [['Holder', 'string', ({ spec }) => spec?.holderIdentity ?? ''], age()]),
});
