/**
 * Generator tasks: how a program of the simulation writes a sequence (`yield* sleep(…)`, `yield* client.update(…)`).
 *
 * A task yields a {@link Suspend}: a function that starts waiting for something and is given the two ways to go on. Whoever runs the
 * task (a simulated process, or `runToEnd` for code that never waits) calls it, and resumes the generator when it is answered.
 * Nothing here knows a clock: the same task runs on the simulated cluster and, over an in-memory store, at once.
 */

/** Stops whatever a suspension started (a timer, a call in flight). Called at most once, and only before it settled. */
export type Cancel = () => void;

/** Starts a wait. Must call exactly one of `resolve` and `reject` at most once; returns how to give the wait up. */
// biome-ignore lint/suspicious/noConfusingVoidType: a wait that cannot be given up returns nothing
export type Suspend = (resolve: (value: unknown) => void, reject: (error: unknown) => void) => Cancel | void;

/** A sequence of steps that may wait; its value is T. Run it with `yield*` from another task. */
export type Task<T> = Generator<Suspend, T, unknown>;

/** Waits for `start` to answer. The typed front of a bare `yield`. */
export function* suspend<T>(
  // biome-ignore lint/suspicious/noConfusingVoidType: see Suspend
  start: (resolve: (value: T) => void, reject: (error: unknown) => void) => Cancel | void,
): Task<T> {
  return (yield start as Suspend) as T;
}

/**
 * Runs a task that may wait only for things that answer at once, and returns its value.
 * @throws Error when the task waits for something that did not answer during the call: it needs a simulated process.
 */
export function runToEnd<T>(task: Task<T>): T {
  let step = task.next();
  while (!step.done) {
    let state: 'waiting' | 'resolved' | 'rejected' = 'waiting';
    let answer: unknown;
    step.value(
      (value) => {
        state = 'resolved';
        answer = value;
      },
      (error) => {
        state = 'rejected';
        answer = error;
      },
    );
    switch (state as 'waiting' | 'resolved' | 'rejected') {
      case 'waiting':
        throw new Error('runToEnd: the task waits for virtual time or a message; run it in a simulated process');
      case 'resolved':
        step = task.next(answer);
        break;
      case 'rejected':
        step = task.throw(answer);
        break;
    }
  }
  return step.value;
}
