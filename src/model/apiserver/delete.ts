import type { Task } from '../../sim/task.ts';
import type { ObjectMeta, UntypedObject } from '../api/object.ts';
import type { ServedKind } from '../api/registry.ts';
import type { ApiResponse, RequestOptions } from '../api/request.ts';
import { conflict, deleted, notFound } from '../api/status.ts';
import { formatTime, parseTime } from '../api/time.ts';
import { validateAdmission, admit } from './admission-chain.ts';
import { releaseService } from './allocation.ts';
import { refuse } from './refusal.ts';
import { checkDeleteOptions } from './request-options.ts';
import { guaranteedUpdate, keyOf, readObject, type UpdateStep } from './resource-store.ts';
import type { RequestScope } from './server-context.ts';
import { isStorageFailure } from './storage.ts';
import { withResourceVersion } from './stored-object.ts';
import { storageStatus } from './storage-errors.ts';
import { ignoresPropagation, orphansByDefault, returnsDeletedObject } from './strategy-facts.ts';

const jobWarning =
  'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning';
const definitionFinalizer = 'customresourcecleanup.apiextensions.k8s.io';
const usPerSecond = 1_000_000;
const orphanFinalizer = 'orphan';
const foregroundFinalizer = 'foregroundDeletion';

/** DELETE of one object. */
export function* remove(scope: RequestScope): Task<ApiResponse> {
  checkDeleteOptions(scope.options);
  if (scope.kind.kind === 'Job' && scope.options.propagationPolicy === undefined && scope.options.orphanDependents === undefined)
    scope.warnings.push(jobWarning);
  const outcome = yield* deleteObject(scope, scope.kind, scope.request.name ?? '', scope.options);
  const isAccepted = !outcome.gone && scope.options.orphanDependents === false;
  return {
    code: isAccepted ? 202 : 200,
    object: outcome.gone && !returnsDeletedObject(scope.kind) ? deleted(scope.kind, outcome.object) : outcome.object,
  };
}

export interface DeleteOutcome {
  readonly object: UntypedObject;
  /** The object has left the store; otherwise it waits for its grace or finalizers. */
  readonly gone: boolean;
}

/** How a delete marks an object: upstream rest.BeforeDelete. */
interface Marking {
  readonly object: UntypedObject;
  readonly graceful: boolean;
  /** A graceful deletion with a shorter or equal grace already runs. */
  readonly pending: boolean;
  readonly graceSeconds: number;
}

/** Upstream registry.Store.Delete. */
export function* deleteObject(scope: RequestScope, kind: ServedKind, name: string, options: RequestOptions): Task<DeleteOutcome> {
  const { server } = scope;
  const key = keyOf(kind, scope.namespace, name);
  yield* admit(scope, { operation: 'DELETE', kind, name, object: undefined, oldObject: undefined });
  const first = yield* readObject(server, key);
  if (first === undefined) refuse(notFound(kind, name));
  let existing: UntypedObject = first;
  if (kind.kind === 'Namespace' && kind.group === '') {
    checkPreconditions(options, existing, kind);
    existing = yield* markNamespace(scope, kind, key, name, options);
    // Its content comes first: the namespace controller takes the last finalizer of the spec away.
    if (((existing['spec'] as { readonly finalizers?: readonly string[] } | undefined)?.finalizers?.length ?? 0) > 0)
      return { object: existing, gone: false };
  }
  if (kind.kind === 'CustomResourceDefinition' && existing.metadata.deletionTimestamp === undefined) {
    return { object: yield* terminateDefinition(scope, kind, key, existing, options), gone: false };
  }
  if (kind.kind === 'Namespace') {
    const terminating = yield* terminateNamespace(scope, kind, key, existing, options);
    if (terminating !== undefined) return { object: terminating, gone: false };
  }
  for (;;) {
    checkPreconditions(options, existing, kind);
    yield* validateAdmission(scope, { operation: 'DELETE', kind, name, object: undefined, oldObject: existing });
    const marking = mark(scope, kind, existing, options);
    if (marking.pending) return { object: existing, gone: false };
    const finalizers = nextFinalizers(kind, existing, options);
    const needsUpdate = marking.graceful || (existing.metadata.finalizers?.length ?? 0) > 0 || finalizers !== undefined;
    let current = existing;
    if (needsUpdate) {
      const marked = yield* markForDeletion(scope, kind, key, name, options);
      if (!marked.deleteNow) return { object: marked.object, gone: false };
      current = marked.object;
    }
    if (scope.dryRun) return { object: current, gone: true };
    const answer = yield* server.storage.compareAndDelete(key, Number(current.metadata.resourceVersion));
    if (isStorageFailure(answer)) refuse(storageStatus(answer));
    if (answer.succeeded) {
      if (kind.kind === 'Service') yield* releaseService(scope, current);
      return { object: withResourceVersion(current, String(answer.revision)), gone: true };
    }
    // Somebody wrote in between: upstream deletes the newer state as long as the preconditions hold.
    if (answer.current === undefined) {
      if (needsUpdate) return { object: current, gone: true };
      refuse(notFound(kind, name));
    }
    existing = answer.current.value.at(answer.current.modRevision);
  }
}

/** A definition waits for its objects to go: its finalizer is set by the first delete (upstream apiextensions-apiserver registry). */
function* terminateDefinition(
  scope: RequestScope,
  kind: ServedKind,
  key: string,
  existing: UntypedObject,
  options: RequestOptions,
): Task<UntypedObject> {
  const name = existing.metadata.name ?? '';
  yield* validateAdmission(scope, { operation: 'DELETE', kind, name, object: undefined, oldObject: existing });
  const now = formatTime(scope.context.nowUs);
  const result = yield* guaranteedUpdate(scope.server, { kind, key, name, dryRun: scope.dryRun }, function* (current): Task<UpdateStep> {
    if (current === undefined) refuse(notFound(kind, name));
    checkPreconditions(options, current, kind);
    const status = (current['status'] ?? {}) as { readonly conditions?: readonly { readonly type: string }[] | null };
    const condition = {
      type: 'Terminating',
      status: 'True',
      lastTransitionTime: now,
      reason: 'InstanceDeletionPending',
      message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
    };
    const finalizers = current.metadata.finalizers ?? [];
    return {
      ...current,
      metadata: {
        ...current.metadata,
        deletionTimestamp: current.metadata.deletionTimestamp ?? now,
        finalizers: finalizers.includes(definitionFinalizer) ? finalizers : [...finalizers, definitionFinalizer],
      },
      status: { ...status, conditions: [...(status.conditions ?? []).filter((c) => c.type !== 'Terminating'), condition] },
    } as unknown as UntypedObject;
  });
  return result.object;
}

/**
 * A namespace is first marked and emptied by its controller: the first delete makes it terminate, and none removes it while spec.finalizers
 * are left (upstream pkg/registry/core/namespace/storage). Undefined when it may be deleted as any other object.
 */
function* terminateNamespace(
  scope: RequestScope,
  kind: ServedKind,
  key: string,
  existing: UntypedObject,
  options: RequestOptions,
): Task<UntypedObject | undefined> {
  checkPreconditions(options, existing, kind);
  const name = existing.metadata.name ?? '';
  if (existing.metadata.deletionTimestamp !== undefined) {
    const finalizers = (existing['spec'] as { readonly finalizers?: readonly string[] } | undefined)?.finalizers ?? [];
    return finalizers.length > 0 ? existing : undefined;
  }
  yield* validateAdmission(scope, { operation: 'DELETE', kind, name, object: undefined, oldObject: existing });
  // biome-ignore lint/correctness/useYield: a task that answers at once
  const result = yield* guaranteedUpdate(scope.server, { kind, key, name, dryRun: scope.dryRun }, function* (current): Task<UpdateStep> {
    if (current === undefined) refuse(notFound(kind, name));
    checkPreconditions(options, current, kind);
    const finalizers = nextFinalizers(kind, current, options);
    const { finalizers: before, ...metadata } = current.metadata;
    const kept = finalizers ?? before ?? [];
    return {
      ...current,
      metadata: {
        ...metadata,
        ...(kept.length > 0 ? { finalizers: kept } : {}),
        deletionTimestamp: current.metadata.deletionTimestamp ?? formatTime(scope.context.nowUs),
      },
      status: { ...(current['status'] as object | undefined), phase: 'Terminating' },
    };
  });
  return result.object;
}

function checkPreconditions(options: RequestOptions, object: UntypedObject, kind: ServedKind): void {
  const { preconditions } = options;
  if (preconditions === undefined) return;
  const { uid, resourceVersion } = preconditions;
  const { metadata } = object;
  const target = { group: kind.group, resource: kind.kind };
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
    refuse(conflict(target, metadata.name ?? '', why));
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`;
    refuse(conflict(target, metadata.name ?? '', why));
  }
}

function changed(object: UntypedObject, metadata: Partial<ObjectMeta>): UntypedObject {
  return { ...object, metadata: { ...object.metadata, ...metadata } };
}

/** Sets deletionTimestamp and grace on kinds that are deleted gracefully. */
function mark(scope: RequestScope, kind: ServedKind, object: UntypedObject, options: RequestOptions): Marking {
  const { metadata } = object;
  const asked = options.gracePeriodSeconds === undefined ? undefined : options.gracePeriodSeconds < 0 ? 1 : options.gracePeriodSeconds;
  const none: Marking = { object, graceful: false, pending: false, graceSeconds: 0 };
  const rule = kind.defaultGracePeriodSeconds;
  if (rule === undefined) return none;
  if (metadata.deletionTimestamp !== undefined) {
    const running = metadata.deletionGracePeriodSeconds;
    if (running === undefined) return none;
    if (asked === undefined || asked >= running) return { ...none, pending: running > 0 || asked === undefined || asked >= running };
    const started = (parseTime(metadata.deletionTimestamp) ?? 0) - running * usPerSecond;
    const shorter = changed(object, { deletionTimestamp: formatTime(started + asked * usPerSecond), deletionGracePeriodSeconds: asked });
    return { object: shorter, graceful: true, pending: false, graceSeconds: asked };
  }
  const own = rule(object);
  const graceSeconds = own <= 0 && asked === undefined ? Math.max(own, 0) : goesAtOnce(object) ? 0 : (asked ?? own);
  return {
    object: changed(object, {
      deletionTimestamp: formatTime(scope.context.nowUs + graceSeconds * usPerSecond),
      deletionGracePeriodSeconds: graceSeconds,
      ...((metadata.generation ?? 0) > 0 ? { generation: (metadata.generation ?? 0) + 1 } : {}),
    }),
    graceful: true,
    pending: false,
    graceSeconds,
  };
}

/** Pods that no kubelet will report on: unbound or finished ones (upstream podStrategy.CheckGracefulDelete). */
function goesAtOnce(pod: UntypedObject): boolean {
  const nodeName = (pod['spec'] as { readonly nodeName?: string } | undefined)?.nodeName;
  const phase = (pod['status'] as { readonly phase?: string } | undefined)?.phase;
  return nodeName === undefined || nodeName === '' || phase === 'Failed' || phase === 'Succeeded';
}

interface Marked {
  readonly object: UntypedObject;
  readonly deleteNow: boolean;
}

/** Upstream updateForGracefulDeletionAndFinalizers. */
function* markForDeletion(scope: RequestScope, kind: ServedKind, key: string, name: string, options: RequestOptions): Task<Marked> {
  let pending = false;
  let waits = false;
  // biome-ignore lint/correctness/useYield: a task that answers at once
  const result = yield* guaranteedUpdate(scope.server, { kind, key, name, dryRun: scope.dryRun }, function* (existing): Task<UpdateStep> {
    if (existing === undefined) refuse(notFound(kind, name));
    checkPreconditions(options, existing, kind);
    const marking = mark(scope, kind, existing, options);
    pending = marking.pending;
    if (pending) return existing;
    let next = marking.object;
    const finalizers = nextFinalizers(kind, existing, options);
    if (finalizers !== undefined) {
      const { finalizers: _, ...rest } = next.metadata;
      next = { ...next, metadata: finalizers.length > 0 ? { ...rest, finalizers } : rest };
    }
    const isHeld = (next.metadata.finalizers?.length ?? 0) > 0;
    waits = isHeld || marking.graceSeconds > 0;
    if (!marking.graceful && isHeld) next = markAsDeleting(scope, next);
    return next;
  });
  return { object: result.object, deleteNow: !pending && !waits };
}

/** Upstream pkg/registry/core/namespace/storage, Delete: a namespace only begins to terminate. */
function* markNamespace(scope: RequestScope, kind: ServedKind, key: string, name: string, options: RequestOptions): Task<UntypedObject> {
  // biome-ignore lint/correctness/useYield: a task that answers at once
  const result = yield* guaranteedUpdate(scope.server, { kind, key, name, dryRun: scope.dryRun }, function* (existing): Task<UpdateStep> {
    if (existing === undefined) refuse(notFound(kind, name));
    checkPreconditions(options, existing, kind);
    if (existing.metadata.deletionTimestamp !== undefined) return existing;
    const status = { ...(existing['status'] as object | undefined), phase: 'Terminating' };
    return { ...changed(existing, { deletionTimestamp: formatTime(scope.context.nowUs) }), status };
  });
  return result.object;
}

/** Upstream markAsDeleting: a kind without grace that has finalizers. */
function markAsDeleting(scope: RequestScope, object: UntypedObject): UntypedObject {
  const { metadata } = object;
  const isNew = metadata.deletionTimestamp === undefined;
  if (!isNew && metadata.deletionGracePeriodSeconds === 0) return object;
  return changed(object, {
    ...(isNew ? { deletionTimestamp: formatTime(scope.context.nowUs) } : {}),
    deletionGracePeriodSeconds: 0,
    ...(isNew && (metadata.generation ?? 0) > 0 ? { generation: (metadata.generation ?? 0) + 1 } : {}),
  });
}

/** Upstream deletionFinalizersForGarbageCollection: the finalizers that the propagation policy leads to, if they change. */
function nextFinalizers(kind: ServedKind, object: UntypedObject, options: RequestOptions): readonly string[] | undefined {
  if (ignoresPropagation(kind)) return undefined;
  const current = object.metadata.finalizers ?? [];
  const orphan = shouldOrphan(kind, current, options);
  const foreground = shouldDeleteDependents(current, options);
  const next = current.filter((finalizer) => finalizer !== orphanFinalizer && finalizer !== foregroundFinalizer);
  if (orphan) next.push(orphanFinalizer);
  if (foreground) next.push(foregroundFinalizer);
  const same = next.length === current.length && current.every((finalizer) => next.includes(finalizer));
  return same ? undefined : next;
}

function shouldOrphan(kind: ServedKind, finalizers: readonly string[], options: RequestOptions): boolean {
  if (options.orphanDependents !== undefined) return options.orphanDependents;
  if (options.propagationPolicy !== undefined) return options.propagationPolicy === 'Orphan';
  if (finalizers.includes(orphanFinalizer)) return true;
  if (finalizers.includes(foregroundFinalizer)) return false;
  return orphansByDefault(kind);
}

function shouldDeleteDependents(finalizers: readonly string[], options: RequestOptions): boolean {
  if (options.orphanDependents !== undefined) return false;
  if (options.propagationPolicy !== undefined) return options.propagationPolicy === 'Foreground';
  if (finalizers.includes(orphanFinalizer)) return false;
  return finalizers.includes(foregroundFinalizer);
}
