import type { Json } from '../api/object.ts';
import { formatTime } from '../api/time.ts';
import type { Pod, PodCondition } from '../api/types.ts';
import type { Micros } from '../../sim/time.ts';

/** What a scheduler writes into a pod's status. */
export interface StatusChange {
  readonly condition?: { readonly type: string; readonly status: string; readonly reason: string; readonly message: string };
  /** '' clears the nomination; undefined leaves it. */
  readonly nominatedNodeName?: string;
}

/** The strategic merge patch of a change, or undefined where the pod says all of it already. Upstream updatePod and util.PatchPodStatus. */
export function podStatusPatch(pod: Pod, change: StatusChange, wallUs: Micros): Json | undefined {
  const status: { [key: string]: Json } = {};
  const { condition } = change;
  if (condition !== undefined) {
    const current = pod.status?.conditions?.find((other) => other.type === condition.type);
    if (!sameCondition(current, condition)) {
      const kept = current?.status === condition.status ? current.lastTransitionTime : undefined;
      status.conditions = [{ ...condition, lastProbeTime: null, lastTransitionTime: kept ?? formatTime(wallUs) }];
    }
  }
  const nominated = change.nominatedNodeName;
  if (nominated !== undefined && nominated !== (pod.status?.nominatedNodeName ?? ''))
    status.nominatedNodeName = nominated === '' ? null : nominated;
  return Object.keys(status).length === 0 ? undefined : { metadata: { uid: pod.metadata.uid ?? '' }, status };
}

function sameCondition(a: PodCondition | undefined, b: NonNullable<StatusChange['condition']>): boolean {
  return a !== undefined && a.status === b.status && a.reason === b.reason && a.message === b.message;
}
