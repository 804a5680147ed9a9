import { labelsMatch, selectorOf } from '../api/label-selector.ts';
import type { ControllerRevision, Pod, StatefulSet, StatefulSetStatus } from '../api/types.ts';
import type { EventRecorder } from '../client/events.ts';
import type { Informer } from '../client/informer.ts';
import { objectKey } from '../client/reflector.ts';
import { CONTROLLER_REVISIONS, PERSISTENT_VOLUME_CLAIMS, PODS, STATEFUL_SETS } from '../client/resources.ts';
import { type ApiFailure, isConflict } from '../client/result.ts';
import { type ReconcileError, WorkQueue, runWorkers } from '../client/work-queue.ts';
import type { Task } from '../../sim/task.ts';
import { SECOND } from '../../sim/time.ts';
import { claim } from './claim.ts';
import type { ControllerContext } from './context.ts';
import {
  type HistoryOwner,
  byRevision,
  claimRevisions,
  createRevision,
  draftRevision,
  indexRevisions,
  renumberRevision,
  revisionHash,
  sameRevision,
  templatePatch,
  truncateHistory,
} from './controller-history.ts';
import { controllerOf, sameController } from './owner-reference.ts';
import { indexPodsByController, podsOfController } from './pod-index.ts';
import { isPodReady, podAvailableAt } from './pod-state.ts';
import { semanticEqual } from './semantic-equal.ts';
import { StatefulSetClaims } from './statefulset-claims.ts';
import { ordinalOf, podRevision } from './statefulset-pod.ts';
import { StatefulSetPass } from './statefulset-update.ts';

const hashLabel = 'controller.kubernetes.io/hash';

/** Pods with names, storage and an order of their own: pkg/controller/statefulset/stateful_set.go. */
export function startStatefulSetController(context: ControllerContext): void {
  new StatefulSetController(context).start();
}

class StatefulSetController {
  readonly #context: ControllerContext;
  readonly #recorder: EventRecorder;
  readonly #sets: Informer<StatefulSet>;
  readonly #pods: Informer<Pod>;
  readonly #revisions: Informer<ControllerRevision>;
  readonly #queue: WorkQueue;
  readonly #pass: StatefulSetPass;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#recorder = context.recorder('statefulset-controller');
    this.#sets = context.informer(STATEFUL_SETS);
    this.#pods = context.informer(PODS);
    this.#revisions = context.informer(CONTROLLER_REVISIONS);
    this.#queue = new WorkQueue(context.process);
    const claims = new StatefulSetClaims(context.client, this.#recorder, context.informer(PERSISTENT_VOLUME_CLAIMS));
    this.#pass = new StatefulSetPass(
      context.client,
      this.#recorder,
      claims,
      context.config.featureGates['MaxUnavailableStatefulSet'] === true,
    );
  }

  start(): void {
    const { process, config } = this.#context;
    indexPodsByController(this.#pods);
    indexRevisions(this.#revisions);
    const enqueue = (set: StatefulSet): void => this.#queue.add(objectKey(set));
    this.#sets.addHandler({ onAdd: enqueue, onUpdate: (_, next) => enqueue(next), onDelete: enqueue });
    this.#pods.addHandler({
      onAdd: (pod) => this.#podChanged(pod),
      onUpdate: (previous, next) => this.#podUpdated(previous, next),
      onDelete: (pod) => this.#enqueueOwner(pod),
    });
    this.#context.whenSynced([this.#sets, this.#pods, this.#revisions, this.#context.informer(PERSISTENT_VOLUME_CLAIMS)], () => {
      runWorkers(process, 'statefulset', this.#queue, config.concurrentStatefulSetSyncs, (key) => this.#sync(key));
    });
  }

  #owner(pod: Pod): StatefulSet | undefined {
    const reference = controllerOf(pod);
    if (reference === undefined || reference.kind !== 'StatefulSet') return undefined;
    const set = this.#sets.get(`${pod.metadata.namespace}/${reference.name}`);
    return set?.metadata.uid === reference.uid ? set : undefined;
  }

  #enqueueOwner(pod: Pod): void {
    const set = this.#owner(pod);
    if (set !== undefined) this.#queue.add(objectKey(set));
  }

  #podChanged(pod: Pod): void {
    if (controllerOf(pod) !== undefined) {
      this.#enqueueOwner(pod);
      return;
    }
    if (pod.metadata.deletionTimestamp !== undefined) return;
    for (const set of this.#sets.list()) {
      if (set.metadata.namespace === pod.metadata.namespace && labelsMatch(selectorOf(set.spec.selector), pod.metadata.labels))
        this.#queue.add(objectKey(set));
    }
  }

  #podUpdated(previous: Pod, next: Pod): void {
    if (previous.metadata.resourceVersion === next.metadata.resourceVersion) return;
    const ownerChanged = !sameController(controllerOf(previous), controllerOf(next));
    if (ownerChanged) this.#enqueueOwner(previous);
    if (controllerOf(next) === undefined) {
      if (ownerChanged || !semanticEqual(previous.metadata.labels, next.metadata.labels)) this.#podChanged(next);
      return;
    }
    const set = this.#owner(next);
    if (set === undefined) return;
    this.#queue.add(objectKey(set));
    const minReadySeconds = set.spec.minReadySeconds ?? 0;
    if (minReadySeconds > 0 && !isPodReady(previous) && isPodReady(next))
      this.#queue.addAfter(objectKey(set), (minReadySeconds + 1) * SECOND);
  }

  #history(set: StatefulSet): HistoryOwner<StatefulSet> {
    return { owner: set, apiVersion: 'apps/v1', kind: 'StatefulSet', resource: STATEFUL_SETS, selector: set.spec.selector };
  }

  *#sync(key: string): Task<ReconcileError> {
    const { process, client, config } = this.#context;
    process.charge(config.reconcileCostUs);
    const set = this.#sets.get(key);
    if (set === undefined) return undefined;
    const selector = selectorOf(set.spec.selector);
    const history = yield* claimRevisions(client, this.#revisions, this.#history(set));
    if (!history.ok) return history;
    const pods = yield* claim(
      podsOfController(this.#pods, set),
      client.resource(PODS),
      { controller: set, apiVersion: 'apps/v1', kind: 'StatefulSet', selector, fresh: client.resource(STATEFUL_SETS) },
      (pod) => ordinalOf(set, pod) >= 0,
    );
    if (!pods.ok) return pods;
    const revisions = yield* this.#revisionsOf(set, history.objects);
    if ('ok' in revisions) return revisions;
    const result = yield* this.#pass.run(set, revisions, pods.objects);
    const failure = yield* this.#writeStatus(set, completed(set, result.status));
    if (result.error !== undefined) return result.error;
    if (failure !== undefined) return failure;
    const live = new Set([revisions.current.metadata.name, revisions.update.metadata.name, ...pods.objects.map(podRevision)]);
    const truncated = yield* truncateHistory(
      client,
      history.objects,
      (revision) => live.has(revision.metadata.name),
      set.spec.revisionHistoryLimit ?? 10,
    );
    if (truncated !== undefined) return truncated;
    const now = process.wall();
    // A ready pod becomes available by the passing of time alone.
    for (const pod of pods.objects) {
      const at = podAvailableAt(pod, set.spec.minReadySeconds ?? 0, now);
      if (at !== undefined) this.#queue.addAfter(key, at - now);
    }
    return undefined;
  }

  /** Upstream getStatefulSetRevisions. */
  *#revisionsOf(
    set: StatefulSet,
    history: readonly ControllerRevision[],
  ): Task<{ readonly current: ControllerRevision; readonly update: ControllerRevision; readonly collisionCount: number } | ApiFailure> {
    const { client } = this.#context;
    const sorted = [...history].sort(byRevision);
    const number = (sorted.at(-1)?.revision ?? 0) + 1;
    let collisionCount = set.status?.collisionCount ?? 0;
    const data = templatePatch(set.spec.template);
    const draft = (): ControllerRevision => {
      const hash = revisionHash(data, collisionCount);
      return draftRevision(
        this.#history(set),
        data,
        hash,
        number,
        { ...set.spec.template.metadata?.labels, [hashLabel]: hash },
        set.metadata.annotations,
      );
    };
    const equal = sorted.filter((revision) => sameRevision(revision, draft()));
    let update: ControllerRevision | ApiFailure | 'collision' = draft();
    const last = equal.at(-1);
    if (last !== undefined && last === sorted.at(-1)) update = last;
    else if (last !== undefined) {
      const renumbered = yield* renumberRevision(client, last, number);
      if (!renumbered.ok) return renumbered;
      update = renumbered.object;
    } else {
      update = yield* createRevision(client, update);
      while (update === 'collision') {
        collisionCount++;
        update = yield* createRevision(client, draft());
      }
      if ('ok' in update) return update;
    }
    const current = sorted.find((revision) => revision.metadata.name === set.status?.currentRevision) ?? update;
    return { current, update, collisionCount };
  }

  *#writeStatus(set: StatefulSet, status: StatefulSetStatus): Task<ApiFailure | undefined> {
    if (!isNews(set.status, status)) return undefined;
    const sets = this.#context.client.resource(STATEFUL_SETS);
    let written = yield* sets.updateStatus({ ...set, status });
    for (let tries = 1; tries < 5 && !written.ok && isConflict(written); tries++) {
      const fresh = yield* sets.get(set.metadata.namespace ?? '', set.metadata.name ?? '');
      if (!fresh.ok) return fresh;
      written = yield* sets.updateStatus({ ...fresh.object, status });
    }
    return written.ok ? undefined : written;
  }
}

/** When all pods are of the new revision, it becomes the current one. Upstream completeRollingUpdate. */
function completed(set: StatefulSet, status: StatefulSetStatus): StatefulSetStatus {
  const rolling = set.spec.updateStrategy?.type === 'RollingUpdate';
  const all =
    status.updatedReplicas === status.replicas && status.readyReplicas === status.replicas && status.replicas === (set.spec.replicas ?? 1);
  const whole =
    rolling && all ? { ...status, currentReplicas: status.updatedReplicas ?? 0, currentRevision: status.updateRevision ?? '' } : status;
  const { readyReplicas = 0, currentReplicas = 0, updatedReplicas = 0, ...rest } = whole;
  // Zeros are left out on the wire, but for the fields without omitempty.
  return {
    ...rest,
    ...(readyReplicas !== 0 ? { readyReplicas } : {}),
    ...(currentReplicas !== 0 ? { currentReplicas } : {}),
    ...(updatedReplicas !== 0 ? { updatedReplicas } : {}),
  };
}

/** Upstream inconsistentStatus. */
function isNews(old: StatefulSetStatus | undefined, next: StatefulSetStatus): boolean {
  return (
    (next.observedGeneration ?? 0) > (old?.observedGeneration ?? 0) ||
    next.replicas !== (old?.replicas ?? 0) ||
    (next.currentReplicas ?? 0) !== (old?.currentReplicas ?? 0) ||
    (next.readyReplicas ?? 0) !== (old?.readyReplicas ?? 0) ||
    (next.updatedReplicas ?? 0) !== (old?.updatedReplicas ?? 0) ||
    (next.availableReplicas ?? 0) !== (old?.availableReplicas ?? 0) ||
    next.currentRevision !== old?.currentRevision ||
    next.updateRevision !== old?.updateRevision
  );
}
