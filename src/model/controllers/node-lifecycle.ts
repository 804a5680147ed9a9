import type { Lease, Node, NodeCondition, Pod, Taint } from '../api/types.ts';
import { formatTime, parseTime } from '../api/time.ts';
import type { EventRecorder } from '../client/events.ts';
import type { Informer } from '../client/informer.ts';
import { LEASES, NODES, PODS } from '../client/resources.ts';
import { isNotFound } from '../client/result.ts';
import { runWorkers, WorkQueue, type ReconcileError } from '../client/work-queue.ts';
import { objectKey } from '../client/reflector.ts';
import type { Task } from '../../sim/task.ts';
import { MILLISECOND, type Micros } from '../../sim/time.ts';
import type { ControllerContext, ControllerRow } from './context.ts';
import {
  hasTaint,
  nodeCondition,
  TAINT_DISK_PRESSURE,
  TAINT_MEMORY_PRESSURE,
  TAINT_NETWORK_UNAVAILABLE,
  TAINT_NOT_READY,
  TAINT_PID_PRESSURE,
  TAINT_UNREACHABLE,
  TAINT_UNSCHEDULABLE,
  withPodCondition,
  zoneKey,
} from './node-conditions.ts';
import { swapTaints } from './node-taints.ts';
import { computeZoneState, evictionRate, ZoneEvictionQueue, type ZoneState } from './zone-eviction.ts';

const LEASE_NAMESPACE = 'kube-node-lease';
const NOT_READY_NO_EXECUTE: Taint = { key: TAINT_NOT_READY, effect: 'NoExecute' };
const UNREACHABLE_NO_EXECUTE: Taint = { key: TAINT_UNREACHABLE, effect: 'NoExecute' };
/** Conditions that become Unknown when a kubelet falls silent, in upstream's order. */
const KUBELET_CONDITIONS = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const;
/** Upstream nodeConditionToTaintKeyStatusMap. */
const CONDITION_TAINTS: readonly { readonly type: string; readonly status: string; readonly key: string }[] = [
  { type: 'Ready', status: 'False', key: TAINT_NOT_READY },
  { type: 'Ready', status: 'Unknown', key: TAINT_UNREACHABLE },
  { type: 'MemoryPressure', status: 'True', key: TAINT_MEMORY_PRESSURE },
  { type: 'DiskPressure', status: 'True', key: TAINT_DISK_PRESSURE },
  { type: 'NetworkUnavailable', status: 'True', key: TAINT_NETWORK_UNAVAILABLE },
  { type: 'PIDPressure', status: 'True', key: TAINT_PID_PRESSURE },
];
const HEALTH_UPDATE_RETRIES = 5;

/** What the controller remembers of a node: upstream nodeHealthData. */
interface NodeHealth {
  /** When we last saw a sign of life, on our own clock. */
  probeAt: Micros;
  readonly uid: string;
  heartbeat: string | undefined;
  leaseRenewTime: string | undefined;
  /** Status of the Ready condition after our last look. */
  ready: string;
  zone: string;
}

/** Notices silent kubelets, taints their nodes, marks their pods not ready: pkg/controller/nodelifecycle. */
export const nodeLifecycleController: ControllerRow = {
  name: 'node-lifecycle-controller',
  start: (context) => new NodeLifecycle(context).start(),
};

/** Long as upstream's Controller is: monitoring, tainting and eviction queues change one record of each node's health. */
class NodeLifecycle {
  readonly #context: ControllerContext;
  readonly #nodes: Informer<Node>;
  readonly #leases: Informer<Lease>;
  readonly #pods: Informer<Pod>;
  readonly #recorder: EventRecorder;
  readonly #taintQueue: WorkQueue;
  readonly #podQueue: WorkQueue;
  readonly #health = new Map<string, NodeHealth>();
  readonly #zoneQueues = new Map<string, ZoneEvictionQueue>();
  readonly #zoneStates = new Map<string, ZoneState>();
  /** Nodes whose object changed since the last look at them. */
  readonly #dirty = new Set<string>();
  /** Nodes by last sign of life, oldest first: each sign moves its node to the end. */
  readonly #byProbe = new Map<string, NodeHealth>();
  #startedAt: Micros = 0;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#nodes = context.informer(NODES);
    this.#leases = context.informers.informer(LEASES, { namespace: LEASE_NAMESPACE });
    this.#pods = context.informer(PODS);
    this.#recorder = context.recorder('node-controller');
    this.#taintQueue = new WorkQueue(context.process);
    this.#podQueue = new WorkQueue(context.process);
  }

  start(): void {
    const { process } = this.#context;
    this.#pods.addIndex('spec.nodeName', (pod) => (pod.spec.nodeName === undefined ? [] : [pod.spec.nodeName]));
    this.#nodes.addHandler({
      onAdd: (node) => this.#nodeChanged(node),
      onUpdate: (_, node) => this.#nodeChanged(node),
      onDelete: (node) => {
        this.#dirty.add(node.metadata.name ?? '');
      },
    });
    this.#leases.addHandler({ onAdd: (lease) => this.#leaseChanged(lease), onUpdate: (_, lease) => this.#leaseChanged(lease) });
    this.#pods.addHandler({
      onAdd: (pod) => {
        if (pod.spec.nodeName !== undefined) this.#podQueue.add(objectKey(pod));
      },
      onUpdate: (before, pod) => {
        if (pod.spec.nodeName !== undefined && before.spec.nodeName !== pod.spec.nodeName) this.#podQueue.add(objectKey(pod));
      },
    });
    this.#context.whenSynced([this.#nodes, this.#leases, this.#pods], () => {
      runWorkers(process, 'node-taints', this.#taintQueue, 8, (key) => this.#doNoScheduleTaints(key));
      runWorkers(process, 'node-pods', this.#podQueue, 4, (key) => this.#processPod(key));
      this.#startedAt = process.mono();
      process.spawn('node-monitor', this.#monitorLoop());
    });
  }

  #nodeChanged(node: Node): void {
    const name = node.metadata.name ?? '';
    this.#dirty.add(name);
    this.#taintQueue.add(name);
  }

  /**
   * Upstream reads all leases at every tick and notes when it sees a newer one. A lease seen now counts from the next tick: the same
   * moment, without looking at nodes of which nothing was heard.
   */
  #leaseChanged(lease: Lease): void {
    const health = this.#health.get(lease.metadata.name ?? '');
    if (health === undefined || !isNewer(lease.spec.renewTime, health.leaseRenewTime)) return;
    health.leaseRenewTime = lease.spec.renewTime;
    this.#alive(lease.metadata.name ?? '', health, this.#nextTick());
  }

  #nextTick(): Micros {
    const period = this.#context.config.nodeMonitorPeriodUs;
    return this.#startedAt + Math.ceil((this.#context.process.mono() - this.#startedAt) / period) * period;
  }

  #alive(name: string, health: NodeHealth, at: Micros): void {
    health.probeAt = at;
    this.#byProbe.delete(name);
    this.#byProbe.set(name, health);
  }

  *#monitorLoop(): Task<void> {
    const { process, config } = this.#context;
    for (let tick = 1; ; tick++) {
      yield* this.#monitor();
      // wait.UntilWithContext: a slow pass delays the next one. The grid only serves the lease shortcut above.
      yield* process.sleep(Math.max(0, this.#startedAt + tick * config.nodeMonitorPeriodUs - process.mono()));
    }
  }

  /** Upstream monitorNodeHealth, on the nodes that something happened to or that have been silent for too long. */
  *#monitor(): Task<void> {
    const { process, config } = this.#context;
    const now = process.mono();
    const due = new Set(this.#dirty);
    this.#dirty.clear();
    const shortest = Math.min(config.nodeMonitorGracePeriodUs, config.nodeStartupGracePeriodUs);
    for (const [name, health] of this.#byProbe) {
      if (health.probeAt + shortest > now) break;
      // A node that is known to be silent stays so until it says something.
      if (health.ready !== 'Unknown') due.add(name);
    }
    if (due.size === 0) return;
    for (const name of [...due].sort()) {
      const node = this.#nodes.get(name);
      if (node === undefined) this.#forgetNode(name);
      else yield* this.#monitorNode(node, now);
    }
    // Where every node falls silent it is more likely that we are cut off: without this all pods would go (kubernetes#24200, #28832).
    if (!this.#context.defects.has('K15')) this.#handleDisruption(now);
  }

  #forgetNode(name: string): void {
    const health = this.#health.get(name);
    if (health === undefined) return;
    this.#health.delete(name);
    this.#byProbe.delete(name);
    this.#zoneQueues.get(health.zone)?.remove(name);
    this.#recorder.event(
      { kind: 'Node', name, uid: health.uid, apiVersion: 'v1', namespace: '' },
      'Normal',
      'RemovingNode',
      `Node ${name} event: Removing Node ${name} from Controller`,
    );
  }

  *#monitorNode(first: Node, now: Micros): Task<void> {
    const { process } = this.#context;
    let node = first;
    const name = node.metadata.name ?? '';
    if (this.#health.get(name) !== undefined && this.#health.get(name)?.uid !== node.metadata.uid) this.#forgetNode(name);
    if (!this.#health.has(name)) {
      this.#recorder.event(node, 'Normal', 'RegisteredNode', `Node ${name} event: Registered Node ${name} in Controller`);
    }
    for (let attempt = 0; attempt < HEALTH_UPDATE_RETRIES; attempt++) {
      const seen = yield* this.#updateHealth(node, now);
      if (seen !== undefined) {
        yield* this.#afterHealth(node, seen.observed, seen.current);
        return;
      }
      yield* process.sleep(20 * MILLISECOND);
      const read = yield* this.#context.client.resource(NODES).get('', name);
      if (!read.ok) return;
      node = read.object;
    }
    this.#dirty.add(name);
  }

  /** Upstream tryUpdateNodeHealth. Undefined: the write failed, try again. */
  *#updateHealth(node: Node, now: Micros): Task<{ readonly observed: string; readonly current: string } | undefined> {
    const { process, config, facts, client } = this.#context;
    const name = node.metadata.name ?? '';
    const condition = nodeCondition(node, 'Ready');
    const heartbeat = condition?.lastHeartbeatTime;
    const lease = this.#leases.get(`${LEASE_NAMESPACE}/${name}`);
    let health = this.#health.get(name);
    if (health === undefined) {
      // A node that never posted a status counts from its creation (by our wall clock), any other from now.
      const age = condition === undefined ? process.wall() - (parseTime(node.metadata.creationTimestamp ?? '') ?? process.wall()) : 0;
      health = {
        probeAt: now - Math.max(0, age),
        uid: node.metadata.uid ?? '',
        heartbeat,
        leaseRenewTime: lease?.spec.renewTime,
        ready: condition?.status ?? 'Unknown?',
        zone: zoneKey(node),
      };
      this.#health.set(name, health);
      this.#alive(name, health, health.probeAt);
    } else if (condition !== undefined && heartbeat !== health.heartbeat) {
      health.heartbeat = heartbeat;
      this.#alive(name, health, now);
    }
    this.#moveZone(name, health, zoneKey(node));
    if (isNewer(lease?.spec.renewTime, health.leaseRenewTime)) {
      health.leaseRenewTime = lease?.spec.renewTime;
      this.#alive(name, health, now);
    }
    const observed = condition?.status ?? 'Unknown';
    const grace = condition === undefined ? config.nodeStartupGracePeriodUs : config.nodeMonitorGracePeriodUs;
    // Upstream asks for `now` to be later; its ticks drift by their own duration, so the tick at the full grace period is. Ours do not drift.
    if (now < health.probeAt + grace) {
      health.ready = condition?.status ?? 'Unknown?';
      return { observed, current: observed };
    }
    const conditions = silentConditions(node, formatTime(process.wall()));
    health.ready = 'Unknown';
    if (conditions === undefined) return { observed, current: 'Unknown' };
    const written = yield* client.resource(NODES).updateStatus({ ...node, status: { ...node.status, conditions } });
    if (!written.ok) {
      health.ready = observed;
      return undefined;
    }
    facts.nodeCondition.emit(name, 'Unknown');
    return { observed, current: 'Unknown' };
  }

  *#afterHealth(node: Node, observed: string, current: string): Task<void> {
    const name = node.metadata.name ?? '';
    const queue = this.#zoneQueue(zoneKey(node));
    switch (current) {
      case 'False':
        if (hasTaint(node, TAINT_UNREACHABLE, 'NoExecute'))
          yield* swapTaints(this.#context.client, node, [NOT_READY_NO_EXECUTE], [UNREACHABLE_NO_EXECUTE]);
        else {
          if (!hasTaint(node, TAINT_NOT_READY, 'NoExecute')) queue.forget(name);
          queue.add(name);
        }
        break;
      case 'Unknown':
        if (hasTaint(node, TAINT_NOT_READY, 'NoExecute'))
          yield* swapTaints(this.#context.client, node, [UNREACHABLE_NO_EXECUTE], [NOT_READY_NO_EXECUTE]);
        else {
          if (!hasTaint(node, TAINT_UNREACHABLE, 'NoExecute')) queue.forget(name);
          queue.add(name);
        }
        break;
      default:
        yield* this.#markReachable(node);
    }
    if (current !== 'True' && observed === 'True') {
      this.#recorder.event(node, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
      for (const pod of this.#pods.byIndex('spec.nodeName', name)) yield* this.#markPodNotReady(pod);
    }
  }

  *#markReachable(node: Node): Task<void> {
    const taints = [UNREACHABLE_NO_EXECUTE, NOT_READY_NO_EXECUTE].filter((taint) => hasTaint(node, taint.key, 'NoExecute'));
    if (taints.length > 0) yield* swapTaints(this.#context.client, node, [], taints);
    this.#zoneQueue(zoneKey(node)).remove(node.metadata.name ?? '');
  }

  /** Upstream controllerutil.MarkPodsNotReady for one pod. */
  *#markPodNotReady(pod: Pod): Task<ReconcileError> {
    const { process, client } = this.#context;
    const ready = pod.status?.conditions?.find((condition) => condition.type === 'Ready');
    if (ready === undefined) return undefined;
    const conditions = withPodCondition(pod, { ...ready, status: 'False', lastTransitionTime: formatTime(process.wall()) });
    if (conditions === undefined) return undefined;
    this.#recorder.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
    const written = yield* client.resource(PODS).updateStatus({ ...pod, status: { ...pod.status, conditions } });
    if (written.ok || isNotFound(written)) return undefined;
    // Tried again from the newest state by the pod worker.
    this.#podQueue.addRateLimited(objectKey(pod));
    return undefined;
  }

  /** A pod that was bound to a node after the node had fallen silent. */
  *#processPod(key: string): Task<ReconcileError> {
    const pod = this.#pods.get(key);
    const nodeName = pod?.spec.nodeName;
    if (pod === undefined || nodeName === undefined) return undefined;
    // Upstream looks at its own record of the node's health: the node's state when the monitor last saw it.
    const health = this.#health.get(nodeName);
    if (health === undefined || this.#nodes.get(nodeName) === undefined) return undefined;
    const ready = nodeCondition(this.#nodes.get(nodeName) as Node, 'Ready');
    if (ready === undefined || ready.status === 'True' || health.ready === 'True') return undefined;
    return yield* this.#markPodNotReady(pod);
  }

  /** Upstream doNoScheduleTaintingPass: the node's conditions as NoSchedule taints. */
  *#doNoScheduleTaints(name: string): Task<ReconcileError> {
    const node = this.#nodes.get(name);
    if (node === undefined) return undefined;
    const wanted: Taint[] = [];
    for (const { type, status, key } of CONDITION_TAINTS) {
      if (nodeCondition(node, type)?.status === status) wanted.push({ key, effect: 'NoSchedule' });
    }
    if (node.spec?.unschedulable === true) wanted.push({ key: TAINT_UNSCHEDULABLE, effect: 'NoSchedule' });
    const ours = (node.spec?.taints ?? []).filter(
      (taint) =>
        taint.effect === 'NoSchedule' && (taint.key === TAINT_UNSCHEDULABLE || CONDITION_TAINTS.some((row) => row.key === taint.key)),
    );
    const add = wanted.filter((taint) => !ours.some((other) => other.key === taint.key));
    const remove = ours.filter((taint) => !wanted.some((other) => other.key === taint.key));
    if (add.length === 0 && remove.length === 0) return undefined;
    const failure = yield* swapTaints(this.#context.client, node, add, remove);
    return failure === undefined || isNotFound(failure) ? undefined : failure;
  }

  /** One node's turn in its zone: gets the NoExecute taint that its state asks for now. */
  *#doNoExecuteTaint(name: string): Task<boolean> {
    const node = this.#nodes.get(name);
    if (node === undefined) return true;
    switch (nodeCondition(node, 'Ready')?.status) {
      case 'False':
        return (yield* swapTaints(this.#context.client, node, [NOT_READY_NO_EXECUTE], [UNREACHABLE_NO_EXECUTE])) === undefined;
      case 'Unknown':
        return (yield* swapTaints(this.#context.client, node, [UNREACHABLE_NO_EXECUTE], [NOT_READY_NO_EXECUTE])) === undefined;
      default:
        return true;
    }
  }

  #zoneQueue(zone: string): ZoneEvictionQueue {
    let queue = this.#zoneQueues.get(zone);
    if (queue === undefined) {
      queue = new ZoneEvictionQueue(this.#context.process, this.#context.config.nodeEvictionRate, (node) => this.#doNoExecuteTaint(node));
      this.#zoneQueues.set(zone, queue);
      this.#zoneStates.set(zone, 'Initial');
    }
    return queue;
  }

  #moveZone(name: string, health: NodeHealth, zone: string): void {
    if (health.zone === zone) return;
    this.#zoneQueues.get(health.zone)?.remove(name);
    health.zone = zone;
  }

  /** Upstream handleDisruption: eviction slows down or stops when the trouble looks like our own. */
  #handleDisruption(now: Micros): void {
    const { config } = this.#context;
    const counts = new Map<string, { ready: number; notReady: number }>();
    for (const health of this.#health.values()) {
      let count = counts.get(health.zone);
      if (count === undefined) {
        count = { ready: 0, notReady: 0 };
        counts.set(health.zone, count);
      }
      if (health.ready === 'True') count.ready++;
      else count.notReady++;
    }
    const zones = [...counts.keys()].sort();
    for (const zone of zones) this.#zoneQueue(zone);
    const stateOf = (zone: string): ZoneState => {
      const { ready, notReady } = counts.get(zone) ?? { ready: 0, notReady: 0 };
      return computeZoneState(ready, notReady, config.unhealthyZoneThreshold);
    };
    const allFull = zones.every((zone) => stateOf(zone) === 'FullDisruption');
    const known = [...this.#zoneStates.keys()].sort();
    const allWereFull = known.every((zone) => this.#zoneStates.get(zone) === 'FullDisruption');
    for (const zone of known) if (!counts.has(zone)) this.#zoneStates.delete(zone);
    if (allFull && !allWereFull) {
      // Nobody answers: more likely it is us. All evictions stop and are taken back.
      for (const name of [...this.#health.keys()].sort()) {
        const node = this.#nodes.get(name);
        if (node !== undefined) this.#context.process.spawn(`reachable/${name}`, this.#markReachable(node));
      }
      for (const zone of zones) {
        this.#zoneQueue(zone).setRate(0);
        this.#zoneStates.set(zone, 'FullDisruption');
      }
      return;
    }
    if (!allFull && allWereFull) {
      // Somebody came back: everybody gets a fresh grace period before anything is evicted.
      for (const name of [...this.#health.keys()].sort()) this.#alive(name, this.#health.get(name) as NodeHealth, now);
      for (const zone of zones) {
        const { ready, notReady } = counts.get(zone) as { ready: number; notReady: number };
        this.#zoneQueue(zone).setRate(evictionRate(stateOf(zone), ready + notReady, config));
        this.#zoneStates.set(zone, stateOf(zone));
      }
      return;
    }
    if (allFull) return;
    for (const zone of zones) {
      const state = stateOf(zone);
      if (this.#zoneStates.get(zone) === state) continue;
      const { ready, notReady } = counts.get(zone) as { ready: number; notReady: number };
      this.#zoneQueue(zone).setRate(evictionRate(state, ready + notReady, config));
      this.#zoneStates.set(zone, state);
    }
  }
}

function isNewer(time: string | undefined, than: string | undefined): boolean {
  if (time === undefined) return false;
  if (than === undefined) return true;
  return (parseTime(time) ?? 0) > (parseTime(than) ?? 0);
}

/** Conditions of a node whose kubelet is silent; undefined when they are so already. */
function silentConditions(node: Node, now: string): readonly NodeCondition[] | undefined {
  const conditions = [...(node.status?.conditions ?? [])];
  let changed = false;
  for (const type of KUBELET_CONDITIONS) {
    const at = conditions.findIndex((condition) => condition.type === type);
    const before = conditions[at];
    if (before === undefined) {
      conditions.push({
        type,
        status: 'Unknown',
        reason: 'NodeStatusNeverUpdated',
        message: 'Kubelet never posted node status.',
        ...(node.metadata.creationTimestamp == null ? {} : { lastHeartbeatTime: node.metadata.creationTimestamp }),
        lastTransitionTime: now,
      });
      changed = true;
    } else if (before.status !== 'Unknown') {
      conditions[at] = {
        ...before,
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
        lastTransitionTime: now,
      };
      changed = true;
    }
  }
  return changed ? conditions : undefined;
}
