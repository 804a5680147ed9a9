import type { CallMetadata, DowngradeRequest, EtcdResponse } from '../api.ts';
import { nobody } from '../auth/auth-store.ts';
import { etcdError, isError, type Result } from '../errors.ts';
import type { ServerContext } from './server-context.ts';

/** The cluster's version, without the patch. */
const CLUSTER_MAJOR = 3;
const CLUSTER_MINOR = 6;

/** Downgrade jobs: one minor version down, one job at a time (server/etcdserver/version). */
export class DowngradeService {
  readonly #context: ServerContext;

  constructor(context: ServerContext) {
    this.#context = context;
  }

  handle(request: DowngradeRequest, _metadata: CallMetadata, answer: (result: Result<EtcdResponse>) => void): void {
    this.#context.waitRead((error) => {
      if (error !== undefined) return answer(error);
      const refused = this.#check(request);
      if (isError(refused)) return answer(refused);
      if ((request.action ?? 'VALIDATE') === 'VALIDATE') return answer(this.#answer());
      const targetVersion = request.action === 'ENABLE' ? (request.version ?? '') : '';
      this.#context.proposals.propose({ type: 'downgradeInfo', targetVersion }, nobody, (result) => {
        answer(isError(result) ? result : this.#answer());
      });
    });
  }

  #check(request: DowngradeRequest): Result<void> {
    if (request.action === 'CANCEL') return;
    const match = /^(\d+)\.(\d+)\.(\d+)$/.exec(request.version ?? '');
    if (match === null) return etcdError('wrongDowngradeVersionFormat');
    if (Number(match[1]) !== CLUSTER_MAJOR || Number(match[2]) !== CLUSTER_MINOR - 1) {
      return etcdError('invalidDowngradeTargetVersion');
    }
    if (this.#context.state.downgradeTarget !== '') return etcdError('downgradeInProcess');
  }

  #answer(): EtcdResponse {
    const { state } = this.#context;
    return { header: this.#context.header(state.store.revision), version: `${CLUSTER_MAJOR}.${CLUSTER_MINOR}` };
  }
}
