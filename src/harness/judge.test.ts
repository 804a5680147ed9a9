import { describe, expect, it } from 'vitest';
import { createFacts } from '../model/facts.ts';
import type { TrialEnd } from '../properties/property.ts';
import { Coverage } from './coverage.ts';
import { Judge } from './judge.ts';

const end: TrialEnd = { atUs: 10, healedAtUs: undefined, outOfBudget: false, objects: [], outside: [] };
const members = ['etcd-0', 'etcd-1', 'etcd-2'];

describe('Judge', () => {
  it('asks the properties of a bare store only where there is no Kubernetes', () => {
    const ids = (kubernetes: boolean): readonly string[] =>
      new Judge(createFacts(), { now: 0 }, members, kubernetes).finish(end, []).properties.map((p) => p.property);
    expect(ids(false)).toContain('durable-writes');
    expect(ids(false)).not.toContain('rollout-bounds');
    expect(ids(true)).toContain('rollout-bounds');
  });

  it('tells the first violation of each clause, and the verdict of every property', () => {
    const facts = createFacts();
    const clock = { now: 0 };
    const judge = new Judge(facts, clock, members, false);
    for (const [at, member] of [
      [1, 'etcd-0'],
      [2, 'etcd-1'],
      [3, 'etcd-2'],
    ] as const) {
      clock.now = at;
      facts.raftLeader.emit(member, 5, 0, 0);
    }
    const verdict = judge.finish(end, []);
    expect(verdict.status).toBe('violated');
    expect(verdict.violations.map((v) => [v.property, v.witness.clause, v.witness.atUs])).toEqual([
      ['raft-election-safety', 'one-leader-per-term', 2],
    ]);
    const of = (id: string) => verdict.properties.find((p) => p.property === id);
    expect(of('raft-election-safety')).toEqual({
      property: 'raft-election-safety',
      verdict: 'violated',
      exercised: 3,
      reason: 'one-leader-per-term',
    });
    expect(of('raft-leader-completeness')).toMatchObject({ verdict: 'held', exercised: 3 });
    expect(of('durable-writes')).toMatchObject({ verdict: 'not-exercised', exercised: 0 });
  });
});

describe('Coverage', () => {
  it('counts what faults touched and how often properties were exercised, with a row for kinds that were never drawn', () => {
    const coverage = new Coverage();
    const outcome = {
      task: { scenario: 0, seed: '1' },
      status: 'passed' as const,
      violations: [],
      faults: 2,
      digest: '',
      events: 1,
      endUs: 1,
      notes: [],
    };
    const effect = (kind: string, touched: number) => ({ kind, touched, lanes: [] });
    const held = { property: 'durable-writes', verdict: 'held' as const, exercised: 4 };
    coverage.add({ ...outcome, effects: [effect('partition', 0), effect('partition', 7)], properties: [held] });
    coverage.add({ ...outcome, effects: [], properties: [{ ...held, verdict: 'not-exercised', exercised: 0 }] });
    expect(coverage.faults().find((f) => f.kind === 'partition')).toEqual({ kind: 'partition', injected: 2, touching: 1, touched: 7 });
    expect(coverage.faults().find((f) => f.kind === 'scale')).toEqual({ kind: 'scale', injected: 0, touching: 0, touched: 0 });
    expect(coverage.properties()).toEqual([{ property: 'durable-writes', trials: 2, exercised: 1, violated: 0, gaveUp: 0, checks: 4 }]);
  });
});
