import type { Endpoint, Network } from '../../sim/network.ts';
import type { Program } from '../../sim/host.ts';
import { RpcClient, serveRpc } from '../../sim/rpc.ts';
import { SECOND, type Micros } from '../../sim/time.ts';
import type { Process } from '../../sim/process.ts';
import type { Task } from '../../sim/task.ts';
import { labelsMatch } from '../api/label-selector.ts';
import { InformerFactory } from '../client/informer-factory.ts';
import { NODES } from '../client/resources.ts';
import { ApiTransport } from '../client/transport.ts';
import type { PodMetric, PodMetricsSource } from '../controllers/pod-metrics.ts';
import { KUBELET_PORT, type PodUsage } from '../kubelet/resource-metrics.ts';

const PORT = '10251';
/** --metric-resolution. */
const RESOLUTION: Micros = 15 * SECOND;
const SCRAPE_TIMEOUT: Micros = 10 * SECOND;
const USER = { name: 'system:serviceaccount:kube-system:metrics-server', groups: ['system:masters', 'system:authenticated'] };

interface Sample extends PodUsage {
  readonly atWallUs: Micros;
}

/**
 * metrics-server: asks every node's kubelet for the usage of its pods and answers with what it last heard. The API server passes requests
 * for metrics.k8s.io on to it (aggregation); that hop is left out, clients ask it directly.
 */
export function metricsServer(servers: readonly Endpoint[]): Program {
  return { name: 'metrics-server', restartAfterUs: SECOND, start: (process) => new MetricsServer(process, servers).start() };
}

class MetricsServer {
  readonly #process: Process;
  readonly #servers: readonly Endpoint[];
  readonly #byNode = new Map<string, readonly Sample[]>();
  readonly #kubelets = new Map<string, RpcClient>();

  constructor(process: Process, servers: readonly Endpoint[]) {
    this.#process = process;
    this.#servers = servers;
  }

  start(): void {
    const process = this.#process;
    const transport = new ApiTransport(process, { servers: this.#servers, user: USER, userAgent: 'metrics-server' });
    const informers = new InformerFactory(transport, { watchList: true });
    const nodes = informers.informer(NODES);
    informers.start();
    serveRpc(process, process.host.name, PORT, {
      call: (_method, _body, call) => call.answer([...this.#byNode.keys()].sort().flatMap((node) => this.#byNode.get(node) ?? [])),
    });
    const scrapeAll = (): void => {
      const names = nodes.list().map((node) => node.metadata.name ?? '');
      for (const gone of [...this.#byNode.keys()].filter((name) => !names.includes(name))) this.#byNode.delete(gone);
      for (const name of names) process.spawn(`scrape ${name}`, this.#scrape(name));
      process.after(RESOLUTION, scrapeAll);
    };
    process.after(RESOLUTION, scrapeAll);
  }

  *#scrape(node: string): Task<void> {
    let kubelet = this.#kubelets.get(node);
    if (kubelet === undefined) {
      kubelet = new RpcClient(this.#process, this.#process.world.network.endpoint(node, KUBELET_PORT), { connectTimeoutUs: 5 * SECOND });
      this.#kubelets.set(node, kubelet);
    }
    const answer = yield* kubelet.call<readonly PodUsage[]>('resource-metrics', undefined, { timeoutUs: SCRAPE_TIMEOUT });
    const atWallUs = this.#process.wall();
    // A node that does not answer has no metrics until it does.
    if (answer.ok)
      this.#byNode.set(
        node,
        answer.value.map((usage) => ({ ...usage, atWallUs })),
      );
    else this.#byNode.delete(node);
  }
}

/** The metrics API as the autoscaler asks it. */
export function metricsOfServer(process: Process, network: Network, host: string): PodMetricsSource {
  const client = new RpcClient(process, network.endpoint(host, PORT), { connectTimeoutUs: 5 * SECOND });
  return {
    *list(namespace, selector) {
      const answer = yield* client.call<readonly Sample[]>('pods', undefined, { timeoutUs: SCRAPE_TIMEOUT });
      if (!answer.ok)
        return {
          ok: false,
          reason: 'ServiceUnavailable',
          code: 503,
          message: 'the server is currently unable to handle the request',
          sent: true,
        };
      const pods: PodMetric[] = answer.value
        .filter((sample) => sample.namespace === namespace && labelsMatch(selector, sample.labels))
        // Kubelets here know what a pod uses, not which of its containers does.
        .map(({ name, memoryBytes, atWallUs }) => ({ name, cpuMilli: 0, memoryBytes, atWallUs, windowUs: RESOLUTION, containers: [] }));
      return { ok: true, pods };
    },
  };
}
