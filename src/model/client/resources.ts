import type { ApiObject } from '../api/object.ts';
import type {
  ClusterRole,
  ClusterRoleBinding,
  ConfigMap,
  ControllerRevision,
  CronJob,
  CSINode,
  DaemonSet,
  Deployment,
  EndpointSlice,
  Endpoints,
  Event,
  EventsEvent,
  HorizontalPodAutoscaler,
  Ingress,
  Job,
  Lease,
  LimitRange,
  Namespace,
  NetworkPolicy,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  PriorityClass,
  ReplicaSet,
  ReplicationController,
  ResourceQuota,
  Role,
  RoleBinding,
  RuntimeClass,
  Secret,
  Service,
  ServiceAccount,
  ServiceCIDR,
  StatefulSet,
  StorageClass,
  VolumeAttachment,
} from '../api/types.ts';

/** Where objects of type T are served: what a typed client needs to know of a kind. */
export interface Resource<T extends ApiObject = ApiObject> {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  /** Plural, lower case. */
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Only carries the type; never set. */
  readonly object?: T;
}

/** apiVersion of a resource's objects: 'v1', 'apps/v1'. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

function namespaced<T extends ApiObject>(group: string, version: string, resource: string, kind: string): Resource<T> {
  return { group, version, resource, kind, namespaced: true };
}

function clusterWide<T extends ApiObject>(group: string, version: string, resource: string, kind: string): Resource<T> {
  return { group, version, resource, kind, namespaced: false };
}

export const PODS = namespaced<Pod>('', 'v1', 'pods', 'Pod');
export const SERVICES = namespaced<Service>('', 'v1', 'services', 'Service');
export const ENDPOINTS = namespaced<Endpoints>('', 'v1', 'endpoints', 'Endpoints');
export const CONFIG_MAPS = namespaced<ConfigMap>('', 'v1', 'configmaps', 'ConfigMap');
export const SECRETS = namespaced<Secret>('', 'v1', 'secrets', 'Secret');
export const SERVICE_ACCOUNTS = namespaced<ServiceAccount>('', 'v1', 'serviceaccounts', 'ServiceAccount');
export const EVENTS = namespaced<Event>('', 'v1', 'events', 'Event');
export const LIMIT_RANGES = namespaced<LimitRange>('', 'v1', 'limitranges', 'LimitRange');
export const RESOURCE_QUOTAS = namespaced<ResourceQuota>('', 'v1', 'resourcequotas', 'ResourceQuota');
export const REPLICATION_CONTROLLERS = namespaced<ReplicationController>('', 'v1', 'replicationcontrollers', 'ReplicationController');
export const PERSISTENT_VOLUME_CLAIMS = namespaced<PersistentVolumeClaim>('', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim');
export const NODES = clusterWide<Node>('', 'v1', 'nodes', 'Node');
export const NAMESPACES = clusterWide<Namespace>('', 'v1', 'namespaces', 'Namespace');
export const PERSISTENT_VOLUMES = clusterWide<PersistentVolume>('', 'v1', 'persistentvolumes', 'PersistentVolume');
export const DEPLOYMENTS = namespaced<Deployment>('apps', 'v1', 'deployments', 'Deployment');
export const REPLICA_SETS = namespaced<ReplicaSet>('apps', 'v1', 'replicasets', 'ReplicaSet');
export const STATEFUL_SETS = namespaced<StatefulSet>('apps', 'v1', 'statefulsets', 'StatefulSet');
export const DAEMON_SETS = namespaced<DaemonSet>('apps', 'v1', 'daemonsets', 'DaemonSet');
export const CONTROLLER_REVISIONS = namespaced<ControllerRevision>('apps', 'v1', 'controllerrevisions', 'ControllerRevision');
export const JOBS = namespaced<Job>('batch', 'v1', 'jobs', 'Job');
export const CRON_JOBS = namespaced<CronJob>('batch', 'v1', 'cronjobs', 'CronJob');
export const ENDPOINT_SLICES = namespaced<EndpointSlice>('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice');
export const HORIZONTAL_POD_AUTOSCALERS = namespaced<HorizontalPodAutoscaler>(
  'autoscaling',
  'v2',
  'horizontalpodautoscalers',
  'HorizontalPodAutoscaler',
);
export const POD_DISRUPTION_BUDGETS = namespaced<PodDisruptionBudget>('policy', 'v1', 'poddisruptionbudgets', 'PodDisruptionBudget');
export const LEASES = namespaced<Lease>('coordination.k8s.io', 'v1', 'leases', 'Lease');
export const EVENTS_V1 = namespaced<EventsEvent>('events.k8s.io', 'v1', 'events', 'Event');
export const INGRESSES = namespaced<Ingress>('networking.k8s.io', 'v1', 'ingresses', 'Ingress');
export const NETWORK_POLICIES = namespaced<NetworkPolicy>('networking.k8s.io', 'v1', 'networkpolicies', 'NetworkPolicy');
export const SERVICE_CIDRS = clusterWide<ServiceCIDR>('networking.k8s.io', 'v1', 'servicecidrs', 'ServiceCIDR');
export const PRIORITY_CLASSES = clusterWide<PriorityClass>('scheduling.k8s.io', 'v1', 'priorityclasses', 'PriorityClass');
export const STORAGE_CLASSES = clusterWide<StorageClass>('storage.k8s.io', 'v1', 'storageclasses', 'StorageClass');
export const CSI_NODES = clusterWide<CSINode>('storage.k8s.io', 'v1', 'csinodes', 'CSINode');
export const VOLUME_ATTACHMENTS = clusterWide<VolumeAttachment>('storage.k8s.io', 'v1', 'volumeattachments', 'VolumeAttachment');
export const RUNTIME_CLASSES = clusterWide<RuntimeClass>('node.k8s.io', 'v1', 'runtimeclasses', 'RuntimeClass');
export const ROLES = namespaced<Role>('rbac.authorization.k8s.io', 'v1', 'roles', 'Role');
export const ROLE_BINDINGS = namespaced<RoleBinding>('rbac.authorization.k8s.io', 'v1', 'rolebindings', 'RoleBinding');
export const CLUSTER_ROLES = clusterWide<ClusterRole>('rbac.authorization.k8s.io', 'v1', 'clusterroles', 'ClusterRole');
export const CLUSTER_ROLE_BINDINGS = clusterWide<ClusterRoleBinding>(
  'rbac.authorization.k8s.io',
  'v1',
  'clusterrolebindings',
  'ClusterRoleBinding',
);
