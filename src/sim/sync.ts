import type { Process } from './process.ts';
import { type Task, suspend } from './task.ts';
import { TaskRun } from './task-run.ts';
import type { Micros } from './time.ts';

/** Runs tasks side by side and answers with the first that ends; the others are cancelled. */
export function* race<T>(process: Process, tasks: readonly Task<T>[]): Task<{ readonly index: number; readonly value: T }> {
  return yield* suspend((resolve) => {
    const runs: TaskRun<T>[] = [];
    let won = false;
    tasks.forEach((task, index) => {
      runs.push(
        new TaskRun(process, `race ${index}`, task, (value) => {
          if (won) return;
          won = true;
          for (const other of runs) other.cancel();
          resolve({ index, value });
        }),
      );
    });
    for (const run of runs) if (!won) run.start();
    if (won) for (const run of runs) run.cancel();
    return () => {
      won = true;
      for (const run of runs) run.cancel();
    };
  });
}

/** Runs all tasks side by side and answers with their values in order. */
export function* all<T>(process: Process, tasks: readonly Task<T>[]): Task<readonly T[]> {
  if (tasks.length === 0) return [];
  return yield* suspend((resolve) => {
    const values: T[] = [];
    let left = tasks.length;
    const runs = tasks.map(
      (task, index) =>
        new TaskRun(process, `all ${index}`, task, (value) => {
          values[index] = value;
          left--;
          if (left === 0) resolve(values);
        }),
    );
    for (const run of runs) run.start();
    return () => {
      for (const run of runs) run.cancel();
    };
  });
}

export type Timed<T> = { readonly timedOut: false; readonly value: T } | { readonly timedOut: true };

/** Runs a task for at most `limit` on the host's clock; then it is cancelled. */
export function* timeout<T>(process: Process, limit: Micros, task: Task<T>): Task<Timed<T>> {
  return yield* suspend<Timed<T>>((resolve) => {
    let timer = 0;
    const run = new TaskRun(process, 'timeout', task, (value) => {
      process.cancel(timer);
      resolve({ timedOut: false, value });
    });
    timer = process.after(limit, () => {
      run.cancel();
      resolve({ timedOut: true });
    });
    run.start();
    return () => {
      process.cancel(timer);
      run.cancel();
    };
  });
}

/** An unbounded queue between tasks of one process. Receivers are served in the order in which they came. */
export class Channel<T> {
  readonly #items: T[] = [];
  readonly #receivers: { resolve: (value: T) => void }[] = [];

  get length(): number {
    return this.#items.length;
  }

  send(item: T): void {
    const receiver = this.#receivers.shift();
    if (receiver === undefined) this.#items.push(item);
    else receiver.resolve(item);
  }

  *receive(): Task<T> {
    if (this.#items.length > 0) return this.#items.shift() as T;
    let handed: { readonly item: T } | undefined;
    let received = false;
    try {
      const item = yield* suspend<T>((resolve) => {
        const receiver = {
          resolve: (value: T) => {
            handed = { item: value };
            resolve(value);
          },
        };
        this.#receivers.push(receiver);
        return () => {
          const at = this.#receivers.indexOf(receiver);
          if (at >= 0) this.#receivers.splice(at, 1);
        };
      });
      received = true;
      return item;
    } finally {
      // Cancelled between being handed the item and running again: the next one who waits gets it, else it goes back to the front.
      if (handed !== undefined && !received) {
        const next = this.#receivers.shift();
        if (next === undefined) this.#items.unshift(handed.item);
        else next.resolve(handed.item);
      }
    }
  }
}

/** Mutual exclusion between tasks of one process, first come first served. */
export class Mutex {
  #held = false;
  readonly #waiters: (() => void)[] = [];

  *lock(): Task<void> {
    if (!this.#held) {
      this.#held = true;
      return;
    }
    let granted = false;
    let entered = false;
    try {
      yield* suspend<void>((resolve) => {
        const waiter = () => {
          granted = true;
          resolve();
        };
        this.#waiters.push(waiter);
        return () => {
          const at = this.#waiters.indexOf(waiter);
          if (at >= 0) this.#waiters.splice(at, 1);
        };
      });
      entered = true;
    } finally {
      // Cancelled between being granted the lock and running again: pass it on.
      if (granted && !entered) this.unlock();
    }
  }

  unlock(): void {
    const next = this.#waiters.shift();
    if (next === undefined) this.#held = false;
    else next();
  }

  /** Runs `body` while holding the lock. */
  *with<T>(body: () => Task<T>): Task<T> {
    yield* this.lock();
    try {
      return yield* body();
    } finally {
      this.unlock();
    }
  }
}
