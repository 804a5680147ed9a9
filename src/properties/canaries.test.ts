import { describe, expect, it } from 'vitest';
import type { Facts } from '../model/facts.ts';
import { deployment, member, node, pod, replicaSet, scaler, service, slice, workload } from './canary-objects.fixture.ts';
import { CONTROLLER_CANARIES } from './controller-canaries.fixture.ts';
import { type Canary, judge, MEMBERS, type Stream } from './judging.fixture.ts';
import type { StoredObject } from './property.ts';
import { findProperty, indexProperties, PROPERTIES, propertyIds } from './registry.ts';

// Longer than other files: one table, so that a clause without a canary is seen at a glance.

const put = (facts: Facts, op: number, key: string, value: number, member = 'etcd-0'): void =>
  facts.opInvoked.emit(op, 'client-0', member, 'put', key, value);
const read = (facts: Facts, op: number, kind = 'linearizable', member = 'etcd-0'): void =>
  facts.opInvoked.emit(op, 'client-0', member, `range-${kind}`, 'k', 0);
const watchOf = (facts: Facts, from: number): void => facts.watchOpened.emit(1, 'client-0', 'etcd-0', 'a', 'n', from, '');
const changed = (facts: Facts, revision: number, key: string, value = 0): void => facts.keyChanged.emit(revision, 0, key, 'PUT', value);
const delivered = (facts: Facts, revision: number, key: string): void => facts.watchEvent.emit(1, revision, 0, key, 'PUT', 0);

/** A history of three changes of which a watch should hear. */
const threeChanges: Stream = (at) =>
  at(1, (f) => {
    watchOf(f, 2);
    changed(f, 2, 'b');
    changed(f, 3, 'c');
    changed(f, 3, 'z outside of the range');
    changed(f, 4, 'd');
  });

/** Two keys of the range change at revision 2, and one outside of it. */
const pairOfChanges: Stream = (at) =>
  at(1, (f) => {
    watchOf(f, 2);
    for (const key of ['b', 'c', 'z outside of the range']) changed(f, 2, key);
    changed(f, 3, 'd');
    changed(f, 4, 'd');
  });

const started = (facts: Facts, nodeName: string, uid: string, container: string, instance: string): void =>
  facts.containerStarted.emit(nodeName, 'shop/db-0', uid, container, instance, 'db:1');

const nothing: Stream = () => undefined;
const ended = (...objects: StoredObject[]): Parameters<typeof judge>[2] => ({ atS: 300, healedAtS: 100, objects });

/** A flood, two leaders, and the changes that one of their servers acknowledges. */
const underFlood = (at: Parameters<Stream>[0]): void => {
  at(2, (f) => f.leading.emit('kube-scheduler', 'cp-1_x', true));
  at(2, (f) => f.leading.emit('kube-controller-manager', 'cp-0_y', true));
  at(100, (f) => f.faultInjected.emit('F1', 'api-flood', 'cp-0 cp-1'));
  for (let i = 0; i < 100; i++) at(101 + i / 5, (f) => f.apiWrite.emit('api-1', 'crawler', 'patch', 'configmaps', 'default/a', 10 + i));
};

const rollout = (at: Parameters<Stream>[0]): void => {
  const object = (generation: number, observedGeneration: number): object => ({
    metadata: { namespace: 'shop', name: 'web', uid: 'deployment', generation },
    spec: { replicas: 4, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: '25%' } } },
    status: { observedGeneration },
  });
  at(1, (f) => f.objectChanged.emit(2, '/registry/deployments/shop/web', object(1, 0)));
  at(2, (f) => f.objectChanged.emit(3, '/registry/replicasets/shop/old', set('old', 4)));
  at(3, (f) => f.objectChanged.emit(4, '/registry/deployments/shop/web', object(2, 1)));
  at(4, (f) => f.objectChanged.emit(5, '/registry/deployments/shop/web', object(2, 2)));
};
const scaledDown = {
  metadata: { namespace: 'shop', name: 'web', uid: 'deployment', generation: 3 },
  spec: { replicas: 2, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } },
  status: { observedGeneration: 3 },
};

const set = (uid: string, replicas: number): object => ({
  metadata: { namespace: 'shop', name: uid, uid, ownerReferences: [{ controller: true, uid: 'deployment' }] },
  spec: { replicas },
});

const good: readonly StoredObject[] = [
  deployment(2, { observedGeneration: 2, replicas: 2, readyReplicas: 2 }),
  replicaSet('old', 1),
  replicaSet('new', 2),
  pod(1, 'new'),
  pod(2, 'new'),
  service(),
  slice('10.0.0.1', '10.0.0.2'),
  node('worker-0'),
];
const without = (resource: string, ...instead: StoredObject[]): readonly StoredObject[] => [
  ...good.filter((o) => o.resource !== resource),
  ...instead,
];
const running: Stream = (at) =>
  at(1, (f) => {
    f.containerStarted.emit('worker-0', 'shop/web-1', 'pod-1', 'c', 'i1', 'web:1');
    f.containerStarted.emit('worker-0', 'shop/web-2', 'pod-2', 'c', 'i2', 'web:1');
    f.endpointsProgrammed.emit('worker-0', 'shop/web', 'http', '10.0.0.1:80,10.0.0.2:80');
  });
const end = (objects: readonly StoredObject[], outside: readonly string[] = []): Canary['end'] => ({
  atS: 300,
  healedAtS: 100,
  objects,
  outside,
});

/** A read or write that is judged, so that a twin exercises its property. */
const judgedOperation: Stream = (at) => {
  at(1, (f) => f.memberQuorum.emit('etcd-2', false));
  at(2, (f) => put(f, 99, 'k', 1, 'etcd-2'));
  at(3, (f) => f.opAnswered.emit(99, 'unknown', 0, 0, 0));
};

const CANARIES: Readonly<Record<string, readonly Canary[]>> = {
  'raft-election-safety': [
    {
      clause: 'one-leader-per-term',
      breaks: (at) => {
        at(1, (f) => f.raftLeader.emit('etcd-0', 2, 1, 1));
        at(2, (f) => f.raftLeader.emit('etcd-1', 2, 1, 1));
      },
      holds: (at) => {
        at(1, (f) => f.raftLeader.emit('etcd-0', 2, 1, 1));
        at(2, (f) => f.raftLeader.emit('etcd-1', 3, 1, 1));
      },
    },
    {
      clause: 'one-vote-per-term',
      breaks: (at) => {
        at(1, (f) => f.raftVote.emit('etcd-0', 2, 'etcd-1'));
        at(2, (f) => f.memberStart.emit('etcd-0', 0, 0, 1));
        at(3, (f) => f.raftVote.emit('etcd-0', 2, 'etcd-2'));
      },
      holds: (at) => {
        at(1, (f) => f.raftVote.emit('etcd-0', 2, 'etcd-1'));
        at(2, (f) => f.raftVote.emit('etcd-0', 2, 'etcd-1'));
        at(3, (f) => f.raftVote.emit('etcd-0', 3, 'etcd-2'));
        at(4, (f) => f.raftLeader.emit('etcd-2', 3, 1, 1));
      },
    },
  ],
  'raft-leader-append-only': [
    {
      clause: 'leader-never-truncates',
      breaks: (at) => {
        at(1, (f) => f.raftRole.emit('etcd-0', 'leader', 2, 'etcd-0'));
        at(2, (f) => f.raftTruncate.emit('etcd-0', 1));
      },
      holds: (at) => {
        at(1, (f) => f.raftRole.emit('etcd-0', 'leader', 2, 'etcd-0'));
        at(2, (f) => f.raftAppend.emit('etcd-0', 1, 2, 7));
        at(3, (f) => f.raftTruncate.emit('etcd-1', 1));
        at(4, (f) => f.memberStart.emit('etcd-0', 1, 0, 1));
        at(5, (f) => f.raftTruncate.emit('etcd-0', 1));
      },
    },
  ],
  'raft-log-matching': [
    {
      clause: 'same-entry',
      breaks: (at) => {
        at(1, (f) => f.raftAppend.emit('etcd-0', 1, 1, 7));
        at(2, (f) => f.raftAppend.emit('etcd-1', 1, 1, 8));
      },
      holds: (at) => {
        at(1, (f) => f.raftAppend.emit('etcd-0', 1, 1, 7));
        at(2, (f) => f.raftAppend.emit('etcd-1', 1, 2, 8));
      },
    },
    {
      clause: 'same-predecessor',
      breaks: (at) => {
        at(1, (f) => f.raftAppend.emit('etcd-0', 1, 1, 7));
        at(2, (f) => f.raftAppend.emit('etcd-0', 2, 3, 9));
        at(3, (f) => f.raftAppend.emit('etcd-1', 1, 2, 8));
        at(4, (f) => f.raftAppend.emit('etcd-1', 2, 3, 9));
      },
      holds: (at) => {
        at(1, (f) => f.raftAppend.emit('etcd-0', 1, 1, 7));
        at(2, (f) => f.raftAppend.emit('etcd-0', 2, 3, 9));
        at(3, (f) => f.raftAppend.emit('etcd-1', 1, 2, 8));
        at(4, (f) => f.raftTruncate.emit('etcd-1', 1));
        at(5, (f) => f.raftAppend.emit('etcd-1', 1, 1, 7));
        at(6, (f) => f.raftAppend.emit('etcd-1', 2, 3, 9));
      },
    },
  ],
  'raft-leader-completeness': [
    {
      clause: 'leader-holds-committed',
      breaks: (at) => {
        at(1, (f) => f.raftAppend.emit('etcd-0', 1, 1, 7));
        at(2, (f) => f.raftCommit.emit('etcd-0', 1, 1));
        at(3, (f) => f.raftLeader.emit('etcd-1', 2, 0, 0));
      },
      holds: (at) => {
        at(1, (f) => f.raftAppend.emit('etcd-0', 1, 1, 7));
        at(1, (f) => f.raftAppend.emit('etcd-1', 1, 1, 7));
        at(2, (f) => f.raftCommit.emit('etcd-0', 1, 1));
        at(3, (f) => f.raftLeader.emit('etcd-1', 2, 1, 1));
      },
    },
    {
      clause: 'committed-stays',
      breaks: (at) => {
        at(1, (f) => f.raftAppend.emit('etcd-0', 1, 1, 7));
        at(2, (f) => f.raftCommit.emit('etcd-0', 1, 1));
        at(3, (f) => f.raftAppend.emit('etcd-1', 1, 2, 8));
        at(4, (f) => f.raftCommit.emit('etcd-1', 1, 2));
      },
      holds: (at) => {
        at(1, (f) => f.raftAppend.emit('etcd-0', 1, 1, 7));
        at(2, (f) => f.raftAppend.emit('etcd-1', 1, 1, 7));
        at(3, (f) => f.raftCommit.emit('etcd-0', 1, 1));
        at(4, (f) => f.raftCommit.emit('etcd-1', 1, 2));
        at(5, (f) => f.raftLeader.emit('etcd-0', 3, 1, 1));
      },
    },
  ],
  'raft-state-machine-safety': [
    {
      clause: 'same-entry',
      breaks: (at) => {
        at(1, (f) => f.raftApply.emit('etcd-0', 1, 1, 7, 2));
        at(2, (f) => f.raftApply.emit('etcd-1', 1, 2, 8, 2));
      },
      holds: (at) => {
        at(1, (f) => f.raftApply.emit('etcd-0', 1, 1, 7, 2));
        at(2, (f) => f.raftApply.emit('etcd-1', 1, 1, 7, 2));
      },
    },
    {
      clause: 'same-revision',
      breaks: (at) => {
        at(1, (f) => f.raftApply.emit('etcd-0', 1, 1, 7, 2));
        at(2, (f) => f.raftApply.emit('etcd-1', 1, 1, 7, 3));
      },
      holds: (at) => {
        at(1, (f) => f.raftApply.emit('etcd-0', 1, 1, 7, 2));
        at(2, (f) => f.raftApply.emit('etcd-0', 1, 1, 7, 2));
      },
    },
    {
      clause: 'same-content',
      breaks: (at) => {
        at(1, (f) => f.storeHash.emit('etcd-0', 5, 7, 1));
        at(2, (f) => f.storeHash.emit('etcd-1', 5, 8, 1));
      },
      holds: (at) => {
        at(1, (f) => f.storeHash.emit('etcd-0', 5, 7, 1));
        at(2, (f) => f.storeHash.emit('etcd-1', 5, 7, 2));
      },
    },
  ],
  'durable-writes': [
    {
      clause: 'api-write-is-committed',
      breaks: (at) => {
        at(1, (f) => changed(f, 2, '/registry/pods/shop/a', 7));
        at(2, (f) => changed(f, 3, '/registry/pods/shop/b', 8));
        at(3, (f) => f.apiWrite.emit('api-0', 'kubectl', 'update', 'pods', 'shop/a', 3));
      },
      holds: (at) => {
        at(1, (f) => f.apiWrite.emit('api-0', 'kubectl', 'update', 'pods', 'shop/a', 3));
        at(1, (f) => changed(f, 2, '/registry/pods/shop/a', 7));
        at(2, (f) => changed(f, 3, '/registry/pods/shop/a', 8));
        at(3, (f) => f.apiWrite.emit('api-0', 'kubectl', 'patch', 'pods', 'shop/a', 3));
        at(4, (f) => f.apiWrite.emit('api-0', 'kubectl', 'delete', 'pods', 'shop/a', 0));
      },
    },
    {
      clause: 'acknowledged-is-committed',
      breaks: (at) => {
        at(1, (f) => put(f, 1, 'k', 7));
        at(2, (f) => f.opAnswered.emit(1, 'ok', 2, 0, 0));
      },
      holds: (at) => {
        at(1, (f) => put(f, 1, 'k', 7));
        at(2, (f) => f.opAnswered.emit(1, 'ok', 2, 0, 0));
        at(3, (f) => changed(f, 2, 'k', 7));
        at(4, (f) => put(f, 2, 'k', 8));
        at(5, (f) => f.opAnswered.emit(2, 'unknown', 0, 0, 0));
      },
    },
    {
      clause: 'acknowledged-is-committed',
      breaks: (at) => {
        at(1, (f) => put(f, 1, 'k', 7));
        at(2, (f) => changed(f, 2, 'k', 8));
        at(3, (f) => f.opAnswered.emit(1, 'ok', 2, 0, 0));
      },
      holds: (at) => {
        at(1, (f) => put(f, 1, 'k', 7));
        at(2, (f) => changed(f, 2, 'k', 7));
        at(3, (f) => f.opAnswered.emit(1, 'ok', 2, 0, 0));
        at(4, (f) => changed(f, 3, 'k', 8));
      },
    },
  ],
  'correct-reads': [
    {
      clause: 'linearizable-is-fresh',
      breaks: (at) => {
        at(1, (f) => put(f, 1, 'k', 7));
        at(2, (f) => changed(f, 2, 'k', 7));
        at(3, (f) => f.opAnswered.emit(1, 'ok', 2, 0, 0));
        at(4, (f) => read(f, 2));
        at(5, (f) => f.opAnswered.emit(2, 'ok', 1, 0, 0));
      },
      // Invoked before the write was acknowledged, the read may miss it.
      holds: (at) => {
        at(1, (f) => put(f, 1, 'k', 7));
        at(2, (f) => read(f, 2));
        at(3, (f) => changed(f, 2, 'k', 7));
        at(4, (f) => f.opAnswered.emit(1, 'ok', 2, 0, 0));
        at(5, (f) => f.opAnswered.emit(2, 'ok', 1, 0, 0));
      },
    },
    {
      clause: 'linearizable-is-true',
      breaks: (at) => {
        at(1, (f) => changed(f, 2, 'k', 7));
        at(2, (f) => read(f, 1));
        at(3, (f) => f.opAnswered.emit(1, 'ok', 2, 2, 8));
      },
      holds: (at) => {
        at(1, (f) => changed(f, 2, 'k', 7));
        at(2, (f) => read(f, 1));
        at(3, (f) => f.opAnswered.emit(1, 'ok', 3, 2, 7));
        at(4, (f) => changed(f, 3, 'other', 7));
      },
    },
    {
      clause: 'serializable-is-committed',
      breaks: (at) => {
        at(1, (f) => changed(f, 2, 'k', 7));
        at(2, (f) => read(f, 1, 'serializable'));
        at(3, (f) => f.opAnswered.emit(1, 'ok', 2, 0, 0));
      },
      holds: (at) => {
        at(1, (f) => changed(f, 2, 'k', 7));
        at(2, (f) => changed(f, 3, 'k', 8));
        at(3, (f) => read(f, 1, 'serializable'));
        at(4, (f) => f.opAnswered.emit(1, 'ok', 2, 2, 7));
      },
    },
  ],
  'split-brain-read-only': [
    {
      clause: 'no-write-without-quorum',
      breaks: (at) => {
        at(1, (f) => f.memberQuorum.emit('etcd-2', false));
        at(2, (f) => put(f, 1, 'k', 7, 'etcd-2'));
        at(3, (f) => f.opAnswered.emit(1, 'ok', 2, 0, 0));
      },
      // Invoked before the cut, it may have been decided before it.
      holds: (at) => {
        at(1, (f) => put(f, 1, 'k', 7, 'etcd-2'));
        at(2, (f) => f.memberQuorum.emit('etcd-2', false));
        at(3, (f) => f.opAnswered.emit(1, 'ok', 2, 0, 0));
        judgedOperation(at);
      },
    },
    {
      // A member died after it had written the entry, and one that came back wrote it too: a majority, one after the other.
      clause: 'no-write-without-quorum',
      breaks: (at) => {
        at(1, (f) => f.membersMet.emit('etcd-1', 'etcd-2'));
        at(2, (f) => f.memberQuorum.emit('etcd-2', false));
        at(3, (f) => put(f, 1, 'k', 7, 'etcd-2'));
        at(5, (f) => f.opAnswered.emit(1, 'ok', 2, 0, 0));
      },
      holds: (at) => {
        judgedOperation(at);
        at(4, (f) => put(f, 1, 'k', 7, 'etcd-2'));
        at(5, (f) => f.membersMet.emit('etcd-1', 'etcd-2'));
        at(6, (f) => f.opAnswered.emit(1, 'ok', 2, 0, 0));
      },
    },
    {
      clause: 'no-linearizable-read-without-quorum',
      breaks: (at) => {
        at(1, (f) => f.memberQuorum.emit('etcd-2', false));
        at(2, (f) => read(f, 1, 'linearizable', 'etcd-2'));
        at(3, (f) => f.opAnswered.emit(1, 'ok', 2, 0, 0));
      },
      holds: (at) => {
        judgedOperation(at);
        at(4, (f) => read(f, 1, 'serializable', 'etcd-2'));
        at(5, (f) => f.opAnswered.emit(1, 'ok', 2, 0, 0));
        at(6, (f) => f.memberQuorum.emit('etcd-2', true));
        at(7, (f) => read(f, 2, 'linearizable', 'etcd-2'));
        at(8, (f) => f.opAnswered.emit(2, 'ok', 2, 0, 0));
      },
    },
    {
      clause: 'nothing-changes-without-quorum',
      breaks: (at) => {
        for (const member of MEMBERS) at(1, (f) => f.memberQuorum.emit(member, false));
        at(9, (f) => f.apiWrite.emit('api-0', 'user-0', 'create', 'pods', 'shop/x', 9));
      },
      holds: (at) => {
        judgedOperation(at);
        at(20, (f) => f.apiWrite.emit('api-0', 'user-0', 'create', 'pods', 'shop/x', 9));
        for (const member of MEMBERS) at(21, (f) => f.memberQuorum.emit(member, false));
        at(22, (f) => f.apiWrite.emit('api-0', 'user-0', 'create', 'pods', 'shop/y', 9)); // an answer that was under way
        at(30, (f) => f.apiFailure.emit('api-0', 'user-0', 'create', 'pods', 'shop/z', 500));
      },
    },
    {
      clause: 'pods-keep-running',
      breaks: (at) => {
        at(1, (f) => f.nodeReachable.emit('worker-0', false));
        at(70, (f) => f.containerStopped.emit('worker-0', 'shop/web', 'u', 'c', 'i', 143));
      },
      holds: (at) => {
        judgedOperation(at);
        at(5, (f) => f.nodeReachable.emit('worker-0', false));
        at(30, (f) => f.containerStopped.emit('worker-0', 'shop/web', 'u', 'c', 'i', 143)); // ordered before the cut
        at(90, (f) => f.containerStopped.emit('worker-0', 'shop/web', 'u', 'c', 'j', 1)); // failed by itself
        at(91, (f) => f.nodeReachable.emit('worker-0', true));
        at(200, (f) => f.containerStopped.emit('worker-0', 'shop/web', 'u', 'c', 'k', 143));
      },
    },
  ],
  'watch-ordered': [
    {
      clause: 'revisions-do-not-go-back',
      breaks: (at) => {
        threeChanges(at);
        for (const [revision, key] of [
          [2, 'b'],
          [4, 'd'],
          [3, 'c'],
        ] as const)
          at(2, (f) => delivered(f, revision, key));
      },
      holds: (at) => {
        threeChanges(at);
        for (const [revision, key] of [
          [2, 'b'],
          [3, 'c'],
          [3, 'd'],
        ] as const)
          at(2, (f) => delivered(f, revision, key));
      },
    },
  ],
  'watch-unique': [
    {
      clause: 'no-event-twice',
      breaks: (at) => {
        threeChanges(at);
        for (const [revision, key] of [
          [2, 'b'],
          [3, 'c'],
          [3, 'c'],
        ] as const)
          at(2, (f) => delivered(f, revision, key));
      },
      holds: (at) => {
        threeChanges(at);
        for (const [revision, key] of [
          [2, 'b'],
          [3, 'b'],
          [3, 'c'],
        ] as const)
          at(2, (f) => delivered(f, revision, key));
      },
    },
  ],
  'watch-reliable': [
    {
      clause: 'no-gap',
      breaks: (at) => {
        threeChanges(at);
        at(2, (f) => delivered(f, 2, 'b'));
        at(3, (f) => delivered(f, 4, 'd'));
      },
      holds: (at) => {
        threeChanges(at);
        for (const [revision, key] of [
          [2, 'b'],
          [3, 'c'],
          [4, 'd'],
        ] as const)
          at(2, (f) => delivered(f, revision, key));
      },
    },
  ],
  'watch-bookmarkable': [
    {
      clause: 'nothing-owed',
      breaks: (at) => {
        threeChanges(at);
        at(2, (f) => f.watchProgress.emit(1, 2));
      },
      holds: (at) => {
        threeChanges(at);
        at(2, (f) => delivered(f, 2, 'b'));
        at(3, (f) => f.watchProgress.emit(1, 2));
      },
    },
    {
      clause: 'nothing-after',
      breaks: (at) => {
        threeChanges(at);
        at(2, (f) => delivered(f, 2, 'b'));
        at(3, (f) => f.watchProgress.emit(1, 2));
        at(4, (f) => delivered(f, 2, 'b'));
      },
      holds: (at) => {
        threeChanges(at);
        at(2, (f) => delivered(f, 2, 'b'));
        at(3, (f) => f.watchProgress.emit(1, 2));
        at(4, (f) => delivered(f, 3, 'c'));
      },
    },
    {
      clause: 'not-before-start',
      breaks: (at) => {
        at(1, (f) => watchOf(f, 9));
        at(2, (f) => f.watchProgress.emit(1, 7));
      },
      // "From now on" at revision 8 begins at 9: being told of 8 promises nothing wrong.
      holds: (at) => {
        at(1, (f) => watchOf(f, 9));
        at(2, (f) => f.watchProgress.emit(1, 8));
      },
    },
  ],
  'watch-filtered': [
    {
      clause: 'in-range',
      breaks: (at) => {
        threeChanges(at);
        at(2, (f) => delivered(f, 3, 'n'));
      },
      holds: (at) => {
        threeChanges(at);
        at(2, (f) => delivered(f, 3, 'c'));
      },
    },
    {
      clause: 'wanted-kind',
      breaks: (at) => {
        at(1, (f) => f.watchOpened.emit(1, 'client-0', 'etcd-0', 'a', 'n', 2, 'NODELETE'));
        at(2, (f) => f.watchEvent.emit(1, 2, 0, 'b', 'DELETE', 0));
      },
      holds: (at) => {
        at(1, (f) => f.watchOpened.emit(1, 'client-0', 'etcd-0', 'a', 'n', 2, 'NOPUT'));
        at(2, (f) => f.watchEvent.emit(1, 2, 0, 'b', 'DELETE', 0));
      },
    },
    {
      clause: 'from-start',
      breaks: (at) => {
        threeChanges(at);
        at(2, (f) => f.watchResumed.emit(1, 'etcd-1', 4));
        at(3, (f) => delivered(f, 3, 'c'));
      },
      holds: (at) => {
        threeChanges(at);
        at(2, (f) => f.watchResumed.emit(1, 'etcd-1', 3));
        at(3, (f) => delivered(f, 3, 'c'));
      },
    },
  ],
  'watch-atomic': [
    {
      clause: 'one-response',
      breaks: (at) => {
        pairOfChanges(at);
        at(2, (f) => delivered(f, 2, 'b'));
        at(2, (f) => delivered(f, 2, 'c'));
        at(2, (f) => f.watchResponse.emit(1, 2, 2));
        at(3, (f) => delivered(f, 2, 'd'));
        at(3, (f) => f.watchResponse.emit(1, 2, 1));
      },
      holds: (at) => {
        pairOfChanges(at);
        for (const key of ['b', 'c']) at(2, (f) => delivered(f, 2, key));
        at(2, (f) => delivered(f, 3, 'd'));
        at(2, (f) => f.watchResponse.emit(1, 3, 3));
        at(3, (f) => delivered(f, 4, 'd'));
        at(3, (f) => f.watchResponse.emit(1, 4, 1));
      },
    },
    {
      clause: 'whole-revision',
      breaks: (at) => {
        pairOfChanges(at);
        at(2, (f) => delivered(f, 2, 'b'));
        at(2, (f) => f.watchResponse.emit(1, 2, 1));
      },
      holds: (at) => {
        pairOfChanges(at);
        for (const key of ['c', 'b']) at(2, (f) => delivered(f, 2, key));
        at(2, (f) => f.watchResponse.emit(1, 2, 2));
      },
    },
  ],
  'member-agreement': [
    {
      clause: 'same-keys',
      breaks: (at) => {
        at(1, (f) => f.storeHash.emit('etcd-0', 5, 1, 7));
        at(2, (f) => f.storeHash.emit('etcd-1', 5, 1, 8));
      },
      holds: (at) => {
        at(1, (f) => f.storeHash.emit('etcd-0', 5, 1, 7));
        at(2, (f) => f.storeHash.emit('etcd-1', 5, 1, 7));
        at(3, (f) => f.storeHash.emit('etcd-1', 6, 1, 8));
      },
    },
    {
      clause: 'same-history',
      breaks: (at) => {
        at(1, (f) => f.historyHash.emit('etcd-0', 9, 5, 7));
        at(2, (f) => f.historyHash.emit('etcd-1', 9, 5, 8));
      },
      // The hash says nothing across compactions.
      holds: (at) => {
        at(1, (f) => f.historyHash.emit('etcd-0', 9, 5, 7));
        at(2, (f) => f.historyHash.emit('etcd-1', 9, -1, 8));
        at(3, (f) => f.historyHash.emit('etcd-1', 9, 5, 7));
      },
    },
    {
      clause: 'same-members',
      breaks: (at) => {
        at(1, (f) => f.memberList.emit('etcd-0', 4, 'a; b; c', true));
        at(2, (f) => f.memberList.emit('etcd-0', 8, 'a; b', true));
        at(3, (f) => f.memberList.emit('etcd-1', 9, 'a; b; c', false));
      },
      // A member that is behind lists what was true then.
      holds: (at) => {
        at(1, (f) => f.memberList.emit('etcd-0', 4, 'a; b; c', true));
        at(2, (f) => f.memberList.emit('etcd-0', 8, 'a; b', true));
        at(3, (f) => f.memberList.emit('etcd-1', 7, 'a; b; c', false));
        at(4, (f) => f.memberList.emit('etcd-1', 8, 'a; b', true));
      },
    },
  ],
  'watch-resumable': [
    {
      clause: 'no-gap-after-resume',
      breaks: (at) => {
        threeChanges(at);
        at(2, (f) => delivered(f, 2, 'b'));
        at(3, (f) => f.watchResumed.emit(1, 'etcd-1', 3));
        at(4, (f) => delivered(f, 4, 'd'));
      },
      holds: (at) => {
        threeChanges(at);
        at(2, (f) => delivered(f, 2, 'b'));
        at(3, (f) => f.watchResumed.emit(1, 'etcd-1', 3));
        at(4, (f) => delivered(f, 3, 'c'));
        at(5, (f) => delivered(f, 4, 'd'));
      },
    },
  ],
  'leader-steps-down': [
    {
      clause: 'replaced-leader-steps-down',
      breaks: (at) => {
        at(1, (f) => f.raftRole.emit('etcd-0', 'leader', 2, 'etcd-0'));
        at(5, (f) => f.raftRole.emit('etcd-1', 'leader', 3, 'etcd-1'));
        at(10, (f) => f.raftCommit.emit('etcd-1', 7, 3));
      },
      holds: (at) => {
        at(1, (f) => f.raftRole.emit('etcd-0', 'leader', 2, 'etcd-0'));
        at(5, (f) => f.raftRole.emit('etcd-1', 'leader', 3, 'etcd-1'));
        at(6, (f) => f.raftRole.emit('etcd-0', 'follower', 2, ''));
        at(10, (f) => f.raftCommit.emit('etcd-1', 7, 3));
      },
    },
    {
      // Nothing more is heard of anybody: the end of the trial shows it.
      clause: 'replaced-leader-steps-down',
      breaks: (at) => {
        at(1, (f) => f.raftRole.emit('etcd-0', 'leader', 2, 'etcd-0'));
        at(5, (f) => f.raftRole.emit('etcd-1', 'leader', 3, 'etcd-1'));
      },
      holds: (at) => {
        at(1, (f) => f.raftRole.emit('etcd-0', 'leader', 2, 'etcd-0'));
        at(5, (f) => f.raftRole.emit('etcd-1', 'leader', 3, 'etcd-1'));
        // It came back from its disk.
        at(6, (f) => f.memberStart.emit('etcd-0', 7, 7, 3));
      },
      end: { atS: 60 },
    },
  ],
  'progress-after-heal': [
    {
      clause: 'leader-exists',
      breaks: (at) => {
        at(1, (f) => f.raftRole.emit('etcd-0', 'leader', 2, 'etcd-0'));
        at(10, (f) => f.phase.emit('healing'));
        at(11, (f) => f.memberStart.emit('etcd-0', 0, 0, 1));
      },
      holds: (at) => {
        at(10, (f) => f.phase.emit('healing'));
        at(11, (f) => f.raftRole.emit('etcd-0', 'leader', 2, 'etcd-0'));
      },
      end: { atS: 60 },
    },
    {
      // The last that was heard of a member that is down is that it leads.
      clause: 'leader-exists',
      breaks: (at) => {
        at(1, (f) => f.raftRole.emit('etcd-0', 'leader', 2, 'etcd-0'));
        at(5, (f) => f.memberQuorum.emit('etcd-0', false));
        at(10, (f) => f.phase.emit('healing'));
      },
      holds: (at) => {
        at(1, (f) => f.raftRole.emit('etcd-0', 'leader', 2, 'etcd-0'));
        at(5, (f) => f.memberQuorum.emit('etcd-0', false));
        at(8, (f) => f.memberQuorum.emit('etcd-0', true));
        at(10, (f) => f.phase.emit('healing'));
      },
      end: { atS: 60 },
    },
    {
      clause: 'change-of-members-ends',
      breaks: (at) => {
        at(8, (f) => f.raftConfig.emit('etcd-0', 7, 'etcd-0,etcd-1', 'etcd-0,etcd-1,etcd-2', ''));
        at(10, (f) => f.phase.emit('healing'));
        at(11, (f) => f.raftRole.emit('etcd-1', 'leader', 2, 'etcd-1'));
        // A member that lags behind tells of what was before.
        at(12, (f) => f.raftConfig.emit('etcd-2', 3, 'etcd-0,etcd-1,etcd-2', '', ''));
      },
      holds: (at) => {
        at(8, (f) => f.raftConfig.emit('etcd-0', 7, 'etcd-0,etcd-1', 'etcd-0,etcd-1,etcd-2', ''));
        at(10, (f) => f.phase.emit('healing'));
        at(11, (f) => f.raftRole.emit('etcd-1', 'leader', 2, 'etcd-1'));
        at(12, (f) => f.raftConfig.emit('etcd-1', 9, 'etcd-0,etcd-1', '', ''));
      },
      end: { atS: 60 },
    },
    {
      clause: 'commits',
      breaks: (at) => {
        at(10, (f) => f.phase.emit('healing'));
        at(11, (f) => f.raftRole.emit('etcd-0', 'leader', 2, 'etcd-0'));
        at(45, (f) => put(f, 1, 'k', 7));
        at(52, (f) => f.opAnswered.emit(1, 'unknown', 0, 0, 0));
      },
      holds: (at) => {
        at(10, (f) => f.phase.emit('healing'));
        at(11, (f) => f.raftRole.emit('etcd-0', 'leader', 2, 'etcd-0'));
        at(45, (f) => put(f, 1, 'k', 7));
        at(50, (f) => changed(f, 2, 'k', 7));
        at(52, (f) => f.opAnswered.emit(1, 'unknown', 0, 0, 0));
      },
      end: { atS: 60 },
    },
  ],
  'lease-ends': [
    {
      clause: 'abandoned-lease-ends',
      breaks: (at) => {
        at(1, (f) => f.leaseKept.emit('lease-client-1', '7', 4, 1_000_000));
        at(20, (f) => f.leaseRevoked.emit('etcd-0', '7', 'expired'));
      },
      holds: (at) => {
        at(1, (f) => f.leaseKept.emit('lease-client-1', '7', 4, 1_000_000));
        at(10, (f) => f.leaseKept.emit('lease-client-1', '7', 4, 10_000_000));
        at(20, (f) => f.leaseRevoked.emit('etcd-0', '7', 'expired'));
      },
      end: { atS: 60 },
    },
    {
      // Nobody ever ends it.
      clause: 'abandoned-lease-ends',
      breaks: (at) => {
        at(1, (f) => f.leaseKept.emit('lease-client-1', '7', 4, 1_000_000));
      },
      holds: (at) => {
        at(1, (f) => f.leaseKept.emit('lease-client-1', '7', 4, 1_000_000));
        at(6, (f) => f.leaseRevoked.emit('etcd-0', '7', 'expired'));
      },
      end: { atS: 60 },
    },
  ],
  'lease-lifetime': [
    {
      clause: 'renewed-lease-lives',
      breaks: (at) => {
        at(1, (f) => f.leaseKept.emit('lease-client-0', '7', 4, 1_000_000));
        at(4, (f) => f.leaseKept.emit('lease-client-0', '7', 4, 4_000_000));
        at(5, (f) => f.leaseRevoked.emit('etcd-0', '7', 'expired'));
      },
      holds: (at) => {
        at(1, (f) => f.leaseKept.emit('lease-client-0', '7', 4, 1_000_000));
        at(2, (f) => f.leaseKept.emit('lease-client-1', '8', 4, 2_000_000));
        at(3, (f) => f.leaseRevoked.emit('etcd-0', '8', 'revoked')); // its client asked for it
        at(5, (f) => f.leaseRevoked.emit('etcd-0', '7', 'expired'));
      },
    },
  ],
  'lock-exclusion': [
    {
      clause: 'granted-place-exists',
      breaks: (at) => {
        at(1, (f) => f.keyChanged.emit(2, 0, 'locks/one/a', 'PUT', 1));
        at(2, (f) => f.keyChanged.emit(3, 0, 'locks/one/b', 'PUT', 2));
        at(3, (f) => f.keyChanged.emit(4, 0, 'locks/one/b', 'DELETE', 0));
        at(4, (f) => f.keyChanged.emit(5, 0, 'locks/one/a', 'DELETE', 0));
        at(5, (f) => f.lockGranted.emit('lock-client-1', 'locks/one/b', 3));
      },
      holds: (at) => {
        at(1, (f) => f.keyChanged.emit(2, 0, 'locks/one/a', 'PUT', 1));
        at(2, (f) => f.keyChanged.emit(3, 0, 'locks/one/b', 'PUT', 2));
        at(3, (f) => f.keyChanged.emit(4, 0, 'locks/one/a', 'DELETE', 0));
        at(4, (f) => f.keyChanged.emit(5, 0, 'locks/one/b', 'DELETE', 0)); // its lease ends just as it is told
        at(5, (f) => f.lockGranted.emit('lock-client-1', 'locks/one/b', 3));
      },
    },
  ],
  'node-capacity': [
    ...(
      [
        ['cpu', [600, 10], [400, 10]],
        ['memory', [10, 600], [10, 400]],
      ] as const
    ).map(
      ([clause, over, fits]): Canary => ({
        clause,
        breaks: (at) => {
          at(1, (f) => f.nodeCapacity.emit('worker-0', 1000, 1000, 2));
          at(2, (f) => f.podAdmitted.emit('worker-0', 'shop/a', 'a', 500, 500));
          at(3, (f) => f.podAdmitted.emit('worker-0', 'shop/b', 'b', over[0], over[1]));
        },
        holds: (at) => {
          at(1, (f) => f.nodeCapacity.emit('worker-0', 1000, 1000, 2));
          at(2, (f) => f.podAdmitted.emit('worker-0', 'shop/a', 'a', 500, 500));
          at(3, (f) => f.podAdmitted.emit('worker-0', 'shop/b', 'b', fits[0], fits[1]));
        },
      }),
    ),
    {
      clause: 'pods',
      breaks: (at) => {
        at(1, (f) => f.nodeCapacity.emit('worker-0', 1000, 1000, 2));
        for (const uid of ['a', 'b', 'c']) at(2, (f) => f.podAdmitted.emit('worker-0', `shop/${uid}`, uid, 1, 1));
      },
      holds: (at) => {
        at(1, (f) => f.nodeCapacity.emit('worker-0', 1000, 1000, 2));
        for (const uid of ['a', 'b', 'a']) at(2, (f) => f.podAdmitted.emit('worker-0', `shop/${uid}`, uid, 1, 1));
        at(3, (f) => f.podRemoved.emit('worker-0', 'shop/a', 'a'));
        at(4, (f) => f.podAdmitted.emit('worker-0', 'shop/c', 'c', 1, 1));
      },
    },
    {
      // What was deleted holds its place as long as it runs, and no longer: a kubelet that was killed meanwhile never says that it is gone.
      clause: 'cpu',
      breaks: (at) => {
        at(1, (f) => f.nodeCapacity.emit('worker-0', 1000, 1000, 3));
        at(2, (f) => f.objectChanged.emit(2, '/registry/pods/shop/a', { metadata: { uid: 'a' } }));
        at(3, (f) => f.podAdmitted.emit('worker-0', 'shop/a', 'a', 500, 1));
        at(4, (f) => f.containerStarted.emit('worker-0', 'shop/a', 'a', 'c', 'i', 'image'));
        at(5, (f) => f.objectChanged.emit(3, '/registry/pods/shop/a', undefined));
        at(6, (f) => f.podAdmitted.emit('worker-0', 'shop/b', 'b', 600, 1));
      },
      holds: (at) => {
        at(1, (f) => f.nodeCapacity.emit('worker-0', 1000, 1000, 3));
        for (const uid of ['a', 'b']) {
          at(2, (f) => f.objectChanged.emit(2, `/registry/pods/shop/${uid}`, { metadata: { uid } }));
          at(3, (f) => f.podAdmitted.emit('worker-0', `shop/${uid}`, uid, 500, 1));
        }
        at(4, (f) => f.containerStarted.emit('worker-0', 'shop/a', 'a', 'c', 'i', 'image'));
        at(5, (f) => f.objectChanged.emit(3, '/registry/pods/shop/a', undefined));
        at(5, (f) => f.objectChanged.emit(4, '/registry/pods/shop/b', { metadata: { uid: 'b' }, status: { phase: 'Failed' } }));
        at(6, (f) => f.containerStopped.emit('worker-0', 'shop/a', 'a', 'c', 'i', 0));
        at(7, (f) => f.podAdmitted.emit('worker-0', 'shop/c', 'c', 1000, 1));
      },
    },
  ],
  'pod-identity': [
    {
      clause: 'one-uid-per-name',
      breaks: (at) => {
        at(1, (f) => started(f, 'worker-0', 'u1', 'c', 'i1'));
        at(2, (f) => started(f, 'worker-1', 'u2', 'c', 'i2'));
      },
      holds: (at) => {
        at(1, (f) => started(f, 'worker-0', 'u1', 'c', 'i1'));
        at(2, (f) => f.containerStopped.emit('worker-0', 'shop/db-0', 'u1', 'c', 'i1', 0));
        at(3, (f) => started(f, 'worker-1', 'u2', 'c', 'i2'));
      },
    },
    {
      clause: 'one-node-per-pod',
      breaks: (at) => {
        at(1, (f) => started(f, 'worker-0', 'u1', 'c', 'i1'));
        at(2, (f) => started(f, 'worker-1', 'u1', 'd', 'i2'));
      },
      holds: (at) => {
        at(1, (f) => started(f, 'worker-0', 'u1', 'c', 'i1'));
        at(2, (f) => started(f, 'worker-0', 'u1', 'd', 'i2'));
      },
    },
    {
      clause: 'one-instance-per-container',
      breaks: (at) => {
        at(1, (f) => started(f, 'worker-0', 'u1', 'c', 'i1'));
        at(2, (f) => started(f, 'worker-0', 'u1', 'c', 'i2'));
      },
      holds: (at) => {
        at(1, (f) => started(f, 'worker-0', 'u1', 'c', 'i1'));
        at(2, (f) => f.containerStopped.emit('worker-0', 'shop/db-0', 'u1', 'c', 'i1', 1));
        at(3, (f) => started(f, 'worker-0', 'u1', 'c', 'i2'));
      },
    },
  ],
  'rollout-bounds': [
    {
      clause: 'surge',
      breaks: (at) => {
        rollout(at);
        at(5, (f) => f.objectChanged.emit(6, '/registry/replicasets/shop/new', set('new', 2)));
      },
      holds: (at) => {
        rollout(at);
        at(5, (f) => f.objectChanged.emit(6, '/registry/replicasets/shop/new', set('new', 1)));
        at(6, (f) => f.objectChanged.emit(7, '/registry/replicasets/shop/old', undefined));
      },
    },
    {
      clause: 'unavailable',
      breaks: (at) => {
        rollout(at);
        at(5, (f) => f.objectChanged.emit(6, '/registry/replicasets/shop/old', set('old', 2)));
      },
      holds: (at) => {
        rollout(at);
        at(5, (f) => f.objectChanged.emit(6, '/registry/replicasets/shop/old', set('old', 3)));
      },
    },
    {
      clause: 'unavailable',
      breaks: (at) => {
        rollout(at);
        at(5, (f) => f.objectChanged.emit(6, '/registry/replicasets/shop/new', set('new', 1)));
        at(6, (f) => f.objectChanged.emit(7, '/registry/replicasets/shop/old', set('old', 1)));
      },
      // The same, but in the middle of the rollout only two are asked for any more.
      holds: (at) => {
        rollout(at);
        at(5, (f) => f.objectChanged.emit(6, '/registry/replicasets/shop/new', set('new', 1)));
        at(6, (f) => f.objectChanged.emit(7, '/registry/deployments/shop/web', scaledDown));
        at(7, (f) => f.objectChanged.emit(8, '/registry/replicasets/shop/old', set('old', 0)));
      },
    },
    {
      clause: 'unavailable',
      // Long after a manager took over from one that never said that it stopped, bounds hold again.
      breaks: (at) => {
        at(0, (f) => f.leading.emit('kube-controller-manager', 'cp-0_a', true));
        at(1, (f) => f.leading.emit('kube-controller-manager', 'cp-1_b', true));
        rollout(at);
        at(30, (f) => f.objectChanged.emit(6, '/registry/replicasets/shop/old', set('old', 2)));
      },
      // Just after, both act.
      holds: (at) => {
        at(0, (f) => f.leading.emit('kube-controller-manager', 'cp-0_a', true));
        at(1, (f) => f.leading.emit('kube-controller-manager', 'cp-1_b', true));
        rollout(at);
        at(5, (f) => f.objectChanged.emit(6, '/registry/replicasets/shop/old', set('old', 2)));
        at(40, (f) => f.objectChanged.emit(7, '/registry/replicasets/shop/old', set('old', 3)));
      },
    },
  ],
  'leader-served': [
    {
      clause: 'lease-kept-under-load',
      breaks: (at) => {
        underFlood(at);
        at(121, (f) => f.leading.emit('kube-scheduler', 'cp-1_x', false));
      },
      holds: (at) => {
        underFlood(at);
        // The other leader's server has nothing to do; this one's was disturbed by more than load.
        at(121, (f) => f.leading.emit('kube-controller-manager', 'cp-0_y', false));
        at(122, (f) => f.faultInjected.emit('F2', 'pause-process', 'kube-scheduler'));
        at(123, (f) => f.leading.emit('kube-scheduler', 'cp-1_x', false));
      },
    },
  ],
  'service-availability': [
    {
      clause: 'ready-backend-answers',
      breaks: (at) => {
        at(1, (f) => f.podReady.emit('worker-0', 'shop/web', 'u', true));
        at(100, (f) => f.requestSent.emit(1, 'client-0', 'shop/web'));
        at(102, (f) => f.requestAnswered.emit(1, 'timeout', ''));
      },
      holds: (at) => {
        at(1, (f) => f.podReady.emit('worker-0', 'shop/web', 'u', true));
        at(100, (f) => f.requestSent.emit(1, 'client-0', 'shop/web'));
        at(101, (f) => f.requestAnswered.emit(1, 'ok', 'shop/web'));
        at(102, (f) => f.faultInjected.emit('F1', 'partition', 'worker-0'));
        at(300, (f) => f.requestSent.emit(2, 'client-0', 'shop/web'));
        at(302, (f) => f.requestAnswered.emit(2, 'timeout', ''));
        at(303, (f) => f.faultHealed.emit('F1', 'partition', 9));
        at(304, (f) => f.requestSent.emit(3, 'client-0', 'shop/web'));
        at(305, (f) => f.requestAnswered.emit(3, 'refused', ''));
        at(500, (f) => f.podReady.emit('worker-0', 'shop/web', 'u', false));
        at(700, (f) => f.requestSent.emit(4, 'client-0', 'shop/web'));
        at(701, (f) => f.requestAnswered.emit(4, 'no-backend', ''));
      },
    },
  ],
  'workload-reconciliation': [
    {
      clause: 'statefulset',
      breaks: nothing,
      holds: nothing,
      end: ended(node('worker-0'), workload('statefulsets', 'db', { replicas: 2 }, { readyReplicas: 1 }), member('db', 'db-0', 'worker-0')),
      endHolds: ended(
        node('worker-0'),
        workload('statefulsets', 'db', { replicas: 2 }, { readyReplicas: 2 }),
        member('db', 'db-0', 'worker-0'),
        member('db', 'db-1', 'worker-0'),
      ),
    },
    {
      clause: 'daemonset',
      breaks: nothing,
      holds: nothing,
      end: ended(node('worker-0'), node('worker-1'), workload('daemonsets', 'agent', {}), member('agent', 'agent-a', 'worker-0')),
      endHolds: ended(
        node('worker-0'),
        node('worker-1', 'False'),
        workload('daemonsets', 'agent', {}),
        member('agent', 'agent-a', 'worker-0'),
      ),
    },
    {
      clause: 'job',
      breaks: nothing,
      holds: nothing,
      end: ended(workload('jobs', 'import', { completions: 3 }, { succeeded: 4, conditions: [{ type: 'Complete', status: 'True' }] })),
      endHolds: ended(workload('jobs', 'import', { completions: 3 }, { succeeded: 3, conditions: [{ type: 'Complete', status: 'True' }] })),
    },
    {
      clause: 'autoscaler',
      breaks: nothing,
      holds: nothing,
      end: ended(scaler(75), deployment(4, {})),
      endHolds: ended(scaler(75), deployment(6, {})),
    },
    {
      clause: 'preemption',
      breaks: nothing,
      holds: nothing,
      end: ended(
        node('worker-0'),
        ...[1, 2, 3, 4].map((i) => member('x', `low-${i}`, 'worker-0', 10)),
        member('y', 'high', undefined, 100),
      ),
      endHolds: ended(
        node('worker-0'),
        ...[1, 2, 3, 4].map((i) => member('x', `same-${i}`, 'worker-0', 100)),
        member('y', 'high', undefined, 100),
      ),
    },
  ],
  quiescence: [
    {
      clause: 'no-writes-when-done',
      breaks: (at) => at(290, (f) => f.objectChanged.emit(9, '/registry/pods/shop/web', {})),
      holds: (at) => {
        at(200, (f) => f.objectChanged.emit(8, '/registry/pods/shop/web', {}));
        at(290, (f) => f.objectChanged.emit(9, '/registry/leases/kube-system/kcm', {}));
        at(291, (f) => f.objectChanged.emit(10, '/registry/events/shop/x', {}));
      },
      end: { atS: 300, healedAtS: 100 },
    },
  ],
  'eventual-reconciliation': [
    {
      clause: 'replicas',
      breaks: running,
      holds: running,
      end: end([...without('services').filter((o) => o.name !== 'web-new-2'), pod(2, 'new', false)]),
      endHolds: end(good),
    },
    {
      clause: 'replicas',
      breaks: running,
      holds: running,
      end: end([...good.filter((o) => o.name !== 'web-new-2'), pod(2, 'old')]),
      // What the nodes cannot hold need not come true.
      endHolds: end(
        [
          ...without('nodes', node('worker-0', 'True', '1')).filter(
            (o) => o.name !== 'web-new-2' && o.resource !== 'deployments' && o.resource !== 'endpointslices',
          ),
          deployment(2, { observedGeneration: 2, replicas: 1, readyReplicas: 1 }),
          slice('10.0.0.1'),
        ].filter((o) => o.resource !== 'services'),
      ),
    },
    {
      clause: 'status',
      breaks: running,
      holds: running,
      end: end(without('deployments', deployment(2, { observedGeneration: 2, replicas: 2, readyReplicas: 1 }))),
      endHolds: end(good),
    },
    { clause: 'endpoints', breaks: running, holds: running, end: end(without('endpointslices', slice('10.0.0.1'))), endHolds: end(good) },
    {
      clause: 'proxies',
      breaks: (at) => {
        running(at);
        at(2, (f) => f.endpointsProgrammed.emit('worker-0', 'shop/web', 'http', '10.0.0.1:80'));
      },
      holds: running,
      end: end(good),
    },
    {
      clause: 'nodes',
      breaks: running,
      holds: running,
      end: end([...good, node('worker-1', 'Unknown')]),
      endHolds: end([...good, node('worker-1', 'Unknown')], ['worker-1']),
    },
    {
      clause: 'nodes',
      breaks: (at) => {
        running(at);
        at(9, (f) => f.containerStopped.emit('worker-0', 'shop/web-2', 'pod-2', 'c', 'i2', 1));
      },
      holds: running,
      end: end(good),
    },
  ],
};

describe.each(PROPERTIES.map((p) => [p.id, p] as const))('%s', (id, property) => {
  const canaries = [...(CANARIES[id] ?? []), ...(CONTROLLER_CANARIES[id] ?? [])];

  it('has a canary for every clause', () => {
    expect([...new Set(canaries.map((c) => c.clause))].sort()).toEqual(property.clauses.map((c) => c.id).sort());
  });

  it.each(canaries.map((c, n) => [c.clause, n, c] as const))(
    '%s (%i): is broken by its canary and by nothing less',
    (clause, _n, canary) => {
      const broken = judge(property, canary.breaks, canary.end);
      expect(broken.clauses).toEqual([clause]);
      const held = judge(property, canary.holds, canary.endHolds ?? canary.end);
      expect(held.witnesses).toEqual([]);
      expect(held.exercised).toBeGreaterThan(0);
      if (held.settled !== undefined) expect([held.settled, broken.settled]).toEqual([true, false]);
    },
  );

  it.each(canaries.map((c, n) => [c.clause, n, c] as const))('%s (%i): its witness can be told', (_clause, _n, canary) => {
    for (const witness of judge(property, canary.breaks, canary.end).witnesses) {
      expect(property.clauses.map((c) => c.id)).toContain(witness.clause);
      expect(witness.sentence).toMatch(/^.+\.$/);
      expect(witness.sentence).not.toMatch(/undefined|NaN|\[object/);
      expect(witness.expected).not.toBe(witness.actual);
      expect(witness.subjects.length).toBeGreaterThan(0);
      expect(witness.facts.length).toBeGreaterThan(0);
      const times = witness.facts.map((f) => f.atUs);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
  });

  it('is not exercised by a trial in which nothing happened', () => {
    expect(judge(property, () => undefined, { atS: 10 })).toMatchObject({ witnesses: [], exercised: 0 });
  });
});

describe('the registry', () => {
  it('is sorted, finds by id, and refuses an id that is registered twice', () => {
    const ids = PROPERTIES.map((p) => p.id);
    expect(ids).toEqual([...ids].sort());
    expect(propertyIds()).toEqual(ids);
    expect(findProperty('quiescence')?.id).toBe('quiescence');
    expect(findProperty('nope')).toBeUndefined();
    expect(() => indexProperties([...PROPERTIES, PROPERTIES[0] as (typeof PROPERTIES)[number]])).toThrow(/is registered twice/);
    expect([...new Set([...Object.keys(CANARIES), ...Object.keys(CONTROLLER_CANARIES)])].sort()).toEqual(ids);
  });
});
