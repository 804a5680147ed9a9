import { type ParsedLabelSelector, labelsMatch, selectorOf } from '../api/label-selector.ts';
import { requiredNodeAffinity } from '../api/node-selector.ts';
import type { Pod, TopologySpreadConstraint } from '../api/types.ts';
import type { NodeInfo } from './node-info.ts';
import { isTolerated } from './tolerations.ts';

export const hostnameLabel = 'kubernetes.io/hostname';
export const zoneLabel = 'topology.kubernetes.io/zone';

/** Decides about one node. */
type Inclusion = (node: NodeInfo) => boolean;

/** A spread constraint of one pod, compiled: upstream podtopologyspread.topologySpreadConstraint. */
export interface SpreadConstraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly selector: ParsedLabelSelector;
  /** Whether pods on the node count at all (nodeAffinityPolicy, nodeTaintsPolicy). */
  readonly includes: Inclusion;
  /** Pods on every node count. */
  readonly includesAll: boolean;
}

const everyNode: Inclusion = () => true;

function inclusion(pod: Pod, constraint: Pick<TopologySpreadConstraint, 'nodeAffinityPolicy' | 'nodeTaintsPolicy'>): Inclusion {
  const affinity = constraint.nodeAffinityPolicy === 'Ignore' ? undefined : requiredNodeAffinity(pod);
  const honorsTaints = constraint.nodeTaintsPolicy === 'Honor';
  if (affinity === undefined && !honorsTaints) return everyNode;
  const tolerations = pod.spec.tolerations;
  return (node) => {
    if (affinity !== undefined && !affinity(node)) return false;
    return !honorsTaints || node.hardTaints.every((taint) => isTolerated(tolerations, taint));
  };
}

function inclusionOf(
  pod: Pod,
  constraint: Parameters<typeof inclusion>[1],
): { readonly includes: Inclusion; readonly includesAll: boolean } {
  const includes = inclusion(pod, constraint);
  return { includes, includesAll: includes === everyNode };
}

/** The pod's own constraints of one kind. */
export function ownConstraints(pod: Pod, when: TopologySpreadConstraint['whenUnsatisfiable']): readonly SpreadConstraint[] {
  const found: SpreadConstraint[] = [];
  for (const constraint of pod.spec.topologySpreadConstraints ?? []) {
    if (constraint.whenUnsatisfiable !== when) continue;
    found.push({
      topologyKey: constraint.topologyKey,
      maxSkew: constraint.maxSkew,
      minDomains: constraint.minDomains ?? 1,
      selector: withMatchLabelKeys(pod, constraint),
      ...inclusionOf(pod, constraint),
    });
  }
  return found;
}

function withMatchLabelKeys(pod: Pod, constraint: TopologySpreadConstraint): ParsedLabelSelector {
  const selector = selectorOf(constraint.labelSelector);
  const keys = constraint.matchLabelKeys ?? [];
  if (keys.length === 0) return selector;
  const added: ParsedLabelSelector[number][] = [];
  for (const key of keys) {
    const value = pod.metadata.labels?.[key];
    if (value !== undefined) added.push({ key, operator: 'in', values: [value] });
  }
  return [...selector, ...added];
}

/** The cluster's default constraints (upstream systemDefaultConstraints) for pods that state none, by the selector of their owners. */
export function defaultConstraints(pod: Pod, selector: ParsedLabelSelector): readonly SpreadConstraint[] {
  if (selector.length === 0) return [];
  const included = inclusionOf(pod, {});
  return [
    { topologyKey: hostnameLabel, maxSkew: 3, minDomains: 1, selector, ...included },
    { topologyKey: zoneLabel, maxSkew: 5, minDomains: 1, selector, ...included },
  ];
}

export function hasAllTopologies(node: NodeInfo, constraints: readonly SpreadConstraint[]): boolean {
  for (const { topologyKey } of constraints) if (!Object.hasOwn(node.labels, topologyKey)) return false;
  return true;
}

export function selectsPod(constraint: SpreadConstraint, pod: Pod): boolean {
  return labelsMatch(constraint.selector, pod.metadata.labels);
}
