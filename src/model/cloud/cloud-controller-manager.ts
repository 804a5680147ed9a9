import type { Program } from '../../sim/host.ts';
import type { Endpoint } from '../../sim/network.ts';
import type { Process } from '../../sim/process.ts';
import { RpcClient } from '../../sim/rpc.ts';
import type { Task } from '../../sim/task.ts';
import { MINUTE, SECOND, type Micros } from '../../sim/time.ts';
import { parseTime } from '../api/time.ts';
import type { Node } from '../api/types.ts';
import { EventBroadcaster, type EventRecorder } from '../client/events.ts';
import { InformerFactory } from '../client/informer-factory.ts';
import type { Informer } from '../client/informer.ts';
import { NODES, SERVICES } from '../client/resources.ts';
import { ApiTransport } from '../client/transport.ts';
import { Client } from '../client/typed-client.ts';
import type { DefectSet } from '../defects.ts';
import { COMPUTE_PORT } from './compute.ts';
import { ServiceController } from './service-controller.ts';

export interface CloudControllerManagerOptions {
  readonly servers: readonly Endpoint[];
  /** Host of the cloud's API. */
  readonly cloud: string;
  readonly defects: DefectSet;
}

/** --node-monitor-period. */
const MONITOR_PERIOD: Micros = 5 * SECOND;
/** For so long after its registration a node is taken to exist, whatever the cloud says (cloud-provider-aws, InstanceExists). */
const EVENTUALLY: Micros = 5 * MINUTE;
const CALL_TIMEOUT: Micros = 10 * SECOND;
const USER = { name: 'system:cloud-controller-manager', groups: ['system:masters', 'system:authenticated'] };

/**
 * cloud-controller-manager as a provider runs it, one replica without leader election, and of its controllers the one that takes nodes out
 * whose machine is gone: cloud-provider/controllers/nodelifecycle. Shut-down machines, routes and addresses are not modelled.
 */
export function cloudControllerManager(options: CloudControllerManagerOptions): Program {
  return { name: 'cloud-controller-manager', restartAfterUs: SECOND, start: (process) => new CloudNodeLifecycle(process, options).start() };
}

class CloudNodeLifecycle {
  readonly #process: Process;
  readonly #options: CloudControllerManagerOptions;
  readonly #client: Client;
  readonly #nodes: Informer<Node>;
  readonly #recorder: EventRecorder;
  readonly #cloud: RpcClient;
  readonly #services: ServiceController;

  constructor(process: Process, options: CloudControllerManagerOptions) {
    this.#process = process;
    this.#options = options;
    this.#client = new Client(new ApiTransport(process, { servers: options.servers, user: USER, userAgent: 'cloud-controller-manager' }));
    const informers = new InformerFactory(this.#client.transport, { watchList: true });
    this.#nodes = informers.informer(NODES);
    const services = informers.informer(SERVICES);
    informers.start();
    const events = new EventBroadcaster(this.#client);
    this.#recorder = events.recorder({ component: 'cloud-node-lifecycle-controller' });
    this.#cloud = new RpcClient(process, process.world.network.endpoint(options.cloud, COMPUTE_PORT), { connectTimeoutUs: 5 * SECOND });
    this.#services = new ServiceController(
      process,
      this.#client,
      services,
      events.recorder({ component: 'service-controller' }),
      this.#cloud,
    );
  }

  start(): void {
    this.#services.start();
    this.#process.spawn('monitor-nodes', this.#monitor());
  }

  /** Upstream MonitorNodes. */
  *#monitor(): Task<void> {
    yield* this.#nodes.waitForSync();
    for (;;) {
      for (const node of this.#nodes.list()) {
        if (node.status?.conditions?.find((condition) => condition.type === 'Ready')?.status === 'True') continue;
        // Not ready: is its machine still there? No answer is no reason to act.
        if ((yield* this.#exists(node)) !== false) continue;
        const name = node.metadata.name ?? '';
        this.#recorder.event(node, 'Normal', 'DeletingNode', `Deleting node ${name} because it does not exist in the cloud provider`);
        yield* this.#client.resource(NODES).delete('', name);
      }
      yield* this.#process.sleep(MONITOR_PERIOD);
    }
  }

  /** The provider's InstanceExists; undefined: not known. */
  *#exists(node: Node): Task<boolean | undefined> {
    const registeredUs = parseTime(node.metadata.creationTimestamp ?? '') ?? 0;
    // A cloud's API may take a while to know of its newest machines. A node that has just come is there (kubernetes#58334, #81636).
    if (!this.#options.defects.has('K17') && this.#process.wall() - registeredUs < EVENTUALLY) return undefined;
    const answer = yield* this.#cloud.call<boolean>('instance-exists', node.metadata.name ?? '', { timeoutUs: CALL_TIMEOUT });
    return answer.ok ? answer.value : undefined;
  }
}
