import { assert } from './assert.ts';
import type { Process } from './process.ts';
import type { Cancel, Suspend, Task } from './task.ts';

/** A task that takes more steps than this without waiting for anything lets no time pass: no event counts them, so it is stopped here. */
const STEPS_AT_ONCE_MAX = 1_000_000;

/** A task that runs in a process. Each answer it waited for resumes it through the process's CPU. */
export class TaskRun<T> {
  readonly name: string;
  readonly source: number;
  readonly #process: Process;
  readonly #task: Task<T>;
  readonly #onDone: ((value: T) => void) | undefined;
  #wait = 0;
  #cancelWait: Cancel | undefined;
  #stepping = false;
  /** Whether the answer on its way to the task is an error. */
  #answerFailed = false;
  done = false;

  constructor(process: Process, name: string, task: Task<T>, onDone?: (value: T) => void) {
    this.#process = process;
    this.name = name;
    this.#task = task;
    this.#onDone = onDone;
    this.source = process.newSource();
  }

  /** Runs the first step. Called by the process. */
  start(): void {
    if (!this.done) this.#step(false, undefined);
  }

  /** Gives the task up: what it waits for is cancelled and its `finally` blocks run. Not for the death of a process, which runs nothing. */
  cancel(): void {
    if (this.done) return;
    this.done = true;
    this.#wait++;
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    // A task that cancels itself (directly or through a callback) ends when its current step yields.
    if (!this.#stepping) this.#task.return(undefined as T);
  }

  #step(failed: boolean, value: unknown): void {
    let settledFailed = failed;
    let settledValue = value;
    for (let steps = 0; ; steps++) {
      assert(
        steps < STEPS_AT_ONCE_MAX,
        () => `time stands still at ${this.#process.world.now} µs: task ${this.name} of ${this.#process.label} goes on without waiting`,
      );
      this.#stepping = true;
      let step: IteratorResult<Suspend, T>;
      try {
        step = settledFailed ? this.#task.throw(settledValue) : this.#task.next(settledValue);
      } finally {
        this.#stepping = false;
      }
      if (step.done) {
        if (!this.done) {
          this.done = true;
          this.#onDone?.(step.value);
        }
        return;
      }
      if (this.done) {
        this.#task.return(undefined as T);
        return;
      }
      const wait = ++this.#wait;
      let inCall = true;
      let settled = false;
      const cancel = step.value(
        (answer) => {
          if (wait !== this.#wait || settled) return;
          if (inCall) {
            settled = true;
            settledFailed = false;
            settledValue = answer;
          } else this.#settle(wait, false, answer);
        },
        (error) => {
          if (wait !== this.#wait || settled) return;
          if (inCall) {
            settled = true;
            settledFailed = true;
            settledValue = error;
          } else this.#settle(wait, true, error);
        },
      );
      inCall = false;
      if (!settled) {
        this.#cancelWait = cancel ?? undefined;
        return;
      }
    }
  }

  #settle(wait: number, failed: boolean, value: unknown): void {
    // Marks the wait as answered, so that a second answer is ignored and cancel has nothing to stop.
    this.#wait = wait + 1;
    this.#cancelWait = undefined;
    this.#answerFailed = failed;
    this.#process.deliver(this.source, this.#process.world.calibration.resumeUs, resumeTask, this, value);
  }

  /** @internal The CPU is free for what an answer resumes. There is one answer at a time: the task waits for nothing else before it ran. */
  resume(value: unknown): void {
    if (!this.done) this.#step(this.#answerFailed, value);
  }
}

function resumeTask(run: unknown, value: unknown): void {
  (run as TaskRun<unknown>).resume(value);
}
