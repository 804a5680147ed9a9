import type { Permission } from './permission.ts';

/** authpb.User. The password stands for its hash. */
export interface User {
  readonly name: string;
  readonly password: string;
  readonly noPassword: boolean;
  /** Sorted. */
  readonly roles: readonly string[];
}

/** authpb.Role. */
export interface Role {
  readonly name: string;
  /** Sorted by key, then range end. */
  readonly permissions: readonly Permission[];
}

/** What the backend keeps of authentication. Immutable; a change makes a new one that shares the rest. */
export interface AuthState {
  readonly enabled: boolean;
  /** Raised by every change, so that a decision made on older rights can be told. */
  readonly revision: number;
  readonly users: ReadonlyMap<string, User>;
  readonly roles: ReadonlyMap<string, Role>;
}

export const emptyAuthState: AuthState = { enabled: false, revision: 1, users: new Map(), roles: new Map() };
