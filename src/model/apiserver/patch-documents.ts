import type { Json } from '../api/object.ts';
import { applyJsonPatch, JsonPatchFailure, type JsonPatchOperation } from '../api/patch/json-patch.ts';
import { applyMergePatch } from '../api/patch/merge-patch.ts';
import { badRequest, failure, requestEntityTooLarge } from '../api/status.ts';
import { refuse } from './refusal.ts';

/** Upstream maxJSONPatchOperations. */
const operationsMax = 10_000;

/** A patch whose text has been read, to be applied to a document of any kind; it refuses where it cannot. */
type DocumentPatch = (document: Json) => Json;

/** A JSON patch: upstream `endpoints/handlers/patch.go` jsonPatcher.applyJSPatch. */
export function jsonPatchOf(body: Json): DocumentPatch {
  if (!Array.isArray(body)) {
    const what = body === null ? 'null' : goJsonKind(body);
    refuse(badRequest(`error decoding patch: json: cannot unmarshal ${what} into Go value of type []handlers.jsonPatchOp`));
  }
  const operations = (body as readonly Json[]).map(patchOperation);
  if (operations.length > operationsMax) {
    refuse(
      requestEntityTooLarge(
        `Request entity too large: The allowed maximum operations in a JSON patch is ${operationsMax}, got ${operations.length}`,
      ),
    );
  }
  return (document) => {
    try {
      return applyJsonPatch(document, operations);
    } catch (error) {
      if (!(error instanceof JsonPatchFailure)) throw error;
      return refuse(failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {}));
    }
  };
}

/** A merge patch, which must be a map. */
export function mergePatchOf(body: Json): DocumentPatch {
  if (typeof body !== 'object' || Array.isArray(body)) {
    refuse(badRequest(`error decoding patch: json: cannot unmarshal ${goJsonKind(body)} into Go value of type map[string]interface {}`));
  }
  if (body === null) refuse(badRequest('Invalid JSON Patch'));
  return (document) => applyMergePatch(document, body);
}

/** One operation as Go's decoder takes it into its struct: null is an empty one, a value of another type is refused. */
function patchOperation(operation: Json): JsonPatchOperation {
  if (operation === null) return {};
  const where = 'Go value of type handlers.jsonPatchOp';
  if (typeof operation !== 'object' || Array.isArray(operation))
    refuse(badRequest(`error decoding patch: json: cannot unmarshal ${goJsonKind(operation)} into ${where}`));
  const fields = operation as JsonPatchOperation;
  for (const name of ['op', 'from', 'path'] as const) {
    const value = fields[name] ?? '';
    if (typeof value === 'string') continue;
    const field = `Go struct field jsonPatchOp.${name} of type string`;
    refuse(badRequest(`error decoding patch: json: cannot unmarshal ${goJsonKind(value)} into ${field}`));
  }
  return fields;
}

/** A JSON value's type in the words of Go's decoder. */
export function goJsonKind(value: unknown): string {
  if (typeof value === 'boolean') return 'bool';
  return Array.isArray(value) ? 'array' : typeof value;
}
