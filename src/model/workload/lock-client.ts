import type { Program } from '../../sim/host.ts';
import type { Endpoint } from '../../sim/network.ts';
import type { Process } from '../../sim/process.ts';
import { MILLISECOND, SECOND } from '../../sim/time.ts';
import type { Task } from '../../sim/task.ts';
import { EtcdClient } from '../etcd/client.ts';
import { isError } from '../etcd/errors.ts';
import { EtcdLock } from '../etcd/recipes/lock.ts';
import type { Facts } from '../facts.ts';

/** A client of the lock recipe. */
export interface LockClientOptions {
  readonly index: number;
  readonly members: readonly { readonly name: string; readonly endpoint: Endpoint }[];
  readonly facts: Facts;
  /** The defect E14. */
  readonly trustsLease: boolean;
  readonly running: () => boolean;
}

const LOCK = 'locks/one';
/** The shortest that etcd grants: one and a half election timeouts, in whole seconds. */
const TTL_SECONDS = 2;
/** One turn in so many the client does not renew its lease while it waits, as a program that hangs would not. */
const SLEEPY_ONE_IN = 3;

/** Takes the one lock again and again, holds it for a moment and gives it back. */
export function lockClient(options: LockClientOptions): Program {
  const name = `lock-client-${options.index}`;
  return { name, start: (process) => process.spawn(name, turns(process, name, options)) };
}

function* turns(process: Process, name: string, options: LockClientOptions): Task<void> {
  const { members, index, facts } = options;
  const client = new EtcdClient(process, {
    endpoints: members.map((m) => m.endpoint),
    first: index % members.length,
    timeoutUs: 10 * SECOND,
  });
  yield* process.sleep(process.random.below(2 * SECOND));
  while (options.running()) {
    const lease = yield* client.leaseGrant(TTL_SECONDS);
    if (isError(lease)) {
      yield* process.sleep(SECOND);
      continue;
    }
    const renewal = process.random.chance(1, SLEEPY_ONE_IN) ? undefined : process.spawn('renew', client.keepAlive(lease.id, TTL_SECONDS));
    const lock = new EtcdLock(process, client, LOCK, lease.id, { trustsLease: options.trustsLease });
    const revision = yield* lock.lock();
    if (!isError(revision)) {
      facts.lockGranted.emit(name, `${LOCK}/${BigInt.asUintN(64, lease.id).toString(16)}`, revision);
      yield* process.sleep(SECOND + process.random.below(2 * SECOND));
      yield* lock.unlock();
    }
    renewal?.cancel();
    yield* client.leaseRevoke(lease.id);
    yield* process.sleep(100 * MILLISECOND + process.random.below(500 * MILLISECOND));
  }
}
