import { type ParsedLabelSelector, formatLabelSelector, labelsMatch } from '../api/label-selector.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';

interface Counter {
  readonly namespace: string;
  readonly selector: ParsedLabelSelector;
  readonly byNode: Map<string, number>;
  /** The same by value of a topology label of the nodes; dropped when any node's labels change. */
  readonly byDomain: Map<string, Map<string, number>>;
}

const countersMax = 64;
const empty: ReadonlyMap<string, number> = new Map();

function counts(counter: Counter, info: PodInfo): boolean {
  const { metadata } = info.pod;
  return (
    metadata.deletionTimestamp === undefined && metadata.namespace === counter.namespace && labelsMatch(counter.selector, metadata.labels)
  );
}

/**
 * How many pods of a namespace a selector matches on each node: upstream countPodsMatchSelector, which walks over all pods in every cycle.
 * Here the answer is kept between cycles and follows the cache's pods, so a cycle costs as many steps as there are nodes.
 */
export class PodCounts {
  readonly #counters = new Map<string, Counter>();
  readonly #nodes: () => Iterable<NodeInfo>;
  readonly #node: (name: string) => NodeInfo | undefined;

  constructor(nodes: () => Iterable<NodeInfo>, node: (name: string) => NodeInfo | undefined) {
    this.#nodes = nodes;
    this.#node = node;
  }

  /** Counts by node name; absent is none. Pods that terminate do not count, and an empty selector matches none. */
  of(namespace: string, selector: ParsedLabelSelector): ReadonlyMap<string, number> {
    return selector.length === 0 ? empty : this.#counter(namespace, selector).byNode;
  }

  /** Counts by value of a topology label, over all nodes that have it. */
  byDomain(namespace: string, selector: ParsedLabelSelector, topologyKey: string): ReadonlyMap<string, number> {
    if (selector.length === 0) return empty;
    const counter = this.#counter(namespace, selector);
    let domains = counter.byDomain.get(topologyKey);
    if (domains === undefined) {
      domains = new Map();
      for (const [name, count] of counter.byNode) {
        const value = this.#node(name)?.labels[topologyKey];
        if (value !== undefined) domains.set(value, (domains.get(value) ?? 0) + count);
      }
      counter.byDomain.set(topologyKey, domains);
    }
    return domains;
  }

  /** Nodes came, went, or changed their labels. */
  nodesChanged(): void {
    for (const counter of this.#counters.values()) counter.byDomain.clear();
  }

  #counter(namespace: string, selector: ParsedLabelSelector): Counter {
    const key = `${namespace}?${formatLabelSelector(selector)}`;
    const known = this.#counters.get(key);
    if (known !== undefined) return known;
    const counter: Counter = { namespace, selector, byNode: new Map(), byDomain: new Map() };
    for (const node of this.#nodes()) {
      let count = 0;
      for (const info of node.pods.values()) if (counts(counter, info)) count++;
      if (count > 0) counter.byNode.set(node.name, count);
    }
    if (this.#counters.size >= countersMax) this.#counters.clear();
    this.#counters.set(key, counter);
    return counter;
  }

  podAdded(info: PodInfo, node: string): void {
    this.#change(info, node, 1);
  }

  podRemoved(info: PodInfo, node: string): void {
    this.#change(info, node, -1);
  }

  #change(info: PodInfo, node: string, by: 1 | -1): void {
    for (const counter of this.#counters.values()) {
      if (!counts(counter, info)) continue;
      counter.byNode.set(node, (counter.byNode.get(node) ?? 0) + by);
      if (counter.byDomain.size === 0) continue;
      const labels = this.#node(node)?.labels;
      for (const [topologyKey, domains] of counter.byDomain) {
        const value = labels?.[topologyKey];
        if (value !== undefined) domains.set(value, (domains.get(value) ?? 0) + by);
      }
    }
  }
}
