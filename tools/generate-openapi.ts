/**
 * Regenerates `src/serve/generated/openapi.json` from the recorded OpenAPI documents of a real server: their structure without any
 * prose (no descriptions), one text compressed with brotli, in base64. Documents of version 3 that were not recorded are converted from the one of
 * version 2, which has all paths; what version 2 does not say (defaults of fields that only they use) is missing in them.
 *
 * Usage: node tools/generate-openapi.ts [folder of the recordings of the API]
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gunzipSync } from 'node:zlib';

type Json = null | boolean | number | string | readonly Json[] | JsonMap;
interface JsonMap {
  readonly [key: string]: Json;
}

const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const openApiFile = join(root, 'src/serve/generated/openapi.json');

function isMap(value: Json | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mapOf(value: Json | undefined): JsonMap {
  return isMap(value) ? value : {};
}

function entriesOf(map: Json | undefined): readonly (readonly [string, Json])[] {
  return Object.entries(mapOf(map));
}

function mapped(map: Json | undefined, change: (value: Json, key: string) => Json): JsonMap {
  return Object.fromEntries(entriesOf(map).map(([key, value]) => [key, change(value, key)]));
}

/** The same without descriptions. A property that is called `description` is a schema and stays. */
export function withoutProse(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutProse);
  if (!isMap(value)) return value;
  const out: Record<string, Json> = {};
  for (const [key, child] of Object.entries(value)) if (key !== 'description' || typeof child !== 'string') out[key] = withoutProse(child);
  return out;
}

const schemaPrefix = '#/components/schemas/';

/** A schema of version 2 in the form of version 3: a reference with neighbours is wrapped. */
function schemaOf(value: Json): Json {
  if (Array.isArray(value)) return value.map(schemaOf);
  if (!isMap(value)) return value;
  const { $ref: ref, ...rest } = mapped(value, schemaOf);
  if (typeof ref !== 'string') return rest;
  const reference = { $ref: ref.replace('#/definitions/', schemaPrefix) };
  return Object.keys(rest).length === 0 ? reference : { allOf: [reference], ...rest };
}

const zeroes: Readonly<Record<string, Json>> = { string: '', integer: 0, number: 0, boolean: false };

/** Types that print themselves: kube-openapi gives their fields no default. */
const scalarTypes = new Set(
  ['api.resource.Quantity', 'apis.meta.v1.Time', 'apis.meta.v1.MicroTime', 'util.intstr.IntOrString', 'runtime.RawExtension'].map(
    (name) => `${schemaPrefix}io.k8s.apimachinery.pkg.${name}`,
  ),
);
/** Never pointers, wherever they are. */
const embeddedTypes = new Set(['ObjectMeta', 'ListMeta'].map((name) => `${schemaPrefix}io.k8s.apimachinery.pkg.apis.meta.v1.${name}`));
/** Optional fields of schemas that only unrecorded documents have, which are structs and not pointers in Go (k8s.io/api, k8s.io/apimachinery). */
const embeddedFields = new Set(['APIGroup preferredVersion', 'AllocationResult devices', 'ResourceClaimSpec devices']);

/** What version 2 leaves out: lists hold structs and not pointers, and a required field is no pointer either; both have a zero value as default. */
function withDefaults(schema: Json, name: string): Json {
  const map = mapOf(schema);
  const required = new Set((map['required'] ?? []) as readonly string[]);
  const filled = (value: Json, isValue: boolean): Json => {
    const field = mapOf(value);
    const reference = field['$ref'] ?? mapOf((field['allOf'] as readonly Json[] | undefined)?.[0])['$ref'];
    if (typeof reference === 'string') {
      if (scalarTypes.has(reference) || !(isValue || embeddedTypes.has(reference))) return field;
      return field['$ref'] === undefined ? { ...field, default: {} } : { default: {}, allOf: [field] };
    }
    const zero = field['format'] === 'byte' ? undefined : zeroes[String(field['type'])];
    return {
      ...field,
      ...(field['items'] === undefined ? {} : { items: filled(field['items'], true) }),
      ...(field['additionalProperties'] === undefined ? {} : { additionalProperties: filled(field['additionalProperties'], true) }),
      ...(isValue && zero !== undefined && field['default'] === undefined ? { default: zero } : {}),
    };
  };
  if (map['properties'] === undefined) return schema;
  const isKind = map['x-kubernetes-group-version-kind'] !== undefined;
  const isValue = (key: string): boolean =>
    required.has(key) || (isKind && (key === 'spec' || key === 'status')) || embeddedFields.has(`${name.split('.').at(-1)} ${key}`);
  return { ...map, properties: mapped(map['properties'], (value, key) => filled(value, isValue(key))) };
}

function parameterOf({ name, in: place, required, ...schema }: JsonMap): Json {
  return { name: name ?? '', in: place ?? '', ...(required === true ? { required } : {}), schema: schemaOf(schema) };
}

function contentOf(types: Json | undefined, schema: Json): Json {
  return Object.fromEntries((types as readonly string[]).map((type) => [type, { schema: schemaOf(schema) }]));
}

function operationOf(operation: JsonMap, find: (parameter: Json) => JsonMap): Json {
  const { consumes, produces, schemes: _, parameters = [], responses, ...rest } = operation;
  const found = (parameters as readonly Json[]).map(find);
  const body = found.find((parameter) => parameter['in'] === 'body');
  const others = found.filter((parameter) => parameter['in'] !== 'body').map(parameterOf);
  return {
    ...rest,
    ...(others.length > 0 ? { parameters: others } : {}),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            content: contentOf(consumes, body['schema'] ?? {}),
            ...(body['required'] === true ? { required: true } : {}),
          },
        }),
    responses: mapped(responses, (response) => {
      const { schema, ...others } = mapOf(response);
      return schema === undefined ? others : { ...others, content: contentOf(produces, schema) };
    }),
  };
}

function referencesIn(value: Json, into: Set<string>): void {
  if (Array.isArray(value)) for (const item of value) referencesIn(item, into);
  else if (isMap(value))
    for (const [key, child] of Object.entries(value))
      if (key === '$ref' && typeof child === 'string') into.add(child.slice(schemaPrefix.length));
      else referencesIn(child, into);
}

/** The document of version 3 for the paths under a prefix; schemas that another document has are taken from it. */
export function converted(v2: JsonMap, path: string, known: ReadonlyMap<string, Json>): JsonMap {
  const shared = mapOf(v2['parameters']);
  const find = (parameter: Json): JsonMap => {
    const map = mapOf(parameter);
    return typeof map['$ref'] === 'string' ? mapOf(shared[map['$ref'].slice('#/parameters/'.length)]) : map;
  };
  const isOwn = (candidate: string): boolean => {
    const rest = candidate.slice(1);
    if (rest === `${path}/`) return true;
    // A group's own document holds only the group, not its versions.
    return rest.startsWith(`${path}/`) && !(path === 'api' || path === 'apis' || /^apis\/[^/]+$/.test(path));
  };
  const paths = Object.fromEntries(
    entriesOf(v2['paths'])
      .filter(([candidate]) => isOwn(candidate))
      .map(([candidate, item]) => [
        candidate,
        mapped(item, (part, key) =>
          key === 'parameters' ? (part as readonly Json[]).map(find).map(parameterOf) : operationOf(mapOf(part), find),
        ),
      ]),
  );
  const schemas: Record<string, Json> = {};
  const waiting = new Set<string>();
  referencesIn(paths, waiting);
  for (const name of waiting) {
    const schema = known.get(name) ?? withDefaults(schemaOf(mapOf(v2['definitions'])[name] ?? {}), name);
    schemas[name] = schema;
    referencesIn(schema, waiting);
  }
  const sorted = Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
  const { in: place, ...scheme } = mapOf(mapOf(v2['securityDefinitions'])['BearerToken']);
  return {
    openapi: '3.0.0',
    info: v2['info'] ?? {},
    paths,
    components: {
      ...(Object.keys(sorted).length > 0 ? { schemas: sorted } : {}),
      securitySchemes: { BearerToken: { ...scheme, in: place ?? 'header' } },
    },
  };
}

/** `hash` in an index: SHA-512 of the document that is served. */
function hashOf(document: Json): string {
  return createHash('sha512').update(JSON.stringify(document)).digest('hex').toUpperCase();
}

/** The text before its compression. */
export function generateOpenApi(folder: string): string {
  const raw = (file: string): JsonMap =>
    mapOf(JSON.parse(gunzipSync(readFileSync(join(folder, 'openapi', file))).toString('utf8')) as Json);
  const read = (file: string): JsonMap => mapOf(withoutProse(raw(file)));
  const recorded = new Map<string, JsonMap>();
  for (const file of readdirSync(join(folder, 'openapi')).sort()) {
    const path = /^v3_(.*)\.json\.gz$/.exec(file)?.[1];
    if (path !== undefined) recorded.set(path.replace(/_/g, '/'), read(file));
  }
  const known = new Map<string, Json>();
  for (const document of recorded.values())
    for (const [name, schema] of entriesOf(mapOf(document['components'])['schemas'])) known.set(name, schema);
  const v2 = raw('v2.json.gz');
  const index = readFileSync(join(folder, '01-discovery.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => mapOf(JSON.parse(line) as Json))
    .find((step) => step['path'] === '/openapi/v3');
  const v3: Record<string, Json> = {};
  const listed = mapOf(JSON.parse(String(index?.['responseText'] ?? '{}')) as Json);
  for (const path of Object.keys(mapOf(listed['paths']))) {
    const document = recorded.get(path) ?? mapOf(withoutProse(converted(v2, path, known)));
    v3[path] = { hash: hashOf(document), document };
  }
  return JSON.stringify({ v2: withoutProse(v2), v3 });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = generateOpenApi(process.argv[2] ?? join(root, '../shared/goldens/api'));
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 };
  const compressed = brotliCompressSync(text, { params });
  writeFileSync(openApiFile, `{"brotliBase64":${JSON.stringify(compressed.toString('base64'))}}\n`);
}
