import type { Process } from '../../../sim/process.ts';
import type { Task } from '../../../sim/task.ts';
import type { LeaseId } from '../api.ts';
import type { EtcdClient } from '../client.ts';
import { etcdError, isError, type Result } from '../errors.ts';
import { prefixRangeEnd } from '../keys.ts';
import { enqueue, type QueuePlace, type RecipeDefects, waitForTurn } from './queue-key.ts';

/** An election by name (clientv3/concurrency.Election): as a lock, but the holder has something to say. */
export class EtcdElection {
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

  /** Waits until this candidate leads. */
  *campaign(value: string): Task<Result<void>> {
    const place = yield* enqueue(this.#client, this.#prefix, this.#lease, value);
    if (isError(place)) return place;
    this.#place = place;
    const turn = yield* waitForTurn(this.#process, this.#client, this.#prefix, place, this.#defects);
    if (isError(turn)) yield* this.resign();
    return turn;
  }

  /** Says something new, if this candidate's key is still there. */
  *proclaim(value: string): Task<Result<void>> {
    const place = this.#place;
    if (place === undefined) return etcdError('notLeader');
    const answer = yield* this.#client.txn({
      compare: [{ target: 'CREATE', key: place.key, result: 'EQUAL', number: place.createRevision }],
      success: [{ type: 'put', key: place.key, value, lease: this.#lease }],
    });
    if (isError(answer)) return answer;
    if (answer.succeeded) return;
    this.#place = undefined;
    return etcdError('notLeader');
  }

  /** What the present leader says; undefined if there is none. */
  *leader(): Task<Result<string | undefined>> {
    const answer = yield* this.#client.range({
      key: this.#prefix,
      rangeEnd: prefixRangeEnd(this.#prefix),
      sortTarget: 'CREATE',
      sortOrder: 'ASCEND',
      limit: 1,
    });
    if (isError(answer)) return answer;
    return answer.kvs[0]?.value as string | undefined;
  }

  /** Steps down, or leaves the queue; only the key that was made by this candidacy goes. */
  *resign(): Task<Result<void>> {
    const place = this.#place;
    if (place === undefined) return;
    const answer = yield* this.#client.txn({
      compare: [{ target: 'CREATE', key: place.key, result: 'EQUAL', number: place.createRevision }],
      success: [{ type: 'deleteRange', key: place.key }],
    });
    if (isError(answer)) return answer;
    this.#place = undefined;
  }
}
