import type { Message } from '../../../raft/message.ts';
import type { ConfChange, Entry, Snapshot } from '../../../raft/types.ts';
import type { Program } from '../../../sim/host.ts';
import type { Process } from '../../../sim/process.ts';
import { type ServerCall, serveRpc } from '../../../sim/rpc.ts';
import { MILLISECOND, type Micros, SECOND } from '../../../sim/time.ts';
import type { CallMetadata, EtcdRequest, EtcdResponse, LeaseId, Member, MemberId, ResponseHeader } from '../api.ts';
import { nobody } from '../auth/auth-store.ts';
import { etcdError, isError, type Result } from '../errors.ts';
import type { MembershipChange } from '../membership.ts';
import { isTombstone } from '../mvcc/record.ts';
import type { EtcdState } from '../state.ts';
import { ApplyLoop } from './apply-loop.ts';
import { Backend } from './backend.ts';
import { type Boot, boot, type Joining } from './boot.ts';
import { clusterVersion, electionTimeoutUs, type EtcdConfig, minLeaseTtlSeconds, parseUrl, requestTimeoutUs } from './config.ts';
import { HealthService } from './health-service.ts';
import { joinCluster } from './join.ts';
import { LeaseExpiry } from './lease-expiry.ts';
import { Peers } from './peers.ts';
import { Proposals } from './proposals.ts';
import { RaftDriver } from './raft-driver.ts';
import { ReadLoop } from './read-loop.ts';
import type { ServerContext } from './server-context.ts';
import { fileOfSnapshot, Snapshots } from './snapshots.ts';
import { UnaryService } from './unary-service.ts';
import { WatchService } from './watch-service.ts';

/** What an etcd call carries over a connection. */
export interface EtcdCall {
  readonly request: EtcdRequest;
  readonly metadata: CallMetadata;
}

/** The memory that raft keeps is compacted so often (etcd 3.6: memorySnapshotCount). */
const MEMORY_SNAPSHOT_COUNT = 100;
/** A new backend file keeps the old schema version until the member looks (monitorVersionInterval). */
const STORAGE_VERSION_AFTER_US = 4 * SECOND;
/** Pause between attempts of a forwarded call. */
const FORWARD_RETRY_US = 50 * MILLISECOND;
/** A member whose peers are there within this time starts close to its first election. */
const ADVANCE_WITHIN_US = 5 * SECOND;
const REMOVED = 'the member has been permanently removed from the cluster';
const SNAPSHOT_TIMEOUT_US = 30 * SECOND;

/**
 * One etcd member as a program of a host. `restartAfterUs`: its supervisor starts it again this long after it ended by itself.
 */
export function etcdMember(config: EtcdConfig, restartAfterUs?: Micros): Program {
  return {
    name: config.name,
    ...(restartAfterUs === undefined ? {} : { restartAfterUs }),
    start: (process) => {
      joinCluster(process, config, (joining) => new EtcdServer(process, config, joining));
    },
  };
}

/** A running member: wires raft, log, backend, apply loop and services together (EtcdServer). */
export class EtcdServer implements ServerContext {
  readonly process: Process;
  readonly config: EtcdConfig;
  readonly memberId: MemberId;
  readonly clusterId: number;
  readonly state: EtcdState;
  readonly raft: RaftDriver;
  readonly apply: ApplyLoop;
  readonly backend: Backend;
  readonly peers: Peers;
  readonly proposals: Proposals;
  readonly #boot: Boot;
  readonly #snapshots: Snapshots;
  readonly #reads: ReadLoop;
  readonly #unary: UnaryService;
  readonly #watches: WatchService;
  readonly #health: HealthService;
  readonly #expiry: LeaseExpiry;
  readonly #startedAt: Micros;
  #storageVersionKnown: boolean;
  #snapshotIndex: number;
  #memorySnapshotIndex: number;
  #snapshotting = false;
  #compactTimer = 0;
  #compactionWaiters: (() => void)[] = [];
  #appliedWaiters: { readonly index: number; readonly done: () => void }[] = [];
  #advanced = false;
  #toldHashRevision = -1;
  #header: ResponseHeader = { clusterId: 0, memberId: 0, revision: 0, raftTerm: 0 };

  constructor(process: Process, config: EtcdConfig, joining: Joining | undefined) {
    this.process = process;
    this.config = config;
    this.#startedAt = process.mono();
    this.#boot = boot(
      process,
      config,
      {
        minLeaseTtlSeconds: minLeaseTtlSeconds(config),
        storeDefects: {
          dropsTombstoneAtCompaction: config.defects.has('E10') || config.defects.has('E6'),
          forgetsRevisionAfterCompaction: config.defects.has('E6'),
        },
      },
      joining,
    );
    const started = this.#boot;
    this.memberId = started.memberId;
    this.clusterId = started.clusterId;
    this.state = started.state;
    this.#storageVersionKnown = !started.isFresh;
    this.#snapshotIndex = started.applied.index;
    this.#memorySnapshotIndex = started.applied.index;
    this.#snapshots = new Snapshots(process, config);
    this.backend = new Backend(
      process,
      config,
      () => this.state,
      () => this.#runApply(),
    );
    this.peers = new Peers(process, config.peerURL, {
      received: (message) => this.raft.receive(message),
      unreachable: (id) => this.raft.reportUnreachable(id),
      reachable: () => this.#maybeAdvance(),
      removed: () => process.exit(0, REMOVED),
    });
    this.raft = new RaftDriver(process, config, started.memberId, started.storage, started.wal, {
      leaderChanged: (isLeader, gained) => this.#leaderChanged(isLeader, gained),
      readState: (state) => this.#reads.confirmed(state.requestCtx, state.index),
      toApply: (entries, snapshot) => {
        this.apply.push(entries, snapshot);
        this.#runApply();
      },
      saveSnapshot: (snapshot, done) => this.#snapshots.save(started.wal, fileOfSnapshot(snapshot), done),
      snapshotSaved: (snapshot) => this.apply.snapshotSaved(snapshot),
      send: (messages) => this.peers.send(messages),
      sendSnapshot: (message) => this.#sendSnapshot(message),
      nameOf: (id) => this.nameOf(id),
    });
    this.apply = new ApplyLoop(this.#applyHost(), started.applied);
    this.proposals = new Proposals(this.#proposalHost());
    this.#reads = new ReadLoop(this.#readHost());
    this.#watches = new WatchService(this.#watchHost());
    this.#unary = new UnaryService(this);
    this.#health = new HealthService(this);
    this.#expiry = new LeaseExpiry(
      process,
      () => this.state,
      (id) => this.proposals.propose({ type: 'leaseRevoke', id }, nobody, () => undefined),
    );
    this.#start();
  }

  get isLearner(): boolean {
    const self = this.state.membership.member(this.memberId) ?? this.#boot.known.find((member) => member.id === this.memberId);
    return self?.isLearner === true;
  }

  get storageVersion(): string {
    if (!this.#storageVersionKnown) {
      this.#storageVersionKnown = this.state.clusterVersion !== '' && this.process.mono() - this.#startedAt >= STORAGE_VERSION_AFTER_US;
    }
    return this.#storageVersionKnown ? clusterVersion : '3.5.0';
  }

  /** How facts and reports name a member. */
  nameOf(id: number): string {
    const name = this.state.membership.member(id)?.name;
    if (name !== undefined && name !== '') return name;
    return this.#boot.names.get(id) ?? String(id);
  }

  header(revision: number): ResponseHeader {
    const cached = this.#header;
    const raftTerm = this.raft.node.term;
    if (cached.revision === revision && cached.raftTerm === raftTerm && cached.memberId === this.memberId) return cached;
    this.#header = { clusterId: this.clusterId, memberId: this.memberId, revision, raftTerm };
    return this.#header;
  }

  #start(): void {
    const { config, state } = this;
    if (state.membership.isRemoved(this.memberId)) this.process.exit(0, REMOVED);
    config.facts.memberStart.emit(config.name, this.#boot.storage.lastIndex(), state.consistentIndex, state.store.revision);
    this.#followMembership();
    if (this.#boot.bootstrap !== undefined) this.raft.node.bootstrap(this.#boot.bootstrap);
    if (state.store.compacting) this.#compactSoon();
    const voters = this.#boot.bootstrap?.length ?? state.membership.voters.length;
    // A member alone has nobody to wait for (advanceTicks).
    this.raft.start(voters === 1 ? config.electionTicks - 1 : 0);
    this.#serve();
    this.#publish();
  }

  #serve(): void {
    const { process, config } = this;
    const client = parseUrl(config.clientURL);
    const peer = parseUrl(config.peerURL);
    if (client !== undefined) {
      serveRpc(process, client.address, client.port, {
        call: (method, body, call) => this.#serveClient(method, body, call),
        open: (method, body, call) => {
          if (method === 'watch') this.openWatch(call, body as CallMetadata);
        },
      });
    }
    if (peer !== undefined)
      serveRpc(process, peer.address, peer.port, { call: (method, body, call) => this.#servePeer(method, body, call) });
  }

  #serveClient(method: string, body: unknown, call: ServerCall): void {
    switch (method) {
      case 'etcd': {
        const { request, metadata } = body as EtcdCall;
        return this.handle(request, metadata, (result) => call.answer(result, answerBytes(result)));
      }
      case 'http':
        return this.#health.handle(body as string, (answer) => call.answer(answer));
      default:
        return;
    }
  }

  /** One unary request. */
  handle(request: EtcdRequest, metadata: CallMetadata, answer: (result: Result<EtcdResponse>) => void): void {
    this.#unary.handle(request, metadata, answer);
  }

  openWatch(call: ServerCall, metadata: CallMetadata): void {
    this.#watches.open(call, metadata);
  }

  /** Calls between members: what etcd serves on its peer URLs beside raft. */
  #servePeer(method: string, body: unknown, call: ServerCall): void {
    switch (method) {
      case 'peer/hello':
        return call.answer(this.peers.greets(body as MemberId), 16);
      case 'peer/members':
        return call.answer({ clusterId: this.clusterId, members: this.state.membership.members } satisfies Joining);
      case 'peer/snapshot':
        this.raft.receive(body as Message);
        return call.answer('ok', 16);
      case 'peer/renew':
        return this.#unary.keepAlive(body as LeaseId, false, (result) => call.answer(result));
      case 'peer/ttl': {
        const { id, keys, metadata } = body as { id: LeaseId; keys: boolean; metadata: CallMetadata };
        return this.#unary.timeToLive(id, keys, metadata, false, (result) => call.answer(result));
      }
      case 'peer/promote': {
        const { request, metadata } = body as EtcdCall & { request: Extract<EtcdRequest, { type: 'memberPromote' }> };
        return this.#unary.promote(request, metadata, (result) => call.answer(result));
      }
      default:
        return;
    }
  }

  /** Makes this member's name and URLs known through raft, again and again until it worked (EtcdServer.publishV3). */
  #publish(): void {
    const { name, clientURL } = this.config;
    const request = { type: 'publish', memberId: this.memberId, name, clientURLs: [clientURL] } as const;
    this.proposals.propose(request, nobody, (result) => {
      if (isError(result)) this.#publish();
    });
  }

  // --- raft ---------------------------------------------------------------------------------------------------------------------

  #leaderChanged(isLeader: boolean, gained: boolean): void {
    if (!isLeader) this.state.lessor.demote();
    if (gained) {
      this.#reads.leaderChanged();
      this.proposals.leaderFound(isLeader);
    }
    this.#watches.leaderChanged();
  }

  /** The first election comes sooner once a second peer is there (adjustTicks). */
  #maybeAdvance(): void {
    if (this.#advanced || this.raft.lead !== 0 || this.peers.activeCount < 2) return;
    this.#advanced = true;
    if (this.process.mono() - this.#startedAt > ADVANCE_WITHIN_US) return;
    this.raft.advanceTicks(this.config.electionTicks - 2);
  }

  /** createMergedSnapshotMessage: what goes out is the state as it is now, not as it was when raft last heard of a snapshot. */
  #sendSnapshot(message: Message): void {
    const { apply, state } = this;
    const image = state.image();
    const snapshot: Snapshot = { index: apply.appliedIndex, term: apply.appliedTerm, confState: apply.confState, data: image };
    const rpc = this.peers.rpc(message.to);
    if (rpc === undefined) return;
    const options = { sizeBytes: state.sizeBytes, timeoutUs: SNAPSHOT_TIMEOUT_US };
    rpc.callThen('peer/snapshot', { ...message, snapshot }, options, (result) => this.raft.reportSnapshot(message.to, result.ok));
  }

  // --- applying -----------------------------------------------------------------------------------------------------------------

  #runApply(): void {
    this.apply.run();
  }

  #applied(entry: Entry, result: Result<EtcdResponse> | undefined): void {
    if (result !== undefined) this.proposals.settle(entry.data, result);
    this.#tellChanges();
  }

  /** Facts: what was committed, told by the first member that applies it, and each member's hash. */
  #tellChanges(): void {
    const { facts, told, name } = this.config;
    const { store } = this.state;
    const { revision } = store;
    if (revision > told.revision) {
      if (facts.keyChanged.on) {
        store.forEachChangeFrom(told.revision + 1, (record) => {
          const type = isTombstone(record) ? 'DELETE' : 'PUT';
          facts.keyChanged.emit(record.modRevision, record.sub, record.key, type, record.valueHash);
          facts.objectChanged.emit(record.modRevision, record.key, isTombstone(record) ? undefined : this.config.reveal?.(record.value));
          return true;
        });
      }
      told.revision = revision;
    }
    if (store.compactRevision > told.compacted) {
      told.compacted = store.compactRevision;
      facts.storeCompacted.emit(store.compactRevision);
    }
    if (revision !== this.#toldHashRevision) {
      this.#toldHashRevision = revision;
      facts.storeHash.emit(name, revision, store.historyHash);
    }
  }

  #batchApplied(): void {
    this.backend.noteChanges();
    this.#watches.flush();
    this.#reads.applied();
    this.#settleAppliedWaiters();
    if (this.state.store.compacting) this.#compactSoon();
    if (this.state.lessor.isPrimary) this.#expiry.reschedule();
    this.#maybeSnapshot();
  }

  #termBegan(term: number): void {
    const { raft, state, config } = this;
    this.#reads.firstCommitInTerm();
    if (!raft.isLeader || raft.node.term !== term) return;
    // Every change of leader starts all leases anew, plus an election timeout (etcd#13294).
    state.lessor.promote(electionTimeoutUs(config), this.process.mono());
    if (state.clusterVersion === '') this.proposals.propose({ type: 'clusterVersion', version: clusterVersion }, nobody, () => undefined);
  }

  #membershipApplied(change: MembershipChange, data: ConfChange, refused: Result<void>): void {
    this.#followMembership();
    const answer: Result<EtcdResponse> = isError(refused)
      ? refused
      : { header: this.header(0), members: this.state.membership.members, ...(change.kind === 'add' ? { member: change.member } : {}) };
    this.proposals.settle(data, answer);
    if (!isError(refused) && change.kind === 'remove' && change.memberId === this.memberId) this.#leaveSoon();
  }

  /** A removed member tells the others, then ends by itself, orderly. */
  #leaveSoon(): void {
    this.process.after(electionTimeoutUs(this.config), () =>
      this.process.exit(0, 'the member has been permanently removed from the cluster'),
    );
  }

  #followMembership(): void {
    const { members, removed } = this.state.membership.rows;
    // A member that still catches up does not even find itself in its state: it goes by what it was told at the start.
    const upToDate = members.some((member) => member.id === this.memberId);
    const known = upToDate || this.#boot.known.length === 0 ? members : this.#boot.known;
    this.peers.update(this.memberId, known, removed);
  }

  #installed(snapshot: Snapshot): void {
    const { facts, name } = this.config;
    facts.raftSnapshot.emit(name, snapshot.index, snapshot.term, this.state.store.revision);
    this.#snapshotIndex = snapshot.index;
    this.#memorySnapshotIndex = snapshot.index;
    this.#followMembership();
    // The backend file is replaced by the one that came with the snapshot.
    this.state.pendingWrites++;
    this.backend.commit();
  }

  // --- snapshots and compaction of the log ----------------------------------------------------------------------------------------

  #maybeSnapshot(): void {
    const { apply, config, raft } = this;
    // Entries are applied beside the WAL write; a snapshot waits until the log holds them (raft.go's notifyc, server.go's applyAll).
    if (apply.appliedIndex > raft.storage.lastIndex()) return;
    if (apply.appliedIndex - this.#memorySnapshotIndex > MEMORY_SNAPSHOT_COUNT) this.#compactMemory();
    if (apply.appliedIndex - this.#snapshotIndex <= config.snapshotCount || this.#snapshotting) return;
    this.#snapshotting = true;
    const file = {
      index: apply.appliedIndex,
      term: apply.appliedTerm,
      confState: apply.confState,
      membership: apply.membershipRows,
      image: undefined,
    };
    this.#snapshotIndex = file.index;
    // The backend must hold everything up to the snapshot before the log may start there.
    this.backend.commit(() => {
      this.#snapshots.save(this.#boot.wal, file, () => {
        this.#snapshotting = false;
      });
    });
  }

  #compactMemory(): void {
    const { apply, raft, config } = this;
    this.#memorySnapshotIndex = apply.appliedIndex;
    raft.storage.createSnapshot(apply.appliedIndex, apply.confState, undefined);
    const keepFrom = apply.appliedIndex - config.snapshotCatchUpEntries;
    if (keepFrom > 0) raft.storage.compact(keepFrom);
  }

  // --- compaction of the store ----------------------------------------------------------------------------------------------------

  #compactSoon(): void {
    if (this.#compactTimer !== 0) return;
    this.#compactTimer = this.process.after(this.config.compactionSleepUs, () => {
      this.#compactTimer = 0;
      // Each batch is committed before the next, so a crash finds some of them done and the rest scheduled.
      const done = this.state.store.compactStep(this.config.compactionBatchLimit);
      this.state.pendingWrites++;
      if (!done) {
        this.backend.commit();
        this.#compactSoon();
        return;
      }
      this.backend.noteChanges();
      const waiters = this.#compactionWaiters;
      this.#compactionWaiters = [];
      for (const waiter of waiters) waiter();
    });
  }

  waitCompaction(done: () => void): void {
    if (this.state.store.compacting) this.#compactionWaiters.push(done);
    else done();
  }

  defragment(): void {
    // Our backend has no holes: what compaction frees is free.
  }

  // --- waiting --------------------------------------------------------------------------------------------------------------------

  waitRead(waiter: (error: ReturnType<typeof etcdError> | undefined) => void): void {
    this.#reads.wait(waiter);
  }

  waitApplied(done: () => void): void {
    const index = this.raft.node.committed;
    if (this.apply.appliedIndex >= index) done();
    else this.#appliedWaiters.push({ index, done });
  }

  #settleAppliedWaiters(): void {
    if (this.#appliedWaiters.length === 0) return;
    const { appliedIndex } = this.apply;
    const ready = this.#appliedWaiters.filter((waiter) => waiter.index <= appliedIndex);
    this.#appliedWaiters = this.#appliedWaiters.filter((waiter) => waiter.index > appliedIndex);
    for (const waiter of ready) waiter.done();
  }

  leasesChanged(): void {
    this.#expiry.reschedule();
  }

  /** waitLeader and the retry loops around it: asks whoever leads, looking again every election timeout while nobody does. */
  askLeader(method: string, body: unknown, answer: (result: Result<unknown>) => void): void {
    const deadline = this.process.mono() + requestTimeoutUs(this.config);
    const attempt = () => {
      const left = deadline - this.process.mono();
      const lead = this.raft.lead;
      if (left <= 0) return answer(etcdError(lead === 0 ? 'noLeader' : 'timeout'));
      if (lead === this.memberId) return this.#askSelf(method, body, answer);
      const rpc = lead === 0 ? undefined : this.peers.rpc(lead);
      if (rpc === undefined) {
        this.process.after(Math.min(left, electionTimeoutUs(this.config)), attempt);
        return;
      }
      rpc.callThen(method, body, { timeoutUs: Math.min(left, electionTimeoutUs(this.config)) }, (result) => {
        const value = result.ok ? (result.value as Result<unknown>) : undefined;
        if (value !== undefined && !(isError(value) && value.code === 'leaseNotPrimary')) return answer(value);
        this.process.after(FORWARD_RETRY_US, attempt);
      });
    };
    attempt();
  }

  /** This member has become the leader while it looked for one. */
  #askSelf(method: string, body: unknown, answer: (result: Result<unknown>) => void): void {
    switch (method) {
      case 'peer/renew':
        return this.#unary.keepAlive(body as LeaseId, true, answer);
      case 'peer/ttl': {
        const { id, keys, metadata } = body as { id: LeaseId; keys: boolean; metadata: CallMetadata };
        return this.#unary.timeToLive(id, keys, metadata, true, answer);
      }
      default: {
        const { request, metadata } = body as EtcdCall & { request: Extract<EtcdRequest, { type: 'memberPromote' }> };
        return this.#unary.promote(request, metadata, answer);
      }
    }
  }

  // --- what the parts need of the whole ---------------------------------------------------------------------------------------------

  #applyHost() {
    const server = this;
    return {
      process: this.process,
      config: this.config,
      state: this.state,
      context: {
        get now() {
          return server.process.mono();
        },
        quotaBytes: this.config.quotaBytes,
        header: (revision: number) => this.header(revision),
      },
      get blocked() {
        return server.backend.committing;
      },
      applyConfChange: (change: ConfChange) => this.raft.applyConfChange(change),
      applied: (entry: Entry, result: Result<EtcdResponse> | undefined) => this.#applied(entry, result),
      membershipApplied: (change: MembershipChange, data: ConfChange, refused: Result<void>) =>
        this.#membershipApplied(change, data, refused),
      termBegan: (term: number) => this.#termBegan(term),
      installed: (snapshot: Snapshot) => this.#installed(snapshot),
      batchApplied: () => this.#batchApplied(),
    };
  }

  #proposalHost() {
    const server = this;
    return {
      process: this.process,
      config: this.config,
      raft: this.raft,
      memberId: this.memberId,
      get appliedIndex() {
        return server.apply.appliedIndex;
      },
      connectedSince: (id: number) => (id === this.memberId ? Number.NEGATIVE_INFINITY : this.peers.activeSince(id)),
      get memberIds() {
        return server.state.membership.members.map((member) => member.id);
      },
    };
  }

  #readHost() {
    const server = this;
    return {
      process: this.process,
      timeoutUs: requestTimeoutUs(this.config),
      get appliedIndex() {
        return server.apply.appliedIndex;
      },
      requestReadIndex: (context: unknown) => this.raft.readIndex(context),
    };
  }

  #watchHost() {
    const server = this;
    return {
      process: this.process,
      config: this.config,
      state: this.state,
      get hasLeader() {
        return server.raft.lead !== 0;
      },
      get isLearner() {
        return server.isLearner;
      },
      header: (revision: number) => this.header(revision),
    };
  }
}

const ANSWER_BYTES = 64;
const KEY_VALUE_BYTES = 32;

/** Size of an answer, closely enough for bandwidth. */
function answerBytes(result: Result<EtcdResponse>): number {
  if (isError(result)) return ANSWER_BYTES;
  if (!('kvs' in result)) return ANSWER_BYTES;
  let bytes = ANSWER_BYTES;
  for (const kv of result.kvs) bytes += KEY_VALUE_BYTES + kv.key.length + kv.sizeBytes;
  return bytes;
}
