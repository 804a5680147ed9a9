/**
 * The worked example of the report: etcd-2, cut off from the majority, acknowledges a write (defect `etcd.reply-before-commit`). The data
 * is invented but consistent: index = revision + 8 in term 2, + 9 in term 3 (its empty entry); heartbeat 100 ms, election 1 to 2 s, quorum
 * check every 1 s, so the old leader may legally linger until 12.598 s. Used by tests and to look at the viewer.
 */
import type { EventMark, FaultBand, FaultPlan, Lane, LaneState, ReportDocument, ReportEvent, ReportMessage, Story } from './document.ts';
import { exampleExpected, exampleObjects } from './example-figures.fixture.ts';

/** Seconds to integer microseconds. */
const us = (seconds: number): number => Math.round(seconds * 1e6);

/** id, sent, took effect, from, to, mark, kind, label, title, text, detail, causes. */
type Row = readonly [
  number,
  number,
  number,
  string,
  string,
  EventMark,
  string,
  string,
  string,
  string,
  Record<string, string>,
  readonly number[],
];

// biome-ignore format: one line a row, as in the table it is
const ROWS: readonly Row[] = [
  [1, 3.1, 3.1, 'etcd-0', '', 'crash', 'fault', '', 'F1 crashes etcd-0', 'The leader of term 1 stops where it stands. Its memory is gone, its disk stays. It comes back at 5.100 s as a follower.', { fault: 'F1', role: 'leader, term 1', down: '2.000 s' }, []],
  [2, 4.58, 4.589, 'etcd-2', 'etcd-1', 'message', 'vote', 'vote t2?', 'etcd-2 asks for a vote in term 2', 'No heartbeat for 1.470 s (its drawn election timeout), and the pre-vote round from 4.562 s was granted.', { term: '1 → 2', 'last entry': '21, term 1' }, [1]],
  [3, 4.589, 4.598, 'etcd-1', 'etcd-2', 'message', 'vote', 'yes', 'etcd-1 grants it: etcd-2 leads term 2', 'Two of three votes, its own included. The quorum check of the new leader runs once a second from here: …, 11.598, 12.598 s.', { term: '2', votes: '2 of 3' }, [2]],
  [4, 11, 11, 'etcd-2', '', 'inject', 'fault', '', 'F2 cuts cp-2 off', 'api-2 and etcd-2 can no longer exchange messages with cp-0 and cp-1. Clients and workers still reach all three hosts.', { fault: 'F2', groups: 'cp-2 | cp-0, cp-1', until: '16.000 s' }, []],
  [5, 10.998, 11, 'etcd-2', 'etcd-1', 'message', 'heartbeat', '', 'Heartbeat lost in flight', 'Sent 2 ms before the partition, not yet delivered when it began.', { term: '2', dropped: 'by F2' }, [3, 4]],
  [6, 10.998, 11, 'etcd-2', 'etcd-0', 'message', 'heartbeat', 'heartbeat', 'Heartbeat lost in flight', 'The last heartbeat that etcd-0 received arrived at 10.907 s.', { term: '2', dropped: 'by F2' }, [3, 4]],
  [7, 12.19, 12.199, 'etcd-0', 'etcd-1', 'message', 'vote', 'vote t3?', 'etcd-0 asks for a vote in term 3', 'No heartbeat since 10.907 s. Its timeout of 1.265 s ended at 12.172 s, and the pre-vote was granted.', { term: '2 → 3', 'last entry': '95, term 2' }, [6]],
  [8, 12.199, 12.208, 'etcd-1', 'etcd-0', 'message', 'vote', 'yes', 'etcd-1 grants it: etcd-0 leads term 3', 'Legal: two leaders may exist at once as long as their terms differ and only one of them can reach a majority.', { term: '3', votes: '2 of 3' }, [7]],
  [9, 12.208, 12.217, 'etcd-0', 'etcd-1', 'message', 'append', 'append 96', 'Term 3 opens with an empty entry', 'Entry 96 of term 3. etcd-1 stores it at 12.225 s; it is committed at 12.234 s.', { entry: '96, term 3', content: 'empty' }, [8]],
  [10, 12.3, 12.3, 'api-0', '', 'crash', 'fault', '', 'F3 crashes api-0', 'Down for 1.000 s. Open connections are reset, new ones refused.', { fault: 'F3', reset: '2 connections', down: '1.000 s' }, []],
  [11, 12.44, 12.447, 'ops', 'api-0', 'client', 'request', 'refused', 'api-0 refuses the connection', 'kubectl rollout pause deployment/web tries the first server of its list.', { verb: 'PATCH deploy/web', answer: 'connection refused' }, [10]],
  [12, 12.452, 12.459, 'ops', 'api-2', 'client', 'request', 'PATCH paused', 'The same request goes to api-2', 'The second server on the list is the one that is cut off. It cannot tell.', { verb: 'PATCH deploy/web', patch: 'spec.paused: true', precondition: 'none' }, [11]],
  [13, 12.46, 12.461, 'api-2', 'etcd-2', 'message', 'request', 'put', 'etcd-2 appends entry 96', 'It still believes that it leads term 2: its next quorum check is 137 ms away.', { entry: '96, term 2', 'commit index': '95', stored: '1 of 3' }, [12, 3]],
  [14, 12.462, 12.471, 'etcd-2', 'etcd-1', 'message', 'append', '', 'Copy to etcd-1 lost', 'Dropped by the partition. No acknowledgement can come back.', { entry: '96, term 2', dropped: 'by F2' }, [13, 4]],
  [15, 12.463, 12.472, 'etcd-2', 'etcd-0', 'message', 'append', 'append 96, lost twice', 'Copy to etcd-0 lost', 'Dropped by the partition. Entry 96 of term 3 is already stored there.', { entry: '96, term 2', dropped: 'by F2' }, [13, 4]],
  [16, 12.472, 12.473, 'etcd-2', 'api-2', 'message', 'answer', 'ok', 'etcd-2 answers before it commits', 'Its own log is synced, and that was enough: the defect. The line that waits for commit ≥ 96 is switched off.', { entry: '96, term 2', 'commit index': '95', stored: '1 of 3', defect: 'reply-before-commit' }, [13]],
  [17, 12.473, 12.48, 'api-2', 'ops', 'client', 'answer', '200 OK', 'A write is acknowledged without a majority', 'ops holds 200 OK with revision 88. One disk of three has the entry. The side without quorum must reject every write.', { answer: '200 OK', revision: '88', stored: '1 of 3', needed: '2 of 3' }, [16, 14, 15]],
  [18, 12.5, 12.506, 'kubelet-3', 'api-1', 'message', 'request', 'PATCH status', 'kubelet-3 reports pod web-7f4-b ready', 'Ready on the node since 11.640 s; two earlier reports failed because there was no leader.', { verb: 'PATCH pods/status', attempt: '3' }, [8]],
  [19, 12.508, 12.517, 'etcd-1', 'etcd-0', 'message', 'propose', '', 'etcd-1 forwards the write to its leader', 'Followers hand proposals on. etcd-0 appends entry 97.', { entry: '97, term 3' }, [18]],
  [20, 12.518, 12.527, 'etcd-0', 'etcd-1', 'message', 'append', 'append 97', 'Entry 97 is copied to etcd-1', 'Synced there at 12.535 s.', { entry: '97, term 3', content: 'pod/web-7f4-b' }, [19]],
  [21, 12.535, 12.544, 'etcd-1', 'etcd-0', 'message', 'append', '', 'Entry 97 commits: revision 88, the second one', 'Two of three have it. The number 88 now names two different writes, and only this one will last.', { entry: '97, term 3', revision: '88', stored: '2 of 3' }, [20]],
  [22, 12.598, 12.598, 'etcd-2', '', 'state', 'state', 'steps down', 'etcd-2 steps down', 'Its quorum check finds nobody active within the last second. It stays without a leader.', { term: '2', role: 'leader → follower' }, [4]],
  [23, 12.64, 12.646, 'kcm', 'api-1', 'message', 'request', 'scale old 2→1', 'The rollout goes on', 'The new pod is ready, and the controller sees no pause: it scales web-5c9 from 2 to 1.', { verb: 'PUT rs/web-5c9', replicas: '2 → 1', revision: '90 (at 12.690)' }, [21]],
  [24, 16, 16, 'etcd-2', '', 'heal', 'fault', 'heal', 'F2 ends', 'All links are open again. 86 messages were dropped.', { fault: 'F2', lasted: '5.000 s' }, [4]],
  [25, 16.008, 16.017, 'etcd-0', 'etcd-2', 'message', 'heartbeat', 'heartbeat t3', 'etcd-2 hears of term 3', 'It becomes a follower of etcd-0.', { term: '2 → 3' }, [24, 8]],
  [26, 16.017, 16.026, 'etcd-2', 'etcd-0', 'message', 'heartbeat', '', 'etcd-2 answers', 'etcd-0 may now send it what it lacks.', { term: '3' }, [25]],
  [27, 16.026, 16.035, 'etcd-0', 'etcd-2', 'message', 'append', 'append 96–113', 'etcd-2 replaces its entry 96', 'Same index, other term: raft deletes the follower’s entry and takes the leader’s. Correct by itself, the entry was never committed.', { deleted: '96, term 2', stored: '96–113, term 3' }, [26, 21]],
  [28, 16.402, 16.409, 'ops', 'api-2', 'client', 'request', 'GET', 'ops reads the Deployment', 'A linearizable read through the same server.', { verb: 'GET deploy/web' }, [24]],
  [29, 16.431, 16.438, 'api-2', 'ops', 'client', 'answer', 'no pause', 'The pause is not there', 'paused is absent and nobody removed it. The rollout has completed.', { answer: '200 OK', revision: '104', 'spec.paused': 'absent' }, [28, 27]],
];

const FAULT_OF: Readonly<Record<number, string>> = { 1: 'F1', 4: 'F2', 5: 'F2', 6: 'F2', 10: 'F3', 11: 'F3', 14: 'F2', 15: 'F2', 24: 'F2' };

const sliceEvents: readonly ReportEvent[] = ROWS.map(([id, , at, from, , mark, kind, label, title, text, detail, causes]) => {
  const faultId = FAULT_OF[id];
  return {
    id: `e${id}`,
    atUs: us(at),
    lane: from,
    mark,
    kind,
    label,
    title,
    text,
    detail: Object.entries(detail),
    causes: causes.map((cause) => `e${cause}`),
    important: true,
    ...(faultId === undefined ? {} : { faultId }),
  };
});

const sliceMessages: readonly ReportMessage[] = ROWS.flatMap(([id, sent, at, from, to, mark]): readonly ReportMessage[] => {
  if (to === '') return [];
  const message: ReportMessage = {
    eventId: `e${id}`,
    from: { lane: from, atUs: us(sent) },
    to: { lane: to, atUs: us(at) },
    kind: mark === 'client' ? 'client' : 'internal',
  };
  if (id === 11) return [{ ...message, lost: { atUs: us(at), where: 'receiver', faultId: 'F3', why: 'connection refused' } }];
  if (FAULT_OF[id] === 'F2') return [{ ...message, lost: { atUs: us(at), where: 'in-flight', faultId: 'F2', why: 'partition F2' } }];
  return [message];
});

/** What "show all" adds: heartbeats of the leader, drawn as background. */
const backgroundEvents: ReportEvent[] = [];
const backgroundMessages: ReportMessage[] = [];
for (let at = 4.7; at < 17; at += 0.1) {
  const leader = at < 12.21 ? 'etcd-2' : 'etcd-0';
  for (const follower of ['etcd-0', 'etcd-1', 'etcd-2']) {
    if (follower === leader || (follower === 'etcd-0' && at < 5.1)) continue;
    const id = `h${backgroundEvents.length + 1}`;
    const lost = at > 11 && at < 16 && (leader === 'etcd-2' || follower === 'etcd-2');
    const term = leader === 'etcd-2' ? '2' : '3';
    backgroundEvents.push({
      id,
      atUs: us(at + 0.009),
      lane: leader,
      mark: 'message',
      kind: 'heartbeat',
      label: '',
      title: lost ? `Heartbeat to ${follower} lost` : `${leader} sends ${follower} a heartbeat`,
      detail: [['term', term]],
      causes: [],
      important: false,
    });
    backgroundMessages.push({
      eventId: id,
      from: { lane: leader, atUs: us(at) },
      to: { lane: follower, atUs: us(at + 0.009) },
      kind: 'internal',
      ...(lost ? { lost: { atUs: us(at + 0.005), where: 'in-flight', faultId: 'F2', why: 'partition F2' } } : {}),
    });
  }
}

const events = [...sliceEvents, ...backgroundEvents]
  .map((event, order) => ({ event, order }))
  .sort((a, b) => a.event.atUs - b.event.atUs || a.order - b.order)
  .map(({ event }) => event);

/** Segments that follow each other: start, state, label, callout. */
function states(...steps: readonly (readonly [number, LaneState['state'], string?, (string | true)?])[]): readonly LaneState[] {
  return steps.map(([from, state, label, callout], index) => {
    const next = steps[index + 1];
    return {
      fromUs: us(from),
      state,
      ...(next === undefined ? {} : { toUs: us(next[0]) }),
      ...(label === undefined ? {} : { label }),
      ...(callout === undefined ? {} : { callout }),
    };
  });
}

// biome-ignore format: one line a row, as in the table it is
const lanes: readonly Lane[] = [
  { id: 'ops', kind: 'client', group: 'Clients', host: 'Clients', role: 'kubectl user', states: [] },
  { id: 'api-0', kind: 'api-server', group: 'API servers', host: 'Host cp-0', role: 'cp-0', states: states([0, 'up'], [12.3, 'down', 'down'], [13.3, 'up']) },
  { id: 'api-1', kind: 'api-server', group: 'API servers', host: 'Host cp-1', role: 'cp-1', states: [] },
  { id: 'api-2', kind: 'api-server', group: 'API servers', host: 'Host cp-2', role: 'cp-2', states: [] },
  {
    id: 'etcd-2', kind: 'etcd', group: 'etcd', host: 'Host cp-2', role: 'cp-2',
    states: states([0, 'follower', 'follower t1'], [4.58, 'candidate', 'candidate t2'], [4.598, 'leader', 'leader t2', true], [11, 'leader-without-quorum', 'leader t2', 'still leader t2, no quorum'], [12.598, 'no-leader', 'no leader t2'], [16.017, 'follower', 'follower t3']),
  },
  { id: 'etcd-1', kind: 'etcd', group: 'etcd', host: 'Host cp-1', role: 'cp-1', states: states([0, 'follower', 'follower t1'], [4.589, 'follower', 'follower t2'], [12.199, 'follower', 'follower t3']) },
  { id: 'etcd-0', kind: 'etcd', group: 'etcd', host: 'Host cp-0', role: 'cp-0', states: states([0, 'leader', 'leader t1'], [3.1, 'down', 'down'], [5.1, 'follower', 'follower t2'], [12.19, 'candidate', 'candidate t3'], [12.208, 'leader', 'leader t3', true]) },
  { id: 'kcm', kind: 'controller', group: 'Controllers', host: 'Host cp-1', role: 'controllers, cp-1', states: [] },
  { id: 'kubelet-3', kind: 'kubelet', group: 'Kubelets', host: 'Workers', role: 'worker-3', states: [] },
];

const faults: readonly FaultBand[] = [
  { id: 'F1', label: 'crash', lanes: ['etcd-0'], injectUs: us(3.1), healUs: us(5.1) },
  { id: 'F2', label: 'partition cp-2 | cp-0, cp-1', lanes: ['api-2', 'etcd-2'], injectUs: us(11), healUs: us(16) },
  { id: 'F3', label: 'crash', lanes: ['api-0'], injectUs: us(12.3), healUs: us(13.3) },
];

const strong = (text: string) => ({ kind: 'strong', text }) as const;

// biome-ignore format: one line a row, as in the table it is
const story: Story = {
  title: 'A pause was promised, and the rollout went on',
  sentences: [
    { atUs: us(3.1), icon: 'etcd', eventId: 'e1', alsoEventIds: ['e2', 'e3'], text: [strong('etcd-0'), ', leader of ', { kind: 'term', text: 'term', definition: 'an election round, with at most one leader' }, ' 1, crashes. etcd-2 wins the next election and leads term 2 from 4.598 s.'] },
    { atUs: us(11), icon: 'network', eventId: 'e4', alsoEventIds: ['e5', 'e6'], text: ['A partition cuts ', strong('cp-2'), ' (api-2 and etcd-2) off from cp-0 and cp-1. Clients still reach all three hosts.'] },
    { atUs: us(12.208), icon: 'etcd', eventId: 'e8', alsoEventIds: ['e7'], text: ['Because ', strong('etcd-0'), ' has heard no heartbeat for 1.265 s, it is elected in term 3. etcd-2 cannot know: until 12.598 s both lead, but only etcd-0 reaches a ', { kind: 'term', text: 'majority', definition: 'two of three' }, '.'] },
    { atUs: us(12.3), icon: 'api-server', eventId: 'e10', alsoEventIds: ['e11', 'e12'], text: [strong('api-0'), ' crashes. Therefore ', { kind: 'code', text: 'kubectl rollout pause' }, ' is refused there and goes to api-2, on the wrong side.'] },
    { atUs: us(12.48), icon: 'etcd', eventId: 'e17', alsoEventIds: ['e13', 'e14', 'e15', 'e16'], text: [strong('etcd-2'), ' writes the pause to its own disk as entry 96. Both copies are dropped. It should have waited for a majority; however, ops gets ', strong('200 OK, revision 88'), '.'] },
    { atUs: us(12.544), icon: 'etcd', eventId: 'e21', alsoEventIds: ['e18', 'e19', 'e20', 'e23'], text: ['The ', strong('majority'), ' gives revision 88 to another write, pod web-7f4-b is ready, and the controllers continue the rollout they were told to pause.'] },
    { atUs: us(16.035), icon: 'etcd', eventId: 'e27', alsoEventIds: ['e25', 'e26', 'e28', 'e29'], text: ['After healing, ', strong('etcd-2'), ' must follow term 3 and replaces its entry 96. At 16.438 s ops reads the Deployment: no pause. An acknowledged write is gone, a contradiction.'] },
  ],
};

// biome-ignore format: one line a row, as in the table it is
const plan: FaultPlan = {
  title: 'Three faults are enough; each one is needed',
  rows: [
    { id: 'F1', kind: 'crash', what: 'process etcd-0', injectUs: us(3.1), healUs: us(5.1), touched: [{ what: 'leader lost', count: 1 }, { what: 'connections reset', count: 4 }], without: { status: 'pass', text: 'etcd-0 leads; etcd-2 cannot answer' } },
    { id: 'F2', kind: 'partition', what: 'cp-2 | cp-0, cp-1', injectUs: us(11), healUs: us(16), touched: [{ what: 'messages dropped', count: 86 }], without: { status: 'pass', text: 'entry reaches the others' } },
    { id: 'F3', kind: 'crash', what: 'process api-0', injectUs: us(12.3), healUs: us(13.3), touched: [{ what: 'connections reset', count: 2 }, { what: 'connections refused', count: 1 }], without: { status: 'pass', text: 'the write goes to the majority' } },
  ],
  yaml: `faults:
  - id: F1
    crash: { process: etcd-0 }
    at: 3.100s
    for: 2.000s      # lost: leader of term 1
  - id: F2
    partition: { groups: [[cp-2], [cp-0, cp-1]] }
    at: 11.000s
    for: 5.000s      # dropped: 86 messages
  - id: F3
    crash: { process: api-0 }
    at: 12.300s
    for: 1.000s      # reset: 2 connections, refused: 1
defects: [etcd.reply-before-commit]`,
};

/** Events in each tenth of a second; a fixed pattern that looks like a run. */
export function exampleHistogram(endSeconds: number, busy: (seconds: number) => number): readonly number[] {
  return Array.from({ length: endSeconds * 10 }, (_, bin) =>
    Math.max(2, Math.round(busy(bin / 10) * (26 + (((bin * 2654435761) >>> 8) % 17) * 2.4))),
  );
}

/** The report of the failed trial t-7f3a. */
// biome-ignore format: one line a row, as in the table it is
export const exampleFailure: ReportDocument = {
  formatVersion: 1,
  verdict: {
    status: 'fail',
    property: 'split-brain-read-only',
    clause: 'minority-acknowledges-write',
    sentence: 'etcd-2, cut off from the majority, acknowledged a write at 12.480 s that disappeared after healing.',
    expected: 'write rejected',
    actual: '200 OK, revision 88',
    trialId: 't-7f3a',
    seed: '0x9c41',
    scenario: 'raft/minority-read-only',
    virtualTimeUs: us(31),
    faults: { found: 41, shown: 3 },
    reproduced: { same: 3, tried: 3 },
    chips: [{ label: 'Commit', text: '4e1f9c2', mono: true }, { label: 'Models', text: 'Kubernetes 1.35, etcd 3.6' }],
  },
  commands: [
    { label: 'Replay', command: 'npx seatrial replay .seatrial/t-7f3a.yaml' },
    { label: 'Replay up to the violation', command: 'npx seatrial replay .seatrial/t-7f3a.yaml --until 12.48s --log' },
    { label: 'Shrink again', command: 'npx seatrial shrink .seatrial/t-7f3a.yaml' },
  ],
  story,
  run: {
    endUs: us(31),
    eventsTotal: 14310,
    phases: [{ label: 'chaos', fromUs: 0, toUs: us(17) }, { label: 'liveness, quiet from 18.2 s', fromUs: us(17), toUs: us(31) }],
    histogram: {
      binUs: us(0.1),
      counts: exampleHistogram(31, (at) => (at < 1.2 ? 2.1 : at > 3 && at < 4.6 ? 0.5 : at > 7.9 && at < 10.8 ? 1.4 : at > 11 && at < 12.2 ? 0.4 : at > 12.2 && at < 15.2 ? 1.3 : at > 16 && at < 16.3 ? 2 : at > 17 ? 0.6 : 1)),
    },
    window: { fromUs: us(2.9), toUs: us(16.7) },
  },
  diagramTitle: 'etcd-2 went on leading term 2 for 1.6 s after it lost its majority',
  lanes,
  lanesOmitted: 'No event in the slice: worker-1, worker-2, scheduler, kube-proxy, kcm on cp-0 and cp-2',
  events,
  messages: [...sliceMessages, ...backgroundMessages],
  operations: [
    { lane: 'ops', fromUs: us(12.44), toUs: us(12.48), label: 'rollout pause', outcome: 'ok', eventIds: ['e11', 'e12', 'e17'] },
    { lane: 'ops', fromUs: us(16.402), toUs: us(16.438), label: 'get deploy/web', outcome: 'ok', eventIds: ['e28', 'e29'] },
  ],
  faults,
  violations: [{ atUs: us(12.48), label: 'acknowledged with 1 of 3', property: 'split-brain-read-only', eventId: 'e17' }],
  expected: exampleExpected,
  objects: exampleObjects,
  plan,
  properties: [
    { property: 'split-brain-read-only', outcome: 'violated', checks: 214, reason: 'clause minority-acknowledges-write' },
    { property: 'raft-election-safety', outcome: 'held', checks: 2 },
    { property: 'raft-log-matching', outcome: 'held', checks: 1911 },
    { property: 'raft-leader-completeness', outcome: 'held', checks: 3 },
    { property: 'raft-state-machine-safety', outcome: 'held', checks: 336 },
    { property: 'watch-ordered', outcome: 'held', checks: 2870 },
    { property: 'eventual-reconciliation', outcome: 'held', checks: 6 },
    { property: 'rollout-bounds', outcome: 'held', checks: 41 },
    { property: 'pod-identity', outcome: 'held', checks: 12 },
    { property: 'service-availability', outcome: 'held', checks: 3100 },
    { property: 'node-capacity', outcome: 'held', checks: 7 },
    { property: 'watch-resumable', outcome: 'not-exercised', checks: 0, reason: 'no watch was interrupted' },
  ],
  evidence: {
    digest: '5e1b 07c4 93aa d210',
    versions: [
      { label: 'seatrial', text: '0.4.0 (4e1f9c2)', mono: true },
      { label: 'Models', text: 'Kubernetes 1.35, etcd 3.6' },
      { label: 'Node.js', text: '24.11.0', mono: true },
      { label: 'Checked', text: 'fresh process ✓, warm process ✓' },
    ],
    logTotal: 2204,
    log: [
      { atUs: us(3.1), source: 'fault', text: 'F1 crash etcd-0', eventId: 'e1' },
      { atUs: us(4.598), source: 'etcd-2', text: 'became leader at term 2', eventId: 'e3' },
      { atUs: us(11), source: 'fault', text: 'F2 partition cp-2 | cp-0,cp-1', eventId: 'e4' },
      { atUs: us(12.208), source: 'etcd-0', text: 'became leader at term 3', eventId: 'e8' },
      { atUs: us(12.3), source: 'fault', text: 'F3 crash api-0', eventId: 'e10' },
      { atUs: us(12.447), source: 'ops', text: 'dial api-0: connection refused', eventId: 'e11' },
      { atUs: us(12.472), source: 'etcd-2', text: 'replied to put index=96 term=2 commit=95', eventId: 'e16' },
      { atUs: us(12.48), source: 'ops', text: 'deployment.apps/web paused (200, resourceVersion 88)', eventId: 'e17', violation: true },
      { atUs: us(12.598), source: 'etcd-2', text: 'stepped down to follower, quorum is not active', eventId: 'e22' },
      { atUs: us(16.035), source: 'etcd-2', text: 'found conflict at index 96 [existing term 2, conflicting term 3]', eventId: 'e27' },
      { atUs: us(16.438), source: 'ops', text: 'get deployment/web: paused absent (resourceVersion 104)', eventId: 'e29' },
    ],
    coverage: {
      columns: ['leader', 'follower', 'API server', 'kubelet'],
      rows: [
        { label: 'crash, chaos phase', counts: [1, 0, 1, 0] },
        { label: 'partition, chaos phase', counts: [1, 0, 1, 0] },
        { label: 'disk stall', counts: [0, 0, null, 0] },
        { label: 'any, liveness phase', counts: [0, 0, 0, 0] },
      ],
    },
    shrinking: {
      tries: 118,
      steps: [[0, 41], [3, 30], [7, 22], [9, 15], [21, 11], [34, 8], [46, 6], [63, 5], [79, 4], [96, 3]].map(([attempt = 0, left = 0]) => ({ attempt, faults: left })),
    },
  },
};
