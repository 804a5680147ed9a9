import { defaultPod } from '../../defaults/pod.ts';
import type { KindContext } from '../../kind.ts';
import { podQosClass } from '../../pod-resources.ts';
import { formatTime } from '../../time.ts';
import type { LabelSelector, Pod, PodSpec } from '../../types.ts';
import { checkImageIsTrimmed } from '../../validation/containers.ts';
import { type FieldErrors, forbidden } from '../../validation/field-errors.ts';
import { sameValue } from '../../validation/immutable.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkPodSpec } from '../../validation/pod-spec.ts';
import { checkPodAnnotations } from '../../validation/pod-template.ts';
import { checkPodAnnotationUpdates, checkPodSpecUpdate, checkPodStatus } from '../../validation/pod-update.ts';
import { podWarnings } from '../../validation/pod-warnings.ts';
import { defineKind } from '../define.ts';
import { firstGeneration, keepStatus, nextGeneration, statusUpdate } from '../strategy.ts';
import { warnOfAppArmor, withAppArmor } from './app-armor.ts';
import { podColumns } from './pod-columns.ts';

/** Upstream: pkg/registry/core/pod/strategy.go, pkg/apis/core/validation. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };
const noSpec: PodSpec = { containers: [] };

function setDefaults(pod: Pod): Pod {
  const result = defaultPod(pod.spec === undefined ? { ...pod, spec: noSpec } : pod);
  const status = result.status;
  if (status === undefined) return result;
  // Conversion keeps the old single address and the list of addresses in step.
  const { podIP, podIPs } = status;
  if (podIP !== undefined && podIP !== '' && podIPs?.[0]?.ip !== podIP)
    return { ...result, status: { ...status, podIPs: [{ ip: podIP }] } };
  const first = podIPs?.[0]?.ip;
  return first !== undefined && podIP !== first ? { ...result, status: { ...status, podIP: first } } : result;
}

function prepareForCreate(pod: Pod, context: KindContext): Pod {
  const spec = withMatchLabelKeys(pod.spec ?? noSpec, pod.metadata.labels);
  const gated = (spec.schedulingGates ?? []).length > 0;
  const status: NonNullable<Pod['status']> = {
    phase: 'Pending',
    ...(gated ? { conditions: [gatedCondition(context)] } : {}),
    qosClass: podQosClass(spec),
  };
  return withAppArmor({ ...pod, metadata: firstGeneration(pod.metadata), spec, status });
}

type Condition = NonNullable<NonNullable<Pod['status']>['conditions']>[number];

function gatedCondition(context: KindContext): Condition {
  return {
    type: 'PodScheduled',
    status: 'False',
    lastProbeTime: null as unknown as string,
    lastTransitionTime: formatTime(context.nowUs),
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
  };
}

/** applyMatchLabelKeysAndMismatchLabelKeys: keys of the pod's own labels become conditions of its selectors (KEP-3633, KEP-3243). */
function withMatchLabelKeys(spec: PodSpec, labels: Pod['metadata']['labels']): PodSpec {
  let result = spec;
  const { affinity, topologySpreadConstraints } = spec;
  if (topologySpreadConstraints?.some((c) => (c.matchLabelKeys ?? []).length > 0)) {
    result = {
      ...result,
      topologySpreadConstraints: topologySpreadConstraints.map((c) => ({
        ...c,
        ...extended(c.labelSelector, c.matchLabelKeys, [], labels),
      })),
    };
  }
  if (affinity === undefined || labels === undefined) return result;
  for (const kind of ['podAffinity', 'podAntiAffinity'] as const) {
    const terms = affinity[kind];
    if (terms === undefined) continue;
    const { requiredDuringSchedulingIgnoredDuringExecution: must, preferredDuringSchedulingIgnoredDuringExecution: preferred } = terms;
    const uses = (t: { readonly matchLabelKeys?: readonly string[]; readonly mismatchLabelKeys?: readonly string[] }): boolean =>
      (t.matchLabelKeys ?? []).length > 0 || (t.mismatchLabelKeys ?? []).length > 0;
    if (!must?.some(uses) && !preferred?.some((p) => uses(p.podAffinityTerm))) continue;
    const changed = {
      ...terms,
      ...(must === undefined
        ? {}
        : {
            requiredDuringSchedulingIgnoredDuringExecution: must.map((t) => ({
              ...t,
              ...extended(t.labelSelector, t.matchLabelKeys, t.mismatchLabelKeys, labels),
            })),
          }),
      ...(preferred === undefined
        ? {}
        : {
            preferredDuringSchedulingIgnoredDuringExecution: preferred.map((p) => ({
              ...p,
              podAffinityTerm: {
                ...p.podAffinityTerm,
                ...extended(p.podAffinityTerm.labelSelector, p.podAffinityTerm.matchLabelKeys, p.podAffinityTerm.mismatchLabelKeys, labels),
              },
            })),
          }),
    };
    result = { ...result, affinity: { ...result.affinity, [kind]: changed } };
  }
  return result;
}

function extended(
  selector: LabelSelector | undefined,
  match: readonly string[] | undefined,
  mismatch: readonly string[] | undefined,
  labels: Pod['metadata']['labels'],
): { readonly labelSelector?: LabelSelector } {
  if (selector === undefined) return {};
  const added = [
    ...(match ?? []).map((key) => ({ key, operator: 'In' })),
    ...(mismatch ?? []).map((key) => ({ key, operator: 'NotIn' })),
  ].flatMap(({ key, operator }) => (labels?.[key] === undefined ? [] : [{ key, operator, values: [labels[key] ?? ''] }]));
  if (added.length === 0) return { labelSelector: selector };
  return { labelSelector: { ...selector, matchExpressions: [...(selector.matchExpressions ?? []), ...added] } };
}

function prepareForUpdate(next: Pod, previous: Pod): Pod {
  return nextGeneration(keepStatus(next, previous), previous, !sameValue(next.spec, previous.spec));
}

function prepareForStatusUpdate(given: Pod, previous: Pod): Pod {
  let next = statusUpdate(given, previous);
  const { ownerReferences } = previous.metadata;
  if (next.metadata.ownerReferences !== ownerReferences) {
    const { ownerReferences: _, ...metadata } = next.metadata;
    next = { ...next, metadata: ownerReferences === undefined ? metadata : { ...metadata, ownerReferences } };
  }
  const qosClass = previous.status?.qosClass;
  if (next.status?.qosClass === undefined && qosClass !== undefined) next = { ...next, status: { ...next.status, qosClass } };
  const observedGeneration = previous.status?.observedGeneration;
  if (next.status?.observedGeneration === undefined && observedGeneration !== undefined)
    next = { ...next, status: { ...next.status, observedGeneration } };
  return next;
}

/** validatePodMetadataAndSpec. */
function checkMetadataAndSpec(pod: Pod, out: FieldErrors): void {
  const spec = pod.spec ?? noSpec;
  checkMetadata(pod.metadata, rule, out);
  checkPodAnnotations(pod.metadata.annotations, spec, 'metadata.annotations', out);
  checkPodSpec(spec, pod.metadata, 'spec', out);
  if ((spec.serviceAccountName ?? '') === '') {
    for (const [i, volume] of (spec.volumes ?? []).entries()) {
      for (const [j, source] of (volume.projected?.sources ?? []).entries()) {
        if (source.serviceAccountToken !== undefined) {
          out.push(
            forbidden(
              `spec.volumes[${i}].projected.sources[${j}].serviceAccountToken`,
              'must not be specified when serviceAccountName is not set',
            ),
          );
        }
      }
    }
  }
  for (const list of ['containers', 'initContainers'] as const) {
    for (const [i, container] of (spec[list] ?? []).entries()) checkImageIsTrimmed(container.image, `spec.${list}[${i}]`, out);
  }
}

function validate(pod: Pod): FieldErrors {
  const out: FieldErrors = [];
  checkMetadataAndSpec(pod, out);
  const spec = pod.spec ?? noSpec;
  if ((spec.ephemeralContainers ?? []).length > 0) out.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'));
  if ((spec.nodeName ?? '') !== '' && (spec.schedulingGates ?? []).length > 0) {
    out.push(forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
  }
  return out;
}

function validateUpdate(next: Pod, previous: Pod): FieldErrors {
  const out: FieldErrors = [];
  checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
  if (next.spec === previous.spec) {
    checkMetadata(next.metadata, rule, out);
    if (next.metadata.annotations !== previous.metadata.annotations) {
      checkPodAnnotations(next.metadata.annotations, next.spec ?? noSpec, 'metadata.annotations', out);
    }
  } else checkMetadataAndSpec(next, out);
  checkPodAnnotationUpdates(next, previous, out);
  checkPodSpecUpdate(next.spec ?? noSpec, previous.spec ?? noSpec, out);
  return out;
}

function validateStatusUpdate(next: Pod, previous: Pod): FieldErrors {
  const out: FieldErrors = [];
  checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
  checkPodAnnotationUpdates(next, previous, out);
  checkPodStatus(next, previous, out);
  return out;
}

/** Deletion waits as long as the pod says, at least a second; pods that never ran or are bound to no node go at once. */
function defaultGracePeriodSeconds(pod: Pod): number {
  const wished = pod.spec?.terminationGracePeriodSeconds ?? 0;
  const phase = pod.status?.phase;
  if ((pod.spec?.nodeName ?? '') === '' || phase === 'Failed' || phase === 'Succeeded') return 0;
  return wished < 0 ? 1 : wished;
}

function warnings(next: Pod, previous: Pod | undefined): readonly string[] {
  const found = podWarnings(next.spec ?? noSpec, next.metadata, 'spec', previous?.spec, previous?.metadata);
  if (previous !== undefined || next.metadata.annotations === undefined) return found;
  const out: string[] = [];
  warnOfAppArmor(next, out);
  return out.length === 0 ? found : [...out, ...found];
}

export const pod = defineKind<Pod>('v1', 'pods', {
  defaultGracePeriodSeconds,
  setDefaults,
  prepareForCreate,
  prepareForUpdate,
  prepareForStatusUpdate,
  validate,
  validateUpdate,
  validateStatusUpdate,
  warnings,
  fieldNames: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.podIPs',
    'status.nominatedNodeName',
  ],
  fields: ({ spec, status }) => ({
    'spec.nodeName': spec?.nodeName ?? '',
    'spec.restartPolicy': spec?.restartPolicy ?? '',
    'spec.schedulerName': spec?.schedulerName ?? '',
    'spec.serviceAccountName': spec?.serviceAccountName ?? '',
    'spec.hostNetwork': String(spec?.hostNetwork ?? false),
    'status.phase': status?.phase ?? '',
    'status.podIP': status?.podIPs?.[0]?.ip ?? status?.podIP ?? '',
    'status.nominatedNodeName': status?.nominatedNodeName ?? '',
  }),
  columns: podColumns,
});
