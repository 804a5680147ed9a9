import { condition, controllerUid, field, isTerminal, keyOf, list, number, text } from './fields.ts';
import { podsThatFit, requestsOf } from './feasibility.ts';
import type { Property, StoredObject, TrialEnd } from './property.ts';

/** Utilization may differ from its target by this share without a change: upstream --horizontal-pod-autoscaler-tolerance. */
const TOLERANCE = 0.1;

/** After healing, the workloads beside Deployments come true too. Eventual-reconciliation judges Deployments, Services, nodes and CronJobs. */
export const workloadReconciliation: Property = {
  id: 'workload-reconciliation',
  about: 'After all faults healed, StatefulSets, DaemonSets, Jobs, autoscalers and priorities reach the desired state.',
  clauses: [
    {
      id: 'statefulset',
      must: 'A StatefulSet ends with its ordinals from 0 on, ready, as many as it asks for and the nodes can hold, and says so.',
    },
    { id: 'daemonset', must: 'A DaemonSet ends with one ready pod on every ready node that has a place for it, and with no second one.' },
    { id: 'job', must: 'A Job ends complete with exactly as many successes as it asks for, or failed.' },
    {
      id: 'autoscaler',
      must: 'An autoscaled workload ends within its bounds, and at one of them where its pods use more or less than the target.',
    },
    { id: 'preemption', must: 'No pod waits for a place that pods of lower priority hold.' },
  ],
  needsKubernetes: true,
  start({ violate }) {
    let judged = 0;
    return {
      exercised: () => judged,
      settled: (end) => judge(end).findings.length === 0,
      finish: (end) => {
        const { findings, judged: count } = judge(end);
        judged = count;
        for (const { clause, subject, expected, actual } of findings) {
          violate({
            clause,
            atUs: end.atUs,
            sentence: `${subject} long after all faults were healed: ${actual} instead of ${expected}.`,
            expected,
            actual,
            subjects: [subject],
            facts: [
              { atUs: end.healedAtUs ?? 0, subject: 'plan', text: 'all faults are healed' },
              { atUs: end.atUs, subject, text: `still has ${actual}` },
            ],
          });
        }
      },
    };
  },
};

interface Finding {
  readonly clause: string;
  readonly subject: string;
  readonly expected: string;
  readonly actual: string;
}

interface Cluster {
  readonly end: TrialEnd;
  readonly of: (resource: string) => readonly StoredObject[];
  readonly pods: readonly StoredObject[];
  readonly nodes: readonly StoredObject[];
}

function judge(end: TrialEnd): { readonly findings: readonly Finding[]; readonly judged: number } {
  if (end.healedAtUs === undefined) return { findings: [], judged: 0 };
  const of = (resource: string): readonly StoredObject[] => end.objects.filter((o) => o.resource === resource);
  const cluster: Cluster = { end, of, pods: of('pods'), nodes: of('nodes').filter((node) => !end.outside.includes(node.name)) };
  const findings: Finding[] = [];
  let judged = 0;
  const each = (resource: string, rule: (object: object, cluster: Cluster) => Finding | undefined): void => {
    for (const { object } of of(resource)) {
      if (text(object, 'metadata', 'deletionTimestamp') !== '') continue;
      judged++;
      const finding = rule(object, cluster);
      if (finding !== undefined) findings.push(finding);
    }
  };
  each('statefulsets', judgeStatefulSet);
  each('daemonsets', judgeDaemonSet);
  each('jobs', judgeJob);
  each('horizontalpodautoscalers', judgeAutoscaler);
  const waiting = cluster.pods.filter(({ object }) => priorityOf(object) > 0 && text(object, 'spec', 'nodeName') === '');
  judged += cluster.pods.filter(({ object }) => priorityOf(object) > 0).length;
  for (const { object } of waiting) {
    const finding = judgeWaiting(object, cluster);
    if (finding !== undefined) findings.push(finding);
  }
  return { findings, judged };
}

function podsOf(owner: object, { pods }: Cluster): readonly StoredObject[] {
  const uid = text(owner, 'metadata', 'uid');
  return pods.filter(({ object }) => controllerUid(object) === uid && !isTerminal(object));
}

const isReady = ({ object }: StoredObject): boolean =>
  condition(object, 'Ready') === 'True' && text(object, 'metadata', 'deletionTimestamp') === '';

function judgeStatefulSet(set: object, cluster: Cluster): Finding | undefined {
  const subject = `StatefulSet ${keyOf(set)}`;
  const wanted = number(set, 1, 'spec', 'replicas');
  const pods = podsOf(set, cluster);
  // A pod on a node that nobody reaches keeps its name until somebody says that it is gone: that is what the kind is for.
  const held = pods.filter(({ object }) => cluster.end.outside.includes(text(object, 'spec', 'nodeName'))).length;
  const bound = pods.filter(({ object }) => text(object, 'spec', 'nodeName') !== '').length;
  const possible = Math.min(wanted, podsThatFit(set, bound, cluster.nodes, cluster.pods)) - held;
  const ready = pods.filter(isReady).map(({ name }) => Number(name.slice(name.lastIndexOf('-') + 1)));
  const expected = `${possible} ready pods of ordinals below ${wanted}`;
  if (ready.length < possible || pods.length > wanted || ready.some((ordinal) => ordinal >= wanted))
    return { clause: 'statefulset', subject, expected, actual: `${ready.length} ready of ${pods.length} (${ready.sort().join(' ')})` };
  const said = number(set, 0, 'status', 'readyReplicas');
  return said === ready.length
    ? undefined
    : { clause: 'statefulset', subject, expected: `status.readyReplicas ${ready.length}`, actual: `status.readyReplicas ${said}` };
}

function judgeDaemonSet(set: object, cluster: Cluster): Finding | undefined {
  const pods = podsOf(set, cluster);
  for (const node of cluster.nodes) {
    if (condition(node.object, 'Ready') !== 'True') continue;
    const here = pods.filter(({ object }) => text(object, 'spec', 'nodeName') === node.name);
    if (here.filter(isReady).length === 1 && here.length === 1) continue;
    if (here.length === 0 && podsThatFit(set, 0, [node], cluster.pods) === 0) continue;
    const actual = `${here.filter(isReady).length} ready of ${here.length} on ${node.name}`;
    return { clause: 'daemonset', subject: `DaemonSet ${keyOf(set)}`, expected: `one ready pod on ${node.name}`, actual };
  }
  return undefined;
}

function judgeJob(job: object): Finding | undefined {
  // Those of a CronJob come and go while the trial ends.
  const isScheduled = list(job, 'metadata', 'ownerReferences').length > 0;
  const wanted = number(job, 1, 'spec', 'completions');
  const succeeded = number(job, 0, 'status', 'succeeded');
  const subject = `Job ${keyOf(job)}`;
  const expected = `${wanted} successes`;
  const isComplete = condition(job, 'Complete') === 'True';
  if (isComplete && succeeded !== wanted) return { clause: 'job', subject, expected, actual: `complete with ${succeeded}` };
  if (isComplete || isScheduled || condition(job, 'Failed') === 'True' || field(job, 'spec', 'suspend') === true) return undefined;
  return { clause: 'job', subject, expected, actual: `${succeeded} successes and no end` };
}

function judgeAutoscaler(scaler: object, { of }: Cluster): Finding | undefined {
  const name = text(scaler, 'spec', 'scaleTargetRef', 'name');
  const target = of('deployments').find((d) => d.name === name && d.namespace === text(scaler, 'metadata', 'namespace'));
  if (target === undefined) return undefined;
  const min = number(scaler, 1, 'spec', 'minReplicas');
  const max = number(scaler, 1, 'spec', 'maxReplicas');
  const replicas = number(target.object, 1, 'spec', 'replicas');
  const tell = (expected: string): Finding => ({
    clause: 'autoscaler',
    subject: `HorizontalPodAutoscaler ${keyOf(scaler)}`,
    expected,
    actual: `${replicas} replicas`,
  });
  if (replicas < min || replicas > max) return tell(`between ${min} and ${max} replicas`);
  const wanted = number(list(scaler, 'spec', 'metrics')[0], 0, 'resource', 'target', 'averageUtilization');
  const used = number(list(scaler, 'status', 'currentMetrics')[0], 0, 'resource', 'current', 'averageUtilization');
  if (wanted === 0) return undefined;
  if (used === 0) return tell('a measured utilization');
  const ratio = used / wanted;
  if (Math.abs(ratio - 1) <= TOLERANCE) return undefined;
  const desired = Math.min(max, Math.max(min, Math.ceil(replicas * ratio)));
  return desired === replicas ? undefined : tell(`${desired} replicas at ${used} % of ${wanted} %`);
}

function priorityOf(pod: object): number {
  return number(pod, 0, 'spec', 'priority');
}

/** A pod that waits although a node would have room for it without the pods of lower priority. */
function judgeWaiting(pod: object, cluster: Cluster): Finding | undefined {
  if (isTerminal(pod) || text(pod, 'metadata', 'deletionTimestamp') !== '' || text(pod, 'spec', 'preemptionPolicy') === 'Never')
    return undefined;
  const priority = priorityOf(pod);
  // Pods that must make room hold none.
  const remaining = cluster.pods.filter(({ object }) => priorityOf(object) >= priority);
  const need = requestsOf(field(pod, 'spec'));
  if (need.cpuMilli === 0 && need.memoryBytes === 0) return undefined;
  const asWorkload = { spec: { template: { spec: field(pod, 'spec') } } };
  const node = cluster.nodes.find((one) => podsThatFit(asWorkload, 0, [one], remaining) > 0);
  if (node === undefined) return undefined;
  return {
    clause: 'preemption',
    subject: `Pod ${keyOf(pod)}`,
    expected: `a place on ${node.name}, which pods of lower priority hold`,
    actual: 'no node',
  };
}
