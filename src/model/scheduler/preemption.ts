import { parseTime } from '../api/time.ts';
import type { Pod } from '../api/types.ts';
import type { RandomStream } from '../../sim/random.ts';
import { splitByBudget } from './disruption-budgets.ts';
import { type Diagnosis, fitErrorMessage } from './fit-error.ts';
import type { NodeFilter, SchedulingView } from './framework.ts';
import type { NodeInfo } from './node-info.ts';
import type { Nominator } from './nominator.ts';
import { type PodInfo, podPriority } from './pod-info.ts';
import { runFiltersWithNominated } from './schedule-pod.ts';
import { type Refusal, refusal } from './status.ts';

/** Pods that would have to go from one node. */
export interface Candidate {
  readonly node: string;
  /** Most important first. */
  readonly victims: readonly PodInfo[];
  readonly violations: number;
}

export type Preemption =
  | { readonly kind: 'nominate'; readonly candidate: Candidate }
  /** `clearNomination`: no room can be made anywhere, so an older nomination is void. */
  | { readonly kind: 'refused'; readonly message: string; readonly clearNomination: boolean };

const plugin = 'DefaultPreemption';
const notHelpful = refusal(plugin, 'UnschedulableAndUnresolvable', 'Preemption is not helpful for scheduling');
const noVictims = refusal(plugin, 'UnschedulableAndUnresolvable', 'No preemption victims found for incoming pod');
/** Upstream minCandidateNodesAbsolute and minCandidateNodesPercentage. */
const candidatesMin = 100;
const candidatesPercent = 10;

export const preemptionReason = 'PreemptionByScheduler';

/** Whether the pod ends because a preemption asked for it. */
export function isBeingPreempted(pod: Pod): boolean {
  if (pod.metadata.deletionTimestamp === undefined) return false;
  return (pod.status?.conditions ?? []).some((c) => c.type === 'DisruptionTarget' && c.status === 'True' && c.reason === preemptionReason);
}

/** Why the pod may not preempt at all; undefined: it may. Upstream PodEligibleToPreemptOthers. */
function ineligible(pod: PodInfo, nominatedNode: string | undefined, diagnosis: Diagnosis, view: SchedulingView): string | undefined {
  if (pod.pod.spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
  if (nominatedNode === undefined) return undefined;
  const status = diagnosis.byNode.get(nominatedNode) ?? diagnosis.absent;
  if (status?.code === 'UnschedulableAndUnresolvable') return undefined;
  for (const other of view.node(nominatedNode)?.pods.values() ?? []) {
    if (podPriority(other.pod) < podPriority(pod.pod) && isBeingPreempted(other.pod))
      return 'not eligible due to a terminating pod on the nominated node.';
  }
  return undefined;
}

function startOf(pod: Pod): number {
  const text = pod.status?.startTime;
  return (text === undefined ? undefined : parseTime(text)) ?? Number.POSITIVE_INFINITY;
}

/** Negative when `a` is more important: higher priority, then running for longer. Upstream util.MoreImportantPod. */
function byImportance(a: PodInfo, b: PodInfo): number {
  const priority = podPriority(b.pod) - podPriority(a.pod);
  if (priority !== 0) return priority;
  const startA = startOf(a.pod);
  const startB = startOf(b.pod);
  if (startA !== startB) return startA < startB ? -1 : 1;
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

/** A node with some pods taken away, and filters that know of it. */
class WhatIf {
  filters: readonly NodeFilter[];
  readonly node: NodeInfo;
  constructor(node: NodeInfo, filters: readonly NodeFilter[]) {
    this.node = node.clone();
    this.filters = filters;
  }
  remove(info: PodInfo): void {
    this.node.removePod(info.uid);
    this.filters = this.filters.map((filter) => filter.withoutPod?.(info, this.node) ?? filter);
  }
  add(info: PodInfo): void {
    this.node.addPod(info);
    this.filters = this.filters.map((filter) => filter.withPod?.(info, this.node) ?? filter);
  }
}

/** The fewest pods that must go from the node, or why none would help. Upstream SelectVictimsOnNode. */
function selectVictims(
  pod: PodInfo,
  node: NodeInfo,
  filters: readonly NodeFilter[],
  view: SchedulingView,
  nominator: Nominator,
): Candidate | Refusal {
  const priority = podPriority(pod.pod);
  const potential = [...node.pods.values()].filter((info) => podPriority(info.pod) < priority).sort(byImportance);
  if (potential.length === 0) return noVictims;
  const whatIf = new WhatIf(node, filters);
  for (const info of potential) whatIf.remove(info);
  const refused = runFiltersWithNominated(whatIf.filters, pod, whatIf.node, nominator);
  if (refused !== undefined) return refused;
  const { violating, others } = splitByBudget(potential, view.budgets());
  const victims: PodInfo[] = [];
  const reprieve = (info: PodInfo): boolean => {
    const before = whatIf.filters;
    whatIf.add(info);
    if (runFiltersWithNominated(whatIf.filters, pod, whatIf.node, nominator) === undefined) return true;
    whatIf.node.removePod(info.uid);
    whatIf.filters = before;
    victims.push(info);
    return false;
  };
  let violations = 0;
  for (const info of violating) if (!reprieve(info)) violations++;
  for (const info of others) reprieve(info);
  return { node: node.name, victims: victims.sort(byImportance), violations };
}

/** Keeps the candidates with the smallest value. */
function leastBy(candidates: readonly Candidate[], value: (candidate: Candidate) => number): readonly Candidate[] {
  if (candidates.length <= 1) return candidates;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) least = Math.min(least, value(candidate));
  return candidates.filter((candidate) => value(candidate) === least);
}

/** Makes priorities positive, so that more victims never weigh less. */
const priorityShift = 2_147_483_648;

function earliestStartOfHighest(candidate: Candidate): number {
  const highest = podPriority((candidate.victims[0] as PodInfo).pod);
  let earliest = Number.POSITIVE_INFINITY;
  for (const victim of candidate.victims) if (podPriority(victim.pod) === highest) earliest = Math.min(earliest, startOf(victim.pod));
  return earliest;
}

/** Upstream pickOneNodeForPreemption, rule by rule. */
export function pickCandidate(candidates: readonly Candidate[]): Candidate {
  let left = leastBy(candidates, (candidate) => candidate.violations);
  left = leastBy(left, (candidate) =>
    candidate.victims[0] === undefined ? Number.NEGATIVE_INFINITY : podPriority(candidate.victims[0].pod),
  );
  left = leastBy(left, (candidate) => candidate.victims.reduce((sum, victim) => sum + podPriority(victim.pod) + priorityShift, 0));
  left = leastBy(left, (candidate) => candidate.victims.length);
  left = leastBy(left, (candidate) => -earliestStartOfHighest(candidate));
  return left[0] as Candidate;
}

/** Looks for a node on which deleting less important pods makes room. Decides only; the scheduler evicts. */
export function preempt(
  pod: PodInfo,
  diagnosis: Diagnosis,
  filters: readonly NodeFilter[],
  view: SchedulingView,
  nominator: Nominator,
  random: RandomStream | undefined,
): Preemption {
  const nominatedNode = pod.pod.status?.nominatedNodeName ?? nominator.nodeOf(pod.uid);
  const why = ineligible(pod, nominatedNode, diagnosis, view);
  if (why !== undefined) return { kind: 'refused', message: why, clearNomination: false };
  const potential = view.nodes.filter((node) => (diagnosis.byNode.get(node.name) ?? diagnosis.absent)?.code === 'Unschedulable');
  const statuses = new Map<string, Refusal>();
  const candidates: Candidate[] = [];
  const wanted = Math.max(candidatesMin, Math.floor((view.nodes.length * candidatesPercent) / 100));
  const offset = potential.length === 0 || random === undefined ? 0 : random.below(potential.length);
  for (let i = 0; i < potential.length && candidates.length < wanted; i++) {
    const node = potential[(offset + i) % potential.length] as NodeInfo;
    const found = selectVictims(pod, node, filters, view, nominator);
    if ('code' in found) statuses.set(node.name, found);
    else if (found.victims.length > 0) candidates.push(found);
  }
  if (candidates.length > 0) return { kind: 'nominate', candidate: pickCandidate(candidates) };
  const message = fitErrorMessage(
    {
      nodeCount: view.nodes.length,
      byNode: statuses,
      absent: notHelpful,
      absentCount: view.nodes.length - statuses.size,
      plugins: new Set(),
      preFilterMessage: '',
    },
    '',
  );
  return { kind: 'refused', message, clearNomination: true };
}
