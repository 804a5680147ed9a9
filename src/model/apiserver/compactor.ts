import type { Process } from '../../sim/process.ts';
import type { Task } from '../../sim/task.ts';
import type { Micros } from '../../sim/time.ts';
import type { CompactionStore } from './server.ts';

const COMPACT_REV_KEY = 'compact_rev_key';

/**
 * The API servers' own compaction of etcd: storage/etcd3/compact.go. Every interval each server tries to move a shared key from the
 * version that it knows; the one that succeeds compacts to the revision of one interval ago, so history of 5 to 10 minutes stays.
 */
export function* compactor(process: Process, store: CompactionStore, interval: Micros): Task<void> {
  let version = 0;
  let revision = 0;
  for (;;) {
    yield* process.sleep(interval);
    const answer = yield* store.swap(COMPACT_REV_KEY, version, String(revision));
    if (answer === undefined) continue;
    version = answer.version;
    // At the first time there is no revision of an interval ago yet.
    if (answer.swapped && revision !== 0) yield* store.compact(revision);
    revision = answer.revision;
  }
}
