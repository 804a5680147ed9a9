import type { Task } from '../../../sim/task.ts';
import type { UserInfo } from '../../api/request.ts';
import { kindNamed } from '../admission/lookup.ts';
import { keyOf, readObject } from '../resource-store.ts';
import type { Authenticator, ServerContext, TokenIdentity } from '../server-context.ts';
import { readToken, type TokenClaims } from '../service-account-token.ts';

const usPerSecond = 1_000_000;
/** Upstream TokenSuccessCacheTTL. */
const cacheUs = 10 * usPerSecond;

export const serviceAccountIssuer = 'https://kubernetes.default.svc';

/** Users with a static token, by token: kube-apiserver --token-auth-file. */
export type StaticTokens = ReadonlyMap<string, UserInfo>;

/** Bearer tokens: a token file, and bound service account tokens that expire and die with what they are bound to. */
export class TokenAuthenticator implements Authenticator {
  private readonly tokens: StaticTokens;
  private readonly cache = new Map<string, { readonly identity: TokenIdentity; readonly untilUs: number }>();

  constructor(tokens: StaticTokens = new Map()) {
    this.tokens = tokens;
  }

  *authenticateToken(token: string, audiences: readonly string[], server: ServerContext): Task<TokenIdentity | string | undefined> {
    const known = this.tokens.get(token);
    if (known !== undefined) return { user: known, audiences };
    const claims = readToken(token);
    if (claims === undefined) return 'invalid bearer token';
    const key = `${audiences.join(',')}\n${token}`;
    const nowUs = server.environment.now();
    const cached = this.cache.get(key);
    if (cached !== undefined && cached.untilUs > nowUs) return cached.identity;
    const shared = claims.aud.filter((audience) => audiences.includes(audience));
    if (shared.length === 0)
      return `[invalid bearer token, token audiences ${JSON.stringify(claims.aud).replaceAll(',', ' ')} is invalid for the target audiences ${JSON.stringify(audiences).replaceAll(',', ' ')}]`;
    if (claims.exp * usPerSecond <= nowUs) return '[invalid bearer token, service account token has expired]';
    const alive = yield* isAlive(claims, server);
    if (!alive) return '[invalid bearer token, service account token has been invalidated]';
    const identity = { user: userOf(claims), audiences: shared };
    this.cache.set(key, { identity, untilUs: nowUs + cacheUs });
    return identity;
  }
}

function* isAlive(claims: TokenClaims, server: ServerContext): Task<boolean> {
  const account = yield* readObject(server, keyOf(kindNamed(server, '', 'v1', 'serviceaccounts'), claims.namespace, claims.name));
  if (account?.metadata.uid !== claims.uid) return false;
  if (claims.bound === undefined) return true;
  const resource = { Pod: 'pods', Secret: 'secrets', Node: 'nodes' }[claims.bound.kind] ?? 'pods';
  const object = yield* readObject(server, keyOf(kindNamed(server, '', 'v1', resource), claims.namespace, claims.bound.name));
  return object?.metadata.uid === claims.bound.uid;
}

function userOf(claims: TokenClaims): UserInfo {
  const extra: Record<string, readonly string[]> = { 'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`] };
  if (claims.bound?.kind === 'Pod') {
    extra['authentication.kubernetes.io/pod-name'] = [claims.bound.name];
    extra['authentication.kubernetes.io/pod-uid'] = [claims.bound.uid];
  }
  return {
    name: claims.sub,
    uid: claims.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${claims.namespace}`, 'system:authenticated'],
    extra,
  };
}
