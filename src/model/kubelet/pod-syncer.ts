import type { Process } from '../../sim/process.ts';
import type { Task } from '../../sim/task.ts';
import type { Pod, PodStatus, RuntimeClass } from '../api/types.ts';
import { RUNTIME_CLASSES } from '../client/resources.ts';
import type { Client } from '../client/typed-client.ts';
import type { CriClient, PodRecords } from './cri.ts';
import type { Deadlines } from './deadlines.ts';
import type { MirrorPods } from './mirror-pods.ts';
import type { Pleg } from './pleg.ts';
import type { PodEvents } from './pod-events.ts';
import type { PodManager } from './pod-manager.ts';
import { isStatic, readySandbox } from './pod-spec.ts';
import type { Eviction, KillOrder, PodWorkers, SyncCause } from './pod-workers.ts';
import type { Prober } from './probes/prober.ts';
import { pullCredentials } from './pull-secrets.ts';
import type { ResizeManager } from './resize.ts';
import type { RuntimeManager } from './runtime-manager.ts';
import { disruptionTarget } from './status/conditions.ts';
import { isTerminalPhase } from './status/phase.ts';
import { generatePodStatus } from './status/pod-status.ts';
import type { StatusManager } from './status/status-manager.ts';
import { failed, type ReasonCache, type SyncFailure } from './sync-error.ts';
import type { VolumeManager } from './volume-manager.ts';

export interface PodSyncerOptions {
  readonly process: Process;
  readonly client: Client;
  readonly cri: CriClient;
  readonly pleg: Pleg;
  readonly events: PodEvents;
  readonly pods: PodManager;
  readonly mirrors: MirrorPods;
  readonly status: StatusManager;
  readonly prober: Prober;
  readonly runtime: RuntimeManager;
  readonly volumes: VolumeManager;
  readonly reasons: ReasonCache;
  readonly deadlines: Deadlines;
  readonly resizes: ResizeManager;
  readonly workers: PodWorkers;
  readonly runtimeName: () => string;
  readonly hostIp: string;
  /** The runtime may have other images than before. */
  readonly refreshImages: () => Task<void>;
  readonly hasImages: () => boolean;
}

/** The three kinds of syncs of a pod: upstream kubelet.go SyncPod, SyncTerminatingPod, SyncTerminatedPod. */
export class PodSyncer {
  readonly #options: PodSyncerOptions;
  readonly #podIps = new Map<string, string>();
  readonly #runtimeClasses = new Map<string, string>();

  constructor(options: PodSyncerOptions) {
    this.#options = options;
  }

  /** The pod's address, while its sandbox is up and after that; '' before. */
  podIp(podUid: string): string | undefined {
    return this.#podIps.get(podUid);
  }

  sandboxStarted(podUid: string, ip: string): void {
    this.#podIps.set(podUid, ip);
  }

  /** Handler of the pod's RuntimeClass; '' is the default. */
  runtimeHandler(pod: Pod): string {
    return this.#runtimeClasses.get(pod.spec.runtimeClassName ?? '') ?? '';
  }

  forget(podUid: string): void {
    this.#podIps.delete(podUid);
  }

  #generate(pod: Pod, records: PodRecords | undefined, terminal: boolean): PodStatus {
    const { status, reasons, prober, resizes, deadlines } = this.#options;
    const uid = pod.metadata.uid ?? '';
    const ip = readySandbox(records)?.ip ?? '';
    if (ip !== '') this.#podIps.set(uid, ip);
    return generatePodStatus({
      pod,
      records,
      previous: status.get(uid) ?? pod.status,
      terminal,
      reasons: (container) => reasons.get(uid, container),
      runtimeName: this.#options.runtimeName(),
      hostIp: this.#options.hostIp,
      lastIp: this.#podIps.get(uid) ?? '',
      evict: deadlines.passed(pod),
      probed: (statuses, init) => prober.fill(pod, statuses, init),
      resizeConditions: resizes.conditions(pod),
    });
  }

  *sync(
    pod: Pod,
    records: PodRecords | undefined,
    cause: SyncCause,
  ): Task<{ readonly terminal: boolean; readonly failures: readonly SyncFailure[]; readonly resync: boolean }> {
    const { resizes, deadlines, volumes, prober, runtime, client, events, pods, mirrors, workers } = this.#options;
    const uid = pod.metadata.uid ?? '';
    resizes.observe(pod, records);
    const status = this.#generate(pod, records, false);
    this.#options.status.set(pod, status);
    deadlines.note(pod);
    if (isTerminalPhase(status.phase)) return { terminal: true, failures: [], resync: false };
    if (isStatic(pod)) yield* mirrors.reconcile(pod, pods.mirrorOf(pod));
    if (pod.spec.runtimeClassName !== undefined) {
      const known = yield* this.#runtimeClass(pod.spec.runtimeClassName);
      if (known !== undefined) return { terminal: false, failures: [known], resync: true };
    }
    const refresh = cause === 'update' || cause === 'create' || cause === 'resync';
    const mounted = yield* volumes.mount(pod, refresh, () => workers.isTerminating(uid));
    if (!mounted.ok) return { terminal: false, failures: [mounted], resync: true };
    if (workers.isTerminating(uid)) return { terminal: false, failures: [], resync: false };
    prober.addPod(pod);
    const hadImages = this.#options.hasImages();
    const credentials = (pod.spec.imagePullSecrets ?? []).length === 0 ? [] : yield* pullCredentials(client, events, pod);
    const result = yield* runtime.syncPod(pod, records, credentials);
    if (yield* this.#actuateResize(pod, records)) workers.resync(uid);
    if (result.failures.length > 0 || !hadImages) yield* this.#options.refreshImages();
    // A static pod's mirror is looked after with every sync, at least once a minute.
    return { terminal: false, failures: result.failures, resync: isStatic(pod) || volumes.watches(pod) };
  }

  /** Tells the runtime of new resources. True when something was to do: the next look at the runtime shows whether it is done. */
  *#actuateResize(pod: Pod, records: PodRecords | undefined): Task<boolean> {
    const due = this.#options.resizes.due(pod, records);
    for (const { container, record, restart } of due) {
      if (!restart) yield* this.#options.cri.call('UpdateContainerResources', { containerId: record.id, resources: container.resources });
    }
    return due.length > 0;
  }

  *#runtimeClass(name: string): Task<SyncFailure | undefined> {
    if (this.#runtimeClasses.has(name)) return undefined;
    const found = yield* this.#options.client.resource(RUNTIME_CLASSES).get('', name);
    if (!found.ok) return failed('CreatePodSandboxError', `failed to get RuntimeClass ${name}: ${found.message}`);
    this.#runtimeClasses.set(name, (found.object as RuntimeClass).handler);
    return undefined;
  }

  *terminate(
    pod: Pod,
    records: PodRecords | undefined,
    graceSeconds: number,
    kill: KillOrder | undefined,
  ): Task<{ readonly failures: readonly SyncFailure[] }> {
    const { prober, runtime, events, pleg } = this.#options;
    const status = this.#generate(pod, records, false);
    this.#options.status.set(pod, kill?.evict === undefined ? status : evicted(status, kill.evict, pod));
    prober.stopLivenessAndStartup(pod);
    const killed = yield* runtime.killPod(pod, records, graceSeconds);
    if (!killed.ok) {
      events.pod(pod, 'Warning', 'FailedKillPod', `error killing pod: ${killed.message}`);
      return { failures: [killed] };
    }
    prober.removePod(pod.metadata.uid ?? '');
    // The runtime is asked once more, past the cache: what the last containers exited with decides the phase.
    const now = yield* pleg.current(pod.metadata.uid ?? '');
    if ((now?.containers ?? []).some((record) => record.state === 'running'))
      return { failures: [failed('KillPodError', 'detected running containers after a successful KillPod')] };
    // How the containers ended decides the phase; where it agrees with the reason given before, that stays.
    this.#options.status.set(pod, this.#generate(pod, now, true));
    return { failures: [] };
  }

  *terminated(pod: Pod, records: PodRecords | undefined): Task<{ readonly failures: readonly SyncFailure[] }> {
    const { runtime, volumes, status, pods } = this.#options;
    const uid = pod.metadata.uid ?? '';
    status.set(pod, this.#generate(pod, records, true));
    if (records !== undefined && (pod.metadata.deletionTimestamp !== undefined || !pods.has(uid))) yield* runtime.cleanUp(records, true);
    volumes.forget(uid);
    status.terminate(pod);
    return { failures: [] };
  }
}

/** The status of a pod that the kubelet ends: the reason is put over it, its other conditions wait for the end of its containers. */
function evicted(status: PodStatus, evict: Eviction, pod: Pod): PodStatus {
  if (status.phase === 'Succeeded') return status;
  const others = (status.conditions ?? []).filter((condition) => condition.type !== 'DisruptionTarget');
  const conditions = evict.disruption ? [disruptionTarget(evict.message, pod.metadata.generation), ...others] : (status.conditions ?? []);
  return { ...status, phase: 'Failed', reason: evict.reason, message: evict.message, conditions };
}
