import type { Task } from '../../../sim/task.ts';
import { valueAt } from '../../api/custom/json-path.ts';
import { decode } from '../../api/decode.ts';
import { formatLabelSelector, parseLabelSelector, selectorOf, type ParsedLabelSelector } from '../../api/label-selector.ts';
import { applyConfiguration, conflictMessage } from '../../api/managed/field-manager.ts';
import type { Json, UntypedObject } from '../../api/object.ts';
import type { ServedKind } from '../../api/registry.ts';
import type { ApiResponse } from '../../api/request.ts';
import { structType } from '../../api/schema.ts';
import { applyConflict, badRequest, invalid, methodNotAllowed, notFound, plainError } from '../../api/status.ts';
import type { LabelSelector, Scale } from '../../api/types.ts';
import { invalid as invalidField } from '../../api/validation/field-errors.ts';
import { decodeBody, withDefaults } from '../body.ts';
import { jsonPatchOf, mergePatchOf } from '../patch-documents.ts';
import { checkNameMatches } from '../request-object.ts';
import { managerRequest, trackUpdate } from '../field-tracking.ts';
import { refuse } from '../refusal.ts';
import { checkPatchOptions, checkWriteOptions } from '../request-options.ts';
import { keyOf, readObject } from '../resource-store.ts';
import type { RequestScope } from '../server-context.ts';
import { mainRules, updateObject } from '../update.ts';

/** autoscaling/v1 Scale as a kind to decode bodies with. */
const scaleKind = {
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  resource: 'scales',
  singular: 'scale',
  shortNames: [],
  categories: [],
  namespaced: true,
  storagePath: '',
  subresources: [],
  hasGeneration: false,
  type: structType('Scale'),
  apiVersion: 'autoscaling/v1',
  storeKey: '',
} satisfies ServedKind;

interface Scalable extends UntypedObject {
  readonly spec: { readonly replicas?: number; readonly selector?: LabelSelector | Readonly<Record<string, string>> };
  readonly status?: { readonly replicas?: number };
}

/** The scale subresource: one number of a workload. */
export function* scale(scope: RequestScope): Task<ApiResponse> {
  const { kind, request } = scope;
  switch (request.verb) {
    case 'get': {
      const object = yield* readObject(scope.server, keyOf(kind, scope.namespace, request.name ?? ''));
      if (object === undefined) refuse(notFound(kind, request.name ?? ''));
      return { code: 200, object: scaleOf(kind, object) };
    }
    case 'update':
      return yield* putScale(scope);
    case 'patch':
      return yield* patchScale(scope);
    default:
      return refuse(methodNotAllowed());
  }
}

function scaleOf(kind: ServedKind, object: UntypedObject): UntypedObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const paths = kind.custom?.scale;
  const own = object as Scalable;
  const spec = paths === undefined ? own.spec : { replicas: Number(valueAt(object, paths.specPath) ?? 0) };
  const status = paths === undefined ? own.status : { replicas: Number(valueAt(object, paths.statusPath) ?? 0) };
  const selector =
    paths === undefined
      ? selectorText(kind, own.spec.selector)
      : String((paths.selectorPath === undefined ? undefined : valueAt(object, paths.selectorPath)) ?? '');
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      name: name ?? '',
      ...(namespace === undefined ? {} : { namespace }),
      uid: uid ?? '',
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      creationTimestamp: creationTimestamp ?? null,
    },
    spec: (spec.replicas ?? 0) === 0 ? {} : { replicas: spec.replicas ?? 0 },
    status: { replicas: status?.replicas ?? 0, ...(selector === '' ? {} : { selector }) },
  };
}

function selectorText(kind: ServedKind, selector: Scalable['spec']['selector']): string {
  if (selector === undefined) return '';
  if (kind.kind !== 'ReplicationController') return formatLabelSelector(selectorOf(selector as LabelSelector));
  const pairs = selector as Readonly<Record<string, string>>;
  const parsed = parseLabelSelector(
    Object.keys(pairs)
      .map((key) => `${key}=${pairs[key]}`)
      .join(','),
  );
  return 'error' in parsed ? '' : formatLabelSelector(parsed as ParsedLabelSelector);
}

function checkScale(object: UntypedObject): Scale {
  const value = object as unknown as Scale;
  const replicas = value.spec?.replicas ?? 0;
  if (replicas < 0) {
    refuse(
      invalid({ group: 'autoscaling', kind: 'Scale' }, value.metadata.name ?? '', [
        invalidField('spec.replicas', replicas, 'must be greater than or equal to 0'),
      ]),
    );
  }
  return value;
}

/** The workload with the scale's number, and the version that the scale names. */
function scaled(scope: RequestScope, existing: UntypedObject, value: Scale): UntypedObject {
  const current = existing as Scalable;
  const { resourceVersion = '' } = value.metadata;
  const next = {
    ...current,
    metadata: { ...current.metadata, resourceVersion },
    spec: { ...current.spec, replicas: value.spec?.replicas ?? 0 },
  } as unknown as UntypedObject;
  return trackUpdate(scope, scope.kind, existing, withDefaults(scope, scope.kind, next));
}

function* putScale(scope: RequestScope): Task<ApiResponse> {
  const { kind, request } = scope;
  const name = request.name ?? '';
  checkWriteOptions('UpdateOptions', scope.options);
  const body = decodeBody(scope, scaleKind, request.object);
  checkNameMatches(name, body.metadata.name ?? '');
  const result = yield* updateObject(scope, kind, mainRules(scope, kind), {
    name,
    uid: body.metadata.uid,
    allowCreate: false,
    // biome-ignore lint/correctness/useYield: a task that answers at once
    transform: function* (existing) {
      return scaled(scope, existing as UntypedObject, checkScale(body));
    },
  });
  return { code: 200, object: scaleOf(kind, result.object) };
}

function* patchScale(scope: RequestScope): Task<ApiResponse> {
  const { kind, request } = scope;
  const name = request.name ?? '';
  const isApply = request.patchType === 'apply';
  checkPatchOptions(scope.options, isApply);
  const result = yield* updateObject(scope, kind, mainRules(scope, kind), {
    name,
    allowCreate: false,
    // biome-ignore lint/correctness/useYield: a task that answers at once
    transform: function* (existing) {
      const object = existing as UntypedObject;
      if (isApply) return applied(scope, object);
      const document = scaleOf(kind, object) as unknown as Json;
      const patch = request.patch ?? null;
      const patched = request.patchType === 'json' ? jsonPatchOf(patch)(document) : mergePatchOf(patch)(document);
      const decoded = decode(scaleKind.type, patched as unknown as UntypedObject);
      if (decoded.error !== undefined) refuse(badRequest(decoded.error));
      checkNameMatches(name, decoded.object.metadata.name ?? '');
      return scaled(scope, object, checkScale(decoded.object));
    },
  });
  return { code: 200, object: scaleOf(kind, result.object) };
}

/** Server-side apply of a Scale owns spec.replicas of the workload. */
function applied(scope: RequestScope, existing: UntypedObject): UntypedObject {
  const { kind } = scope;
  const value = checkScale(decodeBody(scope, scaleKind, scope.request.patch as unknown as UntypedObject));
  const request = managerRequest(scope, kind);
  if (request === undefined) return scaled(scope, existing, value);
  const config: UntypedObject = {
    kind: kind.kind,
    apiVersion: kind.apiVersion,
    metadata: { name: scope.request.name ?? '' },
    spec: { replicas: value.spec?.replicas ?? 0 },
  };
  const outcome = applyConfiguration(request, existing, config, scope.options.force === true, (merged) =>
    withDefaults(scope, kind, merged),
  );
  if (outcome.error !== undefined) refuse(plainError(outcome.error));
  if (outcome.conflicts !== undefined)
    refuse(
      applyConflict(
        outcome.conflicts.map(({ text, field }) => ({ manager: text, field })),
        conflictMessage(outcome.conflicts),
      ),
    );
  return outcome.object;
}
