import {
  Duration,
  fail,
  noSuchOverload,
  readDuration,
  readTimestamp,
  Timestamp,
  TypeValue,
  typeNameOf,
  Uint,
  type Value,
} from '../value.ts';
import type { CelFunction } from './call.ts';
import { timestampOf } from './operators.ts';

const intMax = 2n ** 63n - 1n;
const intMin = -(2n ** 63n);
const nsPerSecond = 1_000_000_000n;

function toInt(value: Value): Value {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number')
    return Number.isFinite(value) && Math.abs(value) < 2 ** 63 ? BigInt(Math.trunc(value)) : fail('integer overflow');
  if (value instanceof Uint) return value.value > intMax ? fail('integer overflow') : value.value;
  if (value instanceof Timestamp) return floorDivide(value.ns, nsPerSecond);
  if (value instanceof Duration) return value.ns;
  if (typeof value !== 'string') return fail(noSuchOverload);
  if (!/^[+-]?\d+$/.test(value)) return fail(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  const read = BigInt(value.replace(/^\+/, ''));
  return read > intMax || read < intMin ? fail(`strconv.ParseInt: parsing ${JSON.stringify(value)}: value out of range`) : read;
}

function toUint(value: Value): Value {
  if (value instanceof Uint) return value;
  if (typeof value === 'bigint') return value < 0n ? fail('unsigned integer overflow') : new Uint(value);
  if (typeof value === 'number')
    return value >= 0 && value < 2 ** 64 ? new Uint(BigInt(Math.trunc(value))) : fail('unsigned integer overflow');
  if (typeof value !== 'string') return fail(noSuchOverload);
  return /^\d+$/.test(value) ? new Uint(BigInt(value)) : fail(`strconv.ParseUint: parsing ${JSON.stringify(value)}: invalid syntax`);
}

function toDouble(value: Value): Value {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint) return Number(value.value);
  if (typeof value !== 'string') return fail(noSuchOverload);
  const isNumber = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value) || /^[+-]?(inf|infinity|nan)$/i.test(value);
  if (!isNumber) return fail(`strconv.ParseFloat: parsing ${JSON.stringify(value)}: invalid syntax`);
  if (/nan/i.test(value)) return Number.NaN;
  if (/inf/i.test(value)) return value.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(value);
}

function toBool(value: Value): Value {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return fail(noSuchOverload);
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false;
  return fail(`strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`);
}

/** Go's shortest form of a double: an exponent from 21 digits on. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e21)) return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  return String(value);
}

export function timestampText({ ns }: Timestamp): string {
  const ms = Number(floorDivide(ns, 1_000_000n));
  const fraction = (((ns % nsPerSecond) + nsPerSecond) % nsPerSecond).toString().padStart(9, '0').replace(/0+$/, '');
  const whole = new Date(ms).toISOString().slice(0, 19);
  return `${whole}${fraction === '' ? '' : `.${fraction}`}Z`;
}

/** CEL prints durations in seconds. */
export function durationText({ ns }: Duration): string {
  const magnitude = ns < 0n ? -ns : ns;
  const fraction = (magnitude % nsPerSecond).toString().padStart(9, '0').replace(/0+$/, '');
  return `${ns < 0n ? '-' : ''}${magnitude / nsPerSecond}${fraction === '' ? '' : `.${fraction}`}s`;
}

export function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

function toText(value: Value): Value {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return doubleText(value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof Duration) return durationText(value);
  return value instanceof Uint8Array ? utf8Text(value) : fail(noSuchOverload);
}

function utf8Text(bytes: Uint8Array): string {
  try {
    return decodeURIComponent([...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''));
  } catch {
    return fail('invalid UTF-8 in bytes, cannot convert to string');
  }
}

function toBytes(value: Value): Value {
  if (value instanceof Uint8Array) return value;
  if (typeof value !== 'string') return fail(noSuchOverload);
  const encoded = encodeURIComponent(value.toWellFormed());
  return Uint8Array.from(
    [...encoded.matchAll(/%(..)|(.)/g)].map(([, hex, char]) => (hex === undefined ? (char ?? '').charCodeAt(0) : Number.parseInt(hex, 16))),
  );
}

function toTimestamp(value: Value): Value {
  if (value instanceof Timestamp) return value;
  if (typeof value === 'bigint') return timestampOf(value * nsPerSecond);
  if (typeof value !== 'string') return fail(noSuchOverload);
  return (
    readTimestamp(value) ??
    fail(`parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(value)} as "2006"`)
  );
}

function toDuration(value: Value): Value {
  if (value instanceof Duration) return value;
  if (typeof value === 'bigint') return new Duration(value);
  if (typeof value !== 'string') return fail(noSuchOverload);
  return readDuration(value) ?? fail(`time: invalid duration ${JSON.stringify(value)}`);
}

function conversion(convert: (value: Value) => Value): CelFunction {
  return ({ arguments: [value = null] }) => convert(value);
}

export const conversionFunctions: Readonly<Record<string, CelFunction>> = {
  bool: conversion(toBool),
  bytes: conversion(toBytes),
  double: conversion(toDouble),
  duration: conversion(toDuration),
  dyn: conversion((value) => value),
  int: conversion(toInt),
  string: conversion(toText),
  timestamp: conversion(toTimestamp),
  type: conversion((value) => new TypeValue(typeNameOf(value))),
  uint: conversion(toUint),
};
