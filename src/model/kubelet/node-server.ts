import type { Process } from '../../sim/process.ts';
import { type ServerCall, serveRpc } from '../../sim/rpc.ts';
import type { Task } from '../../sim/task.ts';
import { MINUTE } from '../../sim/time.ts';
import type { Pod } from '../api/types.ts';
import type { KubeletAnswer, KubeletRequest } from '../apiserver/subresource/connect.ts';
import type { CriClient, PodRecords } from './cri.ts';
import { KUBELET_PORT, resourceMetrics } from './resource-metrics.ts';
import { keyOf, type Machine } from './runtime/machine.ts';

export interface NodeServerOptions {
  readonly process: Process;
  readonly machine: Machine;
  readonly cri: CriClient;
  /** Pods that this kubelet runs. */
  readonly pods: () => Iterable<Pod>;
  readonly records: (uid: string) => PodRecords | undefined;
}

/** A command that somebody types may take its time. */
const EXEC_MAX = 10 * MINUTE;

const answer = (code: number, text: string): KubeletAnswer => ({ code, text });

/** The kubelet's own HTTP server, as far as API servers ask it: upstream pkg/kubelet/server. Commands are answered whole, not as streams. */
export class NodeServer {
  readonly #options: NodeServerOptions;

  constructor(options: NodeServerOptions) {
    this.#options = options;
  }

  start(): void {
    const { process } = this.#options;
    serveRpc(process, process.host.name, KUBELET_PORT, {
      call: (method, body, call: ServerCall) => {
        if (method !== 'kubelet') {
          call.answer(resourceMetrics(this.#options.machine, [...this.#options.pods()]));
          return;
        }
        process.spawn('serve', this.#serve(body as KubeletRequest), (said) => call.answer(said, 100 + said.text.length));
      },
    });
  }

  *#serve({ path, query }: KubeletRequest): Task<KubeletAnswer> {
    const [, what, namespace = '', pod = '', container = ''] = path.split('/');
    switch (what) {
      case 'containerLogs':
        return this.#logs(`${namespace}/${pod}`, container, query);
      case 'exec':
        return yield* this.#exec(`${namespace}/${pod}`, container, [query['command'] ?? '']);
      case 'attach':
      case 'portforward':
        return answer(501, 'streams are not modelled');
      case 'healthz':
        return answer(200, 'ok');
      case 'pods':
        return answer(200, `${[...this.#options.pods()].map(keyOf).sort().join('\n')}\n`);
      default:
        return answer(404, '404 page not found\n');
    }
  }

  /** Containers of that name in the order of their runs. */
  #runs(key: string, container: string): readonly string[] | undefined {
    for (const pod of this.#options.pods()) {
      if (keyOf(pod) !== key) continue;
      const records = this.#options.records(pod.metadata.uid ?? '')?.containers ?? [];
      const runs = records.filter((record) => record.name === container && record.startedAtUs > 0);
      return [...runs].sort((a, b) => a.attempt - b.attempt).map((record) => record.id);
    }
    return undefined;
  }

  #logs(key: string, container: string, query: KubeletRequest['query']): KubeletAnswer {
    const runs = this.#runs(key, container);
    if (runs === undefined) return answer(404, `pod "${key}" not found\n`);
    const isPrevious = query['previous'] === 'true';
    const id = runs.at(isPrevious ? -2 : -1);
    if (id === undefined) {
      const name = key.slice(key.indexOf('/') + 1);
      const state = isPrevious
        ? `previous terminated container "${container}" in pod "${name}" not found`
        : `container "${container}" in pod "${name}" is waiting to start`;
      return answer(400, state);
    }
    let lines = this.#options.machine.logs(id);
    const tail = Number(query['tailLines'] ?? Number.NaN);
    if (Number.isInteger(tail) && tail >= 0) lines = lines.slice(Math.max(0, lines.length - tail));
    return answer(200, lines.map((line) => `${line}\n`).join(''));
  }

  *#exec(key: string, container: string, command: readonly string[]): Task<KubeletAnswer> {
    const id = this.#runs(key, container)?.at(-1);
    if (id === undefined) return answer(404, `container not found ("${container}")`);
    const result = yield* this.#options.cri.call('ExecSync', { containerId: id, command, timeoutUs: EXEC_MAX }, EXEC_MAX);
    if (!result.ok) return answer(500, result.message);
    const { outcome } = result.value;
    if (outcome.kind === 'exit') return answer(200, `${outcome.output}exit ${outcome.code}\n`);
    return answer(500, outcome.kind === 'exec-error' ? outcome.message : 'exec is not possible');
  }
}
