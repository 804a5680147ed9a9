import { type ParsedLabelSelector, formatLabelSelector, labelsMatch } from '../api/label-selector.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';

interface Counter {
  readonly namespace: string;
  readonly selector: ParsedLabelSelector;
  readonly byNode: Map<string, number>;
}

const countersMax = 64;
const empty: ReadonlyMap<string, number> = new Map();

function counts(counter: Counter, info: PodInfo): boolean {
  const { metadata } = info.pod;
  return metadata.deletionTimestamp === undefined && metadata.namespace === counter.namespace && labelsMatch(counter.selector, metadata.labels);
}

/**
 * How many pods of a namespace a selector matches on each node: upstream countPodsMatchSelector, which walks over all pods in every cycle.
 * Here the answer is kept between cycles and follows the cache's pods, so a cycle costs as many steps as there are nodes.
 */
export class PodCounts {
  readonly #counters = new Map<string, Counter>();
  readonly #nodes: () => Iterable<NodeInfo>;

  constructor(nodes: () => Iterable<NodeInfo>) {
    this.#nodes = nodes;
  }

  /** Counts by node name; absent is none. Pods that terminate do not count, and an empty selector matches none. */
  of(namespace: string, selector: ParsedLabelSelector): ReadonlyMap<string, number> {
    if (selector.length === 0) return empty;
    const key = `${namespace}?${formatLabelSelector(selector)}`;
    const known = this.#counters.get(key);
    if (known !== undefined) return known.byNode;
    const counter: Counter = { namespace, selector, byNode: new Map() };
    for (const node of this.#nodes()) {
      let count = 0;
      for (const info of node.pods.values()) if (counts(counter, info)) count++;
      if (count > 0) counter.byNode.set(node.name, count);
    }
    if (this.#counters.size >= countersMax) this.#counters.clear();
    this.#counters.set(key, counter);
    return counter.byNode;
  }

  podAdded(info: PodInfo, node: string): void {
    for (const counter of this.#counters.values()) {
      if (counts(counter, info)) counter.byNode.set(node, (counter.byNode.get(node) ?? 0) + 1);
    }
  }

  podRemoved(info: PodInfo, node: string): void {
    for (const counter of this.#counters.values()) {
      if (counts(counter, info)) counter.byNode.set(node, (counter.byNode.get(node) ?? 0) - 1);
    }
  }
}
