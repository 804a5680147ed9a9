import type { ApiList, ApiObject, UntypedObject } from '../api/object.ts';
import type { ServedKind } from '../api/registry.ts';

/** Whether objects look different in storage and on the wire of this kind: custom resources have one stored version and defaults on reading. */
export function isConverted(kind: ServedKind): boolean {
  return kind.custom !== undefined;
}

/** A custom resource as it is stored. */
export function toStored(kind: ServedKind, object: UntypedObject): UntypedObject {
  const target = kind.custom?.storageApiVersion;
  return target === undefined || object.apiVersion === target ? object : { ...object, apiVersion: target };
}

/** A stored custom resource as this version shows it, with the defaults of today's schema. */
export function fromStored(kind: ServedKind, object: UntypedObject): UntypedObject {
  if (kind.custom === undefined) return object;
  const typed = object.apiVersion === kind.apiVersion ? object : { ...object, apiVersion: kind.apiVersion };
  return kind.setDefaults === undefined ? typed : kind.setDefaults(typed, { nowUs: 0, featureGate: () => true });
}

/** An answer in the version that was asked for. */
export function present<T extends ApiObject | { readonly kind: string }>(kind: ServedKind, answer: T): T {
  if (!isConverted(kind)) return answer;
  if (answer.kind === kind.kind) return fromStored(kind, answer as unknown as UntypedObject) as unknown as T;
  if (answer.kind === `${kind.kind}List`) {
    const list = answer as unknown as ApiList;
    return { ...list, items: list.items.map((item) => fromStored(kind, item as UntypedObject)) } as unknown as T;
  }
  return answer;
}
