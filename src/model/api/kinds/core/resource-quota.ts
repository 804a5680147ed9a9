import { changed } from '../../defaults/missing.ts';
import { roundedResources } from '../../defaults/resources.ts';
import type { ResourceQuota, ResourceQuotaSpec } from '../../types.ts';
import { type FieldErrors, invalid, required } from '../../validation/field-errors.ts';
import { immutableMessage, sameValue } from '../../validation/immutable.ts';
import { sortedKeys } from '../../validation/labels.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkQuotaResourceName, checkResourceQuantity, isStandardQuotaResource, type ResourceList } from '../../validation/resources.ts';
import { age, columns } from '../columns.ts';
import { defineKind } from '../define.ts';
import { keepStatus, statusUpdate } from '../strategy.ts';

/** Upstream: pkg/registry/core/resourcequota/strategy.go, pkg/apis/core/validation. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };
const scopes = [
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'PriorityClass',
  'CrossNamespacePodAffinity',
  'VolumeAttributesClass',
];
const existsOnly = ['Terminating', 'NotTerminating', 'BestEffort', 'NotBestEffort', 'CrossNamespacePodAffinity'];
const conflicts = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
];
const podOnly = new Set(['pods']);
const podCompute = new Set(['pods', 'cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory']);

/** helper.IsResourceQuotaScopeValidForResource. */
function scopeApplies(scope: string, resource: string): boolean {
  switch (scope) {
    case 'Terminating':
    case 'NotTerminating':
    case 'NotBestEffort':
    case 'PriorityClass':
    case 'CrossNamespacePodAffinity':
      return podCompute.has(resource);
    case 'VolumeAttributesClass':
      return resource === 'persistentvolumeclaims' || resource === 'requests.storage';
    case 'BestEffort':
      return podOnly.has(resource);
    default:
      return true;
  }
}

function checkAmounts(list: ResourceList | undefined, field: string, out: FieldErrors): void {
  if (list === undefined) return;
  for (const name of sortedKeys(list)) {
    checkQuotaResourceName(name, `${field}[${name}]`, out);
    checkResourceQuantity(name, list[name] ?? '0', `${field}[${name}]`, out);
  }
}

function checkSpec(spec: ResourceQuotaSpec, out: FieldErrors): void {
  checkAmounts(spec.hard, 'spec.hard', out);
  const hard = sortedKeys(spec.hard ?? {});
  const own: readonly string[] = spec.scopes ?? [];
  for (const scope of own) {
    if (!scopes.includes(scope)) out.push(invalid('spec.scopes', own, 'unsupported scope'));
    for (const name of hard)
      if (isStandardQuotaResource(name) && !scopeApplies(scope, name))
        out.push(invalid('spec.scopes', own, 'unsupported scope applied to resource'));
  }
  for (const pair of conflicts) if (pair.every((scope) => own.includes(scope))) out.push(invalid('spec.scopes', own, 'conflicting scopes'));
  checkScopeSelector(spec, hard, out);
}

function checkScopeSelector(spec: ResourceQuotaSpec, hard: readonly string[], out: FieldErrors): void {
  if (spec.scopeSelector === undefined) return;
  const field = 'spec.scopeSelector.matchExpressions';
  const expressions = spec.scopeSelector.matchExpressions ?? [];
  const go = { MatchExpressions: expressions.map((e) => ({ ScopeName: e.scopeName, Operator: e.operator, Values: e.values ?? null })) };
  const seen = new Set<string>();
  for (const { scopeName, operator, values = [] } of expressions) {
    const scope: string = scopeName ?? '';
    if (!scopes.includes(scope)) out.push(invalid(`${field}.scopeName`, scope, 'unsupported scope'));
    for (const name of hard)
      if (isStandardQuotaResource(name) && !scopeApplies(scope, name))
        out.push(invalid(field, go, 'unsupported scope applied to resource'));
    if (existsOnly.includes(scope) && operator !== 'Exists') {
      out.push(
        invalid(
          `${field}.operator`,
          operator ?? '',
          "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
        ),
      );
    }
    switch (operator as string | undefined) {
      case 'In':
      case 'NotIn':
        if (values.length === 0)
          out.push(required(`${field}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"));
        break;
      case 'Exists':
      case 'DoesNotExist':
        if (values.length > 0)
          out.push(invalid(`${field}.values`, values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"));
        break;
      default:
        out.push(invalid(`${field}.operator`, operator ?? '', 'not a valid selector operator'));
    }
    seen.add(scope);
  }
  for (const pair of conflicts)
    if (pair.every((scope) => seen.has(scope))) out.push(invalid(field, spec.scopes ?? null, 'conflicting scopes'));
}

function usage({ status }: ResourceQuota, wanted: (name: string) => boolean): string {
  const hard = status?.hard ?? {};
  return sortedKeys(hard)
    .filter(wanted)
    .map((name) => `${name}: ${status?.used?.[name] ?? '0'}/${hard[name]}`)
    .join(', ');
}

export const resourceQuota = defineKind<ResourceQuota>('v1', 'resourcequotas', {
  setDefaults(object) {
    if (object.spec === undefined) return { ...object, spec: {} };
    return object.spec.hard === undefined ? object : changed(object, 'spec', (spec) => changed(spec, 'hard', roundedResources));
  },
  prepareForCreate: (object) => ({ ...object, status: {} }),
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: statusUpdate,
  validate({ metadata, spec }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    checkSpec(spec ?? {}, out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    if (next.spec === previous.spec) return out;
    checkSpec(next.spec ?? {}, out);
    const sorted = (list: readonly string[] | undefined): readonly string[] => [...(list ?? [])].sort();
    if (!sameValue(sorted(next.spec?.scopes), sorted(previous.spec?.scopes)))
      out.push(invalid('spec.scopes', next.spec?.scopes ?? null, immutableMessage));
    return out;
  },
  validateStatusUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    checkAmounts(next.status?.hard, 'status.hard', out);
    checkAmounts(next.status?.used, 'status.used', out);
    return out;
  },
  columns: columns<ResourceQuota>('resourcequotas', [
    ['Request', 'string', (quota) => usage(quota, (name) => !name.startsWith('limits.'))],
    ['Limit', 'string', (quota) => usage(quota, (name) => name.startsWith('limits.'))],
    age(),
  ]),
});
