import { describe, expect, it } from 'vitest';
import { logLines } from './log-lines.ts';
import { fact, note, traceOf } from './trace.fixture.ts';

const lines = (parts: Parameters<typeof traceOf>[0]) => logLines(traceOf(parts)).map((line) => `${line.source}: ${line.text}`);

describe('logLines', () => {
  it('merges facts and notes in time order, and tells one line for an operation when it is answered', () => {
    expect(
      lines({
        facts: [
          fact(1, 'opInvoked', 7, 'client-0', 'etcd-0', 'put', 'seatrial/1', 5),
          fact(1.002, 'opAnswered', 7, 'ok', 12, 12, 5),
          fact(2, 'raftRole', 'etcd-1', 'candidate', 3, ''),
          fact(2.01, 'raftRole', 'etcd-1', 'leader', 3, 'etcd-1'),
          fact(2.01, 'raftLeader', 'etcd-1', 3, 20, 2),
        ],
        notes: [
          note(0, 'cp-0', 'etcd-0', 'started', 'incarnation 1'),
          note(1.5, 'cp-0', '*', 'killed', 'host crash'),
          note(1.9, 'cp-0', 'etcd-0', 'started', 'incarnation 2'),
        ],
      }),
    ).toEqual([
      'etcd-0: started',
      'client-0: put seatrial/1 through etcd-0: ok, revision 12 (after 2 ms)',
      'cp-0: the host loses power',
      'etcd-0: started again (incarnation 2)',
      'etcd-1: campaigns for term 3',
      'etcd-1: becomes leader of term 3',
    ]);
  });

  it('leaves out what goes on for ever: appends, applies, lease renewals, containers told twice', () => {
    expect(
      lines({
        facts: [
          fact(1, 'raftAppend', 'etcd-0', 5, 2, 99),
          fact(1, 'raftApply', 'etcd-0', 5, 2, 99, 4),
          fact(1, 'storeHash', 'etcd-0', 4, 1),
          fact(1, 'apiWrite', 'api-0', 'system:node:worker-0', 'update', 'leases', 'kube-node-lease/worker-0', 9),
          fact(1, 'requestAnswered', 3, 'ok', 'shop/web-1'),
          fact(2, 'requestAnswered', 4, 'timeout', ''),
        ],
        notes: [note(1, 'worker-0', 'ctr/uid/web/0', 'started', 'incarnation 1')],
      }),
    ).toEqual(['user: request 4: timeout']);
  });

  it('marks what went as it should, so that a report can leave it out', () => {
    const trace = traceOf({
      facts: [
        fact(1, 'opInvoked', 1, 'c', 'etcd-0', 'put', 'k', 1),
        fact(2, 'opAnswered', 1, 'ok', 2, 2, 1),
        fact(3, 'opInvoked', 2, 'c', 'etcd-0', 'put', 'k', 1),
        fact(4, 'opAnswered', 2, 'unknown', 0, 0, 0),
      ],
    });
    expect(logLines(trace).map((line) => line.routine === true)).toEqual([true, false]);
  });
});
