import type { Pod } from '../../api/types.ts';
import { type AffinityTerm, type NamespaceLabels, type WeightedAffinityTerm, termMatches } from '../affinity-term.ts';
import { type FilterPlugin, type NodeFilter, type ScorePlugin, type SchedulingView, nodeScoreMax } from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';
import { type PodInfo, podInfoOf } from '../pod-info.ts';
import { refusal } from '../status.ts';

const name = 'InterPodAffinity';
const unmetAffinity = refusal(name, 'UnschedulableAndUnresolvable', "node(s) didn't match pod affinity rules");
const unmetAntiAffinity = refusal(name, 'Unschedulable', "node(s) didn't match pod anti-affinity rules");
const existingAntiAffinity = refusal(name, 'Unschedulable', "node(s) didn't satisfy existing pods anti-affinity rules");

/** Weight of a required affinity of an existing pod towards the new one: upstream HardPodAffinityWeight. */
const hardPodAffinityWeight = 1;

/** Counts (or weights) by topology key and value of the node's label. */
class TopologyCounts {
  readonly #byKey = new Map<string, Map<string, number>>();

  /** Adds for the node's domain of the key; nothing where the node has no such label. */
  add(node: NodeInfo, topologyKey: string, by: number): void {
    const value = node.labels[topologyKey];
    if (value === undefined) return;
    let values = this.#byKey.get(topologyKey);
    if (values === undefined) {
      values = new Map();
      this.#byKey.set(topologyKey, values);
    }
    const next = (values.get(value) ?? 0) + by;
    if (next === 0 && this.#dropsZero) values.delete(value);
    else values.set(value, next);
    if (values.size === 0) this.#byKey.delete(topologyKey);
  }

  readonly #dropsZero: boolean;
  constructor(dropsZero: boolean) {
    this.#dropsZero = dropsZero;
  }

  at(topologyKey: string, value: string): number {
    return this.#byKey.get(topologyKey)?.get(value) ?? 0;
  }

  get isEmpty(): boolean {
    return this.#byKey.size === 0;
  }

  /** Whether any of the node's labels lies in a counted domain. */
  touches(node: NodeInfo): boolean {
    for (const [key, values] of this.#byKey) {
      const value = node.labels[key];
      if (value !== undefined && (values.get(value) ?? 0) > 0) return true;
    }
    return false;
  }

  sum(node: NodeInfo): number {
    let sum = 0;
    for (const [key, values] of this.#byKey) {
      const value = node.labels[key];
      if (value !== undefined) sum += values.get(value) ?? 0;
    }
    return sum;
  }

  clone(): TopologyCounts {
    const copy = new TopologyCounts(this.#dropsZero);
    for (const [key, values] of this.#byKey) copy.#byKey.set(key, new Map(values));
    return copy;
  }
}

/** Upstream preFilterState. */
interface FilterState {
  /** Domains that existing pods' required anti-affinity forbids to the pod. */
  readonly existingAnti: TopologyCounts;
  readonly affinity: TopologyCounts;
  readonly anti: TopologyCounts;
}

function matchesAll(terms: readonly AffinityTerm[], pod: PodInfo, namespaceLabels: NamespaceLabels): boolean {
  if (terms.length === 0) return false;
  for (const term of terms) if (!termMatches(term, pod.pod, namespaceLabels)) return false;
  return true;
}

function addAntiTerms(
  counts: TopologyCounts,
  terms: readonly AffinityTerm[],
  target: PodInfo,
  node: NodeInfo,
  labels: NamespaceLabels,
  by: number,
): void {
  for (const term of terms) if (termMatches(term, target.pod, labels)) counts.add(node, term.topologyKey, by);
}

function addAffinityTerms(
  counts: TopologyCounts,
  terms: readonly AffinityTerm[],
  target: PodInfo,
  node: NodeInfo,
  labels: NamespaceLabels,
  by: number,
): void {
  if (!matchesAll(terms, target, labels)) return;
  for (const term of terms) counts.add(node, term.topologyKey, by);
}

function addPod(state: FilterState, pod: PodInfo, other: PodInfo, node: NodeInfo, labels: NamespaceLabels, by: 1 | -1): void {
  addAntiTerms(state.existingAnti, other.requiredAntiAffinity, pod, node, labels, by);
  addAffinityTerms(state.affinity, pod.requiredAffinity, other, node, labels, by);
  addAntiTerms(state.anti, pod.requiredAntiAffinity, other, node, labels, by);
}

function initialState(pod: PodInfo, view: SchedulingView): FilterState {
  const state: FilterState = { existingAnti: new TopologyCounts(true), affinity: new TopologyCounts(true), anti: new TopologyCounts(true) };
  const labels = view.namespaceLabels;
  const readsAll = pod.requiredAffinity.length + pod.requiredAntiAffinity.length > 0;
  for (const node of view.nodes) {
    if (readsAll) for (const other of node.pods.values()) addPod(state, pod, other, node, labels, 1);
    else
      for (const other of node.podsWithRequiredAntiAffinity.values())
        addAntiTerms(state.existingAnti, other.requiredAntiAffinity, pod, node, labels, 1);
  }
  return state;
}

function satisfiesAffinity(pod: PodInfo, state: FilterState, node: NodeInfo, labels: NamespaceLabels): boolean {
  let podsExist = true;
  for (const { topologyKey } of pod.requiredAffinity) {
    const value = node.labels[topologyKey];
    if (value === undefined) return false;
    if (state.affinity.at(topologyKey, value) <= 0) podsExist = false;
  }
  // The first pod of a group that wants its own kind may go anywhere.
  return podsExist || (state.affinity.isEmpty && matchesAll(pod.requiredAffinity, pod, labels));
}

function makeFilter(pod: PodInfo, state: FilterState, labels: NamespaceLabels): NodeFilter {
  const changed = (other: PodInfo, node: NodeInfo, by: 1 | -1): NodeFilter => {
    const next = { existingAnti: state.existingAnti.clone(), affinity: state.affinity.clone(), anti: state.anti.clone() };
    addPod(next, pod, other, node, labels, by);
    return makeFilter(pod, next, labels);
  };
  return {
    filter: (node) => {
      if (!satisfiesAffinity(pod, state, node, labels)) return unmetAffinity;
      for (const { topologyKey } of pod.requiredAntiAffinity) {
        const value = node.labels[topologyKey];
        if (value !== undefined && state.anti.at(topologyKey, value) > 0) return unmetAntiAffinity;
      }
      return state.existingAnti.touches(node) ? existingAntiAffinity : undefined;
    },
    withPod: (added, node) => changed(added, node, 1),
    withoutPod: (removed, node) => changed(removed, node, -1),
  };
}

function addWeights(
  scores: TopologyCounts,
  terms: readonly WeightedAffinityTerm[],
  target: PodInfo,
  node: NodeInfo,
  labels: NamespaceLabels,
  sign: 1 | -1,
): void {
  for (const term of terms) if (termMatches(term, target.pod, labels)) scores.add(node, term.topologyKey, sign * term.weight);
}

/** Upstream processExistingPod: preferences go both ways. */
function scoreExisting(scores: TopologyCounts, pod: PodInfo, other: PodInfo, node: NodeInfo, labels: NamespaceLabels): void {
  addWeights(scores, pod.preferredAffinity, other, node, labels, 1);
  addWeights(scores, pod.preferredAntiAffinity, other, node, labels, -1);
  for (const term of other.requiredAffinity)
    if (termMatches(term, pod.pod, labels)) scores.add(node, term.topologyKey, hardPodAffinityWeight);
  addWeights(scores, other.preferredAffinity, pod, node, labels, 1);
  addWeights(scores, other.preferredAntiAffinity, pod, node, labels, -1);
}

function normalize(scores: number[]): void {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const score of scores) {
    if (score < min) min = score;
    if (score > max) max = score;
  }
  const span = max - min;
  for (let i = 0; i < scores.length; i++) {
    scores[i] = span > 0 ? Math.floor(nodeScoreMax * (((scores[i] as number) - min) / span)) : 0;
  }
}

/** Pods that want to be, or not to be, in one domain with others: required terms filter, preferred ones score. */
export const interPodAffinity: FilterPlugin & ScorePlugin = {
  name,
  weight: 2,
  prepareFilter: (pod, view) => {
    const wants = pod.requiredAffinity.length + pod.requiredAntiAffinity.length > 0;
    if (!wants && !view.anyRequiredAntiAffinity) return 'skip';
    const state = initialState(pod, view);
    if (!wants && state.existingAnti.isEmpty) return 'skip';
    return makeFilter(pod, state, view.namespaceLabels);
  },
  mayHelp: (pod, event, view) => {
    const labels = view.namespaceLabels;
    const wanted = (other: Pod): boolean => matchesAll(pod.requiredAffinity, podInfoOf(other), labels);
    // Only the pod's own terms: that a pod with anti-affinity towards this one left goes unnoticed upstream, too.
    const unwanted = (other: Pod): boolean => pod.requiredAntiAffinity.some((term) => termMatches(term, other, labels));
    switch (event.kind) {
      case 'node': {
        if (event.previous === undefined) return true;
        const before = event.previous.metadata.labels;
        const after = event.next.metadata.labels;
        if (before === after) return false;
        return [...pod.requiredAffinity, ...pod.requiredAntiAffinity].some(
          ({ topologyKey }) => before?.[topologyKey] !== after?.[topologyKey],
        );
      }
      case 'pod-added':
        return wanted(event.pod);
      case 'pod-updated':
        return (wanted(event.pod) && !wanted(event.previous)) || (unwanted(event.previous) && !unwanted(event.pod));
      case 'pod-deleted':
        return unwanted(event.pod);
      case 'volumes':
        return false;
    }
  },
  prepareScore: (pod, _nodes, view) => {
    const wants = pod.preferredAffinity.length + pod.preferredAntiAffinity.length > 0;
    if (!wants && !view.anyAffinity) return 'skip';
    const scores = new TopologyCounts(false);
    for (const node of view.nodes) {
      for (const other of wants ? node.pods.values() : node.podsWithAffinity.values())
        scoreExisting(scores, pod, other, node, view.namespaceLabels);
    }
    if (scores.isEmpty) return 'skip';
    return {
      scoreAll: (nodes, out) => {
        for (let i = 0; i < nodes.length; i++) out[i] = scores.sum(nodes[i] as NodeInfo);
      },
      normalize,
    };
  },
};
