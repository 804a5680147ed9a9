import type { Container, Pod } from '../api/types.ts';
import type { ContainerRecord, PodRecords, SandboxRecord } from './cri.ts';
import {
  hasActiveMainContainer,
  hasMainContainerCreated,
  isSidecar,
  readySandbox,
  recordOf,
  restartsAfter,
  shouldBeRestarted,
  specHash,
  succeeded,
} from './pod-spec.ts';

export type KillReason = 'liveness' | 'startup' | 'changed' | 'resize' | 'unknown' | 'sandbox' | 'postStart' | '';

export interface ContainerToKill {
  readonly record: ContainerRecord;
  readonly container: Container;
  readonly message: string;
  readonly reason: KillReason;
}

/** What one sync of a pod has to do: upstream podActions. */
export interface PodActions {
  readonly killPod: boolean;
  readonly createSandbox: boolean;
  /** The sandbox that is to be replaced or used. */
  readonly sandbox: SandboxRecord | undefined;
  readonly attempt: number;
  readonly startInit: readonly Container[];
  readonly startEphemeral: readonly Container[];
  readonly start: readonly Container[];
  readonly kill: readonly ContainerToKill[];
}

export interface ProbeVerdicts {
  /** A container that failed its liveness probe for good. */
  readonly livenessFailed: (containerId: string) => boolean;
  readonly startupFailed: (containerId: string) => boolean;
  /** A sidecar has started: the next init container may run. */
  readonly started: (container: Container, record: ContainerRecord) => boolean;
  /** A running container must be restarted to be resized. */
  readonly resizeRestarts: (container: Container, record: ContainerRecord) => boolean;
}

interface Draft {
  killPod: boolean;
  startInit: Container[];
  kill: ContainerToKill[];
}

/** Upstream kuberuntime_manager.go computePodActions. Pure: what is, and what should be, to what to do. */
export function computePodActions(pod: Pod, records: PodRecords | undefined, probes: ProbeVerdicts): PodActions {
  const { spec } = pod;
  const newest = records?.sandboxes[0];
  const ready = readySandbox(records);
  const changed =
    ready === undefined || ready.hostNetwork !== (spec.hostNetwork === true) || (newest !== undefined && newest.id !== ready.id);
  const attempt = newest === undefined ? 0 : newest.attempt + 1;
  const draft: Draft = { killPod: changed, startInit: [], kill: [] };
  const result = (over: Partial<PodActions> = {}): PodActions => ({
    killPod: draft.killPod,
    createSandbox: changed,
    sandbox: ready ?? newest,
    attempt,
    startInit: draft.startInit,
    startEphemeral: [],
    start: [],
    kill: draft.kill,
    ...over,
  });

  if (changed) {
    const neverRestarts = !allowsRestart(pod);
    if (neverRestarts && attempt !== 0 && (records?.containers.length ?? 0) > 0) return result({ createSandbox: false });
    const start = spec.containers.filter(
      (container) => !(policyOf(container, pod) === 'OnFailure' && succeeded(recordOf(records, container.name))),
    );
    if (start.length === 0 && hasMainContainerCreated(pod, records)) return result({ createSandbox: false });
    const first = spec.initContainers?.[0];
    return first === undefined ? result({ start }) : result({ startInit: [first] });
  }

  const startEphemeral = (spec.ephemeralContainers ?? []).filter(
    (container) => recordOf(records, container.name) === undefined,
  ) as unknown as Container[];
  const initialised = computeInitActions(pod, records, probes, draft);
  if (draft.killPod || !initialised) return result({ startEphemeral });

  let keep = 0;
  const start: Container[] = [];
  for (const container of spec.containers) {
    const record = recordOf(records, container.name);
    if (record === undefined || record.state !== 'running') {
      if (shouldBeRestarted(container, pod, records)) {
        start.push(container);
        if (record?.state === 'unknown')
          draft.kill.push({
            record,
            container,
            message: `Container is in "unknown" state, try killing it before restart`,
            reason: 'unknown',
          });
      }
      continue;
    }
    let restart = restartsAfterKill(container, pod);
    let message: string;
    let reason: KillReason;
    if (record.specHash !== specHash(container)) {
      message = `Container ${container.name} definition changed`;
      reason = 'changed';
      restart = true;
    } else if (probes.livenessFailed(record.id)) {
      message = `Container ${container.name} failed liveness probe`;
      reason = 'liveness';
    } else if (probes.startupFailed(record.id)) {
      message = `Container ${container.name} failed startup probe`;
      reason = 'startup';
    } else if (probes.resizeRestarts(container, record)) {
      draft.kill.push({ record, container, message: `Container ${container.name} resize requires restart`, reason: 'resize' });
      start.push(container);
      continue;
    } else {
      keep++;
      continue;
    }
    if (restart) {
      message = `${message}, will be restarted`;
      start.push(container);
    }
    draft.kill.push({ record, container, message, reason });
  }
  if (keep === 0 && start.length === 0) {
    // Nothing is left to run. Sidecars are not restarted, or they would keep the pod alive.
    draft.killPod = true;
    draft.startInit = [];
  }
  return result({ start, startEphemeral });
}

function policyOf(container: Container, pod: Pod): string {
  return container.restartPolicy ?? pod.spec.restartPolicy ?? 'Always';
}

/** Upstream ShouldAnyContainerBeRestarted: the pod or one of its containers restarts after some exit. */
function allowsRestart(pod: Pod): boolean {
  if (pod.spec.restartPolicy !== 'Never') return true;
  return pod.spec.containers.some((container) => container.restartPolicy !== undefined && container.restartPolicy !== 'Never');
}

/** Whether a container that the kubelet itself kills (a failed probe) is started again: any policy but Never. */
function restartsAfterKill(container: Container, pod: Pod): boolean {
  return policyOf(container, pod) !== 'Never';
}

/**
 * Upstream computeInitContainerActions: walks the init containers from the last to the first and finds the one to start next. True when
 * initialisation is over, so that the main containers are looked at.
 */
function computeInitActions(pod: Pod, records: PodRecords | undefined, probes: ProbeVerdicts, draft: Draft): boolean {
  const containers = pod.spec.initContainers ?? [];
  if (containers.length === 0) return true;
  const mainCreated = hasActiveMainContainer(pod, records);
  const mainRunning = pod.spec.containers.some((container) => recordOf(records, container.name)?.state === 'running');
  const initialised = podInitialised(pod, records, probes, mainCreated);

  if (!mainCreated && containers.every((container) => recordOf(records, container.name) === undefined)) {
    draft.startInit.push(containers[0] as Container);
    return false;
  }
  const start: Container[] = [];
  // A container is looked at only as far back as the last one that has something to say.
  for (let i = containers.length - 1; i >= 0; i--) {
    const container = containers[i] as Container;
    const record = recordOf(records, container.name);
    if (record === undefined) {
      // A sidecar that the runtime forgot while the main containers run is started again; an ordinary one is not run twice.
      if (initialised && isSidecar(container)) start.push(container);
      continue;
    }
    switch (record.state) {
      case 'created':
        // Created and never started: upstream kills the leftovers by starting it anew.
        if (!initialised || isSidecar(container)) start.push(container);
        break;
      case 'running': {
        if (!isSidecar(container)) {
          const startupFailed = probes.startupFailed(record.id);
          if (startupFailed)
            draft.kill.push({ record, container, message: `Init container ${container.name} failed startup probe`, reason: 'startup' });
          if (record.specHash !== specHash(container)) {
            draft.kill.push({ record, container, message: `Init container ${container.name} definition changed`, reason: 'changed' });
            start.push(container);
          }
          // It still runs: ordinary ones before it are done, sidecars before it are looked at below.
          break;
        }
        if (record.specHash !== specHash(container)) {
          draft.kill.push({ record, container, message: `Init container ${container.name} definition changed`, reason: 'changed' });
          start.push(container);
        } else if (probes.livenessFailed(record.id)) {
          draft.kill.push({ record, container, message: `Init container ${container.name} failed liveness probe`, reason: 'liveness' });
          start.push(container);
        } else if (probes.startupFailed(record.id)) {
          draft.kill.push({ record, container, message: `Init container ${container.name} failed startup probe`, reason: 'startup' });
          start.push(container);
        } else if (!initialised && probes.started(container, record)) {
          const next = containers[i + 1];
          // The sidecar has started: the next in line goes, unless it has been looked at (it has no record).
          if (next !== undefined && recordOf(records, next.name) === undefined) start.push(next);
        }
        break;
      }
      case 'exited': {
        if (isSidecar(container)) {
          start.push(container);
          break;
        }
        if (initialised || mainCreated) break;
        if (record.exitCode === 0) {
          const next = containers[i + 1];
          if (next !== undefined && recordOf(records, next.name) === undefined) start.push(next);
          break;
        }
        if (!restartsAfter(container, pod, record.exitCode)) {
          draft.killPod = true;
          draft.startInit = [];
          return false;
        }
        start.push(container);
        break;
      }
      case 'unknown':
        if (initialised && !isSidecar(container)) break;
        draft.kill.push({
          record,
          container,
          message: `Init container is in "unknown" state, try killing it before restart`,
          reason: 'unknown',
        });
        start.push(container);
        break;
    }
    if (!initialised && !isSidecar(container)) {
      // Ordinary init containers before this one have succeeded; sidecars before it may still need a restart.
      for (let j = i - 1; j >= 0; j--) {
        const earlier = containers[j] as Container;
        if (isSidecar(earlier)) restartEarlierSidecar(earlier, recordOf(records, earlier.name), probes, draft, start);
      }
      break;
    }
  }
  draft.startInit = dedupe(start.reverse(), containers);
  return initialised || (mainRunning && mainCreated);
}

function restartEarlierSidecar(
  container: Container,
  record: ContainerRecord | undefined,
  probes: ProbeVerdicts,
  draft: Draft,
  start: Container[],
): void {
  if (record === undefined || record.state === 'exited') {
    start.push(container);
    return;
  }
  if (record.state !== 'running') return;
  const failed = probes.livenessFailed(record.id) ? 'liveness' : probes.startupFailed(record.id) ? 'startup' : undefined;
  if (failed === undefined) return;
  draft.kill.push({ record, container, message: `Init container ${container.name} failed ${failed} probe`, reason: failed });
  start.push(container);
}

function dedupe(start: readonly Container[], order: readonly Container[]): Container[] {
  return order.filter((container) => start.includes(container));
}

/** Initialisation is over: a main container has been made, or every init container has succeeded or (a sidecar) started. */
function podInitialised(pod: Pod, records: PodRecords | undefined, probes: ProbeVerdicts, mainCreated: boolean): boolean {
  if (mainCreated) return true;
  return (pod.spec.initContainers ?? []).every((container) => {
    const record = recordOf(records, container.name);
    if (record === undefined) return false;
    if (isSidecar(container)) return record.state === 'running' && probes.started(container, record);
    return record.state === 'exited' && record.exitCode === 0;
  });
}
