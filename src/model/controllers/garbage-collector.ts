import type { ApiObject, OwnerReference } from '../api/object.ts';
import { retryOnConflict } from '../client/batch.ts';
import type { EventRecorder } from '../client/events.ts';
import type { Informer } from '../client/informer.ts';
import type { Resource } from '../client/resources.ts';
import { type ApiFailure, type ApiResult, isNotFound } from '../client/result.ts';
import type { ResourceClient } from '../client/typed-client.ts';
import { type ReconcileError, runWorkers, WorkQueue } from '../client/work-queue.ts';
import { all } from '../../sim/sync.ts';
import type { Task } from '../../sim/task.ts';
import type { ControllerContext, ControllerRow } from './context.ts';
import { COLLECTED_RESOURCES, resourceOfKind } from './deletable-resources.ts';
import {
  absentKey,
  blockingDependents,
  FINALIZER_FOREGROUND,
  FINALIZER_ORPHAN,
  type GraphNode,
  hasFinalizer,
  identityOf,
  type ObjectIdentity,
  OwnerGraph,
  sortedNodes,
} from './gc-graph.ts';

/** Deletes what its owners left behind: pkg/controller/garbagecollector. */
export const garbageCollectorController: ControllerRow = {
  name: 'garbage-collector-controller',
  start: (context) => new GarbageCollector(context).start(),
};

class GarbageCollector {
  readonly #context: ControllerContext;
  readonly #recorder: EventRecorder;
  readonly #deleteQueue: WorkQueue;
  readonly #orphanQueue: WorkQueue;
  readonly #graph: OwnerGraph;
  #ready = false;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#recorder = context.recorder('garbage-collector-controller');
    this.#deleteQueue = new WorkQueue(context.process);
    this.#orphanQueue = new WorkQueue(context.process);
    this.#graph = new OwnerGraph(
      {
        attemptToDelete: (node) => this.#deleteQueue.add(node.identity.uid),
        attemptToOrphan: (node) => this.#orphanQueue.add(node.identity.uid),
        invalidOwnerNamespace: (object, reference) => this.#invalidOwnerNamespace(object, reference),
      },
      (apiVersion, kind) => resourceOfKind(apiVersion, kind)?.namespaced ?? true,
    );
  }

  start(): void {
    const { process, config } = this.#context;
    const informers: Informer<ApiObject>[] = COLLECTED_RESOURCES.map((resource) => {
      const informer = this.#context.informer(resource);
      informer.addHandler({
        onAdd: (object) => this.#graph.observed(identityOf(object, resource), object, undefined),
        onUpdate: (previous, object) => {
          // Most updates change neither owners nor finalizers nor deletion: nothing to do for the graph.
          const a = previous.metadata;
          const b = object.metadata;
          if (a.uid !== b.uid) {
            this.#graph.deleted(identityOf(previous, resource), false);
            this.#graph.observed(identityOf(object, resource), object, undefined);
          } else if (
            a.ownerReferences !== b.ownerReferences ||
            a.deletionTimestamp !== b.deletionTimestamp ||
            a.finalizers !== b.finalizers
          )
            this.#graph.observed(identityOf(object, resource), object, previous);
        },
        onDelete: (object) => this.#graph.deleted(identityOf(object, resource), false),
      });
      return informer;
    });
    this.#context.whenSynced(informers, () => {
      this.#ready = true;
      runWorkers(process, 'gc-delete', this.#deleteQueue, config.concurrentGcSyncs, (uid) => this.#attemptToDelete(uid));
      runWorkers(process, 'gc-orphan', this.#orphanQueue, config.concurrentGcSyncs, (uid) => this.#attemptToOrphan(uid));
    });
  }

  *#attemptToDelete(uid: string): Task<ReconcileError> {
    const node = this.#graph.node(uid);
    if (node === undefined || !this.#ready) return undefined;
    const error = yield* this.#attemptToDeleteItem(node);
    if (error !== undefined) return error;
    // A virtual node whose object was found, but not by an informer yet, is asked for again until one sees it.
    if (node.virtual && this.#graph.node(uid) === node)
      return { message: `item ${node.identity.name} has not been observed via informer yet` };
    return undefined;
  }

  /** Upstream attemptToDeleteItem. */
  *#attemptToDeleteItem(node: GraphNode): Task<ReconcileError> {
    if (node.beingDeleted && !node.deletingDependents) return undefined;
    const client = this.#clientOf(node.identity);
    // Nobody serves that kind: upstream retries when discovery changes; here it never does.
    if (client === undefined) {
      this.#graph.deleted(node.identity, true);
      return undefined;
    }
    const read = yield* client.get(node.identity.namespace, node.identity.name);
    if (!read.ok && !isNotFound(read)) return read;
    if (!read.ok || read.object.metadata.uid !== node.identity.uid) {
      this.#graph.deleted(node.identity, true);
      return undefined;
    }
    const latest = read.object;
    if (node.deletingDependents) return yield* this.#processDeletingDependents(node, client);
    const references = latest.metadata.ownerReferences ?? [];
    if (references.length === 0) return undefined;
    const classes = yield* this.#classify(node, references);
    if (!('solid' in classes)) return classes;
    const { solid, dangling, waiting } = classes;
    if (solid.length > 0) {
      if (dangling.length === 0 && waiting.length === 0) return undefined;
      // The owners left keep it alive; the others' references go, so that foreground deletions are not held up.
      const patch = {
        metadata: {
          uid: node.identity.uid,
          ownerReferences: [...dangling, ...waiting].map((reference) => ({ $patch: 'delete', uid: reference.uid })),
        },
      };
      return goneIsFine(yield* client.patch(node.identity.namespace, node.identity.name, 'strategic', patch));
    }
    if (waiting.length > 0 && node.dependents.size > 0) {
      for (const dependent of sortedNodes(node.dependents)) {
        if (!dependent.deletingDependents) continue;
        // A circle: everybody waits for everybody, unless this one stops blocking.
        const owners = references
          .filter((reference) => reference.blockOwnerDeletion === true)
          .map((reference) => ({ uid: reference.uid, blockOwnerDeletion: false }));
        if (owners.length > 0) {
          const failure = goneIsFine(
            yield* client.patch(node.identity.namespace, node.identity.name, 'strategic', {
              metadata: { uid: node.identity.uid, ownerReferences: owners },
            }),
          );
          if (failure !== undefined) return failure;
        }
        break;
      }
      return yield* this.#delete(client, node.identity, latest, 'Foreground');
    }
    const policy = hasFinalizer(latest, FINALIZER_ORPHAN)
      ? 'Orphan'
      : hasFinalizer(latest, FINALIZER_FOREGROUND)
        ? 'Foreground'
        : 'Background';
    return yield* this.#delete(client, node.identity, latest, policy);
  }

  *#delete(
    client: ResourceClient<ApiObject>,
    identity: ObjectIdentity,
    latest: ApiObject,
    propagationPolicy: string,
  ): Task<ReconcileError> {
    // The version as a precondition: owners added since we looked must not be overlooked (kubernetes#114603).
    const preconditions = { uid: identity.uid, resourceVersion: latest.metadata.resourceVersion ?? '' };
    return goneIsFine(yield* client.delete(identity.namespace, identity.name, { options: { preconditions, propagationPolicy } }));
  }

  *#processDeletingDependents(node: GraphNode, client: ResourceClient<ApiObject>): Task<ReconcileError> {
    const blocking = blockingDependents(node);
    if (blocking.length === 0) return yield* this.#removeFinalizer(node.identity, client, FINALIZER_FOREGROUND);
    for (const dependent of blocking) if (!dependent.deletingDependents) this.#deleteQueue.add(dependent.identity.uid);
    return undefined;
  }

  *#classify(
    node: GraphNode,
    references: readonly OwnerReference[],
  ): Task<
    | ApiFailure
    | {
        readonly solid: readonly OwnerReference[];
        readonly dangling: readonly OwnerReference[];
        readonly waiting: readonly OwnerReference[];
      }
  > {
    const solid: OwnerReference[] = [];
    const dangling: OwnerReference[] = [];
    const waiting: OwnerReference[] = [];
    for (const reference of references) {
      const owner = yield* this.#liveOwner(node, reference);
      if (owner === 'absent') dangling.push(reference);
      else if ('ok' in owner) return owner;
      else if (owner.metadata.deletionTimestamp !== undefined && hasFinalizer(owner, FINALIZER_FOREGROUND)) waiting.push(reference);
      else solid.push(reference);
    }
    return { solid, dangling, waiting };
  }

  /** The owner as the API server has it now: an absence is never taken from the cache alone. */
  *#liveOwner(node: GraphNode, reference: OwnerReference): Task<ApiFailure | ApiObject | 'absent'> {
    const resource = resourceOfKind(reference.apiVersion, reference.kind);
    const namespace = resource?.namespaced === false ? '' : node.identity.namespace;
    const key = absentKey(reference, namespace);
    if (this.#graph.absentOwners.has(key)) return 'absent';
    if (resource === undefined)
      return {
        ok: false,
        reason: 'NoMatch',
        code: 0,
        message: `no matches for kind "${reference.kind}" in version "${reference.apiVersion}"`,
        sent: false,
      };
    // A cluster-wide dependent cannot have a namespaced owner.
    if (resource.namespaced && namespace === '')
      return {
        ok: false,
        reason: 'InvalidOwner',
        code: 0,
        message: 'cluster-scoped objects cannot refer to namespaced owners',
        sent: false,
      };
    const read = yield* this.#context.client.resource(resource).get(namespace, reference.name);
    if (read.ok && read.object.metadata.uid === reference.uid) return read.object;
    if (!read.ok && !isNotFound(read)) return read;
    this.#graph.absentOwners.add(key);
    return 'absent';
  }

  /** Takes the owner off its dependents, then lets it go. Upstream attemptToOrphanWorker. */
  *#attemptToOrphan(uid: string): Task<ReconcileError> {
    const node = this.#graph.node(uid);
    if (node === undefined) return undefined;
    const client = this.#clientOf(node.identity);
    if (client === undefined) return undefined;
    const results = yield* all(
      this.#context.process,
      sortedNodes(node.dependents).map((dependent) => this.#orphan(dependent, uid)),
    );
    const failed = results.find((result) => result !== undefined);
    if (failed !== undefined) return failed;
    return yield* this.#removeFinalizer(node.identity, client, FINALIZER_ORPHAN);
  }

  *#orphan(dependent: GraphNode, ownerUid: string): Task<ReconcileError> {
    const client = this.#clientOf(dependent.identity);
    if (client === undefined) return undefined;
    const patch = { metadata: { uid: dependent.identity.uid, ownerReferences: [{ $patch: 'delete', uid: ownerUid }] } };
    return goneIsFine(yield* client.patch(dependent.identity.namespace, dependent.identity.name, 'strategic', patch));
  }

  *#removeFinalizer(identity: ObjectIdentity, client: ResourceClient<ApiObject>, finalizer: string): Task<ReconcileError> {
    const result: ApiResult<ApiObject> = yield* retryOnConflict(this.#context.process, function* (): Task<ApiResult<ApiObject>> {
      const read: ApiResult<ApiObject> = yield* client.get(identity.namespace, identity.name);
      if (!read.ok) return read;
      const finalizers = read.object.metadata.finalizers ?? [];
      if (!finalizers.includes(finalizer)) return read;
      const patch = {
        metadata: {
          resourceVersion: read.object.metadata.resourceVersion ?? '',
          finalizers: finalizers.filter((other) => other !== finalizer),
        },
      };
      return yield* client.patch(identity.namespace, identity.name, 'merge', patch);
    });
    return goneIsFine(result);
  }

  #clientOf(identity: ObjectIdentity): ResourceClient<ApiObject> | undefined {
    const resource: Resource | undefined = resourceOfKind(identity.apiVersion, identity.kind);
    return resource === undefined ? undefined : this.#context.client.resource(resource);
  }

  #invalidOwnerNamespace(object: ApiObject, reference: OwnerReference): void {
    const { namespace = '' } = object.metadata;
    this.#recorder.event(
      object,
      'Warning',
      'OwnerRefInvalidNamespace',
      `ownerRef [${reference.apiVersion}/${reference.kind}, namespace: ${namespace}, name: ${reference.name}, uid: ${reference.uid}] does not exist in namespace ${JSON.stringify(namespace)}`,
    );
  }
}

function goneIsFine(result: ApiResult<ApiObject>): ReconcileError {
  return result.ok || isNotFound(result) ? undefined : result;
}
