import type { Task } from '../../../sim/task.ts';
import type { Status } from '../../api/object.ts';
import type { UserInfo } from '../../api/request.ts';
import { badRequest } from '../../api/status.ts';
import type { AuthorizationRequest, ServerContext } from '../server-context.ts';
import { deniedStatus } from './denial.ts';

/** The Impersonate-* headers of a request. */
export interface Impersonation {
  readonly user: string;
  readonly groups: readonly string[];
  readonly uid: string;
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** Who a request acts as: the caller, or whom it impersonates if it may. Upstream filters.WithImpersonation. */
export function* impersonate(server: ServerContext, caller: UserInfo, wanted: Impersonation): Task<UserInfo | Status> {
  if (wanted.user === '') {
    if (wanted.groups.length === 0 && wanted.uid === '' && Object.keys(wanted.extra).length === 0) return caller;
    const requested = wanted.groups.map((group) => `{Group  ${group}    }`).join(' ');
    return badRequest(`requested [${requested}] without impersonating a user`);
  }
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(wanted.user);
  const asks: AuthorizationRequest[] = [];
  const ask = (resource: string, name: string, group = '', namespace = '', subresource = ''): void => {
    asks.push({ user: caller, verb: 'impersonate', group, version: 'v1', resource, subresource, namespace, name });
  };
  if (account === null) ask('users', wanted.user);
  else ask('serviceaccounts', account[2] ?? '', '', account[1] ?? '');
  for (const group of wanted.groups) ask('groups', group);
  for (const [key, values] of Object.entries(wanted.extra))
    for (const value of values) ask('userextras', value, 'authentication.k8s.io', '', key);
  if (wanted.uid !== '') ask('uids', wanted.uid, 'authentication.k8s.io');
  for (const asked of asks) {
    const { allowed, reason } = yield* server.authorizer.authorize(asked, server);
    if (!allowed) return deniedStatus(asked, reason);
  }
  const groups = [...wanted.groups];
  if (account !== null && groups.length === 0) groups.push('system:serviceaccounts', `system:serviceaccounts:${account[1]}`);
  const own = wanted.user === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated';
  if (!groups.includes(own) && !groups.includes('system:unauthenticated')) groups.push(own);
  return {
    name: wanted.user,
    groups,
    ...(wanted.uid === '' ? {} : { uid: wanted.uid }),
    ...(Object.keys(wanted.extra).length === 0 ? {} : { extra: wanted.extra }),
  };
}
