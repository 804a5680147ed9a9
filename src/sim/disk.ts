import type { Host } from './host.ts';
import type { Process } from './process.ts';
import type { RandomStream } from './random.ts';
import { type Task, suspend } from './task.ts';
import type { Micros } from './time.ts';
import { EVENT_KIND } from './trace.ts';
import type { World } from './world.ts';

/** One record of a file: an immutable value by reference and the bytes it would take. */
export interface DiskRecord {
  readonly value: unknown;
  readonly sizeBytes: number;
  /** Only its first part reached the platter: a reader sees a checksum mismatch. */
  readonly torn?: boolean;
  /** Rotted in place: a reader sees a checksum mismatch. */
  readonly rotten?: boolean;
}

export type DiskResult = { readonly ok: true } | { readonly ok: false; readonly error: 'no-space' | 'io-error' };

const OK: DiskResult = { ok: true };
const NO_SPACE: DiskResult = { ok: false, error: 'no-space' };

/** The records of a file in columns: a log holds many, and an object for each would cost more than all else that is done with it. */
interface Content {
  readonly values: unknown[];
  readonly sizes: number[];
  /** Records that a reader cannot read, by position; seldom any. */
  readonly damaged: Map<number, 'torn' | 'rotten'>;
}

interface File {
  content: Content;
  /** Records before this index survive a power loss. */
  durable: number;
  /** What is on the platter when a truncation or rewrite was not synced yet; undefined: a prefix of `content`. */
  platter: Content | undefined;
  /** The directory entry is durable. */
  linked: boolean;
}

/**
 * The disk of a host. Records go to the page cache; fsync makes them durable after a latency. A process that dies loses nothing; a
 * power loss loses an unsynced suffix of any length and may tear the last record of what is left.
 */
export class Disk {
  readonly #world: World;
  readonly #host: Host;
  readonly #files = new Map<string, File>();
  /** The file last written or synced: mostly it is the next one too. */
  #recentName = '';
  #recent: File | undefined;
  readonly #stream: RandomStream;
  #busyUntil: Micros = 0;
  /** Stalls in force; while there are any, syncs wait in `#waiting`. */
  #stalls = 0;
  #waiting: SyncRequest[] = [];
  #slowFactors: readonly number[] = [];
  #fullFaults = 0;
  #usedBytes = 0;
  #lying = false;
  /** What faults touched: read by them for their effect counters. */
  readonly touched = { stalledSyncs: 0, slowSyncs: 0, refusedWrites: 0, lostRecords: 0, tornRecords: 0, liedSyncs: 0, rottenRecords: 0 };

  constructor(world: World, host: Host) {
    this.#world = world;
    this.#host = host;
    this.#stream = world.randomness.stream(`disk/${host.name}`);
  }

  /** Appends a record to a file's page cache, creating the file. */
  append(process: Process, name: string, value: unknown, sizeBytes: number): DiskResult {
    if (!process.effect('disk')) return OK;
    if (this.full) {
      this.touched.refusedWrites++;
      return NO_SPACE;
    }
    this.#usedBytes += sizeBytes;
    const { content } = this.#file(name);
    content.values.push(value);
    content.sizes.push(sizeBytes);
    return OK;
  }

  /** Cuts a file down to its first `count` records (durable only after the next fsync). */
  truncate(process: Process, name: string, count: number): void {
    if (!process.effect('disk')) return;
    const file = this.#file(name);
    const { content } = file;
    if (count >= content.values.length) return;
    file.platter ??= firstOf(content, file.durable);
    for (let i = count; i < content.sizes.length; i++) this.#usedBytes -= content.sizes[i] as number;
    file.content = firstOf(content, count);
    file.durable = Math.min(file.durable, count);
  }

  /**
   * Replaces a whole file atomically, as write-to-temporary, fsync, rename and fsync of the directory do: a crash leaves the old or the
   * new content, never a mixture. Durable when the task ends.
   */
  *replace(process: Process, name: string, value: unknown, sizeBytes: number): Task<DiskResult> {
    if (!process.effect('disk')) return OK;
    if (this.full) {
      this.touched.refusedWrites++;
      return NO_SPACE;
    }
    yield* suspend<void>((resolve) => this.#sync(process, undefined, resolve as () => void));
    if (!process.effect('disk')) return OK;
    const file = this.#file(name);
    this.#usedBytes += sizeBytes - bytesOf(file.content);
    file.content = { values: [value], sizes: [sizeBytes], damaged: new Map() };
    file.durable = 1;
    file.platter = undefined;
    file.linked = true;
    return OK;
  }

  /** Removes a file at once and for good. */
  remove(process: Process, name: string): void {
    if (!process.effect('disk')) return;
    const file = this.#files.get(name);
    if (file === undefined) return;
    this.#usedBytes -= bytesOf(file.content);
    this.#delete(name);
  }

  /** Makes everything appended to the file so far durable; answers after the latency. */
  *fsync(process: Process, name: string): Task<DiskResult> {
    yield* suspend<void>((resolve) => this.fsyncThen(process, name, resolve as () => void));
    return OK;
  }

  /** As {@link fsync}, with a callback: for hot paths. The callback runs in the process. */
  fsyncThen(process: Process, name: string, done: () => void): void {
    if (!process.effect('disk')) return;
    this.#sync(process, this.#file(name), done);
  }

  /** All records of a file as a reader sees them after start-up; undefined when the file does not exist. Costs no time here: see {@link readDelay}. */
  read(name: string): readonly DiskRecord[] | undefined {
    const content = this.#files.get(name)?.content;
    return content?.values.map((value, i) => {
      const record = { value, sizeBytes: content.sizes[i] as number };
      const damage = content.damaged.get(i);
      return damage === undefined ? record : { ...record, [damage]: true };
    });
  }

  /** Waits as long as reading a file takes. */
  *readDelay(process: Process): Task<void> {
    yield* process.sleep(this.#world.calibration.diskReadUs * this.#slowFactor());
  }

  /** Names of all files that start with `prefix`, in code-unit order. */
  list(prefix: string): readonly string[] {
    return [...this.#files.keys()].filter((name) => name.startsWith(prefix)).sort();
  }

  /** Power loss. Called by the host. */
  crash(): void {
    for (const name of [...this.#files.keys()].sort()) {
      const file = this.#files.get(name) as File;
      if (file.platter !== undefined) {
        // An unsynced truncation: the old content may come back.
        if (this.#stream.chance(1, 2)) {
          file.content = file.platter;
          file.durable = file.content.values.length;
        }
        file.platter = undefined;
      }
      const unsynced = file.content.values.length - file.durable;
      if (unsynced > 0) {
        const kept = this.#stream.below(unsynced + 1);
        this.touched.lostRecords += unsynced - kept;
        file.content = firstOf(file.content, file.durable + kept);
        if (kept > 0 && this.#stream.chance(1, 3)) {
          file.content.damaged.set(file.content.values.length - 1, 'torn');
          this.touched.tornRecords++;
        }
      }
      file.durable = file.content.values.length;
      if (file.durable === 0 && !file.linked) this.#delete(name);
    }
    this.#usedBytes = 0;
    for (const file of this.#files.values()) this.#usedBytes += bytesOf(file.content);
    this.#busyUntil = 0;
    this.#waiting = [];
  }

  /** Everything is gone: the disk was replaced. */
  wipe(): void {
    this.#files.clear();
    this.#recent = undefined;
    this.#usedBytes = 0;
  }

  /** No sync comes back until `unstall`; stalls add up. */
  stall(): void {
    this.#stalls++;
  }

  /** Ends a stall; what waited is synced now, in order. */
  unstall(): void {
    this.#stalls--;
    if (this.#stalls > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const request of waiting) this.#schedule(request, this.#world.now);
  }

  /** Multiplies latencies until `speedUp` with the same factor; factors multiply. */
  slowDown(factor: number): void {
    this.#slowFactors = [...this.#slowFactors, factor];
  }

  speedUp(factor: number): void {
    const at = this.#slowFactors.indexOf(factor);
    this.#slowFactors = this.#slowFactors.filter((_, i) => i !== at);
  }

  /** No space is left until `free`; fillings add up. */
  fill(): void {
    this.#fullFaults++;
  }

  free(): void {
    this.#fullFaults--;
  }

  get full(): boolean {
    return this.#fullFaults > 0;
  }

  /** fsync answers without making anything durable. */
  setLying(lying: boolean): void {
    this.#lying = lying;
  }

  /** Rots one record in place. False when there is no such record. */
  rot(name: string, index: number): boolean {
    const content = this.#files.get(name)?.content;
    if (content === undefined || index >= content.values.length) return false;
    content.damaged.set(index, 'rotten');
    this.touched.rottenRecords++;
    return true;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Calls `done` in the process when a sync that begins now is over; not at all if the host loses power before. Without a file: of something not yet there. */
  #sync(process: Process, file: File | undefined, done: () => void): void {
    const content = file?.content;
    const upTo = content === undefined ? 0 : content.values.length;
    const request: SyncRequest = { file, content, upTo, process, done, lied: this.#lying, boot: this.#host.boots };
    if (this.#stalls === 0) {
      this.#schedule(request, Math.max(process.leaveAt, this.#world.now));
      return;
    }
    this.touched.stalledSyncs++;
    this.#waiting.push(request);
  }

  #schedule(request: SyncRequest, from: Micros): void {
    this.#world.queue.post(this.#syncDue(from), this.#host.index, EVENT_KIND.disk, onSynced, this, request);
  }

  /** @internal The platter has it. A process that died meanwhile hears nothing, but its data was with the kernel and is synced all the same. */
  synced(request: SyncRequest): void {
    if (!this.#host.up || this.#host.boots !== request.boot) return;
    const { file, content, process } = request;
    if (file !== undefined && content !== undefined) {
      if (request.lied) this.touched.liedSyncs++;
      else makeDurable(file, content, request.upTo);
    }
    process.deliver(0, this.#world.calibration.resumeUs, callDone, request.done, undefined);
  }

  #slowFactor(): number {
    return Math.min(
      10_000,
      this.#slowFactors.reduce((product, factor) => product * factor, 1),
    );
  }

  #syncDue(from: Micros): Micros {
    const { fsyncUs, fsyncJitterUs } = this.#world.calibration;
    const draw = this.#stream.u32() >>> 0;
    let latency = fsyncUs + (draw % ((fsyncJitterUs + 1) >>> 0));
    // One sync in 512 meets a busy device: the tail of etcd's backend_commit histograms.
    if (draw >>> 23 === 0) latency *= 10;
    if (this.#slowFactors.length > 0) {
      latency *= this.#slowFactor();
      this.touched.slowSyncs++;
    }
    this.#busyUntil = Math.max(from, this.#busyUntil) + latency;
    return this.#busyUntil;
  }

  #file(name: string): File {
    if (this.#recent !== undefined && name === this.#recentName) return this.#recent;
    let file = this.#files.get(name);
    if (file === undefined) {
      file = { content: { values: [], sizes: [], damaged: new Map() }, durable: 0, platter: undefined, linked: false };
      this.#files.set(name, file);
    }
    this.#recentName = name;
    this.#recent = file;
    return file;
  }

  #delete(name: string): void {
    this.#files.delete(name);
    this.#recent = undefined;
  }
}

interface SyncRequest {
  readonly file: File | undefined;
  /** What the file held when the sync began, and how many records of it. */
  readonly content: Content | undefined;
  readonly upTo: number;
  readonly process: Process;
  readonly done: () => void;
  readonly lied: boolean;
  readonly boot: number;
}

function makeDurable(file: File, content: Content, upTo: number): void {
  if (file.content === content) {
    file.durable = Math.max(file.durable, Math.min(upTo, content.values.length));
    file.platter = undefined;
    file.linked = true;
  } else if (file.platter !== undefined) {
    // The file was truncated meanwhile: the old content is on the platter, and of the new one what both begin with.
    file.platter = firstOf(content, upTo);
    const { values } = file.content;
    let common = 0;
    while (common < upTo && common < values.length && values[common] === content.values[common]) common++;
    file.durable = Math.max(file.durable, common);
    file.linked = true;
  }
}

function firstOf(content: Content, count: number): Content {
  const damaged = new Map([...content.damaged].filter(([position]) => position < count));
  return { values: content.values.slice(0, count), sizes: content.sizes.slice(0, count), damaged };
}

function bytesOf({ sizes }: Content): number {
  let bytes = 0;
  for (let i = 0; i < sizes.length; i++) bytes += sizes[i] as number;
  return bytes;
}

function onSynced(disk: unknown, request: unknown): void {
  (disk as Disk).synced(request as SyncRequest);
}

function callDone(done: unknown): void {
  (done as () => void)();
}
