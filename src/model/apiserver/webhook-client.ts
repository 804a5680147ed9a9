import type { CloseReason } from '../../sim/connection.ts';
import type { Process } from '../../sim/process.ts';
import { suspend, type Task } from '../../sim/task.ts';
import type { Micros } from '../../sim/time.ts';
import { REQUEST_BYTES, type ServiceAnswer, type ServiceRequest } from '../workload/request.ts';
import type { WebhookTarget, WebhookTransport } from './server-context.ts';

type Posted = { readonly body: unknown } | { readonly error: string };

/**
 * Calls webhooks over the simulated network, as a client of the pods behind them. Each call has a connection of its own: upstream keeps
 * them, which makes no difference to who can be reached.
 */
export class WebhookClient implements WebhookTransport {
  readonly #process: Process;

  constructor(process: Process) {
    this.#process = process;
  }

  *post(target: WebhookTarget, body: object, timeoutUs: Micros): Task<Posted> {
    return yield* suspend<Posted>((resolve) => this.#call(target, body, timeoutUs, resolve));
  }

  #call({ address, port, shown }: WebhookTarget, body: object, timeoutUs: Micros, resolve: (posted: Posted) => void): () => void {
    const process = this.#process;
    const { network } = process.world;
    let done = false;
    const finish = (posted: Posted): void => {
      if (done) return;
      done = true;
      process.cancel(timer);
      connection.close();
      resolve(posted);
    };
    const connection = network.connect(
      process,
      network.endpoint(address, String(port)),
      {
        onMessage: (payload) => finish({ body: (payload as ServiceAnswer).body }),
        onClose: (reason) => finish({ error: errorOf(reason, shown) }),
      },
      { connectTimeoutUs: timeoutUs },
    );
    const timer = process.after(timeoutUs, () => finish({ error: 'context deadline exceeded' }));
    connection.send({ id: 1, body } satisfies ServiceRequest, REQUEST_BYTES);
    return () => {
      done = true;
      process.cancel(timer);
      connection.close();
    };
  }
}

/** What Go's HTTP client says of a connection that ended. */
function errorOf(reason: CloseReason, shown: string): string {
  switch (reason) {
    case 'refused':
      return `dial tcp ${shown}: connect: connection refused`;
    case 'connect-timeout':
      return 'context deadline exceeded';
    case 'closed':
      return 'EOF';
    case 'reset':
    case 'keepalive-timeout':
      return `read tcp ${shown}: read: connection reset by peer`;
  }
}
