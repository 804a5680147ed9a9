import type { UntypedObject } from '../api/object.ts';
import type { ServedKind } from '../api/registry.ts';

/** Kinds that a PUT may create: upstream strategies with AllowCreateOnUpdate. */
const createOnUpdate = new Set(['Lease', 'Endpoints', 'Event', 'LimitRange', 'ResourceClaim']);

/** Kinds whose update must name the resourceVersion: upstream strategies without AllowUnconditionalUpdate. */
const conditionalOnly = new Set([
  'Lease',
  'APIService',
  'CustomResourceDefinition',
  'FlowSchema',
  'PriorityLevelConfiguration',
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
]);

/** Kinds whose delete answers the object: upstream stores with ReturnDeletedObject. */
const returnsDeleted = new Set(['Pod', 'Service', 'ServiceAccount', 'ResourceQuota', 'PersistentVolumeClaim', 'PersistentVolume']);

/** Events live for an hour: kube-apiserver --event-ttl. */
const eventTtlSeconds = 3600;

export function allowsCreateOnUpdate(kind: ServedKind): boolean {
  return createOnUpdate.has(kind.kind);
}

export function allowsUnconditionalUpdate(kind: ServedKind): boolean {
  return kind.type !== undefined && !conditionalOnly.has(kind.kind);
}

export function returnsDeletedObject(kind: ServedKind): boolean {
  return returnsDeleted.has(kind.kind);
}

export function ttlOf(kind: ServedKind): number | undefined {
  return kind.kind === 'Event' ? eventTtlSeconds : undefined;
}

/** Whether deleting orphans the dependents when the request does not say: batch/v1 jobs, and replication controllers before apps. */
export function orphansByDefault(kind: ServedKind): boolean {
  return kind.kind === 'Job' || kind.kind === 'ReplicationController';
}

/** The garbage collector does not look at dependents of these: strategies without GarbageCollectionPolicy. */
export function ignoresPropagation(kind: ServedKind): boolean {
  return kind.kind === 'Event';
}

/** What a change of generation looks at: the spec, or all that is neither envelope nor status; annotations too for deployments. */
export function generationChanges(
  kind: ServedKind,
  next: UntypedObject,
  previous: UntypedObject,
  equal: (a: unknown, b: unknown) => boolean,
): boolean {
  // Its strategy sets the generation at creation and leaves it.
  if (kind.kind === 'PriorityClass') return false;
  if (next['spec'] !== undefined || previous['spec'] !== undefined) {
    if (!equal(next['spec'], previous['spec'])) return true;
    return kind.kind === 'Deployment' && !equal(next.metadata.annotations, previous.metadata.annotations);
  }
  for (const object of [next, previous]) {
    for (const key in object) {
      if (key === 'metadata' || key === 'status' || key === 'kind' || key === 'apiVersion') continue;
      if (!equal(next[key], previous[key])) return true;
    }
  }
  return kind.kind === 'EndpointSlice' && !equal(next.metadata.labels, previous.metadata.labels);
}
