import { equalJson } from '../equal.ts';
import type { CustomResourceDefinition, ValidationRule } from '../types.ts';
import type { Schema } from './structural-schema.ts';

/** Parts of a definition as upstream's internal Go structs print themselves (encoding/json): every field, in the order of its struct. */

type Version = CustomResourceDefinition['spec']['versions'][number];
type JsonMap = Readonly<Record<string, unknown>>;

/** All versions. What they have in common was lifted out of them by the conversion to the internal type. */
export function goVersions(versions: readonly Version[]): readonly object[] {
  const [first] = versions;
  const isShared = (key: 'schema' | 'subresources' | 'additionalPrinterColumns' | 'selectableFields'): boolean =>
    versions.every((version) => equalJson(version[key], first?.[key]));
  const shared = {
    schema: isShared('schema'),
    subresources: isShared('subresources'),
    columns: isShared('additionalPrinterColumns'),
    fields: isShared('selectableFields'),
  };
  return versions.map((version) => ({
    Name: version.name,
    Served: version.served,
    Storage: version.storage,
    Deprecated: version.deprecated ?? false,
    DeprecationWarning: version.deprecationWarning ?? null,
    Schema: shared.schema || version.schema === undefined ? null : { OpenAPIV3Schema: orNull(version.schema.openAPIV3Schema, goSchema) },
    Subresources: shared.subresources ? null : orNull(version.subresources, goSubresources),
    AdditionalPrinterColumns: shared.columns ? null : orNull(version.additionalPrinterColumns, (columns) => columns.map(goColumn)),
    SelectableFields: shared.fields
      ? null
      : orNull(version.selectableFields, (fields) => fields.map(({ jsonPath }) => ({ JSONPath: jsonPath }))),
  }));
}

function orNull<T>(value: T | undefined, print: (value: T) => unknown): unknown {
  return value === undefined ? null : print(value);
}

function goSubresources({ status, scale }: NonNullable<Version['subresources']>): object {
  return {
    Status: status === undefined ? null : {},
    Scale: orNull(scale, (one) => ({
      SpecReplicasPath: one.specReplicasPath,
      StatusReplicasPath: one.statusReplicasPath,
      LabelSelectorPath: one.labelSelectorPath ?? null,
    })),
  };
}

function goColumn(column: NonNullable<Version['additionalPrinterColumns']>[number]): object {
  const { name, type, format = '', description = '', priority = 0, jsonPath } = column;
  return { Name: name, Type: type, Format: format, Description: description, Priority: priority, JSONPath: jsonPath };
}

/** A rule of x-kubernetes-validations. */
export function goRule(rule: ValidationRule): object {
  return {
    Rule: rule.rule ?? '',
    Message: rule.message ?? '',
    MessageExpression: rule.messageExpression ?? '',
    Reason: rule.reason ?? null,
    FieldPath: rule.fieldPath ?? '',
    OptionalOldSelf: rule.optionalOldSelf ?? null,
  };
}

function goSchemas(schemas: unknown): unknown {
  return Array.isArray(schemas) ? (schemas as readonly Schema[]).map(goSchema) : null;
}

function goSchemaMap(schemas: unknown): unknown {
  if (typeof schemas !== 'object' || schemas === null) return null;
  const map = schemas as Readonly<Record<string, Schema>>;
  return Object.fromEntries(
    Object.keys(map)
      .sort()
      .map((key) => [key, goSchema(map[key] as Schema)]),
  );
}

function goSchemaOrArray(items: unknown): unknown {
  if (items === undefined) return null;
  return Array.isArray(items) ? { Schema: null, JSONSchemas: goSchemas(items) } : { Schema: goSchema(items as Schema), JSONSchemas: null };
}

function goSchemaOrBool(value: unknown): unknown {
  if (value === undefined) return null;
  return typeof value === 'boolean' ? { Allows: value, Schema: null } : { Allows: true, Schema: goSchema(value as Schema) };
}

function goSchema(schema: Schema): object {
  const all = schema as unknown as JsonMap;
  const text = (key: string): unknown => all[key] ?? '';
  const flag = (key: string): unknown => all[key] ?? false;
  const pointer = (key: string): unknown => all[key] ?? null;
  return {
    ID: text('id'),
    Schema: text('$schema'),
    Ref: pointer('$ref'),
    Description: text('description'),
    Type: text('type'),
    Nullable: flag('nullable'),
    Format: text('format'),
    Title: text('title'),
    Default: pointer('default'),
    Maximum: pointer('maximum'),
    ExclusiveMaximum: flag('exclusiveMaximum'),
    Minimum: pointer('minimum'),
    ExclusiveMinimum: flag('exclusiveMinimum'),
    MaxLength: pointer('maxLength'),
    MinLength: pointer('minLength'),
    Pattern: text('pattern'),
    MaxItems: pointer('maxItems'),
    MinItems: pointer('minItems'),
    UniqueItems: flag('uniqueItems'),
    MultipleOf: pointer('multipleOf'),
    Enum: pointer('enum'),
    MaxProperties: pointer('maxProperties'),
    MinProperties: pointer('minProperties'),
    Required: pointer('required'),
    Items: goSchemaOrArray(all['items']),
    AllOf: goSchemas(all['allOf']),
    OneOf: goSchemas(all['oneOf']),
    AnyOf: goSchemas(all['anyOf']),
    Not: all['not'] === undefined ? null : goSchema(all['not'] as Schema),
    Properties: goSchemaMap(all['properties']),
    AdditionalProperties: goSchemaOrBool(all['additionalProperties']),
    PatternProperties: goSchemaMap(all['patternProperties']),
    Dependencies: null,
    AdditionalItems: goSchemaOrBool(all['additionalItems']),
    Definitions: goSchemaMap(all['definitions']),
    ExternalDocs: null,
    Example: pointer('example'),
    XPreserveUnknownFields: pointer('x-kubernetes-preserve-unknown-fields'),
    XEmbeddedResource: flag('x-kubernetes-embedded-resource'),
    XIntOrString: flag('x-kubernetes-int-or-string'),
    XListMapKeys: pointer('x-kubernetes-list-map-keys'),
    XListType: pointer('x-kubernetes-list-type'),
    XMapType: pointer('x-kubernetes-map-type'),
    XValidations: Array.isArray(all['x-kubernetes-validations'])
      ? (all['x-kubernetes-validations'] as readonly ValidationRule[]).map(goRule)
      : null,
  };
}
