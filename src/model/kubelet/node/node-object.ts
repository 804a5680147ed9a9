import { formatTime } from '../../api/time.ts';
import type { Node, NodeCondition, NodeStatus } from '../../api/types.ts';
import type { Micros } from '../../../sim/time.ts';
import type { KubeletConfig, NodeSpec } from '../config.ts';
import { canonicalQuantity } from '../../api/quantity.ts';
import type { ImageRecord } from '../cri.ts';

/** What the kubelet knows of its machine at the moment. */
export interface NodeHealth {
  /** Why the runtime or its network is not ready; empty when all is well. */
  readonly problems: readonly string[];
  readonly memoryPressure: boolean;
  readonly diskPressure: boolean;
  readonly pidPressure: boolean;
  readonly shuttingDown: boolean;
}

/** Labels that the kubelet sets and puts right when others change them. */
export function standardLabels(spec: NodeSpec): Readonly<Record<string, string>> {
  return {
    'beta.kubernetes.io/arch': spec.arch,
    'beta.kubernetes.io/os': spec.os,
    'kubernetes.io/arch': spec.arch,
    'kubernetes.io/hostname': spec.name,
    'kubernetes.io/os': spec.os,
  };
}

/** Labels at registration: the standard ones, the topology that a cloud provider would add, and --node-labels. */
export function registrationLabels(spec: NodeSpec): Readonly<Record<string, string>> {
  return {
    ...standardLabels(spec),
    ...(spec.zone === undefined ? {} : { 'topology.kubernetes.io/zone': spec.zone }),
    ...(spec.region === undefined ? {} : { 'topology.kubernetes.io/region': spec.region }),
    ...spec.labels,
  };
}

/** Conditions in the order of the real kubelet, each with the transition time of the one before where its status did not change. */
export function nodeConditions(health: NodeHealth, before: readonly NodeCondition[], now: Micros): readonly NodeCondition[] {
  const stamp = formatTime(now);
  const make = (type: string, status: 'True' | 'False', reason: string, message: string): NodeCondition => {
    const old = before.find((condition) => condition.type === type);
    const lastTransitionTime = old?.status === status && old.lastTransitionTime !== undefined ? old.lastTransitionTime : stamp;
    return { type, status, lastHeartbeatTime: stamp, lastTransitionTime, reason, message };
  };
  const pressure = (type: string, holds: boolean, reason: string, badReason: string, good: string, bad: string) =>
    holds ? make(type, 'True', badReason, `kubelet has ${bad}`) : make(type, 'False', reason, `kubelet has ${good}`);
  const problems = health.shuttingDown ? ['node is shutting down', ...health.problems] : health.problems;
  const ready =
    problems.length === 0
      ? make('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status')
      : make('Ready', 'False', 'KubeletNotReady', problems.length === 1 ? (problems[0] ?? '') : `[${problems.join(', ')}]`);
  return [
    pressure(
      'MemoryPressure',
      health.memoryPressure,
      'KubeletHasSufficientMemory',
      'KubeletHasInsufficientMemory',
      'sufficient memory available',
      'insufficient memory available',
    ),
    pressure(
      'DiskPressure',
      health.diskPressure,
      'KubeletHasNoDiskPressure',
      'KubeletHasDiskPressure',
      'no disk pressure',
      'disk pressure',
    ),
    pressure(
      'PIDPressure',
      health.pidPressure,
      'KubeletHasSufficientPID',
      'KubeletHasInsufficientPID',
      'sufficient PID available',
      'insufficient PID available',
    ),
    ready,
  ];
}

export interface NodeStatusInput {
  readonly spec: NodeSpec;
  readonly config: KubeletConfig;
  readonly health: NodeHealth;
  readonly images: readonly ImageRecord[];
  readonly runtimeVersion: string;
  readonly bootId: string;
  readonly before: NodeStatus | undefined;
  readonly now: Micros;
}

/** The whole status of the node: upstream kubelet_node_status.go setNodeStatus. */
export function nodeStatus(input: NodeStatusInput): NodeStatus {
  const { spec, config, before } = input;
  const extended = spec.extendedResources ?? {};
  const capacity: Record<string, string> = {
    cpu: cpuText(spec.cpuMilli),
    'ephemeral-storage': bytesText(spec.ephemeralStorageBytes),
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
    memory: bytesText(spec.memoryBytes),
    pods: String(config.maxPods),
    ...extended,
  };
  const allocatable: Record<string, string> = {
    ...capacity,
    cpu: cpuText(spec.cpuMilli - config.reserved.cpuMilli),
    memory: bytesText(spec.memoryBytes - config.reserved.memoryBytes),
  };
  const foreign = (before?.conditions ?? []).filter((condition) => !OWNED_CONDITIONS.has(condition.type));
  return {
    ...before,
    capacity,
    allocatable,
    conditions: [...foreign, ...nodeConditions(input.health, before?.conditions ?? [], input.now)],
    addresses: [
      { type: 'InternalIP', address: spec.internalIp },
      { type: 'Hostname', address: spec.name },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    nodeInfo: {
      machineID: spec.name,
      systemUUID: spec.name,
      bootID: input.bootId,
      kernelVersion: spec.os === 'windows' ? '10.0.20348.2700' : '6.12.48',
      osImage: spec.os === 'windows' ? 'Windows Server 2022 Datacenter' : 'Debian GNU/Linux 13 (trixie)',
      containerRuntimeVersion: input.runtimeVersion,
      kubeletVersion: spec.kubeletVersion,
      kubeProxyVersion: '',
      operatingSystem: spec.os,
      architecture: spec.arch,
    },
    images: input.images.slice(0, config.nodeStatusMaxImages).map((image) => ({ names: image.names, sizeBytes: image.sizeBytes })),
  };
}

/** As the API server writes it back: 8Gi, not 8388608Ki, or every look at the status would find a change. */
function bytesText(bytes: number): string {
  return canonicalQuantity(`${Math.floor(bytes / 1024)}Ki`);
}

const OWNED_CONDITIONS = new Set(['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready']);

/** The Node object as a kubelet registers it. */
export function newNode(spec: NodeSpec, status: NodeStatus): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: spec.name,
      labels: registrationLabels(spec),
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
    },
    spec: spec.taints.length === 0 ? {} : { taints: spec.taints },
    status,
  };
}

function cpuText(milli: number): string {
  return milli % 1000 === 0 ? String(milli / 1000) : `${milli}m`;
}
