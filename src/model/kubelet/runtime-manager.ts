import type { Process } from '../../sim/process.ts';
import { all } from '../../sim/sync.ts';
import { type Task, suspend } from '../../sim/task.ts';
import { MINUTE, SECOND, type Micros } from '../../sim/time.ts';
import type { Container, LifecycleHandler, Pod } from '../api/types.ts';
import { computePodActions, type ContainerToKill, type KillReason } from './actions.ts';
import type { ContainerRole } from './app.ts';
import { goDuration, KeyedBackOff } from './back-off.ts';
import { MINIMUM_GRACE_SECONDS, type KubeletConfig } from './config.ts';
import type { ContainerRecord, CriClient, PodRecords, PullCredentials } from './cri.ts';
import type { EnvironmentResolver } from './environment.ts';
import type { ImageManager } from './image-manager.ts';
import type { PodEvents } from './pod-events.ts';
import { allContainers, isSidecar, podText, recordOf, specHash } from './pod-spec.ts';
import { callHandler, type ProbeOutcome } from './probes/probe.ts';
import type { Prober } from './probes/prober.ts';
import type { Machine } from './runtime/machine.ts';
import { failed, type ReasonCache, stepDone, type SyncFailure, type SyncStep } from './sync-error.ts';
import { TerminationOrder } from './termination-order.ts';

export interface RuntimeManagerOptions {
  readonly process: Process;
  readonly cri: CriClient;
  readonly machine: Machine;
  readonly events: PodEvents;
  readonly images: ImageManager;
  readonly prober: Prober;
  readonly reasons: ReasonCache;
  readonly environment: EnvironmentResolver;
  readonly config: KubeletConfig;
  /** Handler of the pod's RuntimeClass; '' is the default. */
  readonly runtimeHandler: (pod: Pod) => string;
  readonly podIp: (podUid: string) => string;
  readonly onSandbox: (podUid: string, ip: string) => void;
  readonly resizeRestarts: (pod: Pod, container: Container, record: ContainerRecord) => boolean;
}

/** What one sync did: failures of its steps, for the reason cache and the retry. */
export interface SyncResult {
  readonly failures: readonly SyncFailure[];
}

/** Starts, restarts and stops the containers of pods through the CRI: upstream kuberuntime_manager.go and kuberuntime_container.go. */
export class RuntimeManager {
  readonly #options: RuntimeManagerOptions;
  readonly #backOff: KeyedBackOff;
  /** Containers that were removed with their logs, by pod uid and name: nothing tells how often they were started. */
  readonly #purged = new Set<string>();

  constructor(options: RuntimeManagerOptions) {
    this.#options = options;
    this.#backOff = new KeyedBackOff(options.config.crashLoopBackOffInitialUs, options.config.crashLoopBackOffMaxUs);
  }

  /** Brings the pod's containers to what its specification says. */
  *syncPod(pod: Pod, records: PodRecords | undefined, credentials: readonly PullCredentials[]): Task<SyncResult> {
    const { cri, events, prober, reasons } = this.#options;
    const uid = pod.metadata.uid ?? '';
    const failures: SyncFailure[] = [];
    const actions = computePodActions(pod, records, {
      livenessFailed: (id) => prober.liveness.get(id) === 'failure',
      startupFailed: (id) => prober.startup.get(id) === 'failure',
      started: (container, record) => container.startupProbe === undefined || prober.startup.get(record.id) === 'success',
      resizeRestarts: (container, record) => this.#options.resizeRestarts(pod, container, record),
    });

    if (actions.createSandbox && actions.sandbox !== undefined) {
      events.pod(pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.');
    }
    if (actions.killPod) {
      const killed = yield* this.killPod(pod, records, undefined);
      if (!killed.ok) return { failures: [killed] };
      if (actions.createSandbox) yield* this.#purgeInitContainers(pod, records);
    } else {
      const kills = actions.kill.map((kill) => this.#kill(pod, kill));
      for (const killed of yield* all(this.#options.process, kills)) if (!killed.ok) failures.push(killed);
      if (failures.length > 0) return { failures };
    }

    let sandboxId = actions.sandbox?.id ?? '';
    if (actions.createSandbox) {
      const made = yield* cri.call(
        'RunPodSandbox',
        { pod, attempt: actions.attempt, runtimeHandler: this.#options.runtimeHandler(pod) },
        4 * MINUTE,
      );
      if (!made.ok) {
        events.pod(pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${made.message}`);
        return { failures: [failed('CreatePodSandboxError', made.message)] };
      }
      sandboxId = made.value.sandboxId;
      this.#options.onSandbox(uid, made.value.ip);
    }

    const start = function* (this: RuntimeManager, container: Container, role: ContainerRole): Task<boolean> {
      const step = yield* this.#startWithBackOff(pod, container, role, records, sandboxId, credentials);
      if (step.ok) {
        reasons.clear(uid, container.name);
        return true;
      }
      reasons.set(uid, container.name, step);
      failures.push(step);
      return false;
    }.bind(this);

    for (const container of actions.startEphemeral) yield* start(container, 'ephemeral');
    for (const container of actions.startInit) {
      const sidecar = isSidecar(container);
      const started = yield* start(container, sidecar ? 'sidecar' : 'init');
      if (!started && !sidecar) return { failures };
    }
    for (const container of actions.start) yield* start(container, 'main');
    return { failures };
  }

  *#startWithBackOff(
    pod: Pod,
    container: Container,
    role: ContainerRole,
    records: PodRecords | undefined,
    sandboxId: string,
    credentials: readonly PullCredentials[],
  ): Task<SyncStep> {
    const { process, events } = this.#options;
    // The newest that has ended: of a container that this very sync killed, the run before.
    const last = records?.containers.find((record) => record.name === container.name && record.state === 'exited');
    if (last !== undefined) {
      // The key holds the definition: another image starts without a delay.
      const key = `${container.name}_${podText(pod)}_${specHash(container)}`;
      const now = process.wall();
      const until = this.#backOff.waitsSince(key, last.finishedAtUs, now);
      if (until !== undefined) {
        events.container(
          pod,
          container,
          'Warning',
          'BackOff',
          `Back-off restarting failed container ${container.name} in pod ${podText(pod)}`,
        );
        const delay = goDuration(this.#backOff.get(key));
        return failed('CrashLoopBackOff', `back-off ${delay} restarting failed container=${container.name} pod=${podText(pod)}`, until);
      }
      this.#backOff.next(key, last.finishedAtUs, now);
    }
    return yield* this.#start(pod, container, role, records, sandboxId, credentials);
  }

  *#start(
    pod: Pod,
    container: Container,
    role: ContainerRole,
    records: PodRecords | undefined,
    sandboxId: string,
    credentials: readonly PullCredentials[],
  ): Task<SyncStep> {
    const { cri, events, images, environment, process } = this.#options;
    const image = yield* images.ensure(pod, container, credentials[0]);
    if (!image.ok) {
      events.container(pod, container, 'Warning', 'Failed', `Error: ${image.reason}`);
      return image;
    }
    const last = recordOf(records, container.name);
    const attempt = last === undefined ? (this.#restartCountOf(pod, container.name) ?? 0) : last.attempt + 1;
    const user = checkUser(pod, container, image.value.user);
    if (user !== undefined) {
      events.container(pod, container, 'Warning', 'Failed', `Error: ${user}`);
      return failed('CreateContainerConfigError', user);
    }
    const env = yield* environment.resolve(pod, container);
    if (!env.ok) {
      events.container(pod, container, 'Warning', 'Failed', `Error: ${env.message}`);
      return failed('CreateContainerConfigError', env.message);
    }
    const unset = missingInPaths(container, env.value);
    if (unset !== undefined) {
      events.container(pod, container, 'Warning', 'Failed', `Error: missing value for ${unset}`);
      return failed('CreateContainerConfigError', `missing value for ${unset}`);
    }
    const created = yield* cri.call('CreateContainer', {
      sandboxId,
      pod,
      container,
      role,
      attempt,
      image: container.image ?? '',
      imageId: image.value.reference,
      specHash: specHash(container),
      env: env.value,
    });
    if (!created.ok) {
      events.container(pod, container, 'Warning', 'Failed', `Error: ${created.message}`);
      return failed('CreateContainerError', created.message);
    }
    const { containerId } = created.value;
    this.#purged.delete(`${pod.metadata.uid ?? ''}/${container.name}`);
    events.container(pod, container, 'Normal', 'Created', 'Container created');
    const started = yield* cri.call('StartContainer', { containerId });
    if (!started.ok) {
      const description = started.message.replace(/^rpc error: code = \w+ desc = /, '');
      events.container(pod, container, 'Warning', 'Failed', `Error: ${description}`);
      return failed('RunContainerError', description);
    }
    events.container(pod, container, 'Normal', 'Started', 'Container started');
    const hook = container.lifecycle?.postStart;
    if (hook === undefined) return stepDone;
    const address = this.#address(pod);
    const outcome = yield* callHandler(process, this.#options.machine, cri, { containerId, container, address }, hook, HOOK_TIMEOUT);
    if (outcome.kind !== 'failure' && outcome.kind !== 'error') return stepDone;
    events.container(pod, container, 'Warning', 'FailedPostStartHook', 'PostStartHook failed');
    yield* this.#killContainer(pod, container, containerId, 'FailedPostStartHook', 'postStart', undefined, undefined);
    return failed('PostStartHookError', hookProblem(pod, container, hook, outcome));
  }

  /** A container that the runtime forgot: the API still knows how often it was started. */
  #restartCountOf(pod: Pod, container: string): number | undefined {
    if (this.#purged.has(`${pod.metadata.uid ?? ''}/${container}`)) return undefined;
    const status = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
      (known) => known.name === container,
    );
    return status?.containerID === undefined || status.containerID === '' ? undefined : status.restartCount + 1;
  }

  *#kill(pod: Pod, kill: ContainerToKill): Task<SyncStep> {
    return yield* this.#killContainer(pod, kill.container, kill.record.id, kill.message, kill.reason, undefined, undefined);
  }

  /** Stops all containers in their order, then the sandbox. `graceSeconds`: the pod's own where undefined. */
  *killPod(pod: Pod, records: PodRecords | undefined, graceSeconds: number | undefined): Task<SyncStep> {
    const running = (records?.containers ?? []).filter((record) => record.state === 'running' || record.state === 'unknown');
    const specs = allContainers(pod.spec);
    const order = (pod.spec.initContainers ?? []).some(isSidecar) ? new TerminationOrder(this.#options.process, pod, running) : undefined;
    const kills = running.map((record) => {
      const spec = specs.find(({ container }) => container.name === record.name)?.container;
      const container: Container = spec ?? { name: record.name };
      return this.#killContainer(pod, container, record.id, '', '', graceSeconds, order);
    });
    const problems: string[] = [];
    const results = yield* all(this.#options.process, kills);
    results.forEach((result, index) => {
      if (!result.ok)
        problems.push(
          `failed to "KillContainer" for ${JSON.stringify(running[index]?.name ?? '')} with KillContainerError: ${JSON.stringify(result.message)}`,
        );
    });
    // Those that are down already too: it costs a call.
    for (const sandbox of records?.sandboxes ?? []) {
      const stopped = yield* this.#options.cri.call('StopPodSandbox', { sandboxId: sandbox.id });
      if (!stopped.ok)
        problems.push(
          `failed to "KillPodSandbox" for ${JSON.stringify(pod.metadata.uid ?? '')} with KillPodSandboxError: ${JSON.stringify(stopped.message)}`,
        );
    }
    return problems.length === 0 ? stepDone : failed('KillPodError', `[${problems.join(', ')}]`);
  }

  /** Upstream killContainer: preStop hook, its turn among the others, SIGTERM, SIGKILL. */
  *#killContainer(
    pod: Pod,
    container: Container,
    id: string,
    message: string,
    reason: KillReason,
    graceOverride: number | undefined,
    order: TerminationOrder | undefined,
  ): Task<SyncStep> {
    const { process, cri, events } = this.#options;
    let grace = graceOverride ?? gracePeriod(pod, container, reason);
    events.container(pod, container, 'Normal', 'Killing', message === '' ? `Stopping container ${container.name}` : message);
    const begun = process.mono();
    if (container.lifecycle?.preStop !== undefined && grace > 0) {
      yield* this.#preStop(pod, container, id, grace);
      grace -= Math.floor((process.mono() - begun) / SECOND);
    }
    if (order !== undefined && grace > 0) grace -= yield* order.waitForTurn(container.name, grace);
    if (grace < MINIMUM_GRACE_SECONDS) grace = MINIMUM_GRACE_SECONDS;
    const signal = container.lifecycle?.stopSignal;
    const stopped = yield* cri.call(
      'StopContainer',
      { containerId: id, timeoutUs: grace * SECOND, ...(signal === undefined ? {} : { signal }) },
      grace * SECOND + 2 * MINUTE,
    );
    order?.terminated(container.name);
    if (!stopped.ok && stopped.code !== 'NotFound') return failed('KillContainerError', stopped.message);
    return stepDone;
  }

  *#preStop(pod: Pod, container: Container, id: string, grace: number): Task<void> {
    const { process, cri, events, machine } = this.#options;
    const hook = container.lifecycle?.preStop;
    if (hook === undefined) return;
    // A hook that uses up the grace period is not stopped: it ends with its container, and its failure is told then.
    yield* suspend<void>((resolve) => {
      const timer = process.after(grace * SECOND, () => resolve(undefined));
      process.spawn(
        'preStop',
        callHandler(process, machine, cri, { containerId: id, container, address: this.#address(pod) }, hook, HOOK_TIMEOUT),
        (outcome) => {
          process.cancel(timer);
          if (outcome.kind === 'failure' || outcome.kind === 'error')
            events.container(pod, container, 'Warning', 'FailedPreStopHook', 'PreStopHook failed');
          resolve(undefined);
        },
      );
    });
  }

  /** A new sandbox starts from the beginning: upstream purgeInitContainers. */
  *#purgeInitContainers(pod: Pod, records: PodRecords | undefined): Task<void> {
    const names = new Set((pod.spec.initContainers ?? []).map((container) => container.name));
    for (const record of records?.containers ?? []) {
      if (!names.has(record.name)) continue;
      yield* this.#options.cri.call('RemoveContainer', { containerId: record.id });
      this.#purged.add(`${pod.metadata.uid ?? ''}/${record.name}`);
    }
  }

  #address(pod: Pod): string {
    return this.#options.podIp(pod.metadata.uid ?? '');
  }

  /** Removes dead containers but the newest dead one of each name, and with `everything` all, with their sandboxes. */
  *cleanUp(records: PodRecords, everything: boolean): Task<void> {
    const { cri } = this.#options;
    const kept = new Set<string>();
    for (const record of records.containers) {
      if (record.state !== 'exited') continue;
      // One dead container of a name is kept (MaxPerPodContainer 1).
      if (everything || kept.has(record.name)) yield* cri.call('RemoveContainer', { containerId: record.id });
      else kept.add(record.name);
    }
    if (!everything) return;
    for (const sandbox of records.sandboxes) if (sandbox.state !== 'ready') yield* cri.call('RemovePodSandbox', { sandboxId: sandbox.id });
  }
}

/** The first variable of a subPathExpr that has no value. */
function missingInPaths(container: Container, env: Readonly<Record<string, string>>): string | undefined {
  for (const mount of container.volumeMounts ?? []) {
    for (const [, name = ''] of (mount.subPathExpr ?? '').matchAll(/\$\(([^)]+)\)/g)) if (env[name] === undefined) return name;
  }
  return undefined;
}

/** How the status words a postStart hook that failed. */
function hookProblem(pod: Pod, container: Container, hook: LifecycleHandler, outcome: ProbeOutcome): string {
  if (outcome.kind !== 'failure' && outcome.kind !== 'error') return '';
  const whom = `for Container ${JSON.stringify(container.name)} in Pod ${JSON.stringify(podText(pod))} failed - error: `;
  if (hook.exec !== undefined) {
    const command = (hook.exec.command ?? []).join(' ');
    const why =
      outcome.kind === 'failure' && outcome.exitCode !== undefined
        ? `command '${command}' exited with ${outcome.exitCode}: , message: ${JSON.stringify(outcome.message)}`
        : outcome.message;
    return `Exec lifecycle hook ([${command}]) ${whom}${why}`;
  }
  if (hook.httpGet !== undefined) return `HTTP lifecycle hook (${hook.httpGet.path ?? ''}) ${whom}${outcome.message}`;
  return outcome.message;
}

/** A hook has no time-out of its own; the pod's grace period or its deletion ends it. */
const HOOK_TIMEOUT: Micros = 60 * MINUTE;

function gracePeriod(pod: Pod, container: Container, reason: KillReason): number {
  const probe = reason === 'liveness' ? container.livenessProbe : reason === 'startup' ? container.startupProbe : undefined;
  if (pod.metadata.deletionGracePeriodSeconds !== undefined) return pod.metadata.deletionGracePeriodSeconds;
  return probe?.terminationGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
}

/** runAsNonRoot against the user of the image: upstream verifyRunAsNonRoot. */
function checkUser(pod: Pod, container: Container, imageUser: string): string | undefined {
  const nonRoot = container.securityContext?.runAsNonRoot ?? pod.spec.securityContext?.runAsNonRoot;
  if (nonRoot !== true) return undefined;
  const who = `(pod: ${JSON.stringify(podText(pod))}, container: ${container.name})`;
  const runAs = container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;
  if (runAs !== undefined) return runAs === 0 ? `container's runAsUser breaks non-root policy ${who}` : undefined;
  if (imageUser === '' || imageUser === '0') return `container has runAsNonRoot and image will run as root ${who}`;
  if (!/^\d+$/.test(imageUser))
    return `container has runAsNonRoot and image has non-numeric user (${imageUser}), cannot verify user is non-root ${who}`;
  return undefined;
}
