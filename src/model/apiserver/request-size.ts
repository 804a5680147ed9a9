import type { UntypedObject } from '../api/object.ts';
import { refuse } from './refusal.ts';
import type { RequestScope } from './server-context.ts';
import { storageStatus } from './storage-errors.ts';

/** etcd's default --max-request-bytes. */
const etcdRequestBytesMax = 1.5 * 1024 * 1024;

/**
 * Refuses what etcd would. Sizes are known only of bodies that came as text and are big; what an update or a patch makes of one is measured
 * in JSON, which is a little more than what etcd gets.
 */
export function refuseTooLarge({ request, dryRun }: RequestScope, next?: UntypedObject): void {
  if (request.bodyBytes === undefined || dryRun) return;
  const bytes = next === undefined ? request.bodyBytes : JSON.stringify(next).length;
  if (bytes > etcdRequestBytesMax) refuse(storageStatus({ failure: 'request-too-large' }));
}
