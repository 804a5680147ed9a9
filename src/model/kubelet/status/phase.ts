import type { Container, ContainerStatus, Pod, PodStatus } from '../../api/types.ts';
import { isSidecar, isStatic, restartsAfter } from '../pod-spec.ts';

export type Phase = NonNullable<PodStatus['phase']>;

export function isTerminalPhase(phase: string | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

/**
 * The pod's phase from its containers' statuses: upstream kubelet_pods.go getPhase. `podIsTerminal`: its containers are not restarted
 * any more, whatever the policy. `initialized`: a main container has run before.
 */
export function podPhase(pod: Pod, statuses: readonly ContainerStatus[], podIsTerminal: boolean, initialized: boolean): Phase {
  const { spec } = pod;
  const find = (name: string) => statuses.find((status) => status.name === name);
  let pendingInit = 0;
  let failedInit = 0;
  let pendingSidecars = 0;
  let sidecarsRunning = 0;
  for (const container of spec.initContainers ?? []) {
    const status = find(container.name);
    if (isSidecar(container)) {
      if (status?.state?.running !== undefined) sidecarsRunning++;
      const notRunning =
        status === undefined ||
        (status.state?.running === undefined && status.state?.terminated === undefined && status.lastState?.terminated === undefined);
      if (notRunning) pendingSidecars++;
      // Upstream counts before its prober has filled in what has started: a running sidecar is pending as long as no main container has run.
      else if (status.state?.running !== undefined) pendingSidecars++;
      continue;
    }
    if (status === undefined) {
      pendingInit++;
      continue;
    }
    const { state, lastState } = status;
    if (state?.running !== undefined) pendingInit++;
    else if (state?.terminated !== undefined) {
      if (state.terminated.exitCode !== 0) failedInit++;
    } else if (state?.waiting !== undefined) {
      if (lastState?.terminated === undefined) pendingInit++;
      else if (lastState.terminated.exitCode !== 0) failedInit++;
    } else pendingInit++;
  }

  let unknown = 0;
  let running = 0;
  let waiting = 0;
  let stopped = 0;
  let succeeded = 0;
  let restartable = 0;
  let failedForGood = 0;
  const count = (container: Container, status: ContainerStatus | undefined) => {
    const state = status?.state;
    if (status === undefined) unknown++;
    else if (state?.running !== undefined) running++;
    else if (state?.terminated !== undefined) {
      stopped++;
      if (state.terminated.exitCode === 0) succeeded++;
      if (restartsAfter(container, pod, state.terminated.exitCode)) restartable++;
      else if (state.terminated.exitCode !== 0) failedForGood++;
    } else if (state?.waiting !== undefined) {
      if (status.lastState?.terminated !== undefined) stopped++;
      else waiting++;
    } else unknown++;
  };
  for (const container of spec.containers) count(container, find(container.name));

  if (failedInit > 0 && spec.restartPolicy === 'Never') return 'Failed';
  switch (true) {
    // A main container has run, so init containers that the runtime has forgotten do not put the pod back to Pending.
    case pendingInit > 0 || pendingSidecars > 0:
      if (!initialized || (running === 0 && stopped === 0)) return 'Pending';
      break;
    case failedInit > 0 && !initialized:
      return 'Pending';
  }
  if (waiting > 0) return 'Pending';
  // A pod whose main containers have ended is not over before its sidecars are.
  if ((running > 0 || sidecarsRunning > 0) && unknown === 0) return 'Running';
  if (running === 0 && stopped > 0 && unknown === 0) {
    // A static pod that is taken away keeps its phase (kubernetes#116484).
    if (podIsTerminal && !isStatic(pod)) return stopped === succeeded ? 'Succeeded' : 'Failed';
    if (restartable > 0) return 'Running';
    if (stopped === succeeded) return 'Succeeded';
    if (failedForGood > 0) return 'Failed';
    return 'Running';
  }
  return 'Pending';
}
