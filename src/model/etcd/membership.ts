import type { Member, MemberId } from './api.ts';
import { etcdError, type Result } from './errors.ts';

/** membership.maxLearners. */
const LEARNERS_MAX = 1;

/** What the backend keeps of the membership. Both lists are sorted. */
export interface MembershipRows {
  readonly members: readonly Member[];
  /** Ids that were members once and never come back. */
  readonly removed: readonly MemberId[];
  /** Members that a joint change removes: they vote in its outgoing half until it is left. */
  readonly leaving?: readonly MemberId[];
}

/** What a membership change carries in its raft entry besides the configuration change itself. */
export type MembershipChange =
  | { readonly kind: 'add'; readonly member: Member }
  | { readonly kind: 'promote'; readonly memberId: MemberId }
  | { readonly kind: 'remove'; readonly memberId: MemberId }
  | { readonly kind: 'update'; readonly memberId: MemberId; readonly peerURLs: readonly string[] }
  /** Several at once, through joint consensus: etcd's raft can, its API does not offer it. */
  | { readonly kind: 'joint'; readonly add: readonly Member[]; readonly remove: readonly MemberId[] }
  /** The joint configuration is left. */
  | { readonly kind: 'leave' };

/** The members as applied configuration entries made them (membership.RaftCluster). Immutable rows, replaced on change. */
export class Membership {
  #rows: MembershipRows;

  constructor(rows: MembershipRows) {
    this.#rows = rows;
  }

  get rows(): MembershipRows {
    return this.#rows;
  }

  get members(): readonly Member[] {
    return this.#rows.members;
  }

  get voters(): readonly Member[] {
    return this.#rows.members.filter((member) => !member.isLearner);
  }

  member(id: MemberId): Member | undefined {
    return this.#rows.members.find((member) => member.id === id);
  }

  isRemoved(id: MemberId): boolean {
    return this.#rows.removed.includes(id);
  }

  /** Whether a change may be applied (ValidateConfigurationChange); asked when its entry is applied, so all members answer alike. */
  validate(change: MembershipChange): Result<void> {
    if (change.kind === 'leave') return;
    if (change.kind === 'joint') {
      const adds = change.add.map((member): MembershipChange => ({ kind: 'add', member }));
      const removes = change.remove.map((memberId): MembershipChange => ({ kind: 'remove', memberId }));
      return [...adds, ...removes].map((single) => this.validate(single)).find((refused) => refused !== undefined);
    }
    const id = change.kind === 'add' ? change.member.id : change.memberId;
    if (this.isRemoved(id)) return etcdError('memberNotFound');
    const known = this.member(id);
    switch (change.kind) {
      case 'add':
        if (known !== undefined) return etcdError('memberExists');
        if (this.#urlsTaken(change.member.peerURLs, id)) return etcdError('peerUrlExists');
        if (change.member.isLearner && this.members.filter((member) => member.isLearner).length >= LEARNERS_MAX) {
          return etcdError('tooManyLearners');
        }
        return;
      case 'promote':
        if (known === undefined) return etcdError('memberNotFound');
        if (!known.isLearner) return etcdError('memberNotLearner');
        return;
      case 'remove':
        if (known === undefined) return etcdError('memberNotFound');
        return;
      case 'update':
        if (known === undefined) return etcdError('memberNotFound');
        if (this.#urlsTaken(change.peerURLs, id)) return etcdError('peerUrlExists');
        return;
    }
  }

  apply(change: MembershipChange): void {
    switch (change.kind) {
      case 'add':
        this.#put(change.member);
        return;
      case 'promote':
        this.#patch(change.memberId, { isLearner: false });
        return;
      case 'remove':
        this.#remove([change.memberId]);
        return;
      case 'update':
        // The real server replaces the whole raft attributes, so an updated learner is listed as no learner (recorded).
        this.#patch(change.memberId, { peerURLs: change.peerURLs, isLearner: false });
        return;
      case 'joint':
        for (const member of change.add) this.#put(member);
        this.#rows = { ...this.#rows, leaving: change.remove };
        return;
      case 'leave':
        this.#remove(this.#rows.leaving ?? []);
        return;
    }
  }

  #remove(ids: readonly MemberId[]): void {
    this.#rows = {
      members: this.#rows.members.filter((member) => !ids.includes(member.id)),
      removed: [...this.#rows.removed, ...ids].sort((a, b) => a - b),
    };
  }

  /** A started member makes itself known. */
  publish(id: MemberId, name: string, clientURLs: readonly string[]): void {
    this.#patch(id, { name, clientURLs });
  }

  /** IsReadyToAddVotingMember: a quorum of the enlarged cluster has started. */
  isReadyToAddVoter(): boolean {
    const started = this.voters.filter(isStarted).length;
    const size = this.voters.length + 1;
    // One running member may always get a second one.
    if (started === 1 && size === 2) return true;
    return started >= quorum(size);
  }

  /** IsReadyToRemoveVotingMember: what remains has a started quorum; the last member stays. */
  isReadyToRemove(id: MemberId): boolean {
    const rest = this.members.filter((member) => member.id !== id);
    return rest.length > 0 && rest.filter(isStarted).length >= quorum(rest.length);
  }

  /** IsReadyToPromoteMember. */
  isReadyToPromote(id: MemberId): boolean {
    const after = this.members.filter((member) => !member.isLearner || member.id === id);
    return after.filter(isStarted).length >= quorum(after.length);
  }

  #urlsTaken(urls: readonly string[], except: MemberId): boolean {
    return this.members.some((member) => member.id !== except && member.peerURLs.some((url) => urls.includes(url)));
  }

  #put(member: Member): void {
    const members = [...this.members.filter((other) => other.id !== member.id), member].sort((a, b) => a.id - b.id);
    this.#rows = { ...this.#rows, members };
  }

  #patch(id: MemberId, fields: Partial<Member>): void {
    const member = this.member(id);
    if (member !== undefined) this.#put({ ...member, ...fields });
  }
}

/** A member that has published its name has started (Member.IsStarted). */
function isStarted(member: Member): boolean {
  return member.name !== '';
}

function quorum(size: number): number {
  return Math.floor(size / 2) + 1;
}
