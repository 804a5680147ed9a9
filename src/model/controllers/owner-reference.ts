import type { ApiObject, OwnerReference } from '../api/object.ts';

/** The reference to the object that manages this one: metav1.GetControllerOf. */
export function controllerOf(object: ApiObject): OwnerReference | undefined {
  const references = object.metadata.ownerReferences;
  if (references === undefined) return undefined;
  for (const reference of references) if (reference.controller === true) return reference;
  return undefined;
}

/** metav1.NewControllerRef. */
export function newControllerRef(owner: ApiObject, apiVersion: string, kind: string): OwnerReference {
  return { apiVersion, kind, name: owner.metadata.name ?? '', uid: owner.metadata.uid ?? '', controller: true, blockOwnerDeletion: true };
}

/** Whether two references name the same controller. */
export function sameController(a: OwnerReference | undefined, b: OwnerReference | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.uid === b.uid && a.kind === b.kind && a.name === b.name);
}
