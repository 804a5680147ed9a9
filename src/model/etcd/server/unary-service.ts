import { unreachable } from '../../../sim/assert.ts';
import type {
  CallMetadata,
  EtcdRequest,
  EtcdResponse,
  LeaseId,
  LeaseTimeToLiveResponse,
  MoveLeaderRequest,
  RangeRequest,
  StatusResponse,
  TxnRequest,
} from '../api.ts';
import { hasRoom, quotaCost } from '../applier.ts';
import { type AuthInfo, nobody } from '../auth/auth-store.ts';
import { EtcdError, etcdError, isError, type Result } from '../errors.ts';
import type { ProposedRequest } from '../proposal.ts';
import { executeRange, executeTxn } from '../txn.ts';
import { checkRequest, isReadOnlyTxn, isSerializableTxn } from '../validate.ts';
import { ETCD_VERSION } from './config.ts';
import { DowngradeService } from './downgrade-service.ts';
import { MembershipService } from './membership-service.ts';
import { messageBytes } from './message-bytes.ts';
import type { ServerContext } from './server-context.ts';

/** Bytes that gRPC takes beyond the largest request (embed.DefaultMaxRequestBytes and grpcOverheadBytes). */
const GRPC_OVERHEAD_BYTES = 512 * 1024;

type Answer = (result: Result<EtcdResponse>) => void;

/** The unary calls of KV, Lease, Cluster, Maintenance and Auth (v3rpc, v3_server.go). */
export class UnaryService {
  readonly #context: ServerContext;
  readonly #membership: MembershipService;
  readonly #downgrade: DowngradeService;
  #tokens = 0;

  constructor(context: ServerContext) {
    this.#context = context;
    this.#membership = new MembershipService(context);
    this.#downgrade = new DowngradeService(context);
  }

  handle(request: EtcdRequest, metadata: CallMetadata, answer: Answer): void {
    const { config } = this.#context;
    const bytesMax = config.requestBytesMax + GRPC_OVERHEAD_BYTES;
    const bytes = messageBytes(request);
    if (bytes > bytesMax) {
      return answer(new EtcdError('other', 8, `grpc: received message larger than max (${bytes} vs. ${bytesMax})`));
    }
    const refused = this.#intercept(request, metadata) ?? checkRequest(request, config.txnOpsMax);
    if (refused !== undefined) return answer(refused);
    this.#dispatch(request, metadata, answer);
  }

  /** The unary interceptor: learners serve little, and some callers want a leader. */
  #intercept(request: EtcdRequest, metadata: CallMetadata): EtcdError | undefined {
    const { isLearner, raft } = this.#context;
    const learnerServes = request.type === 'status' || (request.type === 'range' && request.serializable === true);
    if (isLearner && !learnerServes) return etcdError('notSupportedForLearner');
    return metadata.requireLeader === true && raft.lead === 0 ? etcdError('noLeader') : undefined;
  }

  #dispatch(request: EtcdRequest, metadata: CallMetadata, answer: Answer): void {
    const { state, proposals } = this.#context;
    switch (request.type) {
      case 'range':
        return this.#range(request, metadata, answer);
      case 'txn':
        if (isReadOnlyTxn(request)) return this.#readTxn(request, metadata, answer);
        return this.#write(request, metadata, answer);
      case 'put':
        return this.#write(request, metadata, answer);
      case 'leaseGrant': {
        const id = request.id === undefined || request.id === 0n ? this.#chooseLeaseId() : request.id;
        return this.#write({ ...request, id }, metadata, answer);
      }
      case 'compact':
        return this.#propose(request, metadata, (result) => {
          if (isError(result) || request.physical !== true) return answer(result);
          this.#context.waitCompaction(() => this.#context.backend.commit(() => answer(result)));
        });
      case 'deleteRange':
      case 'leaseRevoke':
      case 'alarm':
      case 'authEnable':
      case 'authDisable':
      case 'authStatus':
      case 'userAdd':
      case 'userGet':
      case 'userList':
      case 'userDelete':
      case 'userChangePassword':
      case 'userGrantRole':
      case 'userRevokeRole':
      case 'roleAdd':
      case 'roleGet':
      case 'roleList':
      case 'roleDelete':
      case 'roleGrantPermission':
      case 'roleRevokePermission':
        return this.#propose(request, metadata, answer);
      case 'authenticate': {
        const refused = state.auth.checkPassword(request.name, request.password);
        if (isError(refused)) return answer(refused);
        return proposals.propose({ type: 'assignToken', name: request.name, token: this.#makeToken() }, nobody, answer);
      }
      case 'leaseKeepAlive':
        return this.keepAlive(request.id, true, (result) => this.#answerKeepAlive(request.id, result, answer));
      case 'leaseTimeToLive':
        return this.timeToLive(request.id, request.keys === true, metadata, true, (result) => {
          answer(isError(result) ? result : { ...result, header: this.#header() });
        });
      case 'leaseLeases':
        return answer({ header: this.#header(), leases: state.lessor.leases().map((id) => ({ id })) });
      case 'memberList':
        return this.#memberList(request.linearizable === true, answer);
      case 'memberAdd':
        return this.#membership.add(request, metadata, answer);
      case 'memberRemove':
        return this.#membership.remove(request, metadata, answer);
      case 'memberUpdate':
        return this.#membership.update(request, metadata, answer);
      case 'memberPromote':
        return this.#membership.promote(request, metadata, answer);
      case 'membersChange':
        return this.#membership.changeTogether(request, metadata, answer);
      case 'status':
        return answer(this.#asAdmin(metadata) ?? this.#status());
      case 'hash': {
        const hash = state.store.hashKv(0);
        return answer(this.#asAdmin(metadata) ?? (isError(hash) ? hash : { header: this.#header(), hash: hash.hash }));
      }
      case 'hashKv': {
        const result = state.store.hashKv(request.revision ?? 0);
        if (isError(result)) return answer(result);
        const { hash, compactRevision, revision } = result;
        return answer({ header: this.#context.header(result.current), hash, compactRevision, hashRevision: revision });
      }
      case 'defragment': {
        const denied = this.#asAdmin(metadata);
        if (denied !== undefined) return answer(denied);
        return this.#context.backend.defragment(() => answer({ header: this.#header() }));
      }
      case 'moveLeader':
        return this.#moveLeader(request, metadata, answer);
      case 'downgrade':
        return this.#downgrade.handle(request, metadata, answer);
      default:
        return unreachable(request);
    }
  }

  promote(request: Extract<EtcdRequest, { type: 'memberPromote' }>, metadata: CallMetadata, answer: Answer): void {
    this.#membership.promote(request, metadata, answer);
  }

  #header() {
    return this.#context.header(this.#context.state.store.revision);
  }

  #range(request: RangeRequest, metadata: CallMetadata, answer: Answer): void {
    const { state } = this.#context;
    const read = () => {
      const result = this.#withAuth(
        metadata,
        (info) => state.auth.checkRange(info, request),
        () => executeRange(state.store, request),
      );
      answer(isError(result) ? result : { ...result, header: this.#context.header(result.header.revision) });
    };
    if (request.serializable === true) read();
    else this.#context.waitRead((error) => (error === undefined ? read() : answer(error)));
  }

  #readTxn(request: TxnRequest, metadata: CallMetadata, answer: Answer): void {
    const { state } = this.#context;
    const read = () => {
      const result = this.#withAuth(
        metadata,
        (info) => state.auth.checkTxn(info, request),
        () => executeTxn(state.store, state.lessor, request, true),
      );
      if (isError(result)) return answer(result);
      const { revision, succeeded, responses } = result;
      answer({ header: this.#context.header(revision), succeeded, responses });
    };
    if (isSerializableTxn(request)) read();
    else this.#context.waitRead((error) => (error === undefined ? read() : answer(error)));
  }

  /** doSerialize: rights are those at the moment of the read. */
  #withAuth<T>(metadata: CallMetadata, check: (info: AuthInfo) => EtcdError | undefined, read: () => Result<T>): Result<T> {
    const info = this.#context.state.auth.infoOf(metadata.token);
    if (isError(info)) return info;
    return check(info) ?? read();
  }

  /** A proposal that may grow the backend: the quota is looked at before (quotaKVServer). */
  #write(request: Extract<ProposedRequest, { type: 'put' | 'txn' | 'leaseGrant' }>, metadata: CallMetadata, answer: Answer): void {
    const { state, config, proposals, memberId } = this.#context;
    if (!hasRoom(state, config, quotaCost(request))) {
      // The alarm is raised for all members before the refusal is answered.
      const alarm = { type: 'alarm', action: 'ACTIVATE', memberId, alarm: 'NOSPACE' } as const;
      return proposals.propose(alarm, nobody, () => answer(etcdError('noSpace')));
    }
    this.#propose(request, metadata, answer);
  }

  #propose(request: ProposedRequest, metadata: CallMetadata, answer: Answer): void {
    const info = this.#context.state.auth.infoOf(metadata.token);
    if (isError(info)) return answer(info);
    this.#context.proposals.propose(request, info, answer);
  }

  #asAdmin(metadata: CallMetadata): EtcdError | undefined {
    const { auth } = this.#context.state;
    const info = auth.infoOf(metadata.token);
    return isError(info) ? info : auth.checkAdmin(info);
  }

  #chooseLeaseId(): LeaseId {
    const { process, state } = this.#context;
    // 63 bits, as the real server's request ids with the sign bit cut off.
    let id = 0n;
    while (id === 0n || state.lessor.has(id)) {
      id = (BigInt(process.random.below(0x7fff_ffff)) << 32n) | BigInt(process.random.below(0xffff_ffff));
    }
    return id;
  }

  #makeToken(): string {
    const { process, raft } = this.#context;
    this.#tokens++;
    return `${process.random.below(0xffff_ffff).toString(36)}${this.#tokens.toString(36)}.${raft.node.committed}`;
  }

  /** LeaseRenew: the leader's lessor decides; another member asks it, waiting for one if need be. */
  keepAlive(id: LeaseId, mayForward: boolean, answer: (result: Result<number>) => void): void {
    const forward = () => {
      if (mayForward) this.#context.askLeader({ method: 'renew', id }, answer as (result: Result<unknown>) => void);
      else answer(etcdError('leaseNotPrimary'));
    };
    // Who leads as the server knows it, which is behind raft while its loop waits for the disk.
    if (this.#context.raft.lead !== this.#context.memberId) return forward();
    this.#context.ensureLeadership((leads) => {
      if (leads) this.#renew(id, answer, forward);
      else answer(etcdError('leaseNotPrimary'));
    });
  }

  #renew(id: LeaseId, answer: (result: Result<number>) => void, forward: () => void): void {
    const { raft, state, process, apply, config, proposals } = this.#context;
    // What was revoked while the checkpoint was taken back is not found any more (etcd#20590).
    const renew = () => {
      const ttl = state.lessor.renew(id, process.mono());
      if (isError(ttl) && ttl.code === 'leaseNotPrimary') return forward();
      if (!isError(ttl)) this.#context.leasesChanged();
      answer(ttl);
    };
    apply.wait(raft.node.committed, () => {
      if (config.leaseCheckpointIntervalUs === 0 || !state.lessor.hasCheckpoint(id, process.mono())) return renew();
      proposals.propose({ type: 'leaseCheckpoint', id, remainingTtl: 0 }, nobody, renew);
    });
  }

  #answerKeepAlive(id: LeaseId, result: Result<number>, answer: Answer): void {
    if (isError(result) && result.code !== 'leaseNotFound') return answer(result);
    answer({ header: this.#header(), id, ttl: isError(result) ? 0 : result });
  }

  /** LeaseTimeToLive: only the leader knows; an unknown lease is an answer with -1. */
  timeToLive(
    id: LeaseId,
    keys: boolean,
    metadata: CallMetadata,
    mayForward: boolean,
    answer: (result: Result<LeaseTimeToLiveResponse>) => void,
  ): void {
    const { raft, state, process, apply } = this.#context;
    if (!raft.isLeader) {
      if (mayForward) this.#context.askLeader({ method: 'ttl', id, keys, metadata }, answer as (result: Result<unknown>) => void);
      else answer(etcdError('leaseNotPrimary'));
      return;
    }
    apply.wait(raft.node.committed, () => {
      const view = state.lessor.view(id, process.mono());
      const header = this.#header();
      if (view === undefined || view.expired) return answer({ header, id, ttl: -1, grantedTtl: 0, keys: [] });
      const names = keys ? state.lessor.keysOf(id) : [];
      const denied = this.#deniedKey(metadata, names);
      answer(denied ?? { header, id, ttl: view.remainingSeconds, grantedTtl: view.ttl, keys: names });
    });
  }

  #deniedKey(metadata: CallMetadata, keys: readonly string[]): EtcdError | undefined {
    const { auth } = this.#context.state;
    const info = auth.infoOf(metadata.token);
    if (isError(info)) return info;
    for (const key of keys) {
      const denied = auth.check(info, 'read', key, '');
      if (denied !== undefined) return denied;
    }
    return undefined;
  }

  #memberList(linearizable: boolean, answer: Answer): void {
    // Cluster answers carry no revision.
    const list = () => answer({ header: this.#context.header(0), members: this.#context.state.membership.members });
    if (linearizable) this.#context.waitRead((error) => (error === undefined ? list() : answer(error)));
    else list();
  }

  #status(): StatusResponse {
    const { state, raft, apply, config, isLearner } = this.#context;
    const errors: string[] = raft.lead === 0 ? ['etcdserver: no leader'] : [];
    for (const { memberId, alarm } of state.alarms.list()) errors.push(`memberID:${memberId} alarm:${alarm} `);
    return {
      header: this.#header(),
      version: ETCD_VERSION,
      dbSize: state.sizeBytes,
      dbSizeInUse: state.sizeBytes,
      dbSizeQuota: config.quotaBytes,
      leader: raft.lead,
      raftIndex: raft.node.committed,
      raftTerm: raft.node.term,
      raftAppliedIndex: apply.appliedIndex,
      errors,
      isLearner,
      storageVersion: this.#context.storageVersion,
    };
  }

  /** MoveLeader: looks every heartbeat whether the transferee leads; nothing but the caller's patience ends the wait. */
  #moveLeader(request: MoveLeaderRequest, metadata: CallMetadata, answer: Answer): void {
    const { raft, state, process, config } = this.#context;
    const denied = this.#asAdmin(metadata);
    if (denied !== undefined) return answer(denied);
    if (!raft.isLeader) return answer(etcdError('notLeader'));
    const target = state.membership.member(request.targetId);
    if (target === undefined || target.isLearner) return answer(etcdError('badLeaderTransferee'));
    raft.transferLeadership(request.targetId);
    const look = () => {
      if (raft.lead === request.targetId) answer({ header: this.#header() });
      else process.after(config.heartbeatUs, look);
    };
    look();
  }
}
