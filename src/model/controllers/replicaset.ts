import { labelsMatch, selectorOf } from '../api/label-selector.ts';
import type { ApiObject } from '../api/object.ts';
import type { Pod, ReplicaSet, ReplicaSetStatus, ReplicationController } from '../api/types.ts';
import { slowStartBatch } from '../client/batch.ts';
import { UidTrackingExpectations } from '../client/expectations.ts';
import type { Informer } from '../client/informer.ts';
import { objectKey } from '../client/reflector.ts';
import { PODS, REPLICATION_CONTROLLERS, REPLICA_SETS, type Resource } from '../client/resources.ts';
import { type ApiFailure, isNamespaceTerminating, isNotFound } from '../client/result.ts';
import { type ReconcileError, WorkQueue, runWorkers } from '../client/work-queue.ts';
import { all } from '../../sim/sync.ts';
import type { Task } from '../../sim/task.ts';
import { SECOND } from '../../sim/time.ts';
import { claim } from './claim.ts';
import type { ControllerContext } from './context.ts';
import { controllerOf, newControllerRef, sameController } from './owner-reference.ts';
import { indexPodsByController, podsByController, podsOfController } from './pod-index.ts';
import { PodControl, podFromTemplate } from './pod-control.ts';
import { compareForDeletion } from './pod-ranking.ts';
import { isPodActive, isPodReady, isPodTerminating, podAvailableAt } from './pod-state.ts';
import { replicaSetStatus, sameReplicaSetStatus } from './replicaset-status.ts';
import { semanticEqual } from './semantic-equal.ts';

/** Most pods that one sync creates or deletes: upstream BurstReplicas. */
const burstReplicas = 500;

const byController = 'controller';

/** CPU of looking at one pod in a sync. */
const podCostUs = 1;

/** ReplicationControllers are run by the same code, seen as ReplicaSets: upstream pkg/controller/replication/conversion.go. */
interface SetKind<T extends ApiObject> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly resource: Resource<T>;
  readonly component: string;
  readonly asSet: (object: T) => ReplicaSet;
  /** The status in the fields that the kind has. */
  readonly statusOf: (status: ReplicaSetStatus) => object;
}

const replicaSetKind: SetKind<ReplicaSet> = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  resource: REPLICA_SETS,
  component: 'replicaset-controller',
  asSet: (set) => set,
  statusOf: (status) => status,
};

const views = new WeakMap<ReplicationController, ReplicaSet>();

const replicationControllerKind: SetKind<ReplicationController> = {
  apiVersion: 'v1',
  kind: 'ReplicationController',
  resource: REPLICATION_CONTROLLERS,
  component: 'replication-controller',
  asSet: (controller) => {
    let view = views.get(controller);
    if (view === undefined) {
      view = { ...controller, spec: { ...controller.spec, selector: { matchLabels: controller.spec?.selector ?? {} } } } as ReplicaSet;
      views.set(controller, view);
    }
    return view;
  },
  statusOf: ({ terminatingReplicas: _, ...status }) => status,
};

/** Keeps as many pods as asked for: pkg/controller/replicaset/replica_set.go. */
export function startReplicaSetController(context: ControllerContext): void {
  new ReplicaSetController(context, replicaSetKind).start();
}

/** The older kind: pkg/controller/replication. */
export function startReplicationController(context: ControllerContext): void {
  new ReplicaSetController(context, replicationControllerKind).start();
}

class ReplicaSetController<T extends ApiObject> {
  readonly #kind: SetKind<T>;
  readonly #context: ControllerContext;
  readonly #sets: Informer<T>;
  readonly #pods: Informer<Pod>;
  readonly #queue: WorkQueue;
  readonly #expectations: UidTrackingExpectations;
  readonly #podControl: PodControl;

  constructor(context: ControllerContext, kind: SetKind<T>) {
    this.#context = context;
    this.#kind = kind;
    this.#sets = context.informer(kind.resource);
    this.#pods = context.informer(PODS);
    this.#queue = new WorkQueue(context.process);
    this.#expectations = new UidTrackingExpectations(context.process);
    this.#podControl = new PodControl(context.client, context.recorder(kind.component));
  }

  start(): void {
    const { process, config } = this.#context;
    indexPodsByController(this.#pods);
    this.#sets.addIndex(byController, (set) => {
      const owner = controllerOf(set);
      return owner === undefined ? [] : [owner.uid];
    });
    this.#sets.addHandler({
      onAdd: (set) => this.#queue.add(objectKey(set)),
      onUpdate: (previous, next) => {
        if (previous.metadata.uid !== next.metadata.uid) this.#expectations.delete(objectKey(previous));
        this.#queue.add(objectKey(next));
      },
      onDelete: (set) => {
        this.#expectations.delete(objectKey(set));
        this.#queue.add(objectKey(set));
      },
    });
    this.#pods.addHandler({
      onAdd: (pod) => this.#podAdded(pod),
      onUpdate: (previous, next) => this.#podUpdated(previous, next),
      onDelete: (pod) => this.#podDeleted(pod),
    });
    this.#context.whenSynced([this.#sets, this.#pods], () => {
      runWorkers(process, this.#kind.resource.resource, this.#queue, config.concurrentReplicaSetSyncs, (key) => this.#sync(key));
    });
  }

  /** The set that a reference names, if it is still that very set. */
  #owner(pod: Pod): ReplicaSet | undefined {
    const reference = controllerOf(pod);
    if (reference === undefined || reference.kind !== this.#kind.kind) return undefined;
    const set = this.#sets.get(`${pod.metadata.namespace}/${reference.name}`);
    return set?.metadata.uid === reference.uid ? this.#kind.asSet(set) : undefined;
  }

  #enqueueMatching(pod: Pod): void {
    for (const object of this.#sets.list()) {
      if (object.metadata.namespace !== pod.metadata.namespace) continue;
      const set = this.#kind.asSet(object);
      const selector = selectorOf(set.spec.selector);
      if (selector.length > 0 && labelsMatch(selector, pod.metadata.labels)) this.#queue.add(objectKey(set));
    }
  }

  #podAdded(pod: Pod): void {
    if (pod.metadata.deletionTimestamp !== undefined) {
      this.#podDeleted(pod);
      return;
    }
    if (controllerOf(pod) === undefined) {
      this.#enqueueMatching(pod);
      return;
    }
    const set = this.#owner(pod);
    if (set === undefined) return;
    this.#expectations.creationObserved(objectKey(set));
    this.#queue.add(objectKey(set));
  }

  #podUpdated(previous: Pod, next: Pod): void {
    if (previous.metadata.resourceVersion === next.metadata.resourceVersion) return;
    const labelsChanged = !semanticEqual(previous.metadata.labels, next.metadata.labels);
    if (next.metadata.deletionTimestamp !== undefined) {
      this.#podDeleted(next);
      if (labelsChanged) this.#podDeleted(previous);
      return;
    }
    const ownerChanged = !sameController(controllerOf(previous), controllerOf(next));
    if (ownerChanged) {
      const old = this.#owner(previous);
      if (old !== undefined) this.#queue.add(objectKey(old));
    }
    if (controllerOf(next) === undefined) {
      if (labelsChanged || ownerChanged) this.#enqueueMatching(next);
      return;
    }
    const set = this.#owner(next);
    if (set === undefined) return;
    this.#queue.add(objectKey(set));
    const minReadySeconds = set.spec.minReadySeconds ?? 0;
    // A second more, because the clock that stamped the condition is not ours.
    if (minReadySeconds > 0 && !isPodReady(previous) && isPodReady(next))
      this.#queue.addAfter(objectKey(set), (minReadySeconds + 1) * SECOND);
  }

  #podDeleted(pod: Pod): void {
    const set = this.#owner(pod);
    if (set === undefined) return;
    this.#expectations.deletionOf(objectKey(set), objectKey(pod));
    this.#queue.add(objectKey(set));
  }

  *#sync(key: string): Task<ReconcileError> {
    const { process, client, config } = this.#context;
    process.charge(config.reconcileCostUs);
    const object = this.#sets.get(key);
    if (object === undefined) {
      this.#expectations.delete(key);
      return undefined;
    }
    const set = this.#kind.asSet(object);
    // The larger the set, the longer a sync takes, and the more changes the next one finds together.
    process.charge((set.status?.replicas ?? 0) * podCostUs);
    const needsSync = this.#expectations.satisfied(key);
    const pods = podsOfController(this.#pods, set);
    const terminating = pods.filter((pod) => isPodTerminating(pod) && controllerOf(pod)?.uid === set.metadata.uid).length;
    const claimed = yield* claim(pods.filter(isPodActive), client.resource(PODS), {
      controller: object,
      apiVersion: this.#kind.apiVersion,
      kind: this.#kind.kind,
      selector: selectorOf(set.spec.selector),
      fresh: client.resource(this.#kind.resource),
    });
    if (!claimed.ok) return claimed;
    const active = claimed.objects;
    let error: ApiFailure | undefined;
    if (needsSync && set.metadata.deletionTimestamp === undefined) error = yield* this.#manageReplicas(key, set, active);
    const updated = yield* this.#updateStatus(object, set, active, terminating, error);
    if ('ok' in updated) return updated;
    if (error !== undefined) return error;
    this.#awaitAvailability(key, updated, active);
    return undefined;
  }

  /** A ready pod becomes available by the passing of time alone, so no event would tell. */
  #awaitAvailability(key: string, set: ReplicaSet, active: readonly Pod[]): void {
    const minReadySeconds = set.spec.minReadySeconds ?? 0;
    if (minReadySeconds === 0) return;
    const now = this.#context.process.wall();
    let next: number | undefined;
    for (const pod of active) {
      const at = podAvailableAt(pod, minReadySeconds, now);
      if (at !== undefined && (next === undefined || at < next)) next = at;
    }
    if (next !== undefined) this.#queue.addAfter(key, next - now);
  }

  *#manageReplicas(key: string, set: ReplicaSet, active: readonly Pod[]): Task<ApiFailure | undefined> {
    const difference = active.length - (set.spec.replicas ?? 1);
    if (difference < 0) return yield* this.#createPods(key, set, Math.min(-difference, burstReplicas));
    if (difference > 0) return yield* this.#deletePods(key, set, active, Math.min(difference, burstReplicas));
    return undefined;
  }

  *#createPods(key: string, set: ReplicaSet, count: number): Task<ApiFailure | undefined> {
    this.#expectations.expectCreations(key, count);
    const template = set.spec.template;
    if (template === undefined) return undefined;
    const pod = podFromTemplate(template, set, newControllerRef(set, this.#kind.apiVersion, this.#kind.kind));
    const podControl = this.#podControl;
    const batch = yield* slowStartBatch(this.#context.process, count, 1, function* () {
      const created = yield* podControl.create(pod, set);
      return created.ok || isNamespaceTerminating(created) ? undefined : created;
    });
    // What was not tried is not to be waited for.
    for (let i = batch.successes; i < count; i++) this.#expectations.creationObserved(key);
    return batch.error;
  }

  *#deletePods(key: string, set: ReplicaSet, active: readonly Pod[], count: number): Task<ApiFailure | undefined> {
    const victims = this.#podsToDelete(set, active, count);
    this.#expectations.expectDeletionsOf(key, victims.map(objectKey));
    const expectations = this.#expectations;
    const podControl = this.#podControl;
    const failures = yield* all(
      this.#context.process,
      victims.map(function* (pod): Task<ApiFailure | undefined> {
        const failed = yield* podControl.delete(pod.metadata.namespace ?? '', pod.metadata.name ?? '', set);
        if (failed === undefined) return undefined;
        expectations.deletionOf(key, objectKey(pod));
        return isNotFound(failed) ? undefined : failed;
      }),
    );
    return failures.find((failure) => failure !== undefined);
  }

  #podsToDelete(set: ReplicaSet, active: readonly Pod[], count: number): readonly Pod[] {
    if (count >= active.length) return active;
    const onNode = new Map<string, number>();
    for (const pod of this.#relatedPods(set)) {
      if (!isPodActive(pod)) continue;
      const node = pod.spec.nodeName ?? '';
      onNode.set(node, (onNode.get(node) ?? 0) + 1);
    }
    const rank = (pod: Pod): number => onNode.get(pod.spec.nodeName ?? '') ?? 0;
    const now = this.#context.process.wall();
    return [...active].sort((a, b) => compareForDeletion(a, b, rank, now)).slice(0, count);
  }

  /** Pods of all sets of the same Deployment: where they crowd a node, the set shrinks first. Upstream getIndirectlyRelatedPods. */
  #relatedPods(set: ReplicaSet): readonly Pod[] {
    const owner = controllerOf(set);
    // A set on its own has no relatives, and its own pods do not count either (upstream getReplicaSetsWithSameController).
    if (owner === undefined) return [];
    return this.#sets.byIndex(byController, owner.uid).flatMap((other) => podsByController(this.#pods, other.metadata.uid ?? ''));
  }

  *#updateStatus(
    object: T,
    set: ReplicaSet,
    active: readonly Pod[],
    terminating: number,
    error: ApiFailure | undefined,
  ): Task<ReplicaSet | ApiFailure> {
    const { client, process } = this.#context;
    const status = replicaSetStatus(set, active, terminating, error?.message, process.wall());
    const terminatingKnown = set.status?.terminatingReplicas ?? status.terminatingReplicas;
    const comparable =
      this.#kind.kind === 'ReplicaSet' ? set : ({ ...set, status: { ...set.status, terminatingReplicas: terminatingKnown } } as ReplicaSet);
    if (sameReplicaSetStatus(comparable, status)) return set;
    const { asSet, resource, statusOf } = this.#kind;
    const sets = client.resource(resource);
    const first = yield* sets.updateStatus({ ...object, status: statusOf(status) });
    if (first.ok) return asSet(first.object);
    const fresh = yield* sets.get(set.metadata.namespace ?? '', set.metadata.name ?? '');
    if (!fresh.ok) return isNotFound(fresh) ? set : fresh;
    const second = yield* sets.updateStatus({ ...fresh.object, status: statusOf(status) });
    return second.ok ? asSet(second.object) : second;
  }
}
