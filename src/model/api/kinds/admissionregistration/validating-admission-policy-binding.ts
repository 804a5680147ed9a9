import { changed } from '../../defaults/missing.ts';
import type { ValidatingAdmissionPolicyBinding } from '../../types.ts';
import { duplicate, type FieldErrors, forbidden, invalid, notSupported, required } from '../../validation/field-errors.ts';
import { checkLabelSelector } from '../../validation/labels.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isDns1123Subdomain, isPathSegment, nameIsDnsSubdomain } from '../../validation/names.ts';
import { age, columns, unset } from '../columns.ts';
import { defineKind } from '../define.ts';
import { freshGeneration, specUpdate } from '../strategy.ts';
import { checkMatchResources, defaultMatchResources } from './validating-admission-policy.ts';

/** Upstream: pkg/registry/admissionregistration/validatingadmissionpolicybinding/strategy.go and validation. */
const rule = { namespaced: false, name: nameIsDnsSubdomain };
const actions = ['Audit', 'Deny', 'Warn'];
type Spec = NonNullable<ValidatingAdmissionPolicyBinding['spec']>;

function checkSpec(spec: Spec | undefined, out: FieldErrors): void {
  const policy = spec?.policyName ?? '';
  if (policy === '') out.push(required('spec.policyName'));
  else for (const message of isDns1123Subdomain(policy)) out.push(invalid('spec.policyName', policy, message));
  if (spec?.paramRef !== undefined) {
    const { name = '', selector, parameterNotFoundAction } = spec.paramRef;
    for (const message of name === '' ? [] : isPathSegment(name)) out.push(invalid('spec.paramRef.name', name, message));
    if (name !== '' && selector !== undefined) out.push(forbidden('spec.paramRef.name', 'name and selector are mutually exclusive'));
    checkLabelSelector(selector, 'spec.paramRef.selector', out);
    if (name !== '' && selector !== undefined) out.push(forbidden('spec.paramRef.selector', 'name and selector are mutually exclusive'));
    if (name === '' && selector === undefined) out.push(required('spec.paramRef', 'one of name or selector must be specified'));
    if (parameterNotFoundAction === undefined) out.push(required('spec.paramRef.parameterNotFoundAction'));
    else if (parameterNotFoundAction !== 'Allow' && parameterNotFoundAction !== 'Deny') {
      out.push(notSupported('spec.paramRef.parameterNotFoundAction', parameterNotFoundAction, ['Deny', 'Allow']));
    }
  }
  if (spec?.matchResources !== undefined) {
    // Upstream's own spelling.
    checkMatchResources(spec.matchResources, 'spec.matchResouces', out);
  }
  const given: readonly string[] = spec?.validationActions ?? [];
  if (given.length === 0) out.push(required('spec.validationActions', 'at least one validation action is required'));
  for (const [i, action] of given.entries()) {
    if (!actions.includes(action)) out.push(notSupported(`spec.validationActions[${i}]`, action, actions));
    if (given.indexOf(action) < i) out.push(duplicate(`spec.validationActions[${i}]`, action));
  }
  if (given.includes('Deny') && given.includes('Warn')) {
    out.push(
      invalid(
        'spec.validationActions',
        given,
        'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
      ),
    );
  }
}

export const validatingAdmissionPolicyBinding = defineKind<ValidatingAdmissionPolicyBinding>(
  'admissionregistration.k8s.io/v1',
  'validatingadmissionpolicybindings',
  {
    setDefaults: (object) =>
      object.spec?.matchResources === undefined
        ? object
        : changed(object, 'spec', (spec) => changed(spec, 'matchResources', defaultMatchResources)),
    prepareForCreate: freshGeneration,
    prepareForUpdate: specUpdate,
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
    columns: columns<ValidatingAdmissionPolicyBinding>('validatingadmissionpolicybindings.admissionregistration.k8s.io', [
      ['PolicyName', 'string', ({ spec }) => spec?.policyName ?? ''],
      [
        'ParamRef',
        'string',
        ({ spec }) => {
          const ref = spec?.paramRef;
          if (ref === undefined) return unset;
          if ((ref.namespace ?? '') !== '') return `${ref.namespace}/${ref.name ?? '*'}`;
          return `*/${ref.name ?? ''}`;
        },
      ],
      age(),
    ]),
  },
);
