import { equalJson } from '../equal.ts';
import type { Json } from '../object.ts';
import { memberOf, setMember } from '../own-member.ts';
import type { ListType, StructType, TypeRef } from '../schema.ts';

/**
 * Strategic merge patch, as upstream `k8s.io/apimachinery/pkg/util/strategicpatch`: JSON merge patch whose lists merge by the schema's
 * merge keys, with directives ($patch, $retainKeys, $deleteFromPrimitiveList, $setElementOrder). Nothing is changed in place.
 */
type Map = { readonly [key: string]: Json };

/** A patch that cannot be applied, in upstream's words. */
export class StrategicMergeFailure {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

function fail(message: string): never {
  throw new StrategicMergeFailure(message);
}

const directive = '$patch';
const retainKeys = '$retainKeys';
const deletePrefix = '$deleteFromPrimitiveList/';
const orderPrefix = '$setElementOrder';

function isMap(value: Json | undefined): value is Map {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as Go's %v prints it. */
export function goText(value: Json | undefined): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(goText).join(' ')}]`;
  if (isMap(value)) {
    return `map[${Object.keys(value)
      .sort()
      .map((key) => `${key}:${goText(value[key])}`)
      .join(' ')}]`;
  }
  return String(value);
}

function goKind(value: Json): string {
  switch (typeof value) {
    case 'number':
      return Number.isInteger(value) ? 'int64' : 'float64';
    case 'boolean':
      return 'bool';
    case 'string':
      return 'string';
    default:
      return value === null ? 'nil' : Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
  }
}

function asList(value: Json): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : fail(`expected a []interface {}, but received a ${goKind(value)}`);
}

/** Applies a patch to a document of a type. @throws StrategicMergeFailure */
export function applyStrategicMerge(document: Map, patch: Map, type: StructType | undefined): Map {
  return mergeMap(document, patch, type);
}

function fieldOf(type: TypeRef | undefined, key: string): TypeRef | undefined {
  if (type?.kind === 'struct') return type.fields.get(key)?.type;
  if (type?.kind === 'map') return type.value;
  return undefined;
}

function strategiesOf(type: TypeRef | undefined, key: string): readonly string[] {
  return type?.kind === 'struct' ? (type.fields.get(key)?.strategies ?? []) : [];
}

function mergeMap(original: Map, patch: Map, type: TypeRef | undefined): Map {
  if (directive in patch) {
    if (patch[directive] === 'replace') {
      const { [directive]: _, ...rest } = patch;
      return rest;
    }
    if (patch[directive] === 'delete') return {};
    return fail(`unknown patch type: ${String(patch[directive])} in map: ${goText(patch)}`);
  }
  const rest: Record<string, Json> = { ...patch };
  const result: Record<string, Json> = { ...original };
  if (retainKeys in rest) {
    const keep = asList(rest[retainKeys] ?? null);
    delete rest[retainKeys];
    for (const key of Object.keys(rest)) {
      if (rest[key] !== null && !keep.includes(key)) fail(`expected keys in patch to be in $retainKeys: ${key}`);
    }
    for (const key of Object.keys(result)) if (!keep.includes(key)) delete result[key];
  }
  for (const key of Object.keys(rest)) {
    if (key.startsWith(orderPrefix)) applyOrder(result, rest, key, type);
  }
  for (const key of Object.keys(rest)) mergeKeyInto(result, key, rest[key] as Json, type);
  return result;
}

function mergeKeyInto(result: Record<string, Json>, key: string, value: Json, type: TypeRef | undefined): void {
  if (key.startsWith(deletePrefix)) {
    const name = key.slice(deletePrefix.length);
    const current = result[name];
    if (Array.isArray(current))
      result[name] = (current as readonly Json[]).filter((item) => !asList(value).some((gone) => equalJson(item, gone)));
    return;
  }
  if (value === null) {
    delete result[key];
    return;
  }
  const current = memberOf(result, key);
  if (current === undefined || current === null) {
    const fresh = withoutDirectives(value);
    if (fresh !== undefined) setMember(result, key, fresh);
    return;
  }
  if (isMap(current) && isMap(value)) {
    setMember(result, key, strategiesOf(type, key).includes('replace') ? value : mergeMap(current, value, fieldOf(type, key)));
  } else if (Array.isArray(current) && Array.isArray(value)) {
    setMember(result, key, mergeList(current as readonly Json[], value as readonly Json[], fieldOf(type, key), strategiesOf(type, key)));
  } else {
    const fresh = withoutDirectives(value);
    if (fresh === undefined) delete result[key];
    else setMember(result, key, fresh);
  }
}

/** A new value has no nulls and no directives; undefined when a directive says that it should not be there. */
function withoutDirectives(value: Json): Json | undefined {
  if (Array.isArray(value)) {
    const items: Json[] = [];
    for (const item of value as readonly Json[]) {
      const kept = withoutDirectives(item);
      if (kept !== undefined) items.push(kept);
    }
    return items;
  }
  if (!isMap(value)) return value;
  if (directive in value) return undefined;
  const copy: Record<string, Json> = {};
  for (const key of Object.keys(value)) {
    if (key === retainKeys || key.startsWith(deletePrefix) || key.startsWith(orderPrefix)) continue;
    const child = value[key] as Json;
    if (child === null) continue;
    const kept = withoutDirectives(child);
    if (kept !== undefined) setMember(copy, key, kept);
  }
  return copy;
}

function mergeList(
  original: readonly Json[],
  patch: readonly Json[],
  type: TypeRef | undefined,
  strategies: readonly string[],
): readonly Json[] {
  const list = type?.kind === 'list' ? type : undefined;
  if (!strategies.includes('merge') || list === undefined)
    return patch.map((item) => withoutDirectives(item) ?? null).filter((item) => item !== null);
  if (original.length === 0 && patch.length === 0) return original;
  const mergeKey = list.mergeKey ?? '';
  const sample = patch[0] ?? original[0];
  if (!isMap(sample)) return orderElements(unique([...original, ...patch]), patch, original, '');
  const { kept, rest } = applySpecialElements(original, patch, mergeKey);
  const merged = [...kept];
  for (const item of rest) {
    const map = isMap(item) ? item : fail(`expected a map, but received a ${goKind(item)}`);
    if (!(mergeKey in map)) fail(`map: ${goText(map)} does not contain declared merge key: ${mergeKey}`);
    const at = indexOf(merged, map, mergeKey);
    if (at < 0) merged.push(withoutDirectives(map) ?? {});
    else merged[at] = mergeMap(merged[at] as Map, map, list.element);
  }
  return orderElements(merged, rest, original, mergeKey);
}

/** Elements with $patch: delete removes its match; replace makes the patch's other elements the whole list. */
function applySpecialElements(
  original: readonly Json[],
  patch: readonly Json[],
  mergeKey: string,
): { readonly kept: readonly Json[]; readonly rest: readonly Json[] } {
  let kept = original;
  const rest: Json[] = [];
  let isReplaced = false;
  for (const item of patch) {
    if (!isMap(item) || !(directive in item)) {
      rest.push(item);
      continue;
    }
    switch (item[directive]) {
      case 'delete':
        if (!(mergeKey in item)) fail(`map: ${goText(item)} does not contain declared merge key: ${mergeKey}`);
        kept = kept.filter((other) => !isMap(other) || !equalJson(other[mergeKey], item[mergeKey]));
        break;
      case 'replace':
        isReplaced = true;
        break;
      case 'merge':
        fail('not yet implemented: merging of the whole list');
        break;
      default:
        fail(`unknown patch type: ${String(item[directive])} in map: ${goText(item)}`);
    }
  }
  return isReplaced ? { kept: rest.map((item) => withoutDirectives(item) ?? {}), rest: [] } : { kept, rest };
}

function unique(items: readonly Json[]): readonly Json[] {
  return items.filter((item, i) => items.findIndex((other) => equalJson(other, item)) === i);
}

function indexOf(items: readonly Json[], item: Json, mergeKey: string): number {
  const key = mergeKey !== '' && isMap(item) ? item[mergeKey] : undefined;
  for (let i = 0; i < items.length; i++) {
    const other = items[i];
    if (mergeKey === '' ? equalJson(other, item) : isMap(other) && equalJson(other[mergeKey], key)) return i;
  }
  return -1;
}

/** Upstream normalizeElementOrder: patched elements in the patch's order, others in the server's, both interleaved by the server's order. */
function orderElements(
  merged: readonly Json[],
  patchOrder: readonly Json[],
  serverOrder: readonly Json[],
  mergeKey: string,
): readonly Json[] {
  const patched: Placed[] = [];
  const others: Placed[] = [];
  for (const item of merged) {
    const inPatch = indexOf(patchOrder, item, mergeKey);
    if (inPatch >= 0) place(patched, { item, at: inPatch });
    else {
      const inServer = indexOf(serverOrder, item, mergeKey);
      place(others, { item, at: inServer < 0 ? serverOrder.length : inServer });
    }
  }
  if (others.length === 0) return patched.map(({ item }) => item);
  const result: Json[] = [];
  let i = 0;
  let j = 0;
  while (i < others.length || j < patched.length) {
    const other = others[i];
    const right = patched[j];
    if (other === undefined || right === undefined) {
      result.push(((other ?? right) as Placed).item);
      if (other === undefined) j++;
      else i++;
      continue;
    }
    const inServer = indexOf(serverOrder, right.item, mergeKey);
    const isFirst = other.at < serverOrder.length && inServer >= 0 && other.at < inServer;
    result.push(isFirst ? other.item : right.item);
    if (isFirst) i++;
    else j++;
  }
  return result;
}

interface Placed {
  readonly item: Json;
  readonly at: number;
}

/** Inserts behind everything whose place is not later: lists mostly come in order. */
function place(list: Placed[], placed: Placed): void {
  let i = list.length;
  while (i > 0 && (list[i - 1] as Placed).at > placed.at) i--;
  if (i === list.length) list.push(placed);
  else list.splice(i, 0, placed);
}

/** $setElementOrder/field: merges that list now, and puts it into the given order. */
function applyOrder(result: Record<string, Json>, patch: Record<string, Json>, key: string, type: TypeRef | undefined): void {
  const order = asList(patch[key] as Json);
  delete patch[key];
  const name = key.slice(orderPrefix.length + 1);
  const current = result[name];
  const change = patch[name];
  delete patch[name];
  const listType = fieldOf(type, name);
  const mergeKey = listType?.kind === 'list' ? ((listType as ListType).mergeKey ?? '') : '';
  if (Array.isArray(change)) checkOrder(change as readonly Json[], order, mergeKey);
  let merged: readonly Json[];
  if (Array.isArray(current) && Array.isArray(change)) {
    merged = mergeList(current as readonly Json[], change as readonly Json[], listType, strategiesOf(type, name));
  } else if (Array.isArray(current)) merged = current as readonly Json[];
  else if (Array.isArray(change)) merged = withoutDirectives(change) as readonly Json[];
  else return;
  result[name] = orderElements(merged, order, Array.isArray(current) ? (current as readonly Json[]) : [], mergeKey);
}

function checkOrder(patch: readonly Json[], order: readonly Json[], mergeKey: string): void {
  const wanted = patch.filter((item) => !isMap(item) || item[directive] !== 'delete');
  let at = 0;
  for (const item of order) if (at < wanted.length && indexOf([item], wanted[at] as Json, mergeKey) === 0) at++;
  if (at < wanted.length) fail(`The order in patch list:\n${goText(patch)}\n doesn't match $setElementOrder list:\n${goText(order)}\n`);
}
