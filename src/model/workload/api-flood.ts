import type { Program } from '../../sim/host.ts';
import type { Endpoint } from '../../sim/network.ts';
import type { Process } from '../../sim/process.ts';
import { all } from '../../sim/sync.ts';
import { MILLISECOND } from '../../sim/time.ts';
import type { Task } from '../../sim/task.ts';
import { ApiTransport, type ClientRequest } from '../client/transport.ts';

export interface ApiFloodOptions {
  readonly name: string;
  readonly servers: readonly Endpoint[];
  /** Requests under way at a time, over all servers. */
  readonly requests: number;
  /** Objects that it makes first, and then lists again and again. */
  readonly objects: number;
}

const NAMESPACE = 'default';
const CONFIG_MAPS = { group: '', version: 'v1', resource: 'configmaps' } as const;
/** One request of so many changes an object. */
const CHANGES_ONE_IN = 16;
/** Creations under way at a time, while it makes its objects. */
const CREATING = 50;
/** A loop that got no answer or a refusal does not spin. */
const PAUSE_US = 100 * MILLISECOND;

/**
 * A crawler gone wrong: many loops, spread over all API servers, that list every object of a kind as fast as they are answered. It is polite
 * enough to wait where it is told to (client-go does that), and has no rights above those of any workload.
 */
export class ApiFlood {
  readonly #options: ApiFloodOptions;
  #stopped = false;
  #sent = 0;

  constructor(options: ApiFloodOptions) {
    this.#options = options;
  }

  program(): Program {
    return { name: this.#options.name, start: (process) => this.#start(process) };
  }

  /** No new requests from now on. */
  stop(): void {
    this.#stopped = true;
  }

  get sent(): number {
    return this.#sent;
  }

  #start(process: Process): void {
    const { servers, name } = this.#options;
    const user = { name: `system:serviceaccount:${NAMESPACE}:${name}`, groups: ['system:serviceaccounts', 'system:authenticated'] };
    const transports = servers.map((_, preferred) => new ApiTransport(process, { servers, user, userAgent: name, preferred }));
    const transport = (loop: number): ApiTransport => transports[loop % transports.length] as ApiTransport;
    process.spawn(name, this.#run(process, transport));
  }

  *#run(process: Process, transport: (loop: number) => ApiTransport): Task<void> {
    const { requests, objects } = this.#options;
    let next = 0;
    const create = function* (flood: ApiFlood, loop: number): Task<void> {
      while (next < objects && !flood.#stopped) yield* transport(loop).request(flood.#creation(next++));
    };
    yield* all(
      process,
      Array.from({ length: Math.min(CREATING, objects) }, (_, loop) => create(this, loop)),
    );
    for (let loop = 0; loop < requests; loop++) process.spawn('crawl', this.#crawl(process, transport(loop), loop));
  }

  *#crawl(process: Process, transport: ApiTransport, loop: number): Task<void> {
    for (let turn = loop; !this.#stopped; turn++) {
      this.#sent++;
      const result = yield* transport.request(turn % CHANGES_ONE_IN === 0 ? this.#change(turn) : { ...CONFIG_MAPS, verb: 'list' });
      if (!result.ok) yield* process.sleep(PAUSE_US);
    }
  }

  #creation(index: number): ClientRequest {
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: this.#nameOf(index), namespace: NAMESPACE },
      data: { at: '0' },
    };
    return { ...CONFIG_MAPS, verb: 'create', namespace: NAMESPACE, object };
  }

  #change(turn: number): ClientRequest {
    const name = this.#nameOf(turn % Math.max(1, this.#options.objects));
    return { ...CONFIG_MAPS, verb: 'patch', namespace: NAMESPACE, name, patchType: 'merge', patch: { data: { at: String(turn) } } };
  }

  #nameOf(index: number): string {
    return `${this.#options.name}-${index}`;
  }
}
