import type { Node, Pod } from '../api/types.ts';
import { ImageStates } from './image-states.ts';
import { NodeInfo } from './node-info.ts';
import { NodeTree } from './node-tree.ts';
import { PodCounts } from './pod-counts.ts';
import { type PodInfo, podInfoOf } from './pod-info.ts';

interface PodEntry {
  readonly node: string;
  readonly info: PodInfo;
  readonly assumed: boolean;
}

/**
 * The scheduler's picture of nodes and the pods on them, assumed pods included: upstream backend/cache.
 * Upstream copies changed nodes into a snapshot before every cycle, because its informers run beside it; here a cycle runs within one
 * resume of the process, so the cache itself is the snapshot and nothing is copied.
 */
export class SchedulerCache {
  readonly counts: PodCounts;
  readonly #infos = new Map<string, NodeInfo>();
  readonly #pods = new Map<string, PodEntry>();
  readonly #tree = new NodeTree();
  readonly #images = new ImageStates();
  #list: NodeInfo[] | undefined = [];
  #withAffinity = 0;
  #withRequiredAntiAffinity = 0;

  constructor() {
    this.counts = new PodCounts(
      () => this.#infos.values(),
      (name) => this.node(name),
    );
  }

  /** Nodes that exist, in the order of the node tree. */
  get nodes(): readonly NodeInfo[] {
    this.#list ??= this.#tree.list().map((name) => this.#infos.get(name) as NodeInfo);
    return this.#list;
  }

  node(name: string): NodeInfo | undefined {
    const info = this.#infos.get(name);
    return info?.node === undefined ? undefined : info;
  }

  get anyAffinity(): boolean {
    return this.#withAffinity > 0;
  }

  get anyRequiredAntiAffinity(): boolean {
    return this.#withRequiredAntiAffinity > 0;
  }

  setNode(node: Node): void {
    const name = node.metadata.name ?? '';
    const info = this.#info(name);
    const previous = info.node;
    this.#images.set(info, node, previous);
    info.setNode(node);
    if (previous === undefined || previous.metadata.labels !== node.metadata.labels) {
      this.#tree.set(name, node);
      this.#list = undefined;
      this.counts.nodesChanged();
    }
  }

  removeNode(name: string): void {
    const info = this.#infos.get(name);
    if (info?.node === undefined) return;
    this.#images.remove(info.node);
    info.node = undefined;
    this.#tree.remove(name);
    this.#list = undefined;
    this.counts.nodesChanged();
    if (info.pods.size === 0) this.#infos.delete(name);
  }

  /** Counts the pod on the node before the API server has been told: upstream AssumePod. */
  assume(pod: Pod, node: string): void {
    this.#put(podInfoOf(pod), node, true);
  }

  /** Takes an assumption back: the binding failed. */
  forget(uid: string): void {
    if (this.#pods.get(uid)?.assumed === true) this.#drop(uid);
  }

  isAssumed(uid: string): boolean {
    return this.#pods.get(uid)?.assumed === true;
  }

  /** A pod with a node, as the informer shows it; confirms an assumption. */
  setPod(pod: Pod): void {
    const node = pod.spec.nodeName ?? '';
    const uid = pod.metadata.uid ?? '';
    const known = this.#pods.get(uid);
    if (known !== undefined && known.node === node && sameForScheduling(known.info.pod, pod)) {
      // A status update changes nothing that is counted: keep the sums, remember the newer object.
      if (known.assumed) this.#pods.set(uid, { ...known, assumed: false });
      return;
    }
    this.#put(podInfoOf(pod), node, false);
  }

  removePod(uid: string): void {
    this.#drop(uid);
  }

  has(uid: string): boolean {
    return this.#pods.has(uid);
  }

  #info(name: string): NodeInfo {
    let info = this.#infos.get(name);
    if (info === undefined) {
      info = new NodeInfo(name);
      this.#infos.set(name, info);
    }
    return info;
  }

  #put(info: PodInfo, node: string, assumed: boolean): void {
    this.#drop(info.uid);
    this.#pods.set(info.uid, { node, info, assumed });
    this.#info(node).addPod(info);
    this.counts.podAdded(info, node);
    if (info.hasAffinity) this.#withAffinity++;
    if (info.requiredAntiAffinity.length > 0) this.#withRequiredAntiAffinity++;
  }

  #drop(uid: string): void {
    const entry = this.#pods.get(uid);
    if (entry === undefined) return;
    this.#pods.delete(uid);
    const info = this.#infos.get(entry.node);
    info?.removePod(uid);
    if (info !== undefined && info.node === undefined && info.pods.size === 0) this.#infos.delete(entry.node);
    this.counts.podRemoved(entry.info, entry.node);
    if (entry.info.hasAffinity) this.#withAffinity--;
    if (entry.info.requiredAntiAffinity.length > 0) this.#withRequiredAntiAffinity--;
  }
}

/** Whether an update leaves untouched what the cache counts: resources, ports, affinity (spec), labels, and whether the pod terminates. */
function sameForScheduling(a: Pod, b: Pod): boolean {
  if (a.metadata.deletionTimestamp !== b.metadata.deletionTimestamp) return false;
  if (a.metadata.labels !== b.metadata.labels && JSON.stringify(a.metadata.labels) !== JSON.stringify(b.metadata.labels)) return false;
  const before = a.spec;
  const after = b.spec;
  if (before === after) return true;
  return (
    before.containers === after.containers &&
    before.initContainers === after.initContainers &&
    before.affinity === after.affinity &&
    before.resources === after.resources
  );
}
