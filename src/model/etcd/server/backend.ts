import type { Process } from '../../../sim/process.ts';
import type { BackendImage, EtcdState } from '../state.ts';
import type { EtcdConfig } from './config.ts';
import { LATE_SYNC_US } from './wal.ts';

const PAGE_BYTES = 4096;

/**
 * The backend file (bbolt) with its own asynchronous commit: changes pile up in memory and are made durable together every 100 ms or
 * 10,000 changes. While a commit runs, applying waits, as it waits for the batch transaction's lock.
 */
export class Backend {
  readonly #process: Process;
  readonly #config: EtcdConfig;
  readonly #file: string;
  readonly #state: () => EtcdState;
  readonly #onCommitted: () => void;
  #startedAt: number;
  #timerArmed = false;
  #committing = false;
  #waiting: (() => void)[] = [];
  #durableIndex = 0;
  #syncedAt: number;

  constructor(process: Process, config: EtcdConfig, state: () => EtcdState, onCommitted: () => void) {
    this.#process = process;
    this.#config = config;
    this.#file = backendFile(config);
    this.#state = state;
    this.#onCommitted = onCommitted;
    this.#startedAt = process.mono();
    this.#syncedAt = process.mono();
    this.#durableIndex = state().consistentIndex;
  }

  /** What the last commit before the restart left; undefined for a new member. */
  static read(process: Process, config: EtcdConfig): BackendImage | undefined {
    const records = process.host.disk.read(backendFile(config)) ?? [];
    for (let i = records.length - 1; i >= 0; i--) {
      const record = records[i];
      // bbolt has two meta pages: a bad one means the commit before.
      if (record !== undefined && record.torn !== true && record.rotten !== true) return record.value as BackendImage;
    }
    return undefined;
  }

  get committing(): boolean {
    return this.#committing;
  }

  /** The consistent index of the last commit that is durable. */
  get durableIndex(): number {
    return this.#durableIndex;
  }

  /** Changes may have been made: commit at the next turn of the interval, or now if there are many. */
  noteChanges(): void {
    const { pendingWrites } = this.#state();
    if (pendingWrites >= this.#config.backendBatchLimit) this.commit();
    else if (pendingWrites > 0 && !this.#timerArmed) {
      this.#timerArmed = true;
      const interval = this.#config.backendBatchIntervalUs;
      const sinceStart = this.#process.mono() - this.#startedAt;
      this.#process.after(interval - (sinceStart % interval), () => {
        this.#timerArmed = false;
        if (this.#state().pendingWrites > 0) this.commit();
      });
    }
  }

  /**
   * Rewrites the file, which commits what is open. Ours has no holes to close: what compaction frees is free at once.
   */
  defragment(done: () => void): void {
    this.commit(done, true);
  }

  /** Commits what there is; `done` is called when everything changed so far is durable. */
  commit(done?: () => void, defragments = false): void {
    if (this.#committing) {
      // What changed since the running commit began needs another one.
      if (done !== undefined) this.#waiting.push(done);
      return;
    }
    const state = this.#state();
    const now = state.image();
    // etcd#14685: every commit has to store the consistent index with the changes. The defect's defragmentation leaves the old one.
    const forgets = defragments && this.#config.defects.has('E3');
    const image = forgets ? { ...now, consistentIndex: Math.min(this.#durableIndex, now.consistentIndex) } : now;
    state.pendingWrites = 0;
    if (this.#config.defects.has('R18') && this.#staysInCache()) {
      done?.();
      this.#onCommitted();
      return;
    }
    this.#committing = true;
    this.#process.spawn('backend-commit', this.#process.host.disk.replace(this.#process, this.#file, image, PAGE_BYTES), (result) => {
      if (!result.ok) this.#process.exit(1, 'failed to commit tx: no space left on device');
      this.#committing = false;
      this.#durableIndex = image.consistentIndex;
      done?.();
      const waiting = this.#waiting;
      this.#waiting = [];
      const others = () => {
        for (const next of waiting) next();
      };
      if (waiting.length > 0) this.commit(others);
      else this.noteChanges();
      this.#onCommitted();
    });
  }

  /** The defect R18 syncs the backend no sooner than the log: until then a commit is a promise of the page cache. */
  #staysInCache(): boolean {
    if (this.#process.mono() - this.#syncedAt < LATE_SYNC_US) return true;
    this.#syncedAt = this.#process.mono();
    return false;
  }
}

function backendFile(config: EtcdConfig): string {
  return `${config.dataDir}db`;
}
