import type { Process } from '../../../sim/process.ts';
import { suspend, type Task } from '../../../sim/task.ts';
import type { KeyValue, LeaseId, Revision } from '../api.ts';
import type { EtcdClient } from '../client.ts';
import { type EtcdError, etcdError, isError, type Result } from '../errors.ts';
import { prefixRangeEnd } from '../keys.ts';

/** A place in the queue that keys under one prefix form by their create revisions: what lock and election are built on. */
export interface QueuePlace {
  readonly key: string;
  readonly createRevision: Revision;
}

/** Where switched-on defects change the recipes. */
export interface RecipeDefects {
  /** etcd#11456: whoever waited is not asked again whether its lease still lives. */
  readonly trustsLease: boolean;
}

/**
 * Puts a key under the prefix that lives as long as the lease, and tells its place (concurrency.Mutex.tryAcquire). A key of the same lease
 * that is already there keeps its place.
 */
export function* enqueue(client: EtcdClient, prefix: string, lease: LeaseId, value: string): Task<Result<QueuePlace>> {
  const key = `${prefix}${BigInt.asUintN(64, lease).toString(16)}`;
  const answer = yield* client.txn({
    compare: [{ target: 'CREATE', key, result: 'EQUAL', number: 0 }],
    success: [{ type: 'put', key, value, lease }],
    failure: [{ type: 'range', key }],
  });
  if (isError(answer)) return answer;
  if (answer.succeeded) return { key, createRevision: answer.header.revision };
  const found = answer.responses[0];
  const createRevision = found?.type === 'range' ? found.response.kvs[0]?.createRevision : undefined;
  return createRevision === undefined ? etcdError('keyNotFound') : { key, createRevision };
}

/**
 * Waits until every key that was there before has gone (concurrency.waitDeletes), then looks whether this one is still there: its lease may
 * have expired while it waited, and then somebody else has its place (etcd#11456).
 */
export function* waitForTurn(
  process: Process,
  client: EtcdClient,
  prefix: string,
  place: QueuePlace,
  defects: RecipeDefects,
): Task<Result<void>> {
  for (;;) {
    const before = yield* client.range({
      key: prefix,
      rangeEnd: prefixRangeEnd(prefix),
      sortTarget: 'CREATE',
      sortOrder: 'DESCEND',
      limit: 1,
      maxCreateRevision: place.createRevision - 1,
    });
    if (isError(before)) return before;
    const next = before.kvs[0];
    if (next === undefined) break;
    const failed = yield* waitForDelete(client, next, before.header.revision);
    if (failed !== undefined) return failed;
  }
  if (defects.trustsLease) return;
  const own = yield* client.range({ key: place.key });
  if (isError(own)) return own;
  if (own.kvs[0]?.createRevision !== place.createRevision) return etcdError('leaseNotFound');
  // A point between two steps: what was true a moment ago may not be any more, which is why locks need fencing by revision.
  yield* process.maybe('etcd.lock');
}

function* waitForDelete(client: EtcdClient, kv: KeyValue, revision: Revision): Task<EtcdError | undefined> {
  return yield* suspend<EtcdError | undefined>((resolve) => {
    const watch = client.watch(
      { key: kv.key, startRevision: revision, filters: ['NOPUT'] },
      {
        events: () => {
          watch.cancel();
          resolve(undefined);
        },
        closed: (error) => resolve(error),
      },
    );
    return () => watch.cancel();
  });
}
