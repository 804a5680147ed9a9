import type { ObjectDiffLine } from './figure.ts';

/** A JSON value, as API objects are. */
type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * The lines of YAML that show how two objects differ: what they share in one line a field, collapsed to the fields on the way to a
 * difference; where they differ, the expected line before the actual one. Keys are in the order of `expected`, then the new ones of
 * `actual`; lists are compared by position.
 */
export function objectDiffLines(expected: unknown, actual: unknown): readonly ObjectDiffLine[] {
  const lines: ObjectDiffLine[] = [];
  compare(lines, expected as Json, actual as Json, '');
  return lines;
}

function compare(lines: ObjectDiffLine[], expected: Json | undefined, actual: Json | undefined, indent: string): void {
  for (const key of keysOf(expected, actual)) {
    const left = child(expected, key);
    const right = child(actual, key);
    const prefix = `${indent}${Array.isArray(expected ?? actual) ? '-' : `${key}:`}`;
    if (equal(left, right)) {
      if (isNaming(key)) push(lines, 'both', prefix, left, indent);
    } else if (isContainer(left) && isContainer(right) && Array.isArray(left) === Array.isArray(right)) {
      lines.push({ side: 'both', text: prefix });
      compare(lines, left, right, `${indent}  `);
    } else {
      push(lines, 'expected', prefix, left, indent);
      push(lines, 'actual', prefix, right, indent);
    }
  }
}

/** Fields that name an object are shown even where they agree: a reader needs to know what is compared. */
function isNaming(key: string): boolean {
  return key === 'name' || key === 'namespace' || key === 'kind';
}

function push(lines: ObjectDiffLine[], side: ObjectDiffLine['side'], prefix: string, value: Json | undefined, indent: string): void {
  if (value === undefined) lines.push({ side, text: indent, note: `${prefix.trim().replace(/:$/, '')} is absent` });
  else if (isContainer(value) && keysOf(value, undefined).length > 0) {
    lines.push({ side, text: prefix });
    for (const key of keysOf(value, undefined)) {
      push(lines, side, `${indent}  ${Array.isArray(value) ? '-' : `${key}:`}`, child(value, key), `${indent}  `);
    }
  } else lines.push({ side, text: `${prefix} ${typeof value === 'string' ? quoted(value) : JSON.stringify(value)}` });
}

/** Quotes what YAML would read as something other than a string. */
function quoted(text: string): string {
  return /^[A-Za-z][\w./-]*$/.test(text) && !/^(true|false|null|yes|no|on|off)$/i.test(text) ? text : JSON.stringify(text);
}

function isContainer(value: Json | undefined): value is readonly Json[] | { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null;
}

function keysOf(expected: Json | undefined, actual: Json | undefined): readonly string[] {
  const keys = isContainer(expected) ? Object.keys(expected) : [];
  const known = new Set(keys);
  return isContainer(actual) ? [...keys, ...Object.keys(actual).filter((key) => !known.has(key))] : keys;
}

function child(value: Json | undefined, key: string): Json | undefined {
  if (!isContainer(value) || !Object.hasOwn(value, key)) return undefined;
  return (value as { readonly [key: string]: Json })[key];
}

function equal(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true;
  if (!isContainer(left) || !isContainer(right) || Array.isArray(left) !== Array.isArray(right)) return false;
  const keys = keysOf(left, right);
  return keys.every((key) => equal(child(left, key), child(right, key)));
}
