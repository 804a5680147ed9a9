import type { ApiObject, Json, UntypedObject } from '../../../model/api/object.ts';
import type { Deployment, Pod, ReplicaSet } from '../../../model/api/types.ts';
import { builtInKinds } from '../../../model/api/kinds/registry.ts';
import type { ApiResult } from '../../../model/client/result.ts';
import { apiVersionOf, type Resource } from '../../../model/client/resources.ts';
import * as RESOURCES from '../../../model/client/resources.ts';
import type { Client } from '../../../model/client/typed-client.ts';
import type { Process } from '../../../sim/process.ts';
import { all } from '../../../sim/sync.ts';
import type { Task } from '../../../sim/task.ts';
import { SECOND } from '../../../sim/time.ts';
import type { FakeKubelets } from './fake-kubelet.ts';
import type { Pressure } from './fake-nodes.ts';
import type { History } from './history.ts';
import type { Naming } from './naming.ts';
import type { Metrics, RecordedNode, Step } from './recording.ts';

/** What a step may touch beyond the API. */
export interface Stage {
  readonly namespace: string;
  readonly client: Client;
  readonly process: Process;
  readonly kubelets: FakeKubelets;
  readonly history: History;
  readonly naming: Naming;
  readonly program: (name: 'controller' | 'scheduler', running: boolean) => void;
  metrics: Metrics | undefined;
}

/** An answer as the recordings keep it. */
export interface StepResult {
  readonly step: number;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly drain?: string;
  readonly tries?: readonly string[];
}

const byKind = new Map<string, Resource>();
for (const value of Object.values(RESOURCES)) {
  if (typeof value === 'object' && 'resource' in value && value !== RESOURCES.EVENTS_V1) byKind.set(value.kind, value as Resource);
}

for (const { group, version, resource, kind, namespaced } of builtInKinds)
  if (!byKind.has(kind)) byKind.set(kind, { group, version, resource, kind, namespaced });

function resourceOf(kind: string): Resource {
  const resource = byKind.get(kind);
  if (resource === undefined) throw new Error(`scenario: no resource of kind ${kind}`);
  return resource;
}

/** The actual name behind `web-abc-<2>`, `web*<2>`, or a plain name. */
function resolve(stage: Stage, kind: string, name: string): string {
  const star = /^(.*)\*<(\d+)>$/.exec(name);
  if (star !== null) {
    const prefix = star[1] as string;
    const seen: string[] = [];
    for (const { object } of stage.history.writes) {
      const own = object?.metadata.name ?? '';
      if (object?.kind === kind && object.metadata.namespace === stage.namespace && own.startsWith(prefix) && !seen.includes(own))
        seen.push(own);
    }
    return seen[Number(star[2]) - 1] ?? name;
  }
  if (!name.includes('<')) return name;
  for (const { object } of stage.history.writes) {
    if (object?.kind === kind && stage.naming.keyOf(object) === `${kind}/${name}`) return object.metadata.name ?? '';
  }
  return name;
}

function namespaceOf(stage: Stage, resource: Resource, given?: string): string {
  return resource.namespaced ? (given ?? stage.namespace) : '';
}

/** Runs one step; answers what the recordings would keep. */
export function* runStep(stage: Stage, step: Step, index: number): Task<readonly StepResult[]> {
  const { client } = stage;
  const failed = (answer: ApiResult<ApiObject>): readonly StepResult[] =>
    answer.ok
      ? []
      : [
          {
            step: index,
            code: answer.code,
            ...(answer.reason === '' ? {} : { reason: answer.reason }),
            message: stage.naming.text(answer.message),
          },
        ];
  switch (step.op) {
    case 'create': {
      const objects = (Array.isArray(step.object) ? step.object : [step.object]) as readonly UntypedObject[];
      const results: StepResult[] = [];
      for (const object of objects) results.push(...failed(yield* createObject(stage, object)));
      return results;
    }
    case 'patch': {
      const resource = resourceOf(step.kind ?? '');
      const name = resolve(stage, resource.kind, step.name ?? '');
      const options = step.subresource === undefined ? {} : { subresource: step.subresource };
      return failed(
        yield* client
          .resource(resource)
          .patch(namespaceOf(stage, resource, step.namespace), name, step.type ?? 'merge', step.patch as Json, options),
      );
    }
    case 'patchAll': {
      const resource = resourceOf(step.kind ?? '');
      const listed = yield* client.resource(resource).list(namespaceOf(stage, resource));
      if (!listed.ok) return failed(listed as ApiResult<ApiObject>);
      const results: StepResult[] = [];
      for (const object of listed.object.items) {
        results.push(
          ...failed(
            yield* client
              .resource(resource)
              .patch(namespaceOf(stage, resource), object.metadata.name ?? '', step.type ?? 'merge', step.patch as Json),
          ),
        );
      }
      return results;
    }
    case 'scale': {
      const resource = resourceOf(step.kind ?? '');
      return failed(
        yield* client
          .resource(resource)
          .patch(stage.namespace, step.name ?? '', 'merge', { spec: { replicas: step.replicas ?? 0 } }, { subresource: 'scale' }),
      );
    }
    case 'delete': {
      const resource = resourceOf(step.kind ?? '');
      const options = {
        ...(step.propagation === undefined ? {} : { propagationPolicy: step.propagation }),
        ...(step.grace === undefined ? {} : { gracePeriodSeconds: step.grace }),
      };
      return failed(
        yield* client
          .resource(resource)
          .delete(namespaceOf(stage, resource, step.namespace), resolve(stage, resource.kind, step.name ?? ''), { options }),
      );
    }
    case 'evict': {
      const answer = yield* client.evict(stage.namespace, resolve(stage, 'Pod', step.name ?? ''));
      return answer.ok ? [{ step: index, code: 201 }] : failed(answer);
    }
    case 'bind': {
      const pod = yield* client.resource(RESOURCES.PODS).get(stage.namespace, resolve(stage, 'Pod', step.name ?? ''));
      if (!pod.ok) return failed(pod);
      return failed(yield* client.bind(pod.object, String(step.node)));
    }
    case 'undo':
      return yield* undo(stage, step, index);
    case 'restart': {
      const patch = { spec: { template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': step.stamp ?? '' } } } } };
      return failed(yield* client.resource(RESOURCES.DEPLOYMENTS).patch(stage.namespace, step.name ?? '', 'strategic', patch));
    }
    case 'own':
      return yield* own(stage, step, index);
    case 'drain':
      return yield* drain(stage, step, index);
    case 'createNamespace':
      return failed(
        yield* client
          .resource(RESOURCES.NAMESPACES)
          .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: stage.namespace }, spec: {} }),
      );
    default:
      yield* clusterStep(stage, step);
      return [];
  }
}

function* createObject(stage: Stage, object: UntypedObject): Task<ApiResult<ApiObject>> {
  const resource = resourceOf(object.kind);
  const metadata = resource.namespaced ? { ...object.metadata, namespace: object.metadata.namespace ?? stage.namespace } : object.metadata;
  return yield* stage.client
    .resource(resource)
    .create({ ...object, apiVersion: object.apiVersion ?? apiVersionOf(resource), metadata } as ApiObject);
}

export function* createAll(stage: Stage, objects: readonly UntypedObject[]): Task<void> {
  for (const object of objects) yield* createObject(stage, object);
}

/** Nodes of a scenario carry its label. */
export function scenarioNode(node: RecordedNode, scenario: string): RecordedNode {
  return { ...node, labels: { ...node.labels, 'golden/scenario': scenario } };
}

function* clusterStep(stage: Stage, step: Step): Task<void> {
  const { client, kubelets } = stage;
  const { node } = step;
  const nodeName = typeof node === 'string' ? node : ((node as RecordedNode | undefined)?.name ?? '');
  const nodeNames = Array.isArray(node) ? (node as readonly string[]) : [nodeName];
  switch (step.op) {
    case 'addNode':
      yield* kubelets.addNode(scenarioNode(step.node as RecordedNode, stage.namespace));
      return;
    case 'removeNode':
      for (const name of nodeNames) yield* kubelets.removeNode(name);
      return;
    case 'stopKubelet':
      for (const name of nodeNames) kubelets.stop(name);
      return;
    case 'startKubelet':
      for (const name of nodeNames) yield* kubelets.startAgain(name);
      return;
    case 'nodeReady':
      for (const name of nodeNames) yield* kubelets.setReady(name, step.ready ?? true);
      return;
    case 'nodePressure':
      for (const name of nodeNames)
        for (const [pressure, present] of pressuresOf(step)) yield* kubelets.setPressure(name, pressure, present);
      return;
    case 'nodeCapacity':
      yield* kubelets.setCapacity(nodeName, step.capacity ?? {});
      return;
    case 'cordon':
      yield* client.resource(RESOURCES.NODES).patch('', nodeName, 'merge', { spec: { unschedulable: step.undo === true ? null : true } });
      return;
    case 'taint':
      yield* client.resource(RESOURCES.NODES).patch('', nodeName, 'merge', { spec: { taints: (step.taints ?? []) as unknown as Json } });
      return;
    case 'labelNode':
      yield* client.resource(RESOURCES.NODES).patch('', nodeName, 'merge', { metadata: { labels: step.labels ?? {} } });
      return;
    case 'deleteNamespace':
      yield* client.resource(RESOURCES.NAMESPACES).delete('', stage.namespace);
      return;
    case 'metrics':
      stage.metrics = step.metrics;
      return;
    case 'stopController':
    case 'startController':
      stage.program('controller', step.op === 'startController');
      return;
    case 'stopScheduler':
    case 'startScheduler':
      stage.program('scheduler', step.op === 'startScheduler');
      return;
    default:
      throw new Error(`scenario: unknown step ${step.op}`);
  }
}

/**
 * Which pressures a step sets. The README names the operation and not its fields, so any plain way of writing it is read: a condition's name (or its
 * first word) as a field of its own or as a field's value, and a truth value for whether it holds.
 */
export function pressuresOf(step: Step): readonly (readonly [Pressure, boolean])[] {
  const pressureNamed = (text: string): Pressure | undefined =>
    (['MemoryPressure', 'DiskPressure', 'PIDPressure'] as const).find(
      (pressure) => text.toLowerCase() === pressure.toLowerCase() || `${text}Pressure`.toLowerCase() === pressure.toLowerCase(),
    );
  const isTrue = (value: unknown): boolean => value !== false && value !== 'False' && value !== 'false' && value !== null;
  const { op: _op, at: _at, node: _node, undo = false, ...fields } = step;
  let present = !undo;
  const named: Pressure[] = [];
  const out: (readonly [Pressure, boolean])[] = [];
  for (const [field, value] of Object.entries(fields)) {
    const own = pressureNamed(field);
    if (own !== undefined) out.push([own, isTrue(value)]);
    else if (typeof value === 'boolean' || value === 'True' || value === 'False') present = isTrue(value);
    else if (Array.isArray(value)) named.push(...value.flatMap((each) => pressureNamed(String(each)) ?? []));
    else named.push(...[pressureNamed(String(value))].flatMap((each) => each ?? []));
  }
  out.push(...named.map((pressure) => [pressure, present] as const));
  if (out.length === 0) throw new Error(`scenario: step nodePressure names no condition: ${JSON.stringify(step)}`);
  return out;
}

/** kubectl rollout undo: the template of the wanted (or the last but one) revision. */
function* undo(stage: Stage, step: Step, index: number): Task<readonly StepResult[]> {
  const { client } = stage;
  const revisionOf = (object: ApiObject): number => Number(object.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0);
  const deployment = yield* client.resource(RESOURCES.DEPLOYMENTS).get(stage.namespace, step.name ?? '');
  const listed = yield* client.resource(RESOURCES.REPLICA_SETS).list(stage.namespace);
  if (!deployment.ok || !listed.ok) return [];
  const sets = (listed.object.items as readonly ReplicaSet[])
    .filter((set) => set.metadata.ownerReferences?.some((owner) => owner.uid === deployment.object.metadata.uid) === true)
    .sort((a, b) => revisionOf(b) - revisionOf(a));
  const target = step.toRevision === undefined ? sets[1] : sets.find((set) => revisionOf(set) === step.toRevision);
  if (target === undefined) return [{ step: index, code: 404, reason: 'NotFound', message: 'no rollout history' }];
  const labels = { ...target.spec.template?.metadata?.labels };
  delete labels['pod-template-hash'];
  const template = { ...target.spec.template, metadata: { ...target.spec.template?.metadata, labels } } as Deployment['spec']['template'];
  const patch = [{ op: 'replace', path: '/spec/template', value: template as unknown as Json }];
  const answer = yield* client.resource(RESOURCES.DEPLOYMENTS).patch(stage.namespace, step.name ?? '', 'json', patch as unknown as Json);
  return answer.ok ? [] : [{ step: index, code: answer.code, reason: answer.reason, message: answer.message }];
}

function* own(stage: Stage, step: Step, index: number): Task<readonly StepResult[]> {
  const resource = resourceOf(step.kind ?? '');
  const references: Json[] = [];
  for (const owner of step.owners ?? (step.owner === undefined ? [] : [step.owner])) {
    const ownerResource = resourceOf(owner.kind);
    const found = yield* stage.client.resource(ownerResource).get(namespaceOf(stage, ownerResource, owner.namespace), owner.name);
    references.push({
      apiVersion: apiVersionOf(ownerResource),
      kind: owner.kind,
      name: owner.name,
      uid: found.ok ? (found.object.metadata.uid ?? '') : '',
      ...(step.block === true ? { blockOwnerDeletion: true } : {}),
    });
  }
  const patch = { metadata: { ownerReferences: references } };
  const answer = yield* stage.client
    .resource(resource)
    .patch(namespaceOf(stage, resource, step.namespace), resolve(stage, resource.kind, step.name ?? ''), 'merge', patch);
  return answer.ok ? [] : [{ step: index, code: answer.code, reason: answer.reason, message: answer.message }];
}

/** Cordon, evict all pods of the node, try again every 5 s while budgets refuse. */
function* drain(stage: Stage, step: Step, index: number): Task<readonly StepResult[]> {
  const { client, process } = stage;
  const node = String(step.node);
  yield* client.resource(RESOURCES.NODES).patch('', node, 'merge', { spec: { unschedulable: true } });
  const listed = yield* client.resource(RESOURCES.PODS).list(stage.namespace);
  if (!listed.ok) return [];
  const pods = (listed.object.items as readonly Pod[]).filter((pod) => pod.spec.nodeName === node);
  const deadline = process.mono() + (step.timeout ?? 60) * SECOND;
  const evict = function* (pod: Pod): Task<string> {
    for (let tries = 1; ; tries++) {
      const answer = yield* client.evict(stage.namespace, pod.metadata.name ?? '');
      if (answer.ok) return `201 after ${tries} tries`;
      if (answer.code !== 429 || process.mono() >= deadline) return `${answer.code} after ${tries} tries`;
      yield* process.sleep(5 * SECOND);
    }
  };
  const tries = yield* all(process, pods.map(evict));
  return [{ step: index, drain: node, tries: [...tries].sort() }];
}
