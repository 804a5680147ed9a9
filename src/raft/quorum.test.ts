import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jointCommitted, jointVote, majorityCommitted, majorityVote, VoteLost, VotePending, VoteWon } from './quorum.ts';

const voters = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 7 });
const indexes = fc.array(fc.nat({ max: 12 }), { minLength: 10, maxLength: 10 });
const votes = fc.array(fc.constantFrom(true, false, undefined), { minLength: 10, maxLength: 10 });

/** By definition: the greatest index that more than half have reached. */
function slowCommitted(ids: readonly number[], acked: (id: number) => number): number {
  if (ids.length === 0) return Number.POSITIVE_INFINITY;
  for (let index = 12; index > 0; index--) {
    if (ids.filter((id) => acked(id) >= index).length * 2 > ids.length) return index;
  }
  return 0;
}

describe('quorums', () => {
  test('the committed index is the greatest that a majority of each half has reached', () => {
    fc.assert(
      fc.property(voters, voters, indexes, (left, right, known) => {
        const acked = (id: number): number => known[id] ?? 0;
        expect(majorityCommitted(left, acked)).toBe(slowCommitted(left, acked));
        expect(jointCommitted(left, right, acked)).toBe(Math.min(slowCommitted(left, acked), slowCommitted(right, acked)));
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  test('a vote is won or lost exactly when no further answer can change that', () => {
    fc.assert(
      fc.property(voters, votes, (ids, known) => {
        const withMissing = (value: boolean): boolean => {
          const granted = ids.filter((id) => known[id] ?? value).length;
          return ids.length === 0 || granted * 2 > ids.length;
        };
        const best = withMissing(true);
        const worst = withMissing(false);
        const expected = worst ? VoteWon : best ? VotePending : VoteLost;
        expect(majorityVote(ids, (id) => known[id])).toBe(expected);
      }),
      { seed: 2, numRuns: 1000 },
    );
  });

  test('a joint vote needs both halves', () => {
    const all = (value: boolean | undefined) => (): boolean | undefined => value;
    expect(jointVote([1, 2], [3], all(true))).toBe(VoteWon);
    expect(jointVote([1, 2], [3], (id) => (id === 3 ? false : undefined))).toBe(VoteLost);
    expect(jointVote([1, 2], [3], (id) => (id === 3 ? true : undefined))).toBe(VotePending);
  });
});
