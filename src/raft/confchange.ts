import { differenceCount, hasId, type IdSet, noIds, unionIds, withId, withoutId } from './id-set.ts';
import type { Inflights } from './inflights.ts';
import { Progress } from './progress.ts';
import type { Config } from './tracker.ts';
import {
  type ConfChange,
  ConfChangeAddLearnerNode,
  ConfChangeAddNode,
  ConfChangeRemoveNode,
  type ConfChangeSingle,
  ConfChangeUpdateNode,
  type LogIndex,
  type NodeId,
  TransitionAuto,
  TransitionJointExplicit,
} from './types.ts';

/** A membership change that would break the configuration's rules. */
export class ConfChangeError extends Error {
  override readonly name = 'ConfChangeError';
}

/** What the changer starts from: the active configuration and what new members need. */
export interface ChangeBase {
  readonly config: Config;
  readonly progress: readonly Progress[];
  /** Last index of the leader's log: where probing a new member starts. */
  readonly lastIndex: LogIndex;
  readonly newInflights: () => Inflights;
}

/** The configuration that a change leads to. */
export interface Changed {
  readonly config: Config;
  /** Sorted by id. */
  readonly progress: readonly Progress[];
}

/** Whether two quorums decide at present. */
export function isJoint(config: Config): boolean {
  return config.votersOutgoing.length > 0;
}

/** Whether the change leaves a joint configuration: it says nothing at all. */
export function leavesJoint(change: ConfChange): boolean {
  return change.transition === TransitionAuto && change.changes.length === 0;
}

/** Whether the change goes through joint consensus, and if so whether the leader leaves it by itself. */
export function entersJoint(change: ConfChange): { autoLeave: boolean } | undefined {
  // With a single operation the quorums of before and after always overlap (dissertation, section 4.1), so no joint phase is needed.
  if (change.transition === TransitionAuto && change.changes.length <= 1) return undefined;
  return { autoLeave: change.transition !== TransitionJointExplicit };
}

/** Makes a change under construction: the only mutable form of a configuration. */
class Draft {
  voters: IdSet;
  votersOutgoing: IdSet;
  learners: IdSet;
  learnersNext: IdSet;
  autoLeave: boolean;
  readonly progress = new Map<NodeId, Progress>();
  private readonly base: ChangeBase;

  constructor(base: ChangeBase) {
    this.base = base;
    this.voters = base.config.voters;
    this.votersOutgoing = base.config.votersOutgoing;
    this.learners = base.config.learners;
    this.learnersNext = base.config.learnersNext;
    this.autoLeave = base.config.autoLeave;
    for (const pr of base.progress) this.progress.set(pr.id, pr.copy());
    this.check();
  }

  apply(changes: readonly ConfChangeSingle[]): void {
    for (const change of changes) {
      // etcd puts id 0 into a change that it decided not to make (upstream: confchange.go, apply).
      if (change.nodeId === 0) continue;
      switch (change.type) {
        case ConfChangeAddNode:
          this.makeVoter(change.nodeId);
          break;
        case ConfChangeAddLearnerNode:
          this.makeLearner(change.nodeId);
          break;
        case ConfChangeRemoveNode:
          this.remove(change.nodeId);
          break;
        case ConfChangeUpdateNode:
          break;
        default:
          throw new ConfChangeError(`unexpected conf type ${change.type}`);
      }
    }
    if (this.voters.length === 0) throw new ConfChangeError('removed all voters');
  }

  private makeVoter(id: NodeId): void {
    const pr = this.progress.get(id);
    if (pr === undefined) {
      this.addMember(id, false);
      return;
    }
    pr.isLearner = false;
    this.learners = withoutId(this.learners, id);
    this.learnersNext = withoutId(this.learnersNext, id);
    this.voters = withId(this.voters, id);
  }

  private makeLearner(id: NodeId): void {
    const pr = this.progress.get(id);
    if (pr === undefined) {
      this.addMember(id, true);
      return;
    }
    if (pr.isLearner) return;
    this.remove(id);
    this.progress.set(id, pr);
    // A voter of the outgoing half cannot be a learner at the same time: stage it until the joint configuration is left.
    if (hasId(this.votersOutgoing, id)) {
      this.learnersNext = withId(this.learnersNext, id);
    } else {
      pr.isLearner = true;
      this.learners = withId(this.learners, id);
    }
  }

  private remove(id: NodeId): void {
    if (!this.progress.has(id)) return;
    this.voters = withoutId(this.voters, id);
    this.learners = withoutId(this.learners, id);
    this.learnersNext = withoutId(this.learnersNext, id);
    // A member that still votes in the outgoing half must still be replicated to.
    if (!hasId(this.votersOutgoing, id)) this.progress.delete(id);
  }

  private addMember(id: NodeId, isLearner: boolean): void {
    if (isLearner) this.learners = withId(this.learners, id);
    else this.voters = withId(this.voters, id);
    const pr = new Progress(id, Math.max(this.base.lastIndex, 1), isLearner, this.base.newInflights());
    // New members count as active, or CheckQuorum could depose the leader before they had a chance to answer.
    pr.recentActive = true;
    this.progress.set(id, pr);
  }

  leave(): void {
    for (const id of this.learnersNext) {
      this.learners = withId(this.learners, id);
      const pr = this.progress.get(id);
      if (pr !== undefined) pr.isLearner = true;
    }
    this.learnersNext = noIds;
    for (const id of this.votersOutgoing) {
      if (!hasId(this.voters, id) && !hasId(this.learners, id)) this.progress.delete(id);
    }
    this.votersOutgoing = noIds;
    this.autoLeave = false;
  }

  /** Invariants that hold before and after every change. */
  check(): void {
    for (const set of [unionIds(this.voters, this.votersOutgoing), this.learners, this.learnersNext]) {
      for (const id of set) {
        if (!this.progress.has(id)) throw new ConfChangeError(`no progress for ${id}`);
      }
    }
    for (const id of this.learnersNext) {
      if (!hasId(this.votersOutgoing, id)) {
        throw new ConfChangeError(`${id} is in LearnersNext, but not Voters[1]`);
      }
      if (this.progress.get(id)?.isLearner) {
        throw new ConfChangeError(`${id} is in LearnersNext, but is already marked as learner`);
      }
    }
    for (const id of this.learners) {
      if (hasId(this.votersOutgoing, id)) throw new ConfChangeError(`${id} is in Learners and Voters[1]`);
      if (hasId(this.voters, id)) throw new ConfChangeError(`${id} is in Learners and Voters[0]`);
      if (!this.progress.get(id)?.isLearner) {
        throw new ConfChangeError(`${id} is in Learners, but is not marked as learner`);
      }
    }
    if (this.votersOutgoing.length === 0) {
      if (this.learnersNext.length > 0) {
        throw new ConfChangeError('cfg.LearnersNext must be nil when not joint');
      }
      if (this.autoLeave) throw new ConfChangeError('AutoLeave must be false when not joint');
    }
  }

  finish(): Changed {
    this.check();
    return {
      config: {
        voters: this.voters,
        votersOutgoing: this.votersOutgoing,
        learners: this.learners,
        learnersNext: this.learnersNext,
        autoLeave: this.autoLeave,
      },
      progress: [...this.progress.values()].sort((a, b) => a.id - b.id),
    };
  }
}

/** Changes at most one voter; the quorums before and after overlap (dissertation, section 4.1). Throws ConfChangeError. */
export function simpleChange(base: ChangeBase, changes: readonly ConfChangeSingle[]): Changed {
  const draft = new Draft(base);
  if (isJoint(base.config)) {
    throw new ConfChangeError("can't apply simple config change in joint config");
  }
  draft.apply(changes);
  if (differenceCount(base.config.voters, draft.voters) > 1) {
    throw new ConfChangeError('more than one voter changed without entering joint config');
  }
  return draft.finish();
}

/** Enters the joint configuration C(old,new) of the paper's section 6. Throws ConfChangeError. */
export function enterJoint(base: ChangeBase, autoLeave: boolean, changes: readonly ConfChangeSingle[]): Changed {
  const draft = new Draft(base);
  if (isJoint(base.config)) throw new ConfChangeError('config is already joint');
  if (base.config.voters.length === 0) {
    // A blank configuration may be filled by simple changes (bootstrap), but it has no quorum that could be half of a joint one.
    throw new ConfChangeError("can't make a zero-voter config joint");
  }
  draft.votersOutgoing = draft.voters;
  draft.apply(changes);
  draft.autoLeave = autoLeave;
  return draft.finish();
}

/** Leaves the joint configuration: C(old,new) becomes C(new). Throws ConfChangeError. */
export function leaveJoint(base: ChangeBase): Changed {
  const draft = new Draft(base);
  if (!isJoint(base.config)) throw new ConfChangeError("can't leave a non-joint config");
  draft.leave();
  return draft.finish();
}

/** Makes the change that an entry carries. Throws ConfChangeError. */
export function changeConfig(base: ChangeBase, change: ConfChange): Changed {
  if (leavesJoint(change)) return leaveJoint(base);
  const joint = entersJoint(change);
  if (joint !== undefined) return enterJoint(base, joint.autoLeave, change.changes);
  return simpleChange(base, change.changes);
}
