import type { RandomStream } from '../../sim/random.ts';
import { type SchedulerConfig, feasibleNodesToFind } from './config.ts';
import type { Diagnosis } from './fit-error.ts';
import type { FilterPlugin, NodeFilter, ScorePlugin, SchedulingView } from './framework.ts';
import type { NodeInfo } from './node-info.ts';
import type { Nominator } from './nominator.ts';
import type { PodInfo } from './pod-info.ts';
import { type Refusal, refusal } from './status.ts';

/** Weighted scores of one plugin, in the order of the feasible nodes. */
export interface PluginScores {
  readonly plugin: string;
  readonly scores: readonly number[];
}

export type Decision =
  | { readonly kind: 'no-nodes' }
  | { readonly kind: 'unschedulable'; readonly diagnosis: Diagnosis; readonly filters: readonly NodeFilter[] }
  | {
      readonly kind: 'chosen';
      readonly node: string;
      readonly evaluated: number;
      readonly feasible: readonly NodeInfo[];
      /** Empty when one node only was feasible. */
      readonly scores: readonly PluginScores[];
      readonly totals: readonly number[];
    };

export interface Profile {
  readonly filters: readonly FilterPlugin[];
  readonly scorers: readonly ScorePlugin[];
}

/** Runs the filters of a cycle on one node: the first refusal counts. */
export function runFilters(filters: readonly NodeFilter[], node: NodeInfo): Refusal | undefined {
  for (let i = 0; i < filters.length; i++) {
    const refused = (filters[i] as NodeFilter).filter(node);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

/**
 * As runFilters, but the pod must also fit when the nominated pods of at least its priority are there already, and, because they may
 * never come, without them too. Upstream RunFilterPluginsWithNominatedPods.
 */
export function runFiltersWithNominated(
  filters: readonly NodeFilter[],
  pod: PodInfo,
  node: NodeInfo,
  nominator: Nominator,
): Refusal | undefined {
  const nominated = nominator.before(pod, node.name);
  if (nominated.length > 0) {
    const crowded = node.clone();
    let crowdedFilters = filters;
    for (const other of nominated) {
      crowded.addPod(other);
      crowdedFilters = crowdedFilters.map((filter) => filter.withPod?.(other, crowded) ?? filter);
    }
    const refused = runFilters(crowdedFilters, crowded);
    if (refused !== undefined) return refused;
  }
  return runFilters(filters, node);
}

interface PreFiltered {
  readonly filters: readonly NodeFilter[];
  /** Undefined: all nodes. */
  readonly onlyNodes: ReadonlySet<string> | undefined;
  readonly narrowedBy: readonly string[];
}

function preFilter(profile: Profile, pod: PodInfo, view: SchedulingView): PreFiltered | Refusal {
  const filters: NodeFilter[] = [];
  const narrowedBy: string[] = [];
  let onlyNodes: ReadonlySet<string> | undefined;
  for (const plugin of profile.filters) {
    const prepared = plugin.prepareFilter(pod, view);
    if (prepared === 'skip') continue;
    if ('code' in prepared) return prepared;
    filters.push(prepared);
    if (prepared.onlyNodes === undefined) continue;
    narrowedBy.push(plugin.name);
    const before = onlyNodes;
    onlyNodes = before === undefined ? prepared.onlyNodes : new Set([...prepared.onlyNodes].filter((name) => before.has(name)));
    if (onlyNodes.size === 0) {
      const who = narrowedBy.length === 1 ? narrowedBy[0] : `[${narrowedBy.join(' ')}]`;
      return refusal(plugin.name, 'UnschedulableAndUnresolvable', `node(s) didn't satisfy plugin(s) ${who} simultaneously`);
    }
  }
  return { filters, onlyNodes, narrowedBy };
}

/** Where the search of the next pod starts, so that nodes are tried in turn: upstream nextStartNodeIndex. */
export class SearchStart {
  index = 0;
}

function score(
  profile: Profile,
  pod: PodInfo,
  feasible: readonly NodeInfo[],
  view: SchedulingView,
): { scores: PluginScores[]; totals: number[] } {
  const totals = new Array<number>(feasible.length).fill(0);
  const scores: PluginScores[] = [];
  for (const plugin of profile.scorers) {
    const scorer = plugin.prepareScore(pod, feasible, view);
    if (scorer === 'skip') continue;
    const raw = new Array<number>(feasible.length);
    scorer.scoreAll(feasible, raw);
    scorer.normalize?.(raw, feasible);
    for (let i = 0; i < raw.length; i++) {
      raw[i] = (raw[i] as number) * plugin.weight;
      totals[i] = (totals[i] as number) + (raw[i] as number);
    }
    scores.push({ plugin: plugin.name, scores: raw });
  }
  return { scores, totals };
}

/** The feasible nodes with the best total. */
export function topNodes(feasible: readonly NodeInfo[], totals: readonly number[]): readonly NodeInfo[] {
  let best = Number.NEGATIVE_INFINITY;
  for (const total of totals) if (total > best) best = total;
  return feasible.filter((_, i) => totals[i] === best);
}

/** One scheduling attempt, without its effects: upstream schedulePod with findNodesThatFitPod, prioritizeNodes and selectHost. */
export function schedulePod(
  profile: Profile,
  pod: PodInfo,
  view: SchedulingView,
  config: SchedulerConfig,
  nominator: Nominator,
  start: SearchStart,
  random: RandomStream | undefined,
): Decision {
  if (view.nodes.length === 0) return { kind: 'no-nodes' };
  const prepared = preFilter(profile, pod, view);
  if ('code' in prepared) {
    const diagnosis: Diagnosis = {
      nodeCount: view.nodes.length,
      byNode: new Map(),
      absent: prepared,
      absentCount: view.nodes.length,
      plugins: new Set([prepared.plugin]),
      preFilterMessage: prepared.reasons.join(', '),
    };
    return { kind: 'unschedulable', diagnosis, filters: [] };
  }
  const search = searchNodes(prepared, pod, view, config, nominator, start);
  if (search.feasible.length === 0) return { kind: 'unschedulable', diagnosis: search.diagnosis(), filters: prepared.filters };
  const { feasible, evaluated } = search;
  if (feasible.length === 1) return { kind: 'chosen', node: (feasible[0] as NodeInfo).name, evaluated, feasible, scores: [], totals: [] };
  const { scores, totals } = score(profile, pod, feasible, view);
  const top = topNodes(feasible, totals);
  // Upstream leaves a tie to the order of its heap and its parallel filter; here it is the process's own random stream.
  const winner = top.length === 1 || random === undefined ? (top[0] as NodeInfo) : random.pick(top);
  return { kind: 'chosen', node: winner.name, evaluated, feasible, scores, totals };
}

function searchNodes(
  prepared: PreFiltered,
  pod: PodInfo,
  view: SchedulingView,
  config: SchedulerConfig,
  nominator: Nominator,
  start: SearchStart,
) {
  const { filters, onlyNodes, narrowedBy } = prepared;
  const refused = new Map<string, Refusal>();
  const plugins = new Set<string>();
  const check = (node: NodeInfo): boolean => {
    const status = runFiltersWithNominated(filters, pod, node, nominator);
    if (status === undefined) return true;
    refused.set(node.name, status);
    plugins.add(status.plugin);
    return false;
  };
  const diagnosis = (): Diagnosis => ({
    nodeCount: view.nodes.length,
    byNode: refused,
    absent:
      onlyNodes === undefined
        ? undefined
        : refusal(narrowedBy[0] ?? '', 'UnschedulableAndUnresolvable', `node(s) didn't satisfy plugin(s) [${narrowedBy.join(' ')}]`),
    absentCount: onlyNodes === undefined ? 0 : view.nodes.length - refused.size,
    plugins: narrowedBy.length === 0 ? plugins : new Set([...plugins, ...narrowedBy]),
    preFilterMessage: '',
  });
  const nominatedNode = pod.pod.status?.nominatedNodeName ?? nominator.nodeOf(pod.uid);
  if (nominatedNode !== undefined && nominatedNode !== '') {
    // Preemption made room here: no need to look elsewhere (upstream evaluateNominatedNode).
    const node = view.node(nominatedNode);
    if (node !== undefined && (onlyNodes === undefined || onlyNodes.has(nominatedNode)) && check(node)) {
      return { feasible: [node], evaluated: 1, diagnosis };
    }
    refused.clear();
    plugins.clear();
  }
  const candidates = onlyNodes === undefined ? view.nodes : view.nodes.filter((node) => onlyNodes.has(node.name));
  const wanted = feasibleNodesToFind(candidates.length, config.percentageOfNodesToScore);
  const feasible: NodeInfo[] = [];
  let evaluated = 0;
  for (let i = 0; i < candidates.length && feasible.length < wanted; i++) {
    const node = candidates[(start.index + i) % candidates.length] as NodeInfo;
    evaluated++;
    if (check(node)) feasible.push(node);
  }
  if (candidates.length > 0) start.index = (start.index + evaluated) % candidates.length;
  return { feasible, evaluated, diagnosis };
}
