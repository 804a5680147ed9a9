import type { DaemonSet, Node, Pod, PodTemplateSpec, Toleration } from '../api/types.ts';
import { NodeInfo } from '../scheduler/node-info.ts';
import { requiredNodeAffinity } from '../api/node-selector.ts';
import { isTolerated } from '../scheduler/tolerations.ts';

export const daemonHashLabel = 'controller-revision-hash';
const generationLabel = 'pod-template-generation';
export const templateGenerationAnnotation = 'deprecated.daemonset.template.generation';

/** Daemons stay on nodes in trouble: upstream AddOrUpdateDaemonPodTolerations. */
const tolerations: readonly Toleration[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
];
const hostNetworkToleration: Toleration = { key: 'node.kubernetes.io/network-unavailable', operator: 'Exists', effect: 'NoSchedule' };

function withTolerations(template: PodTemplateSpec): readonly Toleration[] {
  const own = template.spec?.tolerations ?? [];
  const all = template.spec?.hostNetwork === true ? [...tolerations, hostNetworkToleration] : tolerations;
  const added = all.filter(
    (wanted) => !own.some((other) => other.key === wanted.key && other.effect === wanted.effect && other.operator === wanted.operator),
  );
  return [...own, ...added];
}

/** The template of a daemon pod for one node: it may go nowhere else. Upstream CreatePodTemplate and ReplaceDaemonSetPodNodeNameNodeAffinity. */
export function daemonTemplate(set: DaemonSet, nodeName: string, hash: string): PodTemplateSpec {
  const { template } = set.spec;
  const generation = set.metadata.annotations?.[templateGenerationAnnotation];
  const term = { matchFields: [{ key: 'metadata.name', operator: 'In' as const, values: [nodeName] }] };
  const affinity = template.spec?.affinity;
  return {
    ...template,
    metadata: {
      ...template.metadata,
      labels: {
        ...template.metadata?.labels,
        ...(generation === undefined ? {} : { [generationLabel]: generation }),
        [daemonHashLabel]: hash,
      },
    },
    spec: {
      ...(template.spec as Pod['spec']),
      tolerations: withTolerations(template),
      affinity: {
        ...affinity,
        nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } },
      },
    },
  };
}

/** The node that a daemon pod is for, placed there yet or not. */
export function targetNode(pod: Pod): string {
  if ((pod.spec.nodeName ?? '') !== '') return pod.spec.nodeName as string;
  for (const term of pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []) {
    for (const field of term.matchFields ?? [])
      if (field.key === 'metadata.name' && field.operator === 'In') return field.values?.[0] ?? '';
  }
  return '';
}

/** Whether a daemon should be put on the node, and whether one that is there may stay. Upstream NodeShouldRunDaemonPod. */
export function daemonOnNode(set: DaemonSet, node: Node): { readonly run: boolean; readonly stay: boolean } {
  const { template } = set.spec;
  const wanted = template.spec?.nodeName ?? '';
  if (wanted !== '' && wanted !== node.metadata.name) return { run: false, stay: false };
  const matches = requiredNodeAffinity({ apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: template.spec as Pod['spec'] });
  const info = new NodeInfo(node.metadata.name ?? '');
  info.setNode(node);
  if (matches !== undefined && !matches(info)) return { run: false, stay: false };
  const tolerated = withTolerations(template);
  const untolerated = info.hardTaints.filter((taint) => !isTolerated(tolerated, taint));
  if (untolerated.length === 0) return { run: true, stay: true };
  return { run: false, stay: !untolerated.some((taint) => taint.effect === 'NoExecute') };
}

/** Oldest first, as upstream podByCreationTimestampAndPhase: scheduled pods before others. */
export function byAge(a: Pod, b: Pod): number {
  const placedA = (a.spec.nodeName ?? '') !== '';
  const placedB = (b.spec.nodeName ?? '') !== '';
  if (placedA !== placedB) return placedA ? -1 : 1;
  const createdA = a.metadata.creationTimestamp ?? '';
  const createdB = b.metadata.creationTimestamp ?? '';
  if (createdA !== createdB) return createdA < createdB ? -1 : 1;
  const nameA = a.metadata.name ?? '';
  const nameB = b.metadata.name ?? '';
  return nameA < nameB ? -1 : nameA > nameB ? 1 : 0;
}
