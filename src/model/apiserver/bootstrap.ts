import type { UntypedObject } from '../api/object.ts';
import type { ApiResponse } from '../api/request.ts';
import type { Process } from '../../sim/process.ts';
import type { Task } from '../../sim/task.ts';
import { SECOND } from '../../sim/time.ts';
import type { ApiServerCore } from './core.ts';
import { flowBootstrap } from './flowcontrol/bootstrap-objects.ts';

/** The loopback identity of an API server's post-start hooks. */
const USER = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };

/** What the server's cache holds is there; what it does not hold yet the creation will find. */
const FROM_CACHE = { resourceVersion: '0' };

interface BootstrapRow {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly object: UntypedObject;
}

function namespaceRow(name: string): BootstrapRow {
  return { group: '', version: 'v1', resource: 'namespaces', object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } } };
}

function priorityRow(name: string, value: number, description: string): BootstrapRow {
  return {
    group: 'scheduling.k8s.io',
    version: 'v1',
    resource: 'priorityclasses',
    object: { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value, description },
  };
}

/**
 * What every API server of a simulated cluster makes sure of at its start, as far as a program of the model reads it:
 * start-system-namespaces-controller, bootstrap-system-priority-classes, the kubernetes service, the configuration of priority and fairness. fresh-cluster.ts has all that a real one
 * makes, for the conformance suites, which begin with a cluster that has started.
 */
const ROWS: readonly BootstrapRow[] = [
  namespaceRow('kube-system'),
  namespaceRow('kube-public'),
  namespaceRow('kube-node-lease'),
  namespaceRow('default'),
  priorityRow('system-node-critical', 2_000_001_000, 'Used for system critical pods that must not be moved from their current node.'),
  priorityRow(
    'system-cluster-critical',
    2_000_000_000,
    'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  ),
  {
    group: '',
    version: 'v1',
    resource: 'services',
    object: {
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
    },
  },
  ...flowBootstrap.map(({ resource, object }) => ({ group: 'flowcontrol.apiserver.k8s.io', version: 'v1', resource, object })),
];

/** Creates what is missing, again and again until the store takes it. */
export function* bootstrapObjects(process: Process, core: ApiServerCore): Task<void> {
  for (const row of ROWS) {
    const { namespace, name } = row.object.metadata;
    const base = {
      group: row.group,
      version: row.version,
      resource: row.resource,
      user: USER,
      userAgent: 'kube-apiserver',
      ...(namespace === undefined ? {} : { namespace }),
    };
    for (;;) {
      const read: ApiResponse = yield* core.handle({ ...base, verb: 'get', name: name ?? '', options: FROM_CACHE });
      if (read.code < 300) break;
      if (read.code === 404) {
        const created: ApiResponse = yield* core.handle({ ...base, verb: 'create', object: row.object });
        if (created.code < 300 || created.code === 409 || created.code === 422) break;
      }
      yield* process.sleep(SECOND);
    }
  }
}
