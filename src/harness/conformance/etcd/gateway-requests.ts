import type { Compare, EtcdRequest, RequestOp, SortOrder, SortTarget, TxnRequest, WatchRequest } from '../../../model/etcd/api.ts';
import { EtcdError, etcdError } from '../../../model/etcd/errors.ts';
import type { Message } from './proto-json.ts';

/** Makes the API request that a decoded gateway message stands for. */
export function requestOf(path: string, message: Message): EtcdRequest {
  const m = new Fields(message);
  switch (path.replace('/v3/kv/lease/', '/v3/lease/')) {
    case '/v3/kv/range':
      return range(m);
    case '/v3/kv/put':
      return put(m);
    case '/v3/kv/deleterange':
      return deleteRange(m);
    case '/v3/kv/txn':
      return txn(m);
    case '/v3/kv/compaction':
      return { type: 'compact', revision: m.number('revision'), physical: m.flag('physical') };
    case '/v3/lease/grant':
      return { type: 'leaseGrant', ttl: m.number('TTL'), id: m.big('ID') };
    case '/v3/lease/revoke':
      return { type: 'leaseRevoke', id: m.big('ID') };
    case '/v3/lease/keepalive':
      return { type: 'leaseKeepAlive', id: m.big('ID') };
    case '/v3/lease/timetolive':
      return { type: 'leaseTimeToLive', id: m.big('ID'), keys: m.flag('keys') };
    case '/v3/lease/leases':
      return { type: 'leaseLeases' };
    case '/v3/cluster/member/list':
      return { type: 'memberList', linearizable: m.flag('linearizable') };
    case '/v3/cluster/member/add':
      return { type: 'memberAdd', peerURLs: m.texts('peerURLs'), isLearner: m.flag('isLearner') };
    case '/v3/cluster/member/remove':
      return { type: 'memberRemove', id: m.number('ID') };
    case '/v3/cluster/member/update':
      return { type: 'memberUpdate', id: m.number('ID'), peerURLs: m.texts('peerURLs') };
    case '/v3/cluster/member/promote':
      return { type: 'memberPromote', id: m.number('ID') };
    case '/v3/maintenance/alarm':
      return {
        type: 'alarm',
        action: m.name('action', 'GET'),
        memberId: m.number('memberID'),
        alarm: m.name('alarm', 'NONE'),
      };
    case '/v3/maintenance/status':
      return { type: 'status' };
    case '/v3/maintenance/defragment':
      return { type: 'defragment' };
    case '/v3/maintenance/hash':
      return { type: 'hash' };
    case '/v3/maintenance/hashkv':
      return { type: 'hashKv', revision: m.number('revision') };
    case '/v3/maintenance/transfer-leadership':
      return { type: 'moveLeader', targetId: m.number('targetID') };
    case '/v3/maintenance/downgrade':
      return { type: 'downgrade', action: m.name('action', 'VALIDATE'), version: m.text('version') };
    default:
      return authRequest(path, m);
  }
}

function authRequest(path: string, m: Fields): EtcdRequest {
  const name = m.text('name');
  const password = m.text('password');
  const role = m.text('role');
  switch (path) {
    case '/v3/auth/enable':
      return { type: 'authEnable' };
    case '/v3/auth/disable':
      return { type: 'authDisable' };
    case '/v3/auth/status':
      return { type: 'authStatus' };
    case '/v3/auth/authenticate':
      return { type: 'authenticate', name, password };
    case '/v3/auth/user/add':
      return { type: 'userAdd', name, password, noPassword: m.fields('options').flag('no_password') };
    case '/v3/auth/user/get':
      return { type: 'userGet', name };
    case '/v3/auth/user/list':
      return { type: 'userList' };
    case '/v3/auth/user/delete':
      return { type: 'userDelete', name };
    case '/v3/auth/user/changepw':
      return { type: 'userChangePassword', name, password };
    case '/v3/auth/user/grant':
      return { type: 'userGrantRole', user: m.text('user'), role };
    case '/v3/auth/user/revoke':
      return { type: 'userRevokeRole', name, role };
    case '/v3/auth/role/add':
      return { type: 'roleAdd', name };
    case '/v3/auth/role/get':
      return { type: 'roleGet', role };
    case '/v3/auth/role/list':
      return { type: 'roleList' };
    case '/v3/auth/role/delete':
      return { type: 'roleDelete', role };
    case '/v3/auth/role/grant': {
      const perm = m.fields('perm');
      return {
        type: 'roleGrantPermission',
        name,
        perm: { permType: perm.name('permType', 'READ'), key: perm.text('key'), rangeEnd: perm.text('range_end') },
      };
    }
    case '/v3/auth/role/revoke':
      return { type: 'roleRevokePermission', role, key: m.text('key'), rangeEnd: m.text('range_end') };
    default:
      throw new EtcdError('other', 5, 'Not Found');
  }
}

/** The request on a watch stream that a decoded WatchRequest stands for. */
export function watchRequestOf(message: Message): WatchRequest {
  const m = new Fields(message);
  if (m.has('cancel_request')) return { type: 'cancel', watchId: m.fields('cancel_request').number('watch_id') };
  if (m.has('progress_request')) return { type: 'progress' };
  const create = m.fields('create_request');
  return {
    type: 'create',
    key: create.text('key'),
    rangeEnd: create.text('range_end'),
    startRevision: create.number('start_revision'),
    progressNotify: create.flag('progress_notify'),
    filters: create.texts('filters') as ('NOPUT' | 'NODELETE')[],
    prevKv: create.flag('prev_kv'),
    watchId: create.number('watch_id'),
    fragment: create.flag('fragment'),
  };
}

function range(m: Fields): Extract<EtcdRequest, { type: 'range' }> {
  return {
    type: 'range',
    key: m.text('key'),
    rangeEnd: m.text('range_end'),
    limit: m.number('limit'),
    revision: m.number('revision'),
    sortOrder: m.name<SortOrder>('sort_order', 'NONE'),
    sortTarget: m.name<SortTarget>('sort_target', 'KEY'),
    serializable: m.flag('serializable'),
    keysOnly: m.flag('keys_only'),
    countOnly: m.flag('count_only'),
    minModRevision: m.number('min_mod_revision'),
    maxModRevision: m.number('max_mod_revision'),
    minCreateRevision: m.number('min_create_revision'),
    maxCreateRevision: m.number('max_create_revision'),
  };
}

function put(m: Fields): Extract<EtcdRequest, { type: 'put' }> {
  return {
    type: 'put',
    key: m.text('key'),
    value: m.text('value'),
    lease: m.big('lease'),
    prevKv: m.flag('prev_kv'),
    ignoreValue: m.flag('ignore_value'),
    ignoreLease: m.flag('ignore_lease'),
  };
}

function deleteRange(m: Fields): Extract<EtcdRequest, { type: 'deleteRange' }> {
  return { type: 'deleteRange', key: m.text('key'), rangeEnd: m.text('range_end'), prevKv: m.flag('prev_kv') };
}

function txn(m: Fields): TxnRequest {
  return {
    type: 'txn',
    compare: m.list('compare').map(compareOf),
    success: m.list('success').map(opOf),
    failure: m.list('failure').map(opOf),
  };
}

function opOf(m: Fields): RequestOp {
  if (m.has('request_range')) return range(m.fields('request_range'));
  if (m.has('request_put')) return put(m.fields('request_put'));
  if (m.has('request_delete_range')) return deleteRange(m.fields('request_delete_range'));
  if (m.has('request_txn')) return txn(m.fields('request_txn'));
  return { type: 'none' };
}

function compareOf(m: Fields): Compare {
  const base = {
    key: m.text('key'),
    rangeEnd: m.text('range_end'),
    result: m.name<'EQUAL' | 'GREATER' | 'LESS' | 'NOT_EQUAL'>('result', 'EQUAL'),
  };
  const target = m.name<Compare['target']>('target', 'VERSION');
  switch (target) {
    case 'VERSION':
      return { ...base, target, number: m.number('version') };
    case 'CREATE':
      return { ...base, target, number: m.number('create_revision') };
    case 'MOD':
      return { ...base, target, number: m.number('mod_revision') };
    case 'VALUE':
      return { ...base, target, value: m.text('value') };
    case 'LEASE':
      return { ...base, target, lease: m.big('lease') };
  }
}

/** Typed reads of a decoded message; absent fields have protobuf's defaults. */
class Fields {
  readonly #message: Message;

  constructor(message: Message) {
    this.#message = message;
  }

  has(name: string): boolean {
    return this.#message[name] !== undefined;
  }

  text(name: string): string {
    return (this.#message[name] as string | undefined) ?? '';
  }

  flag(name: string): boolean {
    return this.#message[name] === true;
  }

  big(name: string): bigint {
    return (this.#message[name] as bigint | undefined) ?? 0n;
  }

  number(name: string): number {
    return Number(this.big(name));
  }

  texts(name: string): readonly string[] {
    return (this.#message[name] as readonly string[] | undefined) ?? [];
  }

  fields(name: string): Fields {
    return new Fields((this.#message[name] as Message | undefined) ?? {});
  }

  list(name: string): readonly Fields[] {
    return ((this.#message[name] as readonly Message[] | undefined) ?? []).map((message) => new Fields(message));
  }

  /** An enumeration by name. A number that has no name is refused by the server, whatever it stands for. */
  name<T extends string>(name: string, fallback: T): T {
    const value = this.#message[name];
    if (typeof value === 'number') throw etcdError('invalidSortOption');
    return (value as T | undefined) ?? fallback;
  }
}
