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

interface File {
  records: DiskRecord[];
  /** Records before this index survive a power loss. */
  durable: number;
  /** What is on the platter when a truncation or rewrite was not synced yet; undefined: a prefix of `records`. */
  platter: readonly DiskRecord[] | undefined;
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
  readonly #stream: RandomStream;
  #busyUntil: Micros = 0;
  /** Stalls in force; while there are any, syncs wait in `#waiting`. */
  #stalls = 0;
  #waiting: (() => void)[] = [];
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
    if (!process.effect('disk')) return { ok: true };
    if (this.full) {
      this.touched.refusedWrites++;
      return { ok: false, error: 'no-space' };
    }
    this.#usedBytes += sizeBytes;
    this.#file(name).records.push({ value, sizeBytes });
    return { ok: true };
  }

  /** Cuts a file down to its first `count` records (durable only after the next fsync). */
  truncate(process: Process, name: string, count: number): void {
    if (!process.effect('disk')) return;
    const file = this.#file(name);
    if (count >= file.records.length) return;
    file.platter ??= file.records.slice(0, file.durable);
    for (const record of file.records.slice(count)) this.#usedBytes -= record.sizeBytes;
    file.records = file.records.slice(0, count);
    file.durable = Math.min(file.durable, count);
  }

  /**
   * Replaces a whole file atomically, as write-to-temporary, fsync, rename and fsync of the directory do: a crash leaves the old or the
   * new content, never a mixture. Durable when the task ends.
   */
  *replace(process: Process, name: string, value: unknown, sizeBytes: number): Task<DiskResult> {
    if (!process.effect('disk')) return { ok: true };
    if (this.full) {
      this.touched.refusedWrites++;
      return { ok: false, error: 'no-space' };
    }
    yield* suspend<void>((resolve) =>
      this.#sync(process, () => process.deliver(0, this.#world.calibration.resumeUs, callDone, resolve, undefined)),
    );
    if (!process.effect('disk')) return { ok: true };
    const file = this.#file(name);
    for (const record of file.records) this.#usedBytes -= record.sizeBytes;
    this.#usedBytes += sizeBytes;
    file.records = [{ value, sizeBytes }];
    file.durable = 1;
    file.platter = undefined;
    file.linked = true;
    return { ok: true };
  }

  /** Removes a file at once and for good. */
  remove(process: Process, name: string): void {
    if (!process.effect('disk')) return;
    const file = this.#files.get(name);
    if (file === undefined) return;
    for (const record of file.records) this.#usedBytes -= record.sizeBytes;
    this.#files.delete(name);
  }

  /** Makes everything appended to the file so far durable; answers after the latency. */
  *fsync(process: Process, name: string): Task<DiskResult> {
    yield* suspend<void>((resolve) => this.fsyncThen(process, name, resolve as () => void));
    return { ok: true };
  }

  /** As {@link fsync}, with a callback: for hot paths. The callback runs in the process. */
  fsyncThen(process: Process, name: string, done: () => void): void {
    if (!process.effect('disk')) return;
    const file = this.#file(name);
    const request: SyncRequest = { disk: this, file, upTo: file.records.length, records: file.records, process, done, lied: this.#lying };
    this.#sync(process, () => finishSync(request));
  }

  /** All records of a file as a reader sees them after start-up; undefined when the file does not exist. Costs no time here: see {@link readDelay}. */
  read(name: string): readonly DiskRecord[] | undefined {
    return this.#files.get(name)?.records;
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
          file.records = [...file.platter];
          file.durable = file.records.length;
        }
        file.platter = undefined;
      }
      const unsynced = file.records.length - file.durable;
      if (unsynced > 0) {
        const kept = this.#stream.below(unsynced + 1);
        this.touched.lostRecords += unsynced - kept;
        file.records = file.records.slice(0, file.durable + kept);
        if (kept > 0 && this.#stream.chance(1, 3)) {
          const last = file.records.length - 1;
          file.records[last] = { ...(file.records[last] as DiskRecord), torn: true };
          this.touched.tornRecords++;
        }
      }
      if (file.records.length === 0 && !file.linked) this.#files.delete(name);
      file.durable = file.records.length;
    }
    this.#usedBytes = 0;
    for (const file of this.#files.values()) for (const record of file.records) this.#usedBytes += record.sizeBytes;
    this.#busyUntil = 0;
    this.#waiting = [];
  }

  /** Everything is gone: the disk was replaced. */
  wipe(): void {
    this.#files.clear();
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
    for (const start of waiting) start();
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
    const record = this.#files.get(name)?.records[index];
    if (record === undefined) return false;
    (this.#files.get(name) as File).records[index] = { ...record, rotten: true };
    this.touched.rottenRecords++;
    return true;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Runs `done` when a sync that begins now is over; not at all if the host loses power before. */
  #sync(process: Process, done: () => void): void {
    const boot = this.#host.boots;
    const finish = (): void => {
      if (this.#host.up && this.#host.boots === boot) done();
    };
    const start = (from: Micros): void => {
      this.#world.queue.schedule(this.#syncDue(from), this.#host.index, EVENT_KIND.disk, callDone, finish, undefined);
    };
    if (this.#stalls === 0) {
      start(Math.max(process.leaveAt, this.#world.now));
      return;
    }
    this.touched.stalledSyncs++;
    this.#waiting.push(() => start(this.#world.now));
  }

  #slowFactor(): number {
    return Math.min(
      10_000,
      this.#slowFactors.reduce((product, factor) => product * factor, 1),
    );
  }

  #syncDue(from: Micros): Micros {
    const { fsyncUs, fsyncJitterUs } = this.#world.calibration;
    const draw = this.#stream.u32();
    let latency = fsyncUs + (draw % (fsyncJitterUs + 1));
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
    let file = this.#files.get(name);
    if (file === undefined) {
      file = { records: [], durable: 0, platter: undefined, linked: false };
      this.#files.set(name, file);
    }
    return file;
  }
}

interface SyncRequest {
  readonly disk: Disk;
  readonly file: File;
  readonly upTo: number;
  readonly records: readonly DiskRecord[];
  readonly process: Process;
  readonly done: () => void;
  readonly lied: boolean;
}

/** The platter has it. A process that died meanwhile hears nothing, but its data was with the kernel and is synced all the same. */
function finishSync(sync: SyncRequest): void {
  const { file, disk, process } = sync;
  if (sync.lied) disk.touched.liedSyncs++;
  else if (file.records === sync.records) {
    file.durable = Math.max(file.durable, Math.min(sync.upTo, file.records.length));
    file.platter = undefined;
    file.linked = true;
  } else if (file.platter !== undefined) {
    // The file was truncated meanwhile: the old content is on the platter, and of the new one what both begin with.
    file.platter = sync.records.slice(0, sync.upTo);
    let common = 0;
    while (common < sync.upTo && common < file.records.length && file.records[common] === sync.records[common]) common++;
    file.durable = Math.max(file.durable, common);
    file.linked = true;
  }
  process.deliver(0, process.world.calibration.resumeUs, callDone, sync.done, undefined);
}

function callDone(done: unknown): void {
  (done as () => void)();
}
