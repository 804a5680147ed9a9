import type { Cancel, Task } from '../../sim/task.ts';
import type { NextUint32 } from '../api/names.ts';

/** What a server takes from the process that it runs in. */
export interface ServerEnvironment {
  /** Wall clock, microseconds since the Unix epoch. */
  readonly now: () => number;
  readonly random: NextUint32;
  /** Calls back once after a delay in microseconds. */
  readonly setTimer: (delayUs: number, callback: () => void) => Cancel;
  /** Runs a task of the server's own (a cache's list and watch) beside the requests. */
  readonly spawn: (task: Task<void>) => void;
}

/** Waits on virtual time. */
export function sleep(environment: ServerEnvironment, delayUs: number): Task<void> {
  return suspendTimer(environment, delayUs);
}

function* suspendTimer(environment: ServerEnvironment, delayUs: number): Task<void> {
  yield (resolve) => environment.setTimer(delayUs, () => resolve(undefined));
}
