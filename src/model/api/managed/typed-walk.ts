import { equalJson } from '../equal.ts';
import { memberOf, setMember } from '../own-member.ts';
import type { FieldType, ListType, StructType, TypeRef } from '../schema.ts';
import { type FieldSet, isMember, leaf, nodeOf } from './field-set.ts';
import { memberPath, nodePath, type SetPath } from './shared-sets.ts';

/** Walks of typed values: upstream `structured-merge-diff/typed`. */
type Map = Readonly<Record<string, unknown>>;

/** How a value of a type is owned. */
export function isAtomic(type: TypeRef, field?: FieldType): boolean {
  switch (type.kind) {
    case 'scalar':
      return true;
    case 'list':
      return type.listType === 'atomic';
    case 'map':
      return type.atomic;
    case 'struct':
      return field?.atomic === true || (type.atomic && field?.granular !== true);
  }
}

/** Schema defaults of list keys: an item that leaves the key out is the item of the default. */
const keyDefaults: Readonly<Record<string, unknown>> = { protocol: 'TCP' };

function isLocalReference(type: TypeRef): boolean {
  return type.kind === 'struct' && type.name === 'LocalObjectReference';
}

/** The path element of a list's item. */
export function itemElement(type: ListType, item: unknown): string {
  if (type.listType === 'set') return `v:${JSON.stringify(item)}`;
  const values = item as Map;
  const keys = sortedKeysOf(type);
  const name = values['name'];
  if (keys.length === 1 && keys[0] === 'name' && typeof name === 'string') return namedElement(name);
  let text = '';
  for (const key of keys) {
    const value = values[key] ?? keyDefaults[key] ?? (key === 'name' && isLocalReference(type.element) ? '' : undefined);
    if (value === undefined) continue;
    text += `${text === '' ? '' : ','}"${key}":${JSON.stringify(value)}`;
  }
  return `k:{${text}}`;
}

/** Elements that were spelled before: most names and keys come again and again. */
const namedElement = spelledOnce((name) => `k:{"name":${JSON.stringify(name)}}`);
const fieldElement = spelledOnce((key) => `f:${key}`);

const SPELLED_MAX = 10_000;

function spelledOnce(spell: (text: string) => string): (text: string) => string {
  const known = new globalThis.Map<string, string>();
  return (text) => {
    let element = known.get(text);
    if (element === undefined) {
      if (known.size >= SPELLED_MAX) known.clear();
      element = spell(text);
      known.set(text, element);
    }
    return element;
  };
}

const sortedKeys = new WeakMap<ListType, readonly string[]>();
function sortedKeysOf(type: ListType): readonly string[] {
  let keys = sortedKeys.get(type);
  if (keys === undefined) {
    keys = [...type.keys].sort();
    sortedKeys.set(type, keys);
  }
  return keys;
}

export function childType(
  type: StructType | { readonly kind: 'map'; readonly value: TypeRef },
  key: string,
): { readonly type: TypeRef; readonly field?: FieldType } | undefined {
  if (type.kind === 'map') return { type: type.value };
  const field = type.fields.get(key);
  return field === undefined ? undefined : { type: field.type, field };
}

function isBlank(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value === 'object') {
    for (const _ in value as object) return false;
    return true;
  }
  return false;
}

/** What differs between two states: what the second adds or modifies, and what it lacks. */
export interface Comparison {
  readonly changed: FieldSet;
  readonly removed: FieldSet;
}

interface Sides {
  changed: FieldSet | undefined;
  removed: FieldSet | undefined;
}

const same: Sides = { changed: undefined, removed: undefined };
const leafChanged: Sides = { changed: leaf, removed: undefined };
const leafRemoved: Sides = { changed: undefined, removed: leaf };

export function compareTyped(type: StructType, left: unknown, right: unknown): Comparison {
  const { changed, removed } = compareNode(type, undefined, left, right);
  return { changed: changed ?? leaf, removed: removed ?? leaf };
}

/** A value that the type of maps without a schema does not divide. */
export function isUndivided(type: TypeRef, value: unknown): boolean {
  return (
    type.kind === 'map' &&
    type.deduced === true &&
    value !== undefined &&
    (typeof value !== 'object' || value === null || Array.isArray(value))
  );
}

/** Everything below a value that was not there before, each node a member. */
function addedNode(type: TypeRef, field: FieldType | undefined, value: unknown): FieldSet {
  if (type.kind === 'scalar' || isAtomic(type, field) || isBlank(value) || isUndivided(type, value)) return leaf;
  return addedBelow(type, value, memberPath(type)).set;
}

/** All that is in a value, where nothing was before. */
function addedBelow(type: Exclude<TypeRef, { kind: 'scalar' }>, value: unknown, start: SetPath): SetPath {
  let node = start;
  if (type.kind === 'list') {
    const items = value as readonly unknown[];
    for (let i = 0; i < items.length; i++) node = node.with(itemElement(type, items[i]), addedNode(type.element, undefined, items[i]));
    return node;
  }
  const map = value as Map;
  for (const key in map) {
    if (map[key] === undefined) continue;
    if (type.kind === 'map') node = node.with(fieldElement(key), addedNode(type.value, undefined, map[key]));
    else {
      const child = type.fields.get(key);
      if (child !== undefined) node = node.with(child.element, addedNode(child.type, child, map[key]));
    }
  }
  return node;
}

function compareNode(type: TypeRef, field: FieldType | undefined, left: unknown, right: unknown): Sides {
  if (left === right) return same;
  if (left === undefined) return { changed: addedNode(type, field, right), removed: undefined };
  if (
    type.kind === 'scalar' ||
    isAtomic(type, field) ||
    (isBlank(left) && isBlank(right)) ||
    isUndivided(type, left) ||
    isUndivided(type, right)
  ) {
    if (left === undefined) return leafChanged;
    if (right === undefined) return leafRemoved;
    return equalJson(left, right) ? same : leafChanged;
  }
  if (isBlank(left) && right !== undefined) return { changed: addedBelow(type, right, nodePath()).set, removed: undefined };
  const sides = type.kind === 'list' ? compareItems(type, left, right) : compareFields(type, left, right);
  if (right === undefined) return { changed: undefined, removed: nodeOf(true, sides.removed?.set as Record<string, FieldSet> | undefined) };
  return sides.changed === undefined && sides.removed === undefined ? same : { changed: sides.changed?.set, removed: sides.removed?.set };
}

interface ChildSides {
  changed: SetPath | undefined;
  removed: SetPath | undefined;
}

function collect(into: ChildSides, element: string, sides: Sides): void {
  if (sides.changed !== undefined) into.changed = (into.changed ?? nodePath()).with(element, sides.changed);
  if (sides.removed !== undefined) into.removed = (into.removed ?? nodePath()).with(element, sides.removed);
}

function compareFields(type: StructType | Extract<TypeRef, { kind: 'map' }>, left: unknown, right: unknown): ChildSides {
  const into: ChildSides = { changed: undefined, removed: undefined };
  const a = (left ?? {}) as Map;
  const b = (right ?? {}) as Map;
  for (const key in b) {
    if (a[key] === b[key]) continue;
    const child = childType(type, key);
    if (child === undefined) continue;
    const sides = compareNode(child.type, child.field, a[key], b[key]);
    if (sides !== same) collect(into, fieldElement(key), sides);
  }
  for (const key in a) {
    if (b[key] !== undefined) continue;
    const child = childType(type, key);
    if (child !== undefined) collect(into, fieldElement(key), compareNode(child.type, child.field, a[key], undefined));
  }
  return into;
}

function compareItems(type: ListType, left: unknown, right: unknown): ChildSides {
  const into: ChildSides = { changed: undefined, removed: undefined };
  const a = (left ?? []) as readonly unknown[];
  const b = (right ?? []) as readonly unknown[];
  const before = new globalThis.Map<string, unknown>();
  let twins: Set<string> | undefined;
  for (let i = 0; i < a.length; i++) {
    const element = itemElement(type, a[i]);
    if (before.has(element)) {
      twins ??= new Set();
      twins.add(element);
    }
    before.set(element, a[i]);
  }
  const elements = b.map((item) => itemElement(type, item));
  if (elements.length > 1 && new Set(elements).size < elements.length) {
    twins ??= new Set();
    for (let i = 0; i < elements.length; i++) if (elements.indexOf(elements[i] ?? '') < i) twins.add(elements[i] ?? '');
  }
  for (let i = 0; i < b.length; i++) {
    const element = elements[i] ?? '';
    if (twins?.has(element) === true) {
      // Items under one key are compared, and owned, as a whole.
      const under = (list: readonly unknown[]): readonly unknown[] => list.filter((item) => itemElement(type, item) === element);
      if (!equalJson(under(a), under(b))) collect(into, element, leafChanged);
      before.delete(element);
      continue;
    }
    const previous = before.get(element);
    before.delete(element);
    collect(into, element, compareNode(type.element, undefined, previous, b[i]));
  }
  for (const [element, gone] of before) collect(into, element, compareNode(type.element, undefined, gone, undefined));
  return into;
}

/** The fields that a value sets: upstream ToFieldSet. */
export function fieldSetOf(type: StructType, value: unknown): FieldSet {
  return setNode(type, undefined, value, false) ?? leaf;
}

function setNode(type: TypeRef, field: FieldType | undefined, value: unknown, isItem: boolean): FieldSet | undefined {
  if (value === undefined) return undefined;
  if (isAtomic(type, field) || isBlank(value) || isUndivided(type, value)) return leaf;
  const children: Record<string, FieldSet> = {};
  if (type.kind === 'list') {
    for (const item of value as readonly unknown[]) {
      const node = setNode(type.element, undefined, item, true);
      const element = itemElement(type, item);
      if (node !== undefined) children[element] = children[element] === undefined ? node : leaf;
    }
    return nodeOf(false, children);
  }
  if (type.kind === 'scalar') return leaf;
  const map = value as Map;
  for (const key in map) {
    const child = childType(type, key);
    if (child === undefined) continue;
    const node = setNode(child.type, child.field, map[key], false);
    if (node !== undefined) children[`f:${key}`] = node;
  }
  return nodeOf(isItem, children);
}

/** The set with every struct field on the way to a member as a member itself: upstream EnsureNamedFieldsAreMembers. */
export function ensureNamedMembers(type: TypeRef | undefined, set: FieldSet): FieldSet {
  const out: Record<string, FieldSet> = {};
  for (const key in set) {
    if (key === '.') {
      out[key] = leaf;
      continue;
    }
    const node = set[key] as FieldSet;
    const child = elementType(type, key);
    const isNamed = type?.kind === 'struct' && key.startsWith('f:') && type.fields.has(key.slice(2));
    const inner = ensureNamedMembers(child, node);
    out[key] = nodeOf(isMember(node) || isNamed, withoutSelf(inner)) ?? leaf;
  }
  return out;
}

function withoutSelf(set: FieldSet): Record<string, FieldSet> {
  const { '.': _, ...rest } = set;
  return rest;
}

function elementType(type: TypeRef | undefined, element: string): TypeRef | undefined {
  switch (type?.kind) {
    case 'struct':
      return type.fields.get(element.slice(2))?.type;
    case 'map':
      return type.value;
    case 'list':
      return type.element;
    default:
      return undefined;
  }
}

/** The value without the members of a set and all below them. */
export function removeItems(type: TypeRef, value: unknown, gone: FieldSet): unknown {
  if (value === undefined || value === null || isUndivided(type, value)) return value;
  if (type.kind === 'list') {
    if (type.listType === 'atomic') return value;
    const kept: unknown[] = [];
    let changed = false;
    for (const item of value as readonly unknown[]) {
      const node = gone[itemElement(type, item)];
      if (node === undefined) kept.push(item);
      else if (isMember(node)) changed = true;
      else {
        const next = removeItems(type.element, item, node);
        if (next !== item) changed = true;
        kept.push(next);
      }
    }
    if (!changed) return value;
    return kept.length > 0 ? kept : undefined;
  }
  if (type.kind === 'scalar') return value;
  const map = value as Map;
  let copy: Record<string, unknown> | undefined;
  for (const element in gone) {
    const key = element.slice(2);
    if (element === '.' || !Object.hasOwn(map, key)) continue;
    const node = gone[element] as FieldSet;
    const child = childType(type, key);
    const next = isMember(node) || child === undefined ? undefined : removeItems(child.type, map[key], node);
    if (next === map[key]) continue;
    copy ??= { ...map };
    if (next === undefined) delete copy[key];
    else setMember(copy, key, next);
  }
  if (copy === undefined) return value;
  for (const _ in copy) return copy;
  return undefined;
}

/** Merges an applied configuration into a live value: upstream typed.Merge. */
export function mergeTyped(type: TypeRef, field: FieldType | undefined, live: unknown, config: unknown): unknown {
  if (config === undefined) return live;
  if (
    live === undefined ||
    live === null ||
    config === null ||
    isAtomic(type, field) ||
    isUndivided(type, live) ||
    isUndivided(type, config)
  )
    return equalJson(live, config) ? live : config;
  if (type.kind === 'list') return mergeItems(type, live as readonly unknown[], config as readonly unknown[]);
  if (type.kind === 'scalar') return config;
  const base = live as Map;
  const given = config as Map;
  let copy: Record<string, unknown> | undefined;
  for (const key in given) {
    const child = childType(type, key);
    const before = memberOf(base, key);
    const next = child === undefined ? given[key] : mergeTyped(child.type, child.field, before, given[key]);
    if (next === before) continue;
    copy ??= { ...base };
    setMember(copy, key, next);
  }
  return copy ?? base;
}

/** The order of a merged list: the applied order, with live-only items where they stood (upstream mergingWalker.visitListItems). */
function mergeItems(type: ListType, live: readonly unknown[], config: readonly unknown[]): readonly unknown[] {
  const left = live.map((item) => itemElement(type, item));
  const right = config.map((item) => itemElement(type, item));
  const liveByElement = new globalThis.Map(left.map((element, i) => [element, live[i]]));
  const inConfig = new Set(right);
  const shared = right.filter((element) => liveByElement.has(element));
  let nextShared = 0;
  const merged = new Set<string>();
  const out: unknown[] = [];
  let i = 0;
  let j = 0;
  const take = (element: string, item: unknown): void => {
    merged.add(element);
    const before = liveByElement.get(element);
    out.push(before === undefined ? item : mergeTyped(type.element, undefined, before, item));
    if (shared[nextShared] === element) nextShared++;
  };
  while (i < left.length || j < right.length) {
    const l = left[i];
    const r = right[j];
    if (l !== undefined && r !== undefined) {
      if (l === r) {
        take(l, config[j]);
        i++;
        j++;
        continue;
      }
      if (inConfig.has(l) && nextShared < shared.length && shared[nextShared] !== l) {
        i++;
        continue;
      }
    }
    if (l !== undefined) {
      if (!inConfig.has(l)) {
        out.push(live[i]);
        i++;
        continue;
      }
      if (merged.has(l)) {
        i++;
        continue;
      }
    }
    if (r !== undefined) {
      take(r, config[j]);
      j++;
    }
  }
  const unchanged = out.length === live.length && out.every((item, at) => item === live[at]);
  return unchanged ? live : out;
}
