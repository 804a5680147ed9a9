import { type CelType, dyn } from './type.ts';

/**
 * Values of CEL at run time. An int is a bigint and a double a number; lists are arrays; maps and structs are plain objects as they came
 * in JSON, or a Map where an expression made one. The JSON of API objects is not converted: a number in it becomes an int or a double when
 * it is looked at, by its static type and else by whether it is whole, as upstream's unstructured converter does.
 */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | Uint
  | Timestamp
  | Duration
  | Optional
  | TypeValue
  | Opaque
  | readonly unknown[]
  | ReadonlyMap<Value, Value>
  | JsonMap;

export interface JsonMap {
  readonly [key: string]: unknown;
}

export class Uint {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

/** Nanoseconds since the Unix epoch. */
export class Timestamp {
  readonly ns: bigint;
  constructor(ns: bigint) {
    this.ns = ns;
  }
}

export class Duration {
  readonly ns: bigint;
  constructor(ns: bigint) {
    this.ns = ns;
  }
}

/** An optional value; without `value` there is none. */
export class Optional {
  readonly value: Value | undefined;
  constructor(value: Value | undefined) {
    this.value = value;
  }
}

export const none = new Optional(undefined);

/** The type of a value as a value: `type(x)`. */
export class TypeValue {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A value that only its own functions understand. */
export abstract class Opaque {
  abstract readonly typeName: string;
  abstract equals(other: Opaque): boolean;
}

/** An evaluation that fails; `message` is cel-go's. */
export class CelFailure extends Error {}

export function fail(message: string): never {
  throw new CelFailure(message);
}

export const noSuchOverload = 'no such overload';

export function isJsonMap(value: unknown): value is JsonMap {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A value out of JSON, by its static type. */
export function fromJson(raw: unknown, type: CelType = dyn): Value {
  if (raw === undefined || raw === null) return null;
  if (typeof raw === 'number') {
    const isDouble = type.kind === 'simple' ? type.name === 'double' : !Number.isInteger(raw);
    return isDouble ? raw : BigInt(raw);
  }
  if (typeof raw === 'string' && type.kind === 'simple' && type.name !== 'string') return typedText(raw, type.name);
  return raw as Value;
}

/** Strings of schemas with a format are values of another type. What cannot be read stays a string, as it would fail validation anyway. */
function typedText(text: string, name: string): Value {
  if (name === 'timestamp') return readTimestamp(text.length === 10 ? `${text}T00:00:00Z` : text) ?? text;
  if (name === 'duration') return readDuration(text) ?? text;
  if (name === 'bytes') return readBase64(text) ?? text;
  return text;
}

const timestampPattern = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/** RFC 3339, to the nanosecond. */
export function readTimestamp(text: string): Timestamp | undefined {
  const match = timestampPattern.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hours, minutes, seconds, fraction = '', sign, zoneHours = '0', zoneMinutes = '0'] = match;
  const ms = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hours), Number(minutes), Number(seconds));
  const date = new Date(ms);
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day) || Number(hours) > 23) return undefined;
  const zoneMs = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000 * (sign === '-' ? -1 : 1);
  return new Timestamp(BigInt(ms - zoneMs) * 1_000_000n + BigInt(fraction.padEnd(9, '0')));
}

const unitsNs: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** Go's duration syntax, such as `1h30m`. */
export function readDuration(text: string): Duration | undefined {
  const sign = /^[+-]/.exec(text)?.[0];
  let rest = sign === undefined ? text : text.slice(1);
  if (rest === '0') return new Duration(0n);
  if (rest === '') return undefined;
  let ns = 0n;
  while (rest !== '') {
    const match = /^(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/.exec(rest);
    const [whole = '', integer = '', fraction = '', unit = ''] = match ?? [];
    if (match === null || (integer === '' && fraction === '')) return undefined;
    const unitNs = unitsNs[unit] ?? 0n;
    ns += BigInt(integer === '' ? 0 : integer) * unitNs;
    if (fraction !== '') ns += (BigInt(fraction) * unitNs) / 10n ** BigInt(fraction.length);
    rest = rest.slice(whole.length);
  }
  return new Duration(sign === '-' ? -ns : ns);
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function readBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const clean = text.replace(/=+$/, '');
  const out: number[] = [];
  let bits = 0;
  let held = 0;
  for (const char of clean) {
    held = (held << 6) | alphabet.indexOf(char);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push((held >> bits) & 0xff);
    }
  }
  return Uint8Array.from(out);
}

/** The value of a key of a map or a field of a struct; undefined when it is not there. */
export function valueAt(container: Value, key: Value, type: CelType = dyn): Value | undefined {
  if (container instanceof Map) {
    if (typeof key === 'string' || typeof key === 'boolean') return fromMap(container.get(key));
    for (const [own, value] of container as ReadonlyMap<Value, Value>) if (equal(own, key)) return fromMap(value);
    return undefined;
  }
  if (!isJsonMap(container) || typeof key !== 'string' || !Object.hasOwn(container, key)) return undefined;
  const raw = container[key];
  return raw === undefined ? undefined : fromJson(raw, type);
}

function fromMap(value: unknown): Value | undefined {
  return value as Value | undefined;
}

/** Keys of a map in a fixed order: Go's is random, and nothing may depend on it. */
export function keysOf(container: Value): readonly Value[] | undefined {
  if (container instanceof Map) return [...(container as ReadonlyMap<Value, Value>).keys()];
  return isJsonMap(container) ? Object.keys(container).filter((key) => container[key] !== undefined) : undefined;
}

function numeric(value: unknown): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  return value instanceof Uint ? value.value : undefined;
}

/** -1, 0 or 1 for numbers of any type; undefined for NaN and for others. */
export function compareNumbers(a: unknown, b: unknown): number | undefined {
  const left = numeric(a);
  const right = numeric(b);
  if (left === undefined || right === undefined || Number.isNaN(left) || Number.isNaN(right)) return undefined;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** CEL's equality: of numbers across types, never an error. */
export function equal(a: unknown, b: unknown, type: CelType = dyn): boolean {
  if (numeric(a) !== undefined) return compareNumbers(a, b) === 0;
  if (a === b) return true;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false;
  if (Array.isArray(a)) return Array.isArray(b) && equalLists(a, b, type);
  if (a instanceof Timestamp) return b instanceof Timestamp && a.ns === b.ns;
  if (a instanceof Duration) return b instanceof Duration && a.ns === b.ns;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i]);
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  if (a instanceof Opaque) return b instanceof Opaque && a.typeName === b.typeName && a.equals(b);
  if (a instanceof Optional) {
    if (!(b instanceof Optional)) return false;
    return a.value === undefined || b.value === undefined ? a.value === b.value : equal(a.value, b.value);
  }
  return equalMaps(a as Value, b as Value, type);
}

function equalLists(a: readonly unknown[], b: readonly unknown[], type: CelType): boolean {
  if (a.length !== b.length) return false;
  const element = type.kind === 'list' ? type.element : dyn;
  // Lists of sets and of maps by key are equal in any order.
  if (type.kind === 'list' && type.items !== undefined) return a.every((item) => b.some((other) => equal(item, other, element)));
  return a.every((item, i) => equal(item, b[i], element));
}

function equalMaps(a: Value, b: Value, type: CelType): boolean {
  const left = keysOf(a);
  const right = keysOf(b);
  if (left === undefined || right === undefined || left.length !== right.length) return false;
  return left.every((key) => {
    const fieldType = type.kind === 'map' ? type.value : type.kind === 'object' ? propertyType(type, String(key)) : dyn;
    const other = valueAt(b, key, fieldType);
    return other !== undefined && equal(valueAt(a, key, fieldType), other, fieldType);
  });
}

function propertyType(type: CelType & { readonly kind: 'object' }, property: string): CelType {
  for (const field of type.fields.values()) if (field.property === property) return field.type;
  return dyn;
}

/** The name of a value's type at run time. */
export function typeNameOf(value: Value): string {
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    case 'string':
      return 'string';
    default:
      break;
  }
  if (value === null) return 'null_type';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Uint) return 'uint';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp';
  if (value instanceof Duration) return 'google.protobuf.Duration';
  if (value instanceof Optional) return 'optional_type';
  if (value instanceof TypeValue) return 'type';
  return value instanceof Opaque ? value.typeName : 'map';
}
