import type { AdmissionPlugin } from '../server-context.ts';
import { limitRanger } from './limit-ranger.ts';
import { rbacEscalation } from '../auth/escalation.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { nodeRestriction } from './node-restriction.ts';
import {
  defaultIngressClass,
  defaultStorageClass,
  podTopologyLabels,
  storageObjectInUseProtection,
  taintNodesByCondition,
} from './object-defaults.ts';
import { alwaysPullImages, defaultTolerationSeconds, extendedResourceToleration, priority, runtimeClass } from './pod-scheduling.ts';
import { podSecurity } from './pod-security.ts';
import { resourceQuota } from './resource-quota.ts';
import { serviceAccount } from './service-account.ts';
import { validatingAdmissionPolicyPlugin } from './validating-policy.ts';
import { persistentVolumeClaimResize } from './volume-claim-resize.ts';
import { mutatingAdmissionWebhook, validatingAdmissionWebhook } from './webhooks.ts';

/** Every modelled plugin in upstream's fixed order (`pkg/kubeapiserver/options/plugins.go`); those off by default are marked. */
const ordered: readonly { readonly plugin: AdmissionPlugin; readonly off?: true }[] = [
  { plugin: namespaceLifecycle },
  { plugin: limitRanger },
  { plugin: serviceAccount },
  { plugin: nodeRestriction },
  { plugin: taintNodesByCondition },
  { plugin: alwaysPullImages, off: true },
  { plugin: podSecurity },
  { plugin: priority },
  { plugin: defaultTolerationSeconds },
  { plugin: extendedResourceToleration, off: true },
  { plugin: storageObjectInUseProtection },
  { plugin: persistentVolumeClaimResize },
  { plugin: runtimeClass },
  { plugin: defaultIngressClass },
  { plugin: defaultStorageClass },
  { plugin: podTopologyLabels },
  { plugin: rbacEscalation },
  { plugin: mutatingAdmissionWebhook },
  { plugin: validatingAdmissionPolicyPlugin },
  { plugin: validatingAdmissionWebhook },
  { plugin: resourceQuota },
];

/** The admission chain of a kube-apiserver: its default plugins, those enabled besides, less those disabled. */
export function admissionPlugins(
  options: { readonly enable?: readonly string[]; readonly disable?: readonly string[] } = {},
): readonly AdmissionPlugin[] {
  const { enable = [], disable = [] } = options;
  return ordered
    .filter(({ plugin, off }) => (off !== true || enable.includes(plugin.name)) && !disable.includes(plugin.name))
    .map(({ plugin }) => plugin);
}
