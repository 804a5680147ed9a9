import type { Facts } from '../model/facts.ts';
import { node } from './canary-objects.fixture.ts';
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

const served = (name: string, ready: boolean, ...conditions: readonly Fields[]): Fields => ({
  metadata: { namespace: 'shop', name, uid: name, labels: { app: 'web' } },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }, ...conditions] },
});
const onNode = (name: string, ready: boolean): Fields => ({ ...served(name, ready), spec: { nodeName: 'worker-0' } });
const evicted: Fields = { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI' };
const twoOfThree = (f: Facts): void => {
  put(f, 'poddisruptionbudgets/shop/web', {
    metadata: { namespace: 'shop', name: 'web' },
    spec: { minAvailable: 2, selector: { matchLabels: { app: 'web' } } },
  });
  for (const name of ['a', 'b', 'c']) put(f, `pods/shop/${name}`, served(name, true));
};
const evict = (f: Facts, name: string): void => put(f, `pods/shop/${name}`, served(name, true, evicted));
const nodeIs = (f: Facts, name: string, ready: string): void =>
  put(f, `minions/${name}`, { metadata: { name }, status: { conditions: [{ type: 'Ready', status: ready }] } });
const grows: Canary['breaks'] = (at) => {
  at(1, (f) => f.nodeGroup.emit('pool-0', 2, 4, 2000, 4 * 1024 ** 3, true));
  at(100, (f) => f.nodeGroup.emit('pool-0', 3, 4, 2000, 4 * 1024 ** 3, true));
};
const pendingPod = (cpu: string, reason = 'Unschedulable'): { resource: string; namespace: string; name: string; object: Fields } => ({
  resource: 'pods',
  namespace: 'shop',
  name: 'web',
  object: {
    metadata: { namespace: 'shop', name: 'web', uid: 'web' },
    spec: requests(cpu),
    status: { conditions: [{ type: 'PodScheduled', status: 'False', reason, message: '0/2 nodes are available' }] },
  },
});
const balancer = (at: Parameters<Canary['breaks']>[0], name: string, address: string): void => {
  at(0, (f) => f.cloudServes.emit('load-balancers'));
  at(1, (f) => f.loadBalancer.emit(name, address));
};
const balanced = {
  resource: 'services',
  namespace: 'shop',
  name: 'web',
  object: {
    metadata: { namespace: 'shop', name: 'web', uid: 'web' },
    spec: { type: 'LoadBalancer' },
    status: { loadBalancer: { ingress: [{ ip: '203.0.113.1' }] } },
  },
};
const cronJob = {
  resource: 'cronjobs',
  namespace: 'shop',
  name: 'report',
  object: { metadata: { namespace: 'shop', name: 'report', uid: 'report' }, spec: { schedule: '*/2 * * * *' } },
};
const cronWork = (f: Facts, n: number): void =>
  put(f, `jobs/shop/report-${n}`, {
    metadata: { namespace: 'shop', uid: `job-${n}`, ownerReferences: [{ uid: 'report', controller: true }] },
  });
const autoscaler = (used: number, currentReplicas: number, desiredReplicas: number): Fields => ({
  metadata: { namespace: 'shop', name: 'web' },
  spec: {
    minReplicas: 2,
    scaleTargetRef: { name: 'web' },
    metrics: [{ type: 'Resource', resource: { target: { averageUtilization: 50 } } }],
  },
  status: { currentReplicas, desiredReplicas, currentMetrics: [{ resource: { current: { averageUtilization: used } } }] },
});
const localService = (f: Facts): void => put(f, 'services/specs/shop/web', { spec: { externalTrafficPolicy: 'Local' } });
const configMap = (namespace: string): NonNullable<NonNullable<Canary['end']>['objects']>[number] => ({
  resource: 'configmaps',
  namespace,
  name: 'note',
  object: { metadata: { namespace, name: 'note' } },
});

export const CONTROLLER_CANARIES: Readonly<Record<string, readonly Canary[]>> = {
  'disruption-budget': [
    {
      clause: 'enough-left',
      breaks: (at) => {
        at(1, twoOfThree);
        at(2, (f) => evict(f, 'a'));
        at(3, (f) => evict(f, 'b'));
      },
      holds: (at) => {
        at(1, twoOfThree);
        at(2, (f) => evict(f, 'a'));
        at(3, (f) => put(f, 'pods/shop/a', undefined));
        at(4, (f) => put(f, 'pods/shop/d', served('d', true)));
        at(5, (f) => evict(f, 'b'));
        // One is lost that no budget could keep, and nobody knows of it yet.
        at(6, (f) => put(f, 'pods/shop/c', served('c', false)));
        at(7, (f) => evict(f, 'd'));
      },
    },
  ],
  'eventual-reconciliation': [
    {
      clause: 'cronjobs',
      breaks: (at) => {
        at(1, (f) => put(f, 'cronjobs/shop/report', cronJob.object));
        at(100, (f) => cronWork(f, 1));
      },
      holds: (at) => {
        at(1, (f) => put(f, 'cronjobs/shop/report', cronJob.object));
        at(100, (f) => cronWork(f, 1));
        at(400, (f) => cronWork(f, 2));
      },
      end: { atS: 500, healedAtS: 200, objects: [cronJob] },
    },
    {
      // One that has not been due yet, and a clock that was set.
      clause: 'cronjobs',
      breaks: (at) => at(300, (f) => put(f, 'cronjobs/shop/report', cronJob.object)),
      holds: (at) => {
        at(100, (f) => f.faultInjected.emit('F1', 'clock-jump', 'cp-0'));
        at(300, (f) => put(f, 'cronjobs/shop/report', cronJob.object));
      },
      end: { atS: 600, healedAtS: 200, objects: [cronJob, node('worker-0')] },
    },
  ],
  'load-balancers-follow': [
    {
      clause: 'has-its-address',
      breaks: (at) => balancer(at, 'aweb', '203.0.113.2'),
      holds: (at) => balancer(at, 'aweb', '203.0.113.1'),
      end: { atS: 900, healedAtS: 200, objects: [balanced] },
    },
    {
      // A controller that never asks for any.
      clause: 'has-its-address',
      breaks: (at) => at(0, (f) => f.cloudServes.emit('load-balancers')),
      holds: (at) => balancer(at, 'aweb', '203.0.113.1'),
      end: { atS: 900, healedAtS: 200, objects: [balanced] },
    },
    {
      clause: 'none-left',
      breaks: (at) => {
        balancer(at, 'aweb', '203.0.113.1');
        at(2, (f) => f.loadBalancer.emit('aold', '203.0.113.2'));
      },
      holds: (at) => {
        balancer(at, 'aweb', '203.0.113.1');
        at(2, (f) => f.loadBalancer.emit('aold', '203.0.113.2'));
        at(90, (f) => f.loadBalancer.emit('aold', ''));
      },
      end: { atS: 900, healedAtS: 200, objects: [balanced] },
    },
  ],
  'pods-get-nodes': [
    {
      clause: 'no-pod-waits',
      breaks: (at) => grows(at),
      // All the machines are there: the pod has to wait.
      holds: (at) => {
        at(1, (f) => f.nodeGroup.emit('pool-0', 2, 4, 2000, 4 * 1024 ** 3, true));
        at(100, (f) => f.nodeGroup.emit('pool-0', 4, 4, 2000, 4 * 1024 ** 3, true));
      },
      end: { atS: 900, healedAtS: 200, objects: [pendingPod('1')] },
    },
    {
      // An autoscaler that never orders anything; and a pod that nobody may schedule yet.
      clause: 'no-pod-waits',
      breaks: (at) => at(1, (f) => f.nodeGroup.emit('pool-0', 2, 4, 2000, 4 * 1024 ** 3, true)),
      holds: (at) => grows(at),
      end: { atS: 900, healedAtS: 200, objects: [pendingPod('1')] },
      endHolds: { atS: 900, healedAtS: 200, objects: [pendingPod('1', 'SchedulingGated')] },
    },
    {
      // Another pod is larger than any machine of the group.
      clause: 'no-pod-waits',
      breaks: (at) => grows(at),
      holds: (at) => grows(at),
      end: { atS: 900, healedAtS: 200, objects: [pendingPod('2')] },
      endHolds: { atS: 900, healedAtS: 200, objects: [pendingPod('3')] },
    },
  ],
  'healthy-node-kept': [
    {
      clause: 'not-deleted',
      breaks: (at) => {
        at(1, (f) => nodeIs(f, 'worker-0', 'False'));
        at(2, (f) => put(f, 'minions/worker-0', undefined));
      },
      holds: (at) => {
        at(1, (f) => nodeIs(f, 'worker-0', 'True'));
        at(1, (f) => nodeIs(f, 'worker-1', 'True'));
        at(2, (f) => f.nodeReachable.emit('worker-0', false));
        at(60, (f) => put(f, 'minions/worker-0', undefined));
        at(61, (f) => f.userOperation.emit(1, 'user-0', 'delete node worker-1'));
        at(62, (f) => put(f, 'minions/worker-1', undefined));
      },
    },
  ],
  'no-mass-eviction': [
    {
      clause: 'all-silent',
      breaks: (at) => {
        at(1, (f) => nodeIs(f, 'worker-0', 'True'));
        at(1, (f) => nodeIs(f, 'worker-1', 'True'));
        at(60, (f) => nodeIs(f, 'worker-0', 'Unknown'));
        at(65, (f) => nodeIs(f, 'worker-1', 'Unknown'));
        at(360, (f) => f.podEvicted.emit('shop/a', 'a', 'worker-0', 'taint'));
      },
      holds: (at) => {
        at(1, (f) => nodeIs(f, 'worker-0', 'True'));
        at(1, (f) => nodeIs(f, 'worker-1', 'True'));
        at(60, (f) => nodeIs(f, 'worker-0', 'Unknown'));
        at(360, (f) => f.podEvicted.emit('shop/a', 'a', 'worker-0', 'taint'));
        at(400, (f) => nodeIs(f, 'worker-1', 'Unknown'));
        at(401, (f) => f.podEvicted.emit('shop/b', 'b', 'worker-0', 'taint'));
        at(470, (f) => f.podEvicted.emit('shop/c', 'c', 'worker-0', 'pod-gc'));
        at(471, (f) => nodeIs(f, 'worker-1', 'True'));
      },
    },
  ],
  'no-orphans': [
    {
      clause: 'namespace-exists',
      breaks: (at) => {
        at(1, (f) => put(f, 'namespaces/shop', {}));
        at(2, (f) => put(f, 'namespaces/shop', undefined));
      },
      holds: (at) => {
        at(1, (f) => put(f, 'namespaces/shop', {}));
        at(2, (f) => put(f, 'namespaces/shop', undefined));
      },
      end: { atS: 100, healedAtS: 10, objects: [configMap('shop')] },
      endHolds: { atS: 100, healedAtS: 10, objects: [configMap('default')] },
    },
    {
      // An API server that is far behind takes an object for a namespace that has been going for long: nobody looks there again.
      clause: 'namespace-exists',
      breaks: (at) => {
        at(1, (f) => put(f, 'namespaces/shop', { metadata: { name: 'shop', deletionTimestamp: 'now' } }));
        at(3, (f) => put(f, 'configmaps/shop/a', configMap('shop').object));
        at(7, (f) => put(f, 'namespaces/shop', undefined));
      },
      holds: (at) => {
        at(1, (f) => put(f, 'namespaces/shop', { metadata: { name: 'shop', deletionTimestamp: 'now' } }));
        at(7, (f) => put(f, 'namespaces/shop', undefined));
        at(9, (f) => put(f, 'configmaps/shop/a', configMap('shop').object));
      },
      end: { atS: 100, healedAtS: 10, objects: [configMap('shop')] },
    },
  ],
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
  'readiness-kept': [
    {
      clause: 'still-ready',
      breaks: (at) => {
        at(1, (f) => put(f, 'pods/shop/a', onNode('a', true)));
        at(2, (f) => f.faultInjected.emit('F1', 'crash-process', 'kubelet-worker-0'));
        at(3, (f) => f.faultHealed.emit('F1', 'crash-process', 1));
        at(4, (f) => put(f, 'pods/shop/a', onNode('a', false)));
      },
      holds: (at) => {
        for (const name of ['a', 'b']) at(1, (f) => put(f, `pods/shop/${name}`, onNode(name, true)));
        at(2, (f) => f.faultInjected.emit('F1', 'crash-process', 'kubelet-worker-0'));
        at(3, (f) => f.faultHealed.emit('F1', 'crash-process', 1));
        at(4, (f) => f.containerStopped.emit('worker-0', 'shop/a', 'a', 'c', 'i', 1));
        at(5, (f) => put(f, 'pods/shop/a', onNode('a', false)));
        at(30, (f) => put(f, 'pods/shop/b', onNode('b', false)));
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
  'rollout-availability': [
    {
      clause: 'nothing-lost',
      breaks: (at) => {
        at(1, (f) => localService(f));
        at(70, (f) => f.requestSent.emit(1, 'traffic-0', 'shop/web'));
        at(71, (f) => f.requestAnswered.emit(1, 'timeout', ''));
      },
      holds: (at) => {
        at(1, (f) => localService(f));
        at(70, (f) => f.requestSent.emit(1, 'traffic-0', 'shop/web'));
        at(71, (f) => f.requestAnswered.emit(1, 'ok', 'shop/a'));
        at(71, (f) => f.requestSent.emit(2, 'traffic-0', 'shop/other'));
        at(72, (f) => f.requestAnswered.emit(2, 'timeout', ''));
        at(75, (f) => f.faultInjected.emit('F1', 'link-latency', 'worker-0'));
        at(80, (f) => f.faultHealed.emit('F1', 'link-latency', 1));
        at(90, (f) => f.requestSent.emit(3, 'traffic-0', 'shop/web'));
        at(91, (f) => f.requestAnswered.emit(3, 'timeout', ''));
      },
    },
  ],
  'rollout-bounds': [
    {
      clause: 'autoscaled',
      breaks: (at) => at(1, (f) => put(f, 'horizontalpodautoscalers/shop/web', autoscaler(50, 4, 6))),
      holds: (at) => {
        at(1, (f) => put(f, 'horizontalpodautoscalers/shop/web', autoscaler(50, 4, 4)));
        at(2, (f) => put(f, 'horizontalpodautoscalers/shop/web', autoscaler(80, 4, 6)));
        at(3, (f) => put(f, 'horizontalpodautoscalers/shop/web', autoscaler(30, 6, 4)));
        at(3, (f) => put(f, 'horizontalpodautoscalers/shop/web', autoscaler(41, 4, 5)));
        at(4, (f) => put(f, 'horizontalpodautoscalers/shop/web', autoscaler(30, 1, 2)));
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
