import { formatTime } from '../../api/time.ts';
import type { Container, ContainerState, ContainerStatus, Pod } from '../../api/types.ts';
import type { ContainerRecord, PodRecords } from '../cri.ts';
import { shouldBeRestarted } from '../pod-spec.ts';

/** Why a container was not started at the last try: upstream ReasonCache. */
export interface WaitingReason {
  readonly reason: string;
  readonly message: string;
}

export interface ContainerStatusesInput {
  readonly pod: Pod;
  readonly records: PodRecords | undefined;
  readonly previous: readonly ContainerStatus[];
  readonly containers: readonly Container[];
  readonly hasInitContainers: boolean;
  readonly isInit: boolean;
  readonly reasons: (container: string) => WaitingReason | undefined;
  /** Name of the runtime, as container ids begin. */
  readonly runtimeName: string;
}

/** The API's id of a container: '<runtime>://<id>'. */
export function apiContainerId(runtimeName: string, id: string): string {
  return `${runtimeName}://${id}`;
}

function stateOf(record: ContainerRecord, containerID: string): ContainerState {
  switch (record.state) {
    case 'running':
      return { running: { startedAt: formatTime(record.startedAtUs) } };
    case 'exited':
      return {
        terminated: {
          exitCode: record.exitCode,
          reason: record.reason,
          ...(record.message === '' ? {} : { message: record.message }),
          startedAt: formatTime(record.startedAtUs),
          finishedAt: formatTime(record.finishedAtUs),
          containerID,
        },
      };
    case 'created':
    case 'unknown':
      return { waiting: {} };
  }
}

/**
 * The statuses of a pod's containers of one kind: upstream kubelet_pods.go convertToAPIContainerStatuses. `ready` and `started` are the
 * prober's to fill in.
 */
export function containerStatuses(input: ContainerStatusesInput): readonly ContainerStatus[] {
  const { pod, records, containers, hasInitContainers, isInit, reasons, runtimeName } = input;
  const defaultReason = hasInitContainers ? 'PodInitializing' : 'ContainerCreating';
  const statuses: ContainerStatus[] = [];
  for (const container of containers) {
    const old = input.previous.find((status) => status.name === container.name);
    const seen = records?.containers.filter((record) => record.name === container.name) ?? [];
    let status: ContainerStatus;
    const newest = seen[0];
    if (newest === undefined) status = unseenStatus(pod, container, old, defaultReason);
    else {
      const containerID = apiContainerId(runtimeName, newest.id);
      status = {
        name: container.name,
        state: stateOf(newest, containerID),
        lastState: seen[1] === undefined ? {} : stateOf(seen[1], apiContainerId(runtimeName, seen[1].id)),
        ready: false,
        restartCount: newest.attempt,
        image: newest.image,
        imageID: newest.imageId,
        containerID,
        ...resourcesOf(container, newest),
        ...mountsOf(container),
      };
    }
    const reason = reasons(container.name);
    const finishedInit = isInit && newest?.state === 'exited' && newest.exitCode === 0;
    if (reason !== undefined && !finishedInit && shouldBeRestarted(container, pod, records)) {
      status = {
        ...status,
        lastState: status.state?.terminated === undefined ? (status.lastState ?? {}) : status.state,
        state: { waiting: reason.message === '' ? { reason: reason.reason } : { reason: reason.reason, message: reason.message } },
      };
    }
    statuses.push(status);
  }
  // Upstream sorts init containers as the spec has them and the others by name.
  return isInit ? statuses : statuses.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** No container of that name is known to the runtime. */
function unseenStatus(pod: Pod, container: Container, old: ContainerStatus | undefined, defaultReason: string): ContainerStatus {
  if (old?.state?.terminated !== undefined) return old;
  const status: ContainerStatus = {
    name: container.name,
    state: { waiting: { reason: defaultReason } },
    lastState: old?.lastState ?? {},
    ready: false,
    restartCount: old?.restartCount ?? 0,
    image: container.image ?? '',
    imageID: '',
    ...mountsOf(container),
  };
  if (old?.state?.running === undefined || status.lastState?.terminated !== undefined) return status;
  // It ran and cannot be found any more: shown as stopped, not as if it had never been there.
  return {
    ...status,
    restartCount: status.restartCount + (pod.metadata.deletionTimestamp === undefined ? 1 : 0),
    lastState: {
      terminated: {
        exitCode: 137,
        reason: 'ContainerStatusUnknown',
        message: 'The container could not be located when the pod was deleted.  The container used to be Running',
        startedAt: null as unknown as string,
        finishedAt: null as unknown as string,
      },
    },
  };
}

function resourcesOf(container: Container, record: ContainerRecord): Pick<ContainerStatus, 'resources' | 'allocatedResources'> {
  const requests = container.resources?.requests;
  const hasRequests = requests !== undefined && Object.keys(requests).length > 0;
  return { resources: record.resources ?? {}, ...(hasRequests ? { allocatedResources: requests } : {}) };
}

const noMounts = {};
const mounts = new WeakMap<Container, Pick<ContainerStatus, 'volumeMounts'>>();

function mountsOf(container: Container): Pick<ContainerStatus, 'volumeMounts'> {
  if (container.volumeMounts === undefined || container.volumeMounts.length === 0) return noMounts;
  let known = mounts.get(container);
  if (known === undefined) {
    known = {
      volumeMounts: container.volumeMounts.map((mount) => ({
        name: mount.name,
        mountPath: mount.mountPath,
        ...(mount.readOnly === true ? { readOnly: true, recursiveReadOnly: 'Disabled' } : {}),
      })),
    };
    mounts.set(container, known);
  }
  return known;
}
