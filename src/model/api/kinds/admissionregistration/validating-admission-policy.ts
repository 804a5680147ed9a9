import { isIdentifier } from '../../cel/identifier.ts';
import { changed, changedEach, withMissing } from '../../defaults/missing.ts';
import type { ValidatingAdmissionPolicy } from '../../types.ts';
import { duplicate, type FieldErrors, invalid, notSupported, required } from '../../validation/field-errors.ts';
import { checkLabelSelector } from '../../validation/labels.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isDns1035Label, isDns1123Subdomain, isPathSegment, isQualifiedName, nameIsDnsSubdomain } from '../../validation/names.ts';
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
    for (const [i, r] of (resources[key] ?? []).entries()) {
      checkResourceNames(r.resourceNames ?? [], `${field}.${key}[${i}].resourceNames`, out);
      checkRule(r, `${field}.${key}[${i}]`, out);
    }
}

function checkParamKind({ apiVersion = '', kind = '' }: NonNullable<Spec['paramKind']>, out: FieldErrors): void {
  const field = 'spec.paramKind';
  const parts = apiVersion.split('/');
  const [group = '', version = ''] = parts.length === 1 ? ['', apiVersion] : parts;
  if (apiVersion === '') out.push(required(`${field}.apiVersion`));
  else if (parts.length > 2) out.push(invalid(`${field}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  else {
    const groupProblems = group === '' ? [] : isDns1123Subdomain(group);
    if (groupProblems.length > 0) out.push(invalid(`${field}.apiVersion`, group, groupProblems.join(',')));
    const versionProblems = version === '' ? [] : isDns1035Label(version);
    if (version === '') out.push(invalid(`${field}.apiVersion`, apiVersion, 'version must be specified'));
    else if (versionProblems.length > 0) out.push(invalid(`${field}.apiVersion`, version, versionProblems.join(',')));
  }
  const kindProblems = isDns1035Label(kind.toLowerCase());
  if (kind === '') out.push(required(`${field}.kind`));
  else if (kindProblems.length > 0)
    out.push(invalid(`${field}.kind`, kind, `may have mixed case, but should otherwise match: ${kindProblems.join(',')}`));
}

function checkResourceNames(names: readonly string[], field: string, out: FieldErrors): void {
  for (const [i, name] of names.entries()) {
    for (const message of isPathSegment(name)) out.push(invalid(`${field}[${i}]`, name, message));
    if (names.indexOf(name) < i) out.push(duplicate(`${field}[${i}]`, name));
  }
}

function checkSpec(name: string, spec: Spec | undefined, out: FieldErrors): void {
  const failure: string | undefined = spec?.failurePolicy;
  if (failure !== undefined && failure !== 'Fail' && failure !== 'Ignore')
    out.push(notSupported('spec.failurePolicy', failure, ['Fail', 'Ignore']));
  if (spec?.paramKind !== undefined) checkParamKind(spec.paramKind, out);
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
    else if (!isIdentifier(name)) out.push(invalid(`${field}.name`, name, 'name is not a valid CEL identifier'));
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
  if (reason !== undefined && !reasons.includes(reason)) out.push(notSupported(`${field}.reason`, reason, reasons));
}

function checkAnnotations(name: string, annotations: readonly Annotation[], programs: PolicyPrograms, out: FieldErrors): void {
  const keys = new Set<string>();
  for (const [i, { key = '', valueExpression = '' }] of annotations.entries()) {
    const field = `spec.auditAnnotations[${i}]`;
    const full = `${name}/${key}`;
    if (name === '') out.push(invalid(`${field}.key`, key, 'requires metadata.name be non-empty'));
    else for (const message of isQualifiedName(full)) out.push(invalid(`${field}.key`, full, message));
    const text = valueExpression.trim();
    const error = programs.annotations[i]?.error;
    if (text === '') out.push(required(`${field}.valueExpression`, 'valueExpression is not specified'));
    else if (text.length > annotationBytesMax)
      out.push(required(`${field}.valueExpression`, `must not exceed ${annotationBytesMax} bytes in length`));
    else if (error !== undefined) out.push(invalid(`${field}.valueExpression`, valueExpression, error));
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
