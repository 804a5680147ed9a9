import type { UntypedObject } from '../api/object.ts';
import type { ServedKind } from '../api/registry.ts';
import { badRequest } from '../api/status.ts';
import { refuse } from './refusal.ts';
import type { RequestScope } from './server-context.ts';

/** Sets the namespace of the URL, and refuses another. */
export function withNamespace(scope: RequestScope, kind: ServedKind, object: UntypedObject): UntypedObject {
  const given = object.metadata.namespace ?? '';
  if (!kind.namespaced) return given === '' ? object : withoutNamespace(object);
  if (given === scope.namespace) return object;
  if (given !== '') refuse(badRequest('the namespace of the provided object does not match the namespace sent on the request'));
  return { ...object, metadata: { ...object.metadata, namespace: scope.namespace } };
}

function withoutNamespace(object: UntypedObject): UntypedObject {
  const { namespace: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

export function checkNameMatches(urlName: string, bodyName: string): void {
  if (bodyName !== urlName) refuse(badRequest(`the name of the object (${bodyName}) does not match the name on the URL (${urlName})`));
}

/** A version that a creator may name: none, or 0. */
export function isUnsetVersion(version: string | undefined): boolean {
  return version === undefined || version === '' || version === '0';
}

/** The kind that a refusal names: a custom resource's own, which may be another than the path's. */
export function kindAsNamed(kind: ServedKind, object: UntypedObject): { readonly group: string; readonly kind: string } {
  return kind.custom !== undefined && object.kind !== kind.kind ? { group: kind.group, kind: object.kind } : kind;
}
