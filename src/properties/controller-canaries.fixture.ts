import type { Facts } from '../model/facts.ts';
import type { Canary } from './judging.fixture.ts';

/** Canaries of the clauses that judge single controllers of Kubernetes: the museum's exhibits K. */

type Fields = { readonly [name: string]: unknown };

let revision = 1;
const put = (f: Facts, key: string, object: Fields | undefined): void => f.objectChanged.emit(++revision, `/registry/${key}`, object);
const ownedPod = (name: string, kind: string, owner: string, metadata: Fields = {}, spec: Fields = {}): Fields => ({
  metadata: { namespace: 'shop', name, uid: name, ownerReferences: [{ kind, uid: owner, controller: true }], ...metadata },
  spec,
});
const lease = (f: Facts, holder: string): void => put(f, 'leases/kube-system/manager', { spec: { holderIdentity: holder } });
const requests = (cpu: string): Fields => ({ containers: [{ resources: { requests: { cpu } } }] });
const daemonSet = (maxSurge: number): Fields => ({
  metadata: { namespace: 'shop', name: 'agent', uid: 'agent' },
  spec: { updateStrategy: { rollingUpdate: { maxSurge } } },
});
const daemon = (f: Facts, name: string, metadata: Fields = {}): void =>
  put(f, `pods/shop/${name}`, ownedPod(name, 'DaemonSet', 'agent', metadata));
const runs = (f: Facts, name: string): void => f.containerStarted.emit('worker-0', `shop/${name}`, name, 'c', `i-${name}`, 'agent:1');
const template = (image: string): Fields => ({ spec: { containers: [{ image }] } });
const web = (f: Facts, image: string): void =>
  put(f, 'deployments/shop/web', { metadata: { namespace: 'shop', name: 'web', uid: 'web' }, spec: { template: template(image) } });
const webSet = (f: Facts, image: string, replicas: number): void =>
  put(f, `replicasets/shop/${image}`, {
    metadata: { namespace: 'shop', name: image, uid: image, generation: 1, ownerReferences: [{ uid: 'web', controller: true }] },
    spec: { replicas, template: template(image) },
    status: { observedGeneration: 1 },
  });

export const CONTROLLER_CANARIES: Readonly<Record<string, readonly Canary[]>> = {
  'node-capacity': [
    {
      clause: 'bound',
      breaks: (at) => {
        at(1, (f) => f.nodeCapacity.emit('worker-0', 1000, 1000, 5));
        for (const name of ['a', 'b']) at(2, (f) => put(f, `pods/shop/${name}`, ownedPod(name, 'ReplicaSet', 'web', {}, requests('600m'))));
        at(3, (f) => f.podBound.emit('shop/a', 'a', 'worker-0'));
        at(4, (f) => f.podBound.emit('shop/b', 'b', 'worker-0'));
      },
      holds: (at) => {
        at(1, (f) => f.nodeCapacity.emit('worker-0', 1000, 1000, 5));
        for (const name of ['a', 'b', 'c'])
          at(2, (f) => put(f, `pods/shop/${name}`, ownedPod(name, 'ReplicaSet', 'web', {}, requests('600m'))));
        at(3, (f) => f.podBound.emit('shop/a', 'a', 'worker-0'));
        at(4, (f) => put(f, 'pods/shop/a', undefined));
        at(5, (f) => f.podBound.emit('shop/b', 'b', 'worker-0'));
        // Another scheduler leads, which may not know yet what the last one did.
        at(6, (f) => f.leading.emit('kube-scheduler', 'cp-1', true));
        at(7, (f) => f.podBound.emit('shop/c', 'c', 'worker-0'));
      },
    },
  ],
  'pod-identity': [
    {
      clause: 'one-daemon-per-node',
      breaks: (at) => {
        at(1, (f) => put(f, 'daemonsets/shop/agent', daemonSet(0)));
        for (const name of ['agent-a', 'agent-b']) at(2, (f) => daemon(f, name));
        at(3, (f) => runs(f, 'agent-a'));
        at(4, (f) => runs(f, 'agent-b'));
      },
      holds: (at) => {
        at(1, (f) => put(f, 'daemonsets/shop/agent', daemonSet(0)));
        for (const name of ['agent-a', 'agent-b', 'agent-c']) at(2, (f) => daemon(f, name));
        at(3, (f) => runs(f, 'agent-a'));
        at(4, (f) => daemon(f, 'agent-a', { deletionTimestamp: 'now' }));
        at(5, (f) => runs(f, 'agent-b'));
        at(6, (f) => put(f, 'daemonsets/shop/agent', daemonSet(1)));
        at(7, (f) => runs(f, 'agent-c'));
      },
    },
  ],
  'replica-bounds': [
    {
      clause: 'no-extra-pods',
      breaks: (at) => {
        at(1, (f) => webSet(f, 'web:1', 1));
        for (const name of ['a', 'b']) at(2, (f) => put(f, `pods/shop/${name}`, ownedPod(name, 'ReplicaSet', 'web:1')));
      },
      holds: (at) => {
        at(1, (f) => webSet(f, 'web:1', 1));
        at(2, (f) => put(f, 'pods/shop/a', ownedPod('a', 'ReplicaSet', 'web:1')));
        at(3, (f) => put(f, 'pods/shop/a', ownedPod('a', 'ReplicaSet', 'web:1', { deletionTimestamp: 'now' })));
        at(4, (f) => put(f, 'pods/shop/b', ownedPod('b', 'ReplicaSet', 'web:1')));
      },
    },
  ],
  'rollout-order': [
    {
      clause: 'no-new-old-pods',
      breaks: (at) => {
        at(1, (f) => web(f, 'web:1'));
        at(2, (f) => webSet(f, 'web:1', 3));
        at(3, (f) => web(f, 'web:2'));
        at(4, (f) => webSet(f, 'web:1', 6));
      },
      holds: (at) => {
        at(1, (f) => web(f, 'web:1'));
        at(2, (f) => webSet(f, 'web:1', 3));
        at(3, (f) => webSet(f, 'web:1', 6));
        at(4, (f) => web(f, 'web:2'));
        at(5, (f) => webSet(f, 'web:2', 1));
        at(6, (f) => webSet(f, 'web:1', 5));
        at(7, (f) => webSet(f, 'web:2', 2));
      },
    },
  ],
  'single-leader': [
    {
      clause: 'loser-stops',
      breaks: (at) => {
        at(1, (f) => f.leading.emit('manager', 'cp-0', true));
        at(1, (f) => lease(f, 'cp-0'));
        at(20, (f) => lease(f, 'cp-1'));
        at(36, (f) => lease(f, 'cp-1'));
      },
      holds: (at) => {
        at(1, (f) => f.leading.emit('manager', 'cp-0', true));
        at(1, (f) => lease(f, 'cp-0'));
        at(5, (f) => f.faultInjected.emit('F1', 'pause-host', 'cp-0'));
        at(20, (f) => lease(f, 'cp-1'));
        at(36, (f) => lease(f, 'cp-1'));
        at(50, (f) => f.faultHealed.emit('F1', 'pause-host', 1));
        at(51, (f) => lease(f, 'cp-1'));
        at(52, (f) => f.leading.emit('manager', 'cp-0', false));
        at(70, (f) => lease(f, 'cp-1'));
      },
    },
  ],
};
