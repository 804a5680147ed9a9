import type { Process } from '../../sim/process.ts';
import { all } from '../../sim/sync.ts';
import type { Task } from '../../sim/task.ts';
import { MILLISECOND } from '../../sim/time.ts';
import { type ApiFailure, type ApiResult, isConflict } from './result.ts';

/**
 * Calls `fn` `count` times in batches of 1, 2, 4…, and stops after a batch with a failure: a quota that refuses one pod is not asked
 * a thousand times. Upstream replica_set.go, slowStartBatch.
 */
export function* slowStartBatch(
  process: Process,
  count: number,
  initialBatchSize: number,
  fn: (index: number) => Task<ApiFailure | undefined>,
): Task<{ readonly successes: number; readonly error: ApiFailure | undefined }> {
  let remaining = count;
  let successes = 0;
  let next = 0;
  for (let size = Math.min(remaining, initialBatchSize); size > 0; size = Math.min(2 * size, remaining)) {
    const results = yield* all(
      process,
      Array.from({ length: size }, (_, i) => fn(next + i)),
    );
    next += size;
    let error: ApiFailure | undefined;
    for (const result of results) {
      if (result === undefined) successes++;
      else error ??= result;
    }
    if (error !== undefined) return { successes, error };
    remaining -= size;
  }
  return { successes, error: undefined };
}

/** Tries up to five times while the answer is a conflict: client-go retry.RetryOnConflict with DefaultRetry. */
export function* retryOnConflict<T>(process: Process, attempt: () => Task<ApiResult<T>>): Task<ApiResult<T>> {
  let result = yield* attempt();
  for (let step = 1; step < 5 && !result.ok && isConflict(result); step++) {
    // 10 ms with 10 % jitter, factor 1.
    yield* process.sleep(10 * MILLISECOND + process.random.below(MILLISECOND + 1));
    result = yield* attempt();
  }
  return result;
}
