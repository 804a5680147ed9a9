import type { StoredObject } from './property.ts';

type Fields = { readonly [name: string]: unknown };

function stored(resource: string, namespace: string, name: string, object: Fields): StoredObject {
  const metadata = { namespace, name, ...(object['metadata'] as Fields | undefined) };
  return { resource, namespace, name, object: { ...object, metadata } };
}

const ready = (status: string): Fields => ({ conditions: [{ type: 'Ready', status }] });

export function node(name: string, status = 'True', pods = '110'): StoredObject {
  return stored('nodes', '', name, {
    spec: {},
    status: { ...ready(status), allocatable: { cpu: '4', memory: '8Gi', pods } },
  });
}

export function deployment(replicas: number, status: Fields): StoredObject {
  return stored('deployments', 'shop', 'web', {
    metadata: { uid: 'deployment', generation: 2 },
    spec: { replicas, template: { spec: { containers: [{ image: 'web:1', resources: { requests: { cpu: '100m' } } }] } } },
    status,
  });
}

export function replicaSet(uid: string, revision: number): StoredObject {
  return stored('replicasets', 'shop', `web-${uid}`, {
    metadata: {
      uid,
      annotations: { 'deployment.kubernetes.io/revision': `${revision}` },
      ownerReferences: [{ controller: true, uid: 'deployment' }],
    },
    spec: {},
  });
}

export function pod(n: number, set: string, isReady = true, nodeName = 'worker-0'): StoredObject {
  return stored('pods', 'shop', `web-${set}-${n}`, {
    metadata: { uid: `pod-${n}`, labels: { app: 'web' }, ownerReferences: [{ controller: true, uid: set }] },
    spec: { nodeName, containers: [{ image: 'web:1', resources: { requests: { cpu: '100m' } } }] },
    status: { phase: 'Running', podIP: `10.0.0.${n}`, ...ready(isReady ? 'True' : 'False') },
  });
}

export function service(): StoredObject {
  return stored('services', 'shop', 'web', { spec: { selector: { app: 'web' } } });
}

export function slice(...addresses: readonly string[]): StoredObject {
  return stored('endpointslices', 'shop', 'web-slice', {
    metadata: { labels: { 'kubernetes.io/service-name': 'web' } },
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
  });
}

const template = { spec: { containers: [{ image: 'x:1', resources: { requests: { cpu: '1' } } }] } };

/** A workload of any kind, with the uid that its pods name. */
export function workload(resource: string, name: string, spec: Fields, status: Fields = {}): StoredObject {
  return stored(resource, 'shop', name, { metadata: { uid: name }, spec: { template, ...spec }, status });
}

/** A pod of such a workload; without a node it waits. */
export function member(owner: string, name: string, nodeName: string | undefined, priority = 0): StoredObject {
  return stored('pods', 'shop', name, {
    metadata: { uid: name, ownerReferences: [{ controller: true, uid: owner }] },
    spec: { ...template.spec, priority, ...(nodeName === undefined ? {} : { nodeName }) },
    status: nodeName === undefined ? { phase: 'Pending' } : { phase: 'Running', ...ready('True') },
  });
}

/** An autoscaler of shop/web and what its pods use of the target of 50 %. */
export function scaler(used: number): StoredObject {
  return stored('horizontalpodautoscalers', 'shop', 'web', {
    spec: {
      scaleTargetRef: { kind: 'Deployment', name: 'web' },
      minReplicas: 2,
      maxReplicas: 6,
      metrics: [{ type: 'Resource', resource: { name: 'memory', target: { averageUtilization: 50 } } }],
    },
    status: { currentMetrics: [{ type: 'Resource', resource: { name: 'memory', current: { averageUtilization: used } } }] },
  });
}
