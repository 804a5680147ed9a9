import type { ConfChange } from '../../../raft/types.ts';
import { contentHash } from '../../../sim/content-hash.ts';
import { finalize32, hashText, mixWord } from '../../../sim/mix.ts';
import type { Process } from '../../../sim/process.ts';
import type { Micros } from '../../../sim/time.ts';
import type { EtcdResponse } from '../api.ts';
import type { AuthInfo } from '../auth/auth-store.ts';
import { EtcdError, etcdError, type Result } from '../errors.ts';
import { type Proposal, type ProposedRequest, requestBytes } from '../proposal.ts';
import { type EtcdConfig, electionTimeoutUs, requestTimeoutUs } from './config.ts';
import type { RaftDriver } from './raft-driver.ts';

/** maxGapBetweenApplyAndCommitIndex: behind by more, a member takes no proposals. */
const APPLY_GAP_MAX = 5000;

/** Called once with what became of a proposal. */
export type Answered<T> = (result: Result<T>) => void;

/** What proposals need of their member. */
export interface ProposalHost {
  readonly process: Process;
  readonly config: EtcdConfig;
  readonly raft: RaftDriver;
  readonly memberId: number;
  readonly appliedIndex: number;
  /** Since when a member has been connected; the member itself since ever. */
  connectedSince(id: number): Micros | undefined;
  readonly memberIds: readonly number[];
}

interface Waiter {
  readonly answered: (result: Result<EtcdResponse>) => void;
  readonly startedAt: Micros;
  timer: number;
  /** Not yet handed to raft: there is no leader. */
  waitsForLeader: boolean;
}

/** The proposals that this member made and that wait for their entry (EtcdServer.processInternalRaftRequestOnce, wait.Wait). */
export class Proposals {
  readonly #host: ProposalHost;
  readonly #waiters = new Map<unknown, Waiter>();
  readonly #hashSeed: number;
  #count = 0;
  #leaderElectedAt: Micros = Number.NEGATIVE_INFINITY;

  constructor(host: ProposalHost) {
    this.#host = host;
    this.#hashSeed = hashText(`${host.config.name}/${host.process.incarnation}`);
  }

  /** Proposes a request; the answer comes when its entry is applied here, or after the request time-out. */
  propose(request: ProposedRequest, auth: AuthInfo, answered: Answered<EtcdResponse>): void {
    const { raft, config, appliedIndex, process } = this.#host;
    if (raft.node.committed > appliedIndex + APPLY_GAP_MAX) {
      answered(etcdError('tooManyRequests'));
      return;
    }
    const sizeBytes = requestBytes(request);
    if (sizeBytes > config.requestBytesMax) {
      answered(etcdError('requestTooLarge'));
      return;
    }
    const hash = finalize32(mixWord(this.#hashSeed, ++this.#count));
    // What is written is part of the run's fingerprint; the API servers add what their objects hold.
    process.world.digest.fold(contentHash(request));
    const proposal: Proposal = { request, auth, hash, sizeBytes };
    this.#wait(proposal, answered, requestTimeoutUs(config));
    this.#tryPropose(proposal);
  }

  /** Proposes a membership change; answered by {@link settle} with the same object. Waits as long as the caller does. */
  proposeConfChange(change: ConfChange, answered: Answered<EtcdResponse>): void {
    this.#wait(change, answered, requestTimeoutUs(this.#host.config));
    this.#tryPropose(change);
  }

  /** The entry with this payload was applied: if it was proposed here, answers. */
  settle(data: unknown, result: Result<EtcdResponse>): void {
    const waiter = this.#waiters.get(data);
    if (waiter === undefined) return;
    this.#waiters.delete(data);
    this.#host.process.cancel(waiter.timer);
    waiter.answered(result);
  }

  /** Whether anybody here waits for this payload's result. */
  isWaiting(data: unknown): boolean {
    return this.#waiters.has(data);
  }

  /** There is a leader (again): what waited for one is proposed. */
  leaderFound(isSelf: boolean): void {
    if (isSelf) this.#leaderElectedAt = this.#host.process.mono();
    for (const [data, waiter] of [...this.#waiters]) if (waiter.waitsForLeader) this.#tryPropose(data);
  }

  #wait(data: unknown, answered: Answered<EtcdResponse>, timeoutUs: Micros): void {
    const { process } = this.#host;
    const waiter: Waiter = { answered, startedAt: process.mono(), timer: 0, waitsForLeader: false };
    waiter.timer = process.after(timeoutUs, () => {
      this.#waiters.delete(data);
      answered(this.#timeoutError(waiter));
    });
    this.#waiters.set(data, waiter);
  }

  #tryPropose(data: unknown): void {
    const { raft } = this.#host;
    const waiter = this.#waiters.get(data);
    if (waiter === undefined) return;
    // node.run takes no proposals without a leader: they wait at the door until their context ends.
    waiter.waitsForLeader = raft.lead === 0;
    if (waiter.waitsForLeader) return;
    const refused =
      'request' in (data as object) ? raft.propose(data, (data as Proposal).sizeBytes) : raft.proposeConfChange(data as ConfChange);
    if (refused !== undefined) this.settle(data, new EtcdError('other', 2, refused));
  }

  /** parseProposeCtxErr. */
  #timeoutError(waiter: Waiter): EtcdError {
    if (waiter.waitsForLeader) return etcdError('deadlineExceeded');
    const { config, raft, memberId } = this.#host;
    const lostAt = this.#leaderElectedAt - electionTimeoutUs(config);
    if (waiter.startedAt > lostAt && waiter.startedAt < this.#leaderElectedAt) return etcdError('timeoutDueToLeaderFail');
    const lead = raft.lead;
    const connected = lead === memberId ? this.#quorumSince(waiter.startedAt) : lead === 0 || this.#since(lead, waiter.startedAt);
    return etcdError(connected ? 'timeout' : 'timeoutDueToConnectionLost');
  }

  #quorumSince(at: Micros): boolean {
    const { memberIds } = this.#host;
    return memberIds.filter((id) => this.#since(id, at)).length > memberIds.length / 2;
  }

  #since(id: number, at: Micros): boolean {
    const since = this.#host.connectedSince(id);
    return since !== undefined && since < at;
  }
}
