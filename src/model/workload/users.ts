import type { Program } from '../../sim/host.ts';
import type { Endpoint } from '../../sim/network.ts';
import type { Process } from '../../sim/process.ts';
import type { Task } from '../../sim/task.ts';
import { SECOND } from '../../sim/time.ts';
import type { ApiObject, Json, UntypedObject } from '../api/object.ts';
import type { Deployment, ReplicaSet } from '../api/types.ts';
import { DEPLOYMENTS, PODS, REPLICA_SETS, type Resource } from '../client/resources.ts';
import type { ApiResult } from '../client/result.ts';
import { isAlreadyExists, isNotFound } from '../client/result.ts';
import { ApiTransport } from '../client/transport.ts';
import { Client } from '../client/typed-client.ts';
import type { Facts } from '../facts.ts';

/** What a person does with kubectl, one command each. */
export type UserOperation =
  | { readonly kind: 'apply'; readonly resource: Resource; readonly object: UntypedObject }
  | {
      readonly kind: 'delete';
      readonly resource: Resource;
      readonly namespace: string;
      readonly name: string;
      readonly gracePeriodSeconds?: number;
    }
  | { readonly kind: 'scale'; readonly namespace: string; readonly name: string; readonly replicas: number }
  | { readonly kind: 'set-image'; readonly namespace: string; readonly name: string; readonly container: string; readonly image: string }
  | { readonly kind: 'rollout-undo'; readonly namespace: string; readonly name: string }
  | { readonly kind: 'rollout-restart'; readonly namespace: string; readonly name: string }
  | { readonly kind: 'cordon'; readonly node: string; readonly unschedulable: boolean }
  /** Deletes the n-th pod (in name order, modulo how many there are) that a label selector finds. */
  | {
      readonly kind: 'delete-pod';
      readonly namespace: string;
      readonly labelSelector: string;
      readonly index: number;
      readonly gracePeriodSeconds?: number;
    };

export interface UserOptions {
  readonly name: string;
  readonly servers: readonly Endpoint[];
  readonly facts: Facts;
  /** Numbers operations across all users of a trial. */
  readonly nextOperation: () => number;
}

/** The user's answer to a finished operation. */
export type UserAnswer =
  | { readonly ok: true; readonly detail: string }
  | { readonly ok: false; readonly sent: boolean; readonly detail: string };

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const REVISION = 'deployment.kubernetes.io/revision';
const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';
const TIMEOUT = 30 * SECOND;

/** Somebody with kubectl on a host of their own. The plan calls {@link perform}; what happens is told by the user's facts. */
export class User {
  readonly #options: UserOptions;
  #process: Process | undefined;
  #client: Client | undefined;

  constructor(options: UserOptions) {
    this.#options = options;
  }

  program(): Program {
    return {
      name: this.#options.name,
      restartAfterUs: SECOND,
      start: (process) => {
        const { servers, facts } = this.#options;
        this.#process = process;
        this.#client = new Client(
          new ApiTransport(process, {
            servers,
            user: { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] },
            userAgent: 'kubectl',
            timeoutUs: TIMEOUT,
            facts,
          }),
        );
      },
    };
  }

  /** Runs an operation from now on. `done` is called in the user's process when it has its answer. */
  perform(operation: UserOperation, done?: (answer: UserAnswer) => void): void {
    const process = this.#process;
    const client = this.#client;
    const { facts, name, nextOperation } = this.#options;
    const id = nextOperation();
    facts.userOperation.emit(id, name, describe(operation));
    if (process === undefined || client === undefined || !process.alive) {
      facts.userAnswer.emit(id, 'failed', 'the user is not there');
      return;
    }
    process.spawn(`kubectl ${operation.kind}`, run(client, process, operation), (answer) => {
      facts.userAnswer.emit(id, answer.ok ? 'ok' : answer.sent ? 'unknown' : 'failed', answer.detail);
      done?.(answer);
    });
  }
}

/** The operation as one would type it. */
export function describe(operation: UserOperation): string {
  switch (operation.kind) {
    case 'apply':
      return `apply ${operation.resource.kind} ${operation.object.metadata.namespace ?? ''}/${operation.object.metadata.name ?? ''}`;
    case 'delete':
      return `delete ${operation.resource.kind} ${operation.namespace}/${operation.name}`;
    case 'scale':
      return `scale deployment ${operation.namespace}/${operation.name} --replicas=${operation.replicas}`;
    case 'set-image':
      return `set image deployment ${operation.namespace}/${operation.name} ${operation.container}=${operation.image}`;
    case 'rollout-undo':
      return `rollout undo deployment ${operation.namespace}/${operation.name}`;
    case 'rollout-restart':
      return `rollout restart deployment ${operation.namespace}/${operation.name}`;
    case 'cordon':
      return `${operation.unschedulable ? 'cordon' : 'uncordon'} ${operation.node}`;
    case 'delete-pod':
      return `delete pod -l ${operation.labelSelector} [${operation.index}] -n ${operation.namespace}`;
  }
}

function* run(client: Client, process: Process, operation: UserOperation): Task<UserAnswer> {
  switch (operation.kind) {
    case 'apply':
      return yield* apply(client, operation.resource, operation.object);
    case 'delete': {
      const options = operation.gracePeriodSeconds === undefined ? {} : { options: { gracePeriodSeconds: operation.gracePeriodSeconds } };
      return answerOf(yield* client.resource(operation.resource).delete(operation.namespace, operation.name, options), 'deleted');
    }
    case 'scale': {
      const patch = { spec: { replicas: operation.replicas } };
      return answerOf(
        yield* client.resource(DEPLOYMENTS).patch(operation.namespace, operation.name, 'merge', patch, { subresource: 'scale' }),
        'scaled',
      );
    }
    case 'set-image': {
      const patch = { spec: { template: { spec: { containers: [{ name: operation.container, image: operation.image }] } } } };
      return answerOf(yield* client.resource(DEPLOYMENTS).patch(operation.namespace, operation.name, 'strategic', patch), 'image updated');
    }
    case 'rollout-undo':
      return yield* undo(client, operation.namespace, operation.name);
    case 'rollout-restart': {
      const patch = { spec: { template: { metadata: { annotations: { [RESTARTED_AT]: String(process.wall()) } } } } };
      return answerOf(yield* client.resource(DEPLOYMENTS).patch(operation.namespace, operation.name, 'strategic', patch), 'restarted');
    }
    case 'cordon': {
      const patch = { spec: { unschedulable: operation.unschedulable ? true : null } };
      const nodes = client.resource({ group: '', version: 'v1', resource: 'nodes', kind: 'Node', namespaced: false });
      return answerOf(
        yield* nodes.patch('', operation.node, 'strategic', patch as unknown as Json),
        operation.unschedulable ? 'cordoned' : 'uncordoned',
      );
    }
    case 'delete-pod':
      return yield* deletePod(client, operation);
  }
}

function answerOf(result: ApiResult<ApiObject>, detail: string): UserAnswer {
  return result.ok ? { ok: true, detail } : { ok: false, sent: result.sent && result.code === 0, detail: result.message };
}

/** Client-side apply: create, or a strategic merge patch against what was applied last. */
function* apply(client: Client, resource: Resource, object: UntypedObject): Task<UserAnswer> {
  const { namespace = '', name = '' } = object.metadata;
  const target = client.resource(resource);
  const current = yield* target.get(namespace, name);
  const annotated = withLastApplied(object);
  if (!current.ok) {
    if (!isNotFound(current)) return answerOf(current, '');
    const created = yield* target.create(annotated as unknown as ApiObject);
    if (created.ok || !isAlreadyExists(created)) return answerOf(created, 'created');
    return yield* apply(client, resource, object);
  }
  const before = lastApplied(current.object);
  const patch = threeWay(before, annotated) as Json;
  const patched = yield* target.patch(namespace, name, 'strategic', patch);
  if (patched.ok || patched.code !== 415) return answerOf(patched, 'configured');
  return answerOf(yield* target.patch(namespace, name, 'merge', patch), 'configured');
}

function withLastApplied(object: UntypedObject): UntypedObject {
  const { metadata } = object;
  const text = JSON.stringify(object);
  return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, [LAST_APPLIED]: text } } };
}

function lastApplied(object: ApiObject): unknown {
  const text = object.metadata.annotations?.[LAST_APPLIED];
  return text === undefined ? undefined : JSON.parse(text);
}

/** The new content, with null for what was applied before and is gone now. Lists are left to the server's merge keys. */
function threeWay(before: unknown, next: unknown): unknown {
  if (!isMap(next)) return next;
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(next))
    out[key] = isMap(next[key]) ? threeWay(isMap(before) ? before[key] : undefined, next[key]) : next[key];
  if (isMap(before)) for (const key of Object.keys(before)) if (!(key in next)) out[key] = null;
  return out;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Back to the template of the revision before the current one: kubectl rollout undo. */
function* undo(client: Client, namespace: string, name: string): Task<UserAnswer> {
  const got = yield* client.resource(DEPLOYMENTS).get(namespace, name);
  if (!got.ok) return answerOf(got, '');
  const deployment: Deployment = got.object;
  const sets = yield* client.resource(REPLICA_SETS).list(namespace);
  if (!sets.ok) return { ok: false, sent: false, detail: sets.message };
  const owned = sets.object.items
    .filter(
      (set) => set.metadata.ownerReferences?.some((owner) => owner.controller === true && owner.uid === deployment.metadata.uid) === true,
    )
    .sort((a, b) => revisionOf(b) - revisionOf(a));
  const previous = owned[1];
  if (previous === undefined) return { ok: false, sent: false, detail: `no rollout history found for deployment "${name}"` };
  const template = previous.spec?.template ?? {};
  const { 'pod-template-hash': _hash, ...labels } = template.metadata?.labels ?? {};
  const replaced = { ...template, metadata: { ...template.metadata, labels } };
  const patch = [{ op: 'replace', path: '/spec/template', value: replaced }] as unknown as Json;
  return answerOf(yield* client.resource(DEPLOYMENTS).patch(namespace, name, 'json', patch), 'rolled back');
}

function revisionOf(set: ReplicaSet): number {
  return Number(set.metadata.annotations?.[REVISION] ?? '0') || 0;
}

function* deletePod(client: Client, operation: Extract<UserOperation, { kind: 'delete-pod' }>): Task<UserAnswer> {
  const pods = client.resource(PODS);
  const listed = yield* pods.list(operation.namespace, { options: { labelSelector: operation.labelSelector } });
  if (!listed.ok) return { ok: false, sent: false, detail: listed.message };
  const names = listed.object.items.map((pod) => pod.metadata.name ?? '').sort();
  const name = names[operation.index % Math.max(1, names.length)];
  if (name === undefined) return { ok: false, sent: false, detail: 'no pods found' };
  const options = operation.gracePeriodSeconds === undefined ? {} : { options: { gracePeriodSeconds: operation.gracePeriodSeconds } };
  return answerOf(yield* pods.delete(operation.namespace, name, options), `deleted ${name}`);
}
