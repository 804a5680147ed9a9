import type { Process } from '../../sim/process.ts';
import { type Task, suspend } from '../../sim/task.ts';
import { SECOND, type Micros } from '../../sim/time.ts';
import type { CriClient, PodRecords } from './cri.ts';

export interface PlegOptions {
  readonly process: Process;
  readonly cri: CriClient;
  readonly periodUs: Micros;
  /** A container or sandbox of the pod started or died: once or twice where several did. */
  readonly onChange: (podUid: string, died: boolean) => void;
  /** The runtime answers or does not. */
  readonly onConnection: (connected: boolean) => void;
}

/**
 * What the kubelet knows of the runtime's pods, refreshed once a second: the generic PLEG and the pod cache. The real one lists all containers
 * every second; here the runtime tells of changes at once, they are taken in at the next tick of that second's grid, and a tick without
 * changes costs nothing.
 */
export class Pleg {
  readonly #options: PlegOptions;
  readonly #startedAt: Micros;
  /** As the runtime last said. */
  readonly #incoming = new Map<string, PodRecords>();
  /** As of the last relist. */
  readonly #cache = new Map<string, PodRecords>();
  readonly #dirty = new Set<string>();
  #waiters: (() => void)[] = [];
  #timer = 0;
  #connected = false;
  #known = false;
  #lastRelist: Micros = -1;
  #lastSeen: Micros;

  constructor(options: PlegOptions) {
    this.#options = options;
    this.#startedAt = options.process.mono();
    this.#lastSeen = this.#startedAt;
  }

  start(): void {
    this.#connect();
  }

  /** The runtime answered at least once. */
  get known(): boolean {
    return this.#known;
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** When the runtime was last known to answer. */
  get lastSeen(): Micros {
    return this.#connected ? this.#options.process.mono() : this.#lastSeen;
  }

  /** The pod as of the last relist. */
  get(podUid: string): PodRecords | undefined {
    return this.#cache.get(podUid);
  }

  /** Uids of all pods known to the runtime, in code-unit order. */
  podUids(): readonly string[] {
    return [...this.#cache.keys()].sort();
  }

  /** Waits for a relist after `at` and answers with the pod: upstream podCache.GetNewerThan. */
  *newerThan(podUid: string, at: Micros): Task<PodRecords | undefined> {
    while (!this.#known || this.#relistedAt() <= at) {
      yield* suspend<void>((resolve) => {
        this.#waiters.push(() => resolve(undefined));
        if (this.#known && this.#connected) this.#schedule();
      });
    }
    return this.#cache.get(podUid);
  }

  /** The pod as the runtime has it at this moment, past the cache. */
  *current(podUid: string): Task<PodRecords | undefined> {
    // The runtime tells of a change before it answers the call that made it, over the same socket.
    yield* this.#options.process.sleep(1);
    return this.#incoming.get(podUid);
  }

  /** When the last relist was: the real one happens every second, changes or not. */
  #relistedAt(): Micros {
    if (!this.#connected) return this.#lastRelist;
    const { process, periodUs } = this.#options;
    const now = process.mono();
    return Math.max(this.#lastRelist, now - ((now - this.#startedAt) % periodUs));
  }

  #connect(): void {
    this.#options.cri.follow({
      onRecords: (pods, all) => this.#take(pods, all),
      onLost: () => this.#lost(),
    });
  }

  #take(pods: readonly PodRecords[], all: boolean): void {
    if (all) {
      const present = new Set(pods.map((pod) => pod.podUid));
      for (const uid of [...this.#incoming.keys()].sort()) {
        if (present.has(uid)) continue;
        this.#incoming.delete(uid);
        this.#dirty.add(uid);
      }
    }
    for (const pod of pods) {
      if (pod.sandboxes.length === 0 && pod.containers.length === 0) this.#incoming.delete(pod.podUid);
      else this.#incoming.set(pod.podUid, pod);
      this.#dirty.add(pod.podUid);
    }
    if (!this.#connected) {
      this.#connected = true;
      this.#options.onConnection(true);
    }
    if (!this.#known) this.#relist();
    else this.#schedule();
  }

  #lost(): void {
    if (this.#connected) {
      this.#connected = false;
      this.#lastSeen = this.#options.process.mono();
      this.#options.onConnection(false);
    }
    this.#options.process.after(SECOND, () => this.#connect());
  }

  #schedule(): void {
    if (this.#timer !== 0) return;
    const { process, periodUs } = this.#options;
    const delay = periodUs - ((process.mono() - this.#startedAt) % periodUs);
    this.#timer = process.after(delay, () => {
      this.#timer = 0;
      this.#relist();
    });
  }

  #relist(): void {
    if (!this.#connected) return;
    this.#known = true;
    this.#lastRelist = this.#options.process.mono();
    const changed = [...this.#dirty].sort();
    this.#dirty.clear();
    const worth: { readonly uid: string; readonly events: PlegEvents }[] = [];
    for (const uid of changed) {
      const before = this.#cache.get(uid);
      const now = this.#incoming.get(uid);
      if (now === undefined) this.#cache.delete(uid);
      else this.#cache.set(uid, now);
      const events = compare(before, now);
      if (events.count > 0) worth.push({ uid, events });
    }
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
    for (const { uid, events } of worth) {
      this.#options.onChange(uid, events.died);
      // Events of one relist reach the pod's worker one by one. Whether it has taken up the first before the next comes is a race:
      // where it has, the pod is synced once more after the next relist.
      if (events.count > 1 && this.#options.process.random.chance(1, 3)) this.#options.onChange(uid, false);
    }
  }
}

interface PlegEvents {
  readonly count: number;
  readonly died: boolean;
}

/** Containers and sandboxes that started or died between two relists, one event each; one that vanished is no news. */
function compare(before: PodRecords | undefined, now: PodRecords | undefined): PlegEvents {
  let count = 0;
  let died = false;
  for (const container of now?.containers ?? []) {
    const old = before?.containers.find((other) => other.id === container.id);
    if (container.state === 'exited' && old?.state !== 'exited') {
      count++;
      died = true;
    } else if (container.state === 'running' && old?.state !== 'running') count++;
  }
  for (const sandbox of now?.sandboxes ?? []) {
    const old = before?.sandboxes.find((other) => other.id === sandbox.id);
    if (sandbox.state !== old?.state) {
      count++;
      if (sandbox.state === 'not-ready') died = true;
    }
  }
  return { count, died };
}
