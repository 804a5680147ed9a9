import type { KindContext } from '../../kind.ts';
import { parseTime } from '../../time.ts';
import type { Pod, PodCondition } from '../../types.ts';
import { age, columns, none, since } from '../columns.ts';

/** How `kubectl get pods` sums a pod up. Upstream: printPod of pkg/printers/internalversion/printers.go. */

type ContainerStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number];
interface Summary {
  readonly ready: string;
  readonly status: string;
  readonly restarts: string;
}

class Restarts {
  count = 0;
  lastUs: number | undefined;
  last: string | undefined;

  add(status: ContainerStatus): void {
    this.count += status.restartCount;
    const finished = status.lastState?.terminated?.finishedAt;
    const us = finished === undefined || finished === null ? undefined : parseTime(finished);
    if (us !== undefined && (this.lastUs === undefined || us > this.lastUs)) {
      this.lastUs = us;
      this.last = finished;
    }
  }

  text(context: KindContext): string {
    return this.count > 0 && this.last !== undefined ? `${this.count} (${since(this.last, context)} ago)` : String(this.count);
  }
}

function condition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((c) => c.type === type);
}

/** 'Signal:9', 'ExitCode:3', or the reason given. */
function terminationText(terminated: NonNullable<NonNullable<ContainerStatus['state']>['terminated']>): string {
  if ((terminated.reason ?? '') !== '') return terminated.reason ?? '';
  return (terminated.signal ?? 0) !== 0 ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`;
}

let lastPod: Pod | undefined;
let lastNowUs = 0;
let lastSummary: Summary | undefined;

/** Three cells of one row come from one look at the pod. */
function summary(pod: Pod, context: KindContext): Summary {
  if (pod === lastPod && context.nowUs === lastNowUs && lastSummary !== undefined) return lastSummary;
  lastPod = pod;
  lastNowUs = context.nowUs;
  lastSummary = summarize(pod, context);
  return lastSummary;
}

function summarize(pod: Pod, context: KindContext): Summary {
  const { spec, status } = pod;
  const phase: string = status?.phase ?? '';
  let reason = (status?.reason ?? '') === '' ? phase : (status?.reason ?? '');
  let total = spec?.containers?.length ?? 0;
  let ready = 0;
  const restarts = new Restarts();
  const sidecarRestarts = new Restarts();
  if (condition(pod, 'PodScheduled')?.reason === 'SchedulingGated') reason = 'SchedulingGated';

  const inits = new Map((spec?.initContainers ?? []).map((c) => [c.name, c]));
  for (const container of inits.values()) if (container.restartPolicy === 'Always') total++;
  let initializing = false;
  for (const [i, container] of (status?.initContainerStatuses ?? []).entries()) {
    restarts.add(container);
    const sidecar = inits.get(container.name)?.restartPolicy === 'Always';
    if (sidecar) sidecarRestarts.add(container);
    const { terminated, waiting } = container.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (sidecar && container.started === true) {
      if (container.ready) ready++;
      continue;
    }
    if (terminated !== undefined) reason = `Init:${terminationText(terminated)}`;
    else if ((waiting?.reason ?? '') !== '' && waiting?.reason !== 'PodInitializing') reason = `Init:${waiting?.reason}`;
    else reason = `Init:${i}/${spec?.initContainers?.length ?? 0}`;
    initializing = true;
    break;
  }

  let counted = restarts;
  if (!initializing || condition(pod, 'Initialized')?.status === 'True') {
    counted = sidecarRestarts;
    let running = false;
    const containers = status?.containerStatuses ?? [];
    for (let i = containers.length - 1; i >= 0; i--) {
      const container = containers[i];
      if (container === undefined) continue;
      counted.add(container);
      const { terminated, waiting, running: runs } = container.state ?? {};
      if ((waiting?.reason ?? '') !== '') reason = waiting?.reason ?? '';
      else if (terminated !== undefined) reason = terminationText(terminated);
      else if (container.ready && runs !== undefined) {
        running = true;
        ready++;
      }
    }
    if (reason === 'Completed' && running) reason = condition(pod, 'Ready')?.status === 'True' ? 'Running' : 'NotReady';
  }

  if (pod.metadata.deletionTimestamp !== undefined) {
    if (status?.reason === 'NodeLost') reason = 'Unknown';
    else if (phase !== 'Failed' && phase !== 'Succeeded') reason = 'Terminating';
  }
  return { ready: `${ready}/${total}`, status: reason, restarts: counted.text(context) };
}

function readinessGates(pod: Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return none;
  const open = gates.filter((gate) => condition(pod, gate.conditionType)?.status === 'True').length;
  return `${open}/${gates.length}`;
}

const orNone = (text: string | undefined): string => (text === undefined || text === '' ? none : text);

export const podColumns = columns<Pod>('pods', [
  ['Ready', 'string', (pod, context) => summary(pod, context).ready],
  ['Status', 'string', (pod, context) => summary(pod, context).status],
  ['Restarts', 'string', (pod, context) => summary(pod, context).restarts],
  age(),
  ['IP', 'string', (pod) => orNone(pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP), 1],
  ['Node', 'string', (pod) => orNone(pod.spec?.nodeName), 1],
  ['Nominated Node', 'string', (pod) => orNone(pod.status?.nominatedNodeName), 1],
  ['Readiness Gates', 'string', readinessGates, 1],
]);
