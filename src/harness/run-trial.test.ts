import { describe, expect, it } from 'vitest';
import { firstDifference } from './divergence.ts';
import { Recorder } from './recorder.ts';
import { runTrial } from './run-trial.ts';
import { planned, storeTrial } from './trial-inputs.fixture.ts';

const trial = storeTrial({
  faults: [
    planned('F1', { kind: 'partition', hosts: ['cp-0'], oneWay: false }),
    planned('F2', { kind: 'crash-host', host: 'cp-1' }, 9000),
    planned('F3', { kind: 'link-loss', hosts: ['cp-2'], lossPercent: 20 }, 10_000),
  ],
  operations: [planned('O1', { kind: 'move-leader', member: 'etcd-2' }, 7000)],
});

describe('runTrial', () => {
  const first = runTrial(trial);

  it('gives the same result again, and with the recorder on', () => {
    const recorder = new Recorder();
    expect(runTrial(trial, { recorder })).toEqual(first);
    expect(runTrial(trial)).toEqual(first);
    const trace = recorder.trace();
    expect(trace.messages.some((m) => m.drop?.reason === 'partition')).toBe(true);
    expect(trace.messages.filter((m) => m.deliveredAtUs !== undefined).length).toBeGreaterThan(1000);
    for (const message of trace.messages.slice(0, 2000))
      if (message.deliveredAtUs !== undefined) expect(message.deliveredAtUs).toBeGreaterThanOrEqual(message.sentAtUs);
    expect(trace.notes.filter((n) => n.host === 'cp-1' && n.process === '*').map((n) => n.detail)).toEqual(['host crash', 'boot']);
    expect(new Set(trace.facts.map((f) => f.channel))).toContain('faultInjected');
  });

  it('passes, exercises its properties, and tells what each fault touched', () => {
    expect(first.status).toBe('passed');
    expect(first.properties.find((p) => p.property === 'raft-election-safety')).toMatchObject({ verdict: 'held' });
    expect(first.effects.map((e) => [e.id, e.injectedAtUs, e.healedAtUs])).toEqual([
      ['F1', 6_000_000, 8_000_000],
      ['O1', 7_000_000, 7_000_000],
      ['F2', 9_000_000, 11_000_000],
      ['F3', 10_000_000, 12_000_000],
    ]);
    for (const effect of first.effects) expect(effect.touched).toBeGreaterThan(0);
  });

  it('stopped early, it has gone the same way until there', () => {
    const early = runTrial(trial, { untilUs: 8_500_000 });
    expect(early.endUs).toBe(8_500_000);
    const shared = first.checkpoints.filter((c) => c.atUs <= 8_000_000);
    expect(early.checkpoints).toEqual(shared);
  });

  it('heals what lasts until the general healing, leaves what lies outside the core, and injects nothing after it', () => {
    const forever = { ...planned('F1', { kind: 'crash-host', host: 'cp-0' }), forMs: null };
    const outside = { ...planned('F2', { kind: 'pause-host', host: 'cp-1' }), forMs: null };
    const late = { ...planned('F3', { kind: 'crash-host', host: 'cp-2' }, 20_000), forMs: null };
    const { effects } = runTrial(storeTrial({ faults: [forever, outside, late], core: { outside: ['cp-1'] } }));
    expect(effects.map((e) => [e.id, e.healedAtUs])).toEqual([
      ['F1', 15_000_000],
      ['F2', undefined],
    ]);
  });

  it('with fewer faults another run comes out, and where they part is found to the second', () => {
    const other = runTrial({ ...trial, faults: trial.faults.slice(0, 1) });
    expect(other.digest).not.toBe(first.digest);
    const where = firstDifference(first.checkpoints, other.checkpoints, first.digest, other.digest);
    // F2, which the other run lacks, strikes at 9 s.
    expect(where).toMatch(/^the first different event lies between 9\.000 s and 10\.000 s \(/);
    expect(firstDifference(first.checkpoints, first.checkpoints, 'a', 'a')).toBe('same events, another verdict');
  });
});
