import { setMember } from './own-member.ts';
import { canonicalQuantity, parseQuantity } from './quantity.ts';
import {
  type FieldType,
  type ListType,
  type MapType,
  type Scalar,
  type ScalarType,
  type StructType,
  type TypeRef,
  zeroObject,
  zeroOf,
} from './schema.ts';
import { canonicalMicroTime, canonicalTime } from './time.ts';
import type { UntypedObject } from './object.ts';

/** What decoding a JSON value into a built-in type found. */
export interface Decoded {
  /** The object as the server would print it again: unknown fields gone, quantities and times canonical, unset values left out. */
  readonly object: UntypedObject;
  /** Paths of unknown fields, in order of writing. */
  readonly unknown: readonly string[];
  /** The first value of a wrong type, in the words of Go's decoder. */
  readonly error: string | undefined;
}

interface Context {
  readonly unknown: string[];
  error: string | undefined;
}

/**
 * Decodes JSON into a struct, copying only what changes: a value that is already as the server prints it comes back itself.
 * Parts that `known` (an object decoded before, such as the stored state) has too, by reference, are not looked at again.
 */
export function decode(type: StructType, value: UntypedObject, known?: UntypedObject): Decoded {
  const context: Context = { unknown: [], error: undefined };
  const object = decodeStruct(type, value as Readonly<Record<string, unknown>>, '', '', context, known);
  return { object: object as UntypedObject, unknown: context.unknown, error: context.error };
}

/** Decodes a part of an object whose type is known, such as the spec of a template. */
export function decodeValue(type: TypeRef, value: unknown): unknown {
  return decodeAny(type, value, '', '', '', { unknown: [], error: undefined });
}

function decodeStruct(
  type: StructType,
  value: Readonly<Record<string, unknown>>,
  path: string,
  goPath: string,
  context: Context,
  known?: Readonly<Record<string, unknown>>,
): object {
  let copy: Record<string, unknown> | undefined;
  const keys = Object.keys(value);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string;
    const field = type.fields.get(key);
    const child = value[key];
    if (field === undefined) {
      context.unknown.push(path === '' ? key : `${path}.${key}`);
      copy ??= { ...value };
      delete copy[key];
      continue;
    }
    const before = known?.[key];
    if (before === child && child !== null && child !== undefined) continue;
    const next = decodeField(field, child, type, path, goPath, context, before);
    if (next !== child) {
      copy ??= { ...value };
      if (next === undefined) delete copy[key];
      else copy[key] = next;
    }
  }
  const always = type.always;
  for (let i = 0; i < always.length; i++) {
    const field = always[i] as FieldType;
    if ((copy ?? value)[field.name] === undefined) {
      copy ??= { ...value };
      copy[field.name] = zeroOf(field);
    }
  }
  return copy ?? value;
}

function decodeField(
  field: FieldType,
  value: unknown,
  owner: StructType,
  path: string,
  goPath: string,
  context: Context,
  known: unknown,
): unknown {
  if (value === null || value === undefined) return field.zero === 'omit' ? undefined : zeroOf(field);
  // Most fields are scalars that are as they should be: their path need not be spelled.
  const next = isPlain(field.type, value) ? value : decodeNamed(field, value, owner, path, goPath, context, known);
  if (field.dropZero && (next === '' || next === 0 || next === false)) return undefined;
  if (field.dropEmpty && isEmpty(next)) return undefined;
  return next;
}

/** Whether a value is surely what decoding it as a scalar of that type gives. */
function isPlain(type: TypeRef, value: unknown): boolean {
  if (type.kind !== 'scalar') return false;
  switch (type.scalar) {
    case 'string':
      return typeof value === 'string';
    case 'boolean':
      return typeof value === 'boolean';
    case 'any':
      return true;
    default:
      return false;
  }
}

function decodeNamed(
  { name, type }: FieldType,
  value: unknown,
  owner: StructType,
  path: string,
  goPath: string,
  context: Context,
  known: unknown,
): unknown {
  // Of scalars only errors tell the Go path.
  const valuePath = type.kind === 'scalar' ? '' : path === '' ? name : `${path}.${name}`;
  return decodeAny(type, value, valuePath, goPath === '' ? name : `${goPath}.${name}`, owner.name, context, known);
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.length === 0;
  for (const _ in value) return false;
  return true;
}

function decodeAny(type: TypeRef, value: unknown, path: string, goPath: string, owner: string, context: Context, known?: unknown): unknown {
  switch (type.kind) {
    case 'struct':
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return mismatch(type, value, goPath, owner, context);
      return decodeStruct(
        type,
        value as Readonly<Record<string, unknown>>,
        path,
        goPath,
        context,
        known as Readonly<Record<string, unknown>> | undefined,
      );
    case 'list':
      if (!Array.isArray(value)) return mismatch(type, value, goPath, owner, context);
      return decodeList(type, value, path, goPath, owner, context, Array.isArray(known) ? known : undefined);
    case 'map':
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return mismatch(type, value, goPath, owner, context);
      return decodeMap(type, value as Readonly<Record<string, unknown>>, path, goPath, owner, context);
    case 'scalar':
      return decodeScalar(type, value, goPath, owner, context);
  }
}

function decodeList(
  type: ListType,
  value: readonly unknown[],
  path: string,
  goPath: string,
  owner: string,
  context: Context,
  known: readonly unknown[] | undefined,
): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let i = 0; i < value.length; i++) {
    const child = value[i];
    if (known !== undefined && known[i] === child && typeof child === 'object' && child !== null) continue;
    const next = child === null ? emptyElement(type.element) : decodeAny(type.element, child, `${path}[${i}]`, goPath, owner, context);
    if (next !== child) {
      copy ??= [...value];
      copy[i] = next;
    }
  }
  return copy ?? value;
}

function emptyElement(type: TypeRef): unknown {
  switch (type.kind) {
    case 'struct':
      return zeroObject(type);
    case 'scalar':
      return emptyScalar(type.scalar);
    default:
      return null;
  }
}

function emptyScalar(scalar: Scalar): unknown {
  switch (scalar) {
    case 'string':
    case 'bytes':
      return '';
    case 'quantity':
      return '0';
    case 'boolean':
      return false;
    case 'any':
    case 'time':
    case 'microTime':
      return null;
    default:
      return 0;
  }
}

function decodeMap(
  type: MapType,
  value: Readonly<Record<string, unknown>>,
  path: string,
  goPath: string,
  owner: string,
  context: Context,
): object {
  let copy: Record<string, unknown> | undefined;
  const keys = Object.keys(value);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string;
    const child = value[key];
    const next = child === null ? emptyElement(type.value) : decodeAny(type.value, child, `${path}.${key}`, goPath, owner, context);
    if (next !== child) {
      copy ??= { ...value };
      setMember(copy, key, next);
    }
  }
  return copy ?? value;
}

function decodeScalar(type: ScalarType, value: unknown, goPath: string, owner: string, context: Context): unknown {
  switch (type.scalar) {
    case 'any':
      return value;
    case 'string':
      return typeof value === 'string' ? value : mismatch(type, value, goPath, owner, context);
    case 'boolean':
      return typeof value === 'boolean' ? value : mismatch(type, value, goPath, owner, context);
    case 'int32':
      if (typeof value !== 'number') return mismatch(type, value, goPath, owner, context);
      return Number.isInteger(value) && value >= -2_147_483_648 && value <= 2_147_483_647
        ? value
        : mismatch(type, value, goPath, owner, context, true);
    case 'int64':
      if (typeof value !== 'number') return mismatch(type, value, goPath, owner, context);
      return Number.isInteger(value) ? value : mismatch(type, value, goPath, owner, context, true);
    case 'number':
      return typeof value === 'number' ? value : mismatch(type, value, goPath, owner, context);
    case 'intOrString':
      if (typeof value === 'string' || (typeof value === 'number' && Number.isInteger(value))) return value;
      context.error ??= `json: cannot unmarshal ${jsonKind(value)} into Go value of type int32`;
      return undefined;
    case 'quantity': {
      const isText = typeof value === 'string' || typeof value === 'number';
      const parsed = parseQuantity(isText ? String(value).trim() : JSON.stringify(value));
      if (typeof parsed === 'string') context.error ??= parsed;
      return isText ? canonicalQuantity(value) : undefined;
    }
    case 'bytes':
      if (typeof value !== 'string') return mismatch(type, value, goPath, owner, context);
      if (!isBase64(value)) context.error ??= `illegal base64 data at input byte ${badBase64At(value)}`;
      return value;
    case 'time':
    case 'microTime':
      if (typeof value !== 'string') return mismatch(type, value, goPath, owner, context);
      {
        const canonical = type.scalar === 'time' ? canonicalTime(value) : canonicalMicroTime(value);
        if (canonical !== undefined) return canonical;
        const layout = type.scalar === 'time' ? '2006-01-02T15:04:05Z07:00' : '2006-01-02T15:04:05.000000Z07:00';
        context.error ??= `parsing time ${JSON.stringify(value)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(value)} as "2006"`;
        return undefined;
      }
  }
}

const base64 = /^[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*$/;

function isBase64(text: string): boolean {
  return base64.test(text) && text.replace(/[\r\n]/g, '').length % 4 === 0;
}

function badBase64At(text: string): number {
  const bad = text.search(/[^A-Za-z0-9+/=\r\n]/);
  return bad >= 0 ? bad : text.length - (text.length % 4);
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value;
}

/** A Go type's name, as its decoder prints it. */
function goType(type: TypeRef): string {
  switch (type.kind) {
    case 'struct':
      return `v1.${type.name}`;
    case 'list':
      return `[]${goType(type.element)}`;
    case 'map':
      return `map[string]${goType(type.value)}`;
    case 'scalar':
      switch (type.scalar) {
        case 'boolean':
          return 'bool';
        case 'number':
          return 'float64';
        case 'bytes':
          return '[]uint8';
        case 'time':
          return 'string';
        default:
          return type.scalar;
      }
  }
}

function mismatch(type: TypeRef, value: unknown, goPath: string, owner: string, context: Context, tellNumber = false): undefined {
  const what = tellNumber ? `number ${String(value)}` : jsonKind(value);
  context.error ??= `json: cannot unmarshal ${what} into Go struct field ${owner}.${goPath} of type ${goType(type)}`;
  return undefined;
}
