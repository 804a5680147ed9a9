import { assert } from './assert.ts';
import type { EventId } from './event-queue.ts';
import type { Host } from './host.ts';
import type { Connection } from './connection.ts';
import type { Endpoint } from './network.ts';
import type { RandomStream } from './random.ts';
import { Scheduler, type Work } from './schedule.ts';
import { type Task, suspend } from './task.ts';
import { TaskRun } from './task-run.ts';
import type { Micros } from './time.ts';
import { EVENT_KIND } from './trace.ts';
import type { World } from './world.ts';

/** Thrown inside a process to end it: a panic or an orderly exit of the simulated program. */
export class ProcessExit extends Error {
  override readonly name = 'ProcessExit';
  readonly code: number;
  constructor(code: number, reason: string) {
    super(reason);
    this.code = code;
  }
}

export type ProcessState = 'running' | 'paused' | 'zombie' | 'dead';

/** So many pieces of queued work follow another in one event: work that makes more work without end is not to hide in one. */
const RUN_ON_MAX = 64;

/** Kinds of numbered effects: what a crash point can be put in front of. */
export type EffectKind = 'send' | 'disk' | 'reply';

/**
 * One running incarnation of a program on a host. All that it holds in memory is gone when it dies; a restart makes a new Process.
 *
 * Work (messages, timers, task resumes) occupies the process's one CPU for a cost. A free CPU runs it at once and its effects leave at
 * now + cost; work that arrives meanwhile queues. What is queued when a piece of work ends (above all the resumes that it caused) follows
 * it in the same event, each with its cost after the one before: only the effects show when it ran. Sends, disk writes and replies are numbered effects: a kill at effect n makes the
 * process a zombie whose later effects are discarded until it yields.
 */
export class Process {
  readonly world: World;
  readonly host: Host;
  readonly name: string;
  readonly incarnation: number;
  /** Random draws of this program: one stream a program name and host, apart from every other subsystem's. */
  readonly random: RandomStream;
  state: ProcessState = 'running';
  /** True time at which effects of the current resume leave. */
  leaveAt: Micros = 0;
  /** Numbered effects so far in this incarnation. */
  effects = 0;
  /** How long this incarnation has been stopped (SIGSTOP) in all: a ticker that drops missed ticks subtracts it. */
  pausedUs: Micros = 0;
  /** Since when it stands still; meaningful while paused. */
  pausedSince: Micros = 0;
  /** The effect in front of which the process dies next; 0: none. */
  #killAtEffect = 0;
  #kills: readonly number[] = [];
  /** Called once when the process has died, by whatever cause; for supervisors, never for the program itself. */
  onDeath: ((process: Process, cause: string) => void) | undefined;
  /** Called when the process was paused or goes on; for supervisors, as {@link onDeath}. */
  onStateChange: ((process: Process) => void) | undefined;

  readonly #scheduler: Scheduler;
  #busyUntil: Micros = 0;
  #executing = false;
  #queue: Work[] = [];
  #drain: EventId = 0;
  #nextSource = 1;
  #pauses = 0;
  readonly #endpoints: Endpoint[] = [];
  readonly connections = new Set<Connection>();

  constructor(world: World, host: Host, name: string, incarnation: number) {
    this.world = world;
    this.host = host;
    this.name = name;
    this.incarnation = incarnation;
    this.random = world.randomness.stream(`process/${host.name}/${name}`);
    this.#scheduler = new Scheduler(world.tiePolicy, world.randomness.stream(`schedule/${host.name}/${name}`));
  }

  /** Monotonic time by this host's clock: for time-outs, leases, intervals. */
  mono(): Micros {
    return this.host.clock.mono();
  }

  /** Wall-clock time by this host's clock, microseconds since the Unix epoch: for stamps on objects. */
  wall(): Micros {
    return this.host.clock.wall();
  }

  /** `name@host`, as the recorder and reports name it. */
  get label(): string {
    return `${this.name}@${this.host.name}`;
  }

  get alive(): boolean {
    return this.state === 'running' || this.state === 'paused';
  }

  /** A number that identifies a new source of work (a connection, a task) to the tie policy. */
  newSource(): number {
    return this.#nextSource++;
  }

  /** Occupies the CPU for `us` more in the current resume: for work whose cost depends on its size. */
  charge(us: Micros): void {
    this.leaveAt += us;
    this.#busyUntil = this.leaveAt;
  }

  /** Hands work to the process at the current instant. Dropped when it is dead. */
  deliver(source: number, costUs: Micros, fn: (a: unknown, b: unknown) => void, a: unknown, b: unknown): void {
    if (this.state === 'running' && !this.#executing && this.#queue.length === 0 && this.#busyUntil <= this.world.now) {
      this.#run(costUs, fn, a, b);
      return;
    }
    if (!this.alive) return;
    this.#queue.push({ source, costUs, sinceUs: this.world.now, fn, a, b });
    if (!this.#executing) this.#scheduleDrain();
  }

  /** Runs `fn` after `delay` on this host's clock, in this process. The answer cancels it. */
  after(delay: Micros, fn: () => void, costUs: Micros = this.world.calibration.resumeUs): EventId {
    const due = this.world.now + this.host.clock.trueDelay(delay);
    return this.world.queue.schedule(
      due,
      this.host.index,
      EVENT_KIND.timer,
      onTimer,
      this,
      costUs === this.world.calibration.resumeUs ? fn : { fn, costUs },
    );
  }

  /** Takes a timer back; harmless when it has fired. */
  cancel(timer: EventId): void {
    this.world.queue.cancel(timer);
  }

  /** Starts a task; it runs its first step in this very resume (or at once, when called from outside). */
  spawn<T>(name: string, task: Task<T>, onDone?: (value: T) => void): TaskRun<T> {
    const run = new TaskRun<T>(this, name, task, onDone);
    if (this.#executing) run.start();
    else this.deliver(run.source, this.world.calibration.resumeUs, startTask as (a: unknown, b: unknown) => void, run, undefined);
    return run;
  }

  /** Waits for `delay` on this host's clock. */
  *sleep(delay: Micros): Task<void> {
    // Yielded as it is: a generator around it would be made for every sleep.
    yield (resolve) => {
      const timer = this.after(delay, resolve as () => void);
      return () => this.cancel(timer);
    };
  }

  /** A point between two steps at which the real program could be preempted; does nothing under the fifo policy. */
  *maybe(_site: string): Task<void> {
    if (!this.#scheduler.preempt()) return;
    yield* suspend<void>((resolve) => {
      const timer = this.after(0, resolve as () => void);
      return () => this.cancel(timer);
    });
  }

  /** Counts an effect. False when it must not happen: the process is gone, or dies right here. */
  effect(_kind: EffectKind): boolean {
    if (this.state === 'zombie' || this.state === 'dead') return false;
    this.effects++;
    if (this.effects === this.#killAtEffect) {
      this.kill(`effect ${this.effects}`);
      return false;
    }
    return true;
  }

  /** Puts a kill in front of the effect of that number. Several may wait. */
  armKill(effect: number): void {
    this.#kills = [...this.#kills, effect].sort((a, b) => a - b);
    this.#killAtEffect = this.#kills[0] ?? 0;
  }

  /** Takes one kill back. */
  disarmKill(effect: number): void {
    const at = this.#kills.indexOf(effect);
    this.#kills = this.#kills.filter((_, i) => i !== at);
    this.#killAtEffect = this.#kills[0] ?? 0;
  }

  /** Ends the program from inside: orderly (code 0) or as a panic. */
  exit(code: number, reason: string): never {
    throw new ProcessExit(code, reason);
  }

  /** SIGKILL: memory is gone, the disk's page cache stays, peers see their connections reset. */
  kill(cause: string): void {
    if (!this.alive) return;
    if (this.#executing) {
      this.state = 'zombie';
      this.#deathCause = cause;
      return;
    }
    this.#die(cause, 'killed', true);
  }

  /** The host lost its power: as kill, but nobody is told. */
  vanish(): void {
    if (this.state === 'dead') return;
    this.#die('host down', 'killed', false);
  }

  /** SIGSTOP: timers and messages wait until as many `resume` as `pause` were called. */
  pause(): void {
    this.#pauses++;
    if (this.state !== 'running') return;
    this.state = 'paused';
    this.pausedSince = this.world.now;
    this.world.queue.cancel(this.#drain);
    this.#drain = 0;
    this.world.recorder?.process(this.world.now, this.host.name, this.name, 'paused', '');
    this.world.network.suspectProcess(this);
    this.onStateChange?.(this);
  }

  /** SIGCONT. */
  resume(): void {
    this.#pauses = Math.max(0, this.#pauses - 1);
    if (this.state !== 'paused' || this.#pauses > 0) return;
    this.state = 'running';
    this.pausedUs += this.world.now - this.pausedSince;
    this.world.recorder?.process(this.world.now, this.host.name, this.name, 'resumed', '');
    if (this.#queue.length > 0) this.#scheduleDrain();
    this.onStateChange?.(this);
  }

  /** Remembers a listening endpoint so that it closes with the process. */
  ownEndpoint(endpoint: Endpoint): void {
    this.#endpoints.push(endpoint);
  }

  /** The policy's view of a cost; used by the kernel only. */
  #deathCause = '';

  /** Runs one piece of work on a free CPU, and what is queued then. */
  #run(costUs: Micros, fn: (a: unknown, b: unknown) => void, a: unknown, b: unknown): void {
    this.leaveAt = this.world.now;
    this.#execute(costUs, fn, a, b);
    if (this.#queue.length === 0) return;
    // Under a policy with priorities every piece of work competes with what arrives until its turn.
    if (this.#scheduler.isOrdered) {
      for (let n = 0; n < RUN_ON_MAX && this.#queue.length > 0; n++) {
        const work = this.#queue.shift() as Work;
        this.#execute(work.costUs, work.fn, work.a, work.b);
      }
    }
    if (this.#queue.length > 0) this.#scheduleDrain();
  }

  #execute(costUs: Micros, fn: (a: unknown, b: unknown) => void, a: unknown, b: unknown): void {
    this.leaveAt += this.#scheduler.cost(costUs);
    this.#busyUntil = this.leaveAt;
    this.#executing = true;
    try {
      fn(a, b);
    } catch (error) {
      if (!(error instanceof ProcessExit)) {
        if (this.state !== 'zombie') throw error;
        // A zombie's own troubles (a discarded effect that it asserts on) are nobody's business any more.
      } else if (this.alive) {
        this.#executing = false;
        this.#die(`exit ${error.code}: ${error.message}`, 'exited', true);
        return;
      }
    }
    this.#executing = false;
    if (this.state === 'zombie') this.#die(this.#deathCause, 'killed', true);
  }

  #scheduleDrain(): void {
    if (this.#drain !== 0 || this.state !== 'running') return;
    const at = Math.max(this.world.now, this.#busyUntil);
    this.#drain = this.world.queue.schedule(at, this.host.index, EVENT_KIND.cpu, onDrain, this, undefined);
  }

  /** Runs one waiting piece of work. Called by the kernel when the CPU is free. */
  drain(): void {
    this.#drain = 0;
    if (this.state !== 'running' || this.#queue.length === 0) return;
    if (this.#busyUntil > this.world.now) {
      this.#scheduleDrain();
      return;
    }
    const index = this.#scheduler.next(this.#queue, this.world.now);
    const work = (index === 0 ? this.#queue.shift() : this.#queue.splice(index, 1)[0]) as Work;
    this.#run(work.costUs, work.fn, work.a, work.b);
  }

  #die(cause: string, what: 'killed' | 'exited', tellPeers: boolean): void {
    assert(this.state !== 'dead', () => `process ${this.name} dies twice`);
    this.state = 'dead';
    this.#queue = [];
    this.world.queue.cancel(this.#drain);
    for (const endpoint of this.#endpoints) this.world.network.unlisten(endpoint, this);
    this.world.network.processDied(this, tellPeers);
    this.world.recorder?.process(this.world.now, this.host.name, this.name, what, cause);
    this.host.processDied(this, cause, what === 'exited');
    this.onDeath?.(this, cause);
  }
}

function onTimer(process: unknown, timer: unknown): void {
  const target = process as Process;
  if (typeof timer === 'function') target.deliver(0, target.world.calibration.resumeUs, call, timer, undefined);
  else target.deliver(0, (timer as { costUs: Micros }).costUs, call, (timer as { fn: () => void }).fn, undefined);
}

function call(fn: unknown): void {
  (fn as () => void)();
}

function onDrain(process: unknown): void {
  (process as Process).drain();
}

function startTask(run: unknown): void {
  (run as TaskRun<unknown>).start();
}
