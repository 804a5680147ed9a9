import type { Process } from '../../sim/process.ts';
import { RpcClient } from '../../sim/rpc.ts';
import { suspend, type Task } from '../../sim/task.ts';
import { SECOND } from '../../sim/time.ts';
import type { KubeletAnswer, KubeletRequest, NodeConnector } from './subresource/connect.ts';

/** Upstream: a kubelet that does not take a connection, or an app that does not answer, is given up. */
const ANSWER_MAX = 30 * SECOND;
const BYTES = 400;

/** An API server's connections to kubelets (port 10250 of their hosts) and to pods, over the simulated network. */
export class ProcessConnector implements NodeConnector {
  readonly #process: Process;
  readonly #kubelets = new Map<string, RpcClient>();

  constructor(process: Process) {
    this.#process = process;
  }

  readonly kubelet: NodeConnector['kubelet'] = (node, request) => this.#ask(node, request);

  *#ask(node: string, request: KubeletRequest): Task<KubeletAnswer | undefined> {
    let client = this.#kubelets.get(node);
    if (client === undefined) {
      client = new RpcClient(this.#process, this.#process.world.network.endpoint(node, '10250'));
      this.#kubelets.set(node, client);
    }
    const result = yield* client.call<KubeletAnswer>('kubelet', request, { timeoutUs: ANSWER_MAX });
    return result.ok ? result.value : undefined;
  }

  readonly http: NodeConnector['http'] = (address, port) => this.#get(address, port);

  *#get(address: string, port: number): Task<KubeletAnswer | undefined> {
    const process = this.#process;
    const { network } = process.world;
    return yield* suspend<KubeletAnswer | undefined>((resolve) => {
      let timer = 0;
      const connection = network.connect(
        process,
        network.endpoint(address, String(port)),
        {
          onMessage: (payload, from) => {
            const { ok, pod } = payload as { readonly ok: boolean; readonly pod: string };
            process.cancel(timer);
            from.close();
            resolve({ code: ok ? 200 : 500, text: `${pod}\n` });
          },
          onClose: () => {
            process.cancel(timer);
            resolve(undefined);
          },
        },
        { connectTimeoutUs: ANSWER_MAX },
      );
      timer = process.after(ANSWER_MAX, () => connection.close());
      connection.send({ id: 1 }, BYTES);
      return () => {
        process.cancel(timer);
        connection.close();
      };
    });
  }
}
