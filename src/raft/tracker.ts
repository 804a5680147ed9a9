import { hasId, type IdSet, noIds, unionIds } from './id-set.ts';
import { Inflights } from './inflights.ts';
import type { Progress } from './progress.ts';
import { jointVote, majorityCommitted, majorityIndexInPlace, type VoteResult, VoteWon } from './quorum.ts';
import type { ConfState, LogIndex, NodeId } from './types.ts';

/** An active configuration. Joint while `votersOutgoing` has members (paper, section 6). */
export interface Config {
  readonly voters: IdSet;
  readonly votersOutgoing: IdSet;
  readonly learners: IdSet;
  /** Members that become learners when the joint configuration is left, because they still vote in its outgoing half. */
  readonly learnersNext: IdSet;
  readonly autoLeave: boolean;
}

/** The configuration without members. */
export const emptyConfig: Config = {
  voters: noIds,
  votersOutgoing: noIds,
  learners: noIds,
  learnersNext: noIds,
  autoLeave: false,
};

function idList(ids: IdSet): string {
  return `(${ids.map((id) => id.toString(16)).join(' ')})`;
}

/** A configuration as log lines print it. */
export function configToString(config: Config): string {
  let text = `voters=${idList(config.voters)}`;
  if (config.votersOutgoing.length > 0) text += `&&${idList(config.votersOutgoing)}`;
  if (config.learners.length > 0) text += ` learners=${idList(config.learners)}`;
  if (config.learnersNext.length > 0) text += ` learners_next=${idList(config.learnersNext)}`;
  if (config.autoLeave) text += ' autoleave';
  return text;
}

/** The configuration as snapshots carry it. */
export function configToConfState(config: Config): ConfState {
  return {
    voters: config.voters,
    votersOutgoing: config.votersOutgoing,
    learners: config.learners,
    learnersNext: config.learnersNext,
    autoLeave: config.autoLeave,
  };
}

const scratch: number[] = [];

/** The active configuration with what is known about each member; also the votes of a campaign. */
export class Tracker {
  config: Config = emptyConfig;
  /** One per member, sorted by id: the order in which messages are sent. */
  progress: readonly Progress[] = [];
  /** Progress of the incoming and outgoing voters, kept so that counting a quorum looks nothing up. */
  private incoming: readonly Progress[] = [];
  private outgoing: readonly Progress[] = [];
  private readonly votes = new Map<NodeId, boolean>();
  /** Known bug: one majority of all voters decides in a joint configuration (async-raft#62). */
  private readonly unionMajority: boolean;
  private readonly maxInflightMessages: number;
  private readonly maxInflightBytes: number;

  constructor(maxInflightMessages: number, maxInflightBytes: number, unionMajority = false) {
    this.unionMajority = unionMajority;
    this.maxInflightMessages = maxInflightMessages;
    this.maxInflightBytes = maxInflightBytes;
  }

  /** A window for a new member. */
  newInflights(): Inflights {
    return new Inflights(this.maxInflightMessages, this.maxInflightBytes);
  }

  /** Installs a configuration made by the changer. */
  install(config: Config, progress: readonly Progress[]): void {
    this.config = config;
    this.progress = progress;
    this.incoming = progress.filter((pr) => hasId(config.voters, pr.id));
    this.outgoing = progress.filter((pr) => hasId(config.votersOutgoing, pr.id));
  }

  /** Progress of a member, or undefined outside the configuration. A scan: members are few. */
  find(id: NodeId): Progress | undefined {
    const progress = this.progress;
    for (let i = 0; i < progress.length; i++) {
      const pr = progress[i];
      if (pr !== undefined && pr.id === id) return pr;
    }
    return undefined;
  }

  /** Voters of both halves, sorted. */
  voterIds(): IdSet {
    return unionIds(this.config.voters, this.config.votersOutgoing);
  }

  /** Whether this node alone decides. */
  isSingleton(): boolean {
    return this.config.voters.length === 1 && this.config.votersOutgoing.length === 0;
  }

  /** The sets of voters of which each must agree by a majority: both halves, since either alone may decide on the other side of a cut. */
  private halves(): readonly [IdSet, IdSet] {
    const { voters, votersOutgoing } = this.config;
    return this.unionMajority ? [this.voterIds(), noIds] : [voters, votersOutgoing];
  }

  /** The highest index that is on a quorum of both halves (paper, section 5.3 and figure 2, leaders' last rule). */
  committed(): LogIndex {
    const incoming = majorityMatch(this.incoming, this.config.voters.length);
    if (this.config.votersOutgoing.length === 0) return incoming;
    if (this.unionMajority) return majorityCommitted(this.voterIds(), (id) => this.find(id)?.match ?? 0);
    return Math.min(incoming, majorityMatch(this.outgoing, this.config.votersOutgoing.length));
  }

  /** Whether a quorum was heard from in this CheckQuorum interval. */
  quorumActive(): boolean {
    const result = jointVote(...this.halves(), (id) => {
      const pr = this.find(id);
      return pr === undefined || pr.isLearner ? undefined : pr.recentActive;
    });
    return result === VoteWon;
  }

  /** Forgets the votes of an earlier campaign. */
  resetVotes(): void {
    this.votes.clear();
  }

  /** Counts a vote; a member's first answer stands. */
  recordVote(id: NodeId, granted: boolean): void {
    if (!this.votes.has(id)) this.votes.set(id, granted);
  }

  /** Who answered the campaign so far, by id. */
  answers(): readonly (readonly [NodeId, boolean])[] {
    return [...this.votes].sort((a, b) => a[0] - b[0]);
  }

  /** How many voting members granted and rejected so far, and what that means. */
  tallyVotes(): { granted: number; rejected: number; result: VoteResult } {
    let granted = 0;
    let rejected = 0;
    for (const pr of this.progress) {
      if (pr.isLearner) continue;
      const vote = this.votes.get(pr.id);
      if (vote === true) granted++;
      else if (vote === false) rejected++;
    }
    const result = jointVote(...this.halves(), (id) => this.votes.get(id));
    return { granted, rejected, result };
  }
}

function majorityMatch(members: readonly Progress[], voters: number): LogIndex {
  for (let i = 0; i < voters; i++) scratch[i] = members[i]?.match ?? 0;
  return majorityIndexInPlace(scratch, voters);
}
