import { workerData } from 'node:worker_threads';
import type { ShrinkResult } from './shrink.ts';
import { runTask, shrinkTask, type Suite, type TrialOutcome, type TrialTask } from './trial-task.ts';
import type { TrialInput } from './trial-input.ts';
import type { Signature } from './trial-result.ts';

/** What a worker is given once: the suite, and a word that is not 0 once the user has had enough. */
export interface WorkerData {
  readonly suite: Suite;
  readonly stop: Int32Array<SharedArrayBuffer>;
}

const { suite, stop } = workerData as WorkerData;

/** Entry of a worker thread: one trial. */
export function trial(task: TrialTask): TrialOutcome {
  return runTask(suite, task);
}

/** Entry of a worker thread: shrinking one failure. */
export function shrink(job: { readonly input: TrialInput; readonly signature: Signature }): ShrinkResult {
  return shrinkTask(job.input, job.signature, () => Atomics.load(stop, 0) !== 0);
}
