import { describe, expect, it } from 'vitest';
import { History } from './history.ts';
import { lanesOf, statesOf } from './lanes.ts';
import { fact, inputOf, note, resultOf, traceOf, us } from './trace.fixture.ts';

const kubernetes = inputOf({ cluster: { preset: 'ha', kubernetes: true, controlPlanes: 3, workers: 1, zones: 3 } });

describe('lanes', () => {
  it('tells believing to lead from being able to commit, and a dead program from both', () => {
    const trace = traceOf({
      facts: [
        fact(1, 'raftRole', 'etcd-0', 'candidate', 2, ''),
        fact(2, 'raftRole', 'etcd-0', 'leader', 2, 'etcd-0'),
        fact(3, 'memberQuorum', 'etcd-0', false),
        fact(4, 'raftRole', 'etcd-0', 'follower', 2, ''),
        fact(5, 'memberQuorum', 'etcd-0', true),
        fact(6, 'raftRole', 'etcd-0', 'follower', 3, 'etcd-1'),
      ],
      notes: [note(7, 'cp-0', 'etcd-0', 'killed', 'fault'), note(8, 'cp-0', 'etcd-0', 'started', 'incarnation 2')],
    });
    const history = new History(inputOf(), resultOf(), trace);
    expect(
      statesOf(history, history.actors.get('etcd-0')).map((state) => [state.fromUs / 1e6, state.state, state.label, state.callout]),
    ).toEqual([
      [1, 'candidate', 'candidate t2', undefined],
      [2, 'leader', 'leader t2', true],
      [3, 'leader-without-quorum', 'leader t2', 'still leader t2, no quorum'],
      [4, 'no-leader', 'no leader t2', undefined],
      [6, 'follower', 'follower t3', undefined],
      [7, 'down', 'down', undefined],
      [8, 'up', undefined, undefined],
    ]);
  });

  it('groups lanes from clients down to nodes, etcd in reverse below the API servers', () => {
    const history = new History(kubernetes, resultOf(), traceOf({ notes: [note(0, 'client-0', 'user-0', 'started', 'incarnation 1')] }));
    const names = ['kubelet-worker-0', 'etcd-0', 'api-2', 'etcd-2', 'user-0', 'kcm-1', 'api-0'];
    expect(lanesOf(history, names).map((lane) => lane.id)).toEqual([
      'user-0',
      'api-0',
      'api-2',
      'etcd-2',
      'etcd-0',
      'kcm-1',
      'kubelet-worker-0',
    ]);
  });

  it('knows who is meant by an address, a container and the identity of a lease', () => {
    const trace = traceOf({
      facts: [
        fact(1, 'containerStarted', 'worker-0', 'shop/web-1', 'uid-7', 'web', 'i', 'web:1'),
        fact(1, 'objectChanged', 5, '/registry/pods/shop/web-1', { status: { podIP: '10.1.0.9' } }),
      ],
      notes: [note(1, 'worker-0', 'ctr/uid-7/web/0', 'started', 'incarnation 1')],
    });
    const { actors } = new History(kubernetes, resultOf(), trace);
    expect(
      ['etcd-1@cp-1', 'cp-1:2379', 'cp-1:2380/raft', 'cp-0:6443', 'ctr/uid-7/web/0@worker-0', '10.1.0.9:8080'].map((text) =>
        actors.ofLabel(text),
      ),
    ).toEqual(['etcd-1', 'etcd-1', 'etcd-1', 'api-0', 'shop/web-1', 'shop/web-1']);
    expect(actors.ofIdentity('cp-2_1a2b', 'kube-scheduler')).toBe('scheduler-2');
    expect(actors.get('shop/web-1')).toMatchObject({ kind: 'app', host: 'worker-0' });
    expect(statesOf(new History(kubernetes, resultOf(), trace), actors.get('shop/web-1'))).toEqual([
      { fromUs: 0, toUs: us(1), state: 'down', label: 'down' },
      { fromUs: us(1), state: 'up' },
    ]);
  });
});
