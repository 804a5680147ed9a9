import type { Node, Toleration } from '../../api/types.ts';
import { type FilterPlugin, type ScorePlugin, normalizeByMax } from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';
import { refusal } from '../status.ts';
import { isTolerated } from '../tolerations.ts';

const name = 'TaintToleration';
const refused = refusal(name, 'UnschedulableAndUnresolvable', 'node(s) had untolerated taint(s)');

function isForSoftTaints(toleration: Toleration): boolean {
  return toleration.effect === undefined || toleration.effect === 'PreferNoSchedule';
}

function keepsAway(node: Node, tolerations: readonly Toleration[] | undefined): boolean {
  return (node.spec?.taints ?? []).some((taint) => taint.effect !== 'PreferNoSchedule' && !isTolerated(tolerations, taint));
}

/** NoSchedule and NoExecute taints keep pods away that do not tolerate them; the fewer PreferNoSchedule taints, the better. */
export const taintToleration: FilterPlugin & ScorePlugin = {
  name,
  weight: 3,
  prepareFilter: (pod) => {
    const tolerations = pod.pod.spec.tolerations;
    return {
      filter: (node) => {
        for (const taint of node.hardTaints) if (!isTolerated(tolerations, taint)) return refused;
        return undefined;
      },
    };
  },
  mayHelp: (pod, event) => {
    if (event.kind !== 'node') return false;
    const tolerations = pod.pod.spec.tolerations;
    return !keepsAway(event.next, tolerations) && (event.previous === undefined || keepsAway(event.previous, tolerations));
  },
  prepareScore: (pod) => {
    const tolerations = pod.pod.spec.tolerations?.filter(isForSoftTaints);
    return {
      scoreAll: (nodes: readonly NodeInfo[], out: number[]) => {
        for (let i = 0; i < nodes.length; i++) {
          const node = nodes[i] as NodeInfo;
          let intolerable = 0;
          for (const taint of node.softTaints) if (!isTolerated(tolerations, taint)) intolerable++;
          out[i] = intolerable;
        }
      },
      normalize: (scores: number[]) => normalizeByMax(scores, true),
    };
  },
};
