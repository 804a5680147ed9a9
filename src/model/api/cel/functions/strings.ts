import { goRegExp } from '../../custom/go-regexp.ts';
import {
  Duration,
  fail,
  keysOf,
  noSuchOverload,
  Optional,
  Timestamp,
  TypeValue,
  Uint,
  type Value,
  valueAt,
  fromJson,
  typeNameOf,
} from '../value.ts';
import { type Call, type CelFunction, charsOf, intAt, itemsOf, textAt } from './call.ts';
import { doubleText, durationText, timestampText } from './conversions.ts';

function regexp(pattern: string): RegExp {
  try {
    return new RegExp(goRegExp(pattern), 'u');
  } catch {
    return fail(`error parsing regexp: invalid or unsupported Perl syntax: \`${pattern}\``);
  }
}

function indexIn(chars: readonly string[], wanted: readonly string[], from: number, step: 1 | -1): number {
  for (let at = from; at >= 0 && at <= chars.length - wanted.length; at += step)
    if (wanted.every((char, i) => chars[at + i] === char)) return at;
  return -1;
}

function boundedIndex(call: Call, index: number, length: number): number {
  const value = intAt(call, index);
  return value < 0n || value > BigInt(length) ? fail(`index out of range: ${value}`) : Number(value);
}

function indexOf(call: Call): Value {
  if (Array.isArray(call.arguments[0])) return fail(noSuchOverload);
  const chars = charsOf(textAt(call, 0));
  const wanted = charsOf(textAt(call, 1));
  const from = call.arguments.length > 2 ? boundedIndex(call, 2, chars.length) : 0;
  return BigInt(wanted.length === 0 ? from : indexIn(chars, wanted, from, 1));
}

function lastIndexOf(call: Call): Value {
  const chars = charsOf(textAt(call, 0));
  const wanted = charsOf(textAt(call, 1));
  const from = call.arguments.length > 2 ? boundedIndex(call, 2, chars.length) : chars.length;
  return BigInt(wanted.length === 0 ? from : indexIn(chars, wanted, Math.min(from, chars.length - wanted.length), -1));
}

function replace(call: Call): Value {
  const text = textAt(call, 0);
  const parts = text.split(textAt(call, 1));
  const limit = call.arguments.length > 3 ? Number(intAt(call, 3)) : -1;
  const count = limit < 0 ? parts.length - 1 : Math.min(limit, parts.length - 1);
  const [first = '', ...rest] = parts;
  return rest.reduce((out, part, i) => out + (i < count ? textAt(call, 2) : textAt(call, 1)) + part, first);
}

function split(call: Call): Value {
  const limit = call.arguments.length > 2 ? Number(intAt(call, 2)) : -1;
  if (limit === 0) return [];
  const separator = textAt(call, 1);
  const parts = separator === '' ? [...charsOf(textAt(call, 0))] : textAt(call, 0).split(separator);
  if (limit < 0 || parts.length <= limit) return parts;
  return [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(separator)];
}

function substring(call: Call): Value {
  const chars = charsOf(textAt(call, 0));
  const from = boundedIndex(call, 1, chars.length);
  if (call.arguments.length === 2) return chars.slice(from).join('');
  const to = boundedIndex(call, 2, chars.length);
  return from > to ? fail(`invalid substring range. start: ${from}, end: ${to}`) : chars.slice(from, to).join('');
}

/** Values inside `format`'s `%s`. */
function formatted(value: Value): string {
  if (typeof value === 'string') return value;
  if (value === null) return 'null';
  if (typeof value === 'number') return doubleText(value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof Duration) return durationText(value);
  if (value instanceof TypeValue) return value.name;
  if (Array.isArray(value)) return `[${value.map((item) => formatted(fromJson(item))).join(', ')}]`;
  if (value instanceof Optional || value instanceof Uint8Array) return String(value);
  const keys = typeof value === 'object' ? keysOf(value) : undefined;
  if (keys === undefined) return String(value);
  const entries = keys.map((key) => `${formatted(key)}: ${formatted(valueAt(value, key) ?? null)}`);
  return `{${entries.sort().join(', ')}}`;
}

/** More digits than any double has. */
const precisionMax = 100;

function format(call: Call): Value {
  const given = itemsOf(call, 1);
  let next = 0;
  return textAt(call, 0).replace(/%(?:\.(\d+))?(.)/gs, (_, precision: string | undefined, verb: string) => {
    if (verb === '%') return '%';
    const value = given[next];
    if (value === undefined) return fail(`index ${next} out of range`);
    next++;
    return formatVerb(verb, value, precision === undefined ? 6 : Math.min(Number(precision), precisionMax));
  });
}

function formatVerb(verb: string, value: Value, precision: number): string {
  const whole = value instanceof Uint ? value.value : value;
  switch (verb) {
    case 's':
      return formatted(value);
    case 'd':
      return typeof whole === 'bigint'
        ? String(whole)
        : typeof whole === 'number'
          ? doubleText(whole)
          : wrongVerb('decimal', 'integers', value);
    case 'f':
      return typeof whole === 'number' || typeof whole === 'bigint'
        ? Number(whole).toFixed(precision)
        : wrongVerb('fixed-point', 'doubles', value);
    case 'e':
      return typeof whole === 'number'
        ? whole.toExponential(precision).replace(/e([+-])(\d)$/, 'e$10$2')
        : wrongVerb('scientific notation', 'doubles', value);
    case 'b':
      return typeof whole === 'bigint'
        ? whole.toString(2)
        : typeof whole === 'boolean'
          ? whole
            ? '1'
            : '0'
          : wrongVerb('binary', 'integers and bools', value);
    case 'o':
      return typeof whole === 'bigint' ? whole.toString(8) : wrongVerb('octal', 'integers', value);
    case 'x':
    case 'X': {
      const text =
        typeof whole === 'bigint'
          ? whole.toString(16)
          : typeof whole === 'string'
            ? hexOf(whole)
            : wrongVerb('hex', 'integers, byte buffers, and strings', value);
      return verb === 'X' ? text.toUpperCase() : text;
    }
    default:
      return fail(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
  }
}

function hexOf(text: string): string {
  return [...encodeURIComponent(text).matchAll(/%(..)|(.)/g)]
    .map(([, hex, char]) => (hex === undefined ? (char ?? '').charCodeAt(0).toString(16).padStart(2, '0') : hex.toLowerCase()))
    .join('');
}

function wrongVerb(clause: string, allowed: string, value: Value): never {
  return fail(`error during formatting: ${clause} clause can only be used on ${allowed}, was given ${typeNameOf(value)}`);
}

function asciiCase(call: Call, pattern: RegExp, change: (char: string) => string): Value {
  return textAt(call, 0).replace(pattern, change);
}

function findAll(call: Call): Value {
  const limit = call.arguments.length > 2 ? Number(intAt(call, 2)) : -1;
  const found = [...textAt(call, 0).matchAll(new RegExp(regexp(textAt(call, 1)), 'gu'))].map(([match]) => match);
  return limit < 0 ? found : found.slice(0, limit);
}

export const stringFunctions: Readonly<Record<string, CelFunction>> = {
  contains: (call) => textAt(call, 0).includes(textAt(call, 1)),
  startsWith: (call) => textAt(call, 0).startsWith(textAt(call, 1)),
  endsWith: (call) => textAt(call, 0).endsWith(textAt(call, 1)),
  matches: (call) => regexp(textAt(call, 1)).test(textAt(call, 0)),
  charAt: (call) => {
    const chars = charsOf(textAt(call, 0));
    return chars[boundedIndex(call, 1, chars.length)] ?? '';
  },
  indexOf,
  lastIndexOf,
  join: (call) => {
    const texts = itemsOf(call, 0).map((item) => (typeof item === 'string' ? item : fail(noSuchOverload)));
    return texts.join(call.arguments.length > 1 ? textAt(call, 1) : '');
  },
  lowerAscii: (call) => asciiCase(call, /[A-Z]+/g, (char) => char.toLowerCase()),
  upperAscii: (call) => asciiCase(call, /[a-z]+/g, (char) => char.toUpperCase()),
  replace,
  split,
  substring,
  trim: (call) => textAt(call, 0).trim(),
  format,
  'strings.quote': (call) => JSON.stringify(textAt(call, 0)),
  find: (call) => regexp(textAt(call, 1)).exec(textAt(call, 0))?.[0] ?? '',
  findAll,
};
