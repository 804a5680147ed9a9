import type { PodTemplateSpec } from '../types.ts';
import { goMap } from './field-errors.ts';

/**
 * How encoding/json prints the internal (tagless) Go structs of a pod template: every field in the order of its declaration
 * under its Go name, absent pointers, lists and maps as null, absent plain values as their zero. An error about an immutable
 * template quotes it so.
 *
 * A row reads `GoName` or `GoName=wireName`, then `:` and its type: `s` string, `n` number, `b` boolean, `q` quantity,
 * `?` a pointer or list printed as it is, `m` a map, `*X` a pointer to struct X, `[]X` a list of it, `X` the struct itself.
 */
const structs: Readonly<Record<string, string>> = {
  Volume: `Name:s HostPath:*HostPath EmptyDir:*EmptyDir GCEPersistentDisk=gcePersistentDisk:*GCE AWSElasticBlockStore=awsElasticBlockStore:*EBS
    GitRepo:*GitRepo Secret:*SecretVolume NFS=nfs:*NFS ISCSI=iscsi:*ISCSI Glusterfs:*Glusterfs PersistentVolumeClaim:*ClaimVolume RBD=rbd:*Other
    Quobyte:*Other FlexVolume:*Other Cinder:*Other CephFS=cephfs:*Other Flocker:*Other DownwardAPI:*DownwardVolume FC=fc:*Other AzureFile:*Other
    ConfigMap:*ConfigMapVolume VsphereVolume:*Other AzureDisk:*Other PhotonPersistentDisk:*Other Projected:*Projected PortworxVolume:*Other
    ScaleIO:*Other StorageOS=storageos:*Other CSI=csi:*CSI Ephemeral:*Ephemeral Image:*ImageVolume`,
  HostPath: 'Path:s Type:?',
  EmptyDir: 'Medium:s SizeLimit:?',
  GCE: 'PDName:s FSType:s Partition:n ReadOnly:b',
  EBS: 'VolumeID:s FSType:s Partition:n ReadOnly:b',
  GitRepo: 'Repository:s Revision:s Directory:s',
  SecretVolume: 'SecretName:s Items:[]KeyToPath DefaultMode:? Optional:?',
  NFS: 'Server:s Path:s ReadOnly:b',
  ISCSI: `TargetPortal:s IQN=iqn:s Lun:n ISCSIInterface=iscsiInterface:s FSType:s ReadOnly:b Portals:? DiscoveryCHAPAuth=chapAuthDiscovery:b
    SessionCHAPAuth=chapAuthSession:b SecretRef:*LocalReference InitiatorName:?`,
  Glusterfs: 'EndpointsName=endpoints:s Path:s ReadOnly:b',
  ClaimVolume: 'ClaimName:s ReadOnly:b',
  DownwardVolume: 'Items:[]DownwardFile DefaultMode:?',
  DownwardFile: 'Path:s FieldRef:*FieldSelector ResourceFieldRef:*ResourceSelector Mode:?',
  ConfigMapVolume: 'Name:s Items:[]KeyToPath DefaultMode:? Optional:?',
  KeyToPath: 'Key:s Path:s Mode:?',
  Projected: 'Sources:[]Projection DefaultMode:?',
  Projection: `Secret:*KeyProjection DownwardAPI:*DownwardProjection ConfigMap:*KeyProjection ServiceAccountToken:*TokenProjection
    ClusterTrustBundle:*TrustProjection PodCertificate:*CertificateProjection`,
  KeyProjection: 'Name:s Items:[]KeyToPath Optional:?',
  DownwardProjection: 'Items:[]DownwardFile',
  TokenProjection: 'Audience:s ExpirationSeconds:n Path:s',
  TrustProjection: 'Name:? SignerName:? LabelSelector:? Optional:? Path:s',
  CertificateProjection: 'SignerName:s KeyType:s MaxExpirationSeconds:? CredentialBundlePath:s KeyPath:s CertificateChainPath:s',
  CSI: 'Driver:s ReadOnly:? FSType:? VolumeAttributes:m NodePublishSecretRef:*LocalReference',
  Ephemeral: 'VolumeClaimTemplate:*Other',
  ImageVolume: 'Reference:s PullPolicy:s',
  LocalReference: 'Name:s',
  Container: `Name:s Image:s Command:? Args:? WorkingDir:s Ports:[]Port EnvFrom:[]EnvFrom Env:[]Env Resources:Resources ResizePolicy:[]ResizePolicy
    RestartPolicy:? RestartPolicyRules:[]RestartRule VolumeMounts:[]Mount VolumeDevices:[]Device LivenessProbe:*Probe ReadinessProbe:*Probe
    StartupProbe:*Probe Lifecycle:*Lifecycle TerminationMessagePath:s TerminationMessagePolicy:s ImagePullPolicy:s SecurityContext:*SecurityContext
    Stdin:b StdinOnce:b TTY=tty:b`,
  Port: 'Name:s HostPort:n ContainerPort:n Protocol:s HostIP:s',
  EnvFrom: 'Prefix:s ConfigMapRef:*EnvSource SecretRef:*EnvSource',
  EnvSource: 'Name:s Optional:?',
  Env: 'Name:s Value:s ValueFrom:*ValueFrom',
  ValueFrom:
    'FieldRef:*FieldSelector ResourceFieldRef:*ResourceSelector ConfigMapKeyRef:*KeySelector SecretKeyRef:*KeySelector FileKeyRef:*FileKey',
  FieldSelector: 'APIVersion:s FieldPath:s',
  ResourceSelector: 'ContainerName:s Resource:s Divisor:q',
  KeySelector: 'Name:s Key:s Optional:?',
  FileKey: 'VolumeName:s Path:s Key:s Optional:?',
  Resources: 'Limits:m Requests:m Claims:[]ContainerClaim',
  ContainerClaim: 'Name:s Request:s',
  ResizePolicy: 'ResourceName:s RestartPolicy:s',
  RestartRule: 'Action:s ExitCodes:*ExitCodes',
  ExitCodes: 'Operator:s Values:?',
  Mount: 'Name:s ReadOnly:b RecursiveReadOnly:? MountPath:s SubPath:s MountPropagation:? SubPathExpr:s',
  Device: 'Name:s DevicePath:s',
  Probe: `Exec:*Exec HTTPGet=httpGet:*HttpGet TCPSocket=tcpSocket:*TcpSocket GRPC=grpc:*Grpc InitialDelaySeconds:n TimeoutSeconds:n PeriodSeconds:n
    SuccessThreshold:n FailureThreshold:n TerminationGracePeriodSeconds:?`,
  Exec: 'Command:?',
  HttpGet: 'Path:s Port:i Host:s Scheme:s HTTPHeaders=httpHeaders:[]Header',
  Header: 'Name:s Value:s',
  TcpSocket: 'Port:i Host:s',
  Grpc: 'Port:n Service:?',
  Sleep: 'Seconds:n',
  Lifecycle: 'PostStart:*Handler PreStop:*Handler StopSignal:?',
  Handler: 'Exec:*Exec HTTPGet=httpGet:*HttpGet TCPSocket=tcpSocket:*TcpSocket Sleep:*Sleep',
  SecurityContext: `Capabilities:*Capabilities Privileged:? SELinuxOptions=seLinuxOptions:*SELinux WindowsOptions:*Windows RunAsUser:? RunAsGroup:?
    RunAsNonRoot:? ReadOnlyRootFilesystem:? AllowPrivilegeEscalation:? ProcMount:? SeccompProfile:*Profile AppArmorProfile:*Profile`,
  Capabilities: 'Add:? Drop:?',
  SELinux: 'User:s Role:s Type:s Level:s',
  Windows: 'GMSACredentialSpecName=gmsaCredentialSpecName:? GMSACredentialSpec=gmsaCredentialSpec:? RunAsUserName:? HostProcess:?',
  Profile: 'Type:s LocalhostProfile:?',
  EphemeralContainer: `Name:s Image:s Command:? Args:? WorkingDir:s Ports:[]Port EnvFrom:[]EnvFrom Env:[]Env Resources:Resources
    ResizePolicy:[]ResizePolicy RestartPolicy:? RestartPolicyRules:[]RestartRule VolumeMounts:[]Mount VolumeDevices:[]Device LivenessProbe:*Probe
    ReadinessProbe:*Probe StartupProbe:*Probe Lifecycle:*Lifecycle TerminationMessagePath:s TerminationMessagePolicy:s ImagePullPolicy:s
    SecurityContext:*SecurityContext Stdin:b StdinOnce:b TTY=tty:b TargetContainerName:s`,
  PodSpec: `Volumes:[]Volume InitContainers:[]Container Containers:[]Container EphemeralContainers:[]EphemeralContainer RestartPolicy:s
    TerminationGracePeriodSeconds:? ActiveDeadlineSeconds:? DNSPolicy:s NodeSelector:m ServiceAccountName:s AutomountServiceAccountToken:? NodeName:s
    SecurityContext:*PodSecurityContext ImagePullSecrets:[]LocalReference Hostname:s Subdomain:s SetHostnameAsFQDN:? Affinity:*Affinity
    SchedulerName:s Tolerations:[]Toleration HostAliases:[]HostAlias PriorityClassName:s Priority:? PreemptionPolicy:? DNSConfig:*DNSConfig
    ReadinessGates:[]Gate RuntimeClassName:? Overhead:m EnableServiceLinks:? TopologySpreadConstraints:[]Spread OS=os:*Named SchedulingGates:[]Named
    ResourceClaims:[]PodClaim Resources:*Resources HostnameOverride:? WorkloadRef:*WorkloadRef`,
  PodSecurityContext: `HostNetwork:b HostPID:b HostIPC:b ShareProcessNamespace:? HostUsers:? SELinuxOptions=seLinuxOptions:*SELinux
    WindowsOptions:*Windows RunAsUser:? RunAsGroup:? RunAsNonRoot:? SupplementalGroups:? SupplementalGroupsPolicy:? FSGroup:?
    FSGroupChangePolicy:? Sysctls:[]Sysctl SeccompProfile:*Profile AppArmorProfile:*Profile SELinuxChangePolicy=seLinuxChangePolicy:?`,
  Sysctl: 'Name:s Value:s',
  Affinity: 'NodeAffinity:*NodeAffinity PodAffinity:*PodAffinity PodAntiAffinity:*PodAffinity',
  NodeAffinity: `RequiredDuringSchedulingIgnoredDuringExecution:*NodeSelector
    PreferredDuringSchedulingIgnoredDuringExecution:[]PreferredTerm`,
  NodeSelector: 'NodeSelectorTerms:[]NodeTerm',
  NodeTerm: 'MatchExpressions:[]NodeRequirement MatchFields:[]NodeRequirement',
  NodeRequirement: 'Key:s Operator:s Values:?',
  PreferredTerm: 'Weight:n Preference:NodeTerm',
  PodAffinity: 'RequiredDuringSchedulingIgnoredDuringExecution:[]PodTerm PreferredDuringSchedulingIgnoredDuringExecution:[]WeightedTerm',
  PodTerm: 'LabelSelector:? Namespaces:? TopologyKey:s NamespaceSelector:? MatchLabelKeys:? MismatchLabelKeys:?',
  WeightedTerm: 'Weight:n PodAffinityTerm:PodTerm',
  Toleration: 'Key:s Operator:s Value:s Effect:s TolerationSeconds:?',
  HostAlias: 'IP=ip:s Hostnames:?',
  DNSConfig: 'Nameservers:? Searches:? Options:[]DNSOption',
  DNSOption: 'Name:s Value:?',
  Gate: 'ConditionType:s',
  Spread: `MaxSkew:n TopologyKey:s WhenUnsatisfiable:s LabelSelector:? MinDomains:? NodeAffinityPolicy:? NodeTaintsPolicy:?
    MatchLabelKeys:?`,
  Named: 'Name:s',
  PodClaim: 'Name:s ResourceClaimName:? ResourceClaimTemplateName:?',
  WorkloadRef: 'Name:s PodGroup:s PodGroupReplicaKey:s',
};

interface Row {
  readonly goName: string;
  readonly wireName: string;
  readonly type: string;
}

const zeros: Readonly<Record<string, unknown>> = { s: '', n: 0, b: false, q: '0', i: 0, '?': null, m: null };

const rowsOf = new Map<string, readonly Row[]>();

/** The Go name of a field with its first letter, or its leading acronym, in lower case: DNSPolicy is dnsPolicy. */
function wireNameOf(goName: string): string {
  const acronym = /^[A-Z]+(?=[A-Z][a-z])/.exec(goName)?.[0] ?? goName.slice(0, 1);
  return acronym.toLowerCase() + goName.slice(acronym.length);
}

function rowsOfStruct(name: string): readonly Row[] {
  const known = rowsOf.get(name);
  if (known !== undefined) return known;
  const rows = (structs[name] ?? '')
    .split(/\s+/)
    .filter((text) => text !== '')
    .map((text): Row => {
      const [names = '', type = '?'] = text.split(':');
      const [goName = '', wireName = wireNameOf(goName)] = names.split('=');
      return { goName, wireName, type };
    });
  rowsOf.set(name, rows);
  return rows;
}

type Fields = Readonly<Record<string, unknown>>;

function goStruct(name: string, value: Fields | undefined): unknown {
  if (structs[name] === undefined) return value;
  const out: Record<string, unknown> = {};
  for (const { goName, wireName, type } of rowsOfStruct(name)) out[goName] = goValue(type, value?.[wireName]);
  return out;
}

function goValue(type: string, value: unknown): unknown {
  if (type in zeros) {
    if (value === undefined || value === null) return zeros[type];
    return type === 'm' ? goMap(value as Readonly<Record<string, string>>) : value;
  }
  if (type.startsWith('[]')) return Array.isArray(value) ? value.map((item: Fields) => goStruct(type.slice(2), item)) : null;
  if (type.startsWith('*')) return value === undefined || value === null ? null : goStruct(type.slice(1), value as Fields);
  return goStruct(type, value as Fields | undefined);
}

const securityFieldsOfSpec = ['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace', 'hostUsers'] as const;

/** The internal pod template as encoding/json prints it. */
export function goPodTemplate(template: PodTemplateSpec | undefined): unknown {
  const { labels, annotations } = template?.metadata ?? {};
  const spec = (template?.spec ?? {}) as Fields;
  const security = { ...((spec.securityContext ?? {}) as Fields) };
  for (const name of securityFieldsOfSpec) if (spec[name] !== undefined) security[name] = spec[name];
  return {
    ...(labels === undefined ? {} : { labels: goMap(labels) }),
    ...(annotations === undefined ? {} : { annotations: goMap(annotations) }),
    Spec: goStruct('PodSpec', { ...spec, securityContext: security }),
  };
}
