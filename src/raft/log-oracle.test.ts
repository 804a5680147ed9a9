import { describe, expect, it } from 'vitest';
import { type Breakage, LogOracle, runAgainstOracle } from './log-oracle.fixture.ts';

const RUNS = process.env['SEATRIAL_LONG'] === undefined ? 300 : 20_000;

/** The first of so many seeds at which something is wrong. */
function firstWrong(breakage: Breakage, seeds: number): string | undefined {
  for (let seed = 1; seed <= seeds; seed++) {
    const { wrong } = runAgainstOracle(3, seed, breakage);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

describe('raft is one log from outside', () => {
  it.each([3, 5])('with %i members', (members) => {
    let applied = 0;
    let acknowledged = 0;
    for (let seed = 1; seed <= RUNS; seed++) {
      const run = runAgainstOracle(members, seed);
      expect(run.wrong, `seed ${seed}`).toBeUndefined();
      applied += run.applied;
      acknowledged += run.acknowledged;
    }
    // Runs in which nothing happens would hold trivially.
    expect(applied).toBeGreaterThan(2 * RUNS);
    expect(acknowledged).toBeGreaterThan(RUNS);
  });

  it.each([
    ['followers do not check what an append follows', { skipsConsistencyCheck: true }, /applies|broken invariant/],
    ['hosts forget votes', { forgetsVote: true }, /applies|broken invariant/],
    ['hosts lose an entry that they had acknowledged', { losesTail: true }, /applies|broken invariant/],
    ['clients are told too early', { acknowledgesEarly: true }, /acknowledged and is not in the log/],
  ] as const)('a broken one is caught: %s', (_what, breakage, wrong) => {
    expect(firstWrong(breakage, 2000)).toMatch(wrong);
  });
});

describe('the oracle', () => {
  it('takes one log and nothing else', () => {
    const oracle = new LogOracle(2);
    expect([oracle.applies(0, 'a'), oracle.applies(0, 'b'), oracle.applies(1, 'a'), oracle.acknowledges('b')]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(oracle.applies(1, 'c')).toBe('member 1 applies c at 1, the log holds b');
    expect(oracle.acknowledges('d')).toBe('d is acknowledged and is not in the log');
    expect(oracle.applies(0, 'a')).toBe('a is applied at 2 and was at 0 before');
    oracle.restarts(0);
    expect(oracle.applies(0, 'a')).toBeUndefined();
  });
});
