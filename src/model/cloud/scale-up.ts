import type { Node, Pod } from '../api/types.ts';
import type { NodeKind } from '../node-pools.ts';
import type { FilterPlugin, NodeFilter, SchedulingView } from '../scheduler/framework.ts';
import { NodeInfo } from '../scheduler/node-info.ts';
import { type PodInfo, podInfoOf } from '../scheduler/pod-info.ts';
import { nodeAffinity } from '../scheduler/plugins/node-affinity.ts';
import { nodeResourcesFit } from '../scheduler/plugins/node-resources-fit.ts';
import { nodeUnschedulable } from '../scheduler/plugins/node-unschedulable.ts';
import { taintToleration } from '../scheduler/plugins/taint-toleration.ts';
import type { NodeGroupState } from './node-groups.ts';

/** What the autoscaler asks of a node. Upstream asks all of the scheduler's filters; spreading and affinity between pods are left out. */
const FILTERS: readonly FilterPlugin[] = [nodeUnschedulable, taintToleration, nodeAffinity, nodeResourcesFit];

/** None of these filters looks at other nodes. */
const NO_VIEW = {} as SchedulingView;

/** Why a pod cannot run on a node; undefined when it can. */
export function misfit(pod: PodInfo, node: NodeInfo): string | undefined {
  for (const plugin of FILTERS) {
    const prepared = plugin.prepareFilter(pod, NO_VIEW);
    if (prepared === 'skip') continue;
    if (!('filter' in prepared)) return prepared.reasons[0];
    const refused = (prepared as NodeFilter).filter(node);
    if (refused !== undefined) return refused.reasons[0];
  }
  return undefined;
}

/** Puts the pod on the first of the nodes that has room. */
export function place(pod: PodInfo, nodes: readonly NodeInfo[]): boolean {
  const node = nodes.find((candidate) => misfit(pod, candidate) === undefined);
  node?.addPod(pod);
  return node !== undefined;
}

/** What one more machine of a group would be to the scheduler. The kubelet keeps 100 MiB back for itself (evictionHard). */
export function templateNode(group: NodeGroupState, number: number): NodeInfo {
  const info = new NodeInfo(`${group.name}-template-${number}`);
  info.setNode(templateObject(info.name, group.kind));
  return info;
}

function templateObject(name: string, kind: NodeKind): Node {
  const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': kind.os, 'kubernetes.io/arch': 'amd64', ...kind.labels };
  const memory = String(kind.memoryBytes - 100 * 1024 ** 2);
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels },
    spec: { taints: kind.taints },
    status: { allocatable: { cpu: `${kind.cpuMilli}m`, memory, pods: String(kind.pods), 'ephemeral-storage': '100Gi' } },
  } as unknown as Node;
}

export interface ScaleUp {
  readonly group: NodeGroupState;
  readonly by: number;
  readonly pods: readonly Pod[];
}

export interface ScaleUpPlan {
  readonly scaleUp: ScaleUp | undefined;
  /** Pods that no group can help, each with what stands against it. */
  readonly helpless: readonly { readonly pod: Pod; readonly reasons: readonly string[] }[];
}

/**
 * What to do about pods that find no place: upstream ScaleUpOrchestrator with the binpacking estimator and the expander least-waste. Pods that fit
 * on nodes as they are, or that are on their way (`nodes`), only have to wait.
 */
export function planScaleUp(pending: readonly Pod[], nodes: readonly NodeInfo[], groups: readonly NodeGroupState[]): ScaleUpPlan {
  const rest = pending
    .map(podInfoOf)
    .sort((a, b) => b.requests.milliCpu - a.requests.milliCpu || b.requests.memoryBytes - a.requests.memoryBytes)
    .filter((pod) => !place(pod, nodes));
  let best: { readonly scaleUp: ScaleUp; readonly waste: number } | undefined;
  const helped = new Set<Pod>();
  for (const group of groups) {
    const option = pack(rest, group);
    if (option === undefined) continue;
    for (const pod of option.scaleUp.pods) helped.add(pod);
    if (best === undefined || option.waste < best.waste) best = option;
  }
  const helpless = rest
    .filter(({ pod }) => !helped.has(pod))
    .map((info) => ({ pod: info.pod, reasons: groups.map((group) => against(info, group)) }));
  return { scaleUp: best?.scaleUp, helpless };
}

/** How many more machines of the group take how many of the pods, and what share of these machines stays unused. */
function pack(pods: readonly PodInfo[], group: NodeGroupState): { readonly scaleUp: ScaleUp; readonly waste: number } | undefined {
  const room = group.max - group.machines.length;
  const fresh: NodeInfo[] = [];
  const taken: Pod[] = [];
  for (const pod of pods) {
    if (place(pod, fresh)) taken.push(pod.pod);
    else if (fresh.length < room) {
      const node = templateNode(group, fresh.length);
      if (misfit(pod, node) !== undefined) continue;
      node.addPod(pod);
      fresh.push(node);
      taken.push(pod.pod);
    }
  }
  if (fresh.length === 0) return undefined;
  const cpu = sumOf(fresh, (node) => node.requested.milliCpu) / sumOf(fresh, (node) => node.allocatable.milliCpu);
  const memory = sumOf(fresh, (node) => node.requested.memoryBytes) / sumOf(fresh, (node) => node.allocatable.memoryBytes);
  return { scaleUp: { group, by: fresh.length, pods: taken }, waste: 2 - cpu - memory };
}

function against(pod: PodInfo, group: NodeGroupState): string {
  return misfit(pod, templateNode(group, 0)) ?? 'max node group size reached';
}

function sumOf(nodes: readonly NodeInfo[], amount: (node: NodeInfo) => number): number {
  return nodes.reduce((sum, node) => sum + amount(node), 0);
}
