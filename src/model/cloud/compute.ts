import type { Program } from '../../sim/host.ts';
import { serveRpc } from '../../sim/rpc.ts';
import { SECOND, type Micros } from '../../sim/time.ts';

export const COMPUTE_PORT = '8774';

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
  }

  terminate(machine: string, atUs: Micros): void {
    this.#terminatedUs.set(machine, atUs);
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

/** The cloud's API for machines: call `instance-exists` with a name. */
export function computeApi(inventory: CloudInventory): Program {
  return {
    name: 'compute',
    restartAfterUs: SECOND,
    start(process) {
      serveRpc(process, process.host.name, COMPUTE_PORT, {
        call: (_method, body, call) => call.answer(inventory.exists(body as string, process.world.now)),
      });
    },
  };
}
