import type { NodeId } from './types.ts';

/**
 * Small sets of node ids as sorted arrays: membership lists are read on every message and changed almost never, and their order
 * must be canonical because it decides the order of messages.
 */
export type IdSet = readonly NodeId[];

/** The empty set. */
export const noIds: IdSet = [];

/** Whether the set holds the id. */
export function hasId(set: IdSet, id: NodeId): boolean {
  for (let i = 0; i < set.length; i++) if (set[i] === id) return true;
  return false;
}

/** The set with the id. */
export function withId(set: IdSet, id: NodeId): IdSet {
  return hasId(set, id) ? set : sortedIds([...set, id]);
}

/** The set without the id. */
export function withoutId(set: IdSet, id: NodeId): IdSet {
  return hasId(set, id) ? set.filter((other) => other !== id) : set;
}

/** A sorted copy without duplicates. */
export function sortedIds(ids: Iterable<NodeId>): NodeId[] {
  return [...new Set(ids)].sort((a, b) => a - b);
}

/** Everything in either set. */
export function unionIds(a: IdSet, b: IdSet): IdSet {
  return b.length === 0 ? a : sortedIds([...a, ...b]);
}

/** How many ids are in exactly one of the sets. */
export function differenceCount(a: IdSet, b: IdSet): number {
  return a.filter((id) => !hasId(b, id)).length + b.filter((id) => !hasId(a, id)).length;
}
