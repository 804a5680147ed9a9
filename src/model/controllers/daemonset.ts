import { labelsMatch, selectorOf } from '../api/label-selector.ts';
import type { ControllerRevision, DaemonSet, DaemonSetStatus, Node, Pod } from '../api/types.ts';
import { slowStartBatch } from '../client/batch.ts';
import { ControllerExpectations } from '../client/expectations.ts';
import type { EventRecorder } from '../client/events.ts';
import type { Informer } from '../client/informer.ts';
import { objectKey } from '../client/reflector.ts';
import { CONTROLLER_REVISIONS, DAEMON_SETS, NODES, PODS } from '../client/resources.ts';
import { type ApiFailure, isConflict, isNamespaceTerminating, isNotFound } from '../client/result.ts';
import { type ReconcileError, WorkQueue, runWorkers } from '../client/work-queue.ts';
import { all } from '../../sim/sync.ts';
import type { Task } from '../../sim/task.ts';
import { MINUTE, type Micros, SECOND } from '../../sim/time.ts';
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
import { byAge, daemonHashLabel, daemonOnNode, daemonTemplate, targetNode } from './daemonset-nodes.ts';
import { type DaemonPods, allowsSurge, isUpdated, planRollout } from './daemonset-rolling.ts';
import { controllerOf, newControllerRef, sameController } from './owner-reference.ts';
import { PodControl, podFromTemplate } from './pod-control.ts';
import { indexPodsByController, podsOfController } from './pod-index.ts';
import { isPodAvailable, isPodReady, podAvailableAt } from './pod-state.ts';
import { semanticEqual } from './semantic-equal.ts';

/** Most pods that one sync creates or deletes: upstream BurstReplicas. */
const burst = 250;
/** Back-off of pods that fail on a node again and again. */
const failedFirst: Micros = SECOND;
const failedMax: Micros = 15 * MINUTE;

/** Runs a pod on every node that fits: pkg/controller/daemon/daemon_controller.go. */
export function startDaemonSetController(context: ControllerContext): void {
  new DaemonSetController(context).start();
}

/** Long as upstream's DaemonSetsController is; which nodes fit and what a revision is stand in files of their own. */
class DaemonSetController {
  readonly #context: ControllerContext;
  readonly #recorder: EventRecorder;
  readonly #sets: Informer<DaemonSet>;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #revisions: Informer<ControllerRevision>;
  readonly #queue: WorkQueue;
  readonly #expectations: ControllerExpectations;
  readonly #podControl: PodControl;
  /** By set, generation and node: how long to leave failed pods alone. */
  readonly #failed = new Map<string, { readonly delay: Micros; readonly at: Micros }>();

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#recorder = context.recorder('daemonset-controller');
    this.#sets = context.informer(DAEMON_SETS);
    this.#pods = context.informer(PODS);
    this.#nodes = context.informer(NODES);
    this.#revisions = context.informer(CONTROLLER_REVISIONS);
    this.#queue = new WorkQueue(context.process);
    this.#expectations = new ControllerExpectations(context.process);
    this.#podControl = new PodControl(context.client, this.#recorder);
  }

  start(): void {
    const { process, config } = this.#context;
    indexPodsByController(this.#pods);
    indexRevisions(this.#revisions);
    this.#sets.addHandler({
      onAdd: (set) => this.#queue.add(objectKey(set)),
      onUpdate: (_, next) => this.#queue.add(objectKey(next)),
      onDelete: (set) => {
        this.#expectations.delete(objectKey(set));
        this.#queue.add(objectKey(set));
      },
    });
    this.#nodes.addHandler({
      onAdd: (node) => this.#nodeChanged(undefined, node),
      onUpdate: (previous, next) => this.#nodeChanged(previous, next),
    });
    this.#pods.addHandler({
      onAdd: (pod) => this.#podAdded(pod),
      onUpdate: (previous, next) => this.#podUpdated(previous, next),
      onDelete: (pod) => this.#podDeleted(pod),
    });
    this.#context.whenSynced([this.#sets, this.#pods, this.#nodes, this.#revisions], () => {
      runWorkers(process, 'daemonset', this.#queue, config.concurrentDaemonSetSyncs, (key) => this.#sync(key));
    });
  }

  #nodeChanged(previous: Node | undefined, next: Node): void {
    if (previous !== undefined && previous.metadata.labels === next.metadata.labels && previous.spec === next.spec) return;
    for (const set of this.#sets.list()) {
      const now = daemonOnNode(set, next);
      const before = previous === undefined ? { run: false, stay: false } : daemonOnNode(set, previous);
      if (now.run !== before.run || now.stay !== before.stay) this.#queue.add(objectKey(set));
    }
  }

  #owner(pod: Pod): DaemonSet | undefined {
    const reference = controllerOf(pod);
    if (reference === undefined || reference.kind !== 'DaemonSet') return undefined;
    const set = this.#sets.get(`${pod.metadata.namespace}/${reference.name}`);
    return set?.metadata.uid === reference.uid ? set : undefined;
  }

  #podAdded(pod: Pod): void {
    if (pod.metadata.deletionTimestamp !== undefined) {
      this.#podDeleted(pod);
      return;
    }
    const set = this.#owner(pod);
    if (set !== undefined) {
      this.#expectations.creationObserved(objectKey(set));
      this.#queue.add(objectKey(set));
    } else if (controllerOf(pod) === undefined) this.#enqueueMatching(pod);
  }

  #enqueueMatching(pod: Pod): void {
    for (const set of this.#sets.list()) {
      if (set.metadata.namespace === pod.metadata.namespace && labelsMatch(selectorOf(set.spec.selector), pod.metadata.labels))
        this.#queue.add(objectKey(set));
    }
  }

  #podUpdated(previous: Pod, next: Pod): void {
    if (previous.metadata.resourceVersion === next.metadata.resourceVersion) return;
    if (next.metadata.deletionTimestamp !== undefined) {
      // Not the end yet, but expectations count from here, and the status may change.
      this.#podDeleted(next);
      return;
    }
    const ownerChanged = !sameController(controllerOf(previous), controllerOf(next));
    if (ownerChanged) {
      const old = this.#owner(previous);
      if (old !== undefined) this.#queue.add(objectKey(old));
    }
    const set = this.#owner(next);
    if (set === undefined) {
      if (controllerOf(next) === undefined && (ownerChanged || !semanticEqual(previous.metadata.labels, next.metadata.labels)))
        this.#enqueueMatching(next);
      return;
    }
    this.#queue.add(objectKey(set));
    const minReadySeconds = set.spec.minReadySeconds ?? 0;
    if (minReadySeconds > 0 && !isPodReady(previous) && isPodReady(next))
      this.#queue.addAfter(objectKey(set), (minReadySeconds + 1) * SECOND);
  }

  #podDeleted(pod: Pod): void {
    const set = this.#owner(pod);
    if (set === undefined) return;
    this.#expectations.deletionObserved(objectKey(set));
    this.#queue.add(objectKey(set));
  }

  #history(set: DaemonSet): HistoryOwner<DaemonSet> {
    return { owner: set, apiVersion: 'apps/v1', kind: 'DaemonSet', resource: DAEMON_SETS, selector: set.spec.selector };
  }

  *#sync(key: string): Task<ReconcileError> {
    const { process, config, client } = this.#context;
    process.charge(config.reconcileCostUs);
    const set = this.#sets.get(key);
    if (set === undefined) {
      this.#expectations.delete(key);
      return undefined;
    }
    const selector = selectorOf(set.spec.selector);
    if (selector.length === 0) {
      this.#recorder.event(set, 'Warning', 'SelectingAll', 'This daemon set is selecting all pods. A non-empty selector is required.');
      return undefined;
    }
    if (set.metadata.deletionTimestamp !== undefined) return undefined;
    const history = yield* claimRevisions(client, this.#revisions, this.#history(set));
    if (!history.ok) return history;
    const current = yield* this.#currentRevision(set, history.objects);
    if ('ok' in current) return current;
    const hash = current.metadata.labels?.[daemonHashLabel] ?? '';
    const pods = yield* this.#podsByNode(set);
    if ('ok' in pods) return pods;
    const satisfied = this.#expectations.satisfied(key);
    let error: ApiFailure | undefined;
    if (satisfied) {
      error = yield* this.#manage(key, set, pods, hash);
      if (error === undefined && this.#expectations.satisfied(key)) error = yield* this.#roll(key, set, hash);
      if (error === undefined) error = yield* this.#cleanHistory(set, history.objects, current, pods);
    }
    const after = yield* this.#podsByNode(set);
    if ('ok' in after) return after;
    const failure = yield* this.#writeStatus(set, after, hash, satisfied);
    this.#awaitAvailability(key, set, after);
    return error ?? failure;
  }

  *#podsByNode(set: DaemonSet): Task<DaemonPods | ApiFailure> {
    const { client } = this.#context;
    const claimed = yield* claim(podsOfController(this.#pods, set), client.resource(PODS), {
      controller: set,
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      selector: selectorOf(set.spec.selector),
      fresh: client.resource(DAEMON_SETS),
    });
    if (!claimed.ok) return claimed;
    const byNode = new Map<string, Pod[]>();
    for (const pod of claimed.objects) {
      const node = targetNode(pod);
      const list = byNode.get(node);
      if (list === undefined) byNode.set(node, [pod]);
      else list.push(pod);
    }
    return new Map([...byNode.keys()].sort().map((node) => [node, byNode.get(node) as Pod[]]));
  }

  /** Upstream constructHistory. */
  *#currentRevision(set: DaemonSet, history: readonly ControllerRevision[]): Task<ControllerRevision | ApiFailure> {
    const { client } = this.#context;
    const data = templatePatch(set.spec.template);
    const sorted = [...history].sort(byRevision);
    const collisionCount = set.status?.collisionCount ?? 0;
    const hash = revisionHash(data, collisionCount);
    const draft = draftRevision(
      this.#history(set),
      data,
      hash,
      0,
      { ...set.spec.template.metadata?.labels, [daemonHashLabel]: hash },
      set.metadata.annotations,
    );
    const same = sorted.filter((revision) => sameRevision(revision, draft)).at(-1);
    const others = sorted.filter((revision) => !sameRevision(revision, draft));
    const number = (others.at(-1)?.revision ?? 0) + 1;
    if (same !== undefined) {
      if (same.revision >= number) return same;
      const renumbered = yield* renumberRevision(client, same, number);
      return renumbered.ok ? renumbered.object : renumbered;
    }
    const created = yield* createRevision(client, { ...draft, revision: number });
    if (created !== 'collision') return created;
    const status = { ...emptyStatus, ...set.status, collisionCount: collisionCount + 1 };
    const written = yield* client.resource(DAEMON_SETS).updateStatus({ ...set, status });
    return written.ok
      ? { ok: false, reason: 'Collision', code: 0, message: `found hash collision for DaemonSet ${objectKey(set)}`, sent: true }
      : written;
  }

  /** Upstream manage and podsShouldBeOnNode. */
  *#manage(key: string, set: DaemonSet, pods: DaemonPods, hash: string): Task<ApiFailure | undefined> {
    const createOn: string[] = [];
    const deletePods: Pod[] = [];
    const desired = this.#nodes.list().filter((node) => daemonOnNode(set, node).run).length;
    for (const node of this.#nodes.list()) {
      const name = node.metadata.name ?? '';
      const { run, stay } = daemonOnNode(set, node);
      const onNode = pods.get(name) ?? [];
      if (run && onNode.length === 0) createOn.push(name);
      else if (stay) deletePods.push(...this.#superfluous(key, set, name, onNode, hash, desired));
      else deletePods.push(...onNode.filter((pod) => pod.metadata.deletionTimestamp === undefined));
    }
    for (const [node, onNode] of pods) {
      // Pods that wait for a node that is gone wait for ever.
      if (this.#nodes.get(node) === undefined)
        deletePods.push(...onNode.filter((pod) => (pod.spec.nodeName ?? '') === '' && pod.metadata.deletionTimestamp === undefined));
    }
    return yield* this.#syncNodes(key, set, deletePods, createOn, hash);
  }

  #superfluous(key: string, set: DaemonSet, node: string, onNode: readonly Pod[], hash: string, desired: number): readonly Pod[] {
    const deletePods: Pod[] = [];
    const running: Pod[] = [];
    for (const pod of onNode) {
      if (pod.metadata.deletionTimestamp !== undefined) continue;
      const who = `${pod.metadata.namespace}/${pod.metadata.name} on node ${node}`;
      if (pod.status?.phase === 'Failed') {
        if (this.#backsOff(key, set, node)) continue;
        this.#recorder.event(set, 'Warning', 'FailedDaemonPod', `Found failed daemon pod ${who}, will try to kill it`);
        deletePods.push(pod);
      } else if (pod.status?.phase === 'Succeeded') {
        this.#recorder.event(set, 'Normal', 'SucceededDaemonPod', `Found succeeded daemon pod ${who}, will try to delete it`);
        deletePods.push(pod);
      } else running.push(pod);
    }
    if (running.length <= 1) return deletePods;
    running.sort(byAge);
    if (!allowsSurge(set, desired)) return [...deletePods, ...running.slice(1)];
    const newest = running.find((pod) => isUpdated(pod, hash));
    const oldest = running.find((pod) => !isUpdated(pod, hash));
    deletePods.push(...running.filter((pod) => pod !== newest && pod !== oldest));
    if (newest !== undefined && oldest !== undefined) {
      if (!isPodReady(oldest) || isPodAvailable(newest, set.spec.minReadySeconds ?? 0, this.#context.process.wall()))
        deletePods.push(oldest);
    }
    return deletePods;
  }

  /** Whether failed pods of the node must still be left alone; starts the next back-off where not. */
  #backsOff(key: string, set: DaemonSet, node: string): boolean {
    const entry = `${set.metadata.uid}/${set.status?.observedGeneration ?? 0}/${node}`;
    const now = this.#context.process.mono();
    const last = this.#failed.get(entry);
    if (last !== undefined && now - last.at < last.delay) {
      this.#queue.addAfter(key, last.delay - (now - last.at));
      return true;
    }
    const delay = last === undefined || now - last.at > 2 * failedMax ? failedFirst : Math.min(failedMax, last.delay * 2);
    this.#failed.set(entry, { delay, at: now });
    return false;
  }

  *#roll(key: string, set: DaemonSet, hash: string): Task<ApiFailure | undefined> {
    if (set.spec.updateStrategy?.type !== 'RollingUpdate') return undefined;
    const pods = yield* this.#podsByNode(set);
    if ('ok' in pods) return pods;
    const desired = this.#nodes.list().filter((node) => daemonOnNode(set, node).run).length;
    // Upstream walks a map of Go here, which begins anywhere.
    const anyOrder = new Map(this.#context.process.random.shuffle([...pods]));
    const plan = planRollout(set, anyOrder, hash, desired, this.#context.process.wall());
    return yield* this.#syncNodes(key, set, plan.deletePods, plan.createOn, hash);
  }

  *#syncNodes(
    key: string,
    set: DaemonSet,
    deletePods: readonly Pod[],
    createOn: readonly string[],
    hash: string,
  ): Task<ApiFailure | undefined> {
    const { process } = this.#context;
    const creations = createOn.slice(0, burst);
    const deletions = deletePods.slice(0, burst);
    if (creations.length + deletions.length === 0) return undefined;
    this.#expectations.set(key, creations.length, deletions.length);
    const podControl = this.#podControl;
    const expectations = this.#expectations;
    const batch = yield* slowStartBatch(process, creations.length, 1, function* (i) {
      const template = daemonTemplate(set, creations[i] as string, hash);
      const created = yield* podControl.create(podFromTemplate(template, set, newControllerRef(set, 'apps/v1', 'DaemonSet')), set);
      return created.ok || isNamespaceTerminating(created) ? undefined : created;
    });
    for (let i = batch.successes; i < creations.length; i++) expectations.creationObserved(key);
    const failures = yield* all(
      process,
      deletions.map(function* (pod): Task<ApiFailure | undefined> {
        const failure = yield* podControl.delete(pod.metadata.namespace ?? '', pod.metadata.name ?? '', set);
        if (failure !== undefined) expectations.deletionObserved(key);
        return failure !== undefined && !isNotFound(failure) ? failure : undefined;
      }),
    );
    return batch.error ?? failures.find((failure) => failure !== undefined);
  }

  *#cleanHistory(
    set: DaemonSet,
    history: readonly ControllerRevision[],
    current: ControllerRevision,
    pods: DaemonPods,
  ): Task<ApiFailure | undefined> {
    const used = new Set([...pods.values()].flat().map((pod) => pod.metadata.labels?.[daemonHashLabel]));
    const old = history.filter((revision) => revision.metadata.name !== current.metadata.name);
    // Upstream counts the live ones against the limit too, and deletes only others.
    const excess = old.length - (set.spec.revisionHistoryLimit ?? 10);
    if (excess <= 0) return undefined;
    const unused = old.filter((revision) => !used.has(revision.metadata.labels?.[daemonHashLabel]));
    return yield* truncateHistory(this.#context.client, unused, () => false, Math.max(0, unused.length - excess));
  }

  #awaitAvailability(key: string, set: DaemonSet, pods: DaemonPods): void {
    const now = this.#context.process.wall();
    for (const pod of [...pods.values()].flat()) {
      const at = podAvailableAt(pod, set.spec.minReadySeconds ?? 0, now);
      if (at !== undefined) this.#queue.addAfter(key, at - now);
    }
  }

  /** Upstream updateDaemonSetStatus. */
  *#writeStatus(set: DaemonSet, pods: DaemonPods, hash: string, observed: boolean): Task<ApiFailure | undefined> {
    const now = this.#context.process.wall();
    const count = { desired: 0, current: 0, misscheduled: 0, ready: 0, updated: 0, available: 0 };
    for (const node of this.#nodes.list()) {
      const onNode = pods.get(node.metadata.name ?? '') ?? [];
      const { run } = daemonOnNode(set, node);
      if (!run) {
        if (onNode.length > 0) count.misscheduled++;
        continue;
      }
      count.desired++;
      const first = [...onNode].sort(byAge)[0];
      if (first === undefined) continue;
      count.current++;
      if (isPodReady(first)) {
        count.ready++;
        if (isPodAvailable(first, set.spec.minReadySeconds ?? 0, now)) count.available++;
      }
      if (isUpdated(first, hash)) count.updated++;
    }
    const unavailable = count.desired - count.available;
    const generation = observed ? set.metadata.generation : set.status?.observedGeneration;
    const status: DaemonSetStatus = {
      currentNumberScheduled: count.current,
      numberMisscheduled: count.misscheduled,
      desiredNumberScheduled: count.desired,
      numberReady: count.ready,
      ...(generation !== undefined ? { observedGeneration: generation } : {}),
      ...(count.updated > 0 ? { updatedNumberScheduled: count.updated } : {}),
      ...(count.available > 0 ? { numberAvailable: count.available } : {}),
      ...(unavailable > 0 ? { numberUnavailable: unavailable } : {}),
      ...(set.status?.collisionCount !== undefined ? { collisionCount: set.status.collisionCount } : {}),
      ...(set.status?.conditions !== undefined ? { conditions: set.status.conditions } : {}),
    };
    if (semanticEqual(status, set.status)) return undefined;
    const sets = this.#context.client.resource(DAEMON_SETS);
    const written = yield* sets.updateStatus({ ...set, status });
    if (written.ok || !isConflict(written)) return written.ok ? undefined : written;
    const fresh = yield* sets.get(set.metadata.namespace ?? '', set.metadata.name ?? '');
    if (!fresh.ok) return fresh;
    const again = yield* sets.updateStatus({ ...fresh.object, status });
    return again.ok ? undefined : again;
  }
}

const emptyStatus: DaemonSetStatus = { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 };
