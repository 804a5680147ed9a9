/** The report of a trial that held: what ran, what the plan touched, what was judged. And how the two other verdicts look. */
import type { Lane, ReportDocument } from './document.ts';
import { exampleHistogram } from './example-document.fixture.ts';

const us = (seconds: number): number => Math.round(seconds * 1e6);
const lane = (id: string, kind: Lane['kind'], group: string, host: string, states: Lane['states'] = []): Lane => ({
  id,
  kind,
  group,
  host,
  role: host,
  states,
});
const detail = (fields: Record<string, string>) => Object.entries(fields);

// biome-ignore format: one line a row, as in the table it is
export const examplePass: ReportDocument = {
  formatVersion: 1,
  verdict: {
    status: 'pass',
    sentence: 'A rollout of web finished within its bounds while a worker was lost and the leader of etcd changed.',
    trialId: 't-01c2',
    seed: '0x1',
    scenario: 'first-sail',
    virtualTimeUs: us(120),
    faults: { found: 3, shown: 3 },
    reproduced: { same: 2, tried: 2 },
    chips: [{ label: 'Models', text: 'Kubernetes 1.35, etcd 3.6' }],
  },
  commands: [
    { label: 'Run it again', command: 'npx seatrial run scenarios/first-sail.yaml --seed 0x1' },
    { label: 'More seeds', command: 'npx seatrial run scenarios/*.yaml --seeds 200' },
  ],
  story: {
    title: 'The cluster came through, and was quiet at the end',
    sentences: [
      { atUs: us(10), icon: 'client', eventId: 'e1', text: [{ kind: 'strong', text: 'ops' }, ' starts a rollout of web to image 1.5.'] },
      { atUs: us(18), icon: 'fault', eventId: 'e2', text: [{ kind: 'strong', text: 'worker-2' }, ' stops. Its two pods are replaced on worker-1 and worker-3 after the ', { kind: 'term', text: 'grace period', definition: '50 s without a heartbeat before a node counts as lost' }, '.'] },
      { atUs: us(31), icon: 'etcd', eventId: 'e3', text: [{ kind: 'strong', text: 'etcd-0' }, ' crashes as leader; etcd-1 leads term 2 from 32.410 s.'] },
      { atUs: us(84.2), icon: 'controller', eventId: 'e5', text: ['All three replicas run the new image and are ready; no ready backend was missing at any time.'] },
    ],
  },
  run: {
    endUs: us(120),
    eventsTotal: 31244,
    phases: [{ label: 'chaos', fromUs: 0, toUs: us(60) }, { label: 'liveness, quiet from 86.0 s', fromUs: us(60), toUs: us(120) }],
    histogram: { binUs: us(0.5), counts: exampleHistogram(24, (at) => (at < 1 ? 2.2 : at < 12 ? 1.1 : 0.6)) },
  },
  diagramTitle: 'Three faults, one rollout, and no moment without a ready pod',
  lanes: [
    lane('ops', 'client', 'Clients', 'Clients'),
    lane('api-0', 'api-server', 'API servers', 'cp-0'),
    lane('etcd-0', 'etcd', 'etcd', 'cp-0', [
      { fromUs: 0, toUs: us(31), state: 'leader', label: 'leader t1', callout: true },
      { fromUs: us(31), toUs: us(41), state: 'down', label: 'down' },
      { fromUs: us(41), state: 'follower', label: 'follower t2' },
    ]),
    lane('etcd-1', 'etcd', 'etcd', 'cp-1', [
      { fromUs: 0, toUs: us(32.4), state: 'follower', label: 'follower t1' },
      { fromUs: us(32.4), toUs: us(32.41), state: 'candidate', label: 'candidate t2' },
      { fromUs: us(32.41), state: 'leader', label: 'leader t2', callout: true },
    ]),
    lane('kcm', 'controller', 'Controllers', 'cp-1'),
    lane('kubelet-2', 'kubelet', 'Kubelets', 'worker-2', [
      { fromUs: 0, toUs: us(18), state: 'up' },
      { fromUs: us(18), toUs: us(58), state: 'down', label: 'down' },
    ]),
  ],
  events: [
    { id: 'e1', atUs: us(10.007), lane: 'ops', mark: 'client', kind: 'request', label: 'PATCH image', title: 'ops asks for image 1.5', detail: detail({ verb: 'PATCH deploy/web' }), causes: [], important: true },
    { id: 'e2', atUs: us(18), lane: 'kubelet-2', mark: 'crash', kind: 'fault', label: '', title: 'F1 stops worker-2', detail: detail({ fault: 'F1', down: '40 s' }), causes: [], important: true, faultId: 'F1' },
    { id: 'e3', atUs: us(31), lane: 'etcd-0', mark: 'crash', kind: 'fault', label: '', title: 'F2 crashes etcd-0', detail: detail({ fault: 'F2', role: 'leader, term 1' }), causes: [], important: true, faultId: 'F2' },
    { id: 'e4', atUs: us(32.41), lane: 'etcd-1', mark: 'state', kind: 'state', label: '', title: 'etcd-1 leads term 2', detail: detail({ term: '2' }), causes: ['e3'], important: true },
    { id: 'e5', atUs: us(84.2), lane: 'kcm', mark: 'message', kind: 'request', label: 'status 3 of 3', title: 'The rollout is complete', detail: detail({ ready: '3 of 3', updated: '3 of 3' }), causes: ['e1', 'e4'], important: true },
  ],
  messages: [
    { eventId: 'e1', from: { lane: 'ops', atUs: us(10) }, to: { lane: 'api-0', atUs: us(10.007) }, kind: 'client' },
    { eventId: 'e5', from: { lane: 'kcm', atUs: us(84.194) }, to: { lane: 'api-0', atUs: us(84.2) }, kind: 'internal' },
  ],
  operations: [{ lane: 'ops', fromUs: us(10), toUs: us(10.021), label: 'set image', outcome: 'ok', eventIds: ['e1'] }],
  faults: [
    { id: 'F1', label: 'host stop', lanes: ['kubelet-2'], injectUs: us(18), healUs: us(58) },
    { id: 'F2', label: 'crash', lanes: ['etcd-0'], injectUs: us(31), healUs: us(41) },
  ],
  violations: [],
  objects: [],
  plan: {
    title: 'Three faults, of which two touched something',
    rows: [
      { id: 'F1', kind: 'host-stop', what: 'worker-2', injectUs: us(18), healUs: us(58), touched: [{ what: 'pods lost', count: 2 }, { what: 'connections reset', count: 9 }] },
      { id: 'F2', kind: 'crash', what: 'process etcd-0', injectUs: us(31), healUs: us(41), touched: [{ what: 'leader lost', count: 1 }] },
      { id: 'F3', kind: 'link-loss', what: 'cp-0 → worker-1, 20 %', injectUs: us(55), healUs: us(55.2), touched: [{ what: 'messages dropped', count: 0 }] },
    ],
    yaml: 'faults:\n  - id: F1\n    hostStop: { host: worker-2 }\n    at: 18s\n    for: 40s\n  - id: F2\n    crash: { process: etcd-0 }\n    at: 31s\n    for: 10s\n  - id: F3\n    linkLoss: { from: cp-0, to: worker-1, ratio: 20/100 }\n    at: 55s\n    for: 200ms',
  },
  properties: [
    { property: 'raft-election-safety', outcome: 'held', checks: 2 },
    { property: 'durable-writes', outcome: 'held', checks: 412 },
    { property: 'rollout-bounds', outcome: 'held', checks: 38 },
    { property: 'service-availability', outcome: 'held', checks: 5210 },
    { property: 'eventual-reconciliation', outcome: 'held', checks: 6 },
    { property: 'split-brain-read-only', outcome: 'not-exercised', checks: 0, reason: 'no side without quorum existed' },
  ],
  evidence: {
    digest: '91c0 22fe 4b1d 0077',
    versions: [{ label: 'seatrial', text: '0.1.0', mono: true }, { label: 'Node.js', text: '24.21.0', mono: true }],
    log: [],
    logTotal: 5120,
  },
};

/** A property that the scenario requires gave up: no verdict, but a next step. */
export const exampleInconclusive: ReportDocument = {
  ...examplePass,
  verdict: {
    ...examplePass.verdict,
    status: 'inconclusive',
    property: 'correct-reads',
    sentence: 'Give correct-reads more room: it gave up after 2,000,000 steps with 412 open operations.',
    trialId: 't-02aa',
  },
  commands: [{ label: 'Next step', command: 'npx seatrial replay .seatrial/t-02aa.yaml --budget 20M' }, ...examplePass.commands],
  properties: [
    { property: 'correct-reads', outcome: 'gave-up', checks: 1200, reason: 'budget of 2,000,000 steps used up' },
    ...examplePass.properties,
  ],
};

/** seatrial itself failed: nothing is said about the cluster, and there is no story. */
export const exampleHarnessError: ReportDocument = (({ story: _, ...rest }) => ({
  ...rest,
  verdict: {
    ...rest.verdict,
    status: 'harness-error' as const,
    sentence: 'The simulation stood still: 100,000 events at 31.000000 s, the last of them in process kcm.',
    trialId: 't-03bb',
  },
  events: [],
  messages: [],
  operations: [],
  properties: [],
}))(examplePass);
