import type { Task } from '../../sim/task.ts';
import { inVersion } from '../api/kinds/conversion.ts';
import { generatedName, newUid } from '../api/names.ts';
import type { ObjectMeta, UntypedObject } from '../api/object.ts';
import type { ServedKind } from '../api/registry.ts';
import type { ApiResponse } from '../api/request.ts';
import { alreadyExists, forbidden, generateNameConflict, invalid, plainError } from '../api/status.ts';
import { formatTime } from '../api/time.ts';
import type { FieldErrors } from '../api/validation/field-errors.ts';
import { checkMetadata } from '../api/validation/metadata.ts';
import { nameIsPathSegment } from '../api/validation/names.ts';
import { type AdmissionSubject, admit, validateAdmission } from './admission-chain.ts';
import { allocateForCreate } from './allocation.ts';
import { review } from './auth/reviews.ts';
import { bind } from './subresource/binding.ts';
import { decodeBody, withDefaults } from './body.ts';
import { trackUpdate } from './field-tracking.ts';
import { isConverted, toStored } from './conversion.ts';
import { refuse } from './refusal.ts';
import { checkNameMatches, isUnsetVersion, kindAsNamed, withNamespace } from './request-object.ts';
import { refuseTooLarge } from './request-size.ts';
import { checkWriteOptions } from './request-options.ts';
import { createObject, keyOf, readObject } from './resource-store.ts';
import type { RequestScope } from './server-context.ts';
import { ttlOf } from './strategy-facts.ts';

/** Upstream maxNameGenerationCreateAttempts (feature RetryGenerateName). */
const generateNameAttempts = 8;

/** POST of a new object: upstream `endpoints/handlers/create.go` and `registry/generic/registry.Store.Create`. */
export function* create(scope: RequestScope): Task<ApiResponse> {
  const { kind } = scope;
  checkWriteOptions('CreateOptions', scope.options);
  if (kind.custom !== undefined && scope.server.customResources.isTerminating(kind)) {
    refuse(
      forbidden(kind, scope.request.object?.metadata?.name ?? '', 'create not allowed while custom resource definition is terminating'),
    );
  }
  const reviewed = yield* review(scope);
  if (reviewed !== undefined) return reviewed;
  // The old way to bind: POST to the collection of bindings.
  if (kind.kind === 'Binding') return yield* bind(scope, scope.request.object?.metadata?.name ?? '');
  const body = withNamespace(scope, kind, withDefaults(scope, kind, decodeBody(scope, kind, scope.request.object)));
  if (scope.request.name !== undefined && scope.request.name !== '') checkNameMatches(scope.request.name, body.metadata.name ?? '');
  const object = trackUpdate(scope, kind, undefined, withoutSystemFields(body));
  const stored = yield* createDecoded(scope, kind, object);
  return { code: 201, object: stored };
}

/** What a creator may not set is nobody's field either. */
function withoutSystemFields(object: UntypedObject): UntypedObject {
  if (object.metadata.deletionTimestamp === undefined && object.metadata.deletionGracePeriodSeconds === undefined) return object;
  const { deletionTimestamp: _t, deletionGracePeriodSeconds: _g, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** Admission, strategy, validation and storage of a new object that has been decoded and defaulted. */
export function* createDecoded(scope: RequestScope, kind: ServedKind, object: UntypedObject): Task<UntypedObject> {
  const { server } = scope;
  const named = object.metadata.name ?? '';
  const subject = { operation: 'CREATE' as const, kind, name: named, oldObject: undefined };
  const admitted = (yield* admit(scope, { ...subject, object })) as UntypedObject;
  const base = admitted.metadata.generateName ?? '';
  const isGenerated = named === '' && base !== '';
  for (let attempt = 1; ; attempt++) {
    const prepared = prepare(scope, kind, admitted, isGenerated ? generatedName(base, server.environment.random) : named);
    const allocation = yield* allocateForCreate(scope, kind, prepared);
    let stored: UntypedObject | undefined;
    try {
      stored = yield* store(scope, kind, allocation.object, subject);
    } finally {
      if (stored === undefined) yield* allocation.release();
    }
    if (stored !== undefined) return stored;
    if (isGenerated && attempt < generateNameAttempts) continue;
    if (isGenerated) refuse(generateNameConflict(kind, prepared.metadata.name ?? ''));
    refuseTaken(kind, prepared, yield* readObject(server, keyOf(kind, scope.namespace, prepared.metadata.name ?? '')));
  }
}

/** Validates and puts a prepared object; undefined when its name is taken. */
function* store(
  scope: RequestScope,
  kind: ServedKind,
  object: UntypedObject,
  subject: Omit<AdmissionSubject, 'object'>,
): Task<UntypedObject | undefined> {
  checkCreate(scope, kind, object);
  yield* validateAdmission(scope, { ...subject, name: object.metadata.name ?? '', object });
  if (!isUnsetVersion(object.metadata.resourceVersion)) refuse(plainError('resourceVersion should not be set on objects to be created'));
  const key = keyOf(kind, scope.namespace, object.metadata.name ?? '');
  refuseTooLarge(scope);
  if (!scope.dryRun) {
    const form = isConverted(kind) ? toStored(kind, object) : inVersion(object, scope.server.registry.storageKind(kind).apiVersion);
    const created = yield* createObject(scope.server, key, form, ttlOf(kind));
    return created === undefined || isConverted(kind) ? created : inVersion(created, kind.apiVersion);
  }
  const taken = yield* readObject(scope.server, key);
  return taken === undefined ? object : undefined;
}

function refuseTaken(kind: ServedKind, object: UntypedObject, taken: UntypedObject | undefined): never {
  const prefix = taken?.metadata.deletionTimestamp === undefined ? '' : 'object is being deleted: ';
  return refuse(alreadyExists(kind, object.metadata.name ?? '', prefix));
}

/** Upstream rest.BeforeCreate up to validation. */
function prepare(scope: RequestScope, kind: ServedKind, object: UntypedObject, name: string): UntypedObject {
  const metadata: Mutable<ObjectMeta> = { ...withoutServerFields(object.metadata) };
  if (name !== '') metadata.name = name;
  metadata.uid = newUid(scope.server.environment.random);
  metadata.creationTimestamp = formatTime(scope.context.nowUs);
  if (kind.hasGeneration) metadata.generation = 1;
  const filled: UntypedObject = { ...object, metadata };
  return kind.prepareForCreate === undefined ? filled : kind.prepareForCreate(filled, scope.context);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Taking fields out of an object is slow, and hardly anybody sends these. */
function withoutServerFields(metadata: ObjectMeta & { readonly selfLink?: string }): ObjectMeta {
  if (
    metadata.deletionTimestamp === undefined &&
    metadata.deletionGracePeriodSeconds === undefined &&
    metadata.generation === undefined &&
    metadata.selfLink === undefined
  )
    return metadata;
  const { deletionTimestamp: _t, deletionGracePeriodSeconds: _g, generation: _n, selfLink: _s, ...given } = metadata;
  return given;
}

function checkCreate(scope: RequestScope, kind: ServedKind, object: UntypedObject): void {
  const errors = kind.validate?.(object, scope.context) ?? [];
  if (errors.length > 0) refuse(invalid(kindAsNamed(kind, object), object.metadata.name ?? '', errors));
  const common: FieldErrors = [];
  checkMetadata(object.metadata, { namespaced: kind.namespaced, name: nameIsPathSegment }, common);
  if (common.length > 0) refuse(invalid(kind, object.metadata.name ?? '', common));
  for (const warning of kind.warnings?.(object, undefined, scope.context) ?? []) scope.warnings.push(warning);
}
