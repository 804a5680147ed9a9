import type { Json } from '../object.ts';
import { goText } from '../patch/strategic-merge.ts';
import type { ListType, TypeRef } from '../schema.ts';
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
          const why = withoutElement(type, item);
          if (why !== undefined) {
            errors.push(`${path}: element ${i}: ${why}`);
            return;
          }
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

/** Why an item of a set or keyed list cannot be told from others: upstream listItemToPathElement. Undefined when it can. */
function withoutElement(type: ListType, item: unknown): string | undefined {
  if (type.listType === 'set') {
    if (item === null) return "associative list without keys has an element that's an explicit null";
    if (Array.isArray(item)) return 'not supported: associative list with lists as elements';
    return typeof item === 'object' ? "associative list without keys has an element that's a map type" : undefined;
  }
  if (item === null) return 'associative list with keys may not have a null element';
  if (typeof item !== 'object' || Array.isArray(item)) return 'associative list with keys may not have non-map elements';
  if (itemElement(type, item) !== 'k:{}') return undefined;
  const keys = type.keys.map((key) => JSON.stringify(key)).join(' ');
  return `associative list with keys has an element that omits all key fields [${keys}] (and doesn't have default values for any key fields)`;
}

function keyText(element: string): string {
  const keys = JSON.parse(element.slice(2)) as Record<string, unknown>;
  return `[${Object.keys(keys)
    .sort()
    .map((key) => `${key}=${JSON.stringify(keys[key])}`)
    .join(',')}]`;
}

function goValue(value: unknown): string {
  if (Array.isArray(value)) return `&{[${(value as readonly Json[]).map(goText).join(' ')}]}`;
  return `&value.valueUnstructured{Value:${goSyntax(value)}}`;
}

/** A value as Go's %#v prints it. */
function goSyntax(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (value === null || value === undefined) return 'interface {}(nil)';
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  const map = value as Readonly<Record<string, unknown>>;
  const members = Object.keys(map)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${goSyntax(map[key])}`);
  return `map[string]interface {}{${members.join(', ')}}`;
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
