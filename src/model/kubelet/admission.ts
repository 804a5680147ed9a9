import { requiredNodeAffinity } from '../api/node-selector.ts';
import { quantityMilliValue, quantityOf, quantityValue } from '../api/quantity.ts';
import { aggregateContainerRequests } from '../api/pod-resources.ts';
import { SAFE_SYSCTLS } from '../api/safe-sysctls.ts';
import type { Node, Pod } from '../api/types.ts';
import type { KubeletConfig, NodeSpec } from './config.ts';

export type Admission = { readonly ok: true } | { readonly ok: false; readonly reason: string; readonly message: string };

/** What a pod takes from its node. */
export interface PodDemand {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly ephemeralBytes: number;
  readonly hostPorts: readonly string[];
}

const demands = new WeakMap<Pod['spec'], PodDemand>();

export function demandOf(pod: Pod): PodDemand {
  let demand = demands.get(pod.spec);
  if (demand === undefined) {
    const requests = aggregateContainerRequests(pod.spec);
    const { overhead, resources } = pod.spec;
    const of = (name: string, value: typeof quantityValue): number => {
      const podLevel = resources?.requests?.[name];
      const containers = requests[name];
      const own = podLevel !== undefined ? value(quantityOf(podLevel)) : containers === undefined ? 0 : value(containers);
      return own + (overhead?.[name] === undefined ? 0 : value(quantityOf(overhead[name])));
    };
    const hostPorts: string[] = [];
    for (const container of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]) {
      for (const port of container.ports ?? [])
        if (port.hostPort !== undefined) hostPorts.push(`${port.protocol ?? 'TCP'}/${port.hostIP ?? '0.0.0.0'}/${port.hostPort}`);
    }
    demand = {
      cpuMilli: of('cpu', quantityMilliValue),
      memoryBytes: of('memory', quantityValue),
      ephemeralBytes: of('ephemeral-storage', quantityValue),
      hostPorts,
    };
    demands.set(pod.spec, demand);
  }
  return demand;
}

export interface AdmissionInput {
  readonly pod: Pod;
  /** Pods that hold resources of this node already. */
  readonly others: readonly Pod[];
  readonly spec: NodeSpec;
  readonly config: KubeletConfig;
  /** The node object, for its labels; undefined: not known yet. */
  readonly node: Node | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly shuttingDown: boolean;
  /** Conditions of pressure that hold now. */
  readonly pressure: readonly string[];
}

/** Whether the node takes a pod that was bound to it: upstream pkg/kubelet/lifecycle and its handlers, in their order. */
export function admitPod(input: AdmissionInput): Admission {
  const { pod, config, spec } = input;
  if (input.pressure.length > 0) {
    const critical = (pod.spec.priority ?? 0) >= 2_000_000_000;
    const bestEffort = pod.status?.qosClass === 'BestEffort';
    const memoryOnly = input.pressure.length === 1 && input.pressure[0] === 'MemoryPressure';
    const tolerates =
      pod.spec.tolerations?.some(
        (t) => t.key === 'node.kubernetes.io/memory-pressure' || (t.key === undefined && t.operator === 'Exists'),
      ) === true;
    if (!critical && !(memoryOnly && (!bestEffort || tolerates))) {
      return { ok: false, reason: 'Evicted', message: `The node had condition: [${input.pressure.join(', ')}]. ` };
    }
  }
  for (const sysctl of pod.spec.securityContext?.sysctls ?? []) {
    if (!SAFE_SYSCTLS.has(sysctl.name) && !config.allowedUnsafeSysctls.includes(sysctl.name)) {
      return { ok: false, reason: 'SysctlForbidden', message: `forbidden sysctl: ${JSON.stringify(sysctl.name)} not allowlisted` };
    }
  }
  const os = pod.spec.os?.name;
  if (os !== undefined && os !== spec.os)
    return { ok: false, reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" };
  const fit = fits(input);
  if (!fit.ok) return fit;
  if (input.shuttingDown) return { ok: false, reason: 'NodeShutdown', message: 'Pod was rejected as the node is shutting down.' };
  return { ok: true };
}

function fits(input: AdmissionInput): Admission {
  const { pod, others, spec, config } = input;
  const wanted = demandOf(pod);
  let cpu = 0;
  let memory = 0;
  let ephemeral = 0;
  const ports = new Set<string>();
  for (const other of others) {
    const demand = demandOf(other);
    cpu += demand.cpuMilli;
    memory += demand.memoryBytes;
    ephemeral += demand.ephemeralBytes;
    for (const port of demand.hostPorts) ports.add(port);
  }
  const short = (resource: string, requested: number, used: number, capacity: number): Admission => ({
    ok: false,
    reason: `OutOf${resource}`,
    message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  });
  if (others.length + 1 > config.maxPods) return short('pods', 1, others.length, config.maxPods);
  const cpuCapacity = spec.cpuMilli - config.reserved.cpuMilli;
  const memoryCapacity = spec.memoryBytes - config.reserved.memoryBytes;
  if (wanted.cpuMilli > 0 && cpu + wanted.cpuMilli > cpuCapacity) return short('cpu', wanted.cpuMilli, cpu, cpuCapacity);
  if (wanted.memoryBytes > 0 && memory + wanted.memoryBytes > memoryCapacity)
    return short('memory', wanted.memoryBytes, memory, memoryCapacity);
  if (wanted.ephemeralBytes > 0 && ephemeral + wanted.ephemeralBytes > spec.ephemeralStorageBytes) {
    return short('ephemeral-storage', wanted.ephemeralBytes, ephemeral, spec.ephemeralStorageBytes);
  }
  if (requiredNodeAffinity(pod)?.({ name: spec.name, labels: input.labels }) === false) {
    return {
      ok: false,
      reason: 'NodeAffinity',
      message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    };
  }
  if (wanted.hostPorts.some((port) => conflicts(port, ports))) {
    return {
      ok: false,
      reason: 'NodePorts',
      message: "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    };
  }
  const taint = (input.node?.spec?.taints ?? []).find((candidate) => candidate.effect === 'NoExecute' && !tolerated(pod, candidate));
  if (taint !== undefined)
    return {
      ok: false,
      reason: 'TaintToleration',
      message: `Predicate TaintToleration failed: node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`,
    };
  return { ok: true };
}

function conflicts(port: string, taken: ReadonlySet<string>): boolean {
  if (taken.has(port)) return true;
  const [protocol = '', ip = '', number = ''] = port.split('/');
  if (ip !== '0.0.0.0') return taken.has(`${protocol}/0.0.0.0/${number}`);
  return [...taken].some((other) => other.startsWith(`${protocol}/`) && other.endsWith(`/${number}`));
}

function tolerated(pod: Pod, taint: { readonly key: string; readonly value?: string; readonly effect: string }): boolean {
  return (pod.spec.tolerations ?? []).some((toleration) => {
    if (toleration.effect !== undefined && toleration.effect !== taint.effect) return false;
    if (toleration.key === undefined || toleration.key === '') return toleration.operator === 'Exists';
    if (toleration.key !== taint.key) return false;
    return toleration.operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? '');
  });
}
