import { scaledValue } from '../api/int-or-string.ts';
import type { ControllerRevision, Pod, StatefulSet, StatefulSetStatus } from '../api/types.ts';
import type { EventRecorder } from '../client/events.ts';
import { PODS } from '../client/resources.ts';
import { type ApiFailure, isAlreadyExists, isNotFound } from '../client/result.ts';
import type { Client } from '../client/typed-client.ts';
import type { Task } from '../../sim/task.ts';
import { templateOf } from './controller-history.ts';
import type { StatefulSetClaims } from './statefulset-claims.ts';
import {
  type Version,
  isCreated,
  isInRange,
  isRunningAndAvailable,
  isRunningAndReady,
  isTerminating,
  ordinalOf,
  podRevision,
  replicasOf,
  startOrdinal,
  statefulPod,
} from './statefulset-pod.ts';

/** What one pass over a set gave. */
export interface PassResult {
  readonly status: StatefulSetStatus;
  readonly error: ApiFailure | undefined;
}

interface Revisions {
  readonly current: ControllerRevision;
  readonly update: ControllerRevision;
  readonly collisionCount: number;
}

/** 'stop': nothing more may be done in this pass. */
type Step = 'go-on' | 'stop' | ApiFailure;

/** One pass over the pods of a set: pkg/controller/statefulset/stateful_set_control.go, updateStatefulSet. */
export class StatefulSetPass {
  readonly #client: Client;
  readonly #recorder: EventRecorder;
  readonly #claims: StatefulSetClaims;
  readonly #maxUnavailableGate: boolean;

  constructor(client: Client, recorder: EventRecorder, claims: StatefulSetClaims, maxUnavailableGate: boolean) {
    this.#client = client;
    this.#recorder = recorder;
    this.#claims = claims;
    this.#maxUnavailableGate = maxUnavailableGate;
  }

  get #now(): number {
    return this.#client.transport.process.wall();
  }

  *run(set: StatefulSet, revisions: Revisions, pods: readonly Pod[]): Task<PassResult> {
    const current = versionOf(set, revisions.current);
    const update = versionOf(set, revisions.update);
    const replicas: (Pod | undefined)[] = new Array<Pod | undefined>(replicasOf(set)).fill(undefined);
    const condemned: Pod[] = [];
    for (const pod of pods) {
      const ordinal = ordinalOf(set, pod);
      if (isInRange(set, ordinal)) replicas[ordinal - startOrdinal(set)] = pod;
      else if (ordinal >= 0) condemned.push(pod);
    }
    condemned.sort((a, b) => ordinalOf(set, b) - ordinalOf(set, a));
    const status = (all: readonly Pod[]): StatefulSetStatus => setStatus(set, revisions, all, this.#now);
    if (set.metadata.deletionTimestamp !== undefined) return { status: status(pods), error: undefined };
    const living = replicas.map(
      (pod, i) => pod ?? statefulPod(set, versionFor(set, current, update, startOrdinal(set) + i), startOrdinal(set) + i),
    );
    const unhealthy = firstUnhealthy([...living, ...[...condemned].reverse()], set, this.#now);
    const done = (error: ApiFailure | undefined): PassResult => ({ status: status([...living, ...condemned]), error });

    for (const pod of condemned) {
      if (this.#claims.match(set, pod)) continue;
      const failure = yield* this.#claims.applyPolicy(set, pod);
      if (failure !== undefined) return done(failure);
    }
    const monotonic = set.spec.podManagementPolicy !== 'Parallel';
    for (let i = 0; i < living.length; i++) {
      const step = yield* this.#replica(set, living, i, monotonic);
      if (step === 'go-on') continue;
      if (step !== 'stop') return done(step);
      if (monotonic) return done(undefined);
    }
    let stopped = false;
    for (const pod of condemned) {
      const step = yield* this.#condemned(set, pod, unhealthy, monotonic);
      if (step !== 'go-on' && step !== 'stop') return done(step);
      if (step === 'stop' && monotonic) {
        stopped = true;
        break;
      }
    }
    const result = done(undefined);
    if (stopped || set.spec.updateStrategy?.type === 'OnDelete') return result;
    return this.#maxUnavailableGate
      ? yield* this.#rollMany(set, living, revisions, result)
      : yield* this.#rollOne(set, living, revisions, result);
  }

  /** Upstream processReplica. */
  *#replica(set: StatefulSet, living: Pod[], i: number, monotonic: boolean): Task<Step> {
    const pod = living[i] as Pod;
    const phase = pod.status?.phase;
    if (phase === 'Failed' || phase === 'Succeeded') {
      if (pod.metadata.deletionTimestamp !== undefined) return 'stop';
      // The new pod comes in the sync after this one is gone.
      return (yield* this.#delete(set, pod)) ?? 'stop';
    }
    if (!isCreated(pod)) {
      if (this.#claims.isStale(set, pod)) return 'stop';
      const created = yield* this.#create(set, pod);
      if (created !== undefined) return created;
      return monotonic ? 'stop' : 'go-on';
    }
    if (phase === 'Pending') {
      const failure = yield* this.#claims.create(set, pod);
      if (failure !== undefined) return failure;
    }
    if (monotonic) {
      if (isTerminating(pod) || !isRunningAndReady(pod)) return 'stop';
      if (!isRunningAndAvailable(pod, set.spec.minReadySeconds ?? 0, this.#now)) return 'stop';
    }
    if (isTerminating(pod) || this.#claims.match(set, pod)) return 'go-on';
    return (yield* this.#claims.applyPolicy(set, pod)) ?? 'go-on';
  }

  /** Upstream processCondemned. */
  *#condemned(set: StatefulSet, pod: Pod, unhealthy: Pod | undefined, monotonic: boolean): Task<Step> {
    if (isTerminating(pod)) return monotonic ? 'stop' : 'go-on';
    const available = isRunningAndReady(pod) && isRunningAndAvailable(pod, set.spec.minReadySeconds ?? 0, this.#now);
    if (!available && monotonic && pod !== unhealthy) return 'stop';
    return (yield* this.#delete(set, pod)) ?? 'stop';
  }

  /** From the largest ordinal down, one pod at a time, each waiting for the one above to be healthy. */
  *#rollOne(set: StatefulSet, living: readonly Pod[], revisions: Revisions, result: PassResult): Task<PassResult> {
    const partition = set.spec.updateStrategy?.rollingUpdate?.partition ?? 0;
    for (let i = living.length - 1; i >= Math.max(0, partition - startOrdinal(set)); i--) {
      const pod = living[i] as Pod;
      if (podRevision(pod) !== revisions.update.metadata.name && !isTerminating(pod)) {
        const failure = yield* this.#delete(set, pod);
        return { status: { ...result.status, currentReplicas: (result.status.currentReplicas ?? 0) - 1 }, error: failure };
      }
      if (isUnavailable(pod, set, this.#now)) return result;
    }
    return result;
  }

  /** Gate MaxUnavailableStatefulSet (KEP-961): several pods may be down at once. */
  *#rollMany(set: StatefulSet, living: readonly Pod[], revisions: Revisions, result: PassResult): Task<PassResult> {
    const rolling = set.spec.updateStrategy?.rollingUpdate;
    const wanted = scaledValue(rolling?.maxUnavailable ?? 1, replicasOf(set), true) ?? 1;
    const limit = Math.max(1, wanted) - living.filter((pod) => isUnavailable(pod, set, this.#now)).length;
    let status = result.status;
    let deleted = 0;
    for (let i = living.length - 1; i >= Math.max(0, (rolling?.partition ?? 0) - startOrdinal(set)) && deleted < limit; i--) {
      const pod = living[i] as Pod;
      if (podRevision(pod) === revisions.update.metadata.name || isTerminating(pod)) continue;
      const failure = yield* this.#delete(set, pod);
      if (failure !== undefined) return { status, error: failure };
      deleted++;
      status = { ...status, currentReplicas: (status.currentReplicas ?? 0) - 1 };
    }
    return { status, error: undefined };
  }

  *#create(set: StatefulSet, pod: Pod): Task<ApiFailure | undefined> {
    const claims = yield* this.#claims.create(set, pod);
    const created = claims === undefined ? yield* this.#client.resource(PODS).create(pod) : claims;
    const text = `Create Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
    if (!created.ok) {
      if (!isAlreadyExists(created)) this.#recorder.event(set, 'Warning', 'FailedCreate', `${text} failed error: ${created.message}`);
      return created;
    }
    this.#recorder.event(set, 'Normal', 'SuccessfulCreate', `${text} successful`);
    return yield* this.#claims.applyPolicy(set, created.object);
  }

  *#delete(set: StatefulSet, pod: Pod): Task<ApiFailure | undefined> {
    const deleted = yield* this.#client.resource(PODS).delete(pod.metadata.namespace ?? '', pod.metadata.name ?? '');
    const text = `Delete Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
    if (deleted.ok) this.#recorder.event(set, 'Normal', 'SuccessfulDelete', `${text} successful`);
    else if (!isNotFound(deleted)) {
      this.#recorder.event(set, 'Warning', 'FailedDelete', `${text} failed error: ${deleted.message}`);
      return deleted;
    }
    return undefined;
  }
}

function isUnavailable(pod: Pod, set: StatefulSet, wallUs: number): boolean {
  return isTerminating(pod) || !isRunningAndReady(pod) || !isRunningAndAvailable(pod, set.spec.minReadySeconds ?? 0, wallUs);
}

function firstUnhealthy(pods: readonly Pod[], set: StatefulSet, wallUs: number): Pod | undefined {
  return pods.find((pod) => isUnavailable(pod, set, wallUs));
}

function versionOf(set: StatefulSet, revision: ControllerRevision): Version {
  return { revision: revision.metadata.name ?? '', template: templateOf(revision) ?? set.spec.template };
}

/** Pods below the partition keep the current revision. Upstream newVersionedStatefulSetPod. */
function versionFor(set: StatefulSet, current: Version, update: Version, ordinal: number): Version {
  const strategy = set.spec.updateStrategy;
  if (strategy?.type !== 'RollingUpdate') return update;
  const start = startOrdinal(set);
  const boundary =
    strategy.rollingUpdate === undefined ? start + (set.status?.currentReplicas ?? 0) : start + (strategy.rollingUpdate.partition ?? 0);
  return ordinal < boundary ? current : update;
}

/** Upstream updateStatus. */
function setStatus(set: StatefulSet, revisions: Revisions, pods: readonly Pod[], wallUs: number): StatefulSetStatus {
  let replicas = 0;
  let ready = 0;
  let available = 0;
  let current = 0;
  let updated = 0;
  for (const pod of pods) {
    if (isCreated(pod)) replicas++;
    if (isRunningAndReady(pod)) {
      ready++;
      if (isRunningAndAvailable(pod, set.spec.minReadySeconds ?? 0, wallUs)) available++;
    }
    if (!isCreated(pod) || isTerminating(pod)) continue;
    if (podRevision(pod) === revisions.current.metadata.name) current++;
    if (podRevision(pod) === revisions.update.metadata.name) updated++;
  }
  return {
    observedGeneration: set.metadata.generation ?? 0,
    replicas,
    readyReplicas: ready,
    currentReplicas: current,
    updatedReplicas: updated,
    currentRevision: revisions.current.metadata.name ?? '',
    updateRevision: revisions.update.metadata.name ?? '',
    collisionCount: revisions.collisionCount,
    availableReplicas: available,
  };
}
