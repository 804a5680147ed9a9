import { compareNumbers, Duration, equal, fail, keysOf, noSuchOverload, Timestamp, Uint, type Value, valueAt } from '../value.ts';
import type { ListType } from '../type.ts';
import { type Call, type CelFunction, charsOf, itemsOf } from './call.ts';

const intMin = -(2n ** 63n);
const intMax = 2n ** 63n - 1n;
const uintMax = 2n ** 64n - 1n;

function intOf(value: bigint): bigint {
  return value < intMin || value > intMax ? fail('integer overflow') : value;
}

function uintOf(value: bigint): Uint {
  return value < 0n || value > uintMax ? fail('unsigned integer overflow') : new Uint(value);
}

function durationOf(ns: bigint): Duration {
  return ns < intMin || ns > intMax ? fail('duration overflow') : new Duration(ns);
}

const timestampMin = -62_135_596_800n * 1_000_000_000n;
const timestampMax = 253_402_300_799_999_999_999n;

/** A time between the years 1 and 9999. */
export function timestampOf(ns: bigint): Timestamp {
  return ns < timestampMin || ns > timestampMax ? fail('timestamp overflow') : new Timestamp(ns);
}

type Arithmetic = (a: Value, b: Value) => Value | undefined;

function numbers(ints: (a: bigint, b: bigint) => bigint, doubles: ((a: number, b: number) => number) | undefined): Arithmetic {
  return (a, b) => {
    if (typeof a === 'bigint' && typeof b === 'bigint') return intOf(ints(a, b));
    if (typeof a === 'number' && typeof b === 'number' && doubles !== undefined) return doubles(a, b);
    return a instanceof Uint && b instanceof Uint ? uintOf(ints(a.value, b.value)) : undefined;
  };
}

function divisor(b: bigint, message: string): bigint {
  return b === 0n ? fail(message) : b;
}

function sum(a: Value, b: Value): Value | undefined {
  if (typeof a === 'string' && typeof b === 'string') return a + b;
  if (Array.isArray(a) && Array.isArray(b)) return [...a, ...b];
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Uint8Array.from([...a, ...b]);
  if (a instanceof Duration && b instanceof Duration) return durationOf(a.ns + b.ns);
  if (a instanceof Timestamp && b instanceof Duration) return timestampOf(a.ns + b.ns);
  if (a instanceof Duration && b instanceof Timestamp) return timestampOf(a.ns + b.ns);
  return undefined;
}

function difference(a: Value, b: Value): Value | undefined {
  if (a instanceof Duration && b instanceof Duration) return durationOf(a.ns - b.ns);
  if (a instanceof Timestamp && b instanceof Timestamp) return durationOf(a.ns - b.ns);
  if (a instanceof Timestamp && b instanceof Duration) return timestampOf(a.ns - b.ns);
  return undefined;
}

function binary(...kinds: readonly Arithmetic[]): CelFunction {
  return ({ arguments: [a = null, b = null] }) => {
    for (const kind of kinds) {
      const value = kind(a, b);
      if (value !== undefined) return value;
    }
    return fail(noSuchOverload);
  };
}

/** The order of two values of one ordered type; undefined for NaN. */
export function compare(a: Value, b: Value): number | undefined {
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof Timestamp && b instanceof Timestamp) return compareNumbers(a.ns, b.ns);
  if (a instanceof Duration && b instanceof Duration) return compareNumbers(a.ns, b.ns);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b);
  const isNumber = (value: Value): boolean => typeof value === 'bigint' || typeof value === 'number' || value instanceof Uint;
  return isNumber(a) && isNumber(b) ? compareNumbers(a, b) : fail(noSuchOverload);
}

/** By code points, as Go compares the bytes of UTF-8. */
function compareTexts(a: string, b: string): number {
  const left = charsOf(a);
  const right = charsOf(b);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = ((left[i] ?? '').codePointAt(0) ?? 0) - ((right[i] ?? '').codePointAt(0) ?? 0);
    if (order !== 0) return Math.sign(order);
  }
  return Math.sign(left.length - right.length);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return (a[i] ?? 0) < (b[i] ?? 0) ? -1 : 1;
  return Math.sign(a.length - b.length);
}

function comparison(holds: (order: number) => boolean): CelFunction {
  return ({ arguments: [a = null, b = null] }) => {
    const order = compare(a, b);
    return order !== undefined && holds(order);
  };
}

function isIn(call: Call): boolean {
  const [needle = null, container = null] = call.arguments;
  if (Array.isArray(container)) return itemsOf(call, 1).some((item) => equal(needle, item));
  return keysOf(container) === undefined ? fail(noSuchOverload) : valueAt(container, needle) !== undefined;
}

function size(value: Value | undefined): bigint {
  if (typeof value === 'string') return BigInt(charsOf(value).length);
  if (Array.isArray(value) || value instanceof Uint8Array) return BigInt(value.length);
  const keys = value === undefined ? undefined : keysOf(value);
  return keys === undefined ? fail(noSuchOverload) : BigInt(keys.length);
}

export const operatorFunctions: Readonly<Record<string, CelFunction>> = {
  '!_': ({ arguments: [a] }) => (typeof a === 'boolean' ? !a : fail(noSuchOverload)),
  '-_': ({ arguments: [a] }) => (typeof a === 'bigint' ? intOf(-a) : typeof a === 'number' ? -a : fail(noSuchOverload)),
  '_==_': ({ arguments: [a = null, b = null], types }) => equal(a, b, types[0]),
  '_!=_': ({ arguments: [a = null, b = null], types }) => !equal(a, b, types[0]),
  '_<_': comparison((order) => order < 0),
  '_<=_': comparison((order) => order <= 0),
  '_>_': comparison((order) => order > 0),
  '_>=_': comparison((order) => order >= 0),
  '_+_': (call) => {
    const [type] = call.types;
    // Lists that are sets or maps by key are merged: what is there already does not come twice.
    if (type?.kind === 'list' && type.items !== undefined && Array.isArray(call.arguments[0]) && Array.isArray(call.arguments[1]))
      return merged(call, type.items);
    return binary(
      numbers(
        (a, b) => a + b,
        (a, b) => a + b,
      ),
      sum,
    )(call);
  },
  '_-_': binary(
    numbers(
      (a, b) => a - b,
      (a, b) => a - b,
    ),
    difference,
  ),
  '_*_': binary(
    numbers(
      (a, b) => a * b,
      (a, b) => a * b,
    ),
  ),
  '_/_': binary(
    numbers(
      (a, b) => a / divisor(b, 'division by zero'),
      (a, b) => a / b,
    ),
  ),
  '_%_': binary(numbers((a, b) => a % divisor(b, 'modulus by zero'), undefined)),
  '@in': isIn,
  size: ({ arguments: [value] }) => size(value),
};

/** Upstream's `+` of x-kubernetes-list-type set and map: items keep their places, those of the right take the place of their equals. */
function merged(call: Call, items: NonNullable<ListType['items']>): Value {
  const left = itemsOf(call, 0);
  const right = itemsOf(call, 1);
  const isSame = (a: Value, b: Value): boolean =>
    items === 'set' ? equal(a, b) : items.every((key) => equal(valueAt(a, key) ?? null, valueAt(b, key) ?? null));
  const kept = left.map((item) => right.find((other) => isSame(item, other)) ?? item);
  return [...kept, ...right.filter((item) => !left.some((other) => isSame(item, other)))];
}
