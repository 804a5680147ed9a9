import { labelSelectorMatches } from '../api/label-selector.ts';
import type { Deployment, DeploymentStatus, Pod, ReplicaSet } from '../api/types.ts';
import type { EventRecorder } from '../client/events.ts';
import type { Informer } from '../client/informer.ts';
import { objectKey } from '../client/reflector.ts';
import { DEPLOYMENTS, REPLICA_SETS } from '../client/resources.ts';
import { type ApiFailure, type ApiResult, isAlreadyExists, isNamespaceTerminating, isNotFound } from '../client/result.ts';
import type { WorkQueue } from '../client/work-queue.ts';
import type { Task } from '../../sim/task.ts';
import type { ControllerContext } from './context.ts';
import {
  desiredReplicasOf,
  findNewSet,
  maxRevision,
  newSetAnnotations,
  revisionAnnotation,
  revisionOf,
  sameTemplate,
  withReplicas,
} from './deployment-revision.ts';
import {
  byCreation,
  desiredReplicas,
  isRolling,
  maxScaledDown,
  newSetReplicas,
  rollingBounds,
  rollingScaleDown,
  setReplicas,
  sumAvailable,
  unhealthyCleanup,
} from './deployment-rolling.ts';
import { activeOrLatest, activeSets, isSaturated, proportionalSizes } from './deployment-scale.ts';
import {
  deploymentCondition,
  deploymentStatus,
  isComplete,
  newCondition,
  progressDeadlineUs,
  rolloutStatus,
  stuckCheckDelayUs,
  withCondition,
} from './deployment-status.ts';
import { controllerOf, newControllerRef } from './owner-reference.ts';
import { podTemplateHash, podTemplateHashLabel } from './pod-template-hash.ts';
import { semanticEqual } from './semantic-equal.ts';

/** A call of a sync failed: the sync ends, and the deployment is tried again. */
export class SyncFailure extends Error {
  readonly failure: ApiFailure;
  constructor(failure: ApiFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

function must<T>(result: ApiResult<T>): T {
  if (!result.ok) throw new SyncFailure(result);
  return result.object;
}

/** One sync's view: the deployment as it last answered, its newest set and the others. */
interface Sets {
  readonly newSet: ReplicaSet | undefined;
  readonly oldSets: readonly ReplicaSet[];
}

interface Work {
  deployment: Deployment;
}

/**
 * The steps of one sync of a Deployment: pkg/controller/deployment/{sync,rolling,recreate,progress}.go. Failed calls throw SyncFailure.
 * Long because the steps call each other and write; what they decide is in deployment-{revision,rolling,scale,status}.ts.
 */
export class DeploymentRollout {
  readonly #context: ControllerContext;
  readonly #recorder: EventRecorder;
  readonly #sets: Informer<ReplicaSet>;
  readonly #queue: WorkQueue;

  constructor(context: ControllerContext, recorder: EventRecorder, sets: Informer<ReplicaSet>, queue: WorkQueue) {
    this.#context = context;
    this.#recorder = recorder;
    this.#sets = sets;
    this.#queue = queue;
  }

  *sync(deployment: Deployment, sets: readonly ReplicaSet[], podsOf: (set: ReplicaSet) => readonly Pod[]): Task<void> {
    const work: Work = { deployment };
    if (deployment.metadata.deletionTimestamp !== undefined) {
      yield* this.#syncStatusOnly(work, sets);
      return;
    }
    yield* this.#checkPaused(work);
    if (deployment.spec.paused === true || (yield* this.#isScaling(work, sets))) {
      yield* this.#syncScale(work, sets);
      return;
    }
    if (isRolling(deployment)) yield* this.#rolling(work, sets);
    else yield* this.#recreate(work, sets, podsOf);
  }

  /** A selector that selects every pod is a mistake. */
  *refuseSelectingAll(deployment: Deployment): Task<void> {
    this.#recorder.event(deployment, 'Warning', 'SelectingAll', 'This deployment is selecting all pods. A non-empty selector is required.');
    if ((deployment.status?.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)) return;
    const status = { ...deployment.status, observedGeneration: deployment.metadata.generation ?? 0 };
    must(yield* this.#context.client.resource(DEPLOYMENTS).updateStatus({ ...deployment, status }));
  }

  #now(): number {
    return this.#context.process.wall();
  }

  *#writeStatus(work: Work, status: DeploymentStatus, annotations = work.deployment.metadata.annotations): Task<void> {
    const { deployment } = work;
    const metadata = annotations === undefined ? deployment.metadata : { ...deployment.metadata, annotations };
    const next = { ...deployment, metadata, status };
    must(yield* this.#context.client.resource(DEPLOYMENTS).updateStatus(next));
    // As upstream: the answer is not taken over, so a second status write of the sync meets a conflict and the next sync starts afresh.
    work.deployment = next;
  }

  /** Marks a pause and its end, so that the paused time does not count towards the progress deadline. */
  *#checkPaused(work: Work): Task<void> {
    const { deployment } = work;
    if (progressDeadlineUs(deployment) === undefined) return;
    const condition = deploymentCondition(deployment.status, 'Progressing');
    if (condition?.reason === 'ProgressDeadlineExceeded') return;
    const marked = condition?.reason === 'DeploymentPaused';
    const paused = deployment.spec.paused === true;
    if (paused === marked) return;
    const next = paused
      ? newCondition('Progressing', 'Unknown', 'DeploymentPaused', 'Deployment is paused', this.#now())
      : newCondition('Progressing', 'Unknown', 'DeploymentResumed', 'Deployment is resumed', this.#now());
    yield* this.#writeStatus(work, withCondition(deployment.status ?? {}, next));
  }

  /** Whether spec.replicas changed since the sets were last resized. */
  *#isScaling(work: Work, sets: readonly ReplicaSet[]): Task<boolean> {
    const { newSet, oldSets } = yield* this.#revisions(work, sets, false);
    for (const set of activeSets(newSet === undefined ? oldSets : [...oldSets, newSet])) {
      const desired = desiredReplicasOf(set);
      if (desired !== undefined && desired !== desiredReplicas(work.deployment)) return true;
    }
    return false;
  }

  *#syncStatusOnly(work: Work, sets: readonly ReplicaSet[]): Task<void> {
    const { newSet, oldSets } = yield* this.#revisions(work, sets, false);
    yield* this.#syncStatus(work, all(oldSets, newSet), newSet);
  }

  *#syncStatus(work: Work, allSets: readonly ReplicaSet[], newSet: ReplicaSet | undefined): Task<void> {
    const status = deploymentStatus(work.deployment, allSets, newSet, this.#now());
    if (!semanticEqual(work.deployment.status, status)) yield* this.#writeStatus(work, status);
  }

  /** Scaling comes before the rollout, so new pods of a set on its way out may appear (kubernetes#105395, still so in 1.35). */
  *#syncScale(work: Work, sets: readonly ReplicaSet[]): Task<void> {
    let { newSet, oldSets } = yield* this.#revisions(work, sets, false);
    ({ newSet, oldSets } = yield* this.#scale(work.deployment, newSet, oldSets));
    if (work.deployment.spec.paused === true) yield* this.#cleanUp(work.deployment, oldSets);
    yield* this.#syncStatus(work, all(oldSets, newSet), newSet);
  }

  *#scale(deployment: Deployment, newSet: ReplicaSet | undefined, oldSets: readonly ReplicaSet[]): Task<Sets> {
    const only = activeOrLatest(newSet, oldSets);
    const sets = new SetsInHand(newSet, oldSets);
    if (only !== undefined) {
      if (setReplicas(only) !== desiredReplicas(deployment))
        sets.replace(yield* this.#resize(deployment, only, desiredReplicas(deployment)));
      return sets;
    }
    if (isSaturated(deployment, newSet)) {
      for (const set of activeSets(oldSets)) sets.replace(yield* this.#resize(deployment, set, 0));
      return sets;
    }
    for (const { set, replicas } of proportionalSizes(deployment, newSet, oldSets))
      sets.replace(yield* this.#resize(deployment, set, replicas));
    return sets;
  }

  /** Writes a set's new size and what the deployment wanted when it did. */
  *#resize(deployment: Deployment, set: ReplicaSet, replicas: number): Task<ReplicaSet> {
    const desired = desiredReplicas(deployment);
    const annotations = withReplicas(set.metadata.annotations, desired, desired + rollingBounds(deployment).maxSurge);
    const before = setReplicas(set);
    if (before === replicas && annotations === set.metadata.annotations) return set;
    const next = must(
      yield* this.#context.client
        .resource(REPLICA_SETS)
        .update({ ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas } }),
    );
    if (before !== replicas) this.#tellScaled(deployment, set.metadata.name ?? '', before, replicas);
    return next;
  }

  #tellScaled(deployment: Deployment, set: string, from: number, to: number): void {
    this.#recorder.event(
      deployment,
      'Normal',
      'ScalingReplicaSet',
      `Scaled ${to > from ? 'up' : 'down'} replica set ${set} from ${from} to ${to}`,
    );
  }

  *#rolling(work: Work, sets: readonly ReplicaSet[]): Task<void> {
    const { newSet, oldSets } = yield* this.#revisions(work, sets, true);
    const inHand = new SetsInHand(newSet, oldSets);
    if (newSet !== undefined && (yield* this.#reconcileNew(work.deployment, newSet, inHand))) {
      yield* this.#syncRollout(work, inHand);
      return;
    }
    if (newSet !== undefined && (yield* this.#reconcileOld(work.deployment, newSet, inHand))) {
      yield* this.#syncRollout(work, inHand);
      return;
    }
    if (isComplete(work.deployment, work.deployment.status)) yield* this.#cleanUp(work.deployment, inHand.oldSets);
    yield* this.#syncRollout(work, inHand);
  }

  *#reconcileNew(deployment: Deployment, newSet: ReplicaSet, inHand: SetsInHand): Task<boolean> {
    const size = setReplicas(newSet);
    const desired = desiredReplicas(deployment);
    if (size === desired) return false;
    const replicas = size > desired ? desired : newSetReplicas(deployment, inHand.all(), size);
    if (replicas === size) return false;
    inHand.replace(yield* this.#resize(deployment, newSet, replicas));
    return true;
  }

  *#reconcileOld(deployment: Deployment, newSet: ReplicaSet, inHand: SetsInHand): Task<boolean> {
    const active = activeSets(inHand.oldSets);
    if (active.length === 0) return false;
    const limit = maxScaledDown(deployment, inHand.all(), newSet);
    if (limit <= 0) return false;
    let changed = false;
    const cleanup = unhealthyCleanup(active, limit);
    for (const { set, replicas } of cleanup.resizes) {
      inHand.replace(yield* this.#resize(deployment, set, replicas));
      changed = true;
    }
    // Upstream answers "nothing was scaled down" here, whatever the clean-up did before it met the stale set.
    if (cleanup.stale) return false;
    const rest = activeSets(inHand.oldSets);
    for (const { set, replicas } of rollingScaleDown(deployment, rest, sumAvailable(inHand.all()))) {
      inHand.replace(yield* this.#resize(deployment, set, replicas));
      changed = true;
    }
    return changed;
  }

  *#recreate(work: Work, sets: readonly ReplicaSet[], podsOf: (set: ReplicaSet) => readonly Pod[]): Task<void> {
    const { newSet, oldSets } = yield* this.#revisions(work, sets, false);
    const inHand = new SetsInHand(newSet, oldSets);
    const active = activeSets(oldSets);
    for (const set of active) inHand.replace(yield* this.#resize(work.deployment, set, 0));
    if (active.length > 0 || oldPodsRun(oldSets, podsOf)) {
      yield* this.#syncRollout(work, inHand);
      return;
    }
    let current: Sets = { newSet, oldSets };
    if (newSet === undefined) current = yield* this.#revisions(work, sets, true);
    const next = new SetsInHand(current.newSet, current.oldSets);
    if (current.newSet !== undefined) next.replace(yield* this.#resize(work.deployment, current.newSet, desiredReplicas(work.deployment)));
    if (isComplete(work.deployment, work.deployment.status)) yield* this.#cleanUp(work.deployment, next.oldSets);
    yield* this.#syncRollout(work, next);
  }

  *#syncRollout(work: Work, sets: SetsInHand): Task<void> {
    const { deployment } = work;
    const status = rolloutStatus(deployment, sets.all(), sets.newSet, this.#now());
    if (!semanticEqual(deployment.status, status)) {
      yield* this.#writeStatus(work, status);
      return;
    }
    const delay = stuckCheckDelayUs(deployment, status, this.#now());
    if (delay === undefined) return;
    if (delay === 0) this.#queue.addRateLimited(objectKey(deployment));
    else this.#queue.addAfter(objectKey(deployment), delay);
  }

  /** Upstream getAllReplicaSetsAndSyncRevision. */
  *#revisions(work: Work, sets: readonly ReplicaSet[], create: boolean): Task<Sets> {
    const existing = findNewSet(work.deployment, sets);
    const oldSets = sets.filter((set) => set !== existing);
    const revision = maxRevision(oldSets) + 1;
    if (existing !== undefined) return { newSet: yield* this.#syncRevision(work, existing, revision), oldSets };
    return { newSet: create ? yield* this.#createSet(work, oldSets, revision) : undefined, oldSets };
  }

  *#syncRevision(work: Work, existing: ReplicaSet, revision: number): Task<ReplicaSet> {
    const { deployment } = work;
    const annotations = newSetAnnotations(deployment, existing.metadata.annotations, revision);
    const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
    if (annotations !== existing.metadata.annotations || (existing.spec.minReadySeconds ?? 0) !== minReadySeconds) {
      const metadata = annotations === undefined ? existing.metadata : { ...existing.metadata, annotations };
      return must(
        yield* this.#context.client.resource(REPLICA_SETS).update({ ...existing, metadata, spec: { ...existing.spec, minReadySeconds } }),
      );
    }
    const text = String(revisionOf(existing));
    const renumbered = deployment.metadata.annotations?.[revisionAnnotation] !== text;
    const found = progressDeadlineUs(deployment) !== undefined && deploymentCondition(deployment.status, 'Progressing') === undefined;
    if (renumbered || found) {
      const condition = newCondition(
        'Progressing',
        'True',
        'FoundNewReplicaSet',
        `Found new replica set "${existing.metadata.name ?? ''}"`,
        this.#now(),
      );
      const status = found ? withCondition(deployment.status ?? {}, condition) : (deployment.status ?? {});
      yield* this.#writeStatus(work, status, { ...deployment.metadata.annotations, [revisionAnnotation]: text });
    }
    return existing;
  }

  *#createSet(work: Work, oldSets: readonly ReplicaSet[], revision: number): Task<ReplicaSet> {
    const { deployment } = work;
    const draft = this.#draft(deployment, oldSets, revision);
    const size = setReplicas(draft);
    const created = yield* this.#context.client.resource(REPLICA_SETS).create(draft);
    if (created.ok) {
      if (size > 0) this.#tellScaled(deployment, draft.metadata.name ?? '', 0, size);
      yield* this.#announce(work, created.object, revision, true);
      return created.object;
    }
    if (isNamespaceTerminating(created)) throw new SyncFailure(created);
    if (isAlreadyExists(created)) {
      const same = this.#sets.get(objectKey(draft));
      if (same === undefined) throw new SyncFailure(created);
      if (controllerOf(same)?.uid === deployment.metadata.uid && sameTemplate(same.spec.template, deployment.spec.template)) {
        yield* this.#announce(work, same, revision, false);
        return same;
      }
      // Another set has that name: the next try hashes with a higher count.
      yield* this.#writeStatus(work, { ...deployment.status, collisionCount: (deployment.status?.collisionCount ?? 0) + 1 });
      throw new SyncFailure(created);
    }
    const message = `Failed to create new replica set "${draft.metadata.name ?? ''}": ${created.message}`;
    if (progressDeadlineUs(deployment) !== undefined) {
      const condition = newCondition('Progressing', 'False', 'ReplicaSetCreateError', message, this.#now());
      yield* this.#writeStatus(work, withCondition(deployment.status ?? {}, condition));
    }
    this.#recorder.event(deployment, 'Warning', 'ReplicaSetCreateError', message);
    throw new SyncFailure(created);
  }

  #draft(deployment: Deployment, oldSets: readonly ReplicaSet[], revision: number): ReplicaSet {
    const { template, selector } = deployment.spec;
    const hash = podTemplateHash(template, deployment.status?.collisionCount);
    const labels = { ...template.metadata?.labels, [podTemplateHashLabel]: hash };
    const desired = desiredReplicas(deployment);
    const replicas = newSetReplicas(deployment, oldSets, 0);
    const annotations = withReplicas(
      newSetAnnotations(deployment, undefined, revision),
      desired,
      desired + rollingBounds(deployment).maxSurge,
    );
    return {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: `${deployment.metadata.name ?? ''}-${hash}`,
        namespace: deployment.metadata.namespace ?? '',
        labels,
        annotations,
        ownerReferences: [newControllerRef(deployment, 'apps/v1', 'Deployment')],
      },
      spec: {
        replicas,
        ...(deployment.spec.minReadySeconds !== undefined ? { minReadySeconds: deployment.spec.minReadySeconds } : {}),
        selector: { ...selector, matchLabels: { ...selector.matchLabels, [podTemplateHashLabel]: hash } },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
    };
  }

  *#announce(work: Work, set: ReplicaSet, revision: number, created: boolean): Task<void> {
    const { deployment } = work;
    const annotations = { ...deployment.metadata.annotations, [revisionAnnotation]: String(revision) };
    const hasDeadline = progressDeadlineUs(deployment) !== undefined;
    const renumbered = deployment.metadata.annotations?.[revisionAnnotation] !== String(revision);
    if (!renumbered && !(created && hasDeadline)) return;
    const condition = newCondition(
      'Progressing',
      'True',
      'NewReplicaSetCreated',
      `Created new replica set "${set.metadata.name ?? ''}"`,
      this.#now(),
    );
    const status = created && hasDeadline ? withCondition(deployment.status ?? {}, condition) : (deployment.status ?? {});
    yield* this.#writeStatus(work, status, annotations);
  }

  /** Deletes old sets beyond the history limit, oldest revision first. Upstream cleanupDeployment. */
  *#cleanUp(deployment: Deployment, oldSets: readonly ReplicaSet[]): Task<void> {
    const limit = deployment.spec.revisionHistoryLimit;
    if (limit === undefined || limit === 2_147_483_647) return;
    const alive = oldSets.filter((set) => set.metadata.deletionTimestamp === undefined);
    const excess = alive.length - limit;
    if (excess <= 0) return;
    const sorted = [...alive].sort((a, b) => revisionOf(a) - revisionOf(b) || byCreation(a, b));
    for (const set of sorted.slice(0, excess)) {
      const observed = (set.status?.observedGeneration ?? 0) >= (set.metadata.generation ?? 0);
      if ((set.status?.replicas ?? 0) !== 0 || setReplicas(set) !== 0 || !observed) continue;
      const deleted = yield* this.#context.client.resource(REPLICA_SETS).delete(set.metadata.namespace ?? '', set.metadata.name ?? '');
      if (!deleted.ok && !isNotFound(deleted)) throw new SyncFailure(deleted);
    }
  }
}

/** The sets of a sync, replaced by what the API server answers as they are resized. */
class SetsInHand implements Sets {
  newSet: ReplicaSet | undefined;
  oldSets: readonly ReplicaSet[];

  constructor(newSet: ReplicaSet | undefined, oldSets: readonly ReplicaSet[]) {
    this.newSet = newSet;
    this.oldSets = oldSets;
  }

  all(): readonly ReplicaSet[] {
    return all(this.oldSets, this.newSet);
  }

  replace(set: ReplicaSet): void {
    if (this.newSet !== undefined && this.newSet.metadata.uid === set.metadata.uid) this.newSet = set;
    else this.oldSets = this.oldSets.map((old) => (old.metadata.uid === set.metadata.uid ? set : old));
  }
}

function all(oldSets: readonly ReplicaSet[], newSet: ReplicaSet | undefined): readonly ReplicaSet[] {
  return newSet === undefined ? oldSets : [...oldSets, newSet];
}

/** Whether pods of older revisions may still run; finished ones do not count. Upstream oldPodsRunning. */
function oldPodsRun(oldSets: readonly ReplicaSet[], podsOf: (set: ReplicaSet) => readonly Pod[]): boolean {
  if (oldSets.some((set) => (set.status?.replicas ?? 0) > 0)) return true;
  return oldSets.some((set) =>
    podsOf(set).some(
      (pod) =>
        labelSelectorMatches(set.spec.selector, pod.metadata.labels) && pod.status?.phase !== 'Failed' && pod.status?.phase !== 'Succeeded',
    ),
  );
}
