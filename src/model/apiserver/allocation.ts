import type { Task } from '../../sim/task.ts';
import type { UntypedObject } from '../api/object.ts';
import type { ServedKind } from '../api/registry.ts';
import type { RequestScope } from './server-context.ts';

/** An object with what the server allocated for it; `release` gives that back when the object was not stored. */
export interface Allocation {
  readonly object: UntypedObject;
  readonly release: () => void;
}

const keep = (): void => {};

/** Cluster IPs and node ports of a new service. */
export function* allocateForCreate(_scope: RequestScope, _kind: ServedKind, object: UntypedObject): Task<Allocation> {
  return { object, release: keep };
}
