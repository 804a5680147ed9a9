import {
  type ConfChange,
  ConfChangeAddLearnerNode,
  ConfChangeAddNode,
  ConfChangeRemoveNode,
  ConfChangeUpdateNode,
  TransitionJointImplicit,
} from '../../../raft/types.ts';
import { type Micros, SECOND } from '../../../sim/time.ts';
import type {
  CallMetadata,
  EtcdResponse,
  MemberAddRequest,
  MemberId,
  MemberPromoteRequest,
  MembersChangeRequest,
  MemberRemoveRequest,
  MemberUpdateRequest,
} from '../api.ts';
import { type EtcdError, etcdError, isError, type Result } from '../errors.ts';
import type { MembershipChange } from '../membership.ts';
import { computeMemberId, parseUrl } from './config.ts';
import type { ServerContext } from './server-context.ts';

/** HealthInterval: a member counts as healthy once it has been connected for so long. */
const HEALTH_INTERVAL_US: Micros = 5 * SECOND;
/** readyPercentThreshold: a learner may be promoted once it has this share of the leader's log. */
const READY_SHARE = 0.9;

type Answer = (result: Result<EtcdResponse>) => void;

/** The Cluster service: what the server refuses by itself, then a configuration change through raft. */
export class MembershipService {
  readonly #context: ServerContext;

  constructor(context: ServerContext) {
    this.#context = context;
  }

  add(request: MemberAddRequest, metadata: CallMetadata, answer: Answer): void {
    const { config, state, process } = this.#context;
    if (!validUrls(request.peerURLs)) return answer(etcdError('memberBadUrls'));
    const isLearner = request.isLearner === true;
    const refused = this.#refuse(metadata, () => {
      if (!isLearner && !state.membership.isReadyToAddVoter()) return etcdError('memberNotEnoughStarted');
      return this.#votersConnected() ? undefined : etcdError('unhealthy');
    });
    if (refused !== undefined) return answer(refused);
    const id = computeMemberId(request.peerURLs, config.clusterToken, process.wall());
    const member = { id, name: '', peerURLs: [...request.peerURLs], clientURLs: [], isLearner };
    const type = isLearner ? ConfChangeAddLearnerNode : ConfChangeAddNode;
    this.#propose(type, id, { kind: 'add', member }, answer);
  }

  remove(request: MemberRemoveRequest, metadata: CallMetadata, answer: Answer): void {
    const { state, peers, memberId, process } = this.#context;
    const refused = this.#refuse(metadata, () => {
      const member = state.membership.member(request.id);
      if (member?.isLearner === true) return undefined;
      if (!state.membership.isReadyToRemove(request.id)) return etcdError('memberNotEnoughStarted');
      // A member that is down may go: it is not part of the active quorum.
      if (request.id !== memberId && peers.activeSince(request.id) === undefined) return undefined;
      const voters = state.membership.voters;
      const active = voters.filter((voter) => this.#healthySince(voter.id, process.mono())).length;
      return active - 1 < 1 + Math.floor((voters.length - 1) / 2) && voters.length > 2 ? etcdError('unhealthy') : undefined;
    });
    if (refused !== undefined) return answer(refused);
    this.#propose(ConfChangeRemoveNode, request.id, { kind: 'remove', memberId: request.id }, answer);
  }

  update(request: MemberUpdateRequest, metadata: CallMetadata, answer: Answer): void {
    if (!validUrls(request.peerURLs)) return answer(etcdError('memberBadUrls'));
    const refused = this.#refuse(metadata, () => undefined);
    if (refused !== undefined) return answer(refused);
    const change: MembershipChange = { kind: 'update', memberId: request.id, peerURLs: [...request.peerURLs] };
    this.#propose(ConfChangeUpdateNode, request.id, change, answer);
  }

  /** Only the leader knows how far a learner is; others ask it. */
  promote(request: MemberPromoteRequest, metadata: CallMetadata, answer: Answer): void {
    if (!this.#context.raft.isLeader) {
      this.#context.askLeader({ method: 'promote', request, metadata }, answer as (result: Result<unknown>) => void);
      return;
    }
    const refused = this.#refuse(metadata, () => this.#learnerLag(request.id));
    if (refused !== undefined) return answer(refused);
    this.#propose(ConfChangeAddNode, request.id, { kind: 'promote', memberId: request.id }, answer);
  }

  /** One change with several operations: raft goes through a joint configuration and leaves it by itself. */
  changeTogether(request: MembersChangeRequest, metadata: CallMetadata, answer: Answer): void {
    const { config, process, proposals } = this.#context;
    const refused = this.#refuse(metadata, () => undefined);
    if (refused !== undefined) return answer(refused);
    const add = request.add.map((url) => ({
      id: computeMemberId([url], config.clusterToken, process.wall()),
      name: '',
      peerURLs: [url],
      clientURLs: [],
      isLearner: false,
    }));
    const changes = [
      ...add.map(({ id }) => ({ type: ConfChangeAddNode, nodeId: id })),
      ...request.remove.map((nodeId) => ({ type: ConfChangeRemoveNode, nodeId })),
    ];
    const context: MembershipChange = { kind: 'joint', add, remove: request.remove };
    proposals.proposeConfChange({ transition: TransitionJointImplicit, changes, context }, answer);
  }

  /** Whether the member may ask for changes, and whether strict reconfiguration checks let this one through. */
  #refuse(metadata: CallMetadata, check: () => EtcdError | undefined): EtcdError | undefined {
    const { state, config } = this.#context;
    const info = state.auth.infoOf(metadata.token);
    const denied = isError(info) ? info : state.auth.checkAdmin(info);
    if (denied !== undefined) return denied;
    // etcd#3477: members that have not started do not vote, so they may not be added or removed away from a running quorum.
    return config.strictReconfigCheck && !config.defects.has('E18') ? check() : undefined;
  }

  #learnerLag(id: MemberId): EtcdError | undefined {
    const { raft, memberId, state } = this.#context;
    const progress = raft.node.status().progress;
    const learner = progress.find((row) => row.id === id);
    const leader = progress.find((row) => row.id === memberId);
    if (learner === undefined) return etcdError('memberNotFound');
    if (learner.match < (leader?.match ?? 0) * READY_SHARE) return etcdError('learnerNotReady');
    return state.membership.isReadyToPromote(id) ? undefined : etcdError('memberNotEnoughStarted');
  }

  #votersConnected(): boolean {
    const now = this.#context.process.mono();
    return this.#context.state.membership.voters.every((voter) => this.#healthySince(voter.id, now));
  }

  #healthySince(id: MemberId, now: Micros): boolean {
    if (id === this.#context.memberId) return true;
    const since = this.#context.peers.activeSince(id);
    return since !== undefined && since < now - HEALTH_INTERVAL_US;
  }

  #propose(type: number, nodeId: MemberId, context: MembershipChange, answer: Answer): void {
    const change: ConfChange = { transition: 0, changes: [{ type, nodeId }], context };
    this.#context.proposals.proposeConfChange(change, answer);
  }
}

function validUrls(urls: readonly string[]): boolean {
  return urls.length > 0 && urls.every((url) => parseUrl(url) !== undefined);
}
