import type { Task } from '../../../sim/task.ts';
import type { ServerEnvironment } from '../../../model/apiserver/environment.ts';

interface Timer {
  readonly atUs: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

/** Virtual time for one server without a simulated cluster around it: timers, tasks, and a fixed stream of random numbers. */
export class VirtualWorld {
  private nowUs: number;
  private order = 0;
  private timers: Timer[] = [];
  private state = 0x9e3779b9;
  readonly environment: ServerEnvironment;

  constructor(startUs: number) {
    this.nowUs = startUs;
    this.environment = {
      now: () => this.nowUs,
      random: () => this.random(),
      setTimer: (delayUs, callback) => {
        const timer: Timer = { atUs: this.nowUs + delayUs, order: this.order++, callback, cancelled: false };
        this.timers.push(timer);
        return () => {
          timer.cancelled = true;
        };
      },
      spawn: (task) => this.start(task, () => {}),
    };
  }

  private random(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** Runs a task to its end, letting virtual time pass while it waits. */
  run<T>(task: Task<T>): T {
    let result: { readonly value: T } | undefined;
    this.start(task, (value) => {
      result = { value };
    });
    while (result === undefined)
      if (!this.nextTimer(Number.POSITIVE_INFINITY)) throw new Error('virtual world: a task waits for something that never comes');
    return result.value;
  }

  /** Lets time pass. */
  advance(us: number): void {
    const until = this.nowUs + us;
    while (this.nextTimer(until)) {
      // Timers run in order of their time.
    }
    this.nowUs = until;
  }

  private nextTimer(untilUs: number): boolean {
    this.timers = this.timers.filter((timer) => !timer.cancelled);
    let first: Timer | undefined;
    for (const timer of this.timers)
      if (first === undefined || timer.atUs < first.atUs || (timer.atUs === first.atUs && timer.order < first.order)) first = timer;
    if (first === undefined || first.atUs > untilUs) return false;
    this.timers = this.timers.filter((timer) => timer !== first);
    this.nowUs = Math.max(this.nowUs, first.atUs);
    first.callback();
    return true;
  }

  private start<T>(task: Task<T>, done: (value: T) => void): void {
    const step = (result: IteratorResult<Parameters<Task<T>['next']> extends never ? never : unknown, T>): void => {
      if (result.done === true) {
        done(result.value as T);
        return;
      }
      let settled = false;
      const suspendedOn = result.value as (resolve: (value: unknown) => void, reject: (error: unknown) => void) => unknown;
      suspendedOn(
        (value) => {
          if (settled) return;
          settled = true;
          step(task.next(value) as never);
        },
        (error) => {
          if (settled) return;
          settled = true;
          step(task.throw(error) as never);
        },
      );
    };
    step(task.next() as never);
  }
}
