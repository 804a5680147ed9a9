import type { ContainerStatus, Pod, PodCondition, PodStatus } from '../../api/types.ts';
import type { PodRecords } from '../cri.ts';
import { hasActiveMainContainer, readySandbox } from '../pod-spec.ts';
import * as conditions from './conditions.ts';
import { containerStatuses, type WaitingReason } from './container-statuses.ts';
import { isTerminalPhase, type Phase, podPhase } from './phase.ts';

export interface PodStatusInput {
  readonly pod: Pod;
  readonly records: PodRecords | undefined;
  /** The last status that the kubelet made; the API's where it made none yet. */
  readonly previous: PodStatus | undefined;
  /** Containers are not restarted any more. */
  readonly terminal: boolean;
  readonly reasons: (container: string) => WaitingReason | undefined;
  readonly runtimeName: string;
  readonly hostIp: string;
  /** The pod's address while its sandbox was up, as far as this kubelet saw it: a pod that has ended keeps showing it. */
  readonly lastIp: string;
  /** An internal reason to end the pod (deadline, eviction). */
  readonly evict: { readonly reason: string; readonly message: string } | undefined;
  /** Fills in `ready` and `started`. */
  readonly probed: (statuses: readonly ContainerStatus[], init: boolean) => readonly ContainerStatus[];
  /** Conditions of a resize in place. */
  readonly resizeConditions: readonly PodCondition[];
}

/** What the kubelet says about a pod: upstream kubelet_pods.go generateAPIPodStatus. Transition times are the status manager's. */
export function generatePodStatus(input: PodStatusInput): PodStatus {
  const { pod, records, previous } = input;
  const { spec } = pod;
  const generation = pod.metadata.generation;
  const hasInit = (spec.initContainers?.length ?? 0) > 0;
  const common = { pod, records, reasons: input.reasons, runtimeName: input.runtimeName };
  const main = containerStatuses({
    ...common,
    previous: previous?.containerStatuses ?? [],
    containers: spec.containers,
    hasInitContainers: hasInit,
    isInit: false,
  });
  const init = hasInit
    ? containerStatuses({
        ...common,
        previous: previous?.initContainerStatuses ?? [],
        containers: spec.initContainers ?? [],
        hasInitContainers: true,
        isInit: true,
      })
    : [];
  const ephemeralSpecs = spec.ephemeralContainers ?? [];
  const ephemeral =
    ephemeralSpecs.length === 0
      ? []
      : containerStatuses({
          ...common,
          previous: previous?.ephemeralContainerStatuses ?? [],
          containers: ephemeralSpecs as unknown as Pod['spec']['containers'],
          hasInitContainers: hasInit,
          isInit: false,
        });

  const { phase, reason, message } = decidePhase(input, [...main, ...init]);
  const probedMain = input.probed(main, false);
  const probedInit = hasInit ? input.probed(init, true) : init;
  const all = hasInit ? [...probedMain, ...probedInit] : probedMain;

  const others: PodCondition[] = [];
  for (const condition of pod.status?.conditions ?? []) if (!conditions.isOwnedCondition(condition.type)) others.push(condition);
  const disruption = conditions.conditionOf(previous?.conditions, 'DisruptionTarget');
  if (disruption !== undefined) {
    const at = others.findIndex((condition) => condition.type === 'DisruptionTarget');
    if (at < 0) others.push(disruption);
    else others[at] = disruption;
  }
  const containersReady = conditions.containersReady(pod, all, phase, generation);
  const sandbox = readySandbox(records);
  const next: PodCondition[] = [
    ...input.resizeConditions,
    ...others,
    conditions.readyToStartContainers(generation, sandbox !== undefined && (sandbox.hostNetwork || sandbox.ip !== '')),
    conditions.initialized(pod, all, phase, generation),
    conditions.podReady(pod, containersReady, others, generation),
    containersReady,
    conditions.podScheduled(generation),
  ];

  const podIp =
    spec.hostNetwork === true
      ? input.hostIp
      : sandbox !== undefined && sandbox.ip !== ''
        ? sandbox.ip
        : sandbox === undefined
          ? input.lastIp
          : '';
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase,
    conditions: next,
    ...(message === undefined || message === '' ? {} : { message }),
    ...(reason === undefined || reason === '' ? {} : { reason }),
    ...(previous?.nominatedNodeName === undefined ? {} : { nominatedNodeName: previous.nominatedNodeName }),
    hostIP: input.hostIp,
    hostIPs: [{ ip: input.hostIp }],
    ...(podIp === '' ? {} : { podIP: podIp, podIPs: [{ ip: podIp }] }),
    ...(previous?.startTime === undefined ? {} : { startTime: previous.startTime }),
    ...(hasInit ? { initContainerStatuses: probedInit } : {}),
    containerStatuses: probedMain,
    ...(pod.status?.qosClass === undefined ? {} : { qosClass: pod.status.qosClass }),
    ...(ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: ephemeral }),
  };
}

interface Decided {
  readonly phase: Phase;
  readonly reason: string | undefined;
  readonly message: string | undefined;
}

function decidePhase(input: PodStatusInput, statuses: readonly ContainerStatus[]): Decided {
  const { pod, records, previous } = input;
  let phase = podPhase(pod, statuses, input.terminal, hasActiveMainContainer(pod, records));
  // A pod never leaves a terminal phase, whether this kubelet or the API server knows of it.
  if (!isTerminalPhase(phase)) {
    if (isTerminalPhase(previous?.phase)) phase = previous?.phase as Phase;
    else if (isTerminalPhase(pod.status?.phase)) phase = pod.status?.phase as Phase;
  }
  let reason: string | undefined;
  let message: string | undefined;
  if (phase === previous?.phase) {
    reason = previous.reason ?? pod.status?.reason;
    message = previous.message ?? pod.status?.message;
  }
  if (input.evict !== undefined) {
    phase = 'Failed';
    reason = input.evict.reason;
    message = input.evict.message;
  }
  if (isTerminalPhase(pod.status?.phase)) phase = pod.status?.phase as Phase;
  return { phase, reason, message };
}
