import type { ApiObject, ObjectMeta } from '../object.ts';
import { sameValue } from '../validation/immutable.ts';

/** What most strategies have in common. Upstream: strategy.go of pkg/registry/<group>/<kind>. */

interface WithStatus extends ApiObject {
  readonly status?: unknown;
}

interface WithSpec extends WithStatus {
  readonly spec?: unknown;
}

/** PrepareForCreate: the status is the server's, the first generation is 1. */
export function freshWithStatus<T extends WithStatus>(object: T, status: NonNullable<T['status']>): T {
  return { ...object, metadata: firstGeneration(object.metadata), status };
}

/** PrepareForCreate of kinds that keep a generation but have no status. */
export function freshGeneration<T extends ApiObject>(object: T): T {
  const metadata = firstGeneration(object.metadata);
  return metadata === object.metadata ? object : { ...object, metadata };
}

export function firstGeneration(metadata: ObjectMeta): ObjectMeta {
  return metadata.generation === 1 ? metadata : { ...metadata, generation: 1 };
}

/** PrepareForUpdate: the status stays as it was. */
export function keepStatus<T extends WithStatus>(next: T, previous: T): T {
  if (next.status === previous.status) return next;
  const { status: _, ...rest } = next;
  return (previous.status === undefined ? rest : { ...rest, status: previous.status }) as T;
}

/** The generation grows when what it counts has changed. */
export function nextGeneration<T extends ApiObject>(next: T, previous: T, hasChanged: boolean): T {
  const before = previous.metadata.generation;
  const generation = hasChanged ? (before ?? 0) + 1 : before;
  if (next.metadata.generation === generation) return next;
  if (generation === undefined) {
    const { generation: _, ...metadata } = next.metadata;
    return { ...next, metadata };
  }
  return { ...next, metadata: { ...next.metadata, generation } };
}

/** PrepareForUpdate of the usual kind: status kept, generation counted over `spec`. */
export function specUpdate<T extends WithSpec>(next: T, previous: T): T {
  return nextGeneration(keepStatus(next, previous), previous, !sameValue(next.spec, previous.spec));
}

/** PrepareForUpdate of the status subresource: the spec stays as it was. */
export function statusUpdate<T extends WithSpec>(next: T, previous: T): T {
  if (next.spec === previous.spec) return next;
  const { spec: _, ...rest } = next;
  return (previous.spec === undefined ? rest : { ...rest, spec: previous.spec }) as T;
}

/** The status subresource of kinds whose labels it may not touch either. */
export function statusUpdateKeepingLabels<T extends WithSpec>(next: T, previous: T): T {
  const result = statusUpdate(next, previous);
  if (result.metadata.labels === previous.metadata.labels) return result;
  const { labels: _, ...metadata } = result.metadata;
  const { labels } = previous.metadata;
  return { ...result, metadata: labels === undefined ? metadata : { ...metadata, labels } };
}
