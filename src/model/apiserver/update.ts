import type { Task } from '../../sim/task.ts';
import { equalJson } from '../api/equal.ts';
import type { FieldError } from '../api/field-error.ts';
import { inVersion } from '../api/kinds/conversion.ts';
import type { ObjectMeta, Status, UntypedObject } from '../api/object.ts';
import type { ServedKind } from '../api/registry.ts';
import type { ApiResponse } from '../api/request.ts';
import { badRequest, conflict, invalid, plainError } from '../api/status.ts';
import { formatTime } from '../api/time.ts';
import { newUid } from '../api/names.ts';
import { type FieldErrors, invalid as invalidField } from '../api/validation/field-errors.ts';
import { checkMetadata, checkMetadataUpdate } from '../api/validation/metadata.ts';
import { nameIsPathSegment } from '../api/validation/names.ts';
import { admit, validateAdmission } from './admission-chain.ts';
import { allocateForCreate, allocateForUpdate } from './allocation.ts';
import { decodeBody, withDefaults } from './body.ts';
import { checkNameMatches, isUnsetVersion, kindAsNamed, withNamespace } from './request-object.ts';
import { trackUpdate } from './field-tracking.ts';
import { fromStored, isConverted, toStored } from './conversion.ts';
import { refuse } from './refusal.ts';
import { refuseTooLarge } from './request-size.ts';
import { checkWriteOptions } from './request-options.ts';
import { guaranteedUpdate, keyOf, type UpdateResult, type UpdateStep } from './resource-store.ts';
import type { RequestScope } from './server-context.ts';
import { allowsCreateOnUpdate, allowsUnconditionalUpdate, generationChanges, ttlOf } from './strategy-facts.ts';

/** Which rules an update goes through: the kind's own, or those of its status, or rules of a subresource. */
export interface UpdateRules {
  readonly prepare: (next: UntypedObject, previous: UntypedObject) => UntypedObject;
  readonly validate: (next: UntypedObject, previous: UntypedObject) => readonly FieldError[];
  readonly bumpsGeneration: boolean;
}

export function mainRules(scope: RequestScope, kind: ServedKind): UpdateRules {
  return {
    prepare: (next, previous) => (kind.prepareForUpdate === undefined ? next : kind.prepareForUpdate(next, previous, scope.context)),
    validate: (next, previous) => kind.validateUpdate?.(next, previous, scope.context) ?? [],
    bumpsGeneration: kind.hasGeneration,
  };
}

export function statusRules(scope: RequestScope, kind: ServedKind): UpdateRules {
  return {
    prepare: (next, previous) =>
      kind.prepareForStatusUpdate === undefined ? onlyStatus(next, previous) : kind.prepareForStatusUpdate(next, previous, scope.context),
    validate: (next, previous) => kind.validateStatusUpdate?.(next, previous, scope.context) ?? [],
    bumpsGeneration: false,
  };
}

/** A status update of a kind without rules of its own: the status, and what only metadata.managedFields and the version say. */
function onlyStatus(next: UntypedObject, previous: UntypedObject): UntypedObject {
  const { managedFields, resourceVersion, annotations, uid } = next.metadata;
  const metadata: ObjectMeta = {
    ...previous.metadata,
    ...(managedFields === undefined ? {} : { managedFields }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(uid === undefined ? {} : { uid }),
  };
  const { status: _, ...rest } = previous;
  return { ...rest, metadata, ...(next['status'] === undefined ? {} : { status: next['status'] }) } as UntypedObject;
}

export function rulesOf(scope: RequestScope, kind: ServedKind): UpdateRules {
  return scope.request.subresource === 'status' ? statusRules(scope, kind) : mainRules(scope, kind);
}

/** PUT: upstream `endpoints/handlers/update.go` and `registry.Store.Update`. */
export function* update(scope: RequestScope, rules?: UpdateRules): Task<ApiResponse> {
  const { kind } = scope;
  const name = scope.request.name ?? '';
  checkWriteOptions('UpdateOptions', scope.options);
  const decoded = withDefaults(
    scope,
    kind,
    decodeBody(scope, kind, scope.request.object, cachedObject(scope, kind, keyOf(kind, scope.namespace, name))),
  );
  const body = withNamespace(scope, kind, decoded);
  const bodyName = body.metadata.name ?? '';
  if (bodyName === '') refuse(badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`));
  checkNameMatches(name, bodyName);
  const result = yield* updateObject(scope, kind, rules ?? rulesOf(scope, kind), {
    name,
    uid: body.metadata.uid,
    allowCreate: (scope.request.subresource ?? '') === '' && allowsCreateOnUpdate(kind),
    transform: (existing) => tracked(scope, kind, existing, body),
  });
  return { code: result.created ? 201 : 200, object: result.object };
}

// biome-ignore lint/correctness/useYield: a task that answers at once
function* tracked(scope: RequestScope, kind: ServedKind, existing: UntypedObject | undefined, body: UntypedObject): Task<UntypedObject> {
  return trackUpdate(scope, kind, existing, body);
}

export interface UpdatePlan {
  readonly name: string;
  readonly uid?: string | undefined;
  readonly allowCreate: boolean;
  /** The object as the request wants it, from what is stored. */
  readonly transform: (existing: UntypedObject | undefined) => Task<UntypedObject>;
}

/** The state of an object in the watch cache, from which an update may start. */
export function cachedObject(scope: RequestScope, kind: ServedKind, key: string): UntypedObject | undefined {
  if (scope.server.options.watchCache === false) return undefined;
  const cache = scope.server.cacheOf(kind);
  return cache.ready ? cache.get(key) : undefined;
}

/** Upstream registry.Store.Update: everything from the stored object to the stored next one. */
export function* updateObject(scope: RequestScope, kind: ServedKind, rules: UpdateRules, plan: UpdatePlan): Task<UpdateResult> {
  const { server } = scope;
  const { name } = plan;
  const key = keyOf(kind, scope.namespace, name);
  const result = yield* guaranteedUpdate(
    server,
    {
      kind,
      key,
      name,
      uid: plan.uid === '' ? undefined : plan.uid,
      dryRun: scope.dryRun,
      allowCreate: plan.allowCreate,
      ttlSeconds: ttlOf(kind),
      cached: cachedObject(scope, kind, key),
    },
    (stored) => stepOf(scope, kind, rules, plan, stored),
  );
  return result.object.apiVersion === kind.apiVersion ? result : { ...result, object: inVersion(result.object, kind.apiVersion) };
}

/**
 * One try of an update, from what is stored to what shall be. A function of its own, not a generator expression in {@link updateObject}: V8
 * makes every generator that an expression creates a hidden class that lives until the next full collection, with all that the expression
 * closes over.
 */
function* stepOf(
  scope: RequestScope,
  kind: ServedKind,
  rules: UpdateRules,
  plan: UpdatePlan,
  stored: UntypedObject | undefined,
): Task<UpdateStep> {
  const { name } = plan;
  const existing = stored === undefined ? undefined : fromStored(kind, inVersion(stored, kind.apiVersion));
  const wanted = yield* plan.transform(existing);
  const operation = existing === undefined ? 'CREATE' : 'UPDATE';
  const admitted = (yield* admit(scope, { operation, kind, name, object: wanted, oldObject: existing })) as UntypedObject;
  if (existing === undefined) {
    const created = yield* createByUpdate(scope, kind, admitted);
    return isConverted(kind) ? toStored(kind, created) : inVersion(created, scope.server.registry.storageKind(kind).apiVersion);
  }
  const step = yield* nextState(scope, kind, rules, admitted, existing);
  if (!('remove' in step)) refuseTooLarge(scope, step as UntypedObject);
  if (isConverted(kind)) return 'remove' in step ? { remove: toStored(kind, step.remove as UntypedObject) } : toStored(kind, step);
  return stored === existing || 'remove' in step ? step : inVersion(step as UntypedObject, stored?.apiVersion ?? '');
}

function* createByUpdate(scope: RequestScope, kind: ServedKind, object: UntypedObject): Task<UntypedObject> {
  const { resourceVersion, ...given } = object.metadata;
  const filled: UntypedObject = {
    ...object,
    metadata: {
      ...given,
      uid: newUid(scope.server.environment.random),
      creationTimestamp: formatTime(scope.context.nowUs),
      ...(kind.hasGeneration ? { generation: 1 } : {}),
    },
  };
  const { object: prepared } = yield* allocateForCreate(
    scope,
    kind,
    kind.prepareForCreate === undefined ? filled : kind.prepareForCreate(filled, scope.context),
  );
  const errors = kind.validate?.(prepared, scope.context) ?? [];
  if (errors.length > 0) refuse(invalid(kind, prepared.metadata.name ?? '', errors));
  yield* validateAdmission(scope, {
    operation: 'CREATE',
    kind,
    name: prepared.metadata.name ?? '',
    object: prepared,
    oldObject: undefined,
  });
  if (!isUnsetVersion(resourceVersion)) refuse(plainError('resourceVersion should not be set on objects to be created'));
  return prepared;
}

function* nextState(
  scope: RequestScope,
  kind: ServedKind,
  rules: UpdateRules,
  wanted: UntypedObject,
  existing: UntypedObject,
): Task<UpdateStep> {
  const name = existing.metadata.name ?? '';
  const current = existing.metadata.resourceVersion ?? '';
  const given = wanted.metadata.resourceVersion ?? '';
  let next = wanted;
  if (given === '' || given === '0') {
    if (!allowsUnconditionalUpdate(kind)) {
      const error = invalidField('metadata.resourceVersion', 0, 'must be specified for an update');
      refuse(invalid({ group: kind.group, kind: kind.resource }, name, [error]));
    }
    next = { ...next, metadata: { ...next.metadata, resourceVersion: current } };
  } else if (given !== current) {
    if (!/^[0-9]+$/.test(given)) refuse(plainError(`strconv.ParseUint: parsing ${JSON.stringify(given)}: invalid syntax`));
    refuse(conflict(kind, name));
  }
  next = beforeUpdate(scope, kind, rules, next, existing);
  if (kind.kind === 'Service') {
    const allocation = yield* allocateForUpdate(scope, kind, next, existing);
    next = allocation.object;
  }
  yield* validateAdmission(scope, { operation: 'UPDATE', kind, name, object: next, oldObject: existing });
  return goesNow(next, existing) ? { remove: { ...next, metadata: { ...next.metadata, resourceVersion: current } } } : next;
}

export function invalidVersion(text: string): Status {
  return plainError(
    `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}

/** Upstream rest.BeforeUpdate. */
function beforeUpdate(
  scope: RequestScope,
  kind: ServedKind,
  rules: UpdateRules,
  wanted: UntypedObject,
  existing: UntypedObject,
): UntypedObject {
  let next = withMetadata(wanted, carried(wanted.metadata, existing.metadata));
  next = rules.prepare(next, existing);
  if (rules.bumpsGeneration && generationChanges(kind, next, existing, equalJson)) {
    next = withMetadata(next, { ...next.metadata, generation: (existing.metadata.generation ?? 0) + 1 });
  }
  const errors: FieldErrors = [];
  if (next.metadata !== existing.metadata) {
    const rule = { namespaced: kind.namespaced, name: nameIsPathSegment };
    checkMetadata(next.metadata, rule, errors);
    checkMetadataUpdate(next.metadata, existing.metadata, rule, errors);
  }
  const found = rules.validate(next, existing);
  for (let i = 0; i < found.length; i++) errors.push(found[i] as (typeof errors)[number]);
  if (errors.length > 0) refuse(invalid(kindAsNamed(kind, next), existing.metadata.name ?? '', errors));
  for (const warning of kind.warnings?.(next, existing, scope.context) ?? []) scope.warnings.push(warning);
  return next;
}

function withMetadata(object: UntypedObject, metadata: ObjectMeta): UntypedObject {
  return metadata === object.metadata ? object : { ...object, metadata };
}

/** Metadata that an update may leave out or not change. */
function carried(next: ObjectMeta, previous: ObjectMeta): ObjectMeta {
  if (
    next.uid !== undefined &&
    next.uid !== '' &&
    next.generation === previous.generation &&
    next.creationTimestamp === previous.creationTimestamp &&
    next.deletionTimestamp === previous.deletionTimestamp &&
    next.deletionGracePeriodSeconds === previous.deletionGracePeriodSeconds
  ) {
    return next;
  }
  const { generation: _g, deletionTimestamp: _d, ...rest } = next;
  return {
    ...rest,
    ...((next.uid ?? '') === '' ? { uid: previous.uid ?? '' } : {}),
    ...(previous.generation === undefined ? {} : { generation: previous.generation }),
    creationTimestamp: previous.creationTimestamp ?? null,
    ...(previous.deletionTimestamp !== undefined
      ? { deletionTimestamp: previous.deletionTimestamp }
      : next.deletionTimestamp !== undefined
        ? { deletionTimestamp: next.deletionTimestamp }
        : {}),
    ...(next.deletionGracePeriodSeconds === undefined && previous.deletionGracePeriodSeconds !== undefined
      ? { deletionGracePeriodSeconds: previous.deletionGracePeriodSeconds }
      : {}),
  };
}

/** Upstream ShouldDeleteDuringUpdate: the last finalizer of a terminating object went, and its grace is over. */
function goesNow(next: UntypedObject, existing: UntypedObject): boolean {
  if (existing.metadata.deletionTimestamp === undefined || (next.metadata.finalizers?.length ?? 0) > 0) return false;
  // Namespaces have finalizers in their spec and no grace period.
  if (next.kind === 'Namespace')
    return ((next['spec'] as { readonly finalizers?: readonly string[] } | undefined)?.finalizers?.length ?? 0) === 0;
  return existing.metadata.deletionGracePeriodSeconds === 0;
}
