/**
 * One small object of every built-in kind that a server accepts, without its envelope: where the fuzzer starts from, so that what it changes
 * is one thing in a whole and not noise that the first check refuses.
 */
const container = { name: 'c', image: 'nginx:1' };
const podSpec = { containers: [container] };
const labels = { app: 'a' };
const template = { metadata: { labels }, spec: podSpec };
const selector = { matchLabels: labels };
const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r' };
const subject = { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'u' };
const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
const deviceRequest = { name: 'd', exactly: { deviceClassName: 'gpu.example.com' } };

const seeds: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  Binding: { target: { kind: 'Node', name: 'n' } },
  ComponentStatus: {},
  ConfigMap: { data: { k: 'v' }, binaryData: { b: 'AAEC' } },
  Endpoints: { subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }] },
  'v1/Event': { involvedObject: { kind: 'Pod', namespace: 'default', name: 'a' }, reason: 'R', message: 'm', type: 'Normal' },
  'events.k8s.io/v1/Event': {
    regarding: { kind: 'Pod', namespace: 'default', name: 'a' },
    reason: 'R',
    type: 'Normal',
    action: 'A',
    reportingController: 'example.com/c',
    reportingInstance: 'i',
    eventTime: '2026-01-02T03:04:05.000006Z',
  },
  LimitRange: { spec: { limits: [{ type: 'Container', default: { cpu: '1' }, defaultRequest: { cpu: '500m' } }] } },
  Namespace: {},
  Node: { spec: { podCIDR: '10.1.0.0/24', taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] } },
  PersistentVolumeClaim: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
  PersistentVolume: { spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/tmp' } } },
  Pod: { spec: podSpec },
  PodTemplate: { template },
  ReplicationController: { spec: { replicas: 1, selector: labels, template } },
  ResourceQuota: { spec: { hard: { pods: '100', 'requests.cpu': '100' } } },
  Secret: { type: 'Opaque', data: { k: 'dg==' }, stringData: { s: 't' } },
  ServiceAccount: { secrets: [{ name: 's' }], imagePullSecrets: [{ name: 'p' }] },
  Service: { spec: { selector: labels, ports: [{ port: 80, targetPort: 8080, protocol: 'TCP' }] } },
  ControllerRevision: { revision: 1, data: { a: 1 } },
  DaemonSet: { spec: { selector, template } },
  Deployment: { spec: { replicas: 2, selector, template } },
  ReplicaSet: { spec: { replicas: 2, selector, template } },
  StatefulSet: { spec: { serviceName: 's', replicas: 2, selector, template } },
  CronJob: { spec: { schedule: '*/5 * * * *', jobTemplate: { spec: { template: { spec: { ...podSpec, restartPolicy: 'Never' } } } } } },
  Job: { spec: { completions: 1, template: { spec: { ...podSpec, restartPolicy: 'Never' } } } },
  HorizontalPodAutoscaler: { spec: { scaleTargetRef: { kind: 'Deployment', name: 'a', apiVersion: 'apps/v1' }, maxReplicas: 3 } },
  PodDisruptionBudget: { spec: { minAvailable: 1, selector } },
  EndpointSlice: { addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'] }], ports: [{ name: '', port: 80 }] },
  IngressClass: { spec: { controller: 'example.com/c' } },
  Ingress: { spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } } },
  IPAddress: { spec: { parentRef: { resource: 'services', namespace: 'default', name: 's' } } },
  NetworkPolicy: { spec: { podSelector: selector, policyTypes: ['Ingress'] } },
  ServiceCIDR: { spec: { cidrs: ['10.200.0.0/24'] } },
  ClusterRoleBinding: { roleRef: role, subjects: [subject] },
  ClusterRole: { rules },
  RoleBinding: { roleRef: role, subjects: [subject] },
  Role: { rules },
  CSIDriver: { spec: { attachRequired: true } },
  CSINode: { spec: { drivers: [{ name: 'd.example.com', nodeID: 'n', topologyKeys: ['k'] }] } },
  CSIStorageCapacity: { storageClassName: 's', capacity: '1Gi' },
  StorageClass: { provisioner: 'example.com/p' },
  VolumeAttachment: { spec: { attacher: 'd.example.com', nodeName: 'n', source: { persistentVolumeName: 'v' } } },
  VolumeAttributesClass: { driverName: 'd.example.com', parameters: { a: 'b' } },
  PriorityClass: { value: 100 },
  Lease: { spec: { holderIdentity: 'h', leaseDurationSeconds: 15 } },
  CustomResourceDefinition: {
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'things', kind: 'Thing' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { n: { type: 'integer' } } } } } },
        },
      ],
    },
  },
  RuntimeClass: { handler: 'h' },
  // Without webhooks: there is no network to call them over.
  MutatingWebhookConfiguration: { webhooks: [] },
  ValidatingAdmissionPolicy: {
    spec: {
      matchConstraints: {
        resourceRules: [{ apiGroups: ['x.example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['xs'] }],
      },
      validations: [{ expression: 'true' }],
    },
  },
  ValidatingAdmissionPolicyBinding: { spec: { policyName: 'absent', validationActions: ['Deny'] } },
  ValidatingWebhookConfiguration: { webhooks: [] },
  SelfSubjectReview: {},
  TokenReview: { spec: { token: 't' } },
  LocalSubjectAccessReview: { spec: { user: 'u', resourceAttributes: { namespace: 'default', verb: 'get', resource: 'pods' } } },
  SelfSubjectAccessReview: { spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } },
  SelfSubjectRulesReview: { spec: { namespace: 'default' } },
  SubjectAccessReview: { spec: { user: 'u', resourceAttributes: { verb: 'get', resource: 'pods' } } },
  APIService: { spec: { group: 'example.com', version: 'v1', groupPriorityMinimum: 1000, versionPriority: 10 } },
  CertificateSigningRequest: {
    spec: { signerName: 'example.com/s', usages: ['client auth'], request: 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0=' },
  },
  FlowSchema: {
    spec: {
      priorityLevelConfiguration: { name: 'workload-low' },
      matchingPrecedence: 1000,
      distinguisherMethod: { type: 'ByUser' },
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: 'u' } }],
          resourceRules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'], namespaces: ['*'] }],
        },
      ],
    },
  },
  PriorityLevelConfiguration: {
    spec: {
      type: 'Limited',
      limited: {
        nominalConcurrencyShares: 5,
        limitResponse: { type: 'Queue', queuing: { queues: 8, handSize: 2, queueLengthLimit: 10 } },
      },
    },
  },
  DeviceClass: { spec: { selectors: [] } },
  ResourceClaim: { spec: { devices: { requests: [deviceRequest] } } },
  ResourceClaimTemplate: { spec: { spec: { devices: { requests: [deviceRequest] } } } },
  ResourceSlice: {
    spec: {
      driver: 'd.example.com',
      nodeName: 'n',
      pool: { name: 'p', generation: 1, resourceSliceCount: 1 },
      devices: [{ name: 'd' }],
    },
  },
};

/** Names that a kind prescribes. */
const names: Readonly<Record<string, string>> = {
  CustomResourceDefinition: 'things.example.com',
  APIService: 'v1.example.com',
  IPAddress: '10.200.0.9',
  CSIDriver: 'd.example.com',
};

/** The body of a kind's seed. @throws Error for a kind without one, so that a new kind is not forgotten. */
export function seedOf(kind: { readonly apiVersion: string; readonly kind: string }): Readonly<Record<string, unknown>> {
  const seed = seeds[`${kind.apiVersion}/${kind.kind}`] ?? seeds[kind.kind];
  if (seed === undefined) throw new Error(`fuzz: no seed for ${kind.apiVersion} ${kind.kind}`);
  return seed;
}

export function seedName(kind: string): string | undefined {
  return names[kind];
}
