import { type ConfChange, type Entry, EntryNormal, type Snapshot } from '../../../raft/types.ts';
import type { Program } from '../../../sim/host.ts';
import type { Process } from '../../../sim/process.ts';
import { type ServerCall, serveRpc } from '../../../sim/rpc.ts';
import { type Micros, SECOND } from '../../../sim/time.ts';
import type { CallMetadata, EtcdRequest, EtcdResponse, LeaseId, Member, MemberId, ResponseHeader } from '../api.ts';
import { nobody } from '../auth/auth-store.ts';
import { isError, type Result } from '../errors.ts';
import type { LeaseRow } from '../lessor.ts';
import { Membership, type MembershipChange } from '../membership.ts';
import type { EtcdState } from '../state.ts';
import { ApplyLoop } from './apply-loop.ts';
import { Backend } from './backend.ts';
import { type Boot, boot, type Joining } from './boot.ts';
import { clusterVersion, electionTimeoutUs, type EtcdConfig, minLeaseTtlSeconds, parseUrl, requestTimeoutUs } from './config.ts';
import { Compactor } from './compactor.ts';
import { CorruptionCheck } from './corruption-check.ts';
import { FactTeller } from './fact-teller.ts';
import { HealthService } from './health-service.ts';
import { joinCluster, putDataAway, REMOVED } from './join.ts';
import { LeaseExpiry } from './lease-expiry.ts';
import { type LeaderCall, PeerService } from './peer-service.ts';
import { Peers } from './peers.ts';
import { Proposals } from './proposals.ts';
import { entryHash } from './entry-hash.ts';
import { RaftDriver } from './raft-driver.ts';
import { ReadLoop, type ReadWaiter } from './read-loop.ts';
import type { ServerContext } from './server-context.ts';
import { Snapshotter } from './snapshotter.ts';
import { UnaryService } from './unary-service.ts';
import { WatchService } from './watch-service.ts';

/** What an etcd call carries over a connection. */
export interface EtcdCall {
  readonly request: EtcdRequest;
  readonly metadata: CallMetadata;
}

/** A new backend file keeps the old schema version until the member looks (monitorVersionInterval). */
const STORAGE_VERSION_AFTER_US = 4 * SECOND;
/** A member whose peers are there within this time starts close to its first election. */
const ADVANCE_WITHIN_US = 5 * SECOND;
/** --wait-cluster-ready-timeout: clients are served by then even if nothing could be committed yet. */
const READY_WITHIN_US = 5 * SECOND;

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

/**
 * A running member (EtcdServer). Long because it is where raft, log, backend, apply loop and services are wired together; what decides
 * lives in them.
 */
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
  readonly corruption: CorruptionCheck;
  readonly #boot: Boot;
  readonly #snapshotter: Snapshotter;
  readonly #compactor: Compactor;
  readonly #facts: FactTeller;
  readonly #reads: ReadLoop;
  readonly #unary: UnaryService;
  readonly #watches: WatchService;
  readonly #health: HealthService;
  readonly #peerService: PeerService;
  readonly #expiry: LeaseExpiry;
  readonly #startedAt: Micros;
  #storageVersionKnown: boolean;
  #advanced = false;
  #leaving = false;
  #begun = false;
  /** Calls of clients that wait until this member serves them; undefined: it does. */
  #early: (() => void)[] | undefined = [];
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
        ...(config.leaseCheckpointIntervalUs === 0 ? {} : { leaseCheckpointIntervalUs: config.leaseCheckpointIntervalUs }),
        storeDefects: {
          dropsTombstoneAtCompaction: config.defects.has('E10') || config.defects.has('E6'),
          forgetsRevisionAfterCompaction: config.defects.has('E6'),
        },
        watchesForgetStart: config.defects.has('E12'),
        snapshotDefects: { skipsWatchers: config.defects.has('E8'), forgetsPermissions: config.defects.has('E4') },
      },
      joining,
    );
    const started = this.#boot;
    this.memberId = started.memberId;
    this.clusterId = started.clusterId;
    this.state = started.state;
    this.#storageVersionKnown = !started.isFresh;
    this.#facts = new FactTeller(config);
    this.backend = new Backend(
      process,
      config,
      () => this.state,
      () => this.#runApply(),
    );
    this.peers = new Peers(process, config.peerURL, {
      // Nobody is listened to before the member serves.
      received: (message) => void (this.#begun && this.raft.receive(message)),
      unreachable: (id) => this.raft.reportUnreachable(id),
      reachable: () => this.#maybeAdvance(),
      removed: () => {
        if (config.variants.has('removed-cleans-up')) this.#leaveSoon();
        else process.exit(0, REMOVED);
      },
    });
    this.raft = new RaftDriver(process, config, started.memberId, started.storage, started.wal, {
      leaderChanged: (isLeader, gained) => this.#leaderChanged(isLeader, gained),
      readState: (state) => this.#reads.confirmed(state.requestCtx, state.index),
      toApply: (entries, snapshot) => {
        this.apply.push(entries, snapshot);
        this.#runApply();
      },
      whenApplied: (index, done) => this.apply.wait(index, done),
      saveSnapshot: (snapshot, done) => this.#snapshotter.receive(snapshot, done),
      snapshotSaved: (snapshot) => this.apply.snapshotSaved(snapshot),
      send: (messages) => this.peers.send(messages),
      sendSnapshot: (message) => this.#snapshotter.send(message),
      nameOf: (id) => this.nameOf(id),
      configInLog: () => {
        if (config.variants.has('config-on-append')) this.#followMembership();
      },
    });
    this.apply = new ApplyLoop(this.#applyHost(), started.applied);
    this.#compactor = new Compactor(process, config, this.state, this.backend);
    const { state, backend, peers, raft, apply } = this;
    this.#snapshotter = new Snapshotter({ process, config, state, wal: started.wal, backend, peers, raft, apply });
    this.proposals = new Proposals(this.#proposalHost());
    this.#reads = new ReadLoop(this.#readHost());
    this.#watches = new WatchService(this.#watchHost());
    this.#unary = new UnaryService(this);
    this.#health = new HealthService(this);
    this.corruption = new CorruptionCheck(this);
    this.#peerService = new PeerService(this, this.#unary);
    this.#expiry = new LeaseExpiry(
      process,
      () => this.state,
      (ids) => this.#revokeExpired(ids),
      (rows) => this.#checkpoint(rows),
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
    const member = this.state.membership.member(id);
    if (member !== undefined && member.name !== '') return member.name;
    const spare = this.config.spares.find(({ peerURL }) => member?.peerURLs.includes(peerURL) === true);
    return this.#boot.names.get(id) ?? spare?.name ?? String(id);
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
    this.#tellRecovered();
    this.#tellMembers(state.consistentIndex, false);
    this.#followMembership();
    // A new member has nothing to compare yet (embed.StartEtcd: memberInitialized).
    if (!config.initialCorruptCheck || this.#boot.isFresh) return this.#begin();
    this.corruption.initial((consistent) => {
      if (!consistent) this.process.exit(1, `${this.memberId.toString(16)} found data inconsistency with peers`);
      this.#begin();
    });
  }

  #begin(): void {
    const { config, state } = this;
    this.#begun = true;
    if (this.#boot.bootstrap !== undefined) this.raft.node.bootstrap(this.#boot.bootstrap);
    this.#compactor.run();
    this.corruption.run();
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
        call: (method, body, call) => this.#whenReady(() => this.#serveClient(method, body, call)),
        open: (method, body, call) => {
          if (method === 'watch') this.#openWhenReady(call, body as CallMetadata);
        },
      });
      process.after(READY_WITHIN_US, () => this.#ready());
    }
    if (peer !== undefined)
      serveRpc(process, peer.address, peer.port, { call: (method, body, call) => this.#peerService.serve(method, body, call) });
  }

  /**
   * A member takes the connections of clients but does not serve them before an entry of its own was applied (serveCtx.serve waits for
   * ReadyNotify): until then one that lost its commit index with its power, and is alone, would answer reads from before its crash.
   */
  #whenReady(serve: () => void): void {
    if (this.#early === undefined) serve();
    else this.#early.push(serve);
  }

  #ready(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const serve of early) serve();
  }

  #openWhenReady(call: ServerCall, metadata: CallMetadata): void {
    if (this.#early === undefined) return this.openWatch(call, metadata);
    const said: unknown[] = [];
    call.onMessage = (body) => said.push(body);
    this.#early.push(() => {
      if (!call.open) return;
      // A watch that is refused at once goes on listening here: what is said now must not be added to what is being read.
      const saidBefore = said.splice(0);
      this.openWatch(call, metadata);
      for (const body of saidBefore) call.onMessage?.(body);
    });
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

  /** Makes this member's name and URLs known through raft, again and again until it worked (EtcdServer.publishV3). */
  #publish(): void {
    const { name, clientURL } = this.config;
    const request = { type: 'publish', memberId: this.memberId, name, clientURLs: [clientURL] } as const;
    this.proposals.propose(request, nobody, (result) => {
      if (isError(result)) this.process.after(this.config.heartbeatUs, () => this.#publish());
      else this.#ready();
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

  // --- applying -----------------------------------------------------------------------------------------------------------------

  #runApply(): void {
    this.apply.run();
  }

  #applied(entry: Entry, result: Result<EtcdResponse> | undefined): void {
    if (result !== undefined) this.proposals.settle(entry.data, result);
    this.#facts.applied(this.state.store, entry, result);
    // A change that is replayed is behind what the backend holds.
    if (entry.type !== EntryNormal && entry.index === this.state.consistentIndex) this.#tellMembers(entry.index, true);
  }

  #tellMembers(index: number, changed: boolean): void {
    const { facts, name } = this.config;
    const { members } = this.state.membership;
    if (index === 0 || !facts.memberList.on) return;
    const rows = members.map(({ id, isLearner, peerURLs }) => `${id.toString(16)}${isLearner ? ' learner' : ''} ${peerURLs.join(',')}`);
    facts.memberList.emit(name, index, rows.join('; '), changed);
  }

  #batchApplied(): void {
    this.backend.noteChanges();
    this.#watches.flush();
    this.#reads.applied();
    this.#compactor.run();
    if (this.state.lessor.isPrimary) this.#expiry.reschedule();
    this.#snapshotter.applied();
  }

  #termBegan(term: number): void {
    const { raft, state, config } = this;
    this.#reads.firstCommitInTerm();
    if (!raft.isLeader || raft.node.term !== term) return;
    // Every change of leader starts all leases anew, plus an election timeout (etcd#13294).
    state.lessor.promote(electionTimeoutUs(config), this.process.mono());
    if (state.clusterVersion === '') this.proposals.propose({ type: 'clusterVersion', version: clusterVersion }, nobody, () => undefined);
  }

  /** Revokes through raft what has expired here, if this member still leads (EtcdServer.revokeExpiredLeases). */
  #revokeExpired(ids: readonly LeaseId[]): void {
    this.ensureLeadership((leads) => {
      if (!leads) return;
      for (const id of ids) this.proposals.propose({ type: 'leaseRevoke', id, expired: true }, nobody, () => undefined);
    });
  }

  #checkpoint(rows: readonly LeaseRow[]): void {
    for (const { id, remainingTtl } of rows) this.proposals.propose({ type: 'leaseCheckpoint', id, remainingTtl }, nobody, () => undefined);
  }

  /**
   * A leader whose loop stood still may have been deposed without knowing, and its leases renewed elsewhere: it asks a quorum before it
   * acts on its own clock (etcd#15247).
   */
  ensureLeadership(answer: (leads: boolean) => void): void {
    const { raft, config } = this;
    if (config.defects.has('E15')) return answer(raft.lead === this.memberId);
    if (raft.isActive) return answer(raft.isLeader);
    const { term } = raft.node;
    this.#reads.wait((error) => answer(error === undefined && raft.isLeader && raft.node.term === term));
  }

  #membershipApplied(change: MembershipChange, data: ConfChange, refused: Result<void>, index: number): void {
    this.#followMembership();
    this.#tellConfig(index);
    const answer: Result<EtcdResponse> = isError(refused)
      ? refused
      : { header: this.header(0), members: this.state.membership.members, ...(change.kind === 'add' ? { member: change.member } : {}) };
    this.proposals.settle(data, answer);
    if (!isError(refused) && this.state.membership.isRemoved(this.memberId)) this.#leaveSoon();
  }

  /** Entries up to the commit index are never replaced, so only those beyond it are told. */
  #tellRecovered(): void {
    const { facts, name } = this.config;
    const { storage } = this.#boot;
    if (!facts.raftRecovered.on) return;
    const from = Math.max(storage.firstIndex(), storage.initialState().hardState.commit + 1);
    if (from > storage.lastIndex()) return;
    for (const entry of storage.entries(from, storage.lastIndex() + 1, Number.MAX_SAFE_INTEGER) ?? [])
      facts.raftRecovered.emit(name, entry.index, entry.term, entryHash(entry));
  }

  #tellConfig(index: number): void {
    const { facts, name } = this.config;
    if (!facts.raftConfig.on) return;
    const names = (ids: readonly number[]): string =>
      ids
        .map((id) => this.nameOf(id))
        .sort()
        .join(',');
    const { voters, votersOutgoing, learners } = this.apply.confState;
    facts.raftConfig.emit(name, index, names(voters), names(votersOutgoing), names(learners));
  }

  /** A removed member ends by itself, an election timeout later (EtcdServer.applyConfChange, shouldStop). */
  #leaveSoon(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    const { process, config } = this;
    process.after(electionTimeoutUs(config), () => {
      if (config.variants.has('removed-cleans-up')) this.#cleanUp();
      else process.exit(0, REMOVED);
    });
  }

  /**
   * The variant that puts its data away for good. If the leader dies before it told the others that the removal is committed, these go by the old
   * configuration, and may need the vote of the one that is gone: so it asks first, and stays until a majority knows (cockroach#42251).
   */
  #cleanUp(): void {
    const { process, config, memberId } = this;
    const leave = (): void => {
      putDataAway(process, config, memberId);
      process.exit(0, REMOVED);
    };
    if (config.defects.has('R9')) return leave();
    const others = this.state.membership.voters.map((voter) => voter.id).filter((id) => id !== memberId);
    this.peers.askRemoval(others, leave);
    process.after(electionTimeoutUs(config), () => this.#cleanUp());
  }

  get listedMembers(): readonly Member[] {
    const { membership } = this.state;
    if (!this.config.variants.has('config-on-append')) return membership.members;
    const listed = new Membership(membership.rows);
    const { node } = this.raft;
    for (let index = Math.max(this.apply.appliedIndex + 1, node.firstIndex); index <= node.lastIndex; index++) {
      const entry = node.entryAt(index);
      const change = entry?.type === EntryNormal ? undefined : (entry?.data as ConfChange | undefined)?.context;
      if (change !== undefined) listed.apply(change as MembershipChange);
    }
    return listed.members;
  }

  #followMembership(): void {
    const { removed } = this.state.membership.rows;
    const members = this.listedMembers;
    // A member that still catches up does not even find itself in its state: it goes by what it was told at the start.
    const upToDate = members.some((member) => member.id === this.memberId);
    const known = upToDate || this.#boot.known.length === 0 ? members : this.#boot.known;
    this.peers.update(this.memberId, known, removed);
  }

  #installed(snapshot: Snapshot): void {
    const { facts, name } = this.config;
    facts.raftSnapshot.emit(name, snapshot.index, snapshot.term, this.state.store.revision);
    this.#tellMembers(snapshot.index, false);
    this.#followMembership();
    this.#tellConfig(snapshot.index);
    this.#snapshotter.installed(snapshot);
  }

  // --- what services need of the whole ---------------------------------------------------------------------------------------------

  waitCompaction(done: () => void): void {
    this.#compactor.wait(done);
  }

  waitRead(waiter: ReadWaiter): void {
    this.#reads.wait(waiter);
  }

  leasesChanged(): void {
    this.#expiry.reschedule();
  }

  askLeader(call: LeaderCall, answer: (result: Result<unknown>) => void): void {
    this.#peerService.askLeader(call, answer);
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
      applyConfChange: (change: ConfChange, index: number) => this.raft.applyConfChange(change, index),
      isWaiting: (data: unknown) => this.proposals.isWaiting(data),
      applied: (entry: Entry, result: Result<EtcdResponse> | undefined) => this.#applied(entry, result),
      membershipApplied: (change: MembershipChange, data: ConfChange, refused: Result<void>, index: number) =>
        this.#membershipApplied(change, data, refused, index),
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
      reusesContext: this.config.defects.has('R11'),
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
