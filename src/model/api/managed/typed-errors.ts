import type { TypeRef } from '../schema.ts';
import { childType, isUndivided, itemElement } from './typed-walk.ts';

/** What makes a configuration impossible to apply: fields that are not in the schema, wrong types, duplicate items. None when nothing does. */
export function typedErrors(type: TypeRef, value: unknown, path: string): string[] {
  if (value === null || value === undefined || isUndivided(type, value)) return [];
  switch (type.kind) {
    case 'scalar':
      return scalarErrors(type.scalar, value, path);
    case 'list': {
      if (!Array.isArray(value)) return [`${path}: expected list, got ${typeof value === 'string' ? `&{${value}}` : goValue(value)}`];
      const errors: string[] = [];
      const seen = new Set<string>();
      value.forEach((item, i) => {
        let at = `${path}[${i}]`;
        if (type.listType !== 'atomic') {
          const element = itemElement(type, item);
          const shown = type.listType === 'set' ? `[=${JSON.stringify(item)}]` : keyText(element);
          if (seen.has(element)) errors.push(`${path}: duplicate entries for key ${shown}`);
          seen.add(element);
          at = path + shown;
        }
        errors.push(...typedErrors(type.element, item, at));
      });
      return errors;
    }
    default: {
      if (typeof value !== 'object' || Array.isArray(value)) return [`${path}: expected map, got ${goValue(value)}`];
      const errors: string[] = [];
      for (const key of Object.keys(value as object).sort()) {
        const child = childType(type, key);
        if (child === undefined) errors.push(`${path}.${key}: field not declared in schema`);
        else errors.push(...typedErrors(child.type, (value as Readonly<Record<string, unknown>>)[key], `${path}.${key}`));
      }
      return errors;
    }
  }
}

function keyText(element: string): string {
  const keys = JSON.parse(element.slice(2)) as Record<string, unknown>;
  return `[${Object.keys(keys)
    .sort()
    .map((key) => `${key}=${JSON.stringify(keys[key])}`)
    .join(',')}]`;
}

function goValue(value: unknown): string {
  if (Array.isArray(value)) return `&{[${value.map(String).join(' ')}]}`;
  return `&value.valueUnstructured{Value:${typeof value === 'string' ? JSON.stringify(value) : String(value)}}`;
}

/** Numbers are told by Go's type, all else by its value. */
function goType(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  return typeof value === 'object' ? 'map[string]interface {}' : typeof value === 'boolean' ? 'bool' : 'string';
}

function scalarErrors(scalar: string, value: unknown, path: string): string[] {
  const expected = (what: string): string[] => [`${path}: expected ${what}, got ${goValue(value)}`];
  switch (scalar) {
    case 'string':
    case 'bytes':
    case 'time':
    case 'microTime':
      return typeof value === 'string' ? [] : expected('string');
    case 'boolean':
      return typeof value === 'boolean' ? [] : expected('boolean');
    case 'int32':
    case 'int64':
    case 'number':
      return typeof value === 'number' ? [] : [`${path}: expected numeric (int or float), got ${goType(value)}`];
    default:
      return [];
  }
}
