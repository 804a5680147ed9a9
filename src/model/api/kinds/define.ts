import type { Kind } from '../kind.ts';
import type { ApiObject } from '../object.ts';
import { resourceRows } from '../resource-rows.ts';

/** What a kind's file adds to its row in discovery: its rules. */
export type KindRules<T> = Omit<
  Kind<T>,
  | 'group'
  | 'version'
  | 'kind'
  | 'resource'
  | 'singular'
  | 'shortNames'
  | 'categories'
  | 'namespaced'
  | 'storagePath'
  | 'subresources'
  | 'hasGeneration'
> & { readonly hasGeneration?: boolean };

/**
 * A built-in kind: the row of `resource-rows.ts` that names it, and its rules. The type of its objects is forgotten here, once,
 * because the registry holds all kinds alike; the decoder vouches for it.
 */
export function defineKind<T extends ApiObject>(groupVersion: string, resource: string, rules: KindRules<T>): Kind {
  const slash = groupVersion.indexOf('/');
  const group = slash < 0 ? '' : groupVersion.slice(0, slash);
  const version = groupVersion.slice(slash + 1);
  const row = resourceRows.find((r) => r.group === group && r.version === version && r.resource === resource);
  if (row === undefined) throw new Error(`kind ${groupVersion} ${resource}: no such row in resource-rows.ts`);
  return { ...row, ...(rules as unknown as KindRules<never>) } as unknown as Kind;
}
