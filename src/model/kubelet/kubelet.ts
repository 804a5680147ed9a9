import type { Program } from '../../sim/host.ts';
import type { Endpoint } from '../../sim/network.ts';
import type { Process } from '../../sim/process.ts';
import type { Task } from '../../sim/task.ts';
import { SECOND } from '../../sim/time.ts';
import type { Pod, PodStatus } from '../api/types.ts';
import { EventBroadcaster } from '../client/events.ts';
import { ApiTransport } from '../client/transport.ts';
import { Client } from '../client/typed-client.ts';
import type { DefectSet } from '../defects.ts';
import type { Facts } from '../facts.ts';
import { admitPod, demandOf } from './admission.ts';
import { DEFAULT_KUBELET_CONFIG, type KubeletConfig, type NodeSpec } from './config.ts';
import { CriClient, type ImageRecord } from './cri.ts';
import { Deadlines } from './deadlines.ts';
import { EnvironmentResolver } from './environment.ts';
import { EvictionManager } from './eviction/eviction-manager.ts';
import { NodeUsage } from './eviction/node-usage.ts';
import { Housekeeping } from './housekeeping.ts';
import { ImageManager } from './image-manager.ts';
import { LocalStorage } from './eviction/local-storage.ts';
import { MirrorPods } from './mirror-pods.ts';
import { NodeAgent } from './node/node-agent.ts';
import type { NodeHealth } from './node/node-object.ts';
import { NodeServer } from './node-server.ts';
import { NodeShutdown } from './node-shutdown.ts';
import { Pleg } from './pleg.ts';
import { PodEvents } from './pod-events.ts';
import { PodManager } from './pod-manager.ts';
import { byCreation, PodSource } from './pod-source.ts';
import { isMirror, isStatic, readySandbox } from './pod-spec.ts';
import { PodSyncer } from './pod-syncer.ts';
import { PodWorkers } from './pod-workers.ts';
import { Prober } from './probes/prober.ts';
import { keyOf, type Machine } from './runtime/machine.ts';
import { ResizeManager } from './resize.ts';
import { RuntimeManager } from './runtime-manager.ts';
import { StaticPods } from './static-pods.ts';
import { conditionOf } from './status/conditions.ts';
import { isTerminalPhase } from './status/phase.ts';
import { sameStatus } from './status/same-status.ts';
import { StatusManager } from './status/status-manager.ts';
import { ReasonCache } from './sync-error.ts';
import { VolumeManager } from './volume-manager.ts';

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
 * The constructor is long because it is where all parts meet: what decides lives in them, here they are told of each other's news.
 */
class Kubelet {
  readonly #process: Process;
  readonly #options: KubeletOptions;
  readonly #config: KubeletConfig;
  readonly #events: PodEvents;
  readonly #cri: CriClient;
  readonly #pleg: Pleg;
  readonly #prober: Prober;
  readonly #status: StatusManager;
  readonly #workers: PodWorkers;
  readonly #runtime: RuntimeManager;
  readonly #reasons = new ReasonCache();
  readonly #node: NodeAgent;
  readonly #source: PodSource;
  readonly #staticPods: StaticPods;
  readonly #pods = new PodManager();
  readonly #syncer: PodSyncer;
  readonly #deadlines: Deadlines;
  readonly #resizes: ResizeManager;
  readonly #shutdown: NodeShutdown;
  readonly #evictions: EvictionManager;
  readonly #localStorage: LocalStorage;
  readonly #housekeeping: Housekeeping;
  /** Pods that were refused; they hold nothing. */
  readonly #rejected = new Set<string>();
  readonly #admitted = new Set<string>();
  readonly #ready = new Map<string, boolean>();
  #images: readonly ImageRecord[] = [];
  #runtimeVersion = '';
  #runtimeName = 'containerd';

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
    const client = new Client(transport(config.kubeApiQps, config.kubeApiBurst));
    const eventClient = new Client(transport(config.eventQps, config.eventBurst));
    const heartbeatClient = new Client(transport());
    const recorder = new EventBroadcaster(eventClient).recorder({ component: 'kubelet', host: spec.name });
    this.#events = new PodEvents(recorder);
    this.#cri = new CriClient(process);
    // A first list from a stale API server cache would bring back pods that were deleted here and run elsewhere by now
    // (kubernetes#59848). The stream of initial state (WatchListClient) is consistent; a list at resourceVersion 0 is not.
    // So the pods come as a stream even where the gate is off for other informers: the switch alone decides.
    const watchList = !options.defects.has('K1');
    this.#source = new PodSource(client, spec.name, watchList, {
      onAdd: (pod) => this.#added(pod),
      onUpdate: (pod) => this.#updated(pod),
      onRemove: (pod) => this.#removed(pod),
    });
    this.#staticPods = new StaticPods(process, machine, spec.name, {
      onAdd: (pod) => this.#added(pod),
      onRemove: (pod) => this.#removed(pod),
    });
    this.#status = new StatusManager({
      process,
      client,
      config,
      couldHaveRunningContainers: (uid) => this.#workers.couldHaveRunningContainers(uid),
      owner: (uid) => this.#pods.statusOwner(uid),
      lacksMirror: (pod) => isStatic(pod) && this.#pods.has(pod.metadata.uid ?? '') && this.#pods.mirrorOf(pod) === undefined,
      onChange: (pod, status) => this.#statusChanged(pod, status),
    });
    this.#prober = new Prober({
      process,
      machine,
      cri: this.#cri,
      events: this.#events,
      forgetsReadiness: options.defects.has('K22'),
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
      onChange: (uid, died) => this.#containersChanged(uid, died),
      onConnection: (connected) => this.#runtimeConnection(connected),
    });
    const environment = new EnvironmentResolver({
      client,
      nodeName: spec.name,
      nodeIp: spec.internalIp,
      allocatable: { cpuMilli: spec.cpuMilli, memoryBytes: spec.memoryBytes },
      podIp: (uid) => this.#syncer.podIp(uid) ?? '',
    });
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
      runtimeHandler: (pod) => this.#syncer.runtimeHandler(pod),
      podIp: (uid) => this.#syncer.podIp(uid) ?? readySandbox(this.#pleg.get(uid))?.ip ?? '',
      onSandbox: (uid, ip) => this.#syncer.sandboxStarted(uid, ip),
      resizeRestarts: (pod, container) =>
        this.#resizes.due(pod, this.#pleg.get(pod.metadata.uid ?? '')).some((due) => due.restart && due.container.name === container.name),
    });
    this.#workers = new PodWorkers(process, this.#pleg, config, {
      sync: (pod, records, cause) => this.#syncer.sync(pod, records, cause),
      terminate: (pod, records, grace, kill) => this.#syncer.terminate(pod, records, grace, kill),
      terminated: (pod, records) => this.#syncer.terminated(pod, records),
      finished: (pod) => this.#finished(pod),
    });
    this.#resizes = new ResizeManager({ spec, config, events: this.#events, others: (uid) => this.#activePods(uid) });
    this.#deadlines = new Deadlines(
      process,
      this.#events,
      (uid) => this.#status.get(uid)?.startTime,
      (uid) => this.#workers.resync(uid),
    );
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
    const mirrors = new MirrorPods(client, () => this.#node.node.get(spec.name));
    this.#syncer = new PodSyncer({
      process,
      client,
      cri: this.#cri,
      pleg: this.#pleg,
      events: this.#events,
      pods: this.#pods,
      mirrors,
      status: this.#status,
      prober: this.#prober,
      runtime: this.#runtime,
      volumes: new VolumeManager(process, client, machine, this.#events, environment),
      reasons: this.#reasons,
      deadlines: this.#deadlines,
      resizes: this.#resizes,
      workers: this.#workers,
      runtimeName: () => this.#runtimeName,
      hostIp: spec.internalIp,
      refreshImages: () => this.#refreshImages(),
      hasImages: () => this.#images.length > 0,
    });
    this.#shutdown = new NodeShutdown({
      process,
      config,
      activePods: () => [...this.#activePods('')].sort(byCreation),
      kill: (pod, order) => this.#workers.kill(pod, order),
      onBegin: () => this.#node.changed(true),
    });
    this.#localStorage = new LocalStorage({
      process,
      events: this.#events,
      pod: (uid) => (this.#workers.isTerminating(uid) ? undefined : this.#pods.get(uid)),
      kill: (pod, order) => this.#workers.kill(pod, order),
    });
    const usage = new NodeUsage(machine, spec, () => this.#images);
    this.#evictions = new EvictionManager({
      process,
      config,
      observe: () => usage.observe(),
      activePods: () => this.#activePods('').filter((pod) => !this.#workers.isTerminating(pod.metadata.uid ?? '')),
      usageOf: (pod) => usage.of(pod),
      evict: (pod, graceSeconds, evict, done) => {
        this.#events.pod(pod, 'Warning', evict.reason, evict.message);
        this.#workers.kill(pod, { graceSeconds, evict, done });
      },
      reclaimDisk: () => this.#removeUnusedImages(),
      event: (reason, message) => {
        const reference = { apiVersion: 'v1', kind: 'Node', name: spec.name, uid: spec.name };
        recorder.event(reference, 'Warning', reason, message);
      },
      onConditions: () => this.#node.changed(),
    });
    this.#housekeeping = new Housekeeping({
      process,
      pods: this.#pods,
      workers: this.#workers,
      pleg: this.#pleg,
      runtime: this.#runtime,
      mirrors,
      isRejected: (uid) => this.#rejected.has(uid),
      restart: (uid) => {
        const pod = this.#pods.get(uid);
        if (pod !== undefined) this.#workers.update(pod, 'create');
      },
      onFirst: () => this.#showRejected(),
      onOrphanGone: (pod) => options.facts.podRemoved.emit(spec.name, keyOf(pod), pod.metadata.uid ?? ''),
    });
  }

  start(): void {
    const process = this.#process;
    const { machine, spec } = this.#options;
    process.world.network.bindAddress(spec.internalIp, process.host);
    this.#pleg.start();
    const told = (what: () => void) => process.deliver(0, process.world.calibration.resumeUs, what, undefined, undefined);
    const pods = function* (manager: PodManager): Iterable<Pod> {
      for (const [, pod] of manager.pods()) yield pod;
    };
    new NodeServer({ process, machine, cri: this.#cri, pods: () => pods(this.#pods), records: (uid) => this.#pleg.get(uid) }).start();
    machine.onShutdown = () => told(() => this.#shutdown.begin());
    machine.onVolumeFull = (podUid, volume) => told(() => this.#localStorage.volumeFull(podUid, volume));
    machine.onUsage = () => told(() => this.#evictions.usageChanged());
    process.spawn('start', this.#startUp());
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
    this.#evictions.start();
    this.#node.start();
    // Static pods start whether there is an API server or not: they may be the API server.
    this.#staticPods.start();
    yield* this.#node.node.waitForSync();
    yield* this.#source.start();
    this.#housekeeping.start();
  }

  /** What was held back because a refused pod might still have been running. */
  #showRejected(): void {
    for (const uid of [...this.#rejected].sort()) {
      const pod = this.#pods.get(uid);
      if (pod !== undefined) this.#status.podChanged(pod);
    }
  }

  // --- configuration: pods come, change and go -------------------------------------------------------------------------------

  #added(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    this.#pods.set(pod);
    if (isMirror(pod)) {
      this.#mirrorChanged(pod);
      return;
    }
    if (!isTerminalPhase(pod.status?.phase) && pod.metadata.deletionTimestamp === undefined) {
      const admission = admitPod({
        pod,
        others: this.#activePods(uid),
        spec: this.#options.spec,
        config: this.#config,
        node: this.#node.node.get(this.#options.spec.name),
        labels: this.#node.labels,
        shuttingDown: this.#shutdown.begun,
        pressure: this.#evictions.conditions,
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
    this.#deadlines.note(pod);
    this.#workers.update(pod, 'create');
  }

  /** A mirror that was made, changed or deleted is news for its static pod. */
  #mirrorChanged(mirror: Pod): void {
    this.#status.podChanged(mirror);
    const pod = this.#pods.podOfMirror(mirror);
    if (pod === undefined) this.#housekeeping.due();
    else this.#workers.update(pod, 'update');
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
    if (this.#pleg.get(uid) !== undefined) this.#housekeeping.due();
  }

  /** Pods that hold resources: all that are not known to have ended. */
  #activePods(except: string): readonly Pod[] {
    const active: Pod[] = [];
    for (const [uid, pod] of this.#pods.pods()) {
      if (uid === except || this.#rejected.has(uid) || this.#workers.isTerminated(uid)) continue;
      if (isTerminalPhase(pod.status?.phase) && !this.#workers.couldHaveRunningContainers(uid)) continue;
      active.push(pod);
    }
    return active;
  }

  #updated(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    if (isMirror(pod)) {
      const before = this.#pods.mirrorOf(pod);
      this.#pods.set(pod);
      this.#status.podChanged(pod);
      if (before === undefined || needsSync(before, pod)) this.#mirrorChanged(pod);
      return;
    }
    const before = this.#pods.get(uid);
    this.#pods.set(pod);
    this.#status.podChanged(pod);
    if (this.#rejected.has(uid) && pod.metadata.deletionTimestamp === undefined) return;
    this.#deadlines.note(pod);
    if (before !== undefined && !needsSync(before, pod)) return;
    this.#workers.update(this.#resizes.effective(pod), 'update');
  }

  #removed(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    this.#pods.remove(pod);
    this.#rejected.delete(uid);
    if (isMirror(pod)) {
      // A mirror that was deleted by force is made again by the next sync of its static pod, whenever that is.
      return;
    }
    this.#deadlines.forget(uid);
    this.#workers.kill(pod, { removed: true });
    if (this.#workers.isTerminated(uid) || !this.#workers.knows(uid)) this.#forget(uid);
    this.#housekeeping.due();
  }

  #forget(uid: string): void {
    this.#status.remove(uid);
    this.#reasons.removePod(uid);
    this.#ready.delete(uid);
    this.#syncer.forget(uid);
  }

  // --- runtime -----------------------------------------------------------------------------------------------------------------

  #containersChanged(uid: string, died: boolean): void {
    if (!this.#workers.knows(uid)) {
      this.#housekeeping.orphansSeen();
      return;
    }
    this.#workers.resync(uid, 'pleg');
    const records = died ? this.#pleg.get(uid) : undefined;
    if (records !== undefined) this.#process.spawn('container-gc', this.#runtime.cleanUp(records, false));
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
    const pressure = this.#evictions.conditions;
    return {
      problems,
      memoryPressure: pressure.includes('MemoryPressure'),
      diskPressure: pressure.includes('DiskPressure'),
      pidPressure: false,
      shuttingDown: this.#shutdown.begun,
    };
  }

  *#refreshImages(): Task<void> {
    const listed = yield* this.#cri.call('ListImages', undefined);
    if (!listed.ok || listed.value === this.#images) return;
    this.#images = listed.value;
    this.#node.changed();
  }

  /** Upstream imageGC.DeleteUnusedImages: those that no container, running or dead, was made from. */
  *#removeUnusedImages(): Task<void> {
    const used = new Set<string>();
    for (const uid of this.#pleg.podUids()) for (const container of this.#pleg.get(uid)?.containers ?? []) used.add(container.imageId);
    for (const image of this.#images)
      if (!used.has(image.reference)) yield* this.#cri.call('RemoveImage', { image: image.names[0] ?? image.id });
    yield* this.#refreshImages();
  }

  // --- news of the workers -----------------------------------------------------------------------------------------------------

  #finished(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    if (this.#admitted.delete(uid)) this.#options.facts.podRemoved.emit(this.#options.spec.name, keyOf(pod), uid);
    this.#deadlines.forget(uid);
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
