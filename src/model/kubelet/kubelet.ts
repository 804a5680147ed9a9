import type { Program } from '../../sim/host.ts';
import type { Endpoint } from '../../sim/network.ts';
import type { Process } from '../../sim/process.ts';
import type { Task } from '../../sim/task.ts';
import { SECOND, type Micros } from '../../sim/time.ts';
import { parseTime } from '../api/time.ts';
import type { Pod, PodStatus, RuntimeClass } from '../api/types.ts';
import { EventBroadcaster, type EventRecorder } from '../client/events.ts';
import { Informer } from '../client/informer.ts';
import { PODS, RUNTIME_CLASSES } from '../client/resources.ts';
import { ApiTransport } from '../client/transport.ts';
import { Client } from '../client/typed-client.ts';
import type { DefectSet } from '../defects.ts';
import type { Facts } from '../facts.ts';
import { admitPod, demandOf } from './admission.ts';
import { DEFAULT_KUBELET_CONFIG, type KubeletConfig, type NodeSpec } from './config.ts';
import { CriClient, type ImageRecord, type PodRecords } from './cri.ts';
import { EnvironmentResolver } from './environment.ts';
import { ImageManager } from './image-manager.ts';
import { NodeAgent } from './node/node-agent.ts';
import type { NodeHealth } from './node/node-object.ts';
import { Pleg } from './pleg.ts';
import { PodEvents } from './pod-events.ts';
import { isCritical, isMirror, readySandbox } from './pod-spec.ts';
import { type Eviction, type KillOrder, PodWorkers, type SyncCause } from './pod-workers.ts';
import { pullCredentials } from './pull-secrets.ts';
import { Prober } from './probes/prober.ts';
import { keyOf, type Machine } from './runtime/machine.ts';
import { ResizeManager } from './resize.ts';
import { RuntimeManager } from './runtime-manager.ts';
import { conditionOf, disruptionTarget } from './status/conditions.ts';
import { isTerminalPhase } from './status/phase.ts';
import { generatePodStatus } from './status/pod-status.ts';
import { sameStatus } from './status/same-status.ts';
import { StatusManager } from './status/status-manager.ts';
import { failed, ReasonCache, type SyncFailure } from './sync-error.ts';
import { VolumeManager } from './volume-manager.ts';
import { WorkTicks } from './work-ticks.ts';

export interface KubeletOptions {
  readonly machine: Machine;
  readonly spec: NodeSpec;
  readonly servers: readonly Endpoint[];
  readonly facts: Facts;
  readonly defects: DefectSet;
  readonly config?: Partial<KubeletConfig>;
  /** Gate WatchListClient, on by default since 1.35. */
  readonly watchListClient?: boolean;
}

/** Volumes are measured once a minute and looked at every ten seconds: half of that on average. */
const VOLUME_STATS: Micros = 35 * SECOND;

/** The kubelet looks for what should not run every two seconds (housekeepingPeriod). */
const HOUSEKEEPING: Micros = 2 * SECOND;

/** The node agent's program. */
export function kubelet(options: KubeletOptions): Program {
  return {
    name: `kubelet-${options.spec.name}`,
    // systemd's Restart=always, RestartSec=10 of the packages.
    restartAfterUs: 10 * SECOND,
    start(process) {
      new Kubelet(process, options).start();
    },
  };
}

/**
 * One running kubelet: upstream pkg/kubelet/kubelet.go. What it knows is gone when it ends; containers go on.
 * The file is long because it is where all parts meet: what decides lives in them, here they are told of each other's news.
 */
class Kubelet {
  readonly #process: Process;
  readonly #options: KubeletOptions;
  readonly #config: KubeletConfig;
  readonly #client: Client;
  readonly #recorder: EventRecorder;
  readonly #events: PodEvents;
  readonly #cri: CriClient;
  readonly #pleg: Pleg;
  readonly #prober: Prober;
  readonly #status: StatusManager;
  readonly #workers: PodWorkers;
  readonly #runtime: RuntimeManager;
  readonly #volumes: VolumeManager;
  readonly #reasons = new ReasonCache();
  readonly #node: NodeAgent;
  readonly #source: Informer<Pod>;
  /** Pods that are to run here, by uid: upstream pod manager. */
  readonly #pods = new Map<string, Pod>();
  /** Pods that were refused; they hold nothing. */
  readonly #rejected = new Set<string>();
  /** Pods that are being ended because nobody wants them. */
  readonly #orphans = new Set<string>();
  /** Pods of which a volume is being measured. */
  readonly #measuring = new Set<string>();
  readonly #admitted = new Set<string>();
  readonly #ready = new Map<string, boolean>();
  readonly #deadlines = new Map<string, Micros>();
  readonly #deadlineTicks: WorkTicks;
  readonly #podIps = new Map<string, string>();
  readonly #runtimeClasses = new Map<string, string>();
  readonly #resizes: ResizeManager;
  #images: readonly ImageRecord[] = [];
  #runtimeVersion = '';
  #runtimeName = 'containerd';
  #readySources = false;
  #shuttingDown = false;

  constructor(process: Process, options: KubeletOptions) {
    this.#process = process;
    this.#options = options;
    const { spec, machine } = options;
    const config = { ...DEFAULT_KUBELET_CONFIG, ...options.config };
    this.#config = config;
    const user = { name: `system:node:${spec.name}`, groups: ['system:nodes', 'system:authenticated'] };
    const transport = (qps?: number, burst?: number) =>
      new ApiTransport(process, {
        servers: options.servers,
        user,
        userAgent: 'kubelet',
        facts: options.facts,
        ...(qps === undefined ? {} : { qps, burst: burst ?? qps }),
      });
    this.#client = new Client(transport(config.kubeApiQps, config.kubeApiBurst));
    const eventClient = new Client(transport(config.eventQps, config.eventBurst));
    const heartbeatClient = new Client(transport());
    this.#recorder = new EventBroadcaster(eventClient).recorder({ component: 'kubelet', host: spec.name });
    this.#events = new PodEvents(this.#recorder);
    this.#cri = new CriClient(process);
    // A first list from a stale API server cache would bring back pods that were deleted here and run elsewhere by now
    // (kubernetes#59848). The stream of initial state (WatchListClient) is consistent; a list at resourceVersion 0 is not.
    // So the pods come as a stream even where the gate is off for other informers: the switch alone decides.
    const watchList = !options.defects.has('K1');
    this.#source = new Informer(this.#client.transport, PODS, { fieldSelector: `spec.nodeName=${spec.name}`, watchList });
    this.#status = new StatusManager({
      process,
      client: this.#client,
      config,
      couldHaveRunningContainers: (uid) => this.#workers.couldHaveRunningContainers(uid),
      pod: (uid) => this.#pods.get(uid),
      onChange: (pod, status) => this.#statusChanged(pod, status),
    });
    this.#prober = new Prober({
      process,
      machine,
      cri: this.#cri,
      events: this.#events,
      status: (uid) => this.#status.get(uid),
      pod: (uid) => this.#pods.get(uid),
      onReadiness: (uid, id, ready) => {
        this.#status.setReadiness(uid, id, ready);
        this.#workers.resync(uid, 'probe');
      },
      onStartup: (uid, id, started) => {
        this.#status.setStarted(uid, id, started);
        this.#workers.resync(uid, 'probe');
      },
      onLivenessFailure: (uid) => this.#workers.resync(uid, 'probe'),
    });
    this.#pleg = new Pleg({
      process,
      cri: this.#cri,
      periodUs: config.plegRelistPeriodUs,
      onChange: (uid, died) => this.#podChanged(uid, died),
      onConnection: (connected) => this.#runtimeConnection(connected),
    });
    const environment = new EnvironmentResolver({
      client: this.#client,
      nodeName: spec.name,
      nodeIp: spec.internalIp,
      allocatable: { cpuMilli: spec.cpuMilli, memoryBytes: spec.memoryBytes },
      podIp: (uid) => this.#podIps.get(uid) ?? '',
    });
    this.#volumes = new VolumeManager(process, this.#client, machine, this.#events, environment);
    this.#runtime = new RuntimeManager({
      process,
      cri: this.#cri,
      machine,
      events: this.#events,
      images: new ImageManager(process, this.#cri, this.#events, config),
      prober: this.#prober,
      reasons: this.#reasons,
      environment,
      config,
      runtimeHandler: (pod) => this.#runtimeClasses.get(pod.spec.runtimeClassName ?? '') ?? '',
      podIp: (uid) => this.#podIps.get(uid) ?? readySandbox(this.#pleg.get(uid))?.ip ?? '',
      onSandbox: (uid, ip) => this.#podIps.set(uid, ip),
      resizeRestarts: (pod, container) =>
        this.#resizes.due(pod, this.#pleg.get(pod.metadata.uid ?? '')).some((due) => due.restart && due.container.name === container.name),
    });
    this.#workers = new PodWorkers(process, this.#pleg, config, {
      sync: (pod, records, cause) => this.#syncPod(pod, records, cause),
      terminate: (pod, records, grace, kill) => this.#terminatePod(pod, records, grace, kill),
      terminated: (pod, records) => this.#podTerminated(pod, records),
      finished: (pod) => this.#podFinished(pod),
    });
    this.#resizes = new ResizeManager({ spec, config, events: this.#events, others: (uid) => this.#activePods(uid) });
    this.#deadlineTicks = new WorkTicks(process, (uid) => this.#workers.resync(uid));
    this.#node = new NodeAgent({
      process,
      client: heartbeatClient,
      spec,
      config,
      facts: options.facts,
      watchList,
      health: () => this.#health(),
      images: () => this.#images,
      runtimeVersion: () => this.#runtimeVersion,
    });
  }

  start(): void {
    const { network } = this.#process.world;
    network.bindAddress(this.#options.spec.internalIp, this.#process.host);
    this.#pleg.start();
    const { machine } = this.#options;
    const process = this.#process;
    machine.onShutdown = () => process.deliver(0, process.world.calibration.resumeUs, () => this.#shutDown(), undefined, undefined);
    machine.onVolumeFull = (podUid, volume) =>
      process.deliver(0, process.world.calibration.resumeUs, () => this.#volumeFull(podUid, volume), undefined, undefined);
    this.#process.spawn('start', this.#startUp());
  }

  *#startUp(): Task<void> {
    // The kubelet does not start without its runtime.
    yield* this.#pleg.newerThan('', -1);
    const version = yield* this.#cri.call('Version', undefined);
    if (version.ok) {
      this.#runtimeName = version.value.runtimeName;
      this.#runtimeVersion = `${version.value.runtimeName}://${version.value.runtimeVersion}`;
    }
    yield* this.#refreshImages();
    this.#node.start();
    yield* this.#node.node.waitForSync();
    // Everything that comes before the first state is complete is taken in together.
    const first = new Map<string, Pod>();
    this.#source.addHandler({
      onAdd: (pod) => {
        if (this.#readySources) this.#sourceAdded(pod);
        else first.set(pod.metadata.uid ?? '', pod);
      },
      onUpdate: (before, pod) => {
        if (!this.#readySources) {
          first.delete(before.metadata.uid ?? '');
          first.set(pod.metadata.uid ?? '', pod);
          return;
        }
        if (before.metadata.uid === pod.metadata.uid) this.#sourceUpdated(pod);
        else {
          this.#sourceRemoved(before);
          this.#sourceAdded(pod);
        }
      },
      onDelete: (pod) => {
        if (this.#readySources) this.#sourceRemoved(pod);
        else first.delete(pod.metadata.uid ?? '');
      },
    });
    this.#source.start();
    yield* this.#source.waitForSync();
    this.#readySources = true;
    // Admitted in the order of their creation, so that a restart refuses the youngest where room is short.
    for (const pod of [...first.values()].sort(byCreation)) this.#sourceAdded(pod);
    this.#killOrphans();
    this.#process.after(HOUSEKEEPING, () => this.#firstHousekeeping());
  }

  #firstHousekeeping(): void {
    this.#workers.podsSynced();
    // What was held back because a refused pod might still have been running.
    for (const uid of [...this.#rejected].sort()) {
      const pod = this.#pods.get(uid);
      if (pod !== undefined) this.#status.podChanged(pod);
    }
  }

  // --- configuration: pods come, change and go -------------------------------------------------------------------------------

  #sourceAdded(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    this.#pods.set(uid, pod);
    if (isMirror(pod)) return;
    if (!isTerminalPhase(pod.status?.phase) && pod.metadata.deletionTimestamp === undefined) {
      const admission = admitPod({
        pod,
        others: this.#activePods(uid),
        spec: this.#options.spec,
        config: this.#config,
        node: this.#node.node.get(this.#options.spec.name),
        labels: this.#node.labels,
        shuttingDown: this.#shuttingDown,
        pressure: [],
      });
      if (!admission.ok) {
        this.#reject(pod, admission.reason, admission.message);
        return;
      }
      const demand = demandOf(pod);
      this.#resizes.admit(pod);
      this.#admitted.add(uid);
      this.#options.facts.podAdmitted.emit(this.#options.spec.name, keyOf(pod), uid, demand.cpuMilli, demand.memoryBytes);
    }
    this.#noteDeadline(pod);
    this.#workers.update(pod, 'create');
  }

  #reject(pod: Pod, reason: string, message: string): void {
    const uid = pod.metadata.uid ?? '';
    this.#rejected.add(uid);
    this.#events.pod(pod, 'Warning', reason, message);
    this.#status.set(pod, {
      ...(pod.status?.qosClass === undefined ? {} : { qosClass: pod.status.qosClass }),
      ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
      phase: 'Failed',
      reason,
      message: `Pod was rejected: ${message}`,
    });
    // A kubelet that was restarted may refuse what runs: the next look at what the runtime has ends it.
    if (this.#pleg.get(uid) !== undefined) this.#process.after(HOUSEKEEPING, () => this.#killOrphans());
  }

  /** Pods that hold resources: all that are not known to have ended. */
  #activePods(except: string): readonly Pod[] {
    const active: Pod[] = [];
    for (const [uid, pod] of this.#pods) {
      if (uid === except || this.#rejected.has(uid) || isMirror(pod) || this.#workers.isTerminated(uid)) continue;
      if (isTerminalPhase(pod.status?.phase) && !this.#workers.couldHaveRunningContainers(uid)) continue;
      active.push(pod);
    }
    return active;
  }

  #sourceUpdated(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    const before = this.#pods.get(uid);
    this.#pods.set(uid, pod);
    if (isMirror(pod)) return;
    this.#status.podChanged(pod);
    if (this.#rejected.has(uid) && pod.metadata.deletionTimestamp === undefined) return;
    this.#noteDeadline(pod);
    if (before !== undefined && !needsSync(before, pod)) return;
    this.#workers.update(this.#resizes.effective(pod), 'update');
  }

  #sourceRemoved(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    this.#pods.delete(uid);
    this.#rejected.delete(uid);
    if (isMirror(pod)) return;
    this.#deadlines.delete(uid);
    this.#workers.kill(pod, { removed: true });
    if (this.#workers.isTerminated(uid) || !this.#workers.knows(uid)) this.#forget(uid);
  }

  #forget(uid: string): void {
    this.#status.remove(uid);
    this.#reasons.removePod(uid);
    this.#ready.delete(uid);
    this.#podIps.delete(uid);
  }

  /** Pods of the runtime that no source names are ended at once: upstream HandlePodCleanups. */
  #killOrphans(): void {
    if (!this.#readySources) return;
    for (const uid of this.#pleg.podUids()) {
      if ((this.#pods.has(uid) && !this.#rejected.has(uid)) || this.#workers.knows(uid) || this.#orphans.has(uid)) continue;
      this.#orphans.add(uid);
      const records = this.#pleg.get(uid);
      if (records !== undefined) this.#process.spawn('orphan', this.#killOrphan(records));
    }
  }

  *#killOrphan(records: PodRecords): Task<void> {
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: records.name, namespace: records.namespace, uid: records.podUid },
      spec: { containers: records.containers.map((container) => ({ name: container.name })) },
    };
    const killed = yield* this.#runtime.killPod(pod, records, 1);
    if (!killed.ok) {
      this.#orphans.delete(records.podUid);
      this.#process.after(HOUSEKEEPING, () => this.#killOrphans());
      return;
    }
    const now = yield* this.#pleg.newerThan(records.podUid, this.#process.mono());
    if (now !== undefined) yield* this.#runtime.cleanUp(now, true);
    this.#orphans.delete(records.podUid);
    this.#options.facts.podRemoved.emit(this.#options.spec.name, keyOf(pod), records.podUid);
  }

  // --- the node ends its pods ------------------------------------------------------------------------------------------------------

  /** systemd announced a shutdown: ordinary pods go first, critical ones in the time that is kept for them. Upstream nodeshutdown manager. */
  #shutDown(): void {
    const { shutdownGracePeriodUs, shutdownGracePeriodCriticalPodsUs } = this.#config;
    if (shutdownGracePeriodUs === 0 || this.#shuttingDown) return;
    this.#shuttingDown = true;
    this.#node.changed(true);
    this.#endPods(false, shutdownGracePeriodUs - shutdownGracePeriodCriticalPodsUs);
    this.#process.after(shutdownGracePeriodUs - shutdownGracePeriodCriticalPodsUs, () =>
      this.#endPods(true, shutdownGracePeriodCriticalPodsUs),
    );
  }

  #endPods(critical: boolean, withinUs: Micros): void {
    const evict = { reason: 'Terminated', message: 'Pod was terminated in response to imminent node shutdown.', disruption: true };
    for (const pod of [...this.#activePods('')].sort(byCreation)) {
      if (isCritical(pod) !== critical) continue;
      const graceSeconds = Math.min(Math.floor(withinUs / SECOND), pod.spec.terminationGracePeriodSeconds ?? 30);
      this.#workers.kill(pod, { graceSeconds, evict });
    }
  }

  /** An emptyDir has grown beyond its limit: seen when the volumes are measured the next time. Upstream eviction manager, localStorageEviction. */
  #volumeFull(podUid: string, volume: string): void {
    if (this.#measuring.has(podUid)) return;
    this.#measuring.add(podUid);
    this.#process.after(VOLUME_STATS, () => {
      this.#measuring.delete(podUid);
      const pod = this.#pods.get(podUid);
      const limit = pod?.spec.volumes?.find((candidate) => candidate.name === volume)?.emptyDir?.sizeLimit;
      if (pod === undefined || limit === undefined || this.#workers.isTerminating(podUid)) return;
      const message = `Usage of EmptyDir volume ${JSON.stringify(volume)} exceeds the limit ${JSON.stringify(limit)}. `;
      this.#events.pod(pod, 'Warning', 'Evicted', message);
      this.#workers.kill(pod, { graceSeconds: 1, evict: { reason: 'Evicted', message, disruption: false } });
    });
  }

  // --- deadlines ---------------------------------------------------------------------------------------------------------------

  #noteDeadline(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    const seconds = pod.spec.activeDeadlineSeconds;
    if (seconds === undefined) return;
    const start = parseTime(pod.status?.startTime ?? this.#status.get(uid)?.startTime ?? '');
    if (start === undefined) return;
    const at = start + seconds * SECOND;
    if (this.#deadlines.get(uid) === at) return;
    this.#deadlines.set(uid, at);
    this.#deadlineTicks.enqueue(uid, Math.max(0, at - this.#process.wall()));
  }

  #deadlineOf(pod: Pod): { readonly reason: string; readonly message: string } | undefined {
    const at = this.#deadlines.get(pod.metadata.uid ?? '');
    if (at === undefined || this.#process.wall() < at) return undefined;
    const message = 'Pod was active on the node longer than the specified deadline';
    // Upstream's handler tells it whenever it is asked.
    this.#events.pod(pod, 'Normal', 'DeadlineExceeded', message);
    return { reason: 'DeadlineExceeded', message };
  }

  // --- runtime -----------------------------------------------------------------------------------------------------------------

  #podChanged(uid: string, died: boolean): void {
    if (this.#workers.knows(uid)) {
      this.#workers.resync(uid, 'pleg');
      if (died) {
        const records = this.#pleg.get(uid);
        if (records !== undefined) this.#process.spawn('container-gc', this.#runtime.cleanUp(records, false));
      }
    } else this.#killOrphans();
  }

  #runtimeConnection(connected: boolean): void {
    this.#prober.runtimeChanged();
    if (connected) this.#node.changed(true);
    else this.#process.after(this.#config.runtimeAwayMaxUs, () => this.#node.changed());
  }

  #health(): NodeHealth {
    const problems: string[] = [];
    const away = this.#process.mono() - this.#pleg.lastSeen;
    if (away >= this.#config.runtimeAwayMaxUs) problems.push('container runtime is down');
    return { problems, memoryPressure: false, diskPressure: false, pidPressure: false, shuttingDown: this.#shuttingDown };
  }

  *#refreshImages(): Task<void> {
    const listed = yield* this.#cri.call('ListImages', undefined);
    if (!listed.ok || listed.value === this.#images) return;
    this.#images = listed.value;
    this.#node.changed();
  }

  // --- the three kinds of syncs ------------------------------------------------------------------------------------------------

  #generate(pod: Pod, records: PodRecords | undefined, terminal: boolean): PodStatus {
    const uid = pod.metadata.uid ?? '';
    const ip = readySandbox(records)?.ip ?? '';
    if (ip !== '') this.#podIps.set(uid, ip);
    return generatePodStatus({
      pod,
      records,
      previous: this.#status.get(uid) ?? pod.status,
      terminal,
      reasons: (container) => this.#reasons.get(uid, container),
      runtimeName: this.#runtimeName,
      hostIp: this.#options.spec.internalIp,
      lastIp: this.#podIps.get(uid) ?? '',
      evict: this.#deadlineOf(pod),
      probed: (statuses, init) => this.#prober.fill(pod, statuses, init),
      resizeConditions: this.#resizes.conditions(pod),
    });
  }

  *#syncPod(
    pod: Pod,
    records: PodRecords | undefined,
    cause: SyncCause,
  ): Task<{ readonly terminal: boolean; readonly failures: readonly SyncFailure[]; readonly resync: boolean }> {
    const uid = pod.metadata.uid ?? '';
    this.#resizes.observe(pod, records);
    const status = this.#generate(pod, records, false);
    this.#status.set(pod, status);
    this.#noteDeadline(pod);
    if (isTerminalPhase(status.phase)) return { terminal: true, failures: [], resync: false };
    if (pod.spec.runtimeClassName !== undefined) {
      const known = yield* this.#runtimeClass(pod.spec.runtimeClassName);
      if (known !== undefined) return { terminal: false, failures: [known], resync: true };
    }
    const refresh = cause === 'update' || cause === 'create' || cause === 'resync';
    const mounted = yield* this.#volumes.mount(pod, refresh, () => this.#workers.isTerminating(uid));
    if (!mounted.ok) return { terminal: false, failures: [mounted], resync: true };
    if (this.#workers.isTerminating(uid)) return { terminal: false, failures: [], resync: false };
    this.#prober.addPod(pod);
    const before = this.#images.length;
    const credentials = (pod.spec.imagePullSecrets ?? []).length === 0 ? [] : yield* pullCredentials(this.#client, this.#events, pod);
    const result = yield* this.#runtime.syncPod(pod, records, credentials);
    if (yield* this.#actuateResize(pod, records)) this.#workers.resync(uid);
    if (result.failures.length > 0 || before === 0) yield* this.#refreshImages();
    const watching = this.#volumes.watches(pod);
    return { terminal: false, failures: result.failures, resync: watching };
  }

  /** Tells the runtime of new resources. True when something was to do: the next look at the runtime shows whether it is done. */
  *#actuateResize(pod: Pod, records: PodRecords | undefined): Task<boolean> {
    const due = this.#resizes.due(pod, records);
    for (const { container, record, restart } of due) {
      if (!restart) yield* this.#cri.call('UpdateContainerResources', { containerId: record.id, resources: container.resources });
    }
    return due.length > 0;
  }

  *#runtimeClass(name: string): Task<SyncFailure | undefined> {
    if (this.#runtimeClasses.has(name)) return undefined;
    const found = yield* this.#client.resource(RUNTIME_CLASSES).get('', name);
    if (!found.ok) return failed('CreatePodSandboxError', `failed to get RuntimeClass ${name}: ${found.message}`);
    this.#runtimeClasses.set(name, (found.object as RuntimeClass).handler);
    return undefined;
  }

  *#terminatePod(
    pod: Pod,
    records: PodRecords | undefined,
    graceSeconds: number,
    kill: KillOrder | undefined,
  ): Task<{ readonly failures: readonly SyncFailure[] }> {
    const status = this.#generate(pod, records, false);
    this.#status.set(pod, kill?.evict === undefined ? status : evicted(status, kill.evict, pod));
    this.#prober.stopLivenessAndStartup(pod);
    const killed = yield* this.#runtime.killPod(pod, records, graceSeconds);
    if (!killed.ok) {
      this.#events.pod(pod, 'Warning', 'FailedKillPod', `error killing pod: ${killed.message}`);
      return { failures: [killed] };
    }
    this.#prober.removePod(pod.metadata.uid ?? '');
    // The runtime is asked once more, past the cache: what the last containers exited with decides the phase.
    const now = yield* this.#pleg.current(pod.metadata.uid ?? '');
    if ((now?.containers ?? []).some((record) => record.state === 'running'))
      return { failures: [failed('KillPodError', 'detected running containers after a successful KillPod')] };
    // How the containers ended decides the phase; where it agrees with the reason given before, that stays.
    this.#status.set(pod, this.#generate(pod, now, true));
    return { failures: [] };
  }

  *#podTerminated(pod: Pod, records: PodRecords | undefined): Task<{ readonly failures: readonly SyncFailure[] }> {
    const uid = pod.metadata.uid ?? '';
    this.#status.set(pod, this.#generate(pod, records, true));
    if (records !== undefined && pod.metadata.deletionTimestamp !== undefined) yield* this.#runtime.cleanUp(records, true);
    this.#volumes.forget(uid);
    this.#status.terminate(pod);
    return { failures: [] };
  }

  #podFinished(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    if (this.#admitted.delete(uid)) this.#options.facts.podRemoved.emit(this.#options.spec.name, keyOf(pod), uid);
    this.#deadlines.delete(uid);
    this.#resizes.forget(uid);
    this.#retryResizes();
    if (!this.#pods.has(uid)) this.#forget(uid);
  }

  /** Room was made: resizes that wait for some are tried again. */
  #retryResizes(): void {
    for (const uid of this.#resizes.deferred()) {
      const pod = this.#pods.get(uid);
      if (pod !== undefined) this.#workers.update(this.#resizes.effective(pod), 'update');
    }
  }

  #statusChanged(pod: Pod, status: PodStatus): void {
    const uid = pod.metadata.uid ?? '';
    this.#prober.statusChanged(uid);
    const ready = conditionOf(status.conditions, 'Ready')?.status === 'True';
    if (this.#ready.get(uid) === ready || (!ready && !this.#ready.has(uid))) return;
    this.#ready.set(uid, ready);
    this.#options.facts.podReady.emit(this.#options.spec.name, keyOf(pod), uid, ready);
  }
}

/** The status of a pod that the kubelet ends: the reason is put over it, its other conditions wait for the end of its containers. */
function evicted(status: PodStatus, evict: Eviction, pod: Pod): PodStatus {
  if (status.phase === 'Succeeded') return status;
  const others = (status.conditions ?? []).filter((condition) => condition.type !== 'DisruptionTarget');
  const conditions = evict.disruption ? [disruptionTarget(evict.message, pod.metadata.generation), ...others] : (status.conditions ?? []);
  return { ...status, phase: 'Failed', reason: evict.reason, message: evict.message, conditions };
}

function byCreation(a: Pod, b: Pod): number {
  const left = `${a.metadata.creationTimestamp ?? ''}|${keyOf(a)}`;
  const right = `${b.metadata.creationTimestamp ?? ''}|${keyOf(b)}`;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Whether an update of the object is more than a status that the kubelet itself wrote: upstream podUpdate's checkAndUpdatePod. */
function needsSync(before: Pod, pod: Pod): boolean {
  const { metadata: a } = before;
  const { metadata: b } = pod;
  return (
    (before.spec !== pod.spec && !sameStatus(before.spec, pod.spec)) ||
    a.deletionTimestamp !== b.deletionTimestamp ||
    a.deletionGracePeriodSeconds !== b.deletionGracePeriodSeconds ||
    !sameStatus(a.labels, b.labels) ||
    !sameStatus(a.annotations, b.annotations) ||
    foreignConditionsChanged(before, pod)
  );
}

/** A readiness gate is set by others in the status: the pod's readiness follows it. */
function foreignConditionsChanged(before: Pod, pod: Pod): boolean {
  for (const gate of pod.spec.readinessGates ?? []) {
    if (
      conditionOf(before.status?.conditions, gate.conditionType)?.status !== conditionOf(pod.status?.conditions, gate.conditionType)?.status
    )
      return true;
  }
  return false;
}
