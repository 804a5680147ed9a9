import type { Refusal } from './status.ts';

/** Why no node took the pod: upstream framework.Diagnosis. */
export interface Diagnosis {
  readonly nodeCount: number;
  /** Refusals of the nodes that were looked at. */
  readonly byNode: ReadonlyMap<string, Refusal>;
  /** The refusal of all nodes that were not. */
  readonly absent: Refusal | undefined;
  readonly absentCount: number;
  /** Plugins that refused: the queueing hints of these decide when the pod is tried again. */
  readonly plugins: ReadonlySet<string>;
  readonly preFilterMessage: string;
}

/** Upstream FitError.Error(). */
export function fitErrorMessage(diagnosis: Diagnosis, postFilterMessage: string): string {
  let text = `0/${diagnosis.nodeCount} nodes are available`;
  if (diagnosis.preFilterMessage !== '') text += `: ${diagnosis.preFilterMessage}.`;
  else {
    const reasons = countReasons(diagnosis.byNode.values(), diagnosis.absent, diagnosis.absentCount);
    if (reasons !== '') text += `: ${reasons}.`;
  }
  return postFilterMessage === '' ? text : `${text} ${postFilterMessage}`;
}

/** `2 Insufficient cpu, 3 node(s) were unschedulable`, sorted as text. */
export function countReasons(refusals: Iterable<Refusal>, absent: Refusal | undefined, absentCount: number): string {
  const counts = new Map<string, number>();
  const count = (refused: Refusal, by: number): void => {
    for (const reason of refused.reasons) counts.set(reason, (counts.get(reason) ?? 0) + by);
  };
  for (const refused of refusals) count(refused, 1);
  if (absent !== undefined && absentCount > 0) count(absent, absentCount);
  return [...counts]
    .map(([reason, times]) => `${times} ${reason}`)
    .sort()
    .join(', ');
}

/** What upstream answers when there is not a single node. */
export const noNodesMessage = 'no nodes available to schedule pods';
