import type { AuthRequest, DeleteRangeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest } from '../api.ts';
import { type EtcdError, etcdError, isError, type Result } from '../errors.ts';
import { compareKeys } from '../keys.ts';
import { type AuthState, emptyAuthState, type Role, type User } from './auth-state.ts';
import type { Permission } from './permission.ts';
import { covers, type UnifiedPermissions, unifyPermissions } from './range-permissions.ts';

const ROOT = 'root';

/** Who asks, and on which state of the rights that was found out. Revision 0: nobody gave a name. */
export interface AuthInfo {
  readonly username: string;
  readonly revision: number;
}

export const nobody: AuthInfo = { username: '', revision: 0 };

/** The changes of users, roles and the switch itself that go through raft. */
export type AuthChange = Exclude<AuthRequest, { type: 'authStatus' | 'userGet' | 'userList' | 'roleGet' | 'roleList' | 'authenticate' }>;

/**
 * etcd's auth store (server/auth): users, roles and permissions, checked where entries are applied. Tokens are simple tokens: known to
 * every member that applied the authentication, and gone when the member restarts.
 */
export class AuthStore {
  #state: AuthState;
  /** Filled on demand; undefined when it was lost (defect E4), until rights change. */
  #cache: Map<string, UnifiedPermissions> | undefined = new Map();
  readonly #tokens = new Map<string, string>();

  constructor(state: AuthState = emptyAuthState) {
    this.#state = state;
  }

  get state(): AuthState {
    return this.#state;
  }

  get enabled(): boolean {
    return this.#state.enabled;
  }

  get revision(): number {
    return this.#state.revision;
  }

  /** Applies a change. The error is an answer; nothing has changed then. */
  apply(request: AuthChange): Result<void> {
    const result = this.#change(request);
    if (isError(result)) return result;
    if (result === undefined) return;
    this.#state = { ...result, revision: result.revision + 1 };
    this.#cache = new Map();
  }

  /** The new state, an error, or undefined where nothing changes. */
  #change(request: AuthChange): Result<AuthState | undefined> {
    const state = this.#state;
    switch (request.type) {
      case 'authEnable': {
        if (state.enabled) return undefined;
        const root = state.users.get(ROOT);
        if (root === undefined) return etcdError('rootUserNotExist');
        if (!root.roles.includes(ROOT)) return etcdError('rootRoleNotExist');
        return { ...state, enabled: true };
      }
      case 'authDisable':
        if (!state.enabled) return undefined;
        this.#tokens.clear();
        return { ...state, enabled: false };
      case 'userAdd': {
        if (request.name === '') return etcdError('userEmpty');
        if (state.users.has(request.name)) return etcdError('userAlreadyExist');
        const noPassword = request.noPassword === true;
        return this.#withUser({ name: request.name, password: request.password ?? '', noPassword, roles: [] });
      }
      case 'userDelete': {
        if (state.enabled && request.name === ROOT) return etcdError('invalidAuthMgmt');
        if (!state.users.has(request.name)) return etcdError('userNotFound');
        this.#dropTokens(request.name);
        return { ...state, users: without(state.users, request.name) };
      }
      case 'userChangePassword': {
        const user = state.users.get(request.name);
        if (user === undefined) return etcdError('userNotFound');
        this.#dropTokens(request.name);
        return this.#withUser({ ...user, password: request.password });
      }
      case 'userGrantRole': {
        const user = state.users.get(request.user);
        if (user === undefined) return etcdError('userNotFound');
        // The root role may be granted before it exists.
        if (request.role !== ROOT && !state.roles.has(request.role)) return etcdError('roleNotFound');
        if (user.roles.includes(request.role)) return undefined;
        return this.#withUser({ ...user, roles: [...user.roles, request.role].sort(compareKeys) });
      }
      case 'userRevokeRole': {
        if (state.enabled && request.name === ROOT && request.role === ROOT) return etcdError('invalidAuthMgmt');
        const user = state.users.get(request.name);
        if (user === undefined) return etcdError('userNotFound');
        if (!user.roles.includes(request.role)) return etcdError('roleNotGranted');
        return this.#withUser({ ...user, roles: user.roles.filter((role) => role !== request.role) });
      }
      case 'roleAdd':
        if (request.name === '') return etcdError('roleEmpty');
        if (state.roles.has(request.name)) return etcdError('roleAlreadyExist');
        return this.#withRole({ name: request.name, permissions: [] });
      case 'roleDelete': {
        if (state.enabled && request.role === ROOT) return etcdError('invalidAuthMgmt');
        if (!state.roles.has(request.role)) return etcdError('roleNotFound');
        const users = new Map(state.users);
        for (const [name, user] of state.users) {
          if (user.roles.includes(request.role)) users.set(name, { ...user, roles: user.roles.filter((role) => role !== request.role) });
        }
        return { ...state, users, roles: without(state.roles, request.role) };
      }
      case 'roleGrantPermission': {
        const role = state.roles.get(request.name);
        if (role === undefined) return etcdError('roleNotFound');
        const rest = role.permissions.filter((permission) => !sameRange(permission, request.perm.key, request.perm.rangeEnd));
        return this.#withRole({ ...role, permissions: [...rest, request.perm].sort(byRange) });
      }
      case 'roleRevokePermission': {
        const role = state.roles.get(request.role);
        if (role === undefined) return etcdError('roleNotFound');
        const rest = role.permissions.filter((permission) => !sameRange(permission, request.key, request.rangeEnd ?? ''));
        if (rest.length === role.permissions.length) return etcdError('permissionNotGranted');
        return this.#withRole({ ...role, permissions: rest });
      }
    }
  }

  /** Loses the permission cache as the defect E4 does. */
  forgetPermissions(): void {
    this.#cache = undefined;
  }

  /** Whether a password is right (CheckPassword); asked before the token goes through raft. */
  checkPassword(name: string, password: string): Result<void> {
    if (!this.enabled) return etcdError('authNotEnabled');
    const user = this.#state.users.get(name);
    if (user === undefined) return etcdError('authFailed');
    if (user.noPassword) return etcdError('noPasswordUser');
    if (user.password !== password) return etcdError('authFailed');
  }

  /** Makes a token valid for a user. */
  assignToken(token: string, username: string): Result<void> {
    if (!this.enabled) return etcdError('authNotEnabled');
    if (!this.#state.users.has(username)) return etcdError('authFailed');
    this.#tokens.set(token, username);
  }

  /** Who a token belongs to, with the present revision: a simple token survives changes of rights. */
  infoOf(token: string | undefined): Result<AuthInfo> {
    if (!this.enabled || token === undefined || token === '') return nobody;
    const username = this.#tokens.get(token);
    if (username === undefined) return etcdError('invalidAuthToken');
    return { username, revision: this.revision };
  }

  /** Only root may (IsAdminPermitted). */
  checkAdmin(info: AuthInfo): EtcdError | undefined {
    if (!this.enabled) return undefined;
    if (info.username === '') return etcdError('userEmpty');
    const user = this.#state.users.get(info.username);
    return user?.roles.includes(ROOT) ? undefined : etcdError('permissionDenied');
  }

  /** Whether `info` may read or write a range (isOpPermitted). */
  check(info: AuthInfo, right: 'read' | 'write', key: string, rangeEnd: string): EtcdError | undefined {
    if (!this.enabled) return undefined;
    if (info.revision === 0) return etcdError('userEmpty');
    if (info.revision < this.revision) return etcdError('authOldRevision');
    const user = this.#state.users.get(info.username);
    if (user === undefined) return etcdError('permissionDenied');
    if (user.roles.includes(ROOT)) return undefined;
    if (this.#cache === undefined) return etcdError('permissionDenied');
    let unified = this.#cache.get(info.username);
    if (unified === undefined) {
      unified = unifyPermissions(this.#state, info.username);
      this.#cache.set(info.username, unified);
    }
    return covers(unified[right], key, rangeEnd) ? undefined : etcdError('permissionDenied');
  }

  checkRange(info: AuthInfo, request: RangeRequest): EtcdError | undefined {
    return this.check(info, 'read', request.key, request.rangeEnd ?? '');
  }

  checkPut(info: AuthInfo, request: PutRequest): EtcdError | undefined {
    const denied = this.check(info, 'write', request.key, '');
    return denied ?? (request.prevKv === true ? this.check(info, 'read', request.key, '') : undefined);
  }

  checkDelete(info: AuthInfo, request: DeleteRangeRequest): EtcdError | undefined {
    const denied = this.check(info, 'write', request.key, request.rangeEnd ?? '');
    return denied ?? (request.prevKv === true ? this.check(info, 'read', request.key, request.rangeEnd ?? '') : undefined);
  }

  /** Compares and both branches count, taken or not (CheckTxnAuth). */
  checkTxn(info: AuthInfo, request: TxnRequest): EtcdError | undefined {
    if (!this.enabled) return undefined;
    for (const compare of request.compare ?? []) {
      const denied = this.check(info, 'read', compare.key, compare.rangeEnd ?? '');
      if (denied !== undefined) return denied;
    }
    return this.#checkOps(info, request.success ?? []) ?? this.#checkOps(info, request.failure ?? []);
  }

  #checkOps(info: AuthInfo, ops: readonly RequestOp[]): EtcdError | undefined {
    for (const op of ops) {
      const denied = this.#checkOp(info, op);
      if (denied !== undefined) return denied;
    }
    return undefined;
  }

  #checkOp(info: AuthInfo, op: RequestOp): EtcdError | undefined {
    switch (op.type) {
      case 'range':
        return this.checkRange(info, op);
      case 'put':
        return this.checkPut(info, op);
      case 'deleteRange':
        return this.checkDelete(info, op);
      case 'txn':
        return this.checkTxn(info, op);
      case 'none':
        return undefined;
    }
  }

  #dropTokens(username: string): void {
    for (const [token, owner] of this.#tokens) if (owner === username) this.#tokens.delete(token);
  }

  #withUser(user: User): AuthState {
    return { ...this.#state, users: new Map(this.#state.users).set(user.name, user) };
  }

  #withRole(role: Role): AuthState {
    return { ...this.#state, roles: new Map(this.#state.roles).set(role.name, role) };
  }
}

function without<V>(map: ReadonlyMap<string, V>, name: string): ReadonlyMap<string, V> {
  const rest = new Map(map);
  rest.delete(name);
  return rest;
}

function sameRange(permission: Permission, key: string, rangeEnd: string): boolean {
  return permission.key === key && permission.rangeEnd === rangeEnd;
}

function byRange(a: Permission, b: Permission): number {
  return compareKeys(a.key, b.key) || compareKeys(a.rangeEnd, b.rangeEnd);
}
