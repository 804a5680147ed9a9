import type { Task } from '../../sim/task.ts';
import { decode } from '../api/decode.ts';
import { applyConfiguration, conflictMessage } from '../api/managed/field-manager.ts';
import type { Json, UntypedObject } from '../api/object.ts';
import type { JsonPatchOperation } from '../api/patch/json-patch.ts';
import { applyMergePatch } from '../api/patch/merge-patch.ts';
import { applyStrategicMerge, goText, StrategicMergeFailure } from '../api/patch/strategic-merge.ts';
import type { ServedKind } from '../api/registry.ts';
import type { ApiResponse } from '../api/request.ts';
import { applyConflict, badRequest, conflict, invalid, plainError, unsupportedMediaType } from '../api/status.ts';
import { invalid as invalidField } from '../api/validation/field-errors.ts';
import { splitApiVersion } from '../api/validation/metadata.ts';
import { decodeMetadata, duplicateTexts, reportFields, withDefaults } from './body.ts';
import { withNamespace } from './request-object.ts';
import { managerRequest, trackUpdate } from './field-tracking.ts';
import { Refusal, refuse } from './refusal.ts';
import { goJsonKind, jsonPatchOf, mergePatchOf } from './patch-documents.ts';
import { checkPatchOptions } from './request-options.ts';
import type { UpdateResult } from './resource-store.ts';
import type { RequestScope } from './server-context.ts';
import { rulesOf, type UpdateRules, updateObject } from './update.ts';

/** Upstream maxPatchConflicts: a patch that meets a conflict is computed anew. */
const conflictRetries = 5;

/** PATCH in all its forms: upstream `endpoints/handlers/patch.go`. */
export function* patch(scope: RequestScope, rules?: UpdateRules): Task<ApiResponse> {
  const { kind, request } = scope;
  const isApply = request.patchType === 'apply';
  checkPatchOptions(scope.options, isApply);
  if (kind.type === undefined && request.patchType === 'strategic') {
    refuse(unsupportedMediaType('application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml'));
  }
  const name = request.name ?? '';
  const apply = patchFunction(scope, kind);
  const isPinned = pinsVersion(request.patch);
  for (let attempt = 1; ; attempt++) {
    try {
      const result: UpdateResult = yield* updateObject(scope, kind, rules ?? rulesOf(scope, kind), {
        name,
        allowCreate: isApply && (request.subresource ?? '') === '',
        transform: (existing) => patched(scope, name, apply, existing),
      });
      return { code: result.created ? 201 : 200, object: result.object };
    } catch (refusal) {
      const isConflict = refusal instanceof Refusal && refusal.status.reason === 'Conflict' && refusal.status.details?.causes === undefined;
      if (!isConflict || isPinned || attempt >= conflictRetries) throw refusal;
    }
  }
}

// biome-ignore lint/correctness/useYield: a task that answers at once
function* patched(scope: RequestScope, name: string, apply: PatchFunction, existing: UntypedObject | undefined): Task<UntypedObject> {
  return checkName(scope, name, apply(existing));
}

function pinsVersion(body: Json | undefined): boolean {
  if (body === undefined || typeof body !== 'object' || body === null) return false;
  if (Array.isArray(body))
    return (body as readonly Json[]).some((op) => (op as JsonPatchOperation | null)?.path === '/metadata/resourceVersion');
  const metadata = (body as { readonly [key: string]: Json })['metadata'] as { readonly [key: string]: Json } | null | undefined;
  return metadata?.['resourceVersion'] !== undefined || metadata?.['uid'] !== undefined;
}

/** The name and namespace that a patch leads to must be those of the URL. */
function checkName(scope: RequestScope, name: string, object: UntypedObject): UntypedObject {
  const given = object.metadata?.name ?? '';
  if (given === '') refuse(badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`));
  if (given !== name) refuse(badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`));
  return withNamespace(scope, scope.kind, object);
}

type PatchFunction = (existing: UntypedObject | undefined) => UntypedObject;

function patchFunction(scope: RequestScope, kind: ServedKind): PatchFunction {
  const body = scope.request.patch ?? null;
  switch (scope.request.patchType) {
    case 'json':
      return jsonPatch(scope, kind, body);
    case 'merge':
      return mergePatch(scope, kind, body);
    case 'strategic':
      return strategicPatch(scope, kind, body);
    case 'apply':
      return applyPatch(scope, kind, body);
    default:
      return refuse(
        unsupportedMediaType(
          'application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml',
        ),
      );
  }
}

function mergePatch(scope: RequestScope, kind: ServedKind, body: Json): PatchFunction {
  const apply = mergePatchOf(body);
  return (existing) => decoded(scope, kind, existing, apply(existing as unknown as Json), 'document');
}

function jsonPatch(scope: RequestScope, kind: ServedKind, body: Json): PatchFunction {
  const apply = jsonPatchOf(body);
  return (existing) => decoded(scope, kind, existing, apply(existing as unknown as Json), 'document');
}

function strategicPatch(scope: RequestScope, kind: ServedKind, body: Json): PatchFunction {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    refuse(
      badRequest(`json: cannot unmarshal ${Array.isArray(body) ? 'array' : typeof body} into Go value of type map[string]interface {}`),
    );
  }
  const map = body as { readonly [key: string]: Json };
  return (existing) => {
    let document: Json;
    try {
      document = applyStrategicMerge(existing as unknown as { readonly [key: string]: Json }, map, kind.type) as Json;
    } catch (error) {
      if (!(error instanceof StrategicMergeFailure)) throw error;
      return refuse(plainError(error.message));
    }
    return decoded(scope, kind, existing, document, 'patch');
  };
}

/** Decodes and defaults what a patch led to. What cannot be decoded is told with the patched document, or with the patch itself. */
function decoded(
  scope: RequestScope,
  kind: ServedKind,
  existing: UntypedObject | undefined,
  document: Json,
  tell: 'document' | 'patch',
): UntypedObject {
  const object = document as unknown as UntypedObject;
  const fail = (why: string): never => {
    const shown = tell === 'document' ? documentText(document) : goText(scope.request.patch);
    const error = invalidField('patch', shown, why);
    return refuse(invalid({ group: '', kind: '' }, '', [error]));
  };
  if (Array.isArray(document)) {
    const envelope = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
    fail(`couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type ${envelope}`);
  }
  // What is no text is left for the decoder to refuse.
  const isText = (value: unknown): boolean => typeof value === 'string' || value === undefined || value === null;
  const retyped =
    existing !== undefined &&
    (object.kind !== existing.kind || object.apiVersion !== existing.apiVersion) &&
    isText(object.kind) &&
    isText(object.apiVersion);
  if (retyped && (object.kind ?? '') !== '' && object.kind !== kind.kind) {
    const { version } = splitApiVersion(object.apiVersion ?? kind.apiVersion);
    fail(
      `converting (${version}.${object.kind}) to (${kind.group === '' ? 'core' : (kind.group.split('.')[0] ?? '')}.${kind.kind}): unknown conversion`,
    );
  }
  let next: UntypedObject = retyped ? { ...object, kind: kind.kind, apiVersion: kind.apiVersion } : object;
  if (kind.type !== undefined) {
    const result = decode(kind.type, next, existing);
    if (result.error !== undefined) fail(tell === 'patch' ? unstructuredError(result.error) : result.error);
    if (result.unknown.length > 0) {
      const problems = result.unknown.map((path) => `unknown field ${JSON.stringify(path)}`);
      if (scope.options.fieldValidation === 'Strict') fail(`strict decoding error: ${problems.join(', ')}`);
      if (scope.options.fieldValidation !== 'Ignore') scope.warnings.push(...problems);
    }
    next = result.object;
  } else if (kind.custom !== undefined) {
    const { object, unknown } = kind.custom.prune(decodeMetadata(next));
    if (unknown.length > 0) {
      const problems = unknown.map((path) => `unknown field ${JSON.stringify(path)}`);
      if (scope.options.fieldValidation === 'Strict') fail(`strict decoding error: ${problems.join(', ')}`);
      if (scope.options.fieldValidation !== 'Ignore') scope.warnings.push(...problems);
    }
    next = object;
  }
  if (next.metadata === undefined) next = { ...next, metadata: {} };
  next = withDefaults(scope, kind, next);
  return trackUpdate(scope, kind, existing, next);
}

/** The words of the unstructured converter, which decodes strategic patches. */
function unstructuredError(error: string): string {
  const match = /^json: cannot unmarshal (\S+).* of type (\S+)$/.exec(error);
  if (match === null) return error;
  const [, from = '', to = ''] = match;
  const source = from === 'array' ? 'slice' : from === 'object' ? 'map' : from === 'number' ? 'int64' : from;
  if (to.startsWith('[]')) return `cannot restore slice from ${source}`;
  if (to.startsWith('map')) return `cannot restore map from ${source}`;
  if (to.startsWith('v1.')) return `cannot restore struct from: ${source}`;
  return `cannot convert ${source} to ${to}`;
}

const metadataOrder = [
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'managedFields',
];
const entryOrder = ['manager', 'operation', 'apiVersion', 'time', 'fieldsType', 'fieldsV1', 'subresource'];

/** A patched document as the library prints it: its keys sorted, metadata in the order of its Go struct. */
function documentText(document: Json): string {
  if (Array.isArray(document)) return JSON.stringify(document);
  const map = document as { readonly [key: string]: Json };
  const out: Record<string, Json> = {};
  for (const key of Object.keys(map).sort()) out[key] = map[key] as Json;
  const metadata = out['metadata'];
  if (typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata)) {
    const ordered = inOrder(metadata as { readonly [key: string]: Json }, metadataOrder);
    const entries = ordered['managedFields'];
    if (Array.isArray(entries))
      ordered['managedFields'] = (entries as readonly ({ readonly [key: string]: Json } | null)[]).map((entry) =>
        entry === null ? null : inOrder({ ...entry, fieldsV1: sortedKeys(entry['fieldsV1'] ?? null) }, entryOrder),
      );
    out['metadata'] = ordered;
  }
  return JSON.stringify(out);
}

function sortedKeys(value: Json): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const map = value as { readonly [key: string]: Json };
  return Object.fromEntries(
    Object.keys(map)
      .sort()
      .map((key) => [key, sortedKeys(map[key] as Json)]),
  );
}

function inOrder(map: { readonly [key: string]: Json }, order: readonly string[]): Record<string, Json> {
  const out: Record<string, Json> = {};
  for (const key of order) if (map[key] !== undefined) out[key] = map[key] as Json;
  for (const key of Object.keys(map)) if (!(key in out)) out[key] = map[key] as Json;
  return out;
}

/** Server-side apply. */
function applyPatch(scope: RequestScope, kind: ServedKind, body: Json): PatchFunction {
  if (body !== null && (typeof body !== 'object' || Array.isArray(body))) {
    const what = goJsonKind(body);
    refuse(
      badRequest(
        `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${what} into Go value of type map[string]interface {}`,
      ),
    );
  }
  const given = (body ?? {}) as unknown as UntypedObject;
  const config = ((given.metadata as unknown) ?? undefined) === undefined ? { ...given, metadata: {} } : given;
  const { group, version } = splitApiVersion(String(config.apiVersion ?? ''));
  if (config.apiVersion !== kind.apiVersion || config.kind !== kind.kind) {
    refuse(badRequest(`invalid object type: ${group}/${version}, Kind=${String(config.kind ?? '')}`));
  }
  const duplicates = duplicateTexts(scope);
  if (duplicates.length > 0 && scope.options.fieldValidation === 'Strict') {
    refuse(badRequest(`error strict decoding YAML: error converting YAML to JSON: ${duplicates.join(', ')}`));
  }
  if (duplicates.length > 0) reportFields(scope, kind, duplicates);
  return (existing) => {
    const { metadata } = config;
    if (metadata.managedFields !== undefined && metadata.managedFields !== null) refuse(badRequest('metadata.managedFields must be nil'));
    const name = scope.request.name ?? '';
    const uid = metadata.uid;
    if (existing === undefined && uid !== undefined && uid !== '') {
      refuse(conflict(kind, name, `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`));
    }
    const request = managerRequest(scope, kind);
    if (request === undefined) return decoded(scope, kind, existing, applyMergePatch(existing as unknown as Json, body), 'document');
    const outcome = applyConfiguration(request, existing, config, scope.options.force === true, (merged) =>
      finishApply(scope, kind, merged, existing),
    );
    if (outcome.error !== undefined) refuse(plainError(outcome.error));
    if (outcome.conflicts !== undefined) {
      refuse(
        applyConflict(
          outcome.conflicts.map(({ text, field }) => ({ manager: text, field })),
          conflictMessage(outcome.conflicts),
        ),
      );
    }
    return outcome.object;
  };
}

function finishApply(scope: RequestScope, kind: ServedKind, merged: UntypedObject, existing: UntypedObject | undefined): UntypedObject {
  if (kind.type === undefined) return kind.custom === undefined ? merged : withDefaults(scope, kind, kind.custom.prune(merged).object);
  const result = decode(kind.type, merged, existing);
  if (result.error !== undefined) refuse(plainError(conversionError(kind, merged, result.error)));
  return withDefaults(scope, kind, result.object);
}

/** What JSON's own decoder complains of is wrapped on its way; upstream: managedfields/internal/structuredmerge.go. */
function conversionError(kind: ServedKind, merged: UntypedObject, error: string): string {
  if (!error.startsWith('illegal base64 data')) return error;
  const { namespace = '', name = '' } = merged.metadata;
  const type = `${kind.apiVersion.includes('/') ? '' : '/'}${kind.apiVersion}, Kind=${kind.kind}`;
  return `failed to convert new object (${namespace}/${name}; ${type}) to proper version: unable to convert unstructured object to ${type}: error decoding from json: ${error}`;
}
