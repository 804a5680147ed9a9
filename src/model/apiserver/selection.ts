import { fieldsMatch, type ParsedFieldSelector } from '../api/field-selector.ts';
import { labelsMatch, type ParsedLabelSelector } from '../api/label-selector.ts';
import type { UntypedObject } from '../api/object.ts';
import type { ServedKind } from '../api/registry.ts';

/** Which objects of a kind a list or watch is about: upstream storage.SelectionPredicate. */
export interface Selection {
  readonly labels: ParsedLabelSelector;
  readonly fields: ParsedFieldSelector;
  /** Value of metadata.name=, if the field selector demands one. */
  readonly name: string | undefined;
  /** Value of spec.nodeName= for pods, by which the cache indexes its watchers. */
  readonly nodeName: string | undefined;
}

export const everything: Selection = { labels: [], fields: [], name: undefined, nodeName: undefined };

export function selectionOf(labels: ParsedLabelSelector, fields: ParsedFieldSelector): Selection {
  if (labels.length === 0 && fields.length === 0) return everything;
  const exact = (field: string): string | undefined => fields.find((f) => f.field === field && f.operator === '=')?.value;
  return { labels, fields, name: exact('metadata.name'), nodeName: exact('spec.nodeName') };
}

/** Field spec.nodeName of a pod. */
export function nodeNameOf(pod: UntypedObject): string {
  return (pod['spec'] as { readonly nodeName?: string } | undefined)?.nodeName ?? '';
}

/** Value of a selectable field of an object; '' where it is not set. */
export function fieldValue(kind: ServedKind, object: UntypedObject, field: string): string {
  if (field === 'metadata.name') return object.metadata.name ?? '';
  if (field === 'metadata.namespace') return object.metadata.namespace ?? '';
  // Every kubelet watches by this one; the table of all fields need not be made for it.
  if (field === 'spec.nodeName' && kind.kind === 'Pod') return nodeNameOf(object);
  return kind.fields?.(object)[field] ?? '';
}

export function selects(selection: Selection, kind: ServedKind, object: UntypedObject): boolean {
  if (selection === everything) return true;
  if (!labelsMatch(selection.labels, object.metadata.labels)) return false;
  return selection.fields.length === 0 || fieldsMatch(selection.fields, (field) => fieldValue(kind, object, field));
}
