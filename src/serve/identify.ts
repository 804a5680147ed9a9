import type { Status } from '../model/api/object.ts';
import type { UserInfo } from '../model/api/request.ts';
import { unauthorized } from '../model/api/status.ts';
import { serviceAccountIssuer } from '../model/apiserver/auth/authentication.ts';
import { impersonate } from '../model/apiserver/auth/impersonation.ts';
import type { ServerContext } from '../model/apiserver/server-context.ts';
import type { Task } from '../sim/task.ts';

const anonymous: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/** Who sends a request: its bearer token, nobody without one, or whom it impersonates. Header names are in lower case. */
export function* identify(server: ServerContext, headers: Readonly<Record<string, string>>): Task<UserInfo | Status> {
  const token = /^Bearer +(\S+)$/i.exec(headers['authorization'] ?? '')?.[1];
  let user = anonymous;
  if (token !== undefined) {
    const found =
      server.authenticator === undefined ? undefined : yield* server.authenticator.authenticateToken(token, [serviceAccountIssuer], server);
    if (found === undefined || typeof found === 'string') return unauthorized();
    user = found.user;
  }
  const extra: Record<string, readonly string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith('impersonate-extra-')) extra[decodeURIComponent(name.slice('impersonate-extra-'.length))] = [value];
  }
  const group = headers['impersonate-group'];
  return yield* impersonate(server, user, {
    user: headers['impersonate-user'] ?? '',
    groups: group === undefined ? [] : group.split(','),
    uid: headers['impersonate-uid'] ?? '',
    extra,
  });
}
