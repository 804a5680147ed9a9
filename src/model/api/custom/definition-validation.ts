import type { CustomResourceDefinition, JSONSchemaProps } from '../types.ts';
import { equalJson } from '../equal.ts';
import { type FieldErrors, forbidden, invalid, notSupported, required } from '../validation/field-errors.ts';
import { isDns1035Label, isDns1123Subdomain } from '../validation/names.ts';
import { validateSchema } from './schema-validation.ts';
import { prune, type Schema } from './structural-schema.ts';
import { goVersions } from './go-definition.ts';
import { goRegExp } from './go-regexp.ts';
import { checkRules, checkRuleTexts } from './rule-definition.ts';

/** Upstream `apiextensions-apiserver/pkg/apis/apiextensions/validation`. */
type Version = CustomResourceDefinition['spec']['versions'][number];

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];
const mixedCase = 'may have mixed case, but should otherwise match: ';

/** Everything but metadata and the rules of updates. */
export function checkDefinition(definition: CustomResourceDefinition, out: FieldErrors): void {
  const { spec } = definition;
  const versions = spec.versions ?? [];
  const group = spec.group ?? '';
  if (group === '') out.push(required('spec.group'));
  else {
    for (const message of isDns1123Subdomain(group)) out.push(invalid('spec.group', group, message));
    if (group.split('.').length < 2) out.push(invalid('spec.group', group, 'should be a domain with at least one dot'));
  }
  if ((spec.scope ?? '') === '') out.push(required('spec.scope'));
  else if (spec.scope !== 'Cluster' && spec.scope !== 'Namespaced')
    out.push(notSupported('spec.scope', spec.scope, ['Cluster', 'Namespaced']));
  checkVersions(versions, out);
  if (spec.preserveUnknownFields === true) {
    out.push(
      invalid(
        'spec.preserveUnknownFields',
        true,
        'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ),
    );
  }
  const isSingle = versions.length === 1;
  versions.forEach((version, i) => {
    if (!isSingle) checkVersionParts(version, `spec.versions[${i}]`, `spec.versions[${i}].schema`, out);
  });
  const [only] = versions;
  if (isSingle && only !== undefined) {
    if (only.schema?.openAPIV3Schema !== undefined || only.subresources !== undefined || only.additionalPrinterColumns !== undefined)
      checkVersionParts(only, 'spec', 'spec.validation', out);
    if (only.schema?.openAPIV3Schema === undefined) out.push(required('spec.versions[0].schema.openAPIV3Schema'));
    for (const message of isDns1035Label(only.name)) out.push(invalid('spec.version', only.name, message));
  }
  checkNames(spec.names, out);
  checkConversion(spec.conversion, out);
}

/** The status that a definition begins with must name a stored version. */
export function checkStoredVersions(definition: CustomResourceDefinition, out: FieldErrors): void {
  const stored = definition.status?.storedVersions ?? [];
  if (stored.length === 0) out.push(invalid('status.storedVersions', null, 'must have at least one stored version'));
  const names = new Set((definition.spec.versions ?? []).map((version) => version.name));
  if (stored.length > 0)
    for (const { name, storage } of definition.spec.versions ?? [])
      if (storage && !stored.includes(name)) out.push(invalid('status.storedVersions', stored, `must have the storage version ${name}`));
  stored.forEach((name, i) => {
    if (names.has(name)) return;
    const why = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    out.push(invalid(`status.storedVersions[${i}]`, name, why));
  });
}

function checkVersions(versions: readonly Version[], out: FieldErrors): void {
  versions.forEach((version, i) => {
    for (const message of isDns1035Label(version.name)) out.push(invalid(`spec.versions[${i}].name`, version.name, message));
  });
  const printed = goVersions(versions);
  if (new Set(versions.map((version) => version.name)).size !== versions.length)
    out.push(invalid('spec.versions', printed, 'must contain unique version names'));
  if (versions.filter((version) => version.storage).length !== 1)
    out.push(invalid('spec.versions', printed, 'must have exactly one version marked as storage version'));
}

function checkVersionParts(version: Version, path: string, schemaPath: string, out: FieldErrors): void {
  const schema = version.schema?.openAPIV3Schema;
  if (schema !== undefined) {
    const root = `${schemaPath}.openAPIV3Schema`;
    if (schema.type !== 'object') {
      if ((schema.type ?? '') === '') out.push(required(`${root}.type`, 'must not be empty at the root'));
      else out.push(invalid(`${root}.type`, schema.type, 'must be object at the root'));
    } else {
      const before = out.length;
      checkSchema(schema, root, true, out);
      // A schema that is wrong may have no types to check rules against.
      if (out.length === before) checkRules(schema, root, out);
    }
  } else if (schemaPath !== 'spec.validation') out.push(required(`${schemaPath}.openAPIV3Schema`));
  (version.additionalPrinterColumns ?? []).forEach((column, i) => {
    const at = `${path}.additionalPrinterColumns[${i}]`;
    if ((column.name ?? '') === '') out.push(required(`${at}.name`));
    if ((column.type ?? '') === '') out.push(required(`${at}.type`, `must be one of ${columnTypes.join(',')}`));
    else if (!columnTypes.includes(column.type)) out.push(invalid(`${at}.type`, column.type, `must be one of ${columnTypes.join(',')}`));
    if ((column.jsonPath ?? '') === '') out.push(required(`${at}.JSONPath`));
    else if (!column.jsonPath.startsWith('.'))
      out.push(invalid(`${at}.JSONPath`, column.jsonPath, 'must be a simple json path starting with .'));
  });
  const scale = version.subresources?.scale;
  if (scale === undefined) return;
  const at = `${path}.subresources.scale`;
  const under = (field: string, value: string, parents: readonly string[]): void => {
    if (!parents.some((parent) => value.startsWith(`${parent}.`)))
      out.push(invalid(`${at}.${field}`, value, `should be a json path under ${parents.join(' or ')}`));
  };
  if (scale.specReplicasPath === '') out.push(required(`${at}.specReplicasPath`));
  else under('specReplicasPath', scale.specReplicasPath, ['.spec']);
  if (scale.statusReplicasPath === '') out.push(required(`${at}.statusReplicasPath`));
  else under('statusReplicasPath', scale.statusReplicasPath, ['.status']);
  if ((scale.labelSelectorPath ?? '') !== '') under('labelSelectorPath', scale.labelSelectorPath ?? '', ['.spec', '.status']);
}

/** A structural schema: every node has a type, nothing is ambiguous. */
function checkSchema(schema: JSONSchemaProps, path: string, isRoot: boolean, out: FieldErrors): void {
  const additional = schema.additionalProperties as unknown as Schema | boolean | undefined;
  const items = schema.items as unknown as Schema | undefined;
  if (schema.$ref !== undefined) out.push(forbidden(`${path}.$ref`, '$ref is not supported'));
  if (schema.uniqueItems === true)
    out.push(forbidden(`${path}.uniqueItems`, 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'));
  if (additional !== undefined && schema.properties !== undefined)
    out.push(forbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'));
  if (schema.pattern !== undefined) checkPattern(schema.pattern, `${path}.pattern`, out);
  if ((schema.type ?? '') === '') {
    const isOpen = schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true;
    if (!isOpen && schema.$ref === undefined)
      out.push(required(`${path}.type`, isRoot ? 'must not be empty at the root' : 'must not be empty for specified object fields'));
  } else if (!types.includes(schema.type ?? '')) out.push(notSupported(`${path}.type`, schema.type, types));
  if (schema.type === 'array' && items === undefined) out.push(required(`${path}.items`, 'must be specified'));
  if (schema['x-kubernetes-list-type'] === 'map' && (schema['x-kubernetes-list-map-keys'] ?? []).length === 0) {
    out.push(required(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'));
  }
  checkRuleTexts(schema, path, out);
  if (schema.default !== undefined) checkDefault(schema, path, out);
  for (const key of Object.keys(schema.properties ?? {}).sort()) {
    const child = schema.properties?.[key] as JSONSchemaProps;
    const at = `${path}.properties[${key}]`;
    if (isRoot && key === 'metadata') {
      const named = Object.keys(child.properties ?? {}).every((name) => name === 'name' || name === 'generateName');
      if (!named || child.additionalProperties !== undefined)
        out.push(forbidden(at, 'must not specify anything other than name and generateName, but metadata is implicitly specified'));
      continue;
    }
    checkSchema(child, at, false, out);
  }
  if (typeof additional === 'object') checkSchema(additional, `${path}.additionalProperties`, false, out);
  if (items !== undefined) checkSchema(items, `${path}.items`, false, out);
}

function checkPattern(pattern: string, path: string, out: FieldErrors): void {
  try {
    goRegExp(pattern);
  } catch {
    const open = (pattern.match(/\(/g) ?? []).length > (pattern.match(/\)/g) ?? []).length;
    out.push(
      invalid(
        path,
        pattern,
        `must be a valid regular expression, but isn't: error parsing regexp: ${open ? 'missing closing )' : 'invalid syntax'}: \`${pattern}\``,
      ),
    );
  }
}

function checkDefault(schema: JSONSchemaProps, path: string, out: FieldErrors): void {
  const unknown: string[] = [];
  if (!equalJson(prune(schema, schema.default, '', unknown), schema.default)) {
    out.push(invalid(`${path}.default`, schema.default, 'must not have unknown fields'));
    return;
  }
  const { default: _, ...rest } = schema;
  for (const error of validateSchema(rest, schema.default).errors)
    out.push({ ...error, field: `${path}.default${error.field === '' ? '' : `.${error.field}`}` });
}

function checkNames(names: CustomResourceDefinition['spec']['names'], out: FieldErrors): void {
  const label = (field: string, value: string, isMixed = false): void => {
    for (const message of isDns1035Label(isMixed ? value.toLowerCase() : value))
      out.push(invalid(`spec.names.${field}`, value, (isMixed ? mixedCase : '') + message));
  };
  if ((names?.plural ?? '') === '') out.push(required('spec.names.plural'));
  else label('plural', names.plural);
  if (names?.singular !== undefined) label('singular', names.singular);
  if ((names?.kind ?? '') === '') out.push(required('spec.names.kind'));
  else label('kind', names.kind, true);
  if (names?.listKind !== undefined) label('listKind', names.listKind, true);
  (names?.shortNames ?? []).forEach((name, i) => label(`shortNames[${i}]`, name));
  if (names?.kind !== undefined && names.kind === names.listKind)
    out.push(invalid('spec.names.listKind', names.listKind, 'kind and listKind may not be the same'));
}

function checkConversion(conversion: CustomResourceDefinition['spec']['conversion'], out: FieldErrors): void {
  if (conversion === undefined) return;
  if (conversion.strategy !== 'None' && conversion.strategy !== 'Webhook')
    return void out.push(notSupported('spec.conversion.strategy', conversion.strategy, ['None', 'Webhook']));
  if (conversion.strategy !== 'Webhook') return;
  if (conversion.webhook?.clientConfig === undefined)
    out.push(required('spec.conversion.webhookClientConfig', 'required when strategy is set to Webhook'));
  if ((conversion.webhook?.conversionReviewVersions ?? []).length === 0) out.push(required('spec.conversion.conversionReviewVersions'));
}

const protectedGroup = /(^|\.)(k8s\.io|kubernetes\.io)$/;
const approval = 'api-approved.kubernetes.io';

/** Groups of the project itself need its word. */
export function checkApproval(definition: CustomResourceDefinition, out: FieldErrors): void {
  if (!protectedGroup.test(definition.spec.group ?? '') || definition.metadata.annotations?.[approval] !== undefined) return;
  const why = `protected groups must have approval annotation ${JSON.stringify(approval)}, see https://github.com/kubernetes/enhancements/pull/1111`;
  out.push(required(`metadata.annotations[${approval}]`, why));
}

/** What may not change once the definition is established. */
export function checkDefinitionUpdate(next: CustomResourceDefinition, previous: CustomResourceDefinition, out: FieldErrors): void {
  const immutable = (field: string, value: unknown, before: unknown): void => {
    if (value !== before) out.push(invalid(field, value ?? '', 'field is immutable'));
  };
  immutable('spec.group', next.spec.group, previous.spec.group);
  const conditions = (previous.status?.conditions ?? []) as readonly { readonly type: string; readonly status: string }[];
  if (conditions.some((condition) => condition.type === 'Established' && condition.status === 'True')) {
    immutable('spec.scope', next.spec.scope, previous.spec.scope);
    immutable('spec.names.kind', next.spec.names.kind, previous.spec.names.kind);
  }
}
