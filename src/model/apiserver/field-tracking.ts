import { type FieldManagerRequest, trackUpdate as track } from '../api/managed/field-manager.ts';
import { type FieldSet, leaf } from '../api/managed/field-set.ts';
import type { UntypedObject } from '../api/object.ts';
import type { ServedKind } from '../api/registry.ts';
import type { StructType } from '../api/schema.ts';
import { formatTime } from '../api/time.ts';
import type { RequestScope, ServerContext } from './server-context.ts';

/** The manager of a write: the fieldManager option, or the User-Agent's first word. */
export function managerOf(scope: RequestScope): string {
  const { fieldManager } = scope.options;
  if (fieldManager !== undefined && fieldManager !== '') return fieldManager;
  return scope.request.userAgent ?? 'unknown';
}

/** Upstream strategies' GetResetFields: what the other side of spec and status owns. */
const ignoredByMain: FieldSet = { 'f:status': leaf };
const ignoredByStatus: FieldSet = { 'f:spec': leaf };
const ignoredByStatusWithLabels: FieldSet = { 'f:spec': leaf, 'f:metadata': { 'f:labels': leaf } };
const ignoredByPodStatus: FieldSet = { 'f:spec': leaf, 'f:metadata': { 'f:deletionTimestamp': leaf, 'f:ownerReferences': leaf } };
const ignoresLabels = new Set(['Deployment']);

export function managerRequest(scope: RequestScope, kind: ServedKind): FieldManagerRequest | undefined {
  const type = kind.type ?? (kind.custom?.type as StructType | undefined);
  if (type === undefined || scope.server.options.managedFields === false) return undefined;
  const subresource = scope.request.subresource ?? '';
  let ignored: FieldSet = leaf;
  if (subresource === 'status')
    ignored = kind.kind === 'Pod' ? ignoredByPodStatus : ignoresLabels.has(kind.kind) ? ignoredByStatusWithLabels : ignoredByStatus;
  else if (kind.subresources.includes('status')) ignored = ignoredByMain;
  return {
    type,
    apiVersion: kind.apiVersion,
    manager: managerOf(scope),
    subresource,
    time: subresource === 'scale' ? undefined : formatTime(scope.context.nowUs),
    ignored,
  };
}

/** Brings metadata.managedFields up to date with an update by this request's manager. */
export function trackUpdate(scope: RequestScope, kind: ServedKind, live: UntypedObject | undefined, next: UntypedObject): UntypedObject {
  const request = managerRequest(scope, kind);
  return request === undefined ? next : track(request, live, next);
}

/** Ownership of what the server itself writes to the status of an object, through its loopback client. */
export function trackLoopback(server: ServerContext, kind: ServedKind, live: UntypedObject, next: UntypedObject): UntypedObject {
  if (kind.type === undefined || server.options.managedFields === false) return next;
  const time = formatTime(server.environment.now());
  return track(
    { type: kind.type, apiVersion: kind.apiVersion, manager: 'kube-apiserver', subresource: 'status', time, ignored: ignoredByStatus },
    live,
    next,
  );
}
