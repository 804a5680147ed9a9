import { decode, decodeValue } from '../api/decode.ts';
import { structType } from '../api/schema.ts';
import type { UntypedObject } from '../api/object.ts';
import type { ServedKind } from '../api/registry.ts';
import { badRequest } from '../api/status.ts';
import { splitApiVersion } from '../api/validation/metadata.ts';
import { refuse } from './refusal.ts';
import type { RequestScope } from './server-context.ts';

/** Message of a body that is another kind than the URL says. */
function mismatchedKind(
  scope: RequestScope,
  kind: ServedKind,
  body: { readonly apiVersion?: unknown; readonly kind?: unknown },
): string | undefined {
  const bodyKind = typeof body.kind === 'string' && body.kind !== '' ? body.kind : kind.kind;
  const bodyVersion = typeof body.apiVersion === 'string' && body.apiVersion !== '' ? body.apiVersion : kind.apiVersion;
  if (bodyKind === kind.kind && bodyVersion === kind.apiVersion) return undefined;
  const { group, version } = splitApiVersion(bodyVersion);
  const isList = bodyKind.endsWith('List') && scope.server.registry.kind(group, version, bodyKind.slice(0, -4)) !== undefined;
  if (
    !isList &&
    scope.server.registry.kind(group, version, bodyKind) === undefined &&
    !(kind.kind === bodyKind && kind.type === undefined)
  ) {
    return `${bodyKind} in version ${JSON.stringify(version)} cannot be handled as a ${kind.kind}: no kind ${JSON.stringify(bodyKind)} is registered for version ${JSON.stringify(bodyVersion)} in scheme "pkg/runtime/scheme.go:111"`;
  }
  if (bodyVersion !== kind.apiVersion && bodyKind === kind.kind) {
    return `the API version in the data (${bodyVersion}) does not match the expected API version (${kind.apiVersion})`;
  }
  const internal = kind.group === '' ? 'core' : (kind.group.split('.')[0] ?? '');
  return `${bodyKind} in version ${JSON.stringify(version)} cannot be handled as a ${kind.kind}: converting (${version}.${bodyKind}) to (${internal}.${kind.kind}): unknown conversion`;
}

/**
 * Decodes the object of a request as a kind: checks its type, finds unknown fields (fieldValidation), and makes it what the server would
 * print. Defaults are not applied yet.
 */
export function decodeBody(scope: RequestScope, kind: ServedKind, body: UntypedObject | undefined, known?: UntypedObject): UntypedObject {
  const given = (body ?? {}) as UntypedObject;
  if (kind.custom !== undefined && isTyped(given)) checkCustomVersion(scope, kind, given);
  if (kind.custom !== undefined && isTyped(given) && given.kind !== kind.kind)
    return decodeMetadata({ ...given, metadata: given.metadata ?? {} });
  const mismatch = mismatchedKind(scope, kind, given);
  if (mismatch !== undefined) refuse(badRequest(mismatch));
  const typed: UntypedObject =
    given.apiVersion === kind.apiVersion && given.kind === kind.kind
      ? given
      : { ...given, kind: kind.kind, apiVersion: kind.apiVersion, metadata: given.metadata };
  if (kind.type === undefined) {
    const whole = typed.metadata === undefined ? { ...typed, metadata: {} } : typed;
    if (kind.custom === undefined) return whole;
    const { object, unknown } = kind.custom.prune(decodeMetadata(whole));
    const found = [...unknown.map((path) => `unknown field ${JSON.stringify(path)}`), ...duplicateTexts(scope)];
    if (found.length > 0) reportFields(scope, kind, found);
    return object;
  }
  const decoded = decode(kind.type, typed, known);
  if (decoded.error !== undefined)
    refuse(badRequest(`${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: ${decoded.error}`));
  const object = (decoded.object.metadata as unknown) === undefined ? { ...decoded.object, metadata: {} } : decoded.object;
  if (decoded.unknown.length === 0 && scope.options.duplicateFields === undefined) return object;
  const problems = [...decoded.unknown.map((path) => `unknown field ${JSON.stringify(path)}`), ...duplicateTexts(scope)];
  if (problems.length > 0) reportFields(scope, kind, problems);
  return object;
}

function isTyped(body: { readonly apiVersion?: unknown; readonly kind?: unknown }): boolean {
  return typeof body.apiVersion === 'string' && body.apiVersion !== '' && typeof body.kind === 'string' && body.kind !== '';
}

/**
 * A custom resource in a version that is not the path's is decoded by the schema of its own version, which may be none, and then refused. One of
 * another kind is not read by any schema: validation refuses it.
 */
function checkCustomVersion(scope: RequestScope, kind: ServedKind, given: UntypedObject): void {
  if (given.apiVersion === kind.apiVersion) return;
  if (given.kind === kind.kind) {
    const own = scope.server.registry.kindOf(given)?.custom;
    const unknown = own === undefined ? Object.keys(given).filter((key) => !envelope.has(key)) : own.prune(given).unknown;
    if (unknown.length > 0)
      reportFields(
        scope,
        kind,
        unknown.map((path) => `unknown field ${JSON.stringify(path)}`),
      );
  }
  refuse(badRequest(`the API version in the data (${given.apiVersion}) does not match the expected API version (${kind.apiVersion})`));
}

const envelope: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

/** The metadata of a custom resource is decoded as everywhere. */
export function decodeMetadata(object: UntypedObject): UntypedObject {
  const metadata = decodeValue(structType('ObjectMeta'), object.metadata) as UntypedObject['metadata'] | undefined;
  return metadata === object.metadata ? object : { ...object, metadata: metadata ?? {} };
}

const yamlPrefix = 'yaml: unmarshal errors:\n  ';

/** Keys written twice: YAML's reader tells them in its own words. */
export function duplicateTexts(scope: RequestScope): readonly string[] {
  return (scope.options.duplicateFields ?? []).map((path) =>
    path.startsWith(yamlPrefix) ? path : `duplicate field ${JSON.stringify(path)}`,
  );
}

/** fieldValidation: Strict refuses, Warn (the default) warns, Ignore is silent. */
export function reportFields(scope: RequestScope, kind: ServedKind, problems: readonly string[]): void {
  switch (scope.options.fieldValidation) {
    case 'Ignore':
      return;
    case 'Strict':
      refuse(
        badRequest(
          `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: strict decoding error: ${problems.join(', ')}`,
        ),
      );
      break;
    default:
      // YAML's reader tells all its findings in one error, of which every line is a warning.
      scope.warnings.push(
        ...problems.flatMap((problem) => (problem.startsWith(yamlPrefix) ? problem.slice(yamlPrefix.length).split('\n  ') : [problem])),
      );
  }
}

/** The kind's defaults; an object of another kind has none. */
export function withDefaults(scope: RequestScope, kind: ServedKind, object: UntypedObject): UntypedObject {
  return kind.setDefaults === undefined || (kind.custom !== undefined && object.kind !== kind.kind)
    ? object
    : kind.setDefaults(object, scope.context);
}
