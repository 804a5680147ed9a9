import type { Program } from '../../sim/host.ts';
import { serveRpc } from '../../sim/rpc.ts';
import { SECOND, type Micros } from '../../sim/time.ts';
import type { CloudLoadBalancers } from './load-balancers.ts';
import type { CloudNodeGroups } from './node-groups.ts';

export const COMPUTE_PORT = '8774';

/** More machines for a node group. */
export interface GrowRequest {
  readonly group: string;
  readonly by: number;
}

/** The machines that a cloud has made, by the cloud's own books. Its API answers from a copy that may be some time old. */
export class CloudInventory {
  readonly #launchedUs = new Map<string, Micros>();
  readonly #terminatedUs = new Map<string, Micros>();
  /** How old the copy is that the API answers from. */
  lagUs: Micros = 0;
  /** Answers that would have been others from the books themselves. */
  outdated = 0;

  launch(machine: string, atUs: Micros): void {
    this.#launchedUs.set(machine, atUs);
    this.#terminatedUs.delete(machine);
  }

  terminate(machine: string, atUs: Micros): void {
    this.#terminatedUs.set(machine, atUs);
  }

  /** Whether the machine runs, by the books themselves. */
  isRunning(machine: string): boolean {
    return this.#launchedUs.has(machine) && !this.#terminatedUs.has(machine);
  }

  /** Whether the API knows of the machine. */
  exists(machine: string, nowUs: Micros): boolean {
    const launched = this.#launchedUs.get(machine);
    if (launched === undefined) return false;
    const terminated = this.#terminatedUs.get(machine) ?? Number.POSITIVE_INFINITY;
    const existsAt = (at: Micros): boolean => launched <= at && at < terminated;
    const told = existsAt(nowUs - this.lagUs);
    if (told !== existsAt(nowUs)) this.outdated++;
    return told;
  }
}

/**
 * The cloud's API: `instance-exists` with a name, `node-groups`, `grow` of a group by a number of machines, `terminate` with a name, and
 * `ensure-load-balancer` and `delete-load-balancer` with a name. Only what exists is answered from old books: an order is an order.
 */
export function computeApi(inventory: CloudInventory, groups: CloudNodeGroups, balancers: CloudLoadBalancers): Program {
  return {
    name: 'compute',
    restartAfterUs: SECOND,
    start(process) {
      groups.start();
      balancers.start();
      const serve = (method: string, body: unknown, answer: (value: unknown) => void): void => {
        switch (method) {
          case 'node-groups':
            return answer(groups.list());
          case 'grow': {
            const { group, by } = body as GrowRequest;
            groups.grow(process, group, by);
            return answer(true);
          }
          case 'terminate':
            groups.take(body as string, process.world.now);
            return answer(true);
          case 'ensure-load-balancer':
            return balancers.ensure(process, body as string, answer);
          case 'delete-load-balancer':
            return balancers.delete(process, body as string, () => answer(true));
          default:
            return answer(inventory.exists(body as string, process.world.now));
        }
      };
      serveRpc(process, process.host.name, COMPUTE_PORT, {
        call: (method, body, call) => serve(method, body, (value) => call.answer(value)),
      });
    },
  };
}
