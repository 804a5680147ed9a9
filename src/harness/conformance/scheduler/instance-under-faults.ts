import type { UntypedObject } from '../../../model/api/object.ts';
import type { Pod } from '../../../model/api/types.ts';
import { NAMESPACES, PODS, SERVICES } from '../../../model/client/resources.ts';
import { DEFAULT_CONTROLLER_MANAGER_CONFIG } from '../../../model/controllers/config.ts';
import type { Task } from '../../../sim/task.ts';
import { MILLISECOND, SECOND, type Micros } from '../../../sim/time.ts';
import { type Actor, runFaulted, START } from '../controllers/faulted-cluster.ts';
import type { Write } from '../controllers/history.ts';
import type { RecordedNode } from '../controllers/recording.ts';
import { scenarioNode } from '../controllers/steps.ts';
import type { FaultedRun } from '../controllers/under-faults.ts';
import { untilAnswered } from '../controllers/until-answered.ts';
import type { RandomInstance, RecordedDecision } from './random-instance.ts';

/** Pods come so far apart, so that faults meet their decisions. */
const APART: Micros = SECOND;
/** Faults last 20 s, leases 15 s, a node that was given up comes back within a minute: who is still waiting then waits for ever. */
const PATIENCE_TRIES = 600;
const LOOK: Micros = 500 * MILLISECOND;

/**
 * Plays a random instance (`random-NNN.json`) on a whole cluster under faults, pod by pod, and judges the bindings. As its README wants,
 * each pod is put on the recorded node after the scheduler has decided, since the later decisions follow from it. Without a seed
 * nothing strikes, and the node must be one of those with the best score; a scheduler that sees a node as tainted for a while may
 * lawfully take another one of those that the pod fits on.
 */
export function runInstanceUnderFaults(instance: RandomInstance, seed: string | undefined): FaultedRun {
  const differences: string[] = [];
  const { history, faults, virtualSeconds, unrest } = runFaulted({
    name: instance.name,
    seed,
    manager: DEFAULT_CONTROLLER_MANAGER_CONFIG,
    lastStepUs: instance.pods.length * APART,
    *play(actor) {
      yield* setUp(actor, instance);
      yield* actor.process.sleep(START - actor.process.mono());
      for (const [i, spec] of instance.pods.entries()) {
        const recorded = instance.decisions[i];
        if (recorded === undefined) break;
        yield* actor.process.sleep(Math.max(0, START + i * APART - actor.process.mono()));
        differences.push(...(yield* place(actor, instance, spec, recorded, seed === undefined)));
      }
    },
  });
  if (unrest !== undefined) differences.push(unrest);
  differences.push(...boundTwice(history.writes), ...judgeEnd(instance, history.objects()));
  return { differences, faults, virtualSeconds };
}

function* setUp({ process, kubelets }: Actor, instance: RandomInstance): Task<void> {
  for (const node of instance.nodes) yield* kubelets.addNode(scenarioNode(node as RecordedNode, instance.name));
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: instance.name }, spec: {} } as const;
  yield* untilAnswered(process, () => kubelets.client.resource(NAMESPACES).create(namespace));
  yield* process.sleep(10 * SECOND);
  for (const { name, selector } of instance.services) {
    const metadata = { name, namespace: instance.name };
    // Headless, since the recording has no ports.
    const service = { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector, clusterIP: 'None' } } as const;
    yield* untilAnswered(process, () => kubelets.client.resource(SERVICES).create(service));
  }
}

/** Creates a pod, waits for the scheduler's decision, and makes it the recorded one. */
function* place(
  actor: Actor,
  instance: RandomInstance,
  spec: RandomInstance['pods'][number],
  recorded: RecordedDecision,
  isCalm: boolean,
): Task<readonly string[]> {
  const { process, kubelets, history } = actor;
  const pods = kubelets.client.resource(PODS);
  const key = `/registry/pods/${instance.name}/${spec.name}`;
  const current = (): Pod | undefined => history.current.get(key) as unknown as Pod | undefined;
  const metadata = { name: spec.name, namespace: instance.name, ...(spec.labels === undefined ? {} : { labels: spec.labels }) };
  const create = (nodeName: string | undefined): Task<unknown> => {
    const object: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: { ...spec.spec, ...(nodeName === undefined ? {} : { nodeName }) },
    };
    return untilAnswered(process, () => pods.create(object));
  };
  yield* create(undefined);
  for (let tries = 0; tries < PATIENCE_TRIES && !isDecided(current(), recorded); tries++) yield* process.sleep(LOOK);
  const differences = judgeDecision(recorded, current(), isCalm);
  const node = current()?.spec.nodeName;
  if (node !== undefined && node === recorded.node) return differences;
  yield* untilAnswered(process, () => pods.delete(instance.name, spec.name, { options: { gracePeriodSeconds: 0 } }));
  for (let tries = 0; tries < PATIENCE_TRIES && current() !== undefined; tries++) yield* process.sleep(LOOK);
  if (recorded.node !== null) yield* create(recorded.node);
  return differences;
}

/** A pod that the recording bound is waited for until it is bound; one that it did not, until the scheduler has failed. */
function isDecided(pod: Pod | undefined, recorded: RecordedDecision): boolean {
  if (pod === undefined) return false;
  if ((pod.spec.nodeName ?? '') !== '') return true;
  return recorded.node === null && unschedulable(pod) !== undefined;
}

function unschedulable(pod: Pod): string | undefined {
  const condition = pod.status?.conditions?.find((each) => each.type === 'PodScheduled');
  return condition?.status === 'False' && condition.reason === 'Unschedulable' ? (condition.message ?? '') : undefined;
}

/** Whether the scheduler's decision about a pod agrees with the recorded one. */
export function judgeDecision(recorded: RecordedDecision, pod: Pod | undefined, isCalm: boolean): readonly string[] {
  if (pod === undefined) return [`${recorded.pod}: is gone`];
  const node = pod.spec.nodeName ?? '';
  if (recorded.node === null) {
    if (node !== '') return [`${recorded.pod}: expected none, actual ${node}`];
    const message = unschedulable(pod);
    if (message === undefined) return [`${recorded.pod}: the scheduler never said that it does not fit`];
    return isCalm && message !== recorded.message ? [`${recorded.pod}: message: expected ${recorded.message}, actual ${message}`] : [];
  }
  if (node === '') return [`${recorded.pod}: expected ${recorded.node}, never bound`];
  const lawful = (isCalm ? recorded.top : recorded.feasible) ?? [recorded.node];
  return lawful.includes(node) ? [] : [`${recorded.pod}: expected one of ${lawful.join(', ')}, actual ${node}`];
}

/** Pods that were on one node and then on another. */
export function boundTwice(writes: readonly Pick<Write, 'object'>[]): readonly string[] {
  const nodes = new Map<string, string>();
  const differences: string[] = [];
  for (const { object } of writes) {
    if (object?.kind !== 'Pod') continue;
    const { nodeName = '' } = object.spec as { readonly nodeName?: string };
    const { uid = '', name } = object.metadata;
    const before = nodes.get(uid);
    if (before !== undefined && before !== nodeName)
      differences.push(`${name}: on ${before}, then on ${nodeName === '' ? 'none' : nodeName}`);
    if (nodeName !== '') nodes.set(uid, nodeName);
  }
  return differences;
}

/** At rest every pod that the recording bound runs where it was put, and no other is there. */
export function judgeEnd(instance: Pick<RandomInstance, 'name' | 'decisions'>, objects: readonly UntypedObject[]): readonly string[] {
  const actual = new Map<string, string>();
  for (const object of objects) {
    if (object.kind !== 'Pod' || object.metadata.namespace !== instance.name) continue;
    const pod = object as unknown as Pod;
    actual.set(pod.metadata.name ?? '', `${pod.spec.nodeName ?? 'none'}, ${pod.status?.phase}`);
  }
  const differences: string[] = [];
  for (const { pod, node } of instance.decisions) {
    const expected = node === null ? undefined : `${node}, Running`;
    if (actual.get(pod) !== expected) differences.push(`at rest ${pod}: expected ${expected}, actual ${actual.get(pod)}`);
  }
  return differences;
}
