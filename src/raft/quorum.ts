import type { IdSet } from './id-set.ts';
import type { LogIndex, NodeId } from './types.ts';

/** The vote is still open. */
export const VotePending = 1;
/** The vote cannot be won any more. */
export const VoteLost = 2;
/** A quorum has granted it. */
export const VoteWon = 3;

/** One of the three `Vote…` numbers. */
export type VoteResult = number;

/**
 * Sorts the first `count` numbers of `indexes` in place and returns the greatest index that a majority has reached. Insertion
 * sort: configurations have 1 to 7 members, and this runs on every append response.
 */
export function majorityIndexInPlace(indexes: number[], count: number): LogIndex {
  // An empty half imposes nothing, so that joint quorums may treat it as the neutral element (upstream: quorum/majority.go).
  if (count === 0) return Number.POSITIVE_INFINITY;
  for (let i = 1; i < count; i++) {
    const value = indexes[i] ?? 0;
    let j = i - 1;
    for (; j >= 0 && (indexes[j] ?? 0) > value; j--) indexes[j + 1] = indexes[j] ?? 0;
    indexes[j + 1] = value;
  }
  return indexes[count - (count >> 1) - 1] ?? 0;
}

const scratch: number[] = [];

/** The index that a majority of `voters` has acknowledged; `acked` answers 0 for "nothing known". Infinity without voters. */
export function majorityCommitted(voters: IdSet, acked: (id: NodeId) => LogIndex): LogIndex {
  for (let i = 0; i < voters.length; i++) scratch[i] = acked(voters[i] ?? 0);
  return majorityIndexInPlace(scratch, voters.length);
}

/** The index that both halves of a joint configuration have acknowledged (paper, section 6; etcd's quorum/joint.go). */
export function jointCommitted(incoming: IdSet, outgoing: IdSet, acked: (id: NodeId) => LogIndex): LogIndex {
  return Math.min(majorityCommitted(incoming, acked), majorityCommitted(outgoing, acked));
}

/** Counts one majority's votes; `undefined` is a vote that has not arrived. A half without voters is won. */
export function majorityVote(voters: IdSet, vote: (id: NodeId) => boolean | undefined): VoteResult {
  if (voters.length === 0) return VoteWon;
  let granted = 0;
  let missing = 0;
  for (const id of voters) {
    const answer = vote(id);
    if (answer === undefined) missing++;
    else if (answer) granted++;
  }
  const quorum = (voters.length >> 1) + 1;
  if (granted >= quorum) return VoteWon;
  return granted + missing >= quorum ? VotePending : VoteLost;
}

/** A joint vote is won only if both halves won it, and lost as soon as one half lost it. */
export function jointVote(incoming: IdSet, outgoing: IdSet, vote: (id: NodeId) => boolean | undefined): VoteResult {
  const left = majorityVote(incoming, vote);
  const right = majorityVote(outgoing, vote);
  if (left === right) return left;
  return left === VoteLost || right === VoteLost ? VoteLost : VotePending;
}
