import { changed, changedEach, withMissing } from '../../defaults/missing.ts';
import type { ValidatingAdmissionPolicy } from '../../types.ts';
import { duplicate, type FieldErrors, invalid, notSupported, required } from '../../validation/field-errors.ts';
import { checkLabelSelector } from '../../validation/labels.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isCIdentifier, nameIsDnsSubdomain } from '../../validation/names.ts';
import { age, columns, unset } from '../columns.ts';
import { defineKind } from '../define.ts';
import { freshWithStatus, specUpdate, statusUpdate } from '../strategy.ts';
import { checkRule, defaultRule } from './webhooks.ts';

/** Upstream: pkg/registry/admissionregistration/validatingadmissionpolicy/strategy.go and validation. Expressions are compiled by admission. */
const rule = { namespaced: false, name: nameIsDnsSubdomain };
type Spec = NonNullable<ValidatingAdmissionPolicy['spec']>;
type MatchResources = NonNullable<Spec['matchConstraints']>;
type Rule = NonNullable<MatchResources['resourceRules']>[number];

export function defaultMatchResources(resources: MatchResources): MatchResources {
  const filled = withMissing(resources, { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} });
  return changedEach(changedEach(filled, 'resourceRules', defaultRule<Rule>), 'excludeResourceRules', defaultRule<Rule>);
}

export function checkMatchResources(resources: MatchResources, field: string, out: FieldErrors): void {
  const policy: string | undefined = resources.matchPolicy;
  if (policy !== undefined && policy !== 'Equivalent' && policy !== 'Exact')
    out.push(notSupported(`${field}.matchPolicy`, policy, ['Equivalent', 'Exact']));
  checkLabelSelector(resources.namespaceSelector, `${field}.namespaceSelector`, out);
  checkLabelSelector(resources.objectSelector, `${field}.objectSelector`, out);
  for (const key of ['resourceRules', 'excludeResourceRules'] as const)
    for (const [i, r] of (resources[key] ?? []).entries()) checkRule(r, `${field}.${key}[${i}]`, out);
}

function checkSpec(spec: Spec | undefined, out: FieldErrors): void {
  const failure: string | undefined = spec?.failurePolicy;
  if (failure !== undefined && failure !== 'Fail' && failure !== 'Ignore')
    out.push(notSupported('spec.failurePolicy', failure, ['Fail', 'Ignore']));
  if (spec?.paramKind !== undefined) {
    const { apiVersion = '', kind = '' } = spec.paramKind;
    if (apiVersion === '') out.push(required('spec.paramKind.apiVersion'));
    else if (apiVersion.split('/').length > 2)
      out.push(invalid('spec.paramKind.apiVersion', apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
    if (kind === '') out.push(required('spec.paramKind.kind'));
  }
  if (spec?.matchConstraints === undefined) out.push(required('spec.matchConstraints'));
  else {
    checkMatchResources(spec.matchConstraints, 'spec.matchConstraints', out);
    if ((spec.matchConstraints.resourceRules ?? []).length === 0) out.push(required('spec.matchConstraints.resourceRules'));
  }
  const variables = new Set<string>();
  for (const [i, { name = '', expression = '' }] of (spec?.variables ?? []).entries()) {
    if (name === '') out.push(required(`spec.variables[${i}].name`, 'name is not specified'));
    else if (isCIdentifier(name).length > 0) out.push(invalid(`spec.variables[${i}].name`, name, 'name is not a valid CEL identifier'));
    if (variables.has(name)) out.push(duplicate(`spec.variables[${i}].name`, name));
    variables.add(name);
    if (expression.trim() === '') out.push(required(`spec.variables[${i}].expression`, 'expression is not specified'));
  }
  const validations = spec?.validations ?? [];
  const annotations = spec?.auditAnnotations ?? [];
  if (validations.length === 0 && annotations.length === 0) {
    out.push(required('spec.validations', 'validations or auditAnnotations must contain at least one item'));
    out.push(required('spec.auditAnnotations', 'validations or auditAnnotations must contain at least one item'));
  }
  for (const [i, { expression = '' }] of validations.entries())
    if (expression.trim() === '') out.push(required(`spec.validations[${i}].expression`, 'expression is not specified'));
}

export const validatingAdmissionPolicy = defineKind<ValidatingAdmissionPolicy>(
  'admissionregistration.k8s.io/v1',
  'validatingadmissionpolicies',
  {
    setDefaults(object) {
      let spec: Spec = withMissing(object.spec ?? {}, { failurePolicy: 'Fail' });
      if (spec.matchConstraints !== undefined) spec = changed(spec, 'matchConstraints', defaultMatchResources);
      return spec === object.spec ? object : { ...object, spec };
    },
    prepareForCreate: (object) => freshWithStatus(object, {}),
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
    columns: columns<ValidatingAdmissionPolicy>('validatingadmissionpolicies.admissionregistration.k8s.io', [
      ['Validations', 'integer', ({ spec }) => spec?.validations?.length ?? 0],
      [
        'ParamKind',
        'string',
        ({ spec }) => (spec?.paramKind === undefined ? unset : `${spec.paramKind.apiVersion}/${spec.paramKind.kind}`),
      ],
      age(),
    ]),
  },
);
