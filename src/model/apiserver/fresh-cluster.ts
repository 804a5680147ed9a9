import type { Task } from '../../sim/task.ts';
import { trackUpdate } from '../api/managed/field-manager.ts';
import { leaf } from '../api/managed/field-set.ts';
import { fieldSetOf } from '../api/managed/typed-walk.ts';
import { newUid } from '../api/names.ts';
import type { ManagedFieldsEntry, UntypedObject } from '../api/object.ts';
import type { ServedKind } from '../api/registry.ts';
import { formatMicroTime, formatTime } from '../api/time.ts';
import { splitApiVersion } from '../api/validation/metadata.ts';
import recorded from './generated/bootstrap.json' with { type: 'json' };
import { createObject, keyOf } from './resource-store.ts';
import type { ServerContext } from './server-context.ts';

export interface FreshClusterOptions {
  /** --secure-port, where the service kubernetes leads to. */
  readonly securePort?: number;
  /** --advertise-address. */
  readonly advertiseAddress?: string;
  /** Name of this server's identity lease. */
  readonly identity?: string;
  readonly hostname?: string;
  /** Resources to leave out, such as 'apiservices' and 'flowschemas', where nobody reads them. */
  readonly without?: readonly string[];
}

interface Row {
  readonly resource: string;
  readonly object: UntypedObject;
}

function fill(value: unknown, now: string): unknown {
  if (value === '<time>') return now;
  if (Array.isArray(value)) return value.map((item) => fill(item, now));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, fill(child, now)]));
}

/** What this server adds to the recorded objects: its own address and identity. */
function ownRows(options: FreshClusterOptions, uid: string, nowUs: number): readonly Row[] {
  const { securePort = 6443, advertiseAddress = '192.0.2.10', identity = 'apiserver-0', hostname = 'localhost' } = options;
  const metadata = (name: string, namespace: string, labels: Readonly<Record<string, string>>): UntypedObject['metadata'] => ({
    name,
    namespace,
    labels,
  });
  return [
    {
      resource: 'endpoints',
      object: {
        apiVersion: 'v1',
        kind: 'Endpoints',
        metadata: metadata('kubernetes', 'default', { 'endpointslice.kubernetes.io/skip-mirror': 'true' }),
        subsets: [{ addresses: [{ ip: advertiseAddress }], ports: [{ name: 'https', port: securePort, protocol: 'TCP' }] }],
      },
    },
    {
      resource: 'endpointslices',
      object: {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { ...metadata('kubernetes', 'default', { 'kubernetes.io/service-name': 'kubernetes' }), generation: 1 },
        addressType: 'IPv4',
        endpoints: [{ addresses: [advertiseAddress], conditions: { ready: true } }],
        ports: [{ name: 'https', protocol: 'TCP', port: securePort }],
      },
    },
    {
      resource: 'ipaddresses',
      object: {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'IPAddress',
        metadata: {
          name: '10.96.0.1',
          labels: { 'ipaddress.kubernetes.io/ip-family': 'IPv4', 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' },
        },
        spec: { parentRef: { resource: 'services', namespace: 'default', name: 'kubernetes' } },
      },
    },
    {
      resource: 'leases',
      object: {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: metadata(identity, 'kube-system', {
          'apiserver.kubernetes.io/identity': 'kube-apiserver',
          'kubernetes.io/hostname': hostname,
        }),
        spec: { holderIdentity: `${identity}_${uid}`, leaseDurationSeconds: 3600, renewTime: formatMicroTime(nowUs) },
      },
    },
    {
      resource: 'configmaps',
      object: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'kube-apiserver-legacy-service-account-token-tracking', namespace: 'kube-system' },
        data: { since: formatTime(nowUs).slice(0, 10) },
      },
    },
  ];
}

/**
 * Puts what a cluster holds right after its first API server has started, straight into storage: what exists already stays, so that every
 * server of a cluster may run it. For the conformance suites; the servers of a trial start with bootstrap.ts, through their own API.
 */
export function* writeFreshCluster(server: ServerContext, options: FreshClusterOptions = {}): Task<void> {
  const { environment, registry } = server;
  const nowUs = environment.now();
  const now = formatTime(nowUs);
  const rows = [...(recorded as unknown as readonly Row[]), ...ownRows(options, newUid(environment.random), nowUs)];
  for (const { resource, object: given } of rows) {
    if (options.without?.includes(resource) === true) continue;
    const { group, version } = splitApiVersion(given.apiVersion);
    const kind: ServedKind | undefined = registry.resource(group, version, resource);
    if (kind === undefined) throw new Error(`fresh cluster: ${given.apiVersion} ${resource} is not served`);
    let object = fill(given, now) as UntypedObject;
    if (resource === 'services') {
      const spec = object['spec'] as { readonly ports: readonly object[] };
      object = { ...object, spec: { ...spec, ports: spec.ports.map((port) => ({ ...port, targetPort: options.securePort ?? 6443 })) } };
    }
    const generation = kind.hasGeneration && kind.kind !== 'IPAddress' ? { generation: 1 } : {};
    const metadata = { ...object.metadata, uid: newUid(environment.random), creationTimestamp: now, ...generation };
    const whole = owned(server, kind, { ...object, metadata }, now);
    yield* createObject(server, keyOf(kind, metadata.namespace ?? '', metadata.name ?? ''), whole);
  }
}

/** Parts of the server that write under names of their own: what they made, and the status that they applied. */
const makers: Readonly<Record<string, { readonly spec: string; readonly status?: string }>> = {
  FlowSchema: { spec: 'api-priority-and-fairness-config-producer-v1', status: 'api-priority-and-fairness-config-consumer-v1' },
  PriorityLevelConfiguration: { spec: 'api-priority-and-fairness-config-producer-v1' },
  ServiceCIDR: { spec: 'kube-apiserver', status: 'kubernetes-service-cidr-controller' },
};

/** The server's own clients own what they made. */
function owned(server: ServerContext, kind: ServedKind, object: UntypedObject, time: string): UntypedObject {
  const { type, apiVersion } = kind;
  if (type === undefined || server.options.managedFields === false) return object;
  const maker = makers[kind.kind];
  // What the server allots while it creates is nobody's.
  const asked = withoutAllotted(object);
  const tracked = trackUpdate(
    { type, apiVersion, manager: maker?.spec ?? 'kube-apiserver', subresource: '', time, ignored: { 'f:status': leaf } },
    undefined,
    asked,
  );
  const entries: ManagedFieldsEntry[] = [...(tracked.metadata.managedFields ?? [])];
  if (maker?.status !== undefined && object['status'] !== undefined) {
    const fieldsV1 = fieldSetOf(type, { status: withoutBlanks(object['status']) }) as unknown as NonNullable<
      ManagedFieldsEntry['fieldsV1']
    >;
    entries.unshift({
      manager: maker.status,
      operation: 'Apply',
      apiVersion,
      time,
      fieldsType: 'FieldsV1',
      fieldsV1,
      subresource: 'status',
    });
  }
  return entries.length === 0 ? object : { ...object, metadata: { ...object.metadata, managedFields: entries } };
}

/** An applier does not send the empty texts that the server prints. */
function withoutBlanks(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutBlanks);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== '')
      .map(([key, part]) => [key, withoutBlanks(part)]),
  );
}

function withoutAllotted(object: UntypedObject): UntypedObject {
  if (object.kind === 'Namespace') return { ...object, spec: {} };
  if (object.kind !== 'Service') return object;
  const { clusterIPs: _i, ipFamilies: _f, ...spec } = object['spec'] as Record<string, unknown>;
  return { ...object, spec };
}
