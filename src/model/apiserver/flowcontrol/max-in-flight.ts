import type { ApiRequest } from '../../api/request.ts';
import type { FlowHandlers } from './flow-control.ts';

/** Whether a request changes anything, as the server's filters see it. */
export function isMutating({ verb }: ApiRequest): boolean {
  return verb !== 'get' && verb !== 'list' && verb !== 'watch';
}

/**
 * What an API server without priority and fairness has instead (upstream `filters/maxinflight.go`): a limit for reads and one for writes,
 * first come, first served; the rest are turned away for a second. Only system:masters are never turned away.
 */
export class MaxInFlight {
  #reads = 0;
  #writes = 0;
  readonly #readsMax: number;
  readonly #writesMax: number;

  constructor(readsMax: number, writesMax: number) {
    this.#readsMax = readsMax;
    this.#writesMax = writesMax;
  }

  handle(request: ApiRequest, { run, reject }: FlowHandlers): () => void {
    const mutating = isMutating(request);
    const isFull = mutating ? this.#writes >= this.#writesMax : this.#reads >= this.#readsMax;
    if (isFull && !request.user.groups.includes('system:masters')) {
      reject(1);
      return () => {};
    }
    this.#add(mutating, 1);
    run(() => this.#add(mutating, -1));
    return () => {};
  }

  #add(mutating: boolean, by: number): void {
    if (mutating) this.#writes += by;
    else this.#reads += by;
  }
}
