import type { Job } from '../api/types.ts';
import { parseTime } from '../api/time.ts';
import type { Informer } from '../client/informer.ts';
import { objectKey, splitKey } from '../client/reflector.ts';
import { JOBS } from '../client/resources.ts';
import { isNotFound } from '../client/result.ts';
import { type ReconcileError, runWorkers, WorkQueue } from '../client/work-queue.ts';
import type { Task } from '../../sim/task.ts';
import { SECOND, type Micros } from '../../sim/time.ts';
import type { ControllerContext, ControllerRow } from './context.ts';

/** Deletes finished jobs after their ttlSecondsAfterFinished: pkg/controller/ttlafterfinished. */
export const ttlAfterFinishedController: ControllerRow = {
  name: 'ttl-after-finished-controller',
  start(context: ControllerContext): void {
    const jobs: Informer<Job> = context.informer(JOBS);
    const queue = new WorkQueue(context.process);
    const enqueue = (job: Job) => {
      if (job.metadata.deletionTimestamp === undefined && finishedAt(job) !== undefined && job.spec?.ttlSecondsAfterFinished !== undefined)
        queue.add(objectKey(job));
    };
    jobs.addHandler({ onAdd: enqueue, onUpdate: (_, job) => enqueue(job) });
    const left = (job: Job): Micros | undefined => {
      const finished = finishedAt(job);
      const ttl = job.spec?.ttlSecondsAfterFinished;
      if (finished === undefined || ttl === undefined || job.metadata.deletionTimestamp !== undefined) return undefined;
      return finished + Number(ttl) * SECOND - context.process.wall();
    };
    function* sync(key: string): Task<ReconcileError> {
      const cached = jobs.get(key);
      if (cached === undefined) return undefined;
      const wait = left(cached);
      if (wait === undefined) return undefined;
      if (wait > 0) {
        queue.addAfter(key, wait);
        return undefined;
      }
      // The TTL may have been raised since: asked of the API server before anything is deleted.
      const { namespace, name } = splitKey(key);
      const fresh = yield* context.client.resource(JOBS).get(namespace, name);
      if (!fresh.ok) return isNotFound(fresh) ? undefined : fresh;
      const freshWait = left(fresh.object);
      if (freshWait === undefined) return undefined;
      if (freshWait > 0) {
        queue.addAfter(key, freshWait);
        return undefined;
      }
      const deleted = yield* context.client
        .resource(JOBS)
        .delete(namespace, name, { options: { propagationPolicy: 'Foreground', preconditions: { uid: fresh.object.metadata.uid ?? '' } } });
      return deleted.ok || isNotFound(deleted) ? undefined : deleted;
    }
    context.whenSynced([jobs], () => {
      runWorkers(context.process, 'ttl-after-finished', queue, context.config.concurrentTtlSyncs, sync);
    });
  },
};

function finishedAt(job: Job): Micros | undefined {
  const done = job.status?.conditions?.find(
    (condition) => (condition.type === 'Complete' || condition.type === 'Failed') && condition.status === 'True',
  );
  return done === undefined ? undefined : parseTime(done.lastTransitionTime ?? '');
}
