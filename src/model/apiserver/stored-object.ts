import type { UntypedObject } from '../api/object.ts';

/**
 * The value of one etcd key: an API object by reference, as the server handed it over, without a resourceVersion.
 * Readers see it with the mod revision of its key as resourceVersion; all readers of one write share that one object.
 */
export class StoredObject {
  readonly raw: UntypedObject;
  private revision = 0;
  private versioned: UntypedObject;

  constructor(object: UntypedObject) {
    const raw = asStored(object);
    this.raw = raw;
    this.versioned = raw;
  }

  /** The object as a reader sees it. A value has one mod revision, so this is computed once. */
  at(modRevision: number): UntypedObject {
    if (this.revision !== modRevision) {
      this.revision = modRevision;
      this.versioned = withResourceVersion(this.raw, String(modRevision));
    }
    return this.versioned;
  }
}

/** Lists without omitempty, by kind, as paths of one or two fields. */
const nullable: Readonly<Record<string, readonly (readonly [string, string?])[]>> = {
  ClusterRole: [['rules']],
  Role: [['rules']],
  EndpointSlice: [['endpoints'], ['ports']],
  CSINode: [['spec', 'drivers']],
};

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** Built-in kinds are stored as protobuf, which does not tell an empty list from none: such a list comes back as null. */
function asStored(object: UntypedObject): UntypedObject {
  const paths = nullable[object.kind];
  if (paths === undefined) return object;
  let next = object;
  for (const [field, inner] of paths) {
    const value = next[field];
    if (inner === undefined) {
      if (isEmptyList(value)) next = { ...next, [field]: null };
    } else if (isEmptyList((value as Readonly<Record<string, unknown>> | undefined)?.[inner])) {
      next = { ...next, [field]: { ...(value as object), [inner]: null } };
    }
  }
  return next;
}

/** The object under another resourceVersion: used for the last state that a DELETED event carries. */
export function withResourceVersion<T extends UntypedObject>(object: T, resourceVersion: string): T {
  return { ...object, metadata: { ...object.metadata, resourceVersion } };
}
