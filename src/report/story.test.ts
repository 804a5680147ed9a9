/** The story of a recorded run: one real trial on the bare store for the rules, witnesses of every clause over it for the words. */
import { describe, expect, it } from 'vitest';
import { Recorder } from '../harness/recorder.ts';
import { runTrial } from '../harness/run-trial.ts';
import type { Witness } from '../properties/property.ts';
import { PROPERTIES } from '../properties/registry.ts';
import { saidClauses } from './clause-words.ts';
import { brokenRules, plain } from './document-check.fixture.ts';
import { renderHtmlReport } from './html.ts';
import { buildReport } from './story.ts';
import { inputOf, trialOf, us } from './trace.fixture.ts';

const input = inputOf({
  workload: { traffic: [], store: { clients: 2, keys: 2, perSecond: 4, watches: 1 } },
  faults: [
    { id: 'F1', atMs: 3000, forMs: 4000, params: { kind: 'partition', hosts: ['cp-0'], oneWay: false } as never },
    { id: 'F2', atMs: 4000, forMs: 1500, params: { kind: 'crash-process', program: 'etcd-1' } as never },
  ],
  require: ['durable-writes'],
});
const recorder = new Recorder();
const result = runTrial(input, { recorder });
const trace = recorder.trace();

/** A witness as the properties make them, with the names of this trial. */
function witnessOf(clause: string, subjects: readonly string[], figure?: Witness['figure']): Witness {
  return {
    clause,
    atUs: us(4.25),
    sentence: `${subjects[0]} did what it may not do.`,
    expected: 'what is allowed',
    actual: 'what is not',
    subjects,
    facts: [
      { atUs: us(3), subject: subjects[0] ?? '', text: 'begins' },
      { atUs: us(4.25), subject: subjects[1] ?? '', text: 'ends' },
    ],
    ...(figure === undefined ? {} : { figure }),
  };
}

const SUBJECTS: Readonly<Record<string, readonly string[]>> = {
  'correct-reads': ['store-client-0', 'etcd-0'],
  'durable-writes': ['store-client-0', 'etcd-0'],
  'eventual-reconciliation': ['shop/web'],
  'disruption-budget': ['shop/web', 'shop/web-1'],
  'healthy-node-kept': ['worker-0'],
  'no-mass-eviction': ['worker-0', 'shop/web-1'],
  'no-orphans': ['shop/note', 'shop'],
  'node-capacity': ['worker-0'],
  'pod-identity': ['worker-0', 'worker-1'],
  quiescence: ['/registry/pods/shop/web-1'],
  'replica-bounds': ['shop/web-1', 'shop/web-1-abc'],
  'rollout-bounds': ['shop/web'],
  'readiness-kept': ['worker-0', 'shop/web-1'],
  'rollout-availability': ['traffic-0', 'shop/web'],
  'rollout-order': ['shop/web', 'shop/web-1'],
  'service-availability': ['traffic-0', 'shop/web-1'],
  'split-brain-read-only': ['store-client-1', 'etcd-1'],
};

describe('buildReport', () => {
  it('tells of a run that held what was done to the cluster, and what was judged', () => {
    const document = buildReport({ trial: trialOf(input, result), result, trace });
    expect(result.status).toBe('passed');
    expect(brokenRules(document)).toEqual([]);
    expect(document.verdict.status).toBe('pass');
    expect(document.plan.rows.map((row) => row.touched[0])).toEqual([
      { what: 'messages stopped', count: expect.any(Number) },
      { what: 'processes killed', count: 1 },
    ]);
    const story = (document.story?.sentences ?? []).map((sentence) => plain(sentence.text));
    expect(story).toContain('F1 cuts cp-0 (etcd-0) off from all other hosts.');
    expect(story).toContain('F2 kills etcd-1.');
    expect(document.properties.find((row) => row.property === 'durable-writes')?.outcome).toBe('held');
    expect(document.lanes.map((lane) => lane.id)).toEqual(expect.arrayContaining(['etcd-0', 'etcd-1', 'etcd-2']));
  });

  it('gives equal documents, and files, for equal inputs', () => {
    const again = new Recorder();
    const second = runTrial(input, { recorder: again });
    const one = buildReport({ trial: trialOf(input, result), result, trace });
    const two = buildReport({ trial: trialOf(input, second), result: second, trace: again.trace() });
    expect(two).toEqual(one);
    expect(renderHtmlReport(two)).toBe(renderHtmlReport(one));
  });

  it('draws a crash, a leader without its quorum, and bands over exactly the lanes of a fault', () => {
    const document = buildReport({ trial: trialOf(input, result), result, trace });
    expect(document.faults.map((band) => [band.id, band.lanes])).toEqual([
      ['F1', ['etcd-0']],
      ['F2', ['etcd-1']],
    ]);
    const states = document.lanes.find((lane) => lane.id === 'etcd-1')?.states ?? [];
    expect(states.find((state) => state.state === 'down')).toMatchObject({ fromUs: us(4), toUs: us(5.5) });
    expect(document.events.filter((event) => event.mark === 'crash').map((event) => event.title)).toEqual(['F2: crash etcd-1']);
  });

  it('says of an inconclusive trial what to do next', () => {
    const gaveUp = {
      ...result,
      status: 'inconclusive' as const,
      properties: [{ property: 'durable-writes', verdict: 'gave-up' as const, exercised: 4, reason: 'no time' }],
    };
    const document = buildReport({ trial: trialOf(input, gaveUp), result: gaveUp, trace });
    expect(brokenRules(document)).toEqual([]);
    expect(document.verdict).toMatchObject({ status: 'inconclusive', property: 'durable-writes' });
    expect(document.verdict.sentence).toContain('no time');
  });

  it('has words for every clause of every property', () => {
    const clauses = PROPERTIES.flatMap((property) => property.clauses.map((clause) => `${property.id}/${clause.id}`));
    expect([...saidClauses()].sort()).toEqual(clauses.sort());
  });

  describe.each(PROPERTIES.flatMap((property) => property.clauses.map((clause) => [property.id, clause.id] as const)))(
    '%s/%s',
    (property, clause) => {
      it('makes a story that can be read and followed', () => {
        const subjects = SUBJECTS[property] ?? ['etcd-0', 'etcd-1'];
        const failed = { ...result, status: 'violated' as const, violations: [{ property, witness: witnessOf(clause, subjects) }] };
        const document = buildReport({ trial: trialOf(input, failed), result: failed, trace });
        expect(brokenRules(document)).toEqual([]);
        expect(document.story?.title).not.toMatch(/[{}]|somebody|\.$/);
        expect(document.story?.sentences.length).toBeGreaterThanOrEqual(3);
        expect(document.story?.sentences.length).toBeLessThanOrEqual(7);
        expect(document.expected?.figures.length).toBeGreaterThan(0);
        const guilty = document.violations[0]?.eventId;
        expect(document.story?.sentences.map((sentence) => sentence.eventId)).toContain(guilty);
        expect(document.events.find((event) => event.id === guilty)?.important).toBe(true);
      });
    },
  );

  it.each<[string, Witness['figure']]>([
    [
      'log-grid',
      {
        kind: 'log-grid',
        atIndex: 5,
        members: [
          { name: 'etcd-0', commit: 5, entries: [{ index: 5, term: 2 }] },
          { name: 'etcd-1', commit: 4, entries: [{ index: 5, term: 3 }] },
        ],
      },
    ],
    [
      'intervals',
      {
        kind: 'intervals',
        rows: [
          { label: 'a', fromUs: us(3), toUs: us(5) },
          { label: 'b', fromUs: us(4), toUs: undefined },
        ],
      },
    ],
    [
      'count-line',
      {
        kind: 'line',
        label: 'pods',
        points: [
          { atUs: us(3), value: 3 },
          { atUs: us(4.25), value: 6 },
        ],
        low: 2,
        high: 4,
      },
    ],
    ['object-diff', { kind: 'object-diff', object: 'shop/web', rows: [{ field: 'status.replicas', expected: '3', actual: '2' }] }],
  ])('draws the witness of kind %s', (kind, figure) => {
    const violation = { property: 'raft-log-matching', witness: witnessOf('same-entry', ['etcd-0', 'etcd-1'], figure) };
    const failed = { ...result, status: 'violated' as const, violations: [violation] };
    const document = buildReport({ trial: trialOf(input, failed), result: failed, trace });
    expect(document.expected?.figures[0]?.kind).toBe(kind);
    expect(brokenRules(document)).toEqual([]);
  });
});
