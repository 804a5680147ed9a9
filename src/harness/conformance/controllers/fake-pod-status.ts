import type { Json } from '../../../model/api/object.ts';
import { formatTime } from '../../../model/api/time.ts';
import type { Container, Pod } from '../../../model/api/types.ts';
import type { Micros } from '../../../sim/time.ts';

/** What a fake kubelet knows of a pod when it writes its status. */
export interface FakePodView {
  readonly pod: Pod;
  readonly ready: boolean;
  readonly restarts: number;
  readonly startedAt: Micros;
  readonly now: Micros;
}

export type PodStatusPatch = { readonly [key: string]: Json };

/** All readiness gates of the pod are True. */
export function gatesOpen(pod: Pod): boolean {
  return (pod.spec.readinessGates ?? []).every(
    (gate) => pod.status?.conditions?.some((condition) => condition.type === gate.conditionType && condition.status === 'True') === true,
  );
}

function podConditions({ pod, ready: isReady, now }: FakePodView, doneReason?: string): Json[] {
  const stamp = formatTime(now);
  // Absent texts are written as null: a merge would keep the old ones.
  const condition = (type: string, status: string, reason: string | null = null, message: string | null = null): Json => {
    const old = pod.status?.conditions?.find((other) => other.type === type);
    const since = old?.status === status && old.lastTransitionTime !== undefined ? old.lastTransitionTime : stamp;
    return { type, status, lastProbeTime: null, lastTransitionTime: since, reason, message };
  };
  const ready = isReady ? 'True' : 'False';
  const why = doneReason ?? (isReady ? undefined : 'ContainersNotReady');
  const unready =
    doneReason === undefined && !isReady
      ? `containers with unready status: [${pod.spec.containers.map((container) => container.name).join(' ')}]`
      : undefined;
  return [
    condition('PodReadyToStartContainers', doneReason === undefined ? 'True' : 'False'),
    condition('Initialized', 'True'),
    condition('ContainersReady', ready, why, unready),
    isReady && !gatesOpen(pod)
      ? condition('Ready', 'False', 'ReadinessGatesNotReady', 'corresponding condition of pod readiness gate does not exist.')
      : condition('Ready', ready, why, unready),
    condition('PodScheduled', 'True'),
  ];
}

/** Running, or between two runs. */
export function runningStatus(view: FakePodView, waiting: boolean, ip: string, hostIp: string): PodStatusPatch {
  const { pod, ready, restarts, startedAt } = view;
  const containerStatus = (container: Container): Json => ({
    name: container.name,
    image: container.image ?? '',
    imageID: '',
    ready,
    started: !waiting,
    restartCount: restarts,
    state: waiting ? { waiting: { reason: 'CrashLoopBackOff' } } : { running: { startedAt: formatTime(startedAt) } },
  });
  return {
    phase: 'Running',
    startTime: pod.status?.startTime ?? formatTime(startedAt),
    podIP: ip,
    podIPs: [{ ip }],
    hostIP: hostIp,
    hostIPs: [{ ip: hostIp }],
    conditions: podConditions(view),
    containerStatuses: pod.spec.containers.map(containerStatus),
  };
}

/** Succeeded or Failed, by the exit code. */
export function finishedStatus(view: FakePodView, code: number): PodStatusPatch {
  const { pod, restarts, startedAt, now } = view;
  return {
    phase: code === 0 ? 'Succeeded' : 'Failed',
    conditions: podConditions(view, code === 0 ? 'PodCompleted' : 'PodFailed'),
    containerStatuses: pod.spec.containers.map((container) => ({
      name: container.name,
      image: container.image ?? '',
      imageID: '',
      ready: false,
      started: false,
      restartCount: restarts,
      state: {
        terminated: {
          exitCode: code,
          reason: code === 0 ? 'Completed' : 'Error',
          startedAt: formatTime(startedAt),
          finishedAt: formatTime(now),
        },
      },
    })),
  };
}

/** Pending for ever: the image cannot be pulled. */
export function pullingStatus(view: FakePodView): PodStatusPatch {
  return {
    startTime: formatTime(view.now),
    conditions: podConditions(view),
    containerStatuses: view.pod.spec.containers.map((container) => ({
      name: container.name,
      image: container.image ?? '',
      imageID: '',
      ready: false,
      restartCount: 0,
      state: { waiting: { reason: 'ErrImagePull', message: 'image cannot be pulled' } },
    })),
  };
}
