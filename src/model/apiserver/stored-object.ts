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

/** Lists without omitempty that may be empty, by kind, as paths. */
const nullable: Readonly<Record<string, readonly (readonly string[])[]>> = {
  ClusterRole: [['rules']],
  Role: [['rules']],
  EndpointSlice: [['endpoints'], ['ports']],
  CSINode: [['spec', 'drivers']],
  LimitRange: [['spec', 'limits']],
  HorizontalPodAutoscaler: [['status', 'currentMetrics']],
  Job: [['spec', 'podFailurePolicy', 'rules']],
  CronJob: [['spec', 'jobTemplate', 'spec', 'podFailurePolicy', 'rules']],
};

/** Built-in kinds are stored as protobuf, which does not tell an empty list from none: such a list comes back as null. */
function asStored(object: UntypedObject): UntypedObject {
  const paths = nullable[object.kind];
  if (paths === undefined) return object;
  let next = object as Readonly<Record<string, unknown>>;
  for (const path of paths) next = withoutEmptyList(next, path, 0);
  return next as UntypedObject;
}

function withoutEmptyList(
  map: Readonly<Record<string, unknown>>,
  path: readonly string[],
  depth: number,
): Readonly<Record<string, unknown>> {
  const field = path[depth] ?? '';
  const value = map[field];
  if (depth === path.length - 1) return Array.isArray(value) && value.length === 0 ? { ...map, [field]: null } : map;
  if (typeof value !== 'object' || value === null) return map;
  const next = withoutEmptyList(value as Readonly<Record<string, unknown>>, path, depth + 1);
  return next === value ? map : { ...map, [field]: next };
}

/** The object under another resourceVersion: used for the last state that a DELETED event carries. */
export function withResourceVersion<T extends UntypedObject>(object: T, resourceVersion: string): T {
  return { ...object, metadata: { ...object.metadata, resourceVersion } };
}
