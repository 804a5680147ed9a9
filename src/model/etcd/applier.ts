import type { Micros } from '../../sim/time.ts';
import { unreachable } from '../../sim/assert.ts';
import type { EtcdResponse, MemberId, PutRequest, RequestOp, ResponseHeader, TxnRequest } from './api.ts';
import type { AuthChange } from './auth/auth-store.ts';
import { type EtcdError, etcdError, isError, type Result } from './errors.ts';
import { requestBytes, type Proposal } from './proposal.ts';
import type { EtcdState } from './state.ts';
import { checkPut, executeDelete, executePut, executeTxn } from './txn.ts';
import { isReadOnlyTxn } from './validate.ts';

/** kvOverhead and leaseOverhead of the quota's estimate (storage/quota.go). */
const KV_OVERHEAD_BYTES = 256;
const LEASE_OVERHEAD_BYTES = 64;

/** What the applier asks of its member. */
export interface ApplyContext {
  /** The member's monotonic clock. */
  readonly now: Micros;
  /** Backend bytes at which writes are refused. */
  readonly quotaBytes: number;
  header(revision: number): ResponseHeader;
}

/**
 * Applies raft entries to the state, one at a time and with the same outcome on every member (server/etcdserver/apply). An error is the
 * answer to the proposer; the entry counts as applied all the same.
 */
export function applyProposal(state: EtcdState, proposal: Proposal, context: ApplyContext): Result<EtcdResponse> {
  const { request, auth } = proposal;
  if (needsAdmin(request.type)) {
    const denied = state.auth.checkAdmin(auth);
    if (denied !== undefined) return denied;
  }
  const refused = refusedByAlarm(state, proposal);
  if (refused !== undefined) return refused;
  const { store } = state;
  state.pendingWrites++;
  switch (request.type) {
    case 'put': {
      const denied = state.auth.checkPut(auth, request) ?? checkLeaseKeys(state, proposal, request.lease ?? 0n);
      if (denied !== undefined) return denied;
      const invalid = checkPut(store, state.lessor, request);
      if (invalid !== undefined) return invalid;
      const fits = hasRoom(state, context, putCost(request));
      const txn = store.write();
      const { header, prevKv } = executePut(store, txn, request);
      txn.end();
      // The quota is looked at again here: a put that passed the check at the API may still be one too many (quotaApplierV3).
      if (!fits) return etcdError('noSpace');
      return prevKv === undefined ? { header: context.header(header.revision) } : { header: context.header(header.revision), prevKv };
    }
    case 'deleteRange': {
      const denied = state.auth.checkDelete(auth, request);
      if (denied !== undefined) return denied;
      const txn = store.write();
      const { header, deleted, prevKvs } = executeDelete(store, txn, request);
      txn.end();
      return { header: context.header(header.revision), deleted, prevKvs };
    }
    case 'txn': {
      const denied = state.auth.checkTxn(auth, request);
      if (denied !== undefined) return denied;
      const fits = hasRoom(state, context, txnCost(request));
      const result = executeTxn(store, state.lessor, request, isReadOnlyTxn(request));
      if (isError(result)) return result;
      if (!fits) return etcdError('noSpace');
      return { header: context.header(result.revision), succeeded: result.succeeded, responses: result.responses };
    }
    case 'compact': {
      const result = store.compact(request.revision ?? 0);
      return isError(result) ? result : { header: context.header(store.revision) };
    }
    case 'leaseGrant': {
      const fits = hasRoom(state, context, LEASE_OVERHEAD_BYTES);
      const row = state.lessor.grant(request.id ?? 0n, request.ttl ?? 0, context.now);
      if (isError(row)) return row;
      if (!fits) return etcdError('noSpace');
      return { header: context.header(store.revision), id: row.id, ttl: row.ttl };
    }
    case 'leaseRevoke': {
      const denied = checkLeaseKeys(state, proposal, request.id);
      if (denied !== undefined) return denied;
      const keys = state.lessor.revoke(request.id);
      if (isError(keys)) return keys;
      const txn = store.write();
      for (const key of keys) txn.deleteRange(key, '');
      txn.end();
      return { header: context.header(store.revision) };
    }
    case 'leaseCheckpoint':
      state.lessor.checkpoint(request.id, request.remainingTtl, context.now);
      return { header: context.header(store.revision) };
    case 'alarm':
      return { header: context.header(store.revision), alarms: applyAlarm(state, request.action ?? 'GET', request) };
    case 'publish':
      state.membership.publish(request.memberId, request.name, request.clientURLs);
      return { header: context.header(store.revision) };
    case 'clusterVersion':
      state.clusterVersion = request.version;
      return { header: context.header(store.revision) };
    case 'downgradeInfo':
      state.downgradeTarget = request.targetVersion;
      return { header: context.header(store.revision) };
    case 'assignToken': {
      const result = state.auth.assignToken(request.token, request.name);
      return isError(result) ? result : { header: context.header(store.revision), token: request.token };
    }
    case 'authStatus':
      return { header: context.header(store.revision), enabled: state.auth.enabled, authRevision: state.auth.revision };
    case 'userGet': {
      const denied = state.auth.checkAdmin(auth);
      if (denied !== undefined && request.name !== auth.username) return denied;
      const user = state.auth.state.users.get(request.name);
      return user === undefined ? etcdError('userNotFound') : { header: context.header(store.revision), roles: user.roles };
    }
    case 'userList':
      return { header: context.header(store.revision), users: [...state.auth.state.users.keys()].sort() };
    case 'roleGet': {
      const denied = state.auth.checkAdmin(auth);
      const mine = state.auth.state.users.get(auth.username)?.roles.includes(request.role) === true;
      if (denied !== undefined && !mine) return denied;
      const role = state.auth.state.roles.get(request.role);
      return role === undefined ? etcdError('roleNotFound') : { header: context.header(store.revision), perm: role.permissions };
    }
    case 'roleList':
      return { header: context.header(store.revision), roles: [...state.auth.state.roles.keys()].sort() };
    case 'authEnable':
    case 'authDisable':
    case 'userAdd':
    case 'userDelete':
    case 'userChangePassword':
    case 'userGrantRole':
    case 'userRevokeRole':
    case 'roleAdd':
    case 'roleDelete':
    case 'roleGrantPermission':
    case 'roleRevokePermission':
      return applyAuth(state, request, context);
    default:
      return unreachable(request);
  }
}

function applyAuth(state: EtcdState, request: AuthChange, context: ApplyContext): Result<EtcdResponse> {
  const result = state.auth.apply(request);
  return isError(result) ? result : { header: context.header(state.store.revision) };
}

/** authApplierV3: what only root may do while authentication is on. */
function needsAdmin(type: Proposal['request']['type']): boolean {
  switch (type) {
    case 'authEnable':
    case 'authStatus':
    case 'authDisable':
    case 'userAdd':
    case 'userDelete':
    case 'userChangePassword':
    case 'userGrantRole':
    case 'userRevokeRole':
    case 'roleAdd':
    case 'roleGrantPermission':
    case 'roleRevokePermission':
    case 'roleDelete':
    case 'userList':
    case 'roleList':
      return true;
    default:
      return false;
  }
}

/** applierV3Capped and applierV3Corrupt: what raised alarms refuse. */
function refusedByAlarm(state: EtcdState, proposal: Proposal): EtcdError | undefined {
  const { request } = proposal;
  if (state.alarms.isRaised('CORRUPT')) {
    switch (request.type) {
      case 'put':
      case 'deleteRange':
      case 'txn':
      case 'compact':
      case 'leaseGrant':
      case 'leaseRevoke':
        return etcdError('corrupt');
      default:
        return undefined;
    }
  }
  if (!state.alarms.isRaised('NOSPACE')) return undefined;
  const grows = request.type === 'put' || request.type === 'leaseGrant' || (request.type === 'txn' && txnCost(request) > 0);
  return grows ? etcdError('noSpace') : undefined;
}

/** A lease may be used or ended only by who may write all the keys on it. */
function checkLeaseKeys(state: EtcdState, proposal: Proposal, lease: bigint): EtcdError | undefined {
  if (lease === 0n || !state.auth.enabled) return undefined;
  for (const key of state.lessor.keysOf(lease)) {
    const denied = state.auth.check(proposal.auth, 'write', key, '');
    if (denied !== undefined) return denied;
  }
  return undefined;
}

function applyAlarm(
  state: EtcdState,
  action: 'GET' | 'ACTIVATE' | 'DEACTIVATE',
  request: { readonly memberId?: MemberId; readonly alarm?: 'NONE' | 'NOSPACE' | 'CORRUPT' },
) {
  const type = request.alarm ?? 'NONE';
  const memberId = request.memberId ?? 0;
  switch (action) {
    case 'GET':
      return state.alarms.list(type);
    case 'ACTIVATE':
      return type === 'NONE' ? [] : [state.alarms.activate(memberId, type)];
    case 'DEACTIVATE': {
      const put = state.alarms.deactivate(memberId, type);
      return put === undefined ? [] : [put];
    }
  }
}

/** What a request may add to the backend (quota.Cost); 0 for requests that only take away. */
export function quotaCost(request: Proposal['request']): number {
  switch (request.type) {
    case 'put':
      return putCost(request);
    case 'txn':
      return txnCost(request);
    case 'leaseGrant':
      return LEASE_OVERHEAD_BYTES;
    default:
      return 0;
  }
}

/** Whether the backend has room for so many bytes more. */
export function hasRoom(state: EtcdState, context: Pick<ApplyContext, 'quotaBytes'>, cost: number): boolean {
  return cost === 0 || state.sizeBytes + cost < context.quotaBytes;
}

function putCost(request: PutRequest): number {
  return KV_OVERHEAD_BYTES + requestBytes(request);
}

function txnCost(request: TxnRequest): number {
  return Math.max(opsCost(request.success ?? []), opsCost(request.failure ?? []));
}

function opsCost(ops: readonly RequestOp[]): number {
  let cost = 0;
  for (const op of ops) if (op.type === 'put') cost += putCost(op);
  return cost;
}
