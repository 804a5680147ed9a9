/** Stories of pods and nodes, from traces made by hand: what a reader is told, word for word. */
import { describe, expect, it } from 'vitest';
import type { FaultEffect } from '../harness/plan.ts';
import type { Violation } from '../harness/trial-result.ts';
import { brokenRules, plain } from './document-check.fixture.ts';
import { buildReport } from './story.ts';
import { fact, inputOf, message, note, traceOf, trialOf, us, violated } from './trace.fixture.ts';

const cluster = { preset: 'ha', kubernetes: true, controlPlanes: 3, workers: 2, zones: 3 } as const;
const cut: FaultEffect = {
  id: 'F1',
  kind: 'partition',
  label: 'partition worker-0 | rest',
  lanes: ['worker-0'],
  injectedAtUs: us(20),
  healedAtUs: us(150),
  touched: 40,
};
const planned = { id: 'F1', atMs: 20_000, forMs: 130_000, params: { kind: 'partition', hosts: ['worker-0'], oneWay: false } as never };

const facts = [
  fact(2.5, 'leading', 'kube-controller-manager', 'cp-1_abc', true),
  fact(2.6, 'leading', 'kube-scheduler', 'cp-2_def', true),
  fact(10, 'podBound', 'shop/db-0', 'uid-1', 'worker-0'),
  fact(10.1, 'containerStarted', 'worker-0', 'shop/db-0', 'uid-1', 'db', 'i1', 'db:1'),
  fact(20, 'nodeReachable', 'worker-0', false),
  fact(70, 'nodeCondition', 'worker-0', 'Unknown'),
  fact(100, 'podEvicted', 'shop/db-0', 'uid-1', 'worker-0', 'taint'),
  fact(100.1, 'podBound', 'shop/db-0', 'uid-2', 'worker-1'),
  fact(101, 'containerStarted', 'worker-1', 'shop/db-0', 'uid-2', 'db', 'i2', 'db:1'),
  fact(152, 'containerStopped', 'worker-0', 'shop/db-0', 'uid-1', 'db', 'i1', 137),
];
const notes = [
  note(0, 'worker-0', 'kubelet-worker-0', 'started', 'incarnation 1'),
  note(10.1, 'worker-0', 'ctr/uid-1/db/0', 'started', 'incarnation 1'),
];

const twice: Violation = {
  property: 'pod-identity',
  witness: {
    clause: 'one-uid-per-name',
    atUs: us(101),
    sentence: 'shop/db-0 started on worker-1 while it was still running on worker-0.',
    expected: 'shop/db-0 runs once',
    actual: 'shop/db-0 runs on worker-0 and on worker-1',
    subjects: ['worker-0', 'worker-1'],
    facts: [
      { atUs: us(10.1), subject: 'worker-0', text: 'starts db of shop/db-0 (uid uid-1)' },
      { atUs: us(101), subject: 'worker-1', text: 'starts db of shop/db-0 (uid uid-2)' },
    ],
    figure: {
      kind: 'intervals',
      rows: [
        { label: 'shop/db-0 on worker-0', fromUs: us(10.1), toUs: undefined },
        { label: 'shop/db-0 on worker-1', fromUs: us(101), toUs: undefined },
      ],
    },
  },
};

describe('the story of a pod that runs twice', () => {
  const input = inputOf({
    cluster,
    faults: [planned],
    timing: { applyAtMs: 5000, chaosFromMs: 15_000, healAtMs: 200_000, settleMs: 60_000 },
  });
  const result = { ...violated(twice, [cut]), endUs: us(200), healedAtUs: us(200) };
  const document = buildReport({ trial: trialOf(input, result), result, trace: traceOf({ facts, notes }) });
  const story = (document.story?.sentences ?? []).map((sentence) => plain(sentence.text));

  it('goes from the partition over the eviction to the second start', () => {
    expect(brokenRules(document)).toEqual([]);
    expect(document.story?.title).toBe('Two pods of one name ran at the same time');
    expect(story).toEqual([
      'scheduler-2 binds pod shop/db-0 to worker-0.',
      'worker-0 starts container db of shop/db-0 (db:1).',
      'F1 cuts worker-0 off from all other hosts. Therefore worker-0 can no longer reach any API server.',
      'worker-0 is Ready Unknown in the API, 50.0 s after it was cut off.',
      'kcm-1 evicts pod shop/db-0 from worker-0 (taint), 80.0 s after it was cut off.',
      'scheduler-2 binds pod shop/db-0 to worker-1.',
      'worker-1 starts container db of shop/db-0 (db:1). Because a name is given again only when the pod before has surely stopped: a database with two first members destroys its data, this had to be: shop/db-0 runs once; however, it was: shop/db-0 runs on worker-0 and on worker-1.',
    ]);
  });

  it('leads from the second start back to the fault', () => {
    const byId = new Map(document.events.map((event) => [event.id, event]));
    const kinds: string[] = [];
    for (let id = document.violations[0]?.eventId; id !== undefined; id = byId.get(id)?.causes[0]) kinds.push(byId.get(id)?.kind ?? '');
    expect(kinds).toEqual(['containerStarted', 'podBound', 'podEvicted', 'nodeCondition', 'nodeReachable', 'fault']);
  });

  it('draws how long both ran', () => {
    const figure = document.expected?.figures[0];
    expect(figure).toMatchObject({ kind: 'intervals', overlaps: [{ fromUs: us(101), toUs: us(152), label: '51.0 s together' }] });
  });

  it('puts the controllers that did it on lanes of their own', () => {
    expect(document.lanes.map((lane) => lane.id)).toEqual(
      expect.arrayContaining(['kcm-1', 'scheduler-2', 'kubelet-worker-0', 'kubelet-worker-1']),
    );
    expect(document.lanes.find((lane) => lane.id === 'kcm-1')?.states).toEqual([
      { fromUs: us(2.5), state: 'leader', label: 'holds the lease', callout: true },
    ]);
    expect(document.lanesOmitted).toContain('kcm-0');
  });
});

describe('the story of a kubelet that was told old news', () => {
  const stall: FaultEffect = {
    id: 'F1',
    kind: 'watch-stall',
    label: 'stall watch * of api-1',
    lanes: ['api-1'],
    injectedAtUs: us(60),
    healedAtUs: us(120),
    touched: 30,
  };
  const story = (askedAt: number): readonly string[] => {
    const input = inputOf({ cluster, timing: { applyAtMs: 5000, chaosFromMs: 15_000, healAtMs: 200_000, settleMs: 60_000 } });
    const result = { ...violated({ ...twice, witness: { ...twice.witness, atUs: us(76) } }, [stall]), endUs: us(200), healedAtUs: us(200) };
    const list = { t: 'open', id: 1, method: 'watch', body: { verb: 'watch', resource: 'pods', user: { name: 'system:node:worker-1' } } };
    const trace = traceOf({
      messages: [message(1, askedAt, 'kubelet-worker-1@worker-1', 'api-1@cp-1', list, askedAt + 0.001)],
      notes: [
        note(0, 'worker-1', 'kubelet-worker-1', 'started', 'incarnation 1'),
        note(72, 'worker-1', 'kubelet-worker-1', 'killed'),
        note(74, 'worker-1', 'kubelet-worker-1', 'started', 'incarnation 2'),
      ],
      facts: [
        fact(10, 'podBound', 'shop/db-0', 'uid-1', 'worker-1'),
        fact(61, 'containerStarted', 'worker-0', 'shop/db-0', 'uid-2', 'db', 'i1', 'db:1'),
        fact(75.1, 'podAdmitted', 'worker-1', 'shop/db-0', 'uid-1', 100, 100),
        fact(76, 'containerStarted', 'worker-1', 'shop/db-0', 'uid-1', 'db', 'i2', 'db:1'),
      ],
    });
    return (buildReport({ trial: trialOf(input, result), result, trace }).story?.sentences ?? []).map((sentence) => plain(sentence.text));
  };

  it('says from whom, and for how long that one had heard nothing', () => {
    expect(story(75)).toContain(
      'kubelet-worker-1, started again, asks api-1 for its pods; F1 has held back what api-1 hears from etcd for 15.0 s. Therefore worker-1 still takes shop/db-0 for its own.',
    );
  });

  it('says nothing of the kind when the API server was up to date', () => {
    expect(story(59).filter((sentence) => sentence.includes('asks api-1'))).toEqual([]);
  });
});
