import type { Pod, PersistentVolumeClaim, PodTemplateSpec, StatefulSet } from '../api/types.ts';
import type { Micros } from '../../sim/time.ts';
import { newControllerRef } from './owner-reference.ts';
import { isPodAvailable, isPodReady } from './pod-state.ts';

export const revisionLabel = 'controller-revision-hash';
const podNameLabel = 'statefulset.kubernetes.io/pod-name';
const podIndexLabel = 'apps.kubernetes.io/pod-index';

/** A template with the name of the revision that it comes from. */
export interface Version {
  readonly revision: string;
  readonly template: PodTemplateSpec;
}

export function startOrdinal(set: StatefulSet): number {
  return set.spec.ordinals?.start ?? 0;
}

export function replicasOf(set: StatefulSet): number {
  return set.spec.replicas ?? 1;
}

/** 3 of 'db-3'; -1 where the name is none of the set's. */
export function ordinalOf(set: StatefulSet, pod: Pod): number {
  const name = pod.metadata.name ?? '';
  const prefix = `${set.metadata.name ?? ''}-`;
  const rest = name.slice(prefix.length);
  return name.startsWith(prefix) && /^(0|[1-9][0-9]*)$/.test(rest) ? Number(rest) : -1;
}

export function isInRange(set: StatefulSet, ordinal: number): boolean {
  return ordinal >= startOrdinal(set) && ordinal < startOrdinal(set) + replicasOf(set);
}

export function claimName(template: PersistentVolumeClaim, podName: string): string {
  return `${template.metadata.name ?? ''}-${podName}`;
}

/** Upstream newStatefulSetPod with initIdentity, updateStorage and setPodRevision. */
export function statefulPod(set: StatefulSet, version: Version, ordinal: number): Pod {
  const setName = set.metadata.name ?? '';
  const name = `${setName}-${ordinal}`;
  const { template } = version;
  const claims = set.spec.volumeClaimTemplates ?? [];
  const own = (template.spec?.volumes ?? []).filter((volume) => !claims.some((claim) => claim.metadata.name === volume.name));
  const volumes = [
    ...claims.map((claim) => ({ name: claim.metadata.name ?? '', persistentVolumeClaim: { claimName: claimName(claim, name) } })),
    ...own,
  ];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      generateName: `${setName}-`,
      namespace: set.metadata.namespace ?? '',
      labels: { ...template.metadata?.labels, [podNameLabel]: name, [podIndexLabel]: String(ordinal), [revisionLabel]: version.revision },
      ...(template.metadata?.annotations !== undefined ? { annotations: template.metadata.annotations } : {}),
      ...(template.metadata?.finalizers !== undefined ? { finalizers: template.metadata.finalizers } : {}),
      ownerReferences: [newControllerRef(set, 'apps/v1', 'StatefulSet')],
    },
    spec: {
      ...(template.spec as Pod['spec']),
      hostname: name,
      ...(set.spec.serviceName !== undefined && set.spec.serviceName !== '' ? { subdomain: set.spec.serviceName } : {}),
      ...(volumes.length > 0 ? { volumes } : {}),
    },
  };
}

export function podRevision(pod: Pod): string {
  return pod.metadata.labels?.[revisionLabel] ?? '';
}

/** The API server has it: only then there is a phase. */
export function isCreated(pod: Pod): boolean {
  return (pod.status?.phase ?? '') !== '';
}

export function isTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

export function isRunningAndReady(pod: Pod): boolean {
  return pod.status?.phase === 'Running' && isPodReady(pod);
}

export function isRunningAndAvailable(pod: Pod, minReadySeconds: number, wallUs: Micros): boolean {
  return pod.status?.phase === 'Running' && isPodAvailable(pod, minReadySeconds, wallUs);
}
