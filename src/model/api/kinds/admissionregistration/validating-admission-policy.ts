import { changed, changedEach, withMissing } from '../../defaults/missing.ts';
import type { ValidatingAdmissionPolicy } from '../../types.ts';
import { duplicate, type FieldErrors, invalid, notSupported, required } from '../../validation/field-errors.ts';
import { checkLabelSelector } from '../../validation/labels.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isCIdentifier, isQualifiedName, nameIsDnsSubdomain } from '../../validation/names.ts';
import { age, columns, unset } from '../columns.ts';
import { defineKind } from '../define.ts';
import { freshWithStatus, specUpdate, statusUpdate } from '../strategy.ts';
import { type PolicyPrograms, policyPrograms } from './policy-programs.ts';
import { checkMatchConditions, checkRule, defaultRule } from './webhooks.ts';

/** Upstream: pkg/registry/admissionregistration/validatingadmissionpolicy/strategy.go and validation. */
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

function checkSpec(name: string, spec: Spec | undefined, out: FieldErrors): void {
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
  const programs = policyPrograms(spec ?? {});
  checkMatchConditions(spec?.matchConditions ?? [], programs.conditions, 'spec.matchConditions', out);
  for (const [i, { name = '', expression = '' }] of (spec?.variables ?? []).entries()) {
    const field = `spec.variables[${i}]`;
    if (name.trim() === '') out.push(required(`${field}.name`, 'name is not specified'));
    else if (isCIdentifier(name).length > 0) out.push(invalid(`${field}.name`, name, 'name is not a valid CEL identifier'));
    const error = programs.variables[i]?.error;
    if (expression.trim() === '') out.push(required(`${field}.expression`, 'expression is not specified'));
    else if (error !== undefined) out.push(invalid(`${field}.expression`, expression, error));
  }
  const validations = spec?.validations ?? [];
  const annotations = spec?.auditAnnotations ?? [];
  if (validations.length === 0 && annotations.length === 0) {
    out.push(required('spec.validations', 'validations or auditAnnotations must contain at least one item'));
    out.push(required('spec.auditAnnotations', 'validations or auditAnnotations must contain at least one item'));
  }
  validations.forEach((validation, i) => checkValidation(validation, programs.validations[i], `spec.validations[${i}]`, out));
  if (annotations.length > auditAnnotationsMax)
    out.push(invalid('spec.auditAnnotations', annotations, `must not have more than ${auditAnnotationsMax} auditAnnotations`));
  checkAnnotations(name, annotations, programs, out);
}

type Validation = NonNullable<Spec['validations']>[number];
type Annotation = NonNullable<Spec['auditAnnotations']>[number];

const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized'];
const auditAnnotationsMax = 20;
const annotationBytesMax = 5 * 1024;

function checkValidation(
  { expression = '', message = '', messageExpression = '', reason }: Validation,
  programs: PolicyPrograms['validations'][number] | undefined,
  field: string,
  out: FieldErrors,
): void {
  const hasLines = (text: string): boolean => /[\n\r]/.test(text);
  const error = programs?.expression.error;
  if (expression.trim() === '') out.push(required(`${field}.expression`, 'expression is not specified'));
  else if (error !== undefined) out.push(invalid(`${field}.expression`, expression, error));
  const messageError = programs?.message?.error;
  if (messageExpression !== '' && messageExpression.trim() === '')
    out.push(invalid(`${field}.messageExpression`, messageExpression, 'must be non-empty if specified'));
  else if (messageError !== undefined) out.push(invalid(`${field}.messageExpression`, messageExpression, messageError));
  if (message !== '' && message.trim() === '') out.push(invalid(`${field}.message`, message, 'message must be non-empty if specified'));
  else if (hasLines(message.trim())) out.push(invalid(`${field}.message`, message, 'message must not contain line breaks'));
  else if (hasLines(expression.trim()) && message.trim() === '')
    out.push(required(`${field}.message`, 'message must be specified if expression contains line breaks'));
  if (reason !== undefined && !reasons.includes(reason)) out.push(notSupported(`${field}.reason`, reason, reasons));
}

function checkAnnotations(name: string, annotations: readonly Annotation[], programs: PolicyPrograms, out: FieldErrors): void {
  const keys = new Set<string>();
  for (const [i, { key = '', valueExpression = '' }] of annotations.entries()) {
    const field = `spec.auditAnnotations[${i}]`;
    if (name !== '') for (const message of isQualifiedName(`${name}/${key}`)) out.push(invalid(`${field}.key`, key, message));
    const text = valueExpression.trim();
    const error = programs.annotations[i]?.error;
    if (text === '') out.push(required(`${field}.valueExpression`, 'valueExpression is not specified'));
    else if (text.length > annotationBytesMax)
      out.push(required(`${field}.valueExpression`, `must not exceed ${annotationBytesMax} bytes in length`));
    else if (error !== undefined) out.push(invalid(`${field}.valueExpression`, text, error));
    if (keys.has(key)) out.push(duplicate(`${field}.key`, key));
    keys.add(key);
  }
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
      checkSpec(metadata.name ?? '', spec, out);
      return out;
    },
    validateUpdate(next, previous) {
      const out: FieldErrors = [];
      checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
      if (next.spec !== previous.spec) checkSpec(next.metadata.name ?? '', next.spec, out);
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
