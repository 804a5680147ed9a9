import type { PodDisruptionBudget } from '../../types.ts';
import { type FieldErrors, invalid, notSupported } from '../../validation/field-errors.ts';
import { checkLabelSelector, goSelector } from '../../validation/labels.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkAtMost100Percent, checkNonNegative, checkNonNegativeIntOrPercent } from '../../validation/numbers.ts';
import { age, columns } from '../columns.ts';
import { defineKind } from '../define.ts';
import { freshWithStatus, specUpdate, statusUpdate } from '../strategy.ts';

/** Upstream: pkg/registry/policy/poddisruptionbudget/strategy.go, pkg/apis/policy/validation. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };

function checkSpec(spec: PodDisruptionBudget['spec'], out: FieldErrors): void {
  const { minAvailable, maxUnavailable, selector } = spec ?? {};
  const policy: string | undefined = spec?.unhealthyPodEvictionPolicy;
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    const go = {
      MinAvailable: minAvailable,
      Selector: goSelector(selector),
      MaxUnavailable: maxUnavailable,
      UnhealthyPodEvictionPolicy: policy ?? null,
    };
    out.push(invalid('spec', go, 'minAvailable and maxUnavailable cannot be both set'));
  }
  for (const [key, value] of [
    ['minAvailable', minAvailable],
    ['maxUnavailable', maxUnavailable],
  ] as const) {
    if (value === undefined) continue;
    checkNonNegativeIntOrPercent(value, `spec.${key}`, out);
    checkAtMost100Percent(value, `spec.${key}`, out);
  }
  checkLabelSelector(selector, 'spec.selector', out);
  if (policy !== undefined && policy !== 'AlwaysAllow' && policy !== 'IfHealthyBudget') {
    out.push(notSupported('spec.unhealthyPodEvictionPolicy', policy, ['AlwaysAllow', 'IfHealthyBudget']));
  }
}

export const podDisruptionBudget = defineKind<PodDisruptionBudget>('policy/v1', 'poddisruptionbudgets', {
  setDefaults: (object) => (object.spec === undefined ? { ...object, spec: {} } : object),
  prepareForCreate: (object) => freshWithStatus(object, { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }),
  prepareForUpdate: specUpdate,
  prepareForStatusUpdate: statusUpdate,
  validate({ metadata, spec }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    checkSpec(spec, out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    if (next.spec !== previous.spec) checkSpec(next.spec, out);
    return out;
  },
  validateStatusUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    for (const key of ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const)
      checkNonNegative(next.status?.[key], `status.${key}`, out);
    return out;
  },
  columns: columns<PodDisruptionBudget>('poddisruptionbudgets.policy', [
    ['Min Available', 'string', ({ spec }) => (spec?.minAvailable === undefined ? 'N/A' : String(spec.minAvailable))],
    ['Max Unavailable', 'string', ({ spec }) => (spec?.maxUnavailable === undefined ? 'N/A' : String(spec.maxUnavailable))],
    ['Allowed Disruptions', 'integer', ({ status }) => status?.disruptionsAllowed ?? 0],
    age(),
  ]),
});
