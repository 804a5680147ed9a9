import type { Kind } from './kind.ts';

/**
 * Every built-in resource of Kubernetes 1.35 as discovery names it, one a line:
 * group/version  resource  Kind  scope  singular  short names  categories  path in etcd  subresources.
 * A kind with rules of its own replaces its row in the registry; a row alone is served without defaults or validation.
 */
const table = `
/v1 bindings Binding N binding - - - -
/v1 componentstatuses ComponentStatus C componentstatus cs - - -
/v1 configmaps ConfigMap N configmap cm - configmaps -
/v1 endpoints Endpoints N endpoints ep - services/endpoints -
/v1 events Event N event ev - events -
/v1 limitranges LimitRange N limitrange limits - limitranges -
/v1 namespaces Namespace C namespace ns - namespaces finalize,status
/v1 nodes Node C node no - minions proxy,status
/v1 persistentvolumeclaims PersistentVolumeClaim N persistentvolumeclaim pvc - persistentvolumeclaims status
/v1 persistentvolumes PersistentVolume C persistentvolume pv - persistentvolumes status
/v1 pods Pod N pod po all pods attach,binding,ephemeralcontainers,eviction,exec,log,portforward,proxy,resize,status
/v1 podtemplates PodTemplate N podtemplate - - podtemplates -
/v1 replicationcontrollers ReplicationController N replicationcontroller rc all controllers scale,status
/v1 resourcequotas ResourceQuota N resourcequota quota - resourcequotas status
/v1 secrets Secret N secret - - secrets -
/v1 serviceaccounts ServiceAccount N serviceaccount sa - serviceaccounts token
/v1 services Service N service svc all services/specs proxy,status
apps/v1 controllerrevisions ControllerRevision N controllerrevision - - controllerrevisions -
apps/v1 daemonsets DaemonSet N daemonset ds all daemonsets status
apps/v1 deployments Deployment N deployment deploy all deployments scale,status
apps/v1 replicasets ReplicaSet N replicaset rs all replicasets scale,status
apps/v1 statefulsets StatefulSet N statefulset sts all statefulsets scale,status
batch/v1 cronjobs CronJob N cronjob cj all cronjobs status
batch/v1 jobs Job N job - all jobs status
autoscaling/v2 horizontalpodautoscalers HorizontalPodAutoscaler N horizontalpodautoscaler hpa all horizontalpodautoscalers status
autoscaling/v1 horizontalpodautoscalers HorizontalPodAutoscaler N horizontalpodautoscaler hpa all horizontalpodautoscalers status
policy/v1 poddisruptionbudgets PodDisruptionBudget N poddisruptionbudget pdb - poddisruptionbudgets status
discovery.k8s.io/v1 endpointslices EndpointSlice N endpointslice - - endpointslices -
networking.k8s.io/v1 ingressclasses IngressClass C ingressclass - - ingressclasses -
networking.k8s.io/v1 ingresses Ingress N ingress ing - ingress status
networking.k8s.io/v1 ipaddresses IPAddress C ipaddress ip - ipaddresses -
networking.k8s.io/v1 networkpolicies NetworkPolicy N networkpolicy netpol - networkpolicies -
networking.k8s.io/v1 servicecidrs ServiceCIDR C servicecidr - - servicecidrs status
rbac.authorization.k8s.io/v1 clusterrolebindings ClusterRoleBinding C clusterrolebinding - - clusterrolebindings -
rbac.authorization.k8s.io/v1 clusterroles ClusterRole C clusterrole - - clusterroles -
rbac.authorization.k8s.io/v1 rolebindings RoleBinding N rolebinding - - rolebindings -
rbac.authorization.k8s.io/v1 roles Role N role - - roles -
storage.k8s.io/v1 csidrivers CSIDriver C csidriver - - csidrivers -
storage.k8s.io/v1 csinodes CSINode C csinode - - csinodes -
storage.k8s.io/v1 csistoragecapacities CSIStorageCapacity N csistoragecapacity - - csistoragecapacities -
storage.k8s.io/v1 storageclasses StorageClass C storageclass sc - storageclasses -
storage.k8s.io/v1 volumeattachments VolumeAttachment C volumeattachment - - volumeattachments status
storage.k8s.io/v1 volumeattributesclasses VolumeAttributesClass C volumeattributesclass vac - volumeattributesclasses -
scheduling.k8s.io/v1 priorityclasses PriorityClass C priorityclass pc - priorityclasses -
coordination.k8s.io/v1 leases Lease N lease - - leases -
events.k8s.io/v1 events Event N event ev - events -
apiextensions.k8s.io/v1 customresourcedefinitions CustomResourceDefinition C customresourcedefinition crd,crds api-extensions apiextensions.k8s.io/customresourcedefinitions status
node.k8s.io/v1 runtimeclasses RuntimeClass C runtimeclass - - runtimeclasses -
admissionregistration.k8s.io/v1 mutatingwebhookconfigurations MutatingWebhookConfiguration C mutatingwebhookconfiguration - api-extensions mutatingwebhookconfigurations -
admissionregistration.k8s.io/v1 validatingadmissionpolicies ValidatingAdmissionPolicy C validatingadmissionpolicy - api-extensions validatingadmissionpolicies status
admissionregistration.k8s.io/v1 validatingadmissionpolicybindings ValidatingAdmissionPolicyBinding C validatingadmissionpolicybinding - api-extensions validatingadmissionpolicybindings -
admissionregistration.k8s.io/v1 validatingwebhookconfigurations ValidatingWebhookConfiguration C validatingwebhookconfiguration - api-extensions validatingwebhookconfigurations -
authentication.k8s.io/v1 selfsubjectreviews SelfSubjectReview C selfsubjectreview - - - -
authentication.k8s.io/v1 tokenreviews TokenReview C tokenreview - - - -
authorization.k8s.io/v1 localsubjectaccessreviews LocalSubjectAccessReview N localsubjectaccessreview - - - -
authorization.k8s.io/v1 selfsubjectaccessreviews SelfSubjectAccessReview C selfsubjectaccessreview - - - -
authorization.k8s.io/v1 selfsubjectrulesreviews SelfSubjectRulesReview C selfsubjectrulesreview - - - -
authorization.k8s.io/v1 subjectaccessreviews SubjectAccessReview C subjectaccessreview - - - -
apiregistration.k8s.io/v1 apiservices APIService C apiservice - api-extensions apiregistration.k8s.io/apiservices status
certificates.k8s.io/v1 certificatesigningrequests CertificateSigningRequest C certificatesigningrequest csr - certificatesigningrequests approval,status
flowcontrol.apiserver.k8s.io/v1 flowschemas FlowSchema C flowschema - - flowschemas status
flowcontrol.apiserver.k8s.io/v1 prioritylevelconfigurations PriorityLevelConfiguration C prioritylevelconfiguration - - prioritylevelconfigurations status
resource.k8s.io/v1 deviceclasses DeviceClass C deviceclass - - deviceclasses -
resource.k8s.io/v1 resourceclaims ResourceClaim N resourceclaim - - resourceclaims status
resource.k8s.io/v1 resourceclaimtemplates ResourceClaimTemplate N resourceclaimtemplate - - resourceclaimtemplates -
resource.k8s.io/v1 resourceslices ResourceSlice C resourceslice - - resourceslices -
`;

/** Kinds whose metadata.generation the server keeps. */
const withGeneration = new Set([
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'DaemonSet',
  'ReplicationController',
  'Job',
  'CronJob',
  'Pod',
  'PodDisruptionBudget',
  'Ingress',
  'IngressClass',
  'NetworkPolicy',
  'EndpointSlice',
  'CustomResourceDefinition',
  'FlowSchema',
  'PriorityLevelConfiguration',
  'RuntimeClass',
  'PriorityClass',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
  'DeviceClass',
  'ResourceSlice',
  'ServiceCIDR',
  'IPAddress',
]);

const list = (text: string | undefined): readonly string[] => (text === undefined || text === '-' ? [] : text.split(','));

/** The rows as kinds without rules. */
export const resourceRows: readonly Kind[] = table
  .trim()
  .split('\n')
  .map((line) => {
    const [groupVersion = '', resource = '', kind = '', scope, singular = '', shortNames, categories, storagePath, subresources] =
      line.split(' ');
    const slash = groupVersion.indexOf('/');
    return {
      group: groupVersion.slice(0, slash),
      version: groupVersion.slice(slash + 1),
      kind,
      resource,
      singular,
      shortNames: list(shortNames),
      categories: list(categories),
      namespaced: scope === 'N',
      storagePath: storagePath === '-' || storagePath === undefined ? '' : storagePath,
      subresources: list(subresources),
      hasGeneration: withGeneration.has(kind),
    };
  });
