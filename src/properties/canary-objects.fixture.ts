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
