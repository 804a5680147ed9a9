import type { Message } from '../../../raft/message.ts';
import type { Snapshot } from '../../../raft/types.ts';
import type { Process } from '../../../sim/process.ts';
import { type Micros, SECOND } from '../../../sim/time.ts';
import type { EtcdState } from '../state.ts';
import type { ApplyLoop } from './apply-loop.ts';
import type { Backend } from './backend.ts';
import type { EtcdConfig } from './config.ts';
import type { Peers } from './peers.ts';
import type { RaftDriver } from './raft-driver.ts';
import { fileOfSnapshot, Snapshots } from './snapshots.ts';
import type { Wal } from './wal.ts';

/** The log that raft keeps in memory is compacted so often (etcd 3.6: memorySnapshotCount). */
const MEMORY_SNAPSHOT_COUNT = 100;
const SEND_TIMEOUT_US: Micros = 30 * SECOND;

/** The parts of a member that snapshots concern. */
export interface SnapshotParts {
  readonly process: Process;
  readonly config: EtcdConfig;
  readonly state: EtcdState;
  readonly wal: Wal;
  readonly backend: Backend;
  readonly peers: Peers;
  readonly raft: RaftDriver;
  readonly apply: ApplyLoop;
}

/** Makes snapshots of the applied state: for the start of the log on disk, for raft's memory, and for members that lag behind. */
export class Snapshotter {
  readonly #parts: SnapshotParts;
  readonly #files: Snapshots;
  #index: number;
  #memoryIndex: number;
  #saving = false;

  constructor(parts: SnapshotParts) {
    this.#parts = parts;
    this.#files = new Snapshots(parts.process, parts.config);
    this.#index = parts.apply.appliedIndex;
    this.#memoryIndex = this.#index;
  }

  /** Entries were applied: it may be time (snapshotIfNeededAndCompactRaftLog). */
  applied(): void {
    const { apply, config, raft } = this.#parts;
    // Entries are applied beside the WAL write; a snapshot waits until the log holds them (raft.go's notifyc, server.go's applyAll).
    if (apply.appliedIndex > raft.storage.lastIndex()) return;
    if (apply.appliedIndex - this.#memoryIndex > MEMORY_SNAPSHOT_COUNT) this.#compactMemory();
    if (apply.appliedIndex - this.#index > config.snapshotCount && !this.#saving) this.#save();
  }

  /** The state was replaced by a snapshot's: the backend file is replaced by the one that came with it. */
  installed(snapshot: Snapshot): void {
    const { state, backend } = this.#parts;
    this.#index = snapshot.index;
    this.#memoryIndex = snapshot.index;
    state.pendingWrites++;
    backend.commit();
  }

  /** Puts a snapshot that the leader sent on disk. */
  receive(snapshot: Snapshot, done: () => void): void {
    this.#files.save(this.#parts.wal, fileOfSnapshot(snapshot), done);
  }

  /** createMergedSnapshotMessage: what goes out is the state as it is now, not as it was when raft last heard of a snapshot. */
  send(message: Message): void {
    const { apply, state, peers, raft } = this.#parts;
    const rpc = peers.rpc(message.to);
    if (rpc === undefined) return;
    const snapshot: Snapshot = { index: apply.appliedIndex, term: apply.appliedTerm, confState: apply.confState, data: state.image() };
    const options = { sizeBytes: state.sizeBytes, timeoutUs: SEND_TIMEOUT_US };
    rpc.callThen('peer/snapshot', { ...message, snapshot }, options, (result) => raft.reportSnapshot(message.to, result.ok));
  }

  #save(): void {
    const { apply, backend, wal } = this.#parts;
    this.#saving = true;
    this.#index = apply.appliedIndex;
    const { appliedIndex: index, appliedTerm: term, confState, membershipRows: membership } = apply;
    // The backend must hold everything up to the snapshot before the log may start there.
    backend.commit(() => {
      this.#files.save(wal, { index, term, confState, membership, image: undefined }, () => {
        this.#saving = false;
        this.#parts.config.facts.raftSnapshotSaved.emit(this.#parts.config.name, index, term);
      });
    });
  }

  #compactMemory(): void {
    const { apply, raft, config } = this.#parts;
    this.#memoryIndex = apply.appliedIndex;
    raft.storage.createSnapshot(apply.appliedIndex, apply.confState, undefined);
    const keepFrom = apply.appliedIndex - config.snapshotCatchUpEntries;
    if (keepFrom > 0) raft.storage.compact(keepFrom);
  }
}
