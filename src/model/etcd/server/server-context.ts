import type { Process } from '../../../sim/process.ts';
import type { Member, MemberId, ResponseHeader } from '../api.ts';
import type { Result } from '../errors.ts';
import type { EtcdState } from '../state.ts';
import type { ApplyLoop } from './apply-loop.ts';
import type { Backend } from './backend.ts';
import type { EtcdConfig } from './config.ts';
import type { CorruptionCheck } from './corruption-check.ts';
import type { LeaderCall } from './peer-service.ts';
import type { Peers } from './peers.ts';
import type { Proposals } from './proposals.ts';
import type { RaftDriver } from './raft-driver.ts';
import type { ReadWaiter } from './read-loop.ts';

/** The parts of a running member that its services work with. */
export interface ServerContext {
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
  readonly isLearner: boolean;
  /** The members that count now: with the variant config-on-append also by changes that are only in the log. */
  readonly listedMembers: readonly Member[];
  /** Schema version of the backend file; a new file shows the older one until the member's own look at it. */
  readonly storageVersion: string;
  header(revision: number): ResponseHeader;
  /** Waits until the state is at least as new as now (linearizableReadNotify). */
  waitRead(waiter: ReadWaiter): void;
  /** Waits for the compaction that runs now to be physically done. */
  waitCompaction(done: () => void): void;
  /** Calls the leader through its peer address, waiting for one if there is none; `noLeader` or `timeout` after the request time-out. */
  askLeader(call: LeaderCall, answer: (result: Result<unknown>) => void): void;
  /** Whether this member leads for sure, as far as that can be known; asks a quorum if its raft loop stood still. */
  ensureLeadership(answer: (leads: boolean) => void): void;
  /** Leases changed: their expiry has to be looked at. */
  leasesChanged(): void;
}
