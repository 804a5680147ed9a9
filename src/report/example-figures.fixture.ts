/** Expected against actual, and the object timelines, of the worked example; see example-document.fixture.ts. */
import type { ExpectedSection, ObjectPhase, ObjectTimeline } from './document.ts';
import { objectDiffLines } from './object-diff.ts';
import type { LogGridCell } from './figure.ts';

const us = (seconds: number): number => Math.round(seconds * 1e6);
const cell = (term: number, text: string, emphasis?: LogGridCell['emphasis']): LogGridCell => ({
  term,
  text,
  ...(emphasis === undefined ? {} : { emphasis }),
});

const before = [cell(2, 'lease kcm'), cell(2, 'pod …-b')];
const healed = [...before, cell(3, '(empty)'), cell(3, 'pod …-b')];

const acknowledged = {
  metadata: { name: 'web', resourceVersion: '88' },
  spec: { replicas: 3, paused: true },
  status: { updatedReplicas: 2 },
};
const readBack = { metadata: { name: 'web', resourceVersion: '104' }, spec: { replicas: 3 }, status: { updatedReplicas: 3 } };

// biome-ignore format: one line a row, as in the table it is
export const exampleExpected: ExpectedSection = {
  title: 'Entry 96 was on one disk of three when it was acknowledged',
  lede: 'A write may be acknowledged once a majority holds it. The thick line is the commit index of each member: what lies right of it was not safe yet.',
  figures: [
    {
      kind: 'log-grid',
      title: 'At 12.480 s',
      subtitle: 'the answer leaves api-2',
      indexes: [94, 95, 96, 97],
      rows: [
        { member: 'etcd-0', commitIndex: 96, cells: [...before, cell(3, '(empty)'), null] },
        { member: 'etcd-1', commitIndex: 96, cells: [...before, cell(3, '(empty)'), null] },
        { member: 'etcd-2', commitIndex: 95, cells: [...before, cell(2, 'paused', 'wrong'), null] },
      ],
      stored: [{ text: '3 of 3' }, { text: '3 of 3' }, { text: 't2 on 1', wrong: true }, { text: '' }],
    },
    {
      kind: 'log-grid',
      title: 'At 16.035 s',
      subtitle: 'the partition has healed',
      indexes: [94, 95, 96, 97],
      rows: [
        { member: 'etcd-0', cells: healed },
        { member: 'etcd-1', cells: healed },
        { member: 'etcd-2', cells: [...before, cell(3, '(empty)', 'replaced'), cell(3, 'pod …-b')] },
      ],
      stored: [{ text: '3 of 3' }, { text: '3 of 3' }, { text: 'pause lost', wrong: true }, { text: '3 of 3' }],
    },
    {
      kind: 'operations',
      title: 'Client history',
      subtitle: 'the longest legal order has 4 of 5 operations',
      note: 'If the pause came before 4, then 4 would have read paused: true. It returned before 4 began.',
      operations: [
        { client: 'ops', fromUs: us(0.4), toUs: us(0.44), label: 'create', position: 1, stateAfter: ['image 1.4', 'paused –'] },
        { client: 'ops', fromUs: us(8), toUs: us(8.031), label: 'image: 1.5', position: 2, stateAfter: ['image 1.5', 'paused –'] },
        { client: 'kcm', fromUs: us(8.04), toUs: us(8.05), label: 'get → 1.5', position: 3, stateAfter: ['image 1.5', 'paused –'] },
        { client: 'ops', fromUs: us(12.44), toUs: us(12.48), label: 'pause → 200', eventId: 'e17' },
        { client: 'ops', fromUs: us(16.402), toUs: us(16.438), label: 'get → no pause', position: 4, stateAfter: ['image 1.5', 'paused –'], eventId: 'e29' },
      ],
    },
    {
      kind: 'object-diff',
      title: 'Deployment web',
      subtitle: 'acknowledged at 12.480 s, read at 16.438 s through api-2',
      lines: objectDiffLines(acknowledged, readBack),
    },
  ],
  held: [
    {
      kind: 'count-line',
      title: 'rollout-bounds',
      subtitle: 'ready pods stay within 3 and 4',
      unit: 'ready pods',
      fromUs: us(7.6),
      toUs: us(16.6),
      bounds: [{ fromUs: us(7.6), toUs: us(16.6), min: 3, max: 4 }],
      points: [[7.6, 3], [9.78, 4], [9.846, 3], [12.544, 4], [12.741, 3], [14.43, 4], [14.484, 3]].map(([at = 0, value = 0]) => ({ atUs: us(at), value })),
      violationsUs: [],
    },
    {
      kind: 'intervals',
      title: 'pod-identity',
      subtitle: 'one kcm holds the lock throughout',
      note: 'A tick is a renewal, every 2 s; the lease lasts 15 s. A ring tries and finds it held.',
      fromUs: us(7.6),
      toUs: us(16.6),
      overlaps: [],
      rows: [
        { label: 'cp-0', bars: [], ticks: [8.9, 10.9, 12.9, 14.9].map((at) => ({ atUs: us(at), look: 'ring' })) },
        { label: 'cp-1', bars: [{ fromUs: us(7.6), toUs: us(16.6), label: 'holder' }], ticks: [8.6, 10.6, 12.612, 14.612].map((at) => ({ atUs: us(at), look: 'tick' })) },
        { label: 'cp-2', bars: [], ticks: [8.9, 10.9, 12.9, 14.9].map((at) => ({ atUs: us(at), look: 'ring' })) },
      ],
    },
  ],
};

/** Phases that follow each other until the end: start, look, label. */
function phases(...steps: readonly (readonly [number, ObjectPhase['look'] | 'gone', string?])[]): readonly ObjectPhase[] {
  return steps.flatMap(([from, look, label], index) => {
    const next = steps[index + 1];
    if (look === 'gone') return [];
    return [{ fromUs: us(from), look, ...(next === undefined ? {} : { toUs: us(next[0]) }), ...(label === undefined ? {} : { label }) }];
  });
}

const writes = (...list: readonly (readonly [number, string, string])[]) =>
  list.map(([at, resourceVersion, writer]) => ({ atUs: us(at), resourceVersion, writer }));

// biome-ignore format: one line a row, as in the table it is
export const exampleObjects: readonly ObjectTimeline[] = [
  { kind: 'Deployment', name: 'web', phases: phases([0.44, 'value', '1.4'], [8.031, 'value', 'rolling out 1.5'], [15.05, 'value', '1.5 complete']), writes: writes([8.031, '66', 'ops'], [15.05, '104', 'kcm']) },
  {
    kind: 'Deployment', name: 'web', belief: 'as ops was told', writes: [],
    phases: phases([12.48, 'wrong', '✖ paused: true, revision 88 from etcd-2; never stored by a majority'], [16.438, 'gone']),
  },
  { kind: 'ReplicaSet', name: 'web-5c9', phases: phases([0.6, 'value', '3'], [9.811, 'value', '2'], [12.69, 'value', '1'], [14.47, 'value', '0']), writes: writes([9.811, '77', 'kcm'], [12.69, '90', 'kcm'], [14.47, '100', 'kcm']) },
  { kind: 'ReplicaSet', name: 'web-7f4', phases: phases([8.052, 'value', '1'], [9.829, 'value', '2'], [12.712, 'value', '3']), writes: writes([8.052, '67', 'kcm'], [9.829, '78', 'kcm'], [12.712, '91', 'kcm']) },
  { kind: 'Pod', name: 'web-5c9-qx', phases: phases([0.6, 'ready'], [9.846, 'terminating'], [10.42, 'gone']), writes: writes([9.846, '80', 'kcm'], [10.42, '84', 'kubelet-3']) },
  { kind: 'Pod', name: 'web-7f4-a', phases: phases([8.083, 'starting'], [8.79, 'running'], [9.78, 'ready']), writes: writes([8.112, '70', 'scheduler'], [9.78, '75', 'kubelet-2']) },
  { kind: 'Pod', name: 'web-7f4-b', phases: phases([9.84, 'starting'], [10.64, 'running'], [12.544, 'ready']), writes: writes([9.868, '81', 'scheduler'], [10.64, '87', 'kubelet-3'], [12.544, '88', 'kubelet-3']) },
];
