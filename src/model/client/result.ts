import type { Status } from '../api/object.ts';
import type { RpcError } from '../../sim/rpc.ts';

/** A call that did not do what was asked: the server's no, or nobody's answer. */
export interface ApiFailure {
  readonly ok: false;
  /** The Status reason ('NotFound', 'Conflict', 'AlreadyExists'…), or 'ConnectionRefused', 'ConnectionLost', 'ClientTimeout'. */
  readonly reason: string;
  /** HTTP code; 0 where no answer came. */
  readonly code: number;
  readonly message: string;
  readonly status?: Status;
  /** False: surely nothing was taken by a server. True with code 0: it may have happened. */
  readonly sent: boolean;
}

export type ApiResult<T> = { readonly ok: true; readonly object: T } | ApiFailure;

export function failureOfStatus(code: number, status: Status): ApiFailure {
  return { ok: false, reason: status.reason ?? '', code, message: status.message ?? `unknown (code ${code})`, status, sent: true };
}

export function failureOfRpc(error: RpcError, server: string): ApiFailure {
  switch (error) {
    case 'refused':
      return {
        ok: false,
        reason: 'ConnectionRefused',
        code: 0,
        message: `dial tcp ${server}:6443: connect: connection refused`,
        sent: false,
      };
    case 'connect-timeout':
      return { ok: false, reason: 'ConnectionRefused', code: 0, message: `dial tcp ${server}:6443: i/o timeout`, sent: false };
    case 'timeout':
      return { ok: false, reason: 'ClientTimeout', code: 0, message: 'context deadline exceeded', sent: true };
    case 'closed':
      return { ok: false, reason: 'ConnectionLost', code: 0, message: 'http2: client connection lost', sent: true };
  }
}

// The predicates of upstream k8s.io/apimachinery/pkg/api/errors.
export function isNotFound(result: ApiFailure): boolean {
  return result.reason === 'NotFound' || (result.reason === '' && result.code === 404);
}
export function isAlreadyExists(result: ApiFailure): boolean {
  return result.reason === 'AlreadyExists';
}
export function isConflict(result: ApiFailure): boolean {
  return result.reason === 'Conflict' || (result.reason === '' && result.code === 409);
}
export function isInvalid(result: ApiFailure): boolean {
  return result.reason === 'Invalid';
}
export function isForbidden(result: ApiFailure): boolean {
  return result.reason === 'Forbidden';
}
export function isTooManyRequests(result: ApiFailure): boolean {
  return result.reason === 'TooManyRequests' || result.code === 429;
}
export function isExpired(result: ApiFailure): boolean {
  return result.reason === 'Expired' || result.reason === 'Gone' || result.code === 410;
}
/** 504 of a read at a version that the server has not seen yet. */
export function isTooLargeResourceVersion(result: ApiFailure): boolean {
  return result.status?.details?.causes?.some((cause) => cause.reason === 'ResourceVersionTooLarge') === true;
}
/** The namespace is being deleted: nothing can be created in it. */
export function isNamespaceTerminating(result: ApiFailure): boolean {
  return result.status?.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating') === true;
}
