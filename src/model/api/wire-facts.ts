/**
 * What OpenAPI does not tell of the Go types behind the wire, because it shows as presence or absence of a field in an answer:
 * which scalars are pointers (a zero that was sent stays), and which lists and times are printed as null when they are not set.
 * Facts of `k8s.io/api` 1.35, one row a type.
 */
const rows = (text: string): ReadonlySet<string> =>
  new Set(
    text
      .trim()
      .split('\n')
      .flatMap((line) => {
        const [type = '', ...fields] = line.trim().split(/[: ]+/);
        return fields.map((field) => `${type}.${field}`);
      }),
  );

/** Numbers and booleans with omitempty that are no pointers: 0 and false are not printed. All others are pointers. */
const plainNumbers = rows(`
APIServiceSpec: insecureSkipTLSVerify
AWSElasticBlockStoreVolumeSource: partition readOnly
AzureFilePersistentVolumeSource: readOnly
AzureFileVolumeSource: readOnly
CSIPersistentVolumeSource: readOnly
CephFSPersistentVolumeSource: readOnly
CephFSVolumeSource: readOnly
CinderPersistentVolumeSource: readOnly
CinderVolumeSource: readOnly
Condition: observedGeneration
Container: stdin stdinOnce tty
ContainerImage: sizeBytes
ContainerPort: hostPort
ContainerStateTerminated: signal
CustomResourceColumnDefinition: priority
CustomResourceDefinitionCondition: observedGeneration
CustomResourceDefinitionSpec: preserveUnknownFields
CustomResourceDefinitionStatus: observedGeneration
CustomResourceDefinitionVersion: deprecated
DaemonSetSpec: minReadySeconds
DaemonSetStatus: numberAvailable numberUnavailable observedGeneration updatedNumberScheduled
DeploymentSpec: minReadySeconds paused
DeploymentStatus: availableReplicas observedGeneration readyReplicas replicas unavailableReplicas updatedReplicas
EphemeralContainer: stdin stdinOnce tty
Event: count
EventSeries: count
EventsEvent: deprecatedCount
FCVolumeSource: readOnly
FlexPersistentVolumeSource: readOnly
FlexVolumeSource: readOnly
GCEPersistentDiskVolumeSource: partition readOnly
GlusterfsVolumeSource: readOnly
HorizontalPodAutoscalerStatus: currentReplicas
ISCSIPersistentVolumeSource: chapAuthDiscovery chapAuthSession readOnly
ISCSIVolumeSource: chapAuthDiscovery chapAuthSession readOnly
JSONSchemaProps: exclusiveMaximum exclusiveMinimum nullable uniqueItems x-kubernetes-embedded-resource x-kubernetes-int-or-string
JobStatus: active failed succeeded
NFSVolumeSource: readOnly
NodeSpec: unschedulable
ObjectMeta: generation
PersistentVolumeClaimVolumeSource: readOnly
PodCondition: observedGeneration
PodDisruptionBudgetStatus: observedGeneration
PodSpec: hostIPC hostNetwork hostPID
PodStatus: observedGeneration
PortworxVolumeSource: readOnly
PriorityClass: globalDefault
Probe: failureThreshold initialDelaySeconds periodSeconds successThreshold timeoutSeconds
QuobyteVolumeSource: readOnly
RBDPersistentVolumeSource: readOnly
RBDVolumeSource: readOnly
ReplicaSetSpec: minReadySeconds
ReplicaSetStatus: availableReplicas fullyLabeledReplicas observedGeneration readyReplicas
ReplicationControllerSpec: minReadySeconds
ReplicationControllerStatus: availableReplicas fullyLabeledReplicas observedGeneration readyReplicas
ResourcePolicyRule: clusterScope
ScaleIOPersistentVolumeSource: readOnly sslEnabled
ScaleIOVolumeSource: readOnly sslEnabled
ScaleSpec: replicas
ServiceBackendPort: number
ServicePort: nodePort
ServiceSpec: healthCheckNodePort publishNotReadyAddresses
StatefulSetSpec: minReadySeconds
StatefulSetStatus: currentReplicas observedGeneration readyReplicas updatedReplicas
StorageOSPersistentVolumeSource: readOnly
StorageOSVolumeSource: readOnly
SubjectAccessReviewStatus: denied
TokenReviewStatus: authenticated
ValidatingAdmissionPolicyStatus: observedGeneration
VolumeMount: readOnly
VolumeMountStatus: readOnly
`);

/** Texts that are pointers: an empty one that was sent stays. All others are not printed when empty. */
const pointerTexts = rows(`
ApiextensionsServiceReference: path
ApiextensionsWebhookClientConfig: url
AppArmorProfile: localhostProfile
CSIDriverSpec: fsGroupPolicy
CSIPersistentVolumeSource: -
CSIVolumeSource: fsType
ClusterTrustBundleProjection: name signerName
Container: restartPolicy
ContainerStatus: stopSignal
CronJobSpec: timeZone
DeleteOptions: propagationPolicy
DiscoveryEndpointPort: appProtocol name protocol
Endpoint: hostname nodeName zone
EndpointAddress: nodeName
EndpointPort: appProtocol
EphemeralContainer: restartPolicy
EnvVarSource: -
GlusterfsPersistentVolumeSource: endpointsNamespace
HPAScalingRules: selectPolicy
HTTPIngressPath: pathType
HostPathVolumeSource: type
ISCSIPersistentVolumeSource: initiatorName
ISCSIVolumeSource: initiatorName
IngressClassParametersReference: apiGroup namespace scope
IngressPortStatus: error
IngressSpec: ingressClassName
JobSpec: completionMode managedBy podReplacementPolicy
JobStatus: failedIndexes
LeaseSpec: holderIdentity preferredHolder strategy
Lifecycle: stopSignal
LoadBalancerIngress: ipMode
LocalVolumeSource: fsType
MatchResources: matchPolicy
MutatingWebhook: failurePolicy matchPolicy reinvocationPolicy sideEffects
NamedRuleWithOperations: scope
NetworkPolicyPort: protocol
ParamRef: parameterNotFoundAction
PersistentVolumeClaimSpec: storageClassName volumeAttributesClassName volumeMode
PersistentVolumeClaimStatus: currentVolumeAttributesClassName
PersistentVolumeSpec: volumeAttributesClassName volumeMode
PodDNSConfigOption: value
PodDisruptionBudgetSpec: unhealthyPodEvictionPolicy
PodFailurePolicyOnExitCodesRequirement: containerName
PodResourceClaim: resourceClaimName resourceClaimTemplateName
PodResourceClaimStatus: resourceClaimName
PodSecurityContext: fsGroupChangePolicy seLinuxChangePolicy supplementalGroupsPolicy
PodSpec: hostnameOverride preemptionPolicy runtimeClassName
PortStatus: error
Preconditions: resourceVersion uid
PriorityClass: preemptionPolicy
RuleWithOperations: scope
SeccompProfile: localhostProfile
SecurityContext: procMount
ServicePort: appProtocol
ServiceReference: path
ServiceSpec: internalTrafficPolicy ipFamilyPolicy loadBalancerClass trafficDistribution
StorageClass: reclaimPolicy volumeBindingMode
SuccessPolicyRule: succeededIndexes
TopologySpreadConstraint: nodeAffinityPolicy nodeTaintsPolicy
TypedLocalObjectReference: apiGroup
TypedObjectReference: apiGroup namespace
ValidatingAdmissionPolicySpec: failurePolicy
ValidatingWebhook: failurePolicy matchPolicy sideEffects
Validation: reason
ValidationRule: reason
VolumeAttachmentSource: persistentVolumeName
VolumeMount: mountPropagation recursiveReadOnly
VolumeMountStatus: recursiveReadOnly
WebhookClientConfig: url
WindowsSecurityContextOptions: gmsaCredentialSpec gmsaCredentialSpecName runAsUserName
`);

/** Lists, and pointers, without omitempty: printed as null when they are not set, kept when empty. */
const nullLists = rows(`
CSINodeDriver: topologyKeys
CSINodeSpec: drivers
ClusterRole: rules
Role: rules
Endpoint: addresses
EndpointSlice: endpoints ports
HTTPIngressRuleValue: paths
HorizontalPodAutoscalerStatus: currentMetrics
LimitRangeSpec: limits
MutatingWebhook: admissionReviewVersions
NodeSelector: nodeSelectorTerms
PodFailurePolicy: rules
PodFailurePolicyOnExitCodesRequirement: values
PodSpec: containers
PolicyRule: verbs
ResourceRule: verbs
NonResourceRule: verbs
SubjectRulesReviewStatus: resourceRules nonResourceRules
SuccessPolicy: rules
TokenRequestSpec: audiences boundObjectRef
TopologySelectorLabelRequirement: values
ValidatingWebhook: admissionReviewVersions
CustomResourceDefinitionSpec: versions
CustomResourceDefinitionStatus: conditions storedVersions
CustomResourceDefinitionNames: -
TypedLocalObjectReference: apiGroup
TypedObjectReference: apiGroup
WebhookConversion: conversionReviewVersions
`);

/** Texts with omitempty of which OpenAPI says that their default is ''. */
const omittedTexts = rows(`
LocalObjectReference: name
ConfigMapEnvSource: name
ConfigMapKeySelector: name
ConfigMapProjection: name
ConfigMapVolumeSource: name
SecretEnvSource: name
SecretKeySelector: name
SecretProjection: name
`);

/** Times that are no pointers, so printed as null when they are not set. */
const nullTimes = rows(`
APIServiceCondition: lastTransitionTime
CertificateSigningRequestCondition: lastUpdateTime lastTransitionTime
Condition: lastTransitionTime
ContainerStateRunning: startedAt
ContainerStateTerminated: startedAt finishedAt
CustomResourceDefinitionCondition: lastTransitionTime
DaemonSetCondition: lastTransitionTime
DeploymentCondition: lastUpdateTime lastTransitionTime
Event: eventTime firstTimestamp lastTimestamp
EventSeries: lastObservedTime
EventsEvent: eventTime deprecatedFirstTimestamp deprecatedLastTimestamp
EventsEventSeries: lastObservedTime
FlowSchemaCondition: lastTransitionTime
HorizontalPodAutoscalerCondition: lastTransitionTime
JobCondition: lastProbeTime lastTransitionTime
NamespaceCondition: lastTransitionTime
NodeCondition: lastHeartbeatTime lastTransitionTime
PersistentVolumeClaimCondition: lastProbeTime lastTransitionTime
PodCondition: lastProbeTime lastTransitionTime
PriorityLevelConfigurationCondition: lastTransitionTime
ReplicaSetCondition: lastTransitionTime
ReplicationControllerCondition: lastTransitionTime
StatefulSetCondition: lastTransitionTime
TokenRequestStatus: expirationTimestamp
VolumeError: time
`);

/** Fields without omitempty that the aggregator's OpenAPI does not tell of. */
const untoldZeros = rows(`
APIService: metadata spec status
APIServiceSpec: groupPriorityMinimum versionPriority
`);

/** Whether an absent field is printed as its zero although OpenAPI does not say so. */
export function printsZero(type: string, field: string): boolean {
  return untoldZeros.has(`${type}.${field}`);
}

/** Whether a zero that was sent stays. */
export function keepsZero(type: string, field: string, isText: boolean): boolean {
  return isText ? pointerTexts.has(`${type}.${field}`) : !plainNumbers.has(`${type}.${field}`);
}

/** Whether a reference divides a struct that is owned as a whole elsewhere. */
export function isGranular(type: string, field: string): boolean {
  return type === 'PersistentVolumeSpec' && field === 'claimRef';
}

/** Whether a text is left out when empty although its default is told. */
export function omitsEmpty(type: string, field: string): boolean {
  return omittedTexts.has(`${type}.${field}`);
}

/** Whether an absent list or time is printed as null. */
export function neverOmitted(type: string, field: string, isTime: boolean): boolean {
  return (isTime ? nullTimes : nullLists).has(`${type}.${field}`);
}
