import type { Status } from '../../api/object.ts';
import type { ApiRequest } from '../../api/request.ts';
import { forbidden } from '../../api/status.ts';
import { parseFieldSelector } from '../../api/field-selector.ts';
import type { AuthorizationRequest } from '../server-context.ts';

/** What a request asks of the authorizer: upstream `filters.GetAuthorizerAttributes` and RequestInfo. */
export function authorizationOf(request: ApiRequest): AuthorizationRequest {
  const { user, verb, group, version, resource, subresource = '', options } = request;
  let name = request.name ?? '';
  const fieldSelector = options?.fieldSelector;
  if (name === '' && fieldSelector !== undefined && (verb === 'list' || verb === 'watch' || verb === 'deletecollection')) {
    const parsed = parseFieldSelector(fieldSelector);
    if (!('error' in parsed)) name = parsed.find((term) => term.field === 'metadata.name' && term.operator === '=')?.value ?? '';
  }
  // A namespace lies in itself.
  const namespace = resource === 'namespaces' && group === '' ? name : (request.namespace ?? '');
  return { user, verb, group, version, resource, subresource, namespace, name, ...(fieldSelector === undefined ? {} : { fieldSelector }) };
}

/** 403 in the words of upstream `responsewriters.Forbidden`. */
export function deniedStatus(asked: AuthorizationRequest, reason: string): Status {
  const why = reason === '' ? '' : `: ${reason}`;
  const user = JSON.stringify(asked.user.name);
  if (asked.path !== undefined)
    return forbidden({ group: '', resource: '' }, '', `User ${user} cannot ${asked.verb} path ${JSON.stringify(asked.path)}${why}`);
  const resource = asked.subresource === '' ? asked.resource : `${asked.resource}/${asked.subresource}`;
  const where = asked.namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(asked.namespace)}`;
  const text = `User ${user} cannot ${asked.verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(asked.group)} ${where}${why}`;
  return forbidden({ group: asked.group, resource: asked.resource }, asked.name, text);
}
