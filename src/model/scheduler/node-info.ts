import type { ContainerPort, Node, Taint } from '../api/types.ts';
import type { PodInfo } from './pod-info.ts';
import { type Resource, accumulate, allowedPods, emptyResource, resourceFromList } from './resources.ts';

/** How large an image is and on how many nodes it lies: upstream framework.ImageStateSummary. */
export interface ImageState {
  readonly sizeBytes: number;
  readonly nodes: Set<string>;
}

const noTaints: readonly Taint[] = [];
const noLabels: { readonly [key: string]: string } = {};

/**
 * A node and the pods on it, with sums kept up to date: upstream framework.NodeInfo. The scheduler's own state, changed in place by its
 * cache; what a cycle reads of it is worked out when the node or a pod changes, not per scheduled pod.
 */
export class NodeInfo {
  readonly name: string;
  /** Undefined: the node object is gone, pods remain. */
  node: Node | undefined;
  readonly pods = new Map<string, PodInfo>();
  readonly podsWithAffinity = new Map<string, PodInfo>();
  readonly podsWithRequiredAntiAffinity = new Map<string, PodInfo>();
  readonly requested: Resource = emptyResource();
  readonly scoreRequested: Resource = emptyResource();
  /** `ip|protocol|port`, to how many pods hold it. */
  readonly usedPorts = new Map<string, number>();
  allocatable: Resource = emptyResource();
  allowedPods = 0;
  labels: { readonly [key: string]: string } = noLabels;
  taints: readonly Taint[] = noTaints;
  /** Taints that keep pods away (NoSchedule, NoExecute). */
  hardTaints: readonly Taint[] = noTaints;
  /** Taints that pods only prefer to avoid. */
  softTaints: readonly Taint[] = noTaints;
  unschedulable = false;
  images: ReadonlyMap<string, ImageState> = new Map();

  constructor(name: string) {
    this.name = name;
  }

  setNode(node: Node): void {
    this.node = node;
    this.labels = node.metadata.labels ?? noLabels;
    this.allocatable = resourceFromList(node.status?.allocatable);
    this.allowedPods = allowedPods(node.status?.allocatable);
    this.taints = node.spec?.taints ?? noTaints;
    this.hardTaints = this.taints.filter((taint) => taint.effect === 'NoSchedule' || taint.effect === 'NoExecute');
    this.softTaints = this.taints.filter((taint) => taint.effect === 'PreferNoSchedule');
    this.unschedulable = node.spec?.unschedulable === true;
  }

  addPod(info: PodInfo): void {
    this.pods.set(info.uid, info);
    if (info.hasAffinity) this.podsWithAffinity.set(info.uid, info);
    if (info.requiredAntiAffinity.length > 0) this.podsWithRequiredAntiAffinity.set(info.uid, info);
    this.#account(info, 1);
  }

  /** Removes the pod of that uid; false when it was not here. */
  removePod(uid: string): boolean {
    const info = this.pods.get(uid);
    if (info === undefined) return false;
    this.pods.delete(uid);
    this.podsWithAffinity.delete(uid);
    this.podsWithRequiredAntiAffinity.delete(uid);
    this.#account(info, -1);
    return true;
  }

  /** A copy to try a what-if on (preemption). Shares the pod infos. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.name);
    if (this.node !== undefined) copy.setNode(this.node);
    copy.images = this.images;
    for (const info of this.pods.values()) copy.addPod(info);
    return copy;
  }

  #account(info: PodInfo, sign: 1 | -1): void {
    accumulate(this.requested, info.requests, sign);
    accumulate(this.scoreRequested, info.scoreRequests, sign);
    for (const port of info.hostPorts) {
      const key = portKey(port);
      const held = (this.usedPorts.get(key) ?? 0) + sign;
      if (held === 0) this.usedPorts.delete(key);
      else this.usedPorts.set(key, held);
    }
  }
}

const anyAddress = '0.0.0.0';

function portKey(port: ContainerPort): string {
  return `${port.hostIP === undefined || port.hostIP === '' ? anyAddress : port.hostIP}|${port.protocol ?? 'TCP'}|${port.hostPort}`;
}

/** Whether a wanted host port clashes with a held one: the wildcard address clashes with every address. Upstream HostPortInfo.CheckConflict. */
export function hostPortConflicts(node: NodeInfo, wanted: ContainerPort): boolean {
  if (node.usedPorts.size === 0) return false;
  if (node.usedPorts.has(portKey(wanted)) || node.usedPorts.has(portKey({ ...wanted, hostIP: anyAddress }))) return true;
  if (wanted.hostIP !== undefined && wanted.hostIP !== '' && wanted.hostIP !== anyAddress) return false;
  const suffix = `|${wanted.protocol ?? 'TCP'}|${wanted.hostPort}`;
  for (const key of node.usedPorts.keys()) if (key.endsWith(suffix)) return true;
  return false;
}
