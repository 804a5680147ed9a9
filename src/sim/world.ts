import { type Calibration, DEFAULT_CALIBRATION } from './calibration.ts';
import { Digest } from './digest.ts';
import { type EventId, EventQueue } from './event-queue.ts';
import { Host, type HostOptions } from './host.ts';
import { assert, InvariantError } from './assert.ts';
import { Network } from './network.ts';
import { Randomness } from './random.ts';
import type { TiePolicy } from './schedule.ts';
import { StreamFaults } from './stream-faults.ts';
import type { Micros } from './time.ts';
import { EVENT_KIND, type KernelRecorder } from './trace.ts';

export interface WorldOptions {
  /** Keys every random stream. */
  readonly seed: string;
  readonly tiePolicy?: TiePolicy;
  readonly calibration?: Partial<Calibration>;
  readonly recorder?: KernelRecorder;
  /** More events than this at one virtual instant end the run as a livelock. */
  readonly eventsPerInstantMax?: number;
}

/** How a run of the world ended. */
export type RunEnd =
  | { readonly kind: 'horizon' }
  /** Nothing is scheduled any more. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'stopped'; readonly reason: string }
  /** Time does not pass; `culprit` is the process whose event is next, or its host, or the plan. */
  | { readonly kind: 'livelock'; readonly atUs: Micros; readonly culprit: string };

/** Event host of everything that belongs to no machine: the plan's actions. */
const NO_HOST = 0;

/** The physical world of one trial: clock, events, randomness, hosts, network. Knows no Kubernetes. */
export class World {
  /** True virtual time. */
  now: Micros = 0;
  readonly queue = new EventQueue();
  readonly digest = new Digest();
  readonly randomness: Randomness;
  readonly tiePolicy: TiePolicy;
  readonly calibration: Calibration;
  readonly recorder: KernelRecorder | undefined;
  readonly network: Network;
  readonly streams: StreamFaults;
  /** Told whenever who can reach whom may have changed: a process or host came or went, a link was cut or mended. Must not act on the world. */
  onReachability: (() => void) | undefined;
  readonly #hosts: Host[] = [];
  readonly #hostsByName = new Map<string, Host>();
  readonly #eventsPerInstantMax: number;
  #stopReason: string | undefined;

  constructor(options: WorldOptions) {
    this.randomness = new Randomness(options.seed, this);
    this.tiePolicy = options.tiePolicy ?? { kind: 'fifo' };
    this.calibration = { ...DEFAULT_CALIBRATION, ...options.calibration };
    this.recorder = options.recorder;
    this.#eventsPerInstantMax = options.eventsPerInstantMax ?? 200_000;
    this.network = new Network(this);
    this.streams = new StreamFaults(this);
  }

  /** Adds a machine. Host indexes start at 1; 0 is the plan's. */
  addHost(options: HostOptions): Host {
    assert(!this.#hostsByName.has(options.name), () => `host ${options.name} is added twice`);
    const host = new Host(this, this.#hosts.length + 1, options);
    this.#hosts.push(host);
    this.#hostsByName.set(options.name, host);
    return host;
  }

  /** All hosts in the order of their index. */
  hosts(): readonly Host[] {
    return this.#hosts;
  }

  host(name: string): Host {
    const host = this.#hostsByName.get(name);
    assert(host !== undefined, () => `no host ${name}; hosts: ${this.#hosts.map((h) => h.name).join(', ')}`);
    return host;
  }

  findHost(name: string): Host | undefined {
    return this.#hostsByName.get(name);
  }

  hostAt(index: number): Host {
    return this.#hosts[index - 1] as Host;
  }

  /** Schedules an action of the plan (a fault, an operation) at a true time. */
  at(at: Micros, action: () => void): EventId {
    assert(at >= this.now, () => `World.at: ${at} lies before now (${this.now})`);
    return this.queue.schedule(at, NO_HOST, EVENT_KIND.action, runAction, action, undefined);
  }

  /** Ends the run after the current event. */
  stop(reason: string): void {
    this.#stopReason ??= reason;
  }

  #culprit(): string {
    if (this.queue.host === NO_HOST) return 'the plan';
    const label = (this.queue.a as { readonly label?: unknown } | undefined)?.label;
    return typeof label === 'string' ? label : this.hostAt(this.queue.host).name;
  }

  /** Runs all events up to and including `until`. */
  run(until: Micros): RunEnd {
    const queue = this.queue;
    const digest = this.digest;
    this.#stopReason = undefined;
    let instantEvents = 0;
    for (;;) {
      if (!queue.pop(until)) {
        this.now = until;
        return queue.live === 0 ? { kind: 'idle' } : { kind: 'horizon' };
      }
      const at = queue.at;
      if (at === this.now) {
        if (++instantEvents > this.#eventsPerInstantMax) return { kind: 'livelock', atUs: at, culprit: this.#culprit() };
      } else {
        if (at < this.now) throw new InvariantError(`World.run: event at ${at} before now ${this.now}`);
        this.now = at;
        instantEvents = 0;
      }
      // The plan is laid out before the run: a plan with one fault less begins the same way all the same.
      digest.event(at, queue.host, queue.kind, queue.host === NO_HOST ? 0 : queue.sequence);
      queue.run();
      if (this.#stopReason !== undefined) return { kind: 'stopped', reason: this.#stopReason };
    }
  }
}

function runAction(action: unknown): void {
  (action as () => void)();
}
