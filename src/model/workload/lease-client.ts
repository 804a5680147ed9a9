import type { Program } from '../../sim/host.ts';
import type { Endpoint } from '../../sim/network.ts';
import type { Process } from '../../sim/process.ts';
import { MILLISECOND, SECOND } from '../../sim/time.ts';
import type { Task } from '../../sim/task.ts';
import type { LeaseId } from '../etcd/api.ts';
import { EtcdClient } from '../etcd/client.ts';
import { isError } from '../etcd/errors.ts';
import type { Facts } from '../facts.ts';

/** A client that keeps a lease. */
export interface LeaseClientOptions {
  readonly index: number;
  readonly members: readonly { readonly name: string; readonly endpoint: Endpoint }[];
  readonly facts: Facts;
  readonly running: () => boolean;
}

const TTL_SECONDS = 4;
const RETRY_US = 200 * MILLISECOND;
/** A renewal that nobody answers is asked of the next member: it is worth nothing once the lease has ended. */
const PATIENCE_US = 1 * SECOND;

/** How often a client that has abandoned its lease looks whether it is gone. */
const LOOK_US = 2 * SECOND;

/**
 * Takes a lease, hangs a key on it, as a service does that announces itself, and renews it every third of its time. Every second client
 * abandons its lease, as one that has died does, and takes another when it is gone.
 */
export function leaseClient(options: LeaseClientOptions): Program {
  const name = `lease-client-${options.index}`;
  return { name, start: (process) => process.spawn(name, leases(process, name, options)) };
}

function* leases(process: Process, name: string, options: LeaseClientOptions): Task<void> {
  const { members, index, facts, running } = options;
  const client = new EtcdClient(process, {
    endpoints: members.map((m) => m.endpoint),
    first: index % members.length,
    timeoutUs: PATIENCE_US,
  });
  yield* process.sleep(process.random.below(SECOND));
  while (running()) {
    const askedAtUs = process.world.now;
    const lease = yield* client.leaseGrant(TTL_SECONDS);
    if (isError(lease)) {
      yield* process.sleep(RETRY_US);
      continue;
    }
    facts.leaseKept.emit(name, String(lease.id), lease.ttl, askedAtUs);
    yield* client.put({ key: `leases/${index}`, value: name, lease: lease.id });
    yield* index % 2 === 0 ? keep(process, name, client, lease.id, options) : abandon(process, client, lease.id, options);
  }
}

/** Renews until the lease is gone. */
function* keep(process: Process, name: string, client: EtcdClient, id: LeaseId, { facts, running }: LeaseClientOptions): Task<void> {
  while (running()) {
    yield* process.sleep(Math.floor((TTL_SECONDS * SECOND) / 3));
    for (;;) {
      if (!running()) return;
      const askedAtUs = process.world.now;
      const answer = yield* client.leaseKeepAliveOnce(id);
      if (isError(answer)) {
        client.moveOn(client.current);
        yield* process.sleep(RETRY_US);
        continue;
      }
      if (answer.ttl <= 0) return;
      facts.leaseKept.emit(name, String(id), answer.ttl, askedAtUs);
      break;
    }
  }
}

function* abandon(process: Process, client: EtcdClient, id: LeaseId, { running }: LeaseClientOptions): Task<void> {
  while (running()) {
    yield* process.sleep(LOOK_US);
    const answer = yield* client.call({ type: 'leaseTimeToLive', id });
    if (isError(answer)) client.moveOn(client.current);
    else if (answer.ttl < 0) return;
  }
}
