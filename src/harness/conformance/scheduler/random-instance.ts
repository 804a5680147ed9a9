import type { Node, Pod, Service } from '../../../model/api/types.ts';
import { SchedulerCache } from '../../../model/scheduler/cache.ts';
import { DEFAULT_SCHEDULER_CONFIG } from '../../../model/scheduler/config.ts';
import { fitErrorMessage, noNodesMessage } from '../../../model/scheduler/fit-error.ts';
import type { SchedulingView } from '../../../model/scheduler/framework.ts';
import { Nominator } from '../../../model/scheduler/nominator.ts';
import { FILTER_PLUGINS, SCORE_PLUGINS } from '../../../model/scheduler/plugins/registry.ts';
import { podInfoOf } from '../../../model/scheduler/pod-info.ts';
import { preempt } from '../../../model/scheduler/preemption.ts';
import { type Decision, SearchStart, schedulePod, topNodes } from '../../../model/scheduler/schedule-pod.ts';
import { defaultSelector } from '../../../model/scheduler/workload-selectors.ts';

/** A recorded random instance (`random-NNN.json`). */
export interface RandomInstance {
  readonly name: string;
  readonly nodes: readonly {
    readonly name: string;
    readonly labels?: { readonly [key: string]: string };
    readonly capacity: { readonly [key: string]: string };
    readonly taints?: NonNullable<Node['spec']>['taints'];
    readonly images?: NonNullable<Node['status']>['images'];
    readonly unschedulable?: boolean;
  }[];
  readonly services: readonly { readonly name: string; readonly selector: { readonly [key: string]: string } }[];
  readonly pods: readonly { readonly name: string; readonly labels?: { readonly [key: string]: string }; readonly spec: Pod['spec'] }[];
  readonly decisions: readonly RecordedDecision[];
}

export interface RecordedDecision {
  readonly pod: string;
  readonly node: string | null;
  readonly message?: string;
  readonly feasibleNodes?: number;
  readonly feasible?: readonly string[];
  readonly total?: readonly number[];
  readonly top?: readonly string[];
  readonly scores?: { readonly [plugin: string]: readonly number[] };
}

const namespace = 'default';
const weightless = 'NodeResourcesFit';

function nodeOf(spec: RandomInstance['nodes'][number]): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: spec.name, ...(spec.labels !== undefined ? { labels: spec.labels } : {}) },
    spec: {
      ...(spec.taints !== undefined ? { taints: spec.taints } : {}),
      ...(spec.unschedulable === true ? { unschedulable: true } : {}),
    },
    status: { allocatable: spec.capacity, capacity: spec.capacity, ...(spec.images !== undefined ? { images: spec.images } : {}) },
  };
}

function podOf(spec: RandomInstance['pods'][number], index: number): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: spec.name, namespace, uid: `uid-${index}`, ...(spec.labels !== undefined ? { labels: spec.labels } : {}) },
    spec: spec.spec,
  };
}

/** Compares a decision with the recorded one; differences as text. */
function compare(recorded: RecordedDecision, decision: Decision, message: string): readonly string[] {
  const differences: string[] = [];
  const expect = (what: string, expected: unknown, actual: unknown): void => {
    const e = JSON.stringify(expected);
    const a = JSON.stringify(actual);
    if (e !== a) differences.push(`${recorded.pod}: ${what}: expected ${e}, actual ${a}`);
  };
  if (decision.kind !== 'chosen') {
    expect('node', recorded.node, null);
    expect('message', recorded.message, message);
    return differences;
  }
  if (recorded.node === null) return [`${recorded.pod}: expected none, actual ${decision.node}`];
  const order = [...decision.feasible.entries()].sort(([, a], [, b]) => byNumber(a.name, b.name));
  const names = order.map(([, node]) => node.name);
  expect('feasible count', recorded.feasibleNodes, decision.feasible.length);
  if (decision.feasible.length === 1) {
    expect('node', recorded.node, decision.node);
    return differences;
  }
  expect('feasible', recorded.feasible, names);
  const inOrder = (scores: readonly number[]): number[] => order.map(([i]) => scores[i] as number);
  for (const { plugin, scores } of decision.scores) {
    const actual = inOrder(scores);
    const expected = recorded.scores?.[plugin];
    if (expected === undefined) {
      if (plugin !== weightless && actual.some((score) => score !== actual[0]))
        differences.push(`${recorded.pod}: ${plugin}: not recorded, actual ${actual}`);
    } else expect(plugin, expected, actual);
  }
  for (const plugin of Object.keys(recorded.scores ?? {})) {
    if (!decision.scores.some((scores) => scores.plugin === plugin))
      differences.push(`${recorded.pod}: ${plugin}: expected ${recorded.scores?.[plugin]}, actual skipped`);
  }
  expect('total', recorded.total, inOrder(decision.totals));
  expect(
    'top',
    recorded.top,
    topNodes(decision.feasible, decision.totals)
      .map((node) => node.name)
      .sort(byNumber),
  );
  return differences;
}

function byNumber(a: string, b: string): number {
  return Number(a.replace(/\D/g, '')) - Number(b.replace(/\D/g, '')) || (a < b ? -1 : a > b ? 1 : 0);
}

/** Replays an instance through the pure scheduling cycle; answers with the differences. */
export function runRandomInstance(instance: RandomInstance): readonly string[] {
  const cache = new SchedulerCache();
  const services: Service[] = instance.services.map((service) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: service.name, namespace },
    spec: { selector: service.selector },
  }));
  const lister = {
    services: () => services,
    replicationController: () => undefined,
    replicaSet: () => undefined,
    statefulSet: () => undefined,
  };
  const view: SchedulingView = {
    get nodes() {
      return cache.nodes;
    },
    node: (name) => cache.node(name),
    get anyAffinity() {
      return cache.anyAffinity;
    },
    get anyRequiredAntiAffinity() {
      return cache.anyRequiredAntiAffinity;
    },
    counts: cache.counts,
    namespaceLabels: (name) => ({ 'kubernetes.io/metadata.name': name }),
    defaultSelector: (pod) => defaultSelector(pod, lister),
    volumes: undefined,
    budgets: () => [],
  };
  for (const node of instance.nodes) cache.setNode(nodeOf(node));
  const profile = { filters: FILTER_PLUGINS, scorers: SCORE_PLUGINS };
  const nominator = new Nominator();
  const start = new SearchStart();
  const differences: string[] = [];
  for (const [i, spec] of instance.pods.entries()) {
    const recorded = instance.decisions[i];
    if (recorded === undefined) break;
    const pod = podOf(spec, i);
    const info = podInfoOf(pod);
    const decision = schedulePod(profile, info, view, DEFAULT_SCHEDULER_CONFIG, nominator, start, undefined);
    let message = '';
    if (decision.kind === 'no-nodes') message = noNodesMessage;
    if (decision.kind === 'unschedulable') {
      const answer = preempt(info, decision.diagnosis, decision.filters, view, nominator, undefined);
      const tail = answer.kind === 'refused' ? `no new claims to deallocate, preemption: ${answer.message}` : '';
      message = fitErrorMessage(decision.diagnosis, tail);
    }
    differences.push(...compare(recorded, decision, message));
    if (recorded.node !== null) cache.setPod({ ...pod, spec: { ...pod.spec, nodeName: recorded.node } });
  }
  return differences;
}
