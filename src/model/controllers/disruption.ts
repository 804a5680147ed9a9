import { labelSelectorMatches } from '../api/label-selector.ts';
import { scaledValue } from '../api/int-or-string.ts';
import { builtInKinds } from '../api/kinds/registry.ts';
import type { OwnerReference } from '../api/object.ts';
import { formatTime, parseTime } from '../api/time.ts';
import type { Condition, LabelSelector, Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from '../api/types.ts';
import type { EventRecorder } from '../client/events.ts';
import type { Informer } from '../client/informer.ts';
import { objectKey } from '../client/reflector.ts';
import { DEPLOYMENTS, POD_DISRUPTION_BUDGETS, PODS, REPLICA_SETS, REPLICATION_CONTROLLERS, STATEFUL_SETS } from '../client/resources.ts';
import { isConflict, isNotFound } from '../client/result.ts';
import { type ReconcileError, runWorkers, WorkQueue } from '../client/work-queue.ts';
import type { Task } from '../../sim/task.ts';
import { MINUTE, type Micros } from '../../sim/time.ts';
import type { ControllerContext, ControllerRow } from './context.ts';
import { controllerOf } from './owner-reference.ts';
import { isPodReady } from './pod-state.ts';

/** Upstream DeletionTimeout: an eviction that was granted but not followed by the deletion is forgotten after this. */
const DELETION_TIMEOUT: Micros = 2 * MINUTE;

/** Keeps the status of PodDisruptionBudgets, from which evictions are granted: pkg/controller/disruption. */
export const disruptionController: ControllerRow = {
  name: 'disruption-controller',
  start: (context) => new Disruption(context).start(),
};

/**
 * Why an owner's kind says nothing about how many pods are expected; undefined where it might. Upstream getScaleController, which asks the scale
 * subresource of whatever the workloads' finders do not know.
 */
export function withoutScale({ apiVersion, kind }: Pick<OwnerReference, 'apiVersion' | 'kind'>): string | undefined {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  const known = builtInKinds.find((each) => each.group === group && each.kind === kind);
  if (known === undefined || known.subresources.includes('scale')) return undefined;
  return `${known.resource}${group === '' ? '' : `.${group}`} does not implement the scale subresource`;
}

class Disruption {
  readonly #context: ControllerContext;
  readonly #budgets: Informer<PodDisruptionBudget>;
  readonly #pods: Informer<Pod>;
  readonly #recorder: EventRecorder;
  readonly #queue: WorkQueue;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#budgets = context.informer(POD_DISRUPTION_BUDGETS);
    this.#pods = context.informer(PODS);
    this.#recorder = context.recorder('controllermanager');
    this.#queue = new WorkQueue(context.process);
  }

  start(): void {
    const { process } = this.#context;
    this.#pods.addIndex('namespace', (pod) => [pod.metadata.namespace ?? '']);
    this.#budgets.addIndex('namespace', (budget) => [budget.metadata.namespace ?? '']);
    this.#budgets.addHandler({
      onAdd: (budget) => this.#queue.add(objectKey(budget)),
      onUpdate: (_, budget) => this.#queue.add(objectKey(budget)),
      onDelete: (budget) => this.#queue.add(objectKey(budget)),
    });
    this.#pods.addHandler({
      onAdd: (pod) => this.#podChanged(pod),
      onUpdate: (_, pod) => this.#podChanged(pod),
      onDelete: (pod) => this.#podChanged(pod),
    });
    const scales = [
      this.#context.informer(REPLICA_SETS),
      this.#context.informer(DEPLOYMENTS),
      this.#context.informer(STATEFUL_SETS),
      this.#context.informer(REPLICATION_CONTROLLERS),
    ];
    this.#context.whenSynced([this.#budgets, this.#pods, ...scales], () => {
      runWorkers(process, 'disruption', this.#queue, 1, (key) => this.#sync(key));
    });
  }

  #podChanged(pod: Pod): void {
    const matching = this.#budgets
      .byIndex('namespace', pod.metadata.namespace ?? '')
      .filter((budget) => selects(budget.spec.selector, pod));
    const first = matching[0];
    if (first === undefined) return;
    if (matching.length > 1) {
      this.#recorder.event(
        pod,
        'Warning',
        'MultiplePodDisruptionBudgets',
        `Pod ${JSON.stringify(pod.metadata.namespace)}/${JSON.stringify(pod.metadata.name)} matches multiple PodDisruptionBudgets.  Chose ${JSON.stringify(first.metadata.name)} arbitrarily.`,
      );
    }
    this.#queue.add(objectKey(first));
  }

  *#sync(key: string): Task<ReconcileError> {
    const budget = this.#budgets.get(key);
    if (budget === undefined) return undefined;
    const pods = this.#pods.byIndex('namespace', budget.metadata.namespace ?? '').filter((pod) => selects(budget.spec.selector, pod));
    if (pods.length === 0) this.#recorder.event(budget, 'Normal', 'NoPods', 'No matching pods found');
    const counted = yield* this.#expected(budget, pods);
    if ('error' in counted) {
      this.#recorder.event(
        budget,
        'Warning',
        'CalculateExpectedPodCountFailed',
        `Failed to calculate the number of expected pods: ${counted.error}`,
      );
      return yield* this.#failSafe(budget, counted.error);
    }
    if (counted.unmanaged) {
      this.#recorder.event(
        budget,
        'Warning',
        'UnmanagedPods',
        `Pods selected by this PodDisruptionBudget (selector: ${goSelector(budget.spec.selector)}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`,
      );
    }
    const disrupted = this.#disruptedPods(budget, pods);
    if (disrupted.recheckUs !== undefined) this.#queue.addAfter(key, disrupted.recheckUs);
    let healthy = 0;
    for (const pod of pods) {
      if (pod.metadata.deletionTimestamp !== undefined || disrupted.pods[pod.metadata.name ?? ''] !== undefined) continue;
      if (isPodReady(pod)) healthy++;
    }
    const allowed = counted.expected <= 0 ? 0 : Math.max(0, healthy - counted.desired);
    return yield* this.#write(budget, {
      currentHealthy: healthy,
      desiredHealthy: counted.desired,
      expectedPods: counted.expected,
      disruptionsAllowed: allowed,
      ...(Object.keys(disrupted.pods).length === 0 ? {} : { disruptedPods: disrupted.pods }),
      ...(budget.metadata.generation === undefined ? {} : { observedGeneration: budget.metadata.generation }),
      conditions: this.#condition(budget, allowed > 0 ? 'True' : 'False', allowed > 0 ? 'SufficientPods' : 'InsufficientPods', ''),
    });
  }

  /** Nothing may be evicted while we do not know. */
  *#failSafe(budget: PodDisruptionBudget, error: string): Task<ReconcileError> {
    const before = budget.status ?? { currentHealthy: 0, desiredHealthy: 0, expectedPods: 0, disruptionsAllowed: 0 };
    const failure = yield* this.#write(budget, {
      ...before,
      disruptionsAllowed: 0,
      conditions: this.#condition(budget, 'False', 'SyncFailed', error),
    });
    return failure ?? { message: error };
  }

  *#write(budget: PodDisruptionBudget, status: PodDisruptionBudgetStatus): Task<ReconcileError> {
    if (budget.status !== undefined && sameStatus(budget.status, status)) return undefined;
    const budgets = this.#context.client.resource(POD_DISRUPTION_BUDGETS);
    let written = yield* budgets.updateStatus({ ...budget, status });
    if (!written.ok && isConflict(written) && this.#context.defects.has('K11')) {
      const fresh = yield* budgets.get(budget.metadata.namespace ?? '', budget.metadata.name ?? '');
      if (fresh.ok) written = yield* budgets.updateStatus({ ...fresh.object, status });
    }
    // A conflict means that an eviction was granted meanwhile: to write the same status again would take that back (kubernetes#82149).
    // The sync fails and comes again with what the informer shows then.
    return written.ok || isNotFound(written) ? undefined : written;
  }

  *#expected(
    budget: PodDisruptionBudget,
    pods: readonly Pod[],
  ): Task<{ readonly expected: number; readonly desired: number; readonly unmanaged: boolean } | { readonly error: string }> {
    const { maxUnavailable, minAvailable } = budget.spec;
    if (maxUnavailable !== undefined) {
      const scale = yield* this.#scale(pods);
      if ('error' in scale) return scale;
      const max = scaledValue(maxUnavailable, scale.expected, true) ?? 0;
      return { ...scale, desired: Math.max(0, scale.expected - max) };
    }
    if (minAvailable === undefined) return { expected: 0, desired: 0, unmanaged: false };
    if (typeof minAvailable === 'number') return { expected: pods.length, desired: minAvailable, unmanaged: false };
    const scale = yield* this.#scale(pods);
    if ('error' in scale) return scale;
    return { ...scale, desired: scaledValue(minAvailable, scale.expected, true) ?? 0 };
  }

  /** Upstream getExpectedScale: the replicas that the pods' controllers want, each controller once. */
  *#scale(pods: readonly Pod[]): Task<{ readonly expected: number; readonly unmanaged: boolean } | { readonly error: string }> {
    const scales = new Map<string, number>();
    let unmanaged = false;
    for (const pod of pods) {
      const reference = controllerOf(pod);
      if (reference === undefined) {
        unmanaged = true;
        continue;
      }
      if (scales.has(reference.uid)) continue;
      const found = yield* this.#scaleOf(reference, pod.metadata.namespace ?? '');
      if (found === undefined)
        return { error: withoutScale(reference) ?? `found no controllers for pod ${JSON.stringify(pod.metadata.name)}` };
      scales.set(found.uid, found.replicas);
    }
    let expected = 0;
    for (const replicas of scales.values()) expected += replicas;
    return { expected, unmanaged };
  }

  // biome-ignore lint/correctness/useYield: a scale subresource of other kinds would be asked of the API server
  *#scaleOf(reference: OwnerReference, namespace: string): Task<{ readonly uid: string; readonly replicas: number } | undefined> {
    const key = `${namespace}/${reference.name}`;
    switch (reference.kind) {
      case 'ReplicaSet': {
        const replicaSet = this.#context.informer(REPLICA_SETS).get(key);
        if (replicaSet === undefined || replicaSet.metadata.uid !== reference.uid) return undefined;
        const owner = controllerOf(replicaSet);
        if (owner?.kind !== 'Deployment') return { uid: reference.uid, replicas: replicaSet.spec?.replicas ?? 1 };
        const deployment = this.#context.informer(DEPLOYMENTS).get(`${namespace}/${owner.name}`);
        if (deployment === undefined || deployment.metadata.uid !== owner.uid) return undefined;
        return { uid: owner.uid, replicas: deployment.spec?.replicas ?? 1 };
      }
      case 'StatefulSet': {
        const set = this.#context.informer(STATEFUL_SETS).get(key);
        return set === undefined || set.metadata.uid !== reference.uid
          ? undefined
          : { uid: reference.uid, replicas: set.spec?.replicas ?? 1 };
      }
      case 'ReplicationController': {
        const controller = this.#context.informer(REPLICATION_CONTROLLERS).get(key);
        return controller === undefined || controller.metadata.uid !== reference.uid
          ? undefined
          : { uid: reference.uid, replicas: controller.spec?.replicas ?? 1 };
      }
      default:
        return undefined;
    }
  }

  /** Upstream buildDisruptedPodMap: evictions granted whose deletion we have not seen yet. */
  #disruptedPods(
    budget: PodDisruptionBudget,
    pods: readonly Pod[],
  ): { readonly pods: { readonly [name: string]: string }; readonly recheckUs: Micros | undefined } {
    const before = budget.status?.disruptedPods ?? {};
    const now = this.#context.process.wall();
    const kept: { [name: string]: string } = {};
    let recheckUs: Micros | undefined;
    for (const pod of pods) {
      const name = pod.metadata.name ?? '';
      const time = before[name];
      if (time === undefined || pod.metadata.deletionTimestamp !== undefined) continue;
      const left = (parseTime(time) ?? 0) + DELETION_TIMEOUT - now;
      if (left <= 0) {
        this.#recorder.event(pod, 'Warning', 'NotDeleted', `Pod was expected by PDB ${objectKey(budget)} to be deleted but it wasn't`);
        continue;
      }
      kept[name] = time;
      if (recheckUs === undefined || left < recheckUs) recheckUs = left;
    }
    return { pods: kept, recheckUs };
  }

  #condition(budget: PodDisruptionBudget, status: 'True' | 'False', reason: string, message: string): readonly Condition[] {
    const before = budget.status?.conditions ?? [];
    const old = before.find((condition) => condition.type === 'DisruptionAllowed');
    const next: Condition = {
      type: 'DisruptionAllowed',
      status,
      reason,
      message,
      lastTransitionTime: old !== undefined && old.status === status ? old.lastTransitionTime : formatTime(this.#context.process.wall()),
      ...(budget.metadata.generation === undefined ? {} : { observedGeneration: budget.metadata.generation }),
    };
    return old === undefined ? [...before, next] : before.map((condition) => (condition === old ? next : condition));
  }
}

/** No selector selects nothing, an empty one everything (policy/v1). */
function selects(selector: LabelSelector | undefined, pod: Pod): boolean {
  return selector !== undefined && labelSelectorMatches(selector, pod.metadata.labels);
}

function sameStatus(a: PodDisruptionBudgetStatus, b: PodDisruptionBudgetStatus): boolean {
  const left = a.disruptedPods ?? {};
  const right = b.disruptedPods ?? {};
  const names = Object.keys(left);
  return (
    a.currentHealthy === b.currentHealthy &&
    a.desiredHealthy === b.desiredHealthy &&
    a.expectedPods === b.expectedPods &&
    a.disruptionsAllowed === b.disruptionsAllowed &&
    a.observedGeneration === b.observedGeneration &&
    names.length === Object.keys(right).length &&
    names.every((name) => left[name] === right[name]) &&
    (a.conditions ?? []).length === (b.conditions ?? []).length &&
    (a.conditions ?? []).every((condition, i) => {
      const other = b.conditions?.[i];
      return (
        other !== undefined &&
        condition.type === other.type &&
        condition.status === other.status &&
        condition.reason === other.reason &&
        condition.message === other.message &&
        condition.observedGeneration === other.observedGeneration
      );
    })
  );
}

/** A label selector as Go's generated String prints it. */
function goSelector(selector: LabelSelector | undefined): string {
  if (selector === undefined) return 'nil';
  const labels = Object.keys(selector.matchLabels ?? {})
    .sort()
    .map((key) => `${key}: ${selector.matchLabels?.[key]},`)
    .join('');
  const expressions = (selector.matchExpressions ?? [])
    .map((e) => `LabelSelectorRequirement{Key:${e.key},Operator:${e.operator},Values:[${(e.values ?? []).join(' ')}],},`)
    .join('');
  return `&LabelSelector{MatchLabels:map[string]string{${labels}},MatchExpressions:[]LabelSelectorRequirement{${expressions}},}`;
}
