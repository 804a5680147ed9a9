import { assert } from './assert.ts';
import { HostClock } from './clock.ts';
import { Disk } from './disk.ts';
import type { Link } from './link.ts';
import { Process } from './process.ts';
import type { Micros } from './time.ts';
import { EVENT_KIND } from './trace.ts';
import type { World } from './world.ts';

/** A program that a host can run: started anew, with nothing but the disk, at every boot and restart. */
export interface Program {
  readonly name: string;
  /** Sets the program up: listeners, timers, tasks. Runs as the process's first resume. */
  start(process: Process): void;
  /** The supervisor (systemd, a static pod's kubelet) starts it again this long after it ended by itself; absent: never. */
  readonly restartAfterUs?: Micros;
  /** Not started at boot: something else starts it (a container). */
  readonly manual?: boolean;
}

export interface HostOptions {
  readonly name: string;
  readonly zone: string;
}

/** A machine: clocks, a disk, processes. Its disk outlives crashes, its processes do not. */
export class Host {
  readonly world: World;
  readonly index: number;
  readonly name: string;
  readonly zone: string;
  readonly clock: HostClock;
  readonly disk: Disk;
  /** Directions to other hosts by their index, made by the network at first use. */
  readonly links: (Link | undefined)[] = [];
  up = true;
  /** When it lost its power; meaningful while it is not up. */
  downSince: Micros = 0;
  readonly #programs = new Map<string, Program>();
  readonly #processes = new Map<string, Process>();
  readonly #incarnations = new Map<string, number>();
  #boots = 0;
  #pauses = 0;
  #outages = 0;
  /** Programs that faults keep down, and how many do. */
  readonly #keptDown = new Map<string, number>();

  constructor(world: World, index: number, options: HostOptions) {
    this.world = world;
    this.index = index;
    this.name = options.name;
    this.zone = options.zone;
    this.clock = new HostClock(world);
    this.disk = new Disk(world, this);
  }

  /** Installs a program; it starts at once unless it is manual. */
  install(program: Program): void {
    assert(!this.#programs.has(program.name), () => `host ${this.name}: program ${program.name} is installed twice`);
    this.#programs.set(program.name, program);
    if (!program.manual && this.up) this.start(program.name);
  }

  /** Removes a program that no longer runs (a container that is gone). */
  uninstall(name: string): void {
    assert(!this.#processes.has(name), () => `host ${this.name}: ${name} is uninstalled while it runs`);
    this.#programs.delete(name);
  }

  /** The running process of that name, if any. */
  process(name: string): Process | undefined {
    return this.#processes.get(name);
  }

  /** Names of the installed programs, in code-unit order. */
  programNames(): readonly string[] {
    return [...this.#programs.keys()].sort();
  }

  /** The running processes, by name in code-unit order. */
  processes(): readonly Process[] {
    return [...this.#processes.keys()].sort().map((name) => this.#processes.get(name) as Process);
  }

  /** Starts a program that does not run. Does nothing when it runs already, the host is down, or a fault keeps the program down. */
  start(name: string): Process | undefined {
    const program = this.#programs.get(name);
    assert(program !== undefined, () => `host ${this.name}: no program ${name}; installed: ${this.programNames().join(', ')}`);
    if (!this.up || this.#keptDown.has(name) || this.#processes.has(name)) return this.#processes.get(name);
    const incarnation = (this.#incarnations.get(name) ?? 0) + 1;
    this.#incarnations.set(name, incarnation);
    const process = new Process(this.world, this, name, incarnation);
    this.#processes.set(name, process);
    this.world.recorder?.process(this.world.now, this.name, name, 'started', `incarnation ${incarnation}`);
    // Paused first: what starts on a host that stands still runs once the host goes on.
    for (let i = 0; i < this.#pauses; i++) process.pause();
    process.deliver(0, this.world.calibration.resumeUs, startProgram, program, process);
    this.world.onReachability?.();
    return process;
  }

  /** From now on the program does not start, not at a boot either, until as many `letUp` as `keepDown` were called. */
  keepDown(name: string): void {
    this.#keptDown.set(name, (this.#keptDown.get(name) ?? 0) + 1);
  }

  /** Takes one `keepDown` back, and starts the program when it was the last. */
  letUp(name: string): void {
    const left = (this.#keptDown.get(name) ?? 0) - 1;
    if (left > 0) this.#keptDown.set(name, left);
    else {
      this.#keptDown.delete(name);
      this.start(name);
    }
  }

  /** Power loss: every process is gone without a word, unsynced writes are lost or torn. */
  crash(): void {
    if (!this.up) return;
    this.up = false;
    this.downSince = this.world.now;
    for (const process of this.processes()) process.vanish();
    this.disk.crash();
    this.world.network.hostDied(this);
    this.world.recorder?.process(this.world.now, this.name, '*', 'killed', 'host crash');
  }

  /** Power on: programs that start at boot start, in name order. */
  boot(): void {
    if (this.up) return;
    this.up = true;
    this.#boots++;
    this.world.recorder?.process(this.world.now, this.name, '*', 'started', 'boot');
    for (const name of this.programNames()) if (this.#programs.get(name)?.manual !== true) this.start(name);
  }

  /** A fault takes the power: down until as many `restorePower` as `cutPower` were called. */
  cutPower(): void {
    this.#outages++;
    this.crash();
  }

  restorePower(): void {
    this.#outages = Math.max(0, this.#outages - 1);
    if (this.#outages === 0) this.boot();
  }

  /** How often the host booted again since the trial's start: a boot id. */
  get boots(): number {
    return this.#boots;
  }

  /** Freezes every process (a stalled virtual machine). */
  pause(): void {
    this.#pauses++;
    for (const process of this.processes()) process.pause();
  }

  resume(): void {
    this.#pauses--;
    for (const process of this.processes()) process.resume();
  }

  /** Called by a process that died. */
  processDied(process: Process, _cause: string, byItself: boolean): void {
    this.#processes.delete(process.name);
    this.world.onReachability?.();
    const restartAfter = this.#programs.get(process.name)?.restartAfterUs;
    if (byItself && restartAfter !== undefined) {
      this.world.queue.schedule(this.world.now + restartAfter, this.index, EVENT_KIND.action, restart, this, process.name);
    }
  }
}

function startProgram(program: unknown, process: unknown): void {
  (program as Program).start(process as Process);
}

function restart(host: unknown, name: unknown): void {
  const target = host as Host;
  if (target.up && target.programNames().includes(name as string)) target.start(name as string);
}
