import type { Declared } from '../cel/declared.ts';
import { isReserved } from '../cel/identifier.ts';
import { bool, bytes, type CelType, double, duration, dyn, int, list, map, type ObjectField, string, timestamp } from '../cel/type.ts';
import type { Schema } from './structural-schema.ts';

/** Upstream DefaultMaxRequestSizeBytes: nothing in a request can be longer. */
export const requestBytesMax = 3 * 1024 * 1024;

const bytesMin = { string: 2, boolean: 4, number: 1, intOrString: 1, duration: 4, date: 12, dateTime: 22 } as const;
const textMax = { duration: 32, date: 12, dateTime: 37 } as const;

const text: Schema = { type: 'string' };
const typeMeta: Schema['properties'] = {
  kind: text,
  apiVersion: text,
  metadata: { type: 'object', properties: { name: text, generateName: text } },
};

/**
 * The type of a schema's values in CEL, with the largest sizes that it allows: upstream `apiserver/pkg/cel/common/schemas.go`. Undefined
 * for what no rule can see: lists and maps of unknown things.
 */
export function declaredType(given: Schema, isRoot: boolean, name = 'object'): Declared | undefined {
  if (given['x-kubernetes-int-or-string'] === true) {
    return {
      type: dyn,
      elementsMax: given.maxLength === undefined ? requestBytesMax - 2 : given.maxLength * 4,
      bytesMin: bytesMin.intOrString,
    };
  }
  const schema = isRoot ? { ...given, properties: { ...given.properties, ...typeMeta } } : given;
  switch (schema.type) {
    case 'array':
      return listType(schema, name);
    case 'object':
      return isSchema(schema.additionalProperties) ? mapType(schema, schema.additionalProperties, name) : objectType(schema, name);
    case 'string':
      return textType(schema);
    case 'boolean':
      return { type: bool, elementsMax: 0, bytesMin: bytesMin.boolean };
    case 'number':
      return { type: double, elementsMax: 0, bytesMin: bytesMin.number };
    case 'integer':
      return { type: int, elementsMax: 0, bytesMin: bytesMin.number };
    default:
      return undefined;
  }
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null;
}

function isEmbedded(schema: Schema): boolean {
  return schema['x-kubernetes-embedded-resource'] === true;
}

function listType(schema: Schema, name: string): Declared | undefined {
  const items = schema.items as unknown as Schema | undefined;
  const element = items === undefined ? undefined : declaredType(items, isEmbedded(items), `${name}.@items`);
  if (element === undefined) return undefined;
  const listKind = schema['x-kubernetes-list-type'];
  const told = listKind === 'set' ? 'set' : listKind === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : undefined;
  return {
    type: list(element.type, told),
    elementsMax: schema.maxItems ?? Math.floor((requestBytesMax - 2) / (element.bytesMin + 1)),
    bytesMin: 2,
    element,
  };
}

function mapType(schema: Schema, values: Schema, name: string): Declared | undefined {
  const element = declaredType(values, isEmbedded(values), `${name}.@values`);
  if (element === undefined) return undefined;
  return {
    type: map(string, element.type),
    // Two bytes of key at the least, quotes, colon and comma.
    elementsMax: schema.maxProperties ?? Math.floor((requestBytesMax - 2) / (element.bytesMin + 6)),
    bytesMin: 2,
    element,
    key: { type: string, elementsMax: 0, bytesMin: bytesMin.string },
  };
}

function objectType(schema: Schema, name: string): Declared {
  const required = new Set(schema.required ?? []);
  const fields = new Map<string, ObjectField>();
  const declared = new Map<string, Declared>();
  let size = 2;
  for (const [property, child] of Object.entries(schema.properties ?? {})) {
    const type = declaredType(child as Schema, isEmbedded(child as Schema), `${name}.${property}`);
    if (type === undefined) continue;
    const escaped = escapeName(property);
    if (escaped !== undefined) {
      fields.set(escaped, { type: type.type, property });
      declared.set(escaped, type);
    }
    if (required.has(property) && (child as Schema).default === undefined) size += property.length + type.bytesMin + 4;
  }
  return { type: { kind: 'object', name, fields }, elementsMax: 0, bytesMin: size, fields: declared };
}

function textType(schema: Schema): Declared {
  const sized = (type: CelType, smallest: number, largest: number): Declared => ({ type, bytesMin: smallest, elementsMax: largest });
  switch (schema.format) {
    case 'byte':
      return sized(bytes, bytesMin.string, schema.maxLength ?? requestBytesMax - 2);
    case 'duration':
      return sized(duration, bytesMin.duration, textMax.duration);
    case 'date':
      return sized(timestamp, bytesMin.date, textMax.date);
    case 'date-time':
      return sized(timestamp, bytesMin.dateTime, textMax.dateTime);
    default:
      break;
  }
  // A character may take four bytes.
  if (schema.maxLength !== undefined) return sized(string, bytesMin.string, schema.maxLength * 4);
  const enumerated = (schema.enum ?? []).filter((value) => typeof value === 'string').map((value) => value.length);
  return sized(string, bytesMin.string, (schema.enum ?? []).length > 0 ? Math.max(0, ...enumerated) : requestBytesMax - 2);
}

/** A property's name as an identifier of CEL; undefined where there is none. Upstream `apiserver/pkg/cel/escaping.go`. */
export function escapeName(property: string): string | undefined {
  if (property === '' || /^[0-9]/.test(property)) return undefined;
  if (isReserved(property)) return `__${property}__`;
  if (!/^[A-Za-z0-9_./-]+$/.test(property)) return undefined;
  return property.replace(/__/g, '__underscores__').replace(/\./g, '__dot__').replace(/-/g, '__dash__').replace(/\//g, '__slash__');
}
