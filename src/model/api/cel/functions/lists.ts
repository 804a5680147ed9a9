import { Duration, equal, fail, noSuchOverload, Optional, none, Uint, type Value, keysOf } from '../value.ts';
import { type Call, type CelFunction, charsOf, itemsOf } from './call.ts';
import { compare, operatorFunctions } from './operators.ts';
import { stringFunctions } from './strings.ts';

function extreme(call: Call, name: string, wanted: number): Value {
  const [first, ...rest] = itemsOf(call, 0);
  if (first === undefined) return fail(`${name} called on empty list`);
  return rest.reduce((best, item) => (Math.sign(compare(item, best) ?? 0) === wanted ? item : best), first);
}

function sum(call: Call): Value {
  const items = itemsOf(call, 0);
  const [first, ...rest] = items;
  if (first === undefined) return zeroOf(call);
  return rest.reduce((total, item) => operatorFunctions['_+_']?.({ arguments: [total, item], types: [] }) ?? null, first);
}

/** The sum of an empty list is a zero of its element's type. */
function zeroOf(call: Call): Value {
  const [type] = call.types;
  const element = type?.kind === 'list' && type.element.kind === 'simple' ? type.element.name : 'int';
  if (element === 'double') return 0;
  if (element === 'uint') return new Uint(0n);
  return element === 'duration' ? new Duration(0n) : 0n;
}

function isSorted(call: Call): Value {
  const items = itemsOf(call, 0);
  return items.every((item, i) => i === 0 || (compare(items[i - 1] ?? null, item) ?? 1) <= 0);
}

/** `indexOf` and `lastIndexOf` are of lists and of strings. */
function listOrText(name: 'indexOf' | 'lastIndexOf'): CelFunction {
  return (call) => {
    if (!Array.isArray(call.arguments[0])) return stringFunctions[name]?.(call) ?? fail(noSuchOverload);
    const items = itemsOf(call, 0);
    const wanted = call.arguments[1];
    return BigInt(name === 'indexOf' ? items.findIndex((item) => equal(item, wanted)) : items.findLastIndex((item) => equal(item, wanted)));
  };
}

function containsAll(container: readonly Value[], wanted: readonly Value[]): boolean {
  return wanted.every((item) => container.some((other) => equal(item, other)));
}

function optionalOf(call: Call): Optional {
  const [value] = call.arguments;
  return value instanceof Optional ? value : fail(noSuchOverload);
}

function isZero(value: Value): boolean {
  if (value === null || value === false || value === '' || value === 0n || value === 0) return true;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Duration) return value.ns === 0n;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  return typeof value === 'object' && keysOf(value)?.length === 0;
}

/** Lists, sets and optional values. */
export const listFunctions: Readonly<Record<string, CelFunction>> = {
  isSorted,
  sum,
  min: (call) => extreme(call, 'min', -1),
  max: (call) => extreme(call, 'max', 1),
  indexOf: listOrText('indexOf'),
  lastIndexOf: listOrText('lastIndexOf'),
  reverse: (call) => {
    const [value] = call.arguments;
    return typeof value === 'string' ? charsOf(value).toReversed().join('') : itemsOf(call, 0).toReversed();
  },
  'sets.contains': (call) => containsAll(itemsOf(call, 0), itemsOf(call, 1)),
  'sets.equivalent': (call) => containsAll(itemsOf(call, 0), itemsOf(call, 1)) && containsAll(itemsOf(call, 1), itemsOf(call, 0)),
  'sets.intersects': (call) => {
    const others = itemsOf(call, 1);
    return itemsOf(call, 0).some((item) => others.some((other) => equal(item, other)));
  },
  'optional.of': ({ arguments: [value = null] }) => new Optional(value),
  'optional.ofNonZeroValue': ({ arguments: [value = null] }) => (isZero(value) ? none : new Optional(value)),
  'optional.none': () => none,
  hasValue: (call) => optionalOf(call).value !== undefined,
  value: (call) => optionalOf(call).value ?? fail('optional.none() dereference'),
};
