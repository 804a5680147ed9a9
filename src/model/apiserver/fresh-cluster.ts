import type { UntypedObject } from '../api/object.ts';
import type { ApiRequest } from '../api/request.ts';

/** One object that an API server makes sure of at its start, as the request that creates it. */
export interface BootstrapRequest {
  readonly request: ApiRequest;
}

const user = { name: 'system:apiserver', groups: ['system:masters'] };

function row(group: string, version: string, resource: string, object: UntypedObject): BootstrapRequest {
  const { namespace } = object.metadata;
  return { request: { verb: 'create', group, version, resource, object, user, userAgent: 'kube-apiserver', ...(namespace === undefined ? {} : { namespace }) } };
}

function namespace(name: string): BootstrapRequest {
  return row('', 'v1', 'namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
}

function priorityClass(name: string, value: number, description: string): BootstrapRequest {
  return row('scheduling.k8s.io', 'v1', 'priorityclasses', { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value, description });
}

/** What a cluster holds right after its API server has started for the first time, in the order of creation. */
export function freshClusterObjects(): readonly BootstrapRequest[] {
  return [
    namespace('kube-system'),
    namespace('kube-public'),
    namespace('kube-node-lease'),
    namespace('default'),
    priorityClass('system-node-critical', 2_000_001_000, 'Used for system critical pods that must not be moved from their current node.'),
    priorityClass('system-cluster-critical', 2_000_000_000, 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.'),
    row('', 'v1', 'services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } },
      spec: {
        type: 'ClusterIP',
        clusterIP: '10.96.0.1',
        clusterIPs: ['10.96.0.1'],
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        internalTrafficPolicy: 'Cluster',
        sessionAffinity: 'None',
        ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }],
      },
    }),
  ];
}
