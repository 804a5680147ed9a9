import type { Message } from '../../../raft/message.ts';
import type { ServerCall } from '../../../sim/rpc.ts';
import { MILLISECOND } from '../../../sim/time.ts';
import type { CallMetadata, LeaseId, MemberId, MemberPromoteRequest } from '../api.ts';
import { etcdError, isError, type Result } from '../errors.ts';
import type { Joining } from './boot.ts';
import { electionTimeoutUs, requestTimeoutUs } from './config.ts';
import type { ServerContext } from './server-context.ts';
import type { UnaryService } from './unary-service.ts';

/** Pause between attempts of a forwarded call (LeaseRenew). */
const FORWARD_RETRY_US = 50 * MILLISECOND;

/** What only the leader can answer, as it travels between members. */
export type LeaderCall =
  | { readonly method: 'renew'; readonly id: LeaseId }
  | { readonly method: 'ttl'; readonly id: LeaseId; readonly keys: boolean; readonly metadata: CallMetadata }
  | { readonly method: 'promote'; readonly request: MemberPromoteRequest; readonly metadata: CallMetadata };

type Answer = (result: Result<unknown>) => void;

/** Calls between members beside raft (etcdhttp/peer.go, leasehttp): asked of others, and served to them. */
export class PeerService {
  readonly #context: ServerContext;
  readonly #unary: UnaryService;

  constructor(context: ServerContext, unary: UnaryService) {
    this.#context = context;
    this.#unary = unary;
  }

  serve(method: string, body: unknown, call: ServerCall): void {
    const { peers, clusterId, raft } = this.#context;
    switch (method) {
      case 'peer/hello':
        return call.answer(peers.greets(body as MemberId), 16);
      case 'peer/members':
        return call.answer({ clusterId, members: this.#context.listedMembers } satisfies Joining);
      case 'peer/hashkv':
        return call.answer(this.#context.corruption.answer(body as number), 32);
      case 'peer/snapshot':
        raft.receive(body as Message);
        return call.answer('ok', 16);
      case 'peer/leader':
        return this.#answer(body as LeaderCall, false, (result) => call.answer(result));
      default:
        return;
    }
  }

  /** waitLeader and the retry loops around it: asks whoever leads, looking again every election timeout while nobody does. */
  askLeader(body: LeaderCall, answer: Answer): void {
    const { process, config, raft, memberId, peers } = this.#context;
    const deadline = process.mono() + requestTimeoutUs(config);
    const attempt = () => {
      const left = deadline - process.mono();
      const { lead } = raft;
      if (left <= 0) return answer(etcdError(lead === 0 ? 'noLeader' : 'timeout'));
      // It may be this member itself, elected meanwhile: then its lessor is no primary before the entries of earlier terms are applied.
      if (lead === memberId) {
        // What it knows of itself and what it does may differ for a moment; a promotion would come back here at once.
        if (raft.isLeader || body.method !== 'promote') return this.#answer(body, false, took);
        process.after(FORWARD_RETRY_US, attempt);
        return;
      }
      const rpc = lead === 0 ? undefined : peers.rpc(lead);
      const patience = Math.min(left, electionTimeoutUs(config));
      if (rpc === undefined) {
        process.after(patience, attempt);
        return;
      }
      rpc.callThen('peer/leader', body, { timeoutUs: patience }, (result) => {
        if (result.ok) took(result.value as Result<unknown>);
        else process.after(FORWARD_RETRY_US, attempt);
      });
    };
    const took: Answer = (value) => {
      if (isError(value) && value.code === 'leaseNotPrimary') process.after(FORWARD_RETRY_US, attempt);
      else answer(value);
    };
    attempt();
  }

  #answer(body: LeaderCall, mayForward: boolean, answer: Answer): void {
    switch (body.method) {
      case 'renew':
        return this.#unary.keepAlive(body.id, mayForward, answer);
      case 'ttl':
        return this.#unary.timeToLive(body.id, body.keys, body.metadata, mayForward, answer);
      case 'promote':
        return this.#unary.promote(body.request, body.metadata, answer);
    }
  }
}
