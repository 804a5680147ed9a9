import type { Process } from '../../../sim/process.ts';
import type { Task } from '../../../sim/task.ts';
import type { LeaseId, Revision } from '../api.ts';
import type { EtcdClient } from '../client.ts';
import { isError, type Result } from '../errors.ts';
import { enqueue, type QueuePlace, type RecipeDefects, waitForTurn } from './queue-key.ts';

/** A lock by name (clientv3/concurrency.Mutex): whose key under the name is oldest holds it, as long as its lease lives. */
export class EtcdLock {
  readonly #process: Process;
  readonly #client: EtcdClient;
  readonly #prefix: string;
  readonly #lease: LeaseId;
  readonly #defects: RecipeDefects;
  #place: QueuePlace | undefined;

  constructor(process: Process, client: EtcdClient, name: string, lease: LeaseId, defects: RecipeDefects = { trustsLease: false }) {
    this.#process = process;
    this.#client = client;
    this.#prefix = `${name}/`;
    this.#lease = lease;
    this.#defects = defects;
  }

  /** Waits for the lock. The revision is the holder's fencing token: later holders have higher ones. */
  *lock(): Task<Result<Revision>> {
    const place = yield* enqueue(this.#client, this.#prefix, this.#lease, '');
    if (isError(place)) return place;
    this.#place = place;
    const turn = yield* waitForTurn(this.#process, this.#client, this.#prefix, place, this.#defects);
    if (!isError(turn)) return place.createRevision;
    yield* this.unlock();
    return turn;
  }

  /** Gives the lock, or the place in the queue, up. */
  *unlock(): Task<Result<void>> {
    const place = this.#place;
    if (place === undefined) return;
    const answer = yield* this.#client.deleteRange({ key: place.key });
    if (isError(answer)) return answer;
    this.#place = undefined;
  }
}
