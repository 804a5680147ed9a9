import type { Host } from '../../../sim/host.ts';
import { ProcessExit, type Process } from '../../../sim/process.ts';
import type { Micros } from '../../../sim/time.ts';
import { quantityOf, quantityValue } from '../../api/quantity.ts';
import type { Container, Pod } from '../../api/types.ts';
import type { Facts } from '../../facts.ts';
import type { App, AppEnvironment, Behaviour } from '../app.ts';
import { PodFiles } from './pod-files.ts';

/** How a container ended. */
export interface Exit {
  readonly code: number;
  /** 'Completed', 'Error', 'OOMKilled'. */
  readonly reason: string;
  /** Termination message. */
  readonly message: string;
  readonly atUs: Micros;
}

/** What the kernel and the shim know of one container whose process was started. */
export interface RunningContainer {
  readonly id: string;
  readonly pod: Pod;
  readonly container: Container;
  readonly attempt: number;
  readonly image: string;
  readonly process: Process;
  app: App | undefined;
  readonly startedAtUs: Micros;
  exit: Exit | undefined;
  killReason: string | undefined;
  /** Its working set, as far as the app tells of it. */
  memoryBytes: number;
  /** The last lines that it has written. */
  readonly log: string[];
}

export interface StartContainer {
  readonly id: string;
  readonly pod: Pod;
  readonly container: Container;
  readonly attempt: number;
  readonly image: string;
  readonly address: string;
  readonly env: Readonly<Record<string, string>>;
  readonly behaviour: Behaviour;
}

/** Default path of the termination message (core/v1 TerminationMessagePathDefault) and how much of it is kept. */
const TERMINATION_MESSAGE_PATH = '/dev/termination-log';
const TERMINATION_MESSAGE_MAX = 4096;
/** Lines of a container's log that are kept. */
const LOG_LINES_MAX = 200;

/**
 * The kernel of a machine and the shims that watch its containers: processes, pods' addresses, files of pods. It outlives the kubelet
 * and the runtime, so a restarted runtime finds how containers ended; a crash of the host takes all processes and addresses with it.
 */
export class Machine {
  readonly host: Host;
  readonly facts: Facts;
  readonly #containers = new Map<string, RunningContainer>();
  readonly #sandboxes = new Map<string, { readonly podUid: string; readonly ip: string; readonly boot: number }>();
  readonly #files = new Map<string, PodFiles>();
  readonly #manifests = new Map<string, Pod>();
  #filesBoot = 0;
  /** The running runtime: told of every end of a container or sandbox. */
  onExit: ((containerId: string) => void) | undefined;
  onSandboxDeath: ((sandboxId: string) => void) | undefined;
  /** The running kubelet's prober: told when an app's answers may have changed or its process ended or paused. */
  onAppChanged: ((containerId: string) => void) | undefined;
  /** The running kubelet: told that the machine is about to shut down, or that an emptyDir has outgrown its limit. */
  onShutdown: (() => void) | undefined;
  onVolumeFull: ((podUid: string, volume: string) => void) | undefined;
  /** The running kubelet: told that apps use more or less memory or disk than before. */
  onUsage: (() => void) | undefined;
  /** The running kubelet's watch on its folder of manifests. */
  onManifests: (() => void) | undefined;
  /** Listens to the apps' logs; for recordings and reports. */
  onLog: ((pod: Pod, container: string, attempt: number, line: string) => void) | undefined;

  constructor(host: Host, facts: Facts) {
    this.host = host;
    this.facts = facts;
  }

  /** The pod's volumes. */
  files(podUid: string): PodFiles {
    if (this.#filesBoot !== this.host.boots) {
      this.#filesBoot = this.host.boots;
      for (const held of this.#files.values()) held.losePower();
    }
    let files = this.#files.get(podUid);
    if (files === undefined) {
      files = new PodFiles();
      files.onFull = (volume) => this.onVolumeFull?.(podUid, volume);
      files.onWrite = () => this.onUsage?.();
      this.#files.set(podUid, files);
    }
    return files;
  }

  removeFiles(podUid: string): void {
    if (this.#files.delete(podUid)) this.onUsage?.();
  }

  // --- static pods -------------------------------------------------------------------------------------------------------------

  /** The folder of manifests: what somebody (kubeadm, an operator) put there for the kubelet to run, by file name. */
  manifests(): readonly { readonly file: string; readonly pod: Pod }[] {
    return [...this.#manifests.keys()].sort().map((file) => ({ file, pod: this.#manifests.get(file) as Pod }));
  }

  /** Writes a manifest; undefined takes the file away. */
  setManifest(file: string, pod: Pod | undefined): void {
    if (pod === undefined) this.#manifests.delete(file);
    else this.#manifests.set(file, pod);
    this.onManifests?.();
  }

  // --- what is used ------------------------------------------------------------------------------------------------------------

  /** Memory of a pod's containers, by container. */
  memoryOf(podUid: string): ReadonlyMap<string, number> {
    const used = new Map<string, number>();
    for (const { container, memoryBytes } of this.runningOf(podUid)) used.set(container.name, memoryBytes);
    return used;
  }

  /** Memory of all containers, with the files that pods keep in memory. */
  memoryUsed(): number {
    let used = 0;
    for (const running of this.#containers.values()) if (running.exit === undefined) used += running.memoryBytes;
    for (const files of this.#files.values()) used += files.usedBytes(true);
    return used;
  }

  /** Disk that pods' files take. */
  diskUsed(): number {
    let used = 0;
    for (const files of this.#files.values()) used += files.usedBytes(false);
    return used;
  }

  /** Tells the pod's running apps that a mounted file changed. */
  volumesChanged(podUid: string): void {
    for (const running of this.#containers.values()) {
      if (running.pod.metadata.uid !== podUid || running.exit !== undefined) continue;
      const { process } = running;
      process.deliver(0, process.world.calibration.resumeUs, () => running.app?.volumeChanged?.(), undefined, undefined);
    }
  }

  // --- sandboxes ---------------------------------------------------------------------------------------------------------------

  /** Sets up a sandbox's network: the address answers on this host from now on. '' for the host's own network. */
  addSandbox(id: string, podUid: string, ip: string): void {
    this.#sandboxes.set(id, { podUid, ip, boot: this.host.boots });
    if (ip !== '') this.host.world.network.bindAddress(ip, this.host);
  }

  /** Whether the sandbox's pause process still runs. */
  sandboxLives(id: string): boolean {
    return this.#sandboxes.get(id)?.boot === this.host.boots;
  }

  removeSandbox(id: string): void {
    const sandbox = this.#sandboxes.get(id);
    if (sandbox === undefined) return;
    this.#sandboxes.delete(id);
    if (sandbox.ip !== '') this.host.world.network.bindAddress(sandbox.ip, undefined);
  }

  /** SIGKILL of the pause process behind everybody's back. Its network namespace goes with it. */
  killSandbox(id: string): void {
    this.removeSandbox(id);
    this.onSandboxDeath?.(id);
  }

  /** Sandboxes of a pod that are up, for faults. */
  sandboxesOf(podUid: string): readonly string[] {
    return [...this.#sandboxes].filter(([id, sandbox]) => sandbox.podUid === podUid && this.sandboxLives(id)).map(([id]) => id);
  }

  // --- containers --------------------------------------------------------------------------------------------------------------

  /** Containers of a pod that run, for faults. */
  runningOf(podUid: string): readonly RunningContainer[] {
    return [...this.#containers.values()].filter((running) => running.pod.metadata.uid === podUid && running.exit === undefined);
  }

  /** The newest ended container of that name, for faults. */
  endedOf(podUid: string, container: string): string | undefined {
    const ended = [...this.#containers.values()].filter(
      (running) => running.pod.metadata.uid === podUid && running.container.name === container && running.exit !== undefined,
    );
    return ended.at(-1)?.id;
  }

  container(id: string): RunningContainer | undefined {
    return this.#containers.get(id);
  }

  /** Starts the container's process. */
  start(request: StartContainer): void {
    const { id, pod, container, attempt } = request;
    const host = this.host;
    const name = `ctr/${pod.metadata.uid ?? ''}/${container.name}/${attempt}`;
    const machine = this;
    host.install({
      name,
      manual: true,
      start(process: Process): void {
        const running: RunningContainer = {
          ...request,
          process,
          app: undefined,
          startedAtUs: process.wall(),
          exit: undefined,
          killReason: undefined,
          memoryBytes: 0,
          log: [],
        };
        machine.#containers.set(id, running);
        process.onDeath = () => machine.#ended(running, name);
        process.onStateChange = () => machine.onAppChanged?.(id);
        machine.facts.containerStarted.emit(host.name, keyOf(pod), pod.metadata.uid ?? '', container.name, id, request.image);
        running.app = request.behaviour.start(machine.#environment(running, request));
      },
    });
    host.start(name);
  }

  /** Delivers a signal. SIGKILL ends the process at once; others reach the app. */
  signal(id: string, name: string, reason?: string): void {
    const running = this.#containers.get(id);
    if (running === undefined || running.exit !== undefined) return;
    if (name === 'SIGKILL') {
      running.killReason = reason;
      running.process.kill('SIGKILL');
      return;
    }
    const { process } = running;
    process.deliver(0, process.world.calibration.resumeUs, () => running.app?.signal(name), undefined, undefined);
  }

  /** What a container has written, oldest line first. */
  logs(id: string): readonly string[] {
    return this.#containers.get(id)?.log ?? [];
  }

  /** Forgets an ended container. */
  forget(id: string): void {
    const running = this.#containers.get(id);
    if (running?.exit !== undefined) this.#containers.delete(id);
  }

  #environment(running: RunningContainer, request: StartContainer): AppEnvironment {
    const { process } = running;
    const { pod, container, attempt } = request;
    const end = (exit: Exit): never => {
      running.exit = exit;
      throw new ProcessExit(exit.code, exit.reason);
    };
    return {
      process,
      pod,
      container,
      attempt,
      address: request.address,
      env: request.env,
      files: this.files(pod.metadata.uid ?? '').view(container),
      exit: (code) =>
        end({
          code,
          reason: code === 0 ? 'Completed' : 'Error',
          message: this.#terminationMessage(pod, container, attempt),
          atUs: process.wall(),
        }),
      useMemory: (bytes) => {
        const limit = container.resources?.limits?.['memory'];
        if (limit !== undefined && bytes > quantityValue(quantityOf(limit)))
          end({ code: 137, reason: 'OOMKilled', message: '', atUs: process.wall() });
        running.memoryBytes = bytes;
        this.onUsage?.();
      },
      changed: () => this.onAppChanged?.(running.id),
      log: (line) => {
        if (running.log.push(line) > LOG_LINES_MAX) running.log.shift();
        this.onLog?.(pod, container.name, attempt, line);
      },
    };
  }

  #terminationMessage(pod: Pod, container: Container, _attempt: number): string {
    const path = container.terminationMessagePath ?? TERMINATION_MESSAGE_PATH;
    const files = this.files(pod.metadata.uid ?? '').view(container);
    const message = files.read(path) ?? '';
    if (message !== '') files.write(path, '');
    return message.slice(0, TERMINATION_MESSAGE_MAX);
  }

  #ended(running: RunningContainer, programName: string): void {
    const { host } = this;
    const lost = !host.up;
    // A kill from outside: 128 + SIGKILL.
    running.exit ??= { code: 137, reason: running.killReason ?? 'Error', message: '', atUs: host.clock.wall() };
    const { pod, container, id } = running;
    if (running.memoryBytes > 0) this.onUsage?.();
    this.facts.containerStopped.emit(host.name, keyOf(pod), pod.metadata.uid ?? '', container.name, id, running.exit.code);
    host.uninstall(programName);
    if (lost) {
      // No power, no shim: a runtime that comes back finds nobody who knows how this one ended.
      this.#containers.delete(id);
      return;
    }
    this.onAppChanged?.(id);
    this.onExit?.(id);
  }
}

export function keyOf(pod: Pod): string {
  return `${pod.metadata.namespace ?? ''}/${pod.metadata.name ?? ''}`;
}
