import type { Node, NodeSelectorTerm, Pod } from '../../api/types.ts';
import { type FilterPlugin, type ScorePlugin, normalizeByMax } from '../framework.ts';
import { NodeInfo } from '../node-info.ts';
import { nodeTermMatches, requiredNodeAffinity } from '../../api/node-selector.ts';
import { refusal } from '../status.ts';

const name = 'NodeAffinity';
const refused = refusal(name, 'UnschedulableAndUnresolvable', "node(s) didn't match Pod's node affinity/selector");
const contradiction = refusal(name, 'UnschedulableAndUnresolvable', 'pod affinity terms conflict');

/** The nodes that a term asks for by name, or undefined where it does not. */
function namedNodes(term: NodeSelectorTerm): ReadonlySet<string> | undefined {
  let found: Set<string> | undefined;
  for (const field of term.matchFields ?? []) {
    if (field.key !== 'metadata.name' || field.operator !== 'In') continue;
    const values = new Set(field.values ?? []);
    found = found === undefined ? values : new Set([...found].filter((node) => values.has(node)));
  }
  return found;
}

/** The nodes that could match because every term names nodes: upstream NodeAffinity.PreFilter. */
function onlyNodes(pod: Pod): ReadonlySet<string> | undefined {
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (terms === undefined || terms.length === 0) return undefined;
  const all = new Set<string>();
  for (const term of terms) {
    const named = namedNodes(term);
    if (named === undefined) return undefined;
    for (const node of named) all.add(node);
  }
  return all;
}

function labelled(node: Node): NodeInfo {
  const info = new NodeInfo(node.metadata.name ?? '');
  info.setNode(node);
  return info;
}

/** nodeSelector, required and preferred node affinity. */
export const nodeAffinity: FilterPlugin & ScorePlugin = {
  name,
  weight: 2,
  prepareFilter: (pod) => {
    const matches = requiredNodeAffinity(pod.pod);
    if (matches === undefined) return 'skip';
    const only = onlyNodes(pod.pod);
    if (only !== undefined && only.size === 0) return contradiction;
    return {
      filter: (node) => (matches(node) ? undefined : refused),
      ...(only !== undefined ? { onlyNodes: only } : {}),
    };
  },
  mayHelp: (pod, event) => {
    if (event.kind !== 'node') return false;
    const matches = requiredNodeAffinity(pod.pod);
    return matches === undefined || (matches(labelled(event.next)) && (event.previous === undefined || !matches(labelled(event.previous))));
  },
  prepareScore: (pod) => {
    const preferred = pod.pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    if (preferred.length === 0) return 'skip';
    return {
      scoreAll: (nodes: readonly NodeInfo[], out: number[]) => {
        for (let i = 0; i < nodes.length; i++) {
          const node = nodes[i] as NodeInfo;
          let sum = 0;
          for (const { weight, preference } of preferred) if (nodeTermMatches(preference, node)) sum += weight;
          out[i] = sum;
        }
      },
      normalize: (scores: number[]) => normalizeByMax(scores, false),
    };
  },
};
