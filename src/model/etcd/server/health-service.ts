import { isError } from '../errors.ts';
import { clusterVersion, ETCD_VERSION, requestTimeoutUs } from './config.ts';
import type { ServerContext } from './server-context.ts';

/** Answer of a health endpoint. */
export interface HttpAnswer {
  readonly status: number;
  /** Text, or an object where the real answer is JSON. */
  readonly body: string | { readonly [field: string]: string };
}

/** What the checks of /livez and /readyz found: the name, and what is wrong or nothing. */
type Check = readonly [name: string, problem: string | undefined];

/** The plain HTTP endpoints that probes use (server/etcdserver/api/etcdhttp). */
export class HealthService {
  readonly #context: ServerContext;

  constructor(context: ServerContext) {
    this.#context = context;
  }

  handle(path: string, answer: (answer: HttpAnswer) => void): void {
    switch (path) {
      case '/version':
        return answer({
          status: 200,
          body: { etcdserver: ETCD_VERSION, etcdcluster: clusterVersion, storage: this.#context.storageVersion },
        });
      case '/health':
        return this.#health(false, answer);
      case '/health?serializable=true':
        return this.#health(true, answer);
      case '/livez':
        return answer(answerOf([['serializable_read', undefined]]));
      case '/readyz':
        return this.#readyz(answer);
      default:
        return answer({ status: 404, body: '404 page not found\n' });
    }
  }

  #health(serializable: boolean, answer: (answer: HttpAnswer) => void): void {
    const { state, raft, process, config } = this.#context;
    const sick = (reason: string) => answer({ status: 503, body: { health: 'false', reason } });
    const alarm = state.alarms.list()[0];
    if (alarm !== undefined) return sick(`ALARM ${alarm.alarm}`);
    if (serializable) return answer({ status: 200, body: { health: 'true', reason: '' } });
    if (raft.lead === 0) return sick('RAFT NO LEADER');
    let answered = false;
    // The request's own context ends as early as the read loop gives up.
    const timer = process.after(requestTimeoutUs(config), () => {
      if (answered) return;
      answered = true;
      sick('RANGE ERROR:context deadline exceeded');
    });
    this.#context.waitRead((error) => {
      if (answered) return;
      answered = true;
      process.cancel(timer);
      if (error !== undefined) sick(`RANGE ERROR:${error.message}`);
      else answer({ status: 200, body: { health: 'true', reason: '' } });
    });
  }

  #readyz(answer: (answer: HttpAnswer) => void): void {
    const { state, isLearner } = this.#context;
    const corrupt = state.alarms.isRaised('CORRUPT') ? 'alarm activated: CORRUPT' : undefined;
    this.#context.waitRead((error) => {
      answer(
        answerOf([
          ['data_corruption', corrupt],
          ['non_learner', isLearner ? 'local member is a learner' : undefined],
          ['serializable_read', undefined],
          ['linearizable_read', isError(error) ? error.message : undefined],
        ]),
      );
    });
  }
}

function answerOf(checks: readonly Check[]): HttpAnswer {
  if (checks.every(([, problem]) => problem === undefined)) return { status: 200, body: 'ok\n' };
  const lines = checks.map(([name, problem]) => (problem === undefined ? `[+]${name} ok` : `[-]${name} failed: ${problem}`));
  return { status: 503, body: lines.join('\n') };
}
