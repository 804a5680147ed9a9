import { parseTime } from '../api/time.ts';
import type { Pod } from '../api/types.ts';
import type { Micros } from '../../sim/time.ts';
import { isPodReady, podReadySince } from './pod-state.ts';

/** What a user says about how much the deletion of a pod would cost. */
export const podDeletionCostAnnotation = 'controller.kubernetes.io/pod-deletion-cost';

const phaseOrder: { readonly [phase: string]: number } = { Pending: 0, Unknown: 1, Running: 2 };

function deletionCost(pod: Pod): number {
  const text = pod.metadata.annotations?.[podDeletionCostAnnotation];
  return text !== undefined && /^-?[0-9]+$/.test(text) ? Number(text) : 0;
}

function restarts(pod: Pod): number {
  let most = 0;
  for (const status of pod.status?.containerStatuses ?? []) most = Math.max(most, status.restartCount);
  return most;
}

/** floor(log2(ns)) of an age, -1 for none. Ages within a factor of two count as equal, so that the choice does not favour any (KEP-2185). */
function logAge(sinceUs: Micros, wallUs: Micros): number {
  let rest = (wallUs - sinceUs) * 1000;
  if (rest <= 0) return -1;
  let log = 0;
  while (rest >= 2) {
    rest /= 2;
    log++;
  }
  return log;
}

/** Younger first by the logarithm of age, then by uid. Absent times come first. */
function byAge(a: Pod, b: Pod, timeA: Micros | undefined, timeB: Micros | undefined, wallUs: Micros): number {
  if (timeA === timeB) return 0;
  if (timeA === undefined) return -1;
  if (timeB === undefined) return 1;
  const difference = logAge(timeA, wallUs) - logAge(timeB, wallUs);
  if (difference !== 0) return difference;
  const uidA = a.metadata.uid ?? '';
  const uidB = b.metadata.uid ?? '';
  return uidA < uidB ? -1 : uidA > uidB ? 1 : 0;
}

function creation(pod: Pod): Micros | undefined {
  const text = pod.metadata.creationTimestamp;
  return text === undefined || text === null ? undefined : parseTime(text);
}

/**
 * Which of two pods goes first when a set shrinks; negative: `a`. `rank` says how many related pods share the node.
 * Upstream controller.ActivePodsWithRanks.Less, rule by rule.
 */
export function compareForDeletion(a: Pod, b: Pod, rank: (pod: Pod) => number, wallUs: Micros): number {
  const assignedA = (a.spec.nodeName ?? '') !== '';
  const assignedB = (b.spec.nodeName ?? '') !== '';
  if (assignedA !== assignedB) return assignedA ? 1 : -1;
  const phase = (phaseOrder[a.status?.phase ?? 'Pending'] ?? 0) - (phaseOrder[b.status?.phase ?? 'Pending'] ?? 0);
  if (phase !== 0) return phase;
  const readyA = isPodReady(a);
  const readyB = isPodReady(b);
  if (readyA !== readyB) return readyA ? 1 : -1;
  const cost = deletionCost(a) - deletionCost(b);
  if (cost !== 0) return cost;
  const crowding = rank(b) - rank(a);
  if (crowding !== 0) return crowding;
  if (readyA && readyB) {
    const ready = byAge(a, b, podReadySince(a), podReadySince(b), wallUs);
    if (ready !== 0) return ready;
  }
  const restarted = restarts(b) - restarts(a);
  if (restarted !== 0) return restarted;
  return byAge(a, b, creation(a), creation(b), wallUs);
}
