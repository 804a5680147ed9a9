/**
 * Regenerates `src/model/api/generated/{types.ts,schema.json}` from the OpenAPI documents recorded from a real API server.
 * v2 names every type and carries the patch and list facts; v3 adds which fields are always serialised (`default`).
 *
 * Usage: node tools/generate-schema.ts [folder of openapi documents] (default ../shared/goldens/api/openapi)
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

interface OpenApiType {
  readonly $ref?: string;
  readonly allOf?: readonly OpenApiType[];
  readonly type?: string;
  readonly format?: string;
  readonly items?: OpenApiType;
  readonly additionalProperties?: OpenApiType;
  readonly properties?: Readonly<Record<string, OpenApiType>>;
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-patch-merge-key'?: string;
  readonly 'x-kubernetes-patch-strategy'?: string;
  readonly 'x-kubernetes-unions'?: readonly { discriminator?: string; 'fields-to-discriminateBy': Record<string, string> }[];
  readonly 'x-kubernetes-group-version-kind'?: readonly { group: string; version: string; kind: string }[];
}

/** One type of schema.json. Keys are short because the file is loaded at every start: see `src/model/api/schema.ts`. */
export type CompactType =
  | string
  | { readonly e: readonly string[] }
  | { readonly l: CompactType; readonly t?: string; readonly k?: readonly string[]; readonly mk?: string; readonly ps?: string }
  | { readonly m: CompactType; readonly a?: 1; readonly ps?: string }
  | { readonly r: string; readonly a?: 1; readonly ps?: string };

const metaPrefix = 'io.k8s.apimachinery.pkg.apis.meta.v1.';
const scalars: Readonly<Record<string, string>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': 'quantity',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 'intOrString',
  'io.k8s.apimachinery.pkg.runtime.RawExtension': 'any',
  [`${metaPrefix}Time`]: 'time',
  [`${metaPrefix}MicroTime`]: 'microTime',
  [`${metaPrefix}FieldsV1`]: 'any',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON': 'any',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray': 'any',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool': 'any',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray': 'any',
};
/** Types of a short name that several groups use: the first of these keeps it, others get the group's first word in front. */
const nameOwners = ['core', 'rbac', 'authentication', 'admissionregistration', 'autoscaling.v2'];
/** Written by hand in object.ts. */
const handWritten: Readonly<Record<string, string>> = {
  ObjectMeta: 'ObjectMeta',
  OwnerReference: 'OwnerReference',
  ManagedFieldsEntry: 'ManagedFieldsEntry',
};

function shortNames(names: readonly string[]): Map<string, string> {
  const byShort = new Map<string, string[]>();
  for (const name of names) {
    const short = name.slice(name.lastIndexOf('.') + 1);
    byShort.set(short, [...(byShort.get(short) ?? []), name]);
  }
  const result = new Map<string, string>();
  for (const [short, all] of byShort) {
    const owner = all.length === 1 ? all[0] : nameOwners.map((g) => all.find((n) => n.includes(`.${g}.`))).find(Boolean);
    for (const name of all) {
      const parts = name.split('.');
      const group = parts[parts.length - 3] ?? '';
      const version = parts[parts.length - 2] ?? '';
      const prefix = group[0]?.toUpperCase() + group.slice(1);
      result.set(name, name === owner ? short : group === 'autoscaling' ? short + version.toUpperCase() : prefix + short);
    }
  }
  return result;
}

function compact(type: OpenApiType, name: (ref: string) => string): CompactType {
  const ref = type.$ref ?? type.allOf?.[0]?.$ref;
  const strategy = type['x-kubernetes-patch-strategy'];
  if (ref !== undefined) {
    const target = ref.slice(ref.lastIndexOf('/') + 1);
    const scalar = scalars[target];
    if (scalar !== undefined) return scalar;
    const atomic = type['x-kubernetes-map-type'] === 'atomic';
    return { r: name(target), ...(atomic ? { a: 1 as const } : {}), ...(strategy ? { ps: strategy } : {}) };
  }
  if (type.type === 'array') {
    const mergeKey = type['x-kubernetes-patch-merge-key'];
    const listType = type['x-kubernetes-list-type'];
    const keys = type['x-kubernetes-list-map-keys'];
    return {
      l: compact(type.items ?? {}, name),
      ...(listType !== undefined && listType !== 'atomic' ? { t: listType } : {}),
      ...(keys ? { k: keys } : {}),
      ...(mergeKey !== undefined ? { mk: mergeKey } : {}),
      ...(strategy !== undefined ? { ps: strategy } : {}),
    };
  }
  if (type.additionalProperties !== undefined) {
    const atomic = type['x-kubernetes-map-type'] === 'atomic';
    return { m: compact(type.additionalProperties, name), ...(atomic ? { a: 1 as const } : {}), ...(strategy ? { ps: strategy } : {}) };
  }
  if (type.enum !== undefined) return { e: type.enum };
  if (type.type === 'string') return type.format === 'byte' ? 'bytes' : 'string';
  if (type.type === 'integer') return type.format === 'int64' ? 'int64' : 'int32';
  if (type.type === 'number') return 'number';
  if (type.type === 'boolean') return 'boolean';
  return 'any';
}

function tsType(type: CompactType): string {
  if (typeof type === 'string') {
    switch (type) {
      case 'int32':
      case 'int64':
      case 'number':
        return 'number';
      case 'boolean':
        return 'boolean';
      case 'intOrString':
        return 'number | string';
      case 'any':
        return 'Json';
      default:
        return 'string';
    }
  }
  if ('e' in type) return type.e.map((v) => `'${v}'`).join(' | ');
  if ('l' in type) {
    const inner = tsType(type.l);
    return `readonly ${inner.includes('|') ? `(${inner})` : inner}[]`;
  }
  if ('m' in type) return `{ readonly [key: string]: ${tsType(type.m)} }`;
  return handWritten[type.r] ?? type.r;
}

/** Fields whose default of zero is a defaulting rule, not a Go value that is always printed. */
const defaultedToZero: readonly string[] = [
  'AzureDiskVolumeSource.readOnly',
  'ReplicationControllerSpec.minReadySeconds',
  'FileKeySelector.optional',
  'GRPCAction.service',
];

/** v3 gives Go values without omitempty (and structs) their zero as default; any other default is a defaulting rule. */
function printsZero(type: string, field: string, value: unknown): boolean {
  if (value === undefined || defaultedToZero.includes(`${type}.${field}`)) return false;
  return typeof value === 'object' || value === '' || value === 0 || value === false;
}

/** Both files as text, from the folder of recorded documents. */
export function generate(folder: string): { readonly types: string; readonly schema: string } {
  const read = (file: string): unknown => JSON.parse(gunzipSync(readFileSync(join(folder, file))).toString('utf8'));
  const v2 = (read('v2.json.gz') as { definitions: Record<string, OpenApiType> }).definitions;
  const v3: Record<string, OpenApiType> = {};
  for (const file of readdirSync(folder).sort()) {
    if (!file.startsWith('v3_api')) continue;
    Object.assign(v3, (read(file) as { components: { schemas: Record<string, OpenApiType> } }).components.schemas);
  }
  const isList = (n: string): boolean => v2[n]?.properties?.['items'] !== undefined && v2[n]?.properties?.['metadata'] !== undefined;
  const skip = new Set([
    'APIGroup',
    'APIGroupList',
    'APIResource',
    'APIResourceList',
    'APIVersions',
    'Status',
    'StatusDetails',
    'StatusCause',
    'WatchEvent',
    'ListMeta',
    'ServerAddressByClientCIDR',
    'GroupVersionForDiscovery',
    'Info',
  ]);
  const names = Object.keys(v2)
    .filter((n) => scalars[n] === undefined && !isList(n) && !skip.has(n.slice(n.lastIndexOf('.') + 1)))
    .sort();
  const short = shortNames(names);
  const nameOf = (ref: string): string => short.get(ref) ?? ref.slice(ref.lastIndexOf('.') + 1);

  const types: Record<string, unknown> = {};
  const kinds: Record<string, string> = {};
  const source: string[] = [
    '// Generated by tools/generate-schema.ts from the OpenAPI documents of Kubernetes 1.35. Do not edit.',
    "import type { ApiObject, Json, ManagedFieldsEntry, ObjectMeta, OwnerReference } from '../object.ts';",
    '',
  ];
  const order = [...names].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  for (const full of order) {
    const type = v2[full] ?? {};
    const name = nameOf(full);
    const fields: Record<string, CompactType> = {};
    const always: string[] = [];
    const lines: string[] = [];
    const required = new Set(type.required ?? []);
    const gvk = type['x-kubernetes-group-version-kind'];
    const isKind = gvk?.length === 1 && type.properties?.['metadata'] !== undefined;
    for (const field of Object.keys(type.properties ?? {}).sort()) {
      const property = type.properties?.[field] ?? {};
      const encoded = compact(property, nameOf);
      fields[field] = encoded;
      const isAlways = printsZero(name, field, v3[full]?.properties?.[field]?.default);
      if (isAlways) always.push(field);
      if (isKind && (field === 'apiVersion' || field === 'kind' || field === 'metadata')) continue;
      const mark = required.has(field) || (isKind && field === 'spec' && isAlways) ? '' : '?';
      lines.push(`  readonly ${/^[A-Za-z_$][\w$]*$/.test(field) ? field : `'${field}'`}${mark}: ${tsType(encoded)};`);
    }
    const unions = type['x-kubernetes-unions'];
    types[name] = {
      p: fields,
      ...(type.required ? { r: type.required } : {}),
      ...(always.length > 0 ? { z: always } : {}),
      ...(type['x-kubernetes-map-type'] === 'atomic' ? { a: 1 } : {}),
      ...(unions ? { u: unions.map((u) => [u.discriminator ?? '', ...Object.keys(u['fields-to-discriminateBy'])]) } : {}),
    };
    if (gvk?.length === 1 && gvk[0]) kinds[`${gvk[0].group}/${gvk[0].version}/${gvk[0].kind}`] = name;
    if (handWritten[name] !== undefined) continue;
    const head = isKind ? `export interface ${name} extends ApiObject` : `export interface ${name}`;
    source.push(
      lines.length === 0
        ? `export type ${name} = ${isKind ? 'ApiObject' : 'Readonly<Record<string, never>>'};`
        : `${head} {\n${lines.join('\n')}\n}`,
    );
  }
  const typeLines = Object.keys(types).map((n) => `${JSON.stringify(n)}:${JSON.stringify(types[n])}`);
  const schema = `{"kinds":${JSON.stringify(kinds, null, 0)},\n"types":{\n${typeLines.join(',\n')}\n}}\n`;
  return { types: `${source.join('\n')}\n`, schema };
}

/** Folder of the generated files. */
export const generatedFolder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'src/model/api/generated');

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? join(dirname(dirname(fileURLToPath(import.meta.url))), '../shared/goldens/api/openapi');
  const { types, schema } = generate(folder);
  writeFileSync(join(generatedFolder, 'types.ts'), types);
  writeFileSync(join(generatedFolder, 'schema.json'), schema);
}
