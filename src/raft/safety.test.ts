import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runSchedule, type ScheduleResult } from './schedule.fixture.ts';
import type { SimulationOptions } from './simulation.fixture.ts';

/** A schedule: each number is one action. Unbiased, because small numbers mean nothing special. */
function schedules(length: number): fc.Arbitrary<number[]> {
  return fc.noBias(fc.array(fc.nat({ max: 2 ** 31 - 1 }), { minLength: length, maxLength: length, size: 'max' }));
}

const variants: readonly (readonly [string, SimulationOptions])[] = [
  ['3 nodes', { voters: 3 }],
  ['5 nodes', { voters: 5 }],
  ['3 nodes, pre-vote and check-quorum', { voters: 3, preVote: true, checkQuorum: true }],
  ['3 nodes, one entry a message, windows of two', { voters: 3, bytesPerMessageMax: 1, inflightMessagesMax: 2 }],
  ['3 nodes, asynchronous storage', { voters: 3, asyncStorageWrites: true }],
  [
    '5 nodes, everything small and asynchronous',
    { voters: 5, asyncStorageWrites: true, bytesPerMessageMax: 1, committedBytesPerReadyMax: 1 },
  ],
  ['3 nodes and 2 to be added', { voters: 3, spares: 2 }],
  ['5 nodes and 2 to be added, pre-vote and check-quorum', { voters: 5, spares: 2, preVote: true, checkQuorum: true }],
];

/** Seeds of each variant: together 1,200, and in the long run 100,000. */
const RUNS = process.env['SEATRIAL_LONG'] === undefined ? 150 : 12_500;

describe('the five properties of the figure 3 of the paper, and linearizable reads, on every step', () => {
  test.each(variants)('%s', { timeout: 3_600_000 }, (_name, options) => {
    let committed = 0;
    let terms = 0;
    fc.assert(
      fc.property(schedules(500), (schedule) => {
        const result = runSchedule(options, schedule);
        committed += result.committed;
        terms += result.terms;
        expect(result.violation).toBeUndefined();
      }),
      { seed: 20140621, numRuns: RUNS },
    );
    // Runs in which nothing is elected or committed would hold trivially.
    expect(terms).toBeGreaterThan(RUNS);
    expect(committed).toBeGreaterThan(RUNS / 2);
  });
});

describe('each known defect is found by the property that it breaks', () => {
  const small: SimulationOptions = { voters: 3, bytesPerMessageMax: 1 };

  function firstViolation(options: SimulationOptions): string {
    let found: ScheduleResult | undefined;
    const details = fc.check(
      fc.property(schedules(800), (schedule) => {
        const result = runSchedule(options, schedule);
        if (result.violation !== undefined) found ??= result;
        return result.violation === undefined;
      }),
      { seed: 7, numRuns: 600, endOnFailure: true },
    );
    expect(details.failed).toBe(true);
    return found?.violation ?? '';
  }

  test('entries of old terms committed by counting replicas (logcabin#44)', () => {
    const violation = firstViolation({ ...small, defects: { countOldTermReplicas: true } });
    expect(violation).toMatch(/^(Leader Completeness|State Machine Safety)/);
  });

  test('a leader that reads without asking a quorum (etcd 0.4.1, tikv#964)', () => {
    const violation = firstViolation({ ...small, defects: { leaderReadsLocally: true } });
    expect(violation).toMatch(/^Linearizable Reads/);
  });

  test('a new leader that reads before it committed in its term (etcd#7331)', () => {
    const violation = firstViolation({ ...small, defects: { readIndexBeforeOwnCommit: true } });
    expect(violation).toMatch(/^Linearizable Reads/);
  });
});
