import type { Process } from '../../../sim/process.ts';
import { parseTime } from '../../api/time.ts';
import type { Container, ContainerStatus, Pod, PodStatus, Probe } from '../../api/types.ts';
import type { CriClient } from '../cri.ts';
import type { PodEvents } from '../pod-events.ts';
import { initContainer, isSidecar } from '../pod-spec.ts';
import type { Machine } from '../runtime/machine.ts';
import { callHandler, probePeriod, probeTimeout, type ProbeOutcome } from './probe.ts';
import { ProbeResults, type ProbeType } from './results.ts';
import { bareId, ProbeWorker } from './worker.ts';

export interface ProberOptions {
  readonly process: Process;
  readonly machine: Machine;
  readonly cri: CriClient;
  readonly events: PodEvents;
  readonly status: (podUid: string) => PodStatus | undefined;
  /** The pod as the kubelet has it now. */
  readonly pod: (podUid: string) => Pod | undefined;
  readonly onReadiness: (podUid: string, containerId: string, ready: boolean) => void;
  readonly onStartup: (podUid: string, containerId: string, started: boolean) => void;
  readonly onLivenessFailure: (podUid: string) => void;
  /** Defect K22. */
  readonly forgetsReadiness?: boolean;
}

const TYPES: readonly ProbeType[] = ['startup', 'readiness', 'liveness'];
const LABEL: Record<ProbeType, string> = { startup: 'Startup', readiness: 'Readiness', liveness: 'Liveness' };

/** All probes of a node: upstream prober_manager.go. */
export class Prober {
  readonly readiness: ProbeResults;
  readonly liveness: ProbeResults;
  readonly startup: ProbeResults;
  readonly #options: ProberOptions;
  readonly #startedAt: number;
  readonly #startedAtWall: number;
  readonly #workers = new Map<string, Map<string, ProbeWorker>>();
  readonly #podByContainer = new Map<string, string>();

  constructor(options: ProberOptions) {
    this.#options = options;
    this.#startedAt = options.process.mono();
    this.#startedAtWall = options.process.wall();
    this.readiness = new ProbeResults((id, pod, verdict) => options.onReadiness(pod, id, verdict === 'success'));
    this.startup = new ProbeResults((id, pod, verdict) => options.onStartup(pod, id, verdict === 'success'));
    this.liveness = new ProbeResults((_id, pod, verdict) => {
      if (verdict === 'failure') options.onLivenessFailure(pod);
    });
    options.machine.onAppChanged = (containerId) => {
      const { process } = options;
      process.deliver(0, process.world.calibration.resumeUs, () => this.#appChanged(containerId), undefined, undefined);
    };
  }

  #results(type: ProbeType): ProbeResults {
    return type === 'readiness' ? this.readiness : type === 'liveness' ? this.liveness : this.startup;
  }

  /** Starts the pod's probes; does nothing for those that run. */
  addPod(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)];
    for (const container of containers) {
      for (const type of TYPES) {
        const probe = probeOf(container, type);
        if (probe === undefined) continue;
        const key = `${container.name}/${type}`;
        if (this.#workers.get(uid)?.has(key) === true) continue;
        this.#start(pod, container, type, probe, key);
      }
    }
  }

  #start(pod: Pod, container: Container, type: ProbeType, probe: Probe, key: string): void {
    const { process, machine, cri, events } = this.#options;
    const uid = pod.metadata.uid ?? '';
    const period = probePeriod(probe);
    const delay = period > process.mono() - this.#startedAt ? process.random.below(period) : 0;
    let workers = this.#workers.get(uid);
    if (workers === undefined) {
      workers = new Map();
      this.#workers.set(uid, workers);
    }
    const own = workers;
    const options = {
      process,
      type,
      pod,
      container,
      probe,
      results: this.#results(type),
      status: () => this.#options.status(uid),
      deleting: () => this.#options.pod(uid)?.metadata.deletionTimestamp !== undefined,
      call: (containerId: string, done: (outcome: ProbeOutcome) => void) => {
        this.#podByContainer.set(containerId, uid);
        const address = this.#options.status(uid)?.podIP ?? '';
        process.spawn('probe', callHandler(process, machine, cri, { containerId, container, address }, probe, probeTimeout(probe)), done);
      },
      report: (outcome: ProbeOutcome) => {
        const current = this.#options.pod(uid) ?? pod;
        if (outcome.kind === 'failure')
          events.container(current, container, 'Warning', 'Unhealthy', `${LABEL[type]} probe failed: ${outcome.message}`);
        else if (outcome.kind === 'warning')
          events.container(current, container, 'Warning', 'ProbeWarning', `${LABEL[type]} probe warning: ${outcome.message}`);
        else if (outcome.kind === 'error') {
          events.container(
            current,
            container,
            'Warning',
            'Unhealthy',
            `${LABEL[type]} probe errored and resulted in unknown state: ${outcome.message}`,
          );
        }
      },
      onEnd: () => {
        own.delete(key);
      },
      initial: (containerId: string, startedAt: number) => this.#known(pod, containerId, startedAt, type),
    };
    const worker = new ProbeWorker(options, delay);
    // One that has nothing to probe (its container has ended for good) is gone at once; the next sync makes another, as upstream does.
    if (!worker.ended) workers.set(key, worker);
  }

  /** Ends the pod's probes. */
  removePod(podUid: string): void {
    const workers = this.#workers.get(podUid);
    if (workers === undefined) return;
    for (const key of [...workers.keys()].sort()) workers.get(key)?.stop();
    this.#workers.delete(podUid);
    for (const [id, uid] of this.#podByContainer) if (uid === podUid) this.#podByContainer.delete(id);
  }

  /** A pod that is going down is only probed for readiness: upstream StopLivenessAndStartup. */
  stopLivenessAndStartup(pod: Pod): void {
    const workers = this.#workers.get(pod.metadata.uid ?? '');
    if (workers === undefined) return;
    for (const key of [...workers.keys()].sort()) if (!key.endsWith('/readiness')) workers.get(key)?.stop();
  }

  /** The kubelet's status of the pod changed: parked workers look again. */
  statusChanged(podUid: string): void {
    const workers = this.#workers.get(podUid);
    if (workers === undefined) return;
    for (const worker of workers.values()) worker.wake();
  }

  /** The runtime went away or came back: exec probes have other answers. */
  runtimeChanged(): void {
    for (const uid of [...this.#workers.keys()].sort()) this.statusChanged(uid);
  }

  #appChanged(containerId: string): void {
    const uid = this.#podByContainer.get(containerId);
    if (uid !== undefined) this.statusChanged(uid);
  }

  /** Fills in `started` and `ready`: upstream UpdatePodStatus. A container that is not ready yet is probed at once besides. */
  fill(pod: Pod, statuses: readonly ContainerStatus[], init: boolean): readonly ContainerStatus[] {
    return statuses.map((status) => {
      const started = this.#started(pod, status);
      let ready = false;
      const spec = init ? initContainer(pod.spec, status.name) : undefined;
      if (init && (spec === undefined || !isSidecar(spec))) ready = status.state?.terminated?.exitCode === 0;
      else if (started) ready = this.#ready(pod, status);
      return { ...status, started, ready };
    });
  }

  /**
   * What the API says of a container that was running before this kubelet started: a restart of the kubelet changes neither readiness nor
   * `started` (gate ChangeContainerStatusOnKubeletRestart, off in 1.35).
   */
  #known(pod: Pod, containerId: string, startedAtUs: number, type: ProbeType): 'success' | undefined {
    // Otherwise every restart of a kubelet takes its pods out of service until each was probed again (kubernetes#78733, #100277).
    if (this.#options.forgetsReadiness === true) return undefined;
    if (type === 'liveness' || startedAtUs >= this.#startedAtWall) return undefined;
    const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
    const status = statuses.find((candidate) => bareId(candidate.containerID) === containerId);
    return (type === 'readiness' ? status?.ready : status?.started) === true ? 'success' : undefined;
  }

  #started(pod: Pod, status: ContainerStatus): boolean {
    const running = status.state?.running;
    if (running === undefined) return false;
    const id = bareId(status.containerID);
    const verdict = this.startup.get(id);
    if (verdict !== undefined) return verdict === 'success';
    const uid = pod.metadata.uid ?? '';
    if (this.#workers.get(uid)?.has(`${status.name}/startup`) === true) return false;
    if (this.#workers.has(uid) || specOf(pod, status.name)?.startupProbe === undefined) return true;
    return this.#known(pod, id, parseTime(running.startedAt ?? '') ?? 0, 'startup') === 'success';
  }

  #ready(pod: Pod, status: ContainerStatus): boolean {
    const id = bareId(status.containerID);
    if (this.readiness.get(id) === 'success') return true;
    const uid = pod.metadata.uid ?? '';
    const worker = this.#workers.get(uid)?.get(`${status.name}/readiness`);
    if (worker === undefined) {
      if (this.#workers.has(uid) || specOf(pod, status.name)?.readinessProbe === undefined) return true;
      return this.#known(pod, id, parseTime(status.state?.running?.startedAt ?? '') ?? 0, 'readiness') === 'success';
    }
    // Not within this resume: the status that is being made must be set before the probe looks at it.
    const { process } = this.#options;
    process.after(0, () => worker.trigger());
    return false;
  }
}

function probeOf(container: Container, type: ProbeType): Probe | undefined {
  return type === 'startup' ? container.startupProbe : type === 'readiness' ? container.readinessProbe : container.livenessProbe;
}

function specOf(pod: Pod, name: string): Container | undefined {
  return pod.spec.containers.find((container) => container.name === name) ?? initContainer(pod.spec, name);
}
