import type { Program } from '../../sim/host.ts';
import type { Endpoint } from '../../sim/network.ts';
import type { Process } from '../../sim/process.ts';
import { RpcClient } from '../../sim/rpc.ts';
import type { Task } from '../../sim/task.ts';
import { MINUTE, SECOND, type Micros } from '../../sim/time.ts';
import { labelsMatch, selectorOf } from '../api/label-selector.ts';
import type { Json } from '../api/object.ts';
import type { Node, Pod, PodDisruptionBudget, Taint } from '../api/types.ts';
import { EventBroadcaster, type EventRecorder } from '../client/events.ts';
import { InformerFactory } from '../client/informer-factory.ts';
import type { Informer } from '../client/informer.ts';
import { NODES, POD_DISRUPTION_BUDGETS, PODS } from '../client/resources.ts';
import { ApiTransport } from '../client/transport.ts';
import { Client } from '../client/typed-client.ts';
import { NodeInfo } from '../scheduler/node-info.ts';
import { podInfoOf } from '../scheduler/pod-info.ts';
import { COMPUTE_PORT } from './compute.ts';
import type { NodeGroupState } from './node-groups.ts';
import { isUnneeded, podsToMove } from './scale-down.ts';
import { planScaleUp, templateNode } from './scale-up.ts';

export interface ClusterAutoscalerOptions {
  readonly servers: readonly Endpoint[];
  /** Host of the cloud's API. */
  readonly cloud: string;
}

/** --scan-interval, --scale-down-delay-after-add, --scale-down-unneeded-time, --max-pod-eviction-time, --max-graceful-termination-sec, --max-node-provision-time. */
const SCAN: Micros = 10 * SECOND;
const DELAY_AFTER_ADD: Micros = 10 * MINUTE;
const UNNEEDED: Micros = 10 * MINUTE;
const EVICTION_TIME: Micros = 2 * MINUTE;
const GRACE: Micros = 10 * MINUTE;
const PROVISION_TIME: Micros = 15 * MINUTE;
const EVICTION_RETRY: Micros = 10 * SECOND;
const CALL_TIMEOUT: Micros = 10 * SECOND;
/** Upstream taints.ToBeDeletedTaint. */
const TO_BE_DELETED = 'ToBeDeletedByClusterAutoscaler';
const USER = { name: 'system:serviceaccount:kube-system:cluster-autoscaler', groups: ['system:masters', 'system:authenticated'] };

/**
 * cluster-autoscaler, one replica without leader election: node groups grow for pods that find no place, and shrink when little of a node is used and its
 * pods have a place elsewhere (kubernetes/autoscaler, cluster-autoscaler/core/static_autoscaler.go). Nodes whose machines are gone are taken out by the
 * cloud controller manager. Back-off of groups that fail to grow, priorities and balancing of similar groups are left out.
 */
export function clusterAutoscaler(options: ClusterAutoscalerOptions): Program {
  return { name: 'cluster-autoscaler', restartAfterUs: SECOND, start: (process) => new ClusterAutoscaler(process, options).start() };
}

interface Machine {
  readonly wantedAt: Micros;
  readonly wasReady: boolean;
}

class ClusterAutoscaler {
  readonly #process: Process;
  readonly #client: Client;
  readonly #nodes: Informer<Node>;
  readonly #pods: Informer<Pod>;
  readonly #budgets: Informer<PodDisruptionBudget>;
  readonly #recorder: EventRecorder;
  readonly #cloud: RpcClient;
  /** A fresh autoscaler waits as if it had just added a node: it does not know. */
  #lastScaleUp: Micros;
  /** Machines that run or are ordered: since when it is known, and whether its node has ever been ready. */
  #machines = new Map<string, Machine>();
  /** Nodes that nobody needs, and since when. */
  #unneeded = new Map<string, Micros>();

  constructor(process: Process, options: ClusterAutoscalerOptions) {
    this.#process = process;
    this.#client = new Client(new ApiTransport(process, { servers: options.servers, user: USER, userAgent: 'cluster-autoscaler' }));
    const informers = new InformerFactory(this.#client.transport, { watchList: true });
    this.#nodes = informers.informer(NODES);
    this.#pods = informers.informer(PODS);
    this.#budgets = informers.informer(POD_DISRUPTION_BUDGETS);
    informers.start();
    this.#recorder = new EventBroadcaster(this.#client).recorder({ component: 'cluster-autoscaler' });
    this.#cloud = new RpcClient(process, process.world.network.endpoint(options.cloud, COMPUTE_PORT), { connectTimeoutUs: 5 * SECOND });
    this.#lastScaleUp = process.mono();
  }

  start(): void {
    this.#process.spawn('scan', this.#scan());
  }

  *#scan(): Task<void> {
    yield* this.#nodes.waitForSync();
    yield* this.#pods.waitForSync();
    yield* this.#budgets.waitForSync();
    for (;;) {
      yield* this.#process.sleep(SCAN);
      const answer = yield* this.#cloud.call<readonly NodeGroupState[]>('node-groups', undefined, { timeoutUs: CALL_TIMEOUT });
      if (answer.ok) yield* this.#runOnce(answer.value);
    }
  }

  /** Upstream StaticAutoscaler.RunOnce. */
  *#runOnce(groups: readonly NodeGroupState[]): Task<void> {
    this.#noteReady(groups);
    yield* this.#cleanUp(groups);
    const pending = this.#pods.list().filter(isUnschedulable);
    if (pending.length > 0 && (yield* this.#scaleUp(pending, groups))) return;
    const now = this.#process.mono();
    this.#findUnneeded(groups, now);
    if (now - this.#lastScaleUp < DELAY_AFTER_ADD) return;
    for (const [name, since] of this.#unneeded) {
      if (now - since < UNNEEDED) continue;
      this.#unneeded.delete(name);
      yield* this.#scaleDown(name);
      return;
    }
  }

  /** True when a group grows. */
  *#scaleUp(pending: readonly Pod[], groups: readonly NodeGroupState[]): Task<boolean> {
    const { scaleUp, helpless } = planScaleUp(pending, [...this.#infos(), ...this.#upcoming(groups)], groups);
    for (const { pod, reasons } of helpless)
      this.#recorder.event(pod, 'Normal', 'NotTriggerScaleUp', `pod didn't trigger scale-up: ${counted(reasons)}`);
    if (scaleUp === undefined) return false;
    const { group, by, pods } = scaleUp;
    const asked = yield* this.#cloud.call<boolean>('grow', { group: group.name, by }, { timeoutUs: CALL_TIMEOUT });
    if (!asked.ok) return false;
    this.#lastScaleUp = this.#process.mono();
    const size = group.machines.length;
    const message = `pod triggered scale-up: [{${group.name} ${size}->${size + by} (max: ${group.max})}]`;
    for (const pod of pods) this.#recorder.event(pod, 'Normal', 'TriggeredScaleUp', message);
    return true;
  }

  /** Ready nodes with what runs on them. */
  #infos(): readonly NodeInfo[] {
    const infos = new Map<string, NodeInfo>();
    for (const node of this.#nodes.list()) {
      if (!isReady(node)) continue;
      const info = new NodeInfo(node.metadata.name ?? '');
      info.setNode(node);
      infos.set(info.name, info);
    }
    for (const pod of this.#pods.list()) {
      if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') continue;
      infos.get(pod.spec?.nodeName ?? '')?.addPod(podInfoOf(pod));
    }
    return [...infos.keys()].sort().map((name) => infos.get(name) as NodeInfo);
  }

  /** Machines that are ordered and have never had a ready node. One that had one and lost it holds nothing, and is not waited for. */
  #upcoming(groups: readonly NodeGroupState[]): readonly NodeInfo[] {
    const now = this.#process.mono();
    const isComing = (machine: string): boolean => {
      const since = this.#machines.get(machine);
      return since?.wasReady === false && now - since.wantedAt < PROVISION_TIME;
    };
    return groups.flatMap((group) => group.machines.filter(isComing).map((_machine, i) => templateNode(group, i)));
  }

  #noteReady(groups: readonly NodeGroupState[]): void {
    const before = this.#machines;
    this.#machines = new Map();
    for (const name of groups.flatMap((group) => group.machines)) {
      const known = before.get(name) ?? { wantedAt: this.#process.mono(), wasReady: false };
      const node = this.#nodes.get(name);
      this.#machines.set(name, { ...known, wasReady: known.wasReady || (node !== undefined && isReady(node)) });
    }
  }

  /** Nothing is being removed when a scan begins: a taint that is left is one that could not be taken off, or of a machine that came again. */
  *#cleanUp(groups: readonly NodeGroupState[]): Task<void> {
    for (const name of groups.flatMap((group) => group.machines)) {
      const node = this.#nodes.get(name);
      const taints = node?.spec?.taints ?? [];
      if (node === undefined || !taints.some((taint) => taint.key === TO_BE_DELETED)) continue;
      yield* this.#setTaints(
        node,
        taints.filter((taint) => taint.key !== TO_BE_DELETED),
      );
    }
  }

  #findUnneeded(groups: readonly NodeGroupState[], now: Micros): void {
    const infos = this.#infos();
    const before = this.#unneeded;
    this.#unneeded = new Map();
    const stay = new Set(infos);
    for (const group of groups) {
      let spare = group.machines.length - group.min;
      for (const info of infos) {
        if (spare <= 0) break;
        if (!group.machines.includes(info.name) || info.taints.some((taint) => taint.key === TO_BE_DELETED)) continue;
        stay.delete(info);
        if (isUnneeded(info, [...stay], this.#mayEvict)) {
          this.#unneeded.set(info.name, before.get(info.name) ?? now);
          spare--;
        } else stay.add(info);
      }
    }
  }

  readonly #mayEvict = (pod: Pod): boolean =>
    this.#budgets
      .list()
      .filter((budget) => budget.metadata.namespace === pod.metadata.namespace)
      .filter((budget) => labelsMatch(selectorOf(budget.spec?.selector), pod.metadata.labels ?? {}))
      .every((budget) => (budget.status?.disruptionsAllowed ?? 0) > 0);

  /** Taints the node, moves its pods and gives the machine back; when the pods do not go, the next scan takes the taint off again. */
  *#scaleDown(name: string): Task<void> {
    const node = this.#nodes.get(name);
    const info = this.#infos().find((candidate) => candidate.name === name);
    if (node === undefined || info === undefined) return;
    const moving = podsToMove(info, this.#mayEvict);
    if (typeof moving === 'string') return;
    const seconds = String(Math.floor(this.#process.wall() / SECOND));
    if (!(yield* this.#setTaints(node, [...(node.spec?.taints ?? []), { key: TO_BE_DELETED, value: seconds, effect: 'NoSchedule' }])))
      return;
    this.#recorder.event(node, 'Normal', 'ScaleDown', 'marked the node as toBeDeleted/unschedulable');
    if (yield* this.#drain(moving)) {
      const asked = yield* this.#cloud.call<boolean>('terminate', name, { timeoutUs: CALL_TIMEOUT });
      if (asked.ok) {
        this.#recorder.event(node, 'Normal', 'ScaleDown', 'node removed by cluster autoscaler');
        return;
      }
    }
    this.#recorder.event(node, 'Warning', 'ScaleDownFailed', 'failed to delete the node: its pods or its machine stay');
  }

  /** False where the API server does not take it, or somebody else has written meanwhile. */
  *#setTaints(node: Node, taints: readonly Taint[]): Task<boolean> {
    const { name = '', resourceVersion } = node.metadata;
    const patch = { metadata: { resourceVersion: resourceVersion ?? '' }, spec: { taints } } as unknown as Json;
    return (yield* this.#client.resource(NODES).patch('', name, 'merge', patch)).ok;
  }

  /** Evicts the pods and waits until they are gone. */
  *#drain(pods: readonly Pod[]): Task<boolean> {
    const started = this.#process.mono();
    for (const pod of pods) {
      for (;;) {
        const evicted = yield* this.#client.evict(pod.metadata.namespace ?? '', pod.metadata.name ?? '');
        if (evicted.ok || evicted.code === 404) break;
        if (this.#process.mono() - started > EVICTION_TIME) return false;
        yield* this.#process.sleep(EVICTION_RETRY);
      }
    }
    const isLeft = (pod: Pod): boolean => {
      const now = this.#pods.get(`${pod.metadata.namespace}/${pod.metadata.name}`);
      return now !== undefined && now.metadata.uid === pod.metadata.uid;
    };
    while (pods.some(isLeft)) {
      if (this.#process.mono() - started > GRACE) return false;
      yield* this.#process.sleep(SECOND);
    }
    return true;
  }
}

function isUnschedulable(pod: Pod): boolean {
  if (pod.spec?.nodeName !== undefined || pod.metadata.deletionTimestamp !== undefined) return false;
  const scheduled = pod.status?.conditions?.find((condition) => condition.type === 'PodScheduled');
  return scheduled?.status === 'False' && scheduled.reason === 'Unschedulable';
}

function isReady(node: Node): boolean {
  return node.status?.conditions?.find((condition) => condition.type === 'Ready')?.status === 'True';
}

/** '1 max node group size reached, 2 Insufficient cpu'. */
function counted(reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts.keys()]
    .sort()
    .map((reason) => `${counts.get(reason)} ${reason}`)
    .join(', ');
}
