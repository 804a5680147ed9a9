import type { Endpoint } from '../../sim/network.ts';
import type { Process } from '../../sim/process.ts';
import { MILLISECOND, SECOND } from '../../sim/time.ts';
import type { Task } from '../../sim/task.ts';
import type { EtcdRequest } from '../etcd/api.ts';
import { EtcdClient } from '../etcd/client.ts';
import { type EtcdError, isError } from '../etcd/errors.ts';
import type { RunningErrand } from './errand.ts';
import { STORE_PREFIX, STORE_RANGE_END, STORE_USER } from './store-keys.ts';

/** What an operator asks of the store with etcdctl, beside moving the leadership. */
export type EtcdctlOrder =
  /** Compacts at the newest revision less `behind`; with `deletes`, at that of a delete which the operator makes first. */
  | { readonly what: 'compact'; readonly behind: number; readonly deletes: boolean }
  | { readonly what: 'defragment'; readonly member: string }
  /** Announces a member that nobody has started yet. */
  | { readonly what: 'member-add'; readonly name: string }
  /** Adds a spare member as a learner; it starts then. */
  | { readonly what: 'learner-add'; readonly member: string }
  | { readonly what: 'member-promote'; readonly member: string }
  | { readonly what: 'member-remove'; readonly member: string }
  /** Several at once through joint consensus. */
  | { readonly what: 'members-change'; readonly add: readonly string[]; readonly remove: readonly string[] }
  /** Makes a root user, one user for all clients of the keys, and switches authentication on. */
  | { readonly what: 'auth-enable' };

/** Members as an operator lists them. */
export interface EtcdctlMember {
  readonly name: string;
  readonly endpoint: Endpoint;
}

const ATTEMPTS_MAX = 5;
const RETRY_US = 1 * SECOND;
const BEFORE_DELETE_US = 1500 * MILLISECOND;
const KEY = `${STORE_PREFIX}operator`;

/** Carries an order out; what the store refuses is tried again a few times, as a person would. */
export function* etcdctl(
  process: Process,
  members: readonly EtcdctlMember[],
  order: EtcdctlOrder,
  through: string | undefined,
  errand: RunningErrand,
): Task<void> {
  const asked = through === undefined ? members : members.filter((m) => m.name === through);
  const client = new EtcdClient(process, { endpoints: asked.map((m) => m.endpoint), timeoutUs: 5 * SECOND });
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    if (attempt > 0) yield* process.sleep(RETRY_US);
    if ((yield* carryOut(process, client, members, order)) !== undefined) continue;
    errand.taken++;
    return;
  }
}

/** The error, or undefined once it is done. */
function* carryOut(
  process: Process,
  client: EtcdClient,
  members: readonly EtcdctlMember[],
  order: EtcdctlOrder,
): Task<EtcdError | undefined> {
  switch (order.what) {
    case 'compact':
      return yield* compact(process, client, order.behind, order.deletes);
    case 'defragment': {
      const member = members.find((m) => m.name === order.member);
      if (member === undefined) return undefined;
      const pinned = new EtcdClient(process, { endpoints: [member.endpoint], pinned: true, timeoutUs: 5 * SECOND });
      return yield* ask(pinned, { type: 'defragment' });
    }
    case 'member-add':
      return yield* ask(client, { type: 'memberAdd', peerURLs: [`http://${order.name}:2380`] });
    case 'learner-add':
      return yield* ask(client, { type: 'memberAdd', peerURLs: urlsOf(members, [order.member]), isLearner: true });
    case 'member-promote':
    case 'member-remove': {
      const found = yield* findIds(client, members, [order.member]);
      if (isError(found)) return found;
      const [id] = found;
      // It is gone already: an earlier attempt did it, whatever its answer was.
      if (id === undefined) return undefined;
      return yield* ask(client, { type: order.what === 'member-promote' ? 'memberPromote' : 'memberRemove', id });
    }
    case 'members-change': {
      const remove = yield* findIds(client, members, order.remove);
      if (isError(remove)) return remove;
      if (remove.length < order.remove.length) return undefined;
      return yield* ask(client, { type: 'membersChange', add: urlsOf(members, order.add), remove });
    }
    case 'auth-enable':
      return yield* enableAuth(client);
  }
}

/** Peer URLs of members by name. */
function urlsOf(members: readonly EtcdctlMember[], names: readonly string[]): readonly string[] {
  return members.filter((m) => names.includes(m.name)).map((m) => `http://${m.endpoint.address}:2380`);
}

/** Ids of those of the named members that the store lists, found by their peer URLs. */
function* findIds(client: EtcdClient, members: readonly EtcdctlMember[], names: readonly string[]): Task<readonly number[] | EtcdError> {
  const list = yield* client.call({ type: 'memberList' });
  if (isError(list)) return list;
  return urlsOf(members, names).flatMap((url) => list.members.filter((m) => m.peerURLs.includes(url)).map((m) => m.id));
}

function* ask(client: EtcdClient, request: EtcdRequest): Task<EtcdError | undefined> {
  const answer = yield* client.call(request);
  return isError(answer) ? answer : undefined;
}

function* compact(process: Process, client: EtcdClient, behind: number, deletes: boolean): Task<EtcdError | undefined> {
  if (deletes) {
    const put = yield* client.put({ key: KEY, value: 'operator' });
    if (isError(put)) return put;
    // Long enough that a watcher may have seen the one change and not yet the other.
    yield* process.sleep(BEFORE_DELETE_US);
    const gone = yield* client.deleteRange({ key: KEY });
    if (isError(gone)) return gone;
    return yield* ask(client, { type: 'compact', revision: gone.header.revision });
  }
  const now = yield* client.range({ key: KEY });
  if (isError(now)) return now;
  return yield* ask(client, { type: 'compact', revision: Math.max(1, now.header.revision - behind) });
}

function* enableAuth(client: EtcdClient): Task<EtcdError | undefined> {
  const { name, password } = STORE_USER;
  const steps: readonly EtcdRequest[] = [
    { type: 'userAdd', name: 'root', password },
    { type: 'userGrantRole', user: 'root', role: 'root' },
    { type: 'userAdd', name, password },
    { type: 'roleAdd', name },
    { type: 'roleGrantPermission', name, perm: { permType: 'READWRITE', key: STORE_PREFIX, rangeEnd: STORE_RANGE_END } },
    { type: 'userGrantRole', user: name, role: name },
    { type: 'authEnable' },
  ];
  for (const step of steps) {
    const error = yield* ask(client, step);
    // A step that an attempt before had done.
    if (error !== undefined && error.code !== 'userAlreadyExist' && error.code !== 'roleAlreadyExist') return error;
  }
  return undefined;
}
