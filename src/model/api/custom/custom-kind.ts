import type { FieldError } from '../field-error.ts';
import type { Kind, PrinterColumn } from '../kind.ts';
import type { Json, UntypedObject } from '../object.ts';
import { goText } from '../patch/strategic-merge.ts';
import { parseTime } from '../time.ts';
import type { CustomResourceDefinition } from '../types.ts';
import { invalid, type FieldErrors } from '../validation/field-errors.ts';
import { checkMetadata, checkMetadataUpdate } from '../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../validation/names.ts';
import { humanDuration } from '../kinds/columns.ts';
import { valueAt } from './json-path.ts';
import { applyDefaults, prune, type Schema, typeOf } from './structural-schema.ts';
import { type RuleFindings, type RuleNode, ruleTree, validateRules } from './rule-validation.ts';
import { validateSchema } from './schema-validation.ts';

type Version = CustomResourceDefinition['spec']['versions'][number];

const noFindings: RuleFindings = { errors: [], warnings: [] };
const notChecked =
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';
const nameText =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names';
const createdText =
  'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata';

/** The rules of one version of a custom resource, as its definition declares them. */
export function customKind(definition: CustomResourceDefinition, version: Version): Kind {
  const { group, names, scope } = definition.spec;
  const schema = (version.schema?.openAPIV3Schema ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }) as Schema;
  const hasStatus = version.subresources?.status !== undefined;
  const scale = version.subresources?.scale;
  const namespaced = scope === 'Namespaced';
  const rule = { namespaced, name: nameIsDnsSubdomain };
  const storageVersion = definition.spec.versions.find((v) => v.storage)?.name ?? version.name;
  let tree: { readonly rules: RuleNode | undefined } | undefined;
  /** Compiled when the first object is validated: most servers that see a definition never see an object of it. */
  const rulesOf = (): RuleNode | undefined => {
    tree ??= { rules: ruleTree(schema) };
    return tree.rules;
  };
  let last: { readonly object: UntypedObject; readonly previous: UntypedObject | undefined; readonly findings: RuleFindings } | undefined;
  /** An update is asked twice: for its errors, and then for its warnings. */
  const findingsOf = (object: UntypedObject, previous: UntypedObject | undefined): RuleFindings => {
    const rules = rulesOf();
    if (rules === undefined) return noFindings;
    if (last?.object !== object || last.previous !== previous)
      last = { object, previous, findings: validateRules(rules, object, previous) };
    return last.findings;
  };
  const validate = (object: UntypedObject, previous?: UntypedObject): FieldErrors => {
    const errors: FieldErrors = [];
    if (object.kind !== names.kind) errors.push(invalid('kind', object.kind, `must be ${names.kind}`));
    const found = validateSchema(schema, object, previous);
    errors.push(...found.errors);
    if (scale !== undefined) errors.push(...scaleErrors(object, scale.specReplicasPath));
    if (rulesOf() === undefined) return errors;
    if (found.blocksRules) errors.push(invalid('<nil>', null, notChecked));
    else errors.push(...findingsOf(object, previous).errors);
    return errors;
  };
  const withStatusOf = (next: UntypedObject, previous: UntypedObject | undefined): UntypedObject => {
    if (!hasStatus || next['status'] === previous?.['status']) return next;
    const { status: _, ...rest } = next;
    return (previous?.['status'] === undefined ? rest : { ...rest, status: previous['status'] }) as UntypedObject;
  };
  return {
    group,
    version: version.name,
    kind: names.kind,
    resource: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced,
    storagePath: `${group}/${names.plural}`,
    subresources: [...(hasStatus ? ['status'] : []), ...(scale === undefined ? [] : ['scale'])],
    hasGeneration: true,
    custom: {
      type: typeOf(schema, names.kind, true),
      storageApiVersion: `${group}/${storageVersion}`,
      prune: (object) => {
        const unknown: string[] = [];
        const pruned =
          definition.spec.preserveUnknownFields === true ? object : (prune(schema, object, '', unknown, true) as UntypedObject);
        return { object: pruned, unknown };
      },
      ...(version.deprecated === true
        ? { deprecation: version.deprecationWarning ?? `${group}/${version.name} ${names.kind} is deprecated` }
        : {}),
      ...(scale === undefined
        ? {}
        : {
            scale: {
              specPath: scale.specReplicasPath,
              statusPath: scale.statusReplicasPath,
              ...(scale.labelSelectorPath === undefined ? {} : { selectorPath: scale.labelSelectorPath }),
            },
          }),
    },
    setDefaults: (object) => applyDefaults(schema, object) as UntypedObject,
    prepareForCreate: (object) => withStatusOf(object as UntypedObject, undefined),
    prepareForUpdate: (next, previous) => withStatusOf(next as UntypedObject, previous as UntypedObject),
    prepareForStatusUpdate: (next, previous) => {
      const { annotations: _a, labels: _l, finalizers: _f, ownerReferences: _o, ...rest } = next.metadata;
      const { annotations, labels, finalizers, ownerReferences } = previous.metadata;
      const kept = {
        ...(annotations === undefined ? {} : { annotations }),
        ...(labels === undefined ? {} : { labels }),
        ...(finalizers === undefined ? {} : { finalizers }),
        ...(ownerReferences === undefined ? {} : { ownerReferences }),
      };
      const { status: _s, ...others } = previous as UntypedObject;
      return {
        ...others,
        metadata: { ...rest, ...kept },
        ...(next['status'] === undefined ? {} : { status: next['status'] }),
      } as UntypedObject;
    },
    validate: (object) => {
      const out: FieldErrors = [];
      checkMetadata(object.metadata, rule, out);
      out.push(...validate(object as UntypedObject));
      return out;
    },
    validateUpdate: (next, previous) => {
      const out: FieldErrors = [];
      checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
      out.push(...validate(next as UntypedObject, previous as UntypedObject));
      return out;
    },
    validateStatusUpdate: (next, previous) => validate(next as UntypedObject, previous as UntypedObject),
    warnings: (next, previous) => (previous === undefined ? [] : findingsOf(next as UntypedObject, previous as UntypedObject).warnings),
    ...selectable(version),
    columns: columnsOf(version),
  };
}

function scaleErrors(object: UntypedObject, path: string): readonly FieldError[] {
  const value = valueAt(object, path);
  if (value === undefined) return [];
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    return [invalid(path, 0, `${path} accessor error: ${goText(value as Json)} is of the type ${goTypeOf(value)}, expected int64`)];
  }
  return value < 0 ? [invalid(path, value, 'should be a non-negative integer')] : [];
}

/** Go's %T of decoded JSON. */
function goTypeOf(value: unknown): string {
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value !== 'object') return 'string';
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
}

function selectable(version: Version): Pick<Kind, 'fields' | 'fieldNames'> {
  const paths = (version.selectableFields ?? []).map((field) => field.jsonPath);
  if (paths.length === 0) return { fieldNames: ['metadata.name'], fields: () => ({}) };
  return {
    fieldNames: paths.map((path) => path.slice(1)),
    fields: (object) => Object.fromEntries(paths.map((path) => [path.slice(1), fieldText(valueAt(object, path))])),
  };
}

/** Selectable fields are strings, booleans and integers; what else stands there matches nothing. */
function fieldText(value: unknown): string {
  return typeof value === 'object' || value === undefined ? '' : String(value);
}

function columnsOf(version: Version): readonly PrinterColumn<UntypedObject>[] {
  const name: PrinterColumn<UntypedObject> = {
    name: 'Name',
    type: 'string',
    format: 'name',
    description: nameText,
    priority: 0,
    cell: (object) => object.metadata.name ?? '',
  };
  const declared = version.additionalPrinterColumns ?? [
    { name: 'Age', type: 'date', description: createdText, jsonPath: '.metadata.creationTimestamp' },
  ];
  return [
    name,
    ...declared.map(
      (column): PrinterColumn<UntypedObject> => ({
        name: column.name,
        type: column.type as PrinterColumn<UntypedObject>['type'],
        ...(column.format === undefined ? {} : { format: column.format }),
        description: column.description ?? `Custom resource definition column (in JSONPath format): ${column.jsonPath}`,
        priority: column.priority ?? 0,
        cell: (object, context) => cellOf(valueAt(object, column.jsonPath), column.type, context.nowUs),
      }),
    ),
  ];
}

function cellOf(value: unknown, type: string, nowUs: number): string | number | boolean | null {
  if (value === undefined || value === null) return null;
  if (type === 'date') {
    const us = typeof value === 'string' ? parseTime(value) : undefined;
    return us === undefined ? '<unknown>' : humanDuration(Math.floor((nowUs - us) / 1_000_000));
  }
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string')
    return type === 'string' ? String(value) : value;
  return JSON.stringify(value);
}
