import type { UntypedObject } from '../api/object.ts';

/**
 * The value of one etcd key: an API object by reference, as the server handed it over, without a resourceVersion.
 * Readers see it with the mod revision of its key as resourceVersion; all readers of one write share that one object.
 */
export class StoredObject {
  readonly raw: UntypedObject;
  private revision = 0;
  private versioned: UntypedObject;

  constructor(raw: UntypedObject) {
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

/** The object under another resourceVersion: used for the last state that a DELETED event carries. */
export function withResourceVersion<T extends UntypedObject>(object: T, resourceVersion: string): T {
  return { ...object, metadata: { ...object.metadata, resourceVersion } };
}
