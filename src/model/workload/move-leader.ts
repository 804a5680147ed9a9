import type { Endpoint } from '../../sim/network.ts';
import type { Process } from '../../sim/process.ts';
import { SECOND } from '../../sim/time.ts';
import type { Task } from '../../sim/task.ts';
import { EtcdClient } from '../etcd/client.ts';
import { isError } from '../etcd/errors.ts';
import type { RunningErrand } from './errand.ts';

/** `etcdctl move-leader`: asks each member until the one that leads takes it. Ends when it is done or nobody leads. */
export function* moveLeader(
  process: Process,
  members: readonly { readonly name: string; readonly endpoint: Endpoint }[],
  target: string,
  errand: RunningErrand,
): Task<void> {
  for (const { endpoint } of members) {
    const client = new EtcdClient(process, { endpoints: [endpoint], pinned: true, timeoutUs: 3 * SECOND });
    const list = yield* client.call({ type: 'memberList' });
    if (isError(list)) continue;
    const member = list.members.find((m) => m.name === target);
    if (member === undefined) return;
    const moved = yield* client.call({ type: 'moveLeader', targetId: member.id });
    if (isError(moved)) continue;
    errand.taken++;
    return;
  }
}
