import type { FlowSchema } from '../../types.ts';
import { type FieldErrors, invalid, notSupported, required } from '../../validation/field-errors.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isDns1123Subdomain, nameIsDnsSubdomain } from '../../validation/names.ts';
import { age, columns, none } from '../columns.ts';
import { defineKind } from '../define.ts';
import { freshWithStatus, specUpdate, statusUpdate } from '../strategy.ts';

/** Upstream: pkg/registry/flowcontrol/flowschema/strategy.go, pkg/apis/flowcontrol/v1/defaults.go and validation. */
const rule = { namespaced: false, name: nameIsDnsSubdomain, coreFinalizers: true };
type Spec = NonNullable<FlowSchema['spec']>;

function checkSpec(spec: Spec | undefined, name: string, out: FieldErrors): void {
  const precedence = spec?.matchingPrecedence ?? 0;
  if (precedence <= 0) out.push(invalid('spec.matchingPrecedence', precedence, 'must be a positive value'));
  if (precedence > 10_000) out.push(invalid('spec.matchingPrecedence', precedence, 'must not be greater than 10000'));
  if (precedence === 1 && name !== 'exempt')
    out.push(invalid('spec.matchingPrecedence', precedence, "only the schema named 'exempt' may have matchingPrecedence 1"));
  const method = spec?.distinguisherMethod?.type;
  if (spec?.distinguisherMethod !== undefined && method !== 'ByUser' && method !== 'ByNamespace') {
    out.push(notSupported('spec.distinguisherMethod', spec.distinguisherMethod, ['ByNamespace', 'ByUser']));
  }
  const level = spec?.priorityLevelConfiguration?.name ?? '';
  if (level === '') out.push(required('spec.priorityLevelConfiguration.name', 'must reference a priority level'));
  else for (const message of isDns1123Subdomain(level)) out.push(invalid('spec.priorityLevelConfiguration.name', level, message));
  for (const [i, { subjects = [], resourceRules = [], nonResourceRules = [] }] of (spec?.rules ?? []).entries()) {
    if (subjects.length === 0) out.push(required(`spec.rules[${i}].subjects`, 'subjects must contain at least one value'));
    if (resourceRules.length === 0 && nonResourceRules.length === 0) {
      out.push(required(`spec.rules[${i}]`, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
    }
  }
}

export const flowSchema = defineKind<FlowSchema>('flowcontrol.apiserver.k8s.io/v1', 'flowschemas', {
  setDefaults(object) {
    const given = object.spec ?? ({} as Spec);
    const spec = (given.matchingPrecedence ?? 0) === 0 ? { ...given, matchingPrecedence: 1000 } : given;
    return spec === object.spec ? object : { ...object, spec };
  },
  prepareForCreate: (object) => freshWithStatus(object, {}),
  prepareForUpdate: specUpdate,
  prepareForStatusUpdate: statusUpdate,
  validate({ metadata, spec }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    checkSpec(spec, metadata.name ?? '', out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    if (next.spec !== previous.spec) checkSpec(next.spec, next.metadata.name ?? '', out);
    return out;
  },
  columns: columns<FlowSchema>('flowschemas.flowcontrol.apiserver.k8s.io', [
    ['PriorityLevel', 'string', ({ spec }) => spec?.priorityLevelConfiguration.name ?? ''],
    ['MatchingPrecedence', 'string', ({ spec }) => spec?.matchingPrecedence ?? 0],
    ['DistinguisherMethod', 'string', ({ spec }) => spec?.distinguisherMethod?.type ?? none],
    age(),
    [
      'MissingPL',
      'string',
      ({ status }) => {
        const condition = status?.conditions?.find((c) => c.type === 'Dangling');
        return condition?.status ?? '?';
      },
    ],
  ]),
});
