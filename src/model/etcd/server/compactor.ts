import type { Process } from '../../../sim/process.ts';
import type { EtcdState } from '../state.ts';
import type { Backend } from './backend.ts';
import type { EtcdConfig } from './config.ts';

/** Drives compactions of the store: a batch of rows, a commit, a pause, the next batch (store.scheduleCompaction). */
export class Compactor {
  readonly #process: Process;
  readonly #config: EtcdConfig;
  readonly #state: EtcdState;
  readonly #backend: Backend;
  #timer = 0;
  #waiters: (() => void)[] = [];

  constructor(process: Process, config: EtcdConfig, state: EtcdState, backend: Backend) {
    this.#process = process;
    this.#config = config;
    this.#state = state;
    this.#backend = backend;
  }

  /** Goes on if a compaction has batches left. */
  run(): void {
    if (!this.#state.store.compacting || this.#timer !== 0) return;
    this.#timer = this.#process.after(this.#config.compactionSleepUs, () => {
      this.#timer = 0;
      this.#batch();
    });
  }

  /** Calls `done` when the compaction that runs now has removed everything. */
  wait(done: () => void): void {
    if (this.#state.store.compacting) this.#waiters.push(done);
    else done();
  }

  #batch(): void {
    // Each batch is committed before the next, so a crash finds some of them done and the rest scheduled.
    const finished = this.#state.store.compactStep(this.#config.compactionBatchLimit);
    this.#state.pendingWrites++;
    if (!finished) {
      this.#backend.commit();
      this.run();
      return;
    }
    this.#backend.noteChanges();
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }
}
