import type { NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod } from './types.ts';

/**
 * Which nodes a pod or a volume may stand on: for the scheduler, the kubelet and the DaemonSet controller alike.
 * Upstream: k8s.io/component-helpers/scheduling/corev1/nodeaffinity.
 */

/** What a selector sees of a node. */
export interface SelectedNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Decides about one node. */
export type NodeMatch = (node: SelectedNode) => boolean;

const integer = /^[+-]?[0-9]+$/;

function requirementMatches(requirement: NodeSelectorRequirement, value: string | undefined): boolean {
  const values = requirement.values ?? [];
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt': {
      const bound = values[0];
      if (value === undefined || bound === undefined || !integer.test(value) || !integer.test(bound)) return false;
      return requirement.operator === 'Gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
    }
  }
}

/** Whether a term, all of whose expressions must hold, matches; an empty term matches nothing. Upstream nodeaffinity.nodeSelectorTerm. */
export function nodeTermMatches(term: NodeSelectorTerm, node: SelectedNode): boolean {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  for (const requirement of expressions) {
    const value = Object.hasOwn(node.labels, requirement.key) ? node.labels[requirement.key] : undefined;
    if (!requirementMatches(requirement, value)) return false;
  }
  for (const requirement of fields) {
    if (requirement.key !== 'metadata.name' || !requirementMatches(requirement, node.name)) return false;
  }
  return true;
}

/** Whether any of the terms matches. */
export function nodeSelectorMatches(selector: NodeSelector, node: SelectedNode): boolean {
  for (const term of selector.nodeSelectorTerms) if (nodeTermMatches(term, node)) return true;
  return false;
}

/** spec.nodeSelector and required node affinity together; undefined where the pod has neither. Upstream nodeaffinity.GetRequiredNodeAffinity. */
export function requiredNodeAffinity(pod: Pod): NodeMatch | undefined {
  const selector = pod.spec.nodeSelector;
  const keys = selector === undefined ? [] : Object.keys(selector);
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (keys.length === 0 && required === undefined) return undefined;
  return (node) => {
    for (const key of keys) if (!Object.hasOwn(node.labels, key) || node.labels[key] !== selector?.[key]) return false;
    return required === undefined || nodeSelectorMatches(required, node);
  };
}
