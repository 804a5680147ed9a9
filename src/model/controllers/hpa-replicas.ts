import { quantityMilliValue, quantityOf } from '../api/quantity.ts';
import { parseTime } from '../api/time.ts';
import type { HorizontalPodAutoscaler, Pod } from '../api/types.ts';
import type { Micros } from '../../sim/time.ts';
import type { PodMetric } from './pod-metrics.ts';
import { podCondition } from './pod-state.ts';

/** By how much usage may be off target without a reaction. */
export interface Tolerances {
  readonly up: number;
  readonly down: number;
}

export interface ReplicaTimes {
  readonly cpuInitializationUs: Micros;
  readonly initialReadinessUs: Micros;
}

export type Proposal =
  | { readonly ok: true; readonly replicas: number; readonly utilization: number | undefined; readonly averageValue: number }
  | { readonly ok: false; readonly message: string };

/** A resource of whole pods, or of one of their containers. */
export interface MeasuredResource {
  readonly name: 'cpu' | 'memory';
  readonly container?: string;
}

interface Groups {
  ready: number;
  readonly unready: Pod[];
  readonly missing: Pod[];
  /** Usage by pod name, in thousandths of the resource's unit. */
  readonly usage: Map<string, number>;
}

function amount(metric: PodMetric, { name, container }: MeasuredResource): number {
  const used = container === undefined ? metric : metric.containers.find((each) => each.name === container);
  return name === 'cpu' ? (used?.cpuMilli ?? 0) : (used?.memoryBytes ?? 0) * 1000;
}

/** Young pods, and pods that were never ready, say nothing about the load yet. */
function isUnready(pod: Pod, metric: PodMetric, times: ReplicaTimes, wallUs: Micros): boolean {
  const condition = podCondition(pod, 'Ready');
  const started = pod.status?.startTime === undefined ? undefined : parseTime(pod.status.startTime);
  if (condition === undefined || started === undefined) return true;
  const transition = parseTime(condition.lastTransitionTime ?? '') ?? 0;
  if (started + times.cpuInitializationUs > wallUs) return condition.status === 'False' || metric.atWallUs < transition + metric.windowUs;
  return condition.status === 'False' && started + times.initialReadinessUs > transition;
}

/** Upstream groupPods. */
function group(
  pods: readonly Pod[],
  metrics: ReadonlyMap<string, PodMetric>,
  resource: MeasuredResource,
  times: ReplicaTimes,
  wallUs: Micros,
): Groups {
  const groups: Groups = { ready: 0, unready: [], missing: [], usage: new Map() };
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp !== undefined || pod.status?.phase === 'Failed') continue;
    if (pod.status?.phase === 'Pending') {
      groups.unready.push(pod);
      continue;
    }
    const metric = metrics.get(pod.metadata.name ?? '');
    if (metric === undefined) groups.missing.push(pod);
    else if (resource.name === 'cpu' && isUnready(pod, metric, times, wallUs)) groups.unready.push(pod);
    else {
      groups.ready++;
      groups.usage.set(pod.metadata.name ?? '', amount(metric, resource));
    }
  }
  return groups;
}

/** Upstream calculateRequests: sidecars count with the containers; requests of the pod itself stand for all of them. */
function requestsOf(pods: readonly Pod[], { name, container }: MeasuredResource): Map<string, number> | string {
  const requests = new Map<string, number>();
  for (const pod of pods) {
    const ofPod = container === undefined ? pod.spec.resources?.requests?.[name] : undefined;
    let sum = ofPod === undefined ? 0 : quantityMilliValue(quantityOf(ofPod));
    const sidecars = (pod.spec.initContainers ?? []).filter((each) => each.restartPolicy === 'Always');
    for (const each of ofPod === undefined ? [...pod.spec.containers, ...sidecars] : []) {
      if (container !== undefined && each.name !== container) continue;
      const text = each.resources?.requests?.[name];
      if (text === undefined) return `missing request for ${name} in container ${each.name} of Pod ${pod.metadata.name}`;
      sum += quantityMilliValue(quantityOf(text));
    }
    requests.set(pod.metadata.name ?? '', sum);
  }
  return requests;
}

/** How a resource's usage compares with its target: utilization of the requests, or a value per pod. */
interface Measure {
  readonly ratio: (usage: ReadonlyMap<string, number>) => number;
  readonly utilization: (usage: ReadonlyMap<string, number>) => number | undefined;
  /** Usage of a pod without metrics when shrinking: as if it used all that it may. */
  readonly full: (pod: Pod) => number;
}

function total(usage: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const value of usage.values()) sum += value;
  return sum;
}

function byUtilization(target: number, requests: ReadonlyMap<string, number>): Measure {
  const utilization = (usage: ReadonlyMap<string, number>): number => {
    let requested = 0;
    for (const name of usage.keys()) requested += requests.get(name) ?? 0;
    return requested === 0 ? 0 : Math.trunc((total(usage) * 100) / requested);
  };
  return {
    ratio: (usage) => utilization(usage) / target,
    utilization,
    full: (pod) => Math.floor(((requests.get(pod.metadata.name ?? '') ?? 0) * Math.max(100, target)) / 100),
  };
}

function byValue(target: number): Measure {
  return {
    ratio: (usage) => (usage.size === 0 ? 0 : total(usage) / usage.size / target),
    utilization: () => undefined,
    full: () => target,
  };
}

/** How many replicas the usage asks for: upstream replica_calculator.go, GetResourceReplicas and GetRawResourceReplicas. */
export function replicasForResource(
  pods: readonly Pod[],
  metricList: readonly PodMetric[],
  resource: MeasuredResource,
  target: { readonly utilization?: number; readonly value?: number },
  current: number,
  tolerances: Tolerances,
  times: ReplicaTimes,
  wallUs: Micros,
): Proposal {
  if (pods.length === 0) return { ok: false, message: 'no pods returned by selector while calculating replica count' };
  const metrics = new Map(metricList.map((metric) => [metric.name, metric]));
  const groups = group(pods, metrics, resource, times, wallUs);
  if (groups.usage.size === 0) return { ok: false, message: 'did not receive metrics for targeted pods (pods might be unready)' };
  let measure: Measure;
  if (target.utilization !== undefined) {
    const requests = requestsOf(pods, resource);
    if (typeof requests === 'string') return { ok: false, message: requests };
    measure = byUtilization(target.utilization, requests);
  } else measure = byValue(target.value ?? 1);
  const ratio = measure.ratio(groups.usage);
  const answer = (replicas: number): Proposal => ({
    ok: true,
    replicas,
    utilization: measure.utilization(groups.usage),
    averageValue: Math.trunc(total(groups.usage) / groups.usage.size),
  });
  const within = (value: number): boolean => value >= 1 - tolerances.down && value <= 1 + tolerances.up;
  const growsWithUnready = groups.unready.length > 0 && ratio > 1;
  if (!growsWithUnready && groups.missing.length === 0) return answer(within(ratio) ? current : ceil(ratio * groups.ready));
  const usage = new Map(groups.usage);
  // The doubtful are counted against the change: full when shrinking, idle when growing.
  for (const pod of groups.missing) if (ratio !== 1) usage.set(pod.metadata.name ?? '', ratio < 1 ? measure.full(pod) : 0);
  if (growsWithUnready) for (const pod of groups.unready) usage.set(pod.metadata.name ?? '', 0);
  const next = measure.ratio(usage);
  if (within(next) || (ratio < 1 && next > 1) || (ratio > 1 && next < 1)) return answer(current);
  const replicas = ceil(next * usage.size);
  if ((next < 1 && replicas > current) || (next > 1 && replicas < current)) return answer(current);
  return answer(replicas);
}

/** Guards against 3.0000000000000004. */
function ceil(value: number): number {
  const nearest = Math.round(value);
  return Math.abs(value - nearest) < 1e-9 ? nearest : Math.ceil(value);
}

/** spec.behavior's own tolerances (gate HPAConfigurableTolerance), else the controller's. */
export function tolerancesOf(hpa: HorizontalPodAutoscaler, otherwise: number): Tolerances {
  const own = (text: string | undefined): number => (text === undefined ? otherwise : quantityMilliValue(quantityOf(text)) / 1000);
  return { up: own(hpa.spec.behavior?.scaleUp?.tolerance), down: own(hpa.spec.behavior?.scaleDown?.tolerance) };
}
