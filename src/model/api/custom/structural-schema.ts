import type { FieldType, MapType, ScalarType, StructType, TypeRef } from '../schema.ts';
import { structType } from '../schema.ts';
import type { JSONSchemaProps } from '../types.ts';

/** A CustomResourceDefinition's schema, as its JSON. */
export type Schema = JSONSchemaProps;

type Map = Readonly<Record<string, unknown>>;

function isMap(value: unknown): value is Map {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function preservesUnknown(schema: Schema): boolean {
  return schema['x-kubernetes-preserve-unknown-fields'] === true;
}

function itemsOf(schema: Schema): Schema | undefined {
  return schema.items as unknown as Schema | undefined;
}

function additionalOf(schema: Schema): Schema | boolean | undefined {
  return schema.additionalProperties as unknown as Schema | boolean | undefined;
}

const envelope: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

/** Drops fields that the schema does not know, and notes their paths. Shares what it does not change. */
export function prune(schema: Schema, value: unknown, path: string, unknown: string[], isRoot = false): unknown {
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    if (items === undefined) return value;
    let copy: unknown[] | undefined;
    value.forEach((item, i) => {
      const next = prune(items, item, `${path}[${i}]`, unknown);
      if (next === item) return;
      copy ??= [...value];
      copy[i] = next;
    });
    return copy ?? value;
  }
  if (!isMap(value)) return value;
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true;
  const additional = additionalOf(schema);
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(value)) {
    if ((isRoot || isEmbedded) && envelope.has(key)) {
      if (isEmbedded && key === 'metadata' && isMap(value[key])) {
        const next = pruneMetadata(value[key] as Map, `${path}.metadata`, unknown);
        if (next !== value[key]) copy = { ...(copy ?? value), metadata: next };
      }
      continue;
    }
    const at = path === '' ? key : `${path}.${key}`;
    const child: Schema | undefined = schema.properties?.[key] ?? (isMap(additional) ? (additional as Schema) : undefined);
    if (child === undefined) {
      if (preservesUnknown(schema) || additional === true) continue;
      unknown.push(at);
      copy ??= { ...value };
      delete copy[key];
      continue;
    }
    const next = prune(child, value[key], at, unknown);
    if (next === value[key]) continue;
    copy ??= { ...value };
    copy[key] = next;
  }
  return copy ?? value;
}

function pruneMetadata(metadata: Map, path: string, unknown: string[]): Map {
  const known = structType('ObjectMeta').fields;
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(metadata)) {
    if (known.has(key)) continue;
    unknown.push(`${path}.${key}`);
    copy ??= { ...metadata };
    delete copy[key];
  }
  return copy ?? metadata;
}

/** Fills defaults; a null where null is not allowed counts as absent (and goes, where there is no default). */
export function applyDefaults(schema: Schema, value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    if (items === undefined) return value;
    let copy: unknown[] | undefined;
    value.forEach((item, i) => {
      const next = applyDefaults(items, item);
      if (next === item) return;
      copy ??= [...value];
      copy[i] = next;
    });
    return copy ?? value;
  }
  if (!isMap(value)) return value;
  let copy: Record<string, unknown> | undefined;
  const set = (key: string, next: unknown): void => {
    copy ??= { ...value };
    copy[key] = next;
  };
  for (const key of Object.keys(schema.properties ?? {})) {
    const child = schema.properties?.[key] as Schema;
    if (value[key] === null && child.nullable !== true) {
      copy ??= { ...value };
      delete copy[key];
    }
    if ((copy ?? value)[key] === undefined && child.default !== undefined) set(key, child.default);
    const current = (copy ?? value)[key];
    if (current === undefined) continue;
    const next = applyDefaults(child, current);
    if (next !== current) set(key, next);
  }
  const additional = additionalOf(schema);
  if (isMap(additional)) {
    for (const key of Object.keys(value)) {
      if (schema.properties?.[key] !== undefined) continue;
      const next = applyDefaults(additional as Schema, value[key]);
      if (next !== value[key]) set(key, next);
    }
  }
  return copy ?? value;
}

/** A value without a schema: maps are granular, lists atomic, as server-side apply deduces. */
const deduced: MapType = {
  kind: 'map',
  atomic: false,
  deduced: true,
  get value(): TypeRef {
    return deduced;
  },
};
const text: ScalarType = { kind: 'scalar', scalar: 'string' };

/** The schema as a type for server-side apply. */
export function typeOf(schema: Schema, name: string, isRoot = false): TypeRef {
  if (schema['x-kubernetes-int-or-string'] === true) return { kind: 'scalar', scalar: 'any' };
  if (schema.type === 'array') {
    const items = itemsOf(schema);
    const listType = (schema['x-kubernetes-list-type'] ?? 'atomic') as 'atomic' | 'set' | 'map';
    return {
      kind: 'list',
      element: items === undefined ? deduced : typeOf(items, name),
      listType,
      keys: schema['x-kubernetes-list-map-keys'] ?? [],
      mergeKey: undefined,
    };
  }
  if (schema.type === 'object' || isRoot) {
    const atomic = schema['x-kubernetes-map-type'] === 'atomic';
    const additional = additionalOf(schema);
    if (isMap(additional)) return { kind: 'map', value: typeOf(additional as Schema, name), atomic };
    if (!isRoot && (preservesUnknown(schema) || schema.properties === undefined)) return atomic ? { ...deduced, atomic } : deduced;
    const fields = new globalThis.Map<string, FieldType>();
    const add = (key: string, type: TypeRef): void => {
      fields.set(key, {
        name: key,
        element: `f:${key}`,
        type,
        atomic: false,
        strategies: [],
        zero: 'omit',
        dropZero: false,
        dropEmpty: false,
      });
    };
    for (const [key, child] of Object.entries(schema.properties ?? {})) add(key, typeOf(child as Schema, `${name}.${key}`));
    if (isRoot) {
      add('apiVersion', text);
      add('kind', text);
      add('metadata', structType('ObjectMeta'));
      if (preservesUnknown(schema)) for (const key of ['spec', 'status', 'data']) if (!fields.has(key)) add(key, deduced);
    }
    return { kind: 'struct', name, fields, required: schema.required ?? [], always: [], atomic, unions: [] } satisfies StructType;
  }
  switch (schema.type) {
    case 'integer':
      return { kind: 'scalar', scalar: 'int64' };
    case 'number':
      return { kind: 'scalar', scalar: 'number' };
    case 'boolean':
      return { kind: 'scalar', scalar: 'boolean' };
    case 'string':
      return text;
    default:
      return deduced;
  }
}
