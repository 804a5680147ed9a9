import type { Process } from '../../../sim/process.ts';
import type { Task } from '../../../sim/task.ts';
import { SECOND, type Micros } from '../../../sim/time.ts';
import type { Json } from '../../api/object.ts';
import { formatMicroTime } from '../../api/time.ts';
import type { Lease, Node, NodeStatus } from '../../api/types.ts';
import { Informer } from '../../client/informer.ts';
import { LEASES, NODES } from '../../client/resources.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../../client/result.ts';
import type { Client } from '../../client/typed-client.ts';
import type { Facts } from '../../facts.ts';
import type { KubeletConfig, NodeSpec } from '../config.ts';
import { REGISTRATION_RETRY_US } from '../config.ts';
import type { ImageRecord } from '../cri.ts';
import { sameStatus } from '../status/same-status.ts';
import { JitteredTicks } from './jittered-ticks.ts';
import { newNode, type NodeHealth, nodeStatus, registrationLabels, standardLabels } from './node-object.ts';

export interface NodeAgentOptions {
  readonly process: Process;
  readonly client: Client;
  readonly spec: NodeSpec;
  readonly config: KubeletConfig;
  readonly facts: Facts;
  readonly watchList: boolean;
  readonly health: () => NodeHealth;
  readonly images: () => readonly ImageRecord[];
  readonly runtimeVersion: () => string;
}

const LEASE_NAMESPACE = 'kube-node-lease';
/** A registration that fails is tried again after 100 ms, 200 ms … 7 s. */
const REGISTRATION_RETRY_MAX: Micros = 7 * SECOND;
/** Upstream nodeStatusUpdateRetry. */
const STATUS_TRIES = 5;
/** Heartbeats use a client of their own with a shorter time-out: the smaller of the lease's duration and the status period. */
const HEARTBEAT_TIMEOUT: Micros = 10 * SECOND;

/** The kubelet's own Node: registration, Lease and status. Upstream kubelet_node_status.go and component-helpers lease. */
export class NodeAgent {
  readonly node: Informer<Node>;
  readonly #options: NodeAgentOptions;
  readonly #looks: JitteredTicks;
  #registered = false;
  #initialising = true;
  #lastReport: Micros = 0;
  #reportJitter: Micros = 0;
  #timer = 0;
  #dirty = true;
  #busy = false;

  constructor(options: NodeAgentOptions) {
    this.#options = options;
    this.#looks = new JitteredTicks(options.process, options.config.nodeStatusUpdateFrequencyUs);
    this.node = new Informer(options.client.transport, NODES, {
      fieldSelector: `metadata.name=${options.spec.name}`,
      watchList: options.watchList,
    });
    this.node.addHandler({
      onAdd: (node) => this.#nodeSeen(node),
      onUpdate: (_before, node) => this.#nodeSeen(node),
    });
  }

  start(): void {
    this.node.start();
    this.#options.process.spawn('node-registration', this.#register());
    this.#options.process.spawn('node-lease', this.#renewLease());
  }

  get labels(): Readonly<Record<string, string>> {
    return this.node.get(this.#options.spec.name)?.metadata.labels ?? registrationLabels(this.#options.spec);
  }

  /** Something in the node's health or images changed: reported at the next look, or at once. */
  changed(now = false): void {
    this.#dirty = true;
    if (!this.#registered) return;
    if (now && !this.#busy) this.#report();
    else this.#arm();
  }

  #status(before: NodeStatus | undefined): NodeStatus {
    const { process, spec, config } = this.#options;
    const health = this.#options.health();
    return nodeStatus({
      spec,
      config,
      health: this.#initialising ? { ...health, problems: [...health.problems, 'CSINode is not yet initialized'] } : health,
      images: this.#options.images(),
      runtimeVersion: this.#options.runtimeVersion(),
      bootId: `${spec.name}-boot-${process.host.boots}`,
      before,
      now: process.wall(),
    });
  }

  *#register(): Task<void> {
    const { process, client, spec, facts, config } = this.#options;
    const nodes = client.resource(NODES);
    let delay = REGISTRATION_RETRY_US;
    for (;;) {
      // Upstream pauses before the first try too.
      yield* process.sleep(delay);
      delay = Math.min(delay * 2, REGISTRATION_RETRY_MAX);
      const created = yield* nodes.create(newNode(spec, this.#status(undefined)));
      if (created.ok) break;
      if (isAlreadyExists(created)) {
        const found = yield* nodes.get('', spec.name);
        if (found.ok && (yield* this.#reconcile(found.object))) break;
      }
    }
    this.#registered = true;
    const { reserved } = config;
    facts.nodeCapacity.emit(spec.name, spec.cpuMilli - reserved.cpuMilli, spec.memoryBytes - reserved.memoryBytes, config.maxPods);
    // The CSINode object follows: until then the node says that it is not ready.
    yield* process.sleep(100_000);
    this.#initialising = false;
    yield* this.#sendStatus();
    const { nodeStatusReportFrequencyUs } = config;
    // The first report is spread so that a whole cluster does not report at one time.
    this.#reportJitter = Math.floor(nodeStatusReportFrequencyUs / 2) - process.random.below(nodeStatusReportFrequencyUs);
    this.#arm();
  }

  /** A Node of that name is there already: its labels are put right, its taints stay. Upstream tryRegisterWithAPIServer. */
  *#reconcile(existing: Node): Task<boolean> {
    const labels = { ...existing.metadata.labels, ...standardLabels(this.#options.spec), ...this.#options.spec.labels };
    const same = Object.keys(labels).every((key) => existing.metadata.labels?.[key] === labels[key as keyof typeof labels]);
    if (same) return true;
    const patched = yield* this.#options.client
      .resource(NODES)
      .patch('', this.#options.spec.name, 'strategic', { metadata: { labels } } as Json);
    return patched.ok;
  }

  /** A look every 10 s at what may have changed; without news only the report every 5 minutes is worth a timer. */
  #arm(): void {
    const { process, config } = this.#options;
    const now = process.mono();
    const reportDue = this.#lastReport + config.nodeStatusReportFrequencyUs + this.#reportJitter;
    const at = this.#looks.after(this.#dirty ? now : Math.max(now, reportDue - 1));
    process.cancel(this.#timer);
    this.#timer = process.after(at - now, () => this.#report());
  }

  #report(): void {
    if (this.#busy) return;
    this.#busy = true;
    this.#options.process.spawn('node-status', this.#reportWithRetries());
  }

  *#reportWithRetries(): Task<void> {
    this.#dirty = false;
    let sent = false;
    for (let attempt = 0; attempt < STATUS_TRIES && !sent; attempt++) {
      sent = yield* this.#sendStatus();
      // Upstream onRepeatedHeartbeatFailure: stuck connections are closed, and the next try may reach another server.
      if (!sent && attempt > 0) this.#options.client.transport.closeConnections();
    }
    if (!sent) this.#dirty = true;
    this.#busy = false;
    this.#arm();
  }

  *#sendStatus(): Task<boolean> {
    const { process, client, spec, config } = this.#options;
    const nodes = client.resource(NODES);
    let current = this.node.get(spec.name);
    if (current === undefined) {
      const got = yield* nodes.get('', spec.name, { timeoutUs: 10 * SECOND });
      // A deleted Node comes back when the kubelet restarts, not before.
      if (!got.ok) return isNotFound(got);
      current = got.object;
    }
    const before = current.status;
    const status = this.#status(before);
    const labels = standardLabels(spec);
    const labelsRight = Object.keys(labels).every((key) => current.metadata.labels?.[key] === labels[key]);
    const due = process.mono() >= this.#lastReport + config.nodeStatusReportFrequencyUs + this.#reportJitter;
    if (!labelsRight) {
      const patched = yield* nodes.patch('', spec.name, 'strategic', { metadata: { labels: { ...labels } } } as Json, {
        timeoutUs: 10 * SECOND,
      });
      if (!patched.ok) return false;
    }
    if (labelsRight && !due && before !== undefined && sameStatus(withoutHeartbeat(status), withoutHeartbeat(before))) return true;
    const patch: Record<string, unknown> = {};
    for (const key of ['capacity', 'allocatable', 'addresses', 'daemonEndpoints', 'nodeInfo', 'images'] as const) {
      if (!sameStatus(status[key], before?.[key])) patch[key] = status[key];
    }
    patch['conditions'] = (status.conditions ?? []).filter((condition) => before?.conditions?.includes(condition) !== true);
    const patched = yield* nodes.patch('', spec.name, 'strategic', { status: patch } as Json, {
      subresource: 'status',
      timeoutUs: 10 * SECOND,
    });
    if (!patched.ok) return isNotFound(patched);
    const first = this.#lastReport === 0;
    this.#lastReport = process.mono();
    if (!first) this.#reportJitter = 0;
    return true;
  }

  #nodeSeen(node: Node): void {
    if (!this.#registered || this.#busy) return;
    const labels = standardLabels(this.#options.spec);
    const labelsRight = Object.keys(labels).every((key) => node.metadata.labels?.[key] === labels[key]);
    const status = this.#status(node.status);
    if (labelsRight && node.status !== undefined && sameStatus(withoutHeartbeat(status), withoutHeartbeat(node.status))) return;
    this.#dirty = true;
    this.#arm();
  }

  *#renewLease(): Task<void> {
    const { process, config } = this.#options;
    const interval = Math.floor((config.nodeLeaseDurationSeconds * SECOND) / 4);
    let lease: Lease | undefined;
    for (;;) {
      lease = yield* this.#renewOnce(lease);
      // Renewals are spread by up to 4 %.
      yield* process.sleep(interval + process.random.below(Math.floor(interval / 25) + 1));
    }
  }

  /** Upstream lease controller sync: assumes that nobody else touched the lease, and looks only when that was wrong. */
  *#renewOnce(known: Lease | undefined): Task<Lease | undefined> {
    if (known !== undefined) {
      const renewed = yield* this.#updateLease(known);
      if (renewed !== undefined) return renewed;
    }
    const ensured = yield* this.#ensureLease();
    if (ensured === undefined || ensured.created) return ensured?.lease;
    return (yield* this.#updateLease(ensured.lease)) ?? ensured.lease;
  }

  *#updateLease(base: Lease): Task<Lease | undefined> {
    const { process, client } = this.#options;
    let lease = base;
    for (let attempt = 0; attempt < STATUS_TRIES; attempt++) {
      const renewTime = formatMicroTime(process.wall());
      const updated = yield* client
        .resource(LEASES)
        .update({ ...lease, spec: { ...lease.spec, renewTime } }, { timeoutUs: HEARTBEAT_TIMEOUT });
      if (updated.ok) return updated.object;
      // Somebody else wrote it: with the newest version the next try goes through.
      if (isConflict(updated)) lease = (yield* this.#ensureLease())?.lease ?? lease;
      else if (isNotFound(updated)) return undefined;
      else if (attempt > 0) client.transport.closeConnections();
    }
    return undefined;
  }

  /** Gets the lease or makes it, however long that takes; not before there is a Node that owns it, which is looked at again with the next renewal. */
  *#ensureLease(): Task<{ readonly lease: Lease; readonly created: boolean } | undefined> {
    const { process, client, spec } = this.#options;
    const leases = client.resource(LEASES);
    let delay = REGISTRATION_RETRY_US;
    for (;;) {
      const got = yield* leases.get(LEASE_NAMESPACE, spec.name, { timeoutUs: HEARTBEAT_TIMEOUT });
      if (got.ok) return { lease: got.object, created: false };
      if (isNotFound(got)) {
        const owner = yield* client.resource(NODES).get('', spec.name, { timeoutUs: HEARTBEAT_TIMEOUT });
        if (!owner.ok) return undefined;
        const lease = this.#newLease(owner.object.metadata.uid ?? '', formatMicroTime(process.wall()));
        const created = yield* leases.create(lease, { timeoutUs: HEARTBEAT_TIMEOUT });
        if (created.ok) return { lease: created.object, created: true };
      }
      delay = Math.min(delay * 2, REGISTRATION_RETRY_MAX);
      yield* process.sleep(delay);
    }
  }

  #newLease(nodeUid: string, renewTime: string): Lease {
    const { spec, config } = this.#options;
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name: spec.name,
        namespace: LEASE_NAMESPACE,
        ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: spec.name, uid: nodeUid }],
      },
      spec: { holderIdentity: spec.name, leaseDurationSeconds: config.nodeLeaseDurationSeconds, renewTime },
    };
  }
}

function withoutHeartbeat(status: NodeStatus): NodeStatus {
  return { ...status, conditions: (status.conditions ?? []).map(({ lastHeartbeatTime: _heartbeat, ...condition }) => condition) };
}
