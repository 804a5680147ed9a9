/**
 * The Status objects by which the API server says no, with the texts of upstream `k8s.io/apimachinery/pkg/api/errors`.
 */
import type { FieldError } from './field-error.ts';
import type { ApiObject, Status } from './object.ts';
import { fieldErrorMessage, fieldErrorText } from './validation/field-errors.ts';

type Details = NonNullable<Status['details']>;

/** A resource with its group, as messages and details name it. */
export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

const noMetadata = {};

/** events.k8s.io and the core group share one store, whose errors name the core group. */
function stored<T extends { readonly group: string }>(target: T): T {
  return target.group === 'events.k8s.io' ? { ...target, group: '' } : target;
}

/** 'deployments.apps', 'pods'. */
export function qualified(name: string, group: string): string {
  return group === '' ? name : `${name}.${group}`;
}

export function failure(code: number, reason: string | undefined, message: string, details?: Details): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: noMetadata,
    status: 'Failure',
    message,
    ...(reason !== undefined ? { reason } : {}),
    ...(details !== undefined ? { details } : {}),
    code,
  };
}

function detailsOf(target: GroupResource, name: string, extra?: Partial<Details>): Details {
  return {
    ...(name !== '' ? { name } : {}),
    ...(target.group !== '' ? { group: target.group } : {}),
    ...(target.resource !== '' ? { kind: target.resource } : {}),
    ...extra,
  };
}

export function success(details: Details): Status {
  return { kind: 'Status', apiVersion: 'v1', metadata: noMetadata, status: 'Success', details };
}

export function notFound(resource: GroupResource, name: string): Status {
  const target = stored(resource);
  return failure(404, 'NotFound', `${qualified(target.resource, target.group)} ${JSON.stringify(name)} not found`, detailsOf(target, name));
}

/** 404 of a resource or path that nobody serves. */
export function unknownResource(): Status {
  return failure(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function alreadyExists(resource: GroupResource, name: string, prefix = ''): Status {
  const target = stored(resource);
  const message = `${prefix}${qualified(target.resource, target.group)} ${JSON.stringify(name)} already exists`;
  return failure(409, 'AlreadyExists', message, detailsOf(target, name));
}

/** 409 when generateName met a taken name: the client should try again. */
export function generateNameConflict(resource: GroupResource, name: string): Status {
  const target = stored(resource);
  const message = `${qualified(target.resource, target.group)} ${JSON.stringify(name)} already exists, the server was not able to generate a unique name for the object`;
  return failure(409, 'AlreadyExists', message, detailsOf(target, name, { retryAfterSeconds: 1 }));
}

export const modifiedText = 'the object has been modified; please apply your changes to the latest version and try again';

export function conflict(resource: GroupResource, name: string, why: string = modifiedText): Status {
  const target = stored(resource);
  const message = `Operation cannot be fulfilled on ${qualified(target.resource, target.group)} ${JSON.stringify(name)}: ${why}`;
  return failure(409, 'Conflict', message, detailsOf(target, name));
}

/** 409 of server-side apply: somebody else owns what the applier would change. */
export function applyConflict(conflicts: readonly { readonly manager: string; readonly field: string }[], message: string): Status {
  return failure(409, 'Conflict', message, {
    causes: conflicts.map(({ manager, field }) => ({ reason: 'FieldManagerConflict', message: manager, field })),
  });
}

/** The errors as one text, repeated ones once: upstream ErrorList.ToAggregate. */
function fieldErrorsText(errors: readonly FieldError[]): string {
  const all = [...new Set(errors.map(fieldErrorText))];
  return all.length === 1 ? (all[0] ?? '') : `[${all.join(', ')}]`;
}

/** 422 with one cause per field error.  */
export function invalid(kind: { readonly group: string; readonly kind: string }, name: string, errors: readonly FieldError[]): Status {
  const target = stored(kind);
  const message = `${qualified(target.kind, target.group)} ${JSON.stringify(name)} is invalid: ${fieldErrorsText(errors)}`;
  const causes = errors.map((error) => ({ reason: error.type, message: fieldErrorMessage(error), field: error.field }));
  return failure(422, 'Invalid', message, detailsOf({ group: target.group, resource: target.kind }, name, { causes }));
}

export function forbidden(target: GroupResource, name: string, why: string, causes?: Details['causes']): Status {
  let message: string;
  if (target.resource === '') message = `forbidden: ${why}`;
  else if (name === '') message = `${qualified(target.resource, target.group)} is forbidden: ${why}`;
  else message = `${qualified(target.resource, target.group)} ${JSON.stringify(name)} is forbidden: ${why}`;
  return failure(403, 'Forbidden', message, detailsOf(target, name, causes ? { causes } : undefined));
}

export function badRequest(message: string): Status {
  return failure(400, 'BadRequest', message);
}

export function unauthorized(): Status {
  return failure(401, 'Unauthorized', 'Unauthorized');
}

export function methodNotAllowed(): Status {
  return failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}

/** 410 of a version that is no longer kept. */
export function expired(message: string): Status {
  return failure(410, 'Expired', message);
}

/** 410 of a watch from a version before the cache's window. */
export function tooOldResourceVersion(requested: number, oldest: number): Status {
  return expired(`too old resource version: ${requested} (${oldest})`);
}

/** 504 of a read at a version that this server has not seen yet. */
export function tooLargeResourceVersion(requested: number | string, current: number, retryAfterSeconds?: number): Status {
  return failure(504, 'Timeout', `Timeout: Too large resource version: ${requested}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    ...(retryAfterSeconds !== undefined ? { retryAfterSeconds } : {}),
  });
}

export function tooManyRequests(message: string, retryAfterSeconds: number, causes?: Details['causes']): Status {
  return failure(429, 'TooManyRequests', message, {
    ...(causes ? { causes } : {}),
    ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
  });
}

/** 500 of an error that is no API status upstream: the text alone, without a reason. */
export function plainError(message: string): Status {
  return failure(500, undefined, message);
}

export function unsupportedMediaType(accepted: string): Status {
  return failure(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted}`,
  );
}

export function notAcceptable(message: string): Status {
  return failure(406, 'NotAcceptable', message);
}

export function requestEntityTooLarge(message: string): Status {
  return failure(413, 'RequestEntityTooLarge', message);
}

/** Answer of a delete that removed the object: most kinds answer this Status instead of the object. */
export function deleted(target: GroupResource, object: ApiObject): Status {
  return success(detailsOf(target, object.metadata.name ?? '', { uid: object.metadata.uid ?? '' }));
}
