import { labelsMatch, selectorOf } from '../api/label-selector.ts';
import type { Deployment, Pod, ReplicaSet } from '../api/types.ts';
import type { Informer } from '../client/informer.ts';
import { objectKey } from '../client/reflector.ts';
import { DEPLOYMENTS, PODS, REPLICA_SETS } from '../client/resources.ts';
import { isNamespaceTerminating } from '../client/result.ts';
import { type ReconcileError, WorkQueue, runWorkers } from '../client/work-queue.ts';
import type { Task } from '../../sim/task.ts';
import { claim } from './claim.ts';
import type { ControllerContext } from './context.ts';
import { DeploymentRollout, SyncFailure } from './deployment-rollout.ts';
import { controllerOf, sameController } from './owner-reference.ts';
import { indexPodsByController, podsByController } from './pod-index.ts';
import { semanticEqual } from './semantic-equal.ts';

/** After so many failures in a row a deployment waits for the next event: upstream maxRetries. */
const retriesMax = 15;
const byController = 'controller';
const byNamespace = 'namespace';

/** Rolls ReplicaSets over to new pod templates: pkg/controller/deployment/deployment_controller.go. */
export function startDeploymentController(context: ControllerContext): void {
  new DeploymentController(context).start();
}

class DeploymentController {
  readonly #context: ControllerContext;
  readonly #deployments: Informer<Deployment>;
  readonly #sets: Informer<ReplicaSet>;
  readonly #pods: Informer<Pod>;
  readonly #queue: WorkQueue;
  readonly #rollout: DeploymentRollout;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#deployments = context.informer(DEPLOYMENTS);
    this.#sets = context.informer(REPLICA_SETS);
    this.#pods = context.informer(PODS);
    this.#queue = new WorkQueue(context.process);
    this.#rollout = new DeploymentRollout(context, context.recorder('deployment-controller'), this.#sets, this.#queue);
  }

  start(): void {
    const { process, config } = this.#context;
    indexPodsByController(this.#pods);
    this.#sets.addIndex(byController, (set) => {
      const owner = controllerOf(set);
      return owner === undefined ? [] : [owner.uid];
    });
    this.#sets.addIndex(byNamespace, (set) => [set.metadata.namespace ?? '']);
    const enqueue = (deployment: Deployment): void => this.#queue.add(objectKey(deployment));
    this.#deployments.addHandler({ onAdd: enqueue, onUpdate: (_, next) => enqueue(next), onDelete: enqueue });
    this.#sets.addHandler({
      onAdd: (set) => this.#setChanged(set),
      onUpdate: (previous, next) => this.#setUpdated(previous, next),
      onDelete: (set) => this.#setDeleted(set),
    });
    this.#pods.addHandler({ onDelete: (pod) => this.#podDeleted(pod) });
    this.#context.whenSynced([this.#deployments, this.#sets, this.#pods], () => {
      runWorkers(
        process,
        'deployment',
        this.#queue,
        config.concurrentDeploymentSyncs,
        (key) => this.#sync(key),
        (key) => this.#queue.requeues(key) < retriesMax,
      );
    });
  }

  #owner(set: ReplicaSet): Deployment | undefined {
    const reference = controllerOf(set);
    if (reference === undefined || reference.kind !== 'Deployment') return undefined;
    const deployment = this.#deployments.get(`${set.metadata.namespace}/${reference.name}`);
    return deployment?.metadata.uid === reference.uid ? deployment : undefined;
  }

  #enqueueOwner(set: ReplicaSet): void {
    const owner = this.#owner(set);
    if (owner !== undefined) this.#queue.add(objectKey(owner));
  }

  #enqueueMatching(set: ReplicaSet): void {
    for (const deployment of this.#deployments.list()) {
      if (deployment.metadata.namespace !== set.metadata.namespace) continue;
      const selector = selectorOf(deployment.spec.selector);
      if (selector.length > 0 && labelsMatch(selector, set.metadata.labels)) this.#queue.add(objectKey(deployment));
    }
  }

  #setChanged(set: ReplicaSet): void {
    if (controllerOf(set) !== undefined) this.#enqueueOwner(set);
    else if (set.metadata.deletionTimestamp === undefined) this.#enqueueMatching(set);
  }

  #setUpdated(previous: ReplicaSet, next: ReplicaSet): void {
    if (previous.metadata.resourceVersion === next.metadata.resourceVersion) return;
    const ownerChanged = !sameController(controllerOf(previous), controllerOf(next));
    if (ownerChanged) this.#enqueueOwner(previous);
    if (controllerOf(next) !== undefined) this.#enqueueOwner(next);
    else if (ownerChanged || !semanticEqual(previous.metadata.labels, next.metadata.labels)) this.#enqueueMatching(next);
  }

  #setDeleted(set: ReplicaSet): void {
    this.#enqueueOwner(set);
  }

  /** Recreate starts the new pods when the last old one is gone. */
  #podDeleted(pod: Pod): void {
    const reference = controllerOf(pod);
    if (reference === undefined || reference.kind !== 'ReplicaSet') return;
    const set = this.#sets.get(`${pod.metadata.namespace}/${reference.name}`);
    if (set === undefined || set.metadata.uid !== reference.uid) return;
    const deployment = this.#owner(set);
    if (deployment?.spec.strategy?.type !== 'Recreate') return;
    const uid = deployment.metadata.uid ?? '';
    const left = this.#sets.byIndex(byController, uid).some((other) => podsByController(this.#pods, other.metadata.uid ?? '').length > 0);
    if (!left) this.#queue.add(objectKey(deployment));
  }

  *#sync(key: string): Task<ReconcileError> {
    const { process, config } = this.#context;
    process.charge(config.reconcileCostUs);
    const deployment = this.#deployments.get(key);
    if (deployment === undefined) return undefined;
    try {
      yield* this.#syncDeployment(deployment);
      return undefined;
    } catch (error) {
      if (!(error instanceof SyncFailure)) throw error;
      // Nothing can be done in a namespace that goes away.
      return isNamespaceTerminating(error.failure) ? undefined : error.failure;
    }
  }

  *#syncDeployment(deployment: Deployment): Task<void> {
    const { client } = this.#context;
    const selector = selectorOf(deployment.spec.selector);
    if (selector.length === 0) {
      yield* this.#rollout.refuseSelectingAll(deployment);
      return;
    }
    const claimed = yield* claim(this.#sets.byIndex(byNamespace, deployment.metadata.namespace ?? ''), client.resource(REPLICA_SETS), {
      controller: deployment,
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      selector,
      fresh: client.resource(DEPLOYMENTS),
    });
    if (!claimed.ok) throw new SyncFailure(claimed);
    yield* this.#rollout.sync(deployment, claimed.objects, (set) => podsByController(this.#pods, set.metadata.uid ?? ''));
  }
}
