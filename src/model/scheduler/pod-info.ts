import type { ContainerPort, Pod } from '../api/types.ts';
import { type AffinityTerm, type WeightedAffinityTerm, compileTerms, compileWeightedTerms } from './affinity-term.ts';
import { type Resource, podRequests } from './resources.ts';

/** A pod with what scheduling reads of it worked out once: upstream framework.PodInfo. */
export interface PodInfo {
  readonly pod: Pod;
  readonly uid: string;
  /** namespace/name. */
  readonly key: string;
  readonly requests: Resource;
  /** Requests with defaults for containers that state none; for scoring only. */
  readonly scoreRequests: Resource;
  readonly hostPorts: readonly ContainerPort[];
  readonly requiredAffinity: readonly AffinityTerm[];
  readonly requiredAntiAffinity: readonly AffinityTerm[];
  readonly preferredAffinity: readonly WeightedAffinityTerm[];
  readonly preferredAntiAffinity: readonly WeightedAffinityTerm[];
  readonly hasAffinity: boolean;
}

const known = new WeakMap<Pod, PodInfo>();
const requestsBySpec = new WeakMap<Pod['spec'], { readonly requests: Resource; readonly scoreRequests: Resource }>();
const requestsByTemplate = new Map<string, { readonly requests: Resource; readonly scoreRequests: Resource }>();
const templatesMax = 1000;

/** Identical containers ask for identical amounts; the key holds all that podRequests reads. */
function requestsOf(spec: Pod['spec']): { readonly requests: Resource; readonly scoreRequests: Resource } {
  const cached = requestsBySpec.get(spec);
  if (cached !== undefined) return cached;
  let key = spec.overhead === undefined && spec.resources === undefined ? '' : JSON.stringify([spec.overhead, spec.resources]);
  for (const container of spec.initContainers ?? [])
    key += `|i${container.restartPolicy ?? ''}${JSON.stringify(container.resources?.requests ?? null)}`;
  for (const container of spec.containers) key += `|${JSON.stringify(container.resources?.requests ?? null)}`;
  let answer = requestsByTemplate.get(key);
  if (answer === undefined) {
    answer = { requests: podRequests(spec, false), scoreRequests: podRequests(spec, true) };
    if (requestsByTemplate.size >= templatesMax) requestsByTemplate.clear();
    requestsByTemplate.set(key, answer);
  }
  requestsBySpec.set(spec, answer);
  return answer;
}

const noPorts: readonly ContainerPort[] = [];

function hostPortsOf(pod: Pod): readonly ContainerPort[] {
  let found: ContainerPort[] | undefined;
  const collect = (ports: readonly ContainerPort[] | undefined): void => {
    if (ports === undefined) return;
    for (const port of ports) {
      if (port.hostPort === undefined || port.hostPort === 0) continue;
      found ??= [];
      found.push(port);
    }
  };
  for (const container of pod.spec.containers) collect(container.ports);
  for (const container of pod.spec.initContainers ?? []) if (container.restartPolicy === 'Always') collect(container.ports);
  return found ?? noPorts;
}

/** The scheduling view of a pod object; the same for the same object, which never changes. */
export function podInfoOf(pod: Pod): PodInfo {
  const cached = known.get(pod);
  if (cached !== undefined) return cached;
  const affinity = pod.spec.affinity;
  const requests = requestsOf(pod.spec);
  const requiredAffinity = compileTerms(pod, affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution);
  const requiredAntiAffinity = compileTerms(pod, affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution);
  const preferredAffinity = compileWeightedTerms(pod, affinity?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution);
  const preferredAntiAffinity = compileWeightedTerms(pod, affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution);
  const info: PodInfo = {
    pod,
    uid: pod.metadata.uid ?? '',
    key: `${pod.metadata.namespace ?? ''}/${pod.metadata.name ?? ''}`,
    requests: requests.requests,
    scoreRequests: requests.scoreRequests,
    hostPorts: hostPortsOf(pod),
    requiredAffinity,
    requiredAntiAffinity,
    preferredAffinity,
    preferredAntiAffinity,
    hasAffinity: requiredAffinity.length + requiredAntiAffinity.length + preferredAffinity.length + preferredAntiAffinity.length > 0,
  };
  known.set(pod, info);
  return info;
}

/** Upstream corev1helpers.PodPriority. */
export function podPriority(pod: Pod): number {
  return pod.spec.priority ?? 0;
}
