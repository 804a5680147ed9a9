/**
 * A set of field paths in the very form in which managedFields carries it (FieldsV1, upstream `structured-merge-diff/fieldpath`):
 * a node is a member when it is empty or has '.'; its other keys are children. Sets are immutable and share their parts.
 */
export interface FieldSet {
  readonly [element: string]: FieldSet;
}

export const leaf: FieldSet = Object.freeze({});
const self = '.';

export function isMember(node: FieldSet): boolean {
  if (node[self] !== undefined) return true;
  for (const _ in node) return false;
  return true;
}

export function isEmptySet(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/** A node of children with or without itself; undefined when there is nothing. */
export function nodeOf(member: boolean, children: Record<string, FieldSet> | undefined): FieldSet | undefined {
  let any = false;
  if (children !== undefined) for (const _ in children) any = true;
  if (!any) return member ? leaf : undefined;
  return member ? { [self]: leaf, ...children } : (children as FieldSet);
}

/** The union of two sets or two nodes. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmptySet(b)) return a;
  if (isEmptySet(a)) return b;
  return unionChildren(a, b);
}

function unionChildren(a: FieldSet, b: FieldSet): FieldSet {
  let copy: Record<string, FieldSet> | undefined;
  for (const key in b) {
    const right = b[key] as FieldSet;
    const left = a[key];
    const next = left === undefined ? right : key === self ? left : unionNodes(left, right);
    if (next !== left) {
      copy ??= { ...a };
      copy[key] = next;
    }
  }
  return copy ?? a;
}

function unionNodes(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  const member = isMember(a) || isMember(b);
  const merged = unionChildren(isEmptySet(a) ? {} : a, isEmptySet(b) ? {} : b);
  if (!member || merged[self] !== undefined || isEmptySet(merged)) return merged;
  return { [self]: leaf, ...merged };
}

/** Members of a that are not members of b. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(b)) return a;
  let copy: Record<string, FieldSet> | undefined;
  for (const key in a) {
    const left = a[key] as FieldSet;
    const right = b[key];
    if (right === undefined) continue;
    const next = key === self ? undefined : differenceNodes(left, right);
    if (next === left) continue;
    copy ??= { ...a };
    if (next === undefined) delete copy[key];
    else copy[key] = next;
  }
  return copy ?? a;
}

function differenceNodes(a: FieldSet, b: FieldSet): FieldSet | undefined {
  const member = isMember(a) && !isMember(b);
  const children: Record<string, FieldSet> = {};
  let changed = member !== isMember(a);
  for (const key in a) {
    if (key === self) continue;
    const left = a[key] as FieldSet;
    const right = b[key];
    const next = right === undefined ? left : differenceNodes(left, right);
    if (next !== left) changed = true;
    if (next !== undefined) children[key] = next;
  }
  return changed ? nodeOf(member, children) : a;
}

/** Members of both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const children: Record<string, FieldSet> = {};
  for (const key in a) {
    if (key === self) continue;
    const right = b[key];
    if (right === undefined) continue;
    const next = intersectNodes(a[key] as FieldSet, right);
    if (next !== undefined) children[key] = next;
  }
  return children;
}

function intersectNodes(a: FieldSet, b: FieldSet): FieldSet | undefined {
  return nodeOf(isMember(a) && isMember(b), intersection(a, b) as Record<string, FieldSet>);
}

/** a without the paths in b and all below them. */
export function withoutBelow(a: FieldSet, b: FieldSet): FieldSet {
  let copy: Record<string, FieldSet> | undefined;
  for (const key in b) {
    const left = a[key];
    if (left === undefined || key === self) continue;
    const right = b[key] as FieldSet;
    const rest = isMember(right) ? undefined : withoutBelow(left, right);
    if (rest === left) continue;
    copy ??= { ...a };
    if (rest === undefined || isEmptySet(rest)) delete copy[key];
    else copy[key] = rest;
  }
  return copy ?? a;
}

/** All members as printed paths, in upstream's order: the members of a level, then what lies below. */
export function pathsOf(set: FieldSet, prefix = ''): string[] {
  const keys = Object.keys(set)
    .filter((key) => key !== self)
    .sort();
  const paths = keys.filter((key) => isMember(set[key] as FieldSet)).map((key) => prefix + elementText(key));
  for (const key of keys) {
    const node = set[key] as FieldSet;
    if (!isEmptySet(node)) paths.push(...pathsOf(node, prefix + elementText(key)));
  }
  return paths;
}

/** '.spec', '[name="app"]', '[="x"]', '[3]'. */
export function elementText(element: string): string {
  const value = element.slice(2);
  switch (element.charAt(0)) {
    case 'f':
      return `.${value}`;
    case 'k': {
      const keys = JSON.parse(value) as Record<string, unknown>;
      return `[${Object.keys(keys)
        .sort()
        .map((key) => `${key}=${JSON.stringify(keys[key])}`)
        .join(',')}]`;
    }
    case 'v':
      return `[=${value}]`;
    default:
      return `[${value}]`;
  }
}
