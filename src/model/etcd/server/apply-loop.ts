import {
  type ConfChange,
  type ConfState,
  type Entry,
  EntryConfChange,
  EntryConfChangeV2,
  leaveJointChange,
  type Snapshot,
} from '../../../raft/types.ts';
import type { Process } from '../../../sim/process.ts';
import type { EtcdResponse } from '../api.ts';
import { type ApplyContext, applyProposal } from '../applier.ts';
import { isError, type Result } from '../errors.ts';
import { Membership, type MembershipChange, type MembershipRows } from '../membership.ts';
import type { Proposal } from '../proposal.ts';
import type { BackendImage, EtcdState } from '../state.ts';
import { withoutReads } from '../txn.ts';
import type { EtcdConfig } from './config.ts';
import { entryHash } from './entry-hash.ts';

/** What the apply loop needs of its member. */
export interface ApplyHost {
  readonly process: Process;
  readonly config: EtcdConfig;
  readonly state: EtcdState;
  readonly context: ApplyContext;
  /** The backend commits right now: changes have to wait. */
  readonly blocked: boolean;
  applyConfChange(change: ConfChange, index: number): ConfState;
  /** Whether somebody here waits for this payload's result. */
  isWaiting(data: unknown): boolean;
  /** An entry was applied; `result` goes to whoever proposed this very payload here. */
  applied(entry: Entry, result: Result<EtcdResponse> | undefined): void;
  /** A membership change was applied, or refused: then it changed nothing. */
  membershipApplied(change: MembershipChange, data: ConfChange, refused: Result<void>, index: number): void;
  /** The empty entry of a new leader was applied: all of the terms before is. */
  termBegan(term: number): void;
  /** The state was replaced by a snapshot's. */
  installed(snapshot: Snapshot): void;
  /** A batch is done. */
  batchApplied(): void;
}

const leave: MembershipChange = { kind: 'leave' };

interface Batch {
  readonly entries: readonly Entry[];
  readonly snapshot: Snapshot | undefined;
}

/**
 * Applies what raft has committed, in order and apart from the log's writes. Entries that the backend already holds (up to its consistent
 * index) are only told to raft again, never applied twice.
 */
export class ApplyLoop {
  readonly #host: ApplyHost;
  readonly #queue: Batch[] = [];
  readonly #savedSnapshots = new Set<Snapshot>();
  #waiters: { readonly index: number; readonly done: () => void }[] = [];
  #at = 0;
  #running = false;
  #paused = false;
  appliedIndex: number;
  appliedTerm: number;
  confState: ConfState;
  /**
   * The membership at the position of the log, which after a restart lies behind the backend's: what changes are validated against, so
   * that a change that was refused is refused again when it is replayed (etcd keeps it in the v2 store).
   */
  #membership: Membership;

  constructor(
    host: ApplyHost,
    start: { readonly index: number; readonly term: number; readonly confState: ConfState; readonly membership: MembershipRows },
  ) {
    this.#host = host;
    this.#membership = new Membership(start.membership);
    this.appliedIndex = start.index;
    this.appliedTerm = start.term;
    this.confState = start.confState;
  }

  /** The membership at the applied index, for snapshot files. */
  get membershipRows(): MembershipRows {
    return this.#membership.rows;
  }

  /** Calls `done` once everything up to an index is applied. */
  wait(index: number, done: () => void): void {
    if (this.appliedIndex >= index) done();
    else this.#waiters.push({ index, done });
  }

  push(entries: readonly Entry[], snapshot: Snapshot | undefined): void {
    this.#queue.push({ entries, snapshot });
  }

  /** A snapshot of the queue is on disk and may be applied. */
  snapshotSaved(snapshot: Snapshot): void {
    this.#savedSnapshots.add(snapshot);
    this.run();
  }

  /** Applies as much as may be applied now. */
  run(): void {
    if (this.#running || this.#paused) return;
    this.#running = true;
    let worked = false;
    for (let batch = this.#queue[0]; batch !== undefined; batch = this.#queue[0]) {
      if (!this.#applyBatch(batch)) break;
      this.#queue.shift();
      this.#at = 0;
      worked = true;
    }
    this.#running = false;
    if (!worked && this.#at === 0) return;
    this.#host.batchApplied();
    this.#settle();
  }

  #settle(): void {
    if (this.#waiters.length === 0) return;
    const ready = this.#waiters.filter((waiter) => waiter.index <= this.appliedIndex);
    this.#waiters = this.#waiters.filter((waiter) => waiter.index > this.appliedIndex);
    for (const waiter of ready) waiter.done();
  }

  /** True when the batch is done; false when it has to wait. */
  #applyBatch(batch: Batch): boolean {
    if (batch.snapshot !== undefined && this.#at === 0 && batch.snapshot.index > this.appliedIndex) {
      if (!this.#savedSnapshots.delete(batch.snapshot)) return false;
      this.#install(batch.snapshot);
    }
    while (this.#at < batch.entries.length) {
      if (this.#host.blocked) return false;
      const entry = batch.entries[this.#at];
      if (entry === undefined) break;
      if (entry.index > this.appliedIndex && !this.#applyEntry(entry)) return false;
      this.#at++;
    }
    return true;
  }

  #install(snapshot: Snapshot): void {
    this.appliedIndex = snapshot.index;
    this.appliedTerm = snapshot.term;
    this.confState = snapshot.confState;
    const image = snapshot.data as BackendImage;
    this.#membership = new Membership(image.membership);
    this.#host.state.install(image);
    this.#host.installed(snapshot);
  }

  /** False if the entry is begun but not done: it will be finished later. */
  #applyEntry(entry: Entry): boolean {
    const { state, process, config } = this.#host;
    const isNew = entry.index > state.consistentIndex;
    process.charge(config.applyUs);
    // etcd#13766: the consistent index must become visible to a commit only together with the entry's changes. With the defect it
    // is set first, and a commit that comes before the changes stores it without them.
    if (isNew && config.defects.has('E1') && entry.data !== undefined) {
      state.consistentIndex = entry.index;
      state.consistentTerm = entry.term;
      this.#paused = true;
      process.after(config.applyUs + this.#preemption(), () => this.#finishLater(entry));
      return false;
    }
    this.#finish(entry, isNew);
    return true;
  }

  /** Now and then the goroutine loses its processor between the two steps, for up to Go's time slice of 10 ms. */
  #preemption(): number {
    const { random } = this.#host.process;
    return random.below(8) === 0 ? random.below(10_000) : 0;
  }

  #finishLater(entry: Entry): void {
    if (this.#host.blocked) {
      // The lock is held by a commit: the change comes after it.
      this.#host.process.after(this.#host.config.applyUs, () => this.#finishLater(entry));
      return;
    }
    this.#paused = false;
    this.#finish(entry, true);
    this.#at++;
    this.run();
  }

  #finish(entry: Entry, isNew: boolean): void {
    const { state } = this.#host;
    let result: Result<EtcdResponse> | undefined;
    switch (entry.type) {
      case EntryConfChange:
      case EntryConfChangeV2:
        this.#applyMembership(entry, isNew);
        break;
      default:
        if (entry.data === undefined) this.#host.termBegan(entry.term);
        else if (isNew) result = applyProposal(state, this.#asApplied(entry.data as Proposal), this.#host.context);
    }
    if (isNew) {
      state.consistentIndex = entry.index;
      state.consistentTerm = entry.term;
    }
    this.appliedIndex = entry.index;
    this.appliedTerm = entry.term;
    const { facts, name } = this.#host.config;
    // What the backend holds already is passed over after a restart: it is not applied a second time (shouldApplyV3).
    if (isNew) facts.raftApply.emit(name, entry.index, entry.term, entryHash(entry), state.store.revision);
    this.#host.applied(entry, result);
  }

  /** etcd#18667: what a transaction reads must be checked on every member, also where nobody waits for it. The defect leaves it out. */
  #asApplied(proposal: Proposal): Proposal {
    const { config } = this.#host;
    if (!config.defects.has('E5') || proposal.request.type !== 'txn' || this.#host.isWaiting(proposal)) return proposal;
    return { ...proposal, request: withoutReads(proposal.request) };
  }

  /** applyConfChange: a change that is refused here is told to raft as no change, on every member alike. */
  #applyMembership(entry: Entry, isNew: boolean): void {
    // What leaves a joint configuration is proposed by raft itself and carries nothing.
    const data = (entry.data as ConfChange | undefined) ?? leaveJointChange;
    const change = (data.context as MembershipChange | undefined) ?? leave;
    const refused = this.#membership.validate(change);
    if (isError(refused)) {
      this.confState = this.#host.applyConfChange({ ...data, changes: data.changes.map((c) => ({ ...c, nodeId: 0 })) }, entry.index);
    } else {
      this.confState = this.#host.applyConfChange(data, entry.index);
      this.#membership.apply(change);
      if (isNew) this.#store(change);
    }
    this.#host.membershipApplied(change, data, refused, entry.index);
  }

  /**
   * The list of members is kept twice, in the files of the log (above) and in the backend: a removal has to reach both, or whoever begins
   * with the backend, after an upgrade or by a snapshot, lists the member again (etcd#13196, etcd#20967).
   */
  #store(change: MembershipChange): void {
    const { state, config } = this.#host;
    const gone = change.kind === 'remove' && config.defects.has('E17') ? state.membership.member(change.memberId) : undefined;
    if (gone !== undefined) state.undead = [...state.undead, gone];
    state.membership.apply(change);
    state.pendingWrites++;
  }
}
