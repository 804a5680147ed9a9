import { equalJson } from '../equal.ts';
import type { Json } from '../object.ts';
import { memberOf } from '../own-member.ts';

/**
 * RFC 6902 as the library behind the API server applies it (evanphx/json-patch v4, lenient): `replace` of a missing map key adds it,
 * `remove` of one does nothing, `test` of a missing value against null passes. Values are never changed in place.
 */
export interface JsonPatchOperation {
  readonly op?: unknown;
  readonly path?: unknown;
  readonly from?: unknown;
  readonly value?: Json;
}

/** Why a patch cannot be applied; the API server answers one fixed message to all of them. */
export class JsonPatchFailure {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

function fail(why: string): never {
  throw new JsonPatchFailure(why);
}

function segmentsOf(path: unknown): string[] {
  if (typeof path !== 'string') return fail('missing path');
  if (path === '') return [];
  if (!path.startsWith('/')) return fail(`path ${path} does not begin with a slash`);
  return path
    .slice(1)
    .split('/')
    .map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'));
}

function isMap(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function arrayIndex(segment: string, length: number, isAdd: boolean): number {
  if (segment === '-' && isAdd) return length;
  if (!/^-?[0-9]+$/.test(segment)) return fail(`${segment} is no array index`);
  let index = Number(segment);
  if (index < 0) index += isAdd ? length + 1 : length;
  if (index < 0 || index > (isAdd ? length : length - 1)) return fail(`array index ${segment} is out of bounds`);
  return index;
}

function valueAt(document: Json, segments: readonly string[]): Json | undefined {
  let at: Json | undefined = document;
  for (const segment of segments) {
    if (Array.isArray(at)) at = (at as readonly Json[])[arrayIndex(segment, at.length, false)];
    else if (isMap(at)) at = memberOf(at, segment);
    else return undefined;
  }
  return at;
}

type Edit = (parent: Json, segment: string) => Json;

/** Rebuilds the path to a parent, with the parent edited. */
function edit(document: Json, segments: readonly string[], depth: number, change: Edit): Json {
  const segment = segments[depth] ?? '';
  if (depth === segments.length - 1) return change(document, segment);
  if (Array.isArray(document)) {
    const index = arrayIndex(segment, document.length, false);
    const copy = [...(document as readonly Json[])];
    copy[index] = edit(copy[index] ?? null, segments, depth + 1, change);
    return copy;
  }
  const child = isMap(document) ? memberOf(document, segment) : undefined;
  if (!isMap(document) || child === undefined || child === null) return fail(`missing parent of ${segments.join('/')}`);
  return { ...document, [segment]: edit(child, segments, depth + 1, change) };
}

function add(document: Json, segments: readonly string[], value: Json): Json {
  if (segments.length === 0) return fail('the document itself can only be replaced');
  return edit(document, segments, 0, (parent, segment) => {
    if (Array.isArray(parent)) {
      const copy = [...(parent as readonly Json[])];
      copy.splice(arrayIndex(segment, parent.length, true), 0, value);
      return copy;
    }
    if (!isMap(parent)) return fail('parent is a scalar');
    return { ...parent, [segment]: value };
  });
}

function replace(document: Json, segments: readonly string[], value: Json): Json {
  if (segments.length === 0) return typeof value === 'object' && value !== null ? value : fail('a document is an object or an array');
  return edit(document, segments, 0, (parent, segment) => {
    if (Array.isArray(parent)) {
      const copy = [...(parent as readonly Json[])];
      copy[arrayIndex(segment, parent.length, false)] = value;
      return copy;
    }
    if (!isMap(parent)) return fail('parent is a scalar');
    return { ...parent, [segment]: value };
  });
}

function remove(document: Json, segments: readonly string[]): Json {
  if (segments.length === 0) return fail('cannot remove the document');
  return edit(document, segments, 0, (parent, segment) => {
    if (Array.isArray(parent)) {
      const copy = [...(parent as readonly Json[])];
      copy.splice(arrayIndex(segment, parent.length, false), 1);
      return copy;
    }
    if (!isMap(parent)) return fail('parent is a scalar');
    if (!Object.hasOwn(parent, segment)) return parent;
    const { [segment]: _, ...rest } = parent;
    return rest;
  });
}

/**
 * Applies a list of operations.
 * @throws JsonPatchFailure when one cannot be applied.
 */
export function applyJsonPatch(document: Json, operations: readonly JsonPatchOperation[]): Json {
  let result = document;
  for (const operation of operations) {
    const segments = segmentsOf(operation.path);
    switch (operation.op) {
      case 'add':
        result = add(result, segments, operation.value ?? null);
        break;
      case 'replace':
        result = replace(result, segments, operation.value ?? null);
        break;
      case 'remove':
        result = remove(result, segments);
        break;
      case 'test':
        if (!equalJson(valueAt(result, segments) ?? null, operation.value ?? null)) fail('testing value failed');
        break;
      case 'copy':
      case 'move': {
        const from = segmentsOf(operation.from);
        if (from.length === 0) fail('the document cannot be copied into itself');
        const value = valueAt(result, from);
        if (value === undefined && operation.op === 'move') fail('nothing to move');
        if (operation.op === 'move') result = remove(result, from);
        result = add(result, segments, value ?? null);
        break;
      }
      default:
        fail(`unknown operation ${String(operation.op)}`);
    }
  }
  return result;
}
