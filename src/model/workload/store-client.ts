import type { Endpoint } from '../../sim/network.ts';
import type { Process } from '../../sim/process.ts';
import type { Program } from '../../sim/host.ts';
import { MILLISECOND, SECOND } from '../../sim/time.ts';
import type { Task } from '../../sim/task.ts';
import type { KeyValue } from '../etcd/api.ts';
import { EtcdClient } from '../etcd/client.ts';
import { type EtcdError, isError } from '../etcd/errors.ts';
import { hashValue } from '../etcd/mvcc/record.ts';
import type { Facts } from '../facts.ts';
import { STORE_PREFIX, STORE_USER } from './store-keys.ts';
import { watchKeys } from './store-watch.ts';

/** A client that reads, writes and watches etcd keys directly and tells, as facts, what it asked and what it was answered. */
export interface StoreClientOptions {
  /** Number of the client, from 0: names it and picks its member. */
  readonly index: number;
  readonly members: readonly { readonly name: string; readonly endpoint: Endpoint }[];
  /** Keys of all clients together: contention is what finds bugs. */
  readonly keys: number;
  readonly perSecond: number;
  readonly watch: boolean;
  readonly facts: Facts;
  /** Asked before each operation: false ends the client. */
  readonly running: () => boolean;
  /** How many times longer it pauses between operations than `perSecond` says; asked before each pause. Absent: 1. */
  readonly ease?: () => number;
  /** See StoreClients of a trial. */
  readonly rewatch?: boolean;
  readonly oldReads?: boolean;
  readonly logIn?: boolean;
  /** It only reads, linearizably, and asks again soon. */
  readonly onlyReads?: boolean;
}

/** Some clients are patient, some ask again soon: an old leader that wakes up finds both kinds of requests. */
const PATIENCE_US = [10 * SECOND, 1 * SECOND];
const OLD_READ_ONE_IN = 4;
/** What a throw of 52 to 84 asks for. */
const LINEARIZABLE_READ = 60;
/** What a throw below asks for: a transaction that writes two keys. */
const PAIR = 6;
/** How many revisions an old read goes back at the most. */
const OLD_READ_BACK = 60;
const READER_PATIENCE_US = 300 * MILLISECOND;
const LARGE_ONE_IN = 8;
const LARGE_BYTES = 1_200_000;

/** Program of a store client. It is pinned to one member, so that a stale member is asked and not passed over. */
export function storeClient(options: StoreClientOptions): Program {
  const name = `store-client-${options.index}`;
  return { name, start: (process) => start(process, name, options) };
}

function start(process: Process, name: string, options: StoreClientOptions): void {
  const member = options.members[options.index % options.members.length] as StoreClientOptions['members'][number];
  const client = new EtcdClient(process, {
    endpoints: [member.endpoint],
    pinned: true,
    timeoutUs:
      options.onlyReads === true
        ? READER_PATIENCE_US
        : (PATIENCE_US[Math.floor(options.index / options.members.length) % PATIENCE_US.length] as number),
  });
  process.spawn(name, operations(process, name, member.name, client, options));
  // Watches go over a client of their own, which fails over: resuming elsewhere is what they must survive.
  if (options.watch) watchKeys(process, name, options);
}

function* operations(process: Process, name: string, member: string, client: EtcdClient, options: StoreClientOptions): Task<void> {
  const { facts } = options;
  const meanUs = Math.round(SECOND / options.perSecond);
  let next = (options.index + 1) * 10_000_000 * process.incarnation;
  let known = 1;
  yield* process.sleep(process.random.below(meanUs));
  while (options.running()) {
    const op = next++;
    const key = `${STORE_PREFIX}${process.random.below(options.keys)}`;
    const failed = function* (error: EtcdError, outcome: string): Task<void> {
      facts.opAnswered.emit(op, outcome, 0, 0, 0);
      if (options.logIn === true && asksForLogin(error.code)) yield* client.authenticate(STORE_USER.name, STORE_USER.password);
    };
    const dice = options.onlyReads === true ? LINEARIZABLE_READ : process.random.below(100);
    if (options.oldReads === true && process.random.chance(1, OLD_READ_ONE_IN)) {
      const value = `${name}/${op}`;
      const revision = Math.max(1, known - process.random.below(OLD_READ_BACK));
      facts.opInvoked.emit(op, name, member, 'txn', key, hashValue(value, undefined));
      const result = yield* client.txn({
        success: [
          { type: 'range', key, revision },
          { type: 'put', key, value },
        ],
      });
      if (isError(result)) yield* failed(result, surelyFailed(result.code) || result.code === 'compacted' ? 'failed' : 'unknown');
      else {
        known = result.header.revision;
        facts.opAnswered.emit(op, 'ok', known, known, hashValue(value, undefined));
      }
    } else if (dice < PAIR && options.keys > 1) {
      // Two keys change at one revision: watchers must hear of both in one response.
      const value = `${name}/${op}`;
      const other = `${STORE_PREFIX}${(Number(key.slice(STORE_PREFIX.length)) + 1) % options.keys}`;
      facts.opInvoked.emit(op, name, member, 'txn', key, hashValue(value, undefined));
      const result = yield* client.txn({
        success: [
          { type: 'put', key, value },
          { type: 'put', key: other, value },
        ],
      });
      if (isError(result)) yield* failed(result, surelyFailed(result.code) ? 'failed' : 'unknown');
      else {
        known = result.header.revision;
        facts.opAnswered.emit(op, 'ok', known, known, hashValue(value, undefined));
      }
    } else if (dice < 45) {
      const value = `${name}/${op}`;
      facts.opInvoked.emit(op, name, member, 'put', key, hashValue(value, undefined));
      // Now and then a value above raft's message limit: such entries travel alone, and what follows them comes later.
      const result = yield* client.put(process.random.chance(1, LARGE_ONE_IN) ? { key, value, sizeBytes: LARGE_BYTES } : { key, value });
      if (isError(result)) yield* failed(result, surelyFailed(result.code) ? 'failed' : 'unknown');
      else {
        known = result.header.revision;
        facts.opAnswered.emit(op, 'ok', known, known, hashValue(value, undefined));
      }
    } else if (dice < 52) {
      facts.opInvoked.emit(op, name, member, 'delete', key, 0);
      const result = yield* client.deleteRange({ key });
      if (isError(result)) yield* failed(result, surelyFailed(result.code) ? 'failed' : 'unknown');
      else facts.opAnswered.emit(op, 'ok', result.header.revision, 0, 0);
    } else {
      const serializable = dice >= 85;
      facts.opInvoked.emit(op, name, member, serializable ? 'range-serializable' : 'range-linearizable', key, 0);
      const result = yield* client.range({ key, serializable });
      if (isError(result)) yield* failed(result, 'failed');
      else tellRead(facts, op, result.header.revision, result.kvs[0]);
    }
    const pauseUs = meanUs * (options.ease?.() ?? 1);
    yield* process.sleep(Math.floor(pauseUs / 2) + process.random.below(pauseUs));
  }
}

function tellRead(facts: Facts, op: number, revision: number, kv: KeyValue | undefined): void {
  facts.opAnswered.emit(op, 'ok', revision, kv?.modRevision ?? 0, kv === undefined ? 0 : hashValue(kv.value, undefined));
}

/** Errors after which the write was certainly not proposed. */
function surelyFailed(code: string): boolean {
  return code === 'connectionRefused' || code === 'noLeader' || code === 'noSpace' || code === 'tooManyRequests' || asksForLogin(code);
}

/** Answers of a store that wants to know who asks; tokens are gone when a member restarts. */
function asksForLogin(code: string): boolean {
  return code === 'userEmpty' || code === 'invalidAuthToken';
}
