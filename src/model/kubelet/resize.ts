import { aggregateContainerRequests } from '../api/pod-resources.ts';
import { quantityMilliValue, quantityValue } from '../api/quantity.ts';
import type { Container, Pod, PodCondition } from '../api/types.ts';
import { demandOf } from './admission.ts';
import type { KubeletConfig, NodeSpec } from './config.ts';
import type { ContainerRecord, PodRecords } from './cri.ts';
import type { PodEvents } from './pod-events.ts';
import { recordOf } from './pod-spec.ts';
import { sameStatus } from './status/same-status.ts';

type Resources = Container['resources'];

interface Allocation {
  /** What the node has given each main container. */
  readonly resources: ReadonlyMap<string, Resources>;
  pending: { readonly reason: 'Infeasible' | 'Deferred'; readonly message: string } | undefined;
  /** Generation whose resize is being carried out. */
  inProgress: number | undefined;
}

export interface ResizeOptions {
  readonly spec: NodeSpec;
  readonly config: KubeletConfig;
  readonly events: PodEvents;
  /** Other pods that hold resources, with what they were given. */
  readonly others: (podUid: string) => readonly Pod[];
}

/**
 * Resizes of running pods in place (KEP-1287): what was asked, what the node has given, what the runtime has done. Upstream
 * pkg/kubelet/allocation/allocation_manager.go.
 */
export class ResizeManager {
  readonly #options: ResizeOptions;
  readonly #allocations = new Map<string, Allocation>();

  constructor(options: ResizeOptions) {
    this.#options = options;
  }

  /** A pod that was admitted has what it asks for. */
  admit(pod: Pod): void {
    this.#allocations.set(pod.metadata.uid ?? '', { resources: resourcesOf(pod), pending: undefined, inProgress: undefined });
  }

  forget(podUid: string): void {
    this.#allocations.delete(podUid);
  }

  /** The pod as the node runs it: with the resources that it was given, after having tried to give what it asks for. */
  effective(pod: Pod): Pod {
    const allocation = this.#allocations.get(pod.metadata.uid ?? '');
    if (allocation === undefined) return pod;
    const wanted = resourcesOf(pod);
    if (sameMap(wanted, allocation.resources)) {
      allocation.pending = undefined;
      return pod;
    }
    const refusal = this.#refusal(pod);
    if (refusal === undefined) {
      this.#allocations.set(pod.metadata.uid ?? '', { resources: wanted, pending: undefined, inProgress: pod.metadata.generation ?? 0 });
      this.#tell(pod, 'Normal', 'ResizeStarted', 'Pod resize started');
      return pod;
    }
    if (allocation.pending?.reason !== refusal.reason || allocation.pending.message !== refusal.message) {
      allocation.pending = refusal;
      this.#tell(pod, 'Warning', `Resize${refusal.reason}`, `Pod resize ${refusal.reason}`, refusal.message);
    }
    return withResources(pod, allocation.resources);
  }

  /** Uids of pods whose resize waits for room. */
  deferred(): readonly string[] {
    return [...this.#allocations]
      .filter(([, allocation]) => allocation.pending?.reason === 'Deferred')
      .map(([uid]) => uid)
      .sort();
  }

  conditions(pod: Pod): readonly PodCondition[] {
    const allocation = this.#allocations.get(pod.metadata.uid ?? '');
    if (allocation === undefined) return [];
    const generation = pod.metadata.generation;
    const observed = generation === undefined ? {} : { observedGeneration: generation };
    if (allocation.pending !== undefined) {
      const { reason, message } = allocation.pending;
      return [{ type: 'PodResizePending', status: 'True', reason, message, ...observed }];
    }
    return allocation.inProgress === undefined ? [] : [{ type: 'PodResizeInProgress', status: 'True', ...observed }];
  }

  /** Running containers that do not have yet what they were given; `restart`: their policy wants a new start for it. */
  due(
    pod: Pod,
    records: PodRecords | undefined,
  ): readonly { readonly container: Container; readonly record: ContainerRecord; readonly restart: boolean }[] {
    if (this.#allocations.get(pod.metadata.uid ?? '')?.inProgress === undefined) return [];
    const due: { readonly container: Container; readonly record: ContainerRecord; readonly restart: boolean }[] = [];
    for (const container of pod.spec.containers) {
      const record = recordOf(records, container.name);
      if (record?.state !== 'running' || sameStatus(record.resources ?? {}, container.resources ?? {})) continue;
      due.push({ container, record, restart: needsRestart(container, record.resources) });
    }
    return due;
  }

  /** Called with every look at the runtime: a resize is over when all containers have what they were given. */
  observe(pod: Pod, records: PodRecords | undefined): void {
    const allocation = this.#allocations.get(pod.metadata.uid ?? '');
    if (allocation?.inProgress === undefined || this.due(pod, records).length > 0) return;
    const running = pod.spec.containers.every((container) => recordOf(records, container.name)?.state === 'running');
    if (!running) return;
    allocation.inProgress = undefined;
    this.#tell(pod, 'Normal', 'ResizeCompleted', 'Pod resize completed');
  }

  #refusal(pod: Pod): Allocation['pending'] {
    const { spec, config } = this.#options;
    const requests = aggregateContainerRequests(pod.spec);
    const cpu = requests['cpu'] === undefined ? 0 : quantityMilliValue(requests['cpu']);
    const memory = requests['memory'] === undefined ? 0 : quantityValue(requests['memory']);
    const capacity = { cpu: spec.cpuMilli - config.reserved.cpuMilli, memory: spec.memoryBytes - config.reserved.memoryBytes };
    if (cpu > capacity.cpu)
      return { reason: 'Infeasible', message: `Node didn't have enough capacity: cpu, requested: ${cpu}, capacity: ${capacity.cpu}` };
    if (memory > capacity.memory)
      return {
        reason: 'Infeasible',
        message: `Node didn't have enough capacity: memory, requested: ${memory}, capacity: ${capacity.memory}`,
      };
    let usedCpu = 0;
    let usedMemory = 0;
    for (const other of this.#options.others(pod.metadata.uid ?? '')) {
      usedCpu += demandOf(other).cpuMilli;
      usedMemory += demandOf(other).memoryBytes;
    }
    const short = (resource: string, requested: number, used: number, has: number): Allocation['pending'] => ({
      reason: 'Deferred',
      message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${has}`,
    });
    if (usedCpu + cpu > capacity.cpu) return short('cpu', cpu, usedCpu, capacity.cpu);
    if (usedMemory + memory > capacity.memory) return short('memory', memory, usedMemory, capacity.memory);
    return undefined;
  }

  #tell(pod: Pod, type: 'Normal' | 'Warning', reason: string, text: string, error?: string): void {
    const containers = pod.spec.containers.map((container) => ({ name: container.name, resources: sorted(container.resources) }));
    const detail = { containers, generation: pod.metadata.generation ?? 0, ...(error === undefined ? {} : { error }) };
    this.#options.events.pod(pod, type, reason, `${text}: ${JSON.stringify(detail)}`);
  }
}

function resourcesOf(pod: Pod): ReadonlyMap<string, Resources> {
  return new Map(pod.spec.containers.map((container) => [container.name, container.resources]));
}

function sameMap(a: ReadonlyMap<string, Resources>, b: ReadonlyMap<string, Resources>): boolean {
  for (const [name, resources] of a) if (!sameStatus(resources ?? {}, b.get(name) ?? {})) return false;
  return true;
}

function withResources(pod: Pod, resources: ReadonlyMap<string, Resources>): Pod {
  const containers = pod.spec.containers.map((container) => {
    const given = resources.get(container.name);
    const { resources: _asked, ...rest } = container;
    return given === undefined ? rest : { ...rest, resources: given };
  });
  return { ...pod, spec: { ...pod.spec, containers } };
}

/** A resource that differs and whose policy is RestartContainer. */
function needsRestart(container: Container, actual: Resources): boolean {
  for (const { resourceName, restartPolicy } of container.resizePolicy ?? []) {
    if (restartPolicy !== 'RestartContainer') continue;
    const wanted = container.resources;
    if (
      wanted?.requests?.[resourceName] !== actual?.requests?.[resourceName] ||
      wanted?.limits?.[resourceName] !== actual?.limits?.[resourceName]
    )
      return true;
  }
  return false;
}

function sorted(resources: Resources): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const kind of ['limits', 'requests'] as const) {
    const list = resources?.[kind];
    if (list === undefined || Object.keys(list).length === 0) continue;
    out[kind] = Object.fromEntries(
      Object.keys(list)
        .sort()
        .map((name) => [name, list[name]]),
    );
  }
  return out;
}
