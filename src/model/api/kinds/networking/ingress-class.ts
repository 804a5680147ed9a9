import { changed, withMissing } from '../../defaults/missing.ts';
import type { IngressClass } from '../../types.ts';
import { type FieldErrors, forbidden, invalid, notSupported, required, tooLong } from '../../validation/field-errors.ts';
import { checkImmutable } from '../../validation/immutable.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isDns1123Label, isDns1123Subdomain, isPathSegment, nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkDomainPrefixedPath } from '../batch/job-spec.ts';
import { age, columns, none } from '../columns.ts';
import { defineKind } from '../define.ts';
import { freshGeneration, specUpdate } from '../strategy.ts';

/** Upstream: pkg/registry/networking/ingressclass/strategy.go, pkg/apis/networking/v1/defaults.go and validation. */
const rule = { namespaced: false, name: nameIsDnsSubdomain, coreFinalizers: true };
type Parameters = NonNullable<NonNullable<IngressClass['spec']>['parameters']>;

function checkParameters(parameters: Parameters, out: FieldErrors): void {
  const field = 'spec.parameters';
  const { apiGroup, kind = '', name = '', namespace } = parameters;
  if (apiGroup !== undefined && apiGroup !== null)
    for (const message of isDns1123Subdomain(apiGroup)) out.push(invalid(`${field}.apiGroup`, apiGroup, message));
  for (const [key, value] of [
    ['kind', kind],
    ['name', name],
  ] as const) {
    if (value === '') out.push(required(`${field}.${key}`, `${key} is required`));
    else for (const message of isPathSegment(value)) out.push(invalid(`${field}.${key}`, value, message));
  }
  const scope: string | undefined = parameters.scope;
  if (scope === undefined) return void out.push(required(`${field}.scope`));
  if (scope !== 'Cluster' && scope !== 'Namespace') out.push(notSupported(`${field}.scope`, scope, ['Cluster', 'Namespace']));
  else if (scope === 'Namespace') {
    if ((namespace ?? '') === '') out.push(required(`${field}.namespace`, "`parameters.scope` is set to 'Namespace'"));
    else for (const message of isDns1123Label(namespace ?? '')) out.push(invalid(`${field}.namespace`, namespace, message));
  } else if (namespace !== undefined) out.push(forbidden(`${field}.namespace`, "`parameters.scope` is set to 'Cluster'"));
}

function checkSpec(spec: IngressClass['spec'], out: FieldErrors): void {
  const controller = spec?.controller ?? '';
  if (controller.length > 250) out.push(tooLong('spec.controller', 250));
  checkDomainPrefixedPath(controller, 'spec.controller', out, Number.POSITIVE_INFINITY);
  if (spec?.parameters !== undefined) checkParameters(spec.parameters, out);
}

export const ingressClass = defineKind<IngressClass>('networking.k8s.io/v1', 'ingressclasses', {
  setDefaults: (object) =>
    object.spec?.parameters === undefined
      ? object
      : changed(object, 'spec', (spec) => changed(spec, 'parameters', (parameters) => withMissing(parameters, { scope: 'Cluster' }))),
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
    checkImmutable(next.spec?.controller, previous.spec?.controller, 'spec.controller', out);
    if (next.spec?.parameters !== undefined && next.spec.parameters !== previous.spec?.parameters)
      checkParameters(next.spec.parameters, out);
    return out;
  },
  columns: columns<IngressClass>('ingressclasses.networking.k8s.io', [
    ['Controller', 'string', ({ spec }) => spec?.controller ?? ''],
    [
      'Parameters',
      'string',
      ({ spec }) => {
        const parameters = spec?.parameters;
        if (parameters === undefined) return none;
        return `${parameters.kind}${(parameters.apiGroup ?? '') === '' ? '' : `.${parameters.apiGroup}`}/${parameters.name}`;
      },
    ],
    age(),
  ]),
});
