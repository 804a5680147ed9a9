import type { Pod } from '../../api/types.ts';
import { type FilterPlugin, type NodeFilter, type NodeScorer, type ScorePlugin, type SchedulingView, nodeScoreMax } from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';
import { refusal } from '../status.ts';
import {
  type SpreadConstraint,
  defaultConstraints,
  hasAllTopologies,
  hostnameLabel,
  ownConstraints,
  selectsPod,
} from '../topology-constraint.ts';
import { naturalLog } from './natural-log.ts';

const name = 'PodTopologySpread';
const skewed = refusal(name, 'Unschedulable', "node(s) didn't match pod topology spread constraints");
const missingLabel = refusal(
  name,
  'UnschedulableAndUnresolvable',
  "node(s) didn't match pod topology spread constraints (missing required label)",
);

/** Matching pods by value of the topology key. */
type DomainCounts = ReadonlyMap<string, number>;

function smallest(counts: DomainCounts, minDomains: number): number {
  if (counts.size < minDomains) return 0;
  let min = Number.POSITIVE_INFINITY;
  for (const count of counts.values()) if (count < min) min = count;
  return min;
}

function makeFilter(pod: Pod, constraints: readonly SpreadConstraint[], counts: readonly DomainCounts[]): NodeFilter {
  const self = constraints.map((constraint) => (selectsPod(constraint, pod) ? 1 : 0));
  const least = constraints.map((constraint, i) => smallest(counts[i] as DomainCounts, constraint.minDomains));
  const changed = (other: Pod, node: NodeInfo, by: 1 | -1): NodeFilter => {
    if (other.metadata.namespace !== pod.metadata.namespace || !hasAllTopologies(node, constraints))
      return makeFilter(pod, constraints, counts);
    return makeFilter(
      pod,
      constraints,
      constraints.map((constraint, i) => {
        const old = counts[i] as DomainCounts;
        if (!constraint.includes(node) || !selectsPod(constraint, other)) return old;
        const value = node.labels[constraint.topologyKey] as string;
        return new Map(old).set(value, (old.get(value) ?? 0) + by);
      }),
    );
  };
  return {
    filter: (node) => {
      for (let i = 0; i < constraints.length; i++) {
        const { topologyKey, maxSkew } = constraints[i] as SpreadConstraint;
        const value = node.labels[topologyKey];
        if (value === undefined) return missingLabel;
        const there = (counts[i] as DomainCounts).get(value) ?? 0;
        if (there + (self[i] as number) - (least[i] as number) > maxSkew) return skewed;
      }
      return undefined;
    },
    withPod: (added, node) => changed(added.pod, node, 1),
    withoutPod: (removed, node) => changed(removed.pod, node, -1),
  };
}

/** Upstream calPreFilterState: counts over the nodes that carry every topology key. */
function countDomains(pod: Pod, constraints: readonly SpreadConstraint[], view: SchedulingView): readonly DomainCounts[] {
  const counts = constraints.map(() => new Map<string, number>());
  const byNode = constraints.map((constraint) => view.counts.of(pod.metadata.namespace ?? '', constraint.selector));
  for (const node of view.nodes) {
    if (!hasAllTopologies(node, constraints)) continue;
    for (let i = 0; i < constraints.length; i++) {
      const constraint = constraints[i] as SpreadConstraint;
      if (!constraint.includes(node)) continue;
      const value = node.labels[constraint.topologyKey] as string;
      const domain = counts[i] as Map<string, number>;
      domain.set(value, (domain.get(value) ?? 0) + (byNode[i]?.get(node.name) ?? 0));
    }
  }
  return counts;
}

interface ScoredConstraint {
  readonly topologyKey: string;
  readonly byHost: boolean;
  readonly counts: ReadonlyMap<string, number>;
  readonly weight: number;
  readonly allowance: number;
}

/** Upstream initPreScoreState and PreScore, with each constraint's counts by domain (by node for hostnames). */
function prepareConstraints(
  pod: Pod,
  constraints: readonly SpreadConstraint[],
  feasible: readonly NodeInfo[],
  ignored: ReadonlySet<string>,
  needsAllTopologies: boolean,
  view: SchedulingView,
): readonly ScoredConstraint[] {
  return constraints.map((constraint) => {
    const byNode = view.counts.of(pod.metadata.namespace ?? '', constraint.selector);
    const allowance = constraint.maxSkew - 1;
    if (constraint.topologyKey === hostnameLabel) {
      const weight = naturalLog(feasible.length - ignored.size + 2);
      return { topologyKey: hostnameLabel, byHost: true, counts: byNode, weight, allowance };
    }
    if (constraint.includesAll && !needsAllTopologies) {
      const all = view.counts.byDomain(pod.metadata.namespace ?? '', constraint.selector, constraint.topologyKey);
      const weight = naturalLog(domainCount(constraint.topologyKey, feasible) + 2);
      return { topologyKey: constraint.topologyKey, byHost: false, counts: all, weight, allowance };
    }
    const domains = new Map<string, number>();
    for (const node of feasible) {
      if (ignored.has(node.name)) continue;
      const value = node.labels[constraint.topologyKey];
      if (value !== undefined) domains.set(value, 0);
    }
    for (const [nodeName, count] of byNode) {
      if (count === 0) continue;
      const node = view.node(nodeName);
      if (node === undefined || (needsAllTopologies && !hasAllTopologies(node, constraints)) || !constraint.includes(node)) continue;
      const value = node.labels[constraint.topologyKey];
      const known = value === undefined ? undefined : domains.get(value);
      if (known !== undefined) domains.set(value as string, known + count);
    }
    return { topologyKey: constraint.topologyKey, byHost: false, counts: domains, weight: naturalLog(domains.size + 2), allowance };
  });
}

/** Over how many domains the feasible nodes lie. */
function domainCount(topologyKey: string, feasible: readonly NodeInfo[]): number {
  const seen = new Set<string>();
  let last: string | undefined;
  for (const node of feasible) {
    const value = node.labels[topologyKey];
    if (value === undefined || value === last) continue;
    seen.add(value);
    last = value;
  }
  return seen.size;
}

function makeScorer(constraints: readonly ScoredConstraint[], ignored: ReadonlySet<string>): NodeScorer {
  return {
    scoreAll: (nodes: readonly NodeInfo[], out: number[]) => {
      for (let i = 0; i < nodes.length; i++) {
        const node = nodes[i] as NodeInfo;
        out[i] = 0;
        if (ignored.has(node.name)) continue;
        let sum = 0;
        for (const { topologyKey, byHost, counts, weight, allowance } of constraints) {
          const value = node.labels[topologyKey];
          if (value === undefined) continue;
          sum += (counts.get(byHost ? node.name : value) ?? 0) * weight + allowance;
        }
        out[i] = Math.round(sum);
      }
    },
    normalize: (scores, nodes) => {
      let min = Number.POSITIVE_INFINITY;
      let max = 0;
      for (let i = 0; i < scores.length; i++) {
        if (ignored.has((nodes[i] as NodeInfo).name)) continue;
        const score = scores[i] as number;
        if (score < min) min = score;
        if (score > max) max = score;
      }
      for (let i = 0; i < scores.length; i++) {
        if (ignored.has((nodes[i] as NodeInfo).name)) scores[i] = 0;
        else if (max === 0) scores[i] = nodeScoreMax;
        else scores[i] = Math.floor((nodeScoreMax * (max + min - (scores[i] as number))) / max);
      }
    },
  };
}

/** Spreads pods over zones, hosts or any other domain: KEP-895, KEP-1258 (default constraints), KEP-3022 (minDomains), KEP-3094 (inclusion policies). */
export const podTopologySpread: FilterPlugin & ScorePlugin = {
  name,
  weight: 2,
  prepareFilter: (pod, view) => {
    if ((pod.pod.spec.topologySpreadConstraints ?? []).length === 0) return 'skip';
    const constraints = ownConstraints(pod.pod, 'DoNotSchedule');
    if (constraints.length === 0) return 'skip';
    return makeFilter(pod.pod, constraints, countDomains(pod.pod, constraints, view));
  },
  mayHelp: (pod, event) => {
    const constraints = ownConstraints(pod.pod, 'DoNotSchedule');
    const selected = (other: Pod): boolean =>
      other.metadata.namespace === pod.pod.metadata.namespace && constraints.some((constraint) => selectsPod(constraint, other));
    switch (event.kind) {
      case 'node':
        return (
          constraints.every(({ topologyKey }) => event.next.metadata.labels?.[topologyKey] !== undefined) &&
          (event.previous === undefined ||
            constraints.some(
              ({ topologyKey }) => event.previous?.metadata.labels?.[topologyKey] !== event.next.metadata.labels?.[topologyKey],
            ))
        );
      case 'pod-added':
      case 'pod-deleted':
        return selected(event.pod);
      case 'pod-updated':
        return selected(event.previous) !== selected(event.pod);
      case 'volumes':
        return false;
    }
  },
  prepareScore: (pod, nodes, view) => {
    const hasOwn = (pod.pod.spec.topologySpreadConstraints ?? []).length > 0;
    const constraints = hasOwn ? ownConstraints(pod.pod, 'ScheduleAnyway') : defaultConstraints(pod.pod, view.defaultSelector(pod.pod));
    if (constraints.length === 0) return 'skip';
    const ignored = new Set<string>();
    if (hasOwn) for (const node of nodes) if (!hasAllTopologies(node, constraints)) ignored.add(node.name);
    return makeScorer(prepareConstraints(pod.pod, constraints, nodes, ignored, hasOwn, view), ignored);
  },
};
