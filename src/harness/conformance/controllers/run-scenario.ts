import { MemoryStorage } from '../../../model/apiserver/memory-storage.ts';
import { admissionPlugins } from '../../../model/apiserver/admission/default-plugins.ts';
import { apiServer } from '../../../model/apiserver/server.ts';
import { builtInKinds } from '../../../model/api/kinds/registry.ts';
import type { ControllerManagerConfig } from '../../../model/controllers/config.ts';
import { DEFAULT_CONTROLLER_MANAGER_CONFIG } from '../../../model/controllers/config.ts';
import { controllerManager } from '../../../model/controllers/manager.ts';
import { CONTROLLERS } from '../../../model/controllers/registry.ts';
import { LEASES, NAMESPACES } from '../../../model/client/resources.ts';
import { NO_DEFECTS } from '../../../model/defects.ts';
import { createFacts } from '../../../model/facts.ts';
import { DEFAULT_SCHEDULER_CONFIG } from '../../../model/scheduler/config.ts';
import { schedulerProgram } from '../../../model/scheduler/program.ts';
import type { Decision } from '../../../model/scheduler/schedule-pod.ts';
import type { Task } from '../../../sim/task.ts';
import { MILLISECOND, SECOND, TRIAL_EPOCH_WALL_US, type Micros } from '../../../sim/time.ts';
import { World } from '../../../sim/world.ts';
import { compareEvents } from './compare-events.ts';
import { compareOutcome } from './compare-outcome.ts';
import { compareResults } from './compare-results.ts';
import { compareStories } from './compare-stories.ts';
import { relabelPods } from './relabel-pods.ts';
import { comparePlacements, type Placement } from './compare-placements.ts';
import { comparePodFacts } from './compare-facts.ts';
import { durationUs } from './fake-annotations.ts';
import { FakeKubelets } from './fake-kubelet.ts';
import { History } from './history.ts';
import { fakeMetricsApi } from './metrics-source.ts';
import { Naming } from './naming.ts';
import type { Recording } from './recording.ts';
import { type Stage, type StepResult, createAll, runStep, scenarioNode } from './steps.ts';

/** How long the cluster stands before a scenario begins. */
const startMinutes = 2;
/** When the controller manager starts: its loops of 5, 10 and 20 s count from here. */
const managerStart = 8.5 * SECOND;
/** Nodes beside those of the scenario, so that a dead zone is not a dead cluster. */
export const alwaysNodes = ['always-1', 'always-2'].map((name) => ({
  name,
  labels: { 'topology.kubernetes.io/zone': 'always' },
  taints: [{ key: 'always', value: 'true', effect: 'NoSchedule' }],
}));

export function managerConfig(recording: Recording, reconcileCostUs: Micros): ControllerManagerConfig {
  const flags = recording.flags['kube-controller-manager'] ?? {};
  const duration = (flag: string, otherwise: Micros): Micros => durationUs(flags[flag], otherwise);
  const number = (flag: string, otherwise: number): number => Number(flags[flag] ?? otherwise);
  const d = DEFAULT_CONTROLLER_MANAGER_CONFIG;
  return {
    ...d,
    kubeApiQps: 0,
    reconcileCostUs,
    concurrentDeploymentSyncs: number('concurrent-deployment-syncs', d.concurrentDeploymentSyncs),
    concurrentReplicaSetSyncs: number('concurrent-replicaset-syncs', d.concurrentReplicaSetSyncs),
    concurrentStatefulSetSyncs: number('concurrent-statefulset-syncs', d.concurrentStatefulSetSyncs),
    concurrentGcSyncs: number('concurrent-gc-syncs', d.concurrentGcSyncs),
    maxEndpointsPerSlice: number('max-endpoints-per-slice', d.maxEndpointsPerSlice),
    hpaSyncPeriodUs: duration('horizontal-pod-autoscaler-sync-period', d.hpaSyncPeriodUs),
    hpaDownscaleStabilizationUs: duration('horizontal-pod-autoscaler-downscale-stabilization', d.hpaDownscaleStabilizationUs),
    hpaTolerance: number('horizontal-pod-autoscaler-tolerance', d.hpaTolerance),
    hpaCpuInitializationPeriodUs: duration('horizontal-pod-autoscaler-cpu-initialization-period', d.hpaCpuInitializationPeriodUs),
    hpaInitialReadinessDelayUs: duration('horizontal-pod-autoscaler-initial-readiness-delay', d.hpaInitialReadinessDelayUs),
    nodeMonitorPeriodUs: duration('node-monitor-period', d.nodeMonitorPeriodUs),
    nodeMonitorGracePeriodUs: duration('node-monitor-grace-period', d.nodeMonitorGracePeriodUs),
    nodeStartupGracePeriodUs: duration('node-startup-grace-period', d.nodeStartupGracePeriodUs),
    nodeEvictionRate: number('node-eviction-rate', d.nodeEvictionRate),
    secondaryNodeEvictionRate: number('secondary-node-eviction-rate', d.secondaryNodeEvictionRate),
    largeClusterSizeThreshold: number('large-cluster-size-threshold', d.largeClusterSizeThreshold),
    unhealthyZoneThreshold: number('unhealthy-zone-threshold', d.unhealthyZoneThreshold),
    terminatedPodGcThreshold: number('terminated-pod-gc-threshold', d.terminatedPodGcThreshold),
    namespaceSyncPeriodUs: duration('namespace-sync-period', d.namespaceSyncPeriodUs),
    resourceQuotaSyncPeriodUs: duration('resource-quota-sync-period', d.resourceQuotaSyncPeriodUs),
    clusterCidr: flags['cluster-cidr'] ?? d.clusterCidr,
    nodeCidrMaskSize: number('node-cidr-mask-size', d.nodeCidrMaskSize),
    featureGates: featureGates(flags['feature-gates']),
  };
}

function featureGates(text: string | undefined): { readonly [gate: string]: boolean } {
  if (text === undefined) return {};
  return Object.fromEntries(text.split(',').map((entry) => [entry.split('=')[0] as string, entry.endsWith('=true')]));
}

/** Loops of unknown phase: what depends on them is replayed with the loop at other points of its period (README: "The recordings did not fix the phases"). */
const phasesUs = [0, 1.2, 2.4, 3.6, 6, 8.4, 11, 13.6, 16, 18.4].map((seconds) => seconds * SECOND);
/** What node monitor (5 s) and pod garbage collector (20 s) answer to. */
const loopSteps = new Set(['stopKubelet', 'removeNode', 'addNode', 'nodeReady']);

/** What a recording does not say and a replay has to assume. */
interface Replay {
  readonly seed: string;
  readonly phaseUs: Micros;
  readonly machine: Machine;
}

/** How fast the recorded machine was: the time of a controller's step, and how far apart the kubelets did what falls together. */
interface Machine {
  readonly reconcileCostUs: Micros;
  readonly kubeletSpreadUs: Micros;
}

/** Two busy cores: a controller takes up several changes in one step. */
const busy: Machine = { reconcileCostUs: 20 * MILLISECOND, kubeletSpreadUs: 150 * MILLISECOND };
const machines: readonly Machine[] = [
  busy,
  { reconcileCostUs: DEFAULT_CONTROLLER_MANAGER_CONFIG.reconcileCostUs, kubeletSpreadUs: 20 * MILLISECOND },
  { reconcileCostUs: 20 * MILLISECOND, kubeletSpreadUs: 50 * MILLISECOND },
  { reconcileCostUs: 60 * MILLISECOND, kubeletSpreadUs: 100 * MILLISECOND },
];
/** Replays of a recording whose own three passes took different steps. */
const passesMax = 16;

/**
 * The first replay, those with loops at other phases, and those on a faster or slower machine: of none of these does a recording tell. Then, only
 * where it says that its own passes differed (which of two controllers was first, which of equal pods was picked), passes with other random choices.
 */
export function* replaysOf(recording: Recording, seed: string): Generator<Replay> {
  // The volume binder's resync of 15 s is such a loop too.
  const hasLoop = recording.category === 'pv' || recording.steps.some((step) => loopSteps.has(step.op));
  for (const phaseUs of hasLoop ? phasesUs : [0]) yield { seed, phaseUs, machine: busy };
  for (const machine of machines.slice(1)) yield { seed, phaseUs: 0, machine };
  if (recording.transient.length === 0 && recording.unstable.length === 0) return;
  for (let pass = 1; pass < passesMax; pass++)
    yield { seed: `${seed} ${pass}`, phaseUs: 0, machine: machines[pass % machines.length] as Machine };
}

/** Replays a recorded scenario; answers with the differences: none as soon as one replay shows none, else those of the first. */
export function runControllerScenario(
  recording: Recording,
  seed = 'conformance',
  replaysMax = Number.POSITIVE_INFINITY,
): readonly string[] {
  let first: readonly string[] | undefined;
  let count = 0;
  for (const replay of replaysOf(recording, seed)) {
    if (count++ >= replaysMax) break;
    const differences = replayOnce(recording, replay);
    if (differences.length === 0) return differences;
    first ??= differences;
  }
  return first ?? [];
}

/** Replays on virtual time. Decisions of the scheduler are compared where recorded. */
function replayOnce(recording: Recording, { seed, phaseUs, machine }: Replay): readonly string[] {
  const world = new World({ seed });
  const storage = new MemoryStorage();
  const history = History.ofStorage(world, storage);
  const host = world.addHost({ name: 'cp-0', zone: 'zone-a' });
  const outside = world.addHost({ name: 'client-0', zone: 'zone-a' });
  const facts = createFacts();
  const naming = new Naming(recording);
  const config = managerConfig(recording, machine.reconcileCostUs);
  const kubelets = new FakeKubelets(config.nodeMonitorGracePeriodUs, machine.kubeletSpreadUs);
  const servers = [world.network.endpoint('cp-0', '6443')];
  const apiGates = featureGates(recording.flags['kube-apiserver']?.['feature-gates']);
  const start = startMinutes * 60 * SECOND + (recording.startsAtSecondOfMinute ?? 0) * SECOND + phaseUs;
  let scanned = 0;
  const noteWrites = (): void => {
    for (; scanned < history.writes.length; scanned++) {
      const write = history.writes[scanned];
      if (write !== undefined) naming.note(write);
    }
  };
  const placements: Placement[] = [];
  const recorded = recording.facts.decisions ?? [];
  let stage: Stage | undefined;
  host.install(
    apiServer({
      name: 'api-0',
      address: 'cp-0',
      storage: () => storage,
      kinds: builtInKinds,
      admission: admissionPlugins(),
      options: { featureGates: apiGates },
      facts,
    }),
  );
  const manager = controllerManager({
    name: 'kcm-0',
    servers,
    controllers: CONTROLLERS,
    config,
    facts,
    defects: NO_DEFECTS,
    metrics: () => fakeMetricsApi(world, history, () => stage?.metrics),
  });
  // Fixes the phase of its periodic loops: pod GC 8.5 s, node monitor 3.5 s after the start, as in most recordings.
  world.at(managerStart, () => host.install(manager));
  host.install(
    schedulerProgram({
      name: 'scheduler-0',
      servers,
      config: DEFAULT_SCHEDULER_CONFIG,
      facts,
      onDecision: (pod, decision: Decision) => {
        if (pod.metadata.namespace === recording.namespace) placements.push({ pod, decision, atUs: world.now });
      },
      // A tie is the recording's to break: the rest follows from it.
      choose: (pod, top) => {
        noteWrites();
        const name = naming.keyOf(pod).slice('Pod/'.length);
        const wanted = recorded.filter((placement) => placement.pod === name && placement.node !== undefined).at(-1)?.node;
        return wanted !== undefined && top.includes(wanted) ? wanted : top[0];
      },
    }),
  );
  outside.install(kubelets.program('kubelets', servers));
  const results: StepResult[] = [];
  outside.install({
    name: 'steps',
    start: (process) => {
      process.spawn(
        'steps',
        (function* (): Task<void> {
          yield* process.sleep(10 * SECOND);
          const client = kubelets.client;
          stage = {
            namespace: recording.namespace,
            client,
            process,
            kubelets,
            history,
            naming,
            metrics: undefined,
            program: (name, running) => {
              const program = name === 'controller' ? 'kcm-0' : 'scheduler-0';
              if (running) host.start(program);
              else {
                host.process(program)?.kill('step');
                // The scheduler gives its lease up in an orderly exit, the controller manager does not.
                if (name === 'scheduler')
                  process.spawn(
                    'release',
                    client
                      .resource(LEASES)
                      .patch('kube-system', 'kube-scheduler', 'merge', { spec: { holderIdentity: '', leaseDurationSeconds: 1 } }),
                  );
              }
            },
          };
          if (recording.category !== 'scheduler') for (const node of alwaysNodes) yield* kubelets.addNode(node);
          for (const node of recording.cluster.nodes) yield* kubelets.addNode(scenarioNode(node, recording.namespace));
          if (recording.category !== 'namespace')
            yield* client
              .resource(NAMESPACES)
              .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: recording.namespace }, spec: {} });
          yield* process.sleep(20 * SECOND);
          if (recording.pre !== undefined) yield* createAll(stage, recording.pre);
          if (recording.category === 'namespace') {
            yield* process.sleep(start - SECOND / 1000 - process.mono());
            yield* client
              .resource(NAMESPACES)
              .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: recording.namespace }, spec: {} });
          }
          for (const [index, step] of recording.steps.entries()) {
            const due = start + Math.round(step.at * SECOND);
            if (due > process.mono()) yield* process.sleep(due - process.mono());
            noteWrites();
            if (step.parallel === true) process.spawn('parallel step', runStep(stage, step, index), (answers) => results.push(...answers));
            else results.push(...(yield* runStep(stage, step, index)));
          }
        })(),
      );
    },
  });
  const end = world.run(start + recording.end * SECOND);
  noteWrites();
  if (end.kind === 'livelock') return [`livelock at ${end.atUs} by ${end.culprit}`];
  const from = { us: start, wallUs: TRIAL_EPOCH_WALL_US + start };
  relabelPods(recording, history.writes, naming, from);
  const current = history.objects();
  const differences = [
    ...compareResults(recording, results),
    ...compareStories(recording, history.writes, naming, from),
    ...compareOutcome(recording, current, naming),
    ...compareEvents(
      recording,
      current.filter((object) => object.kind === 'Event'),
      naming,
    ),
    ...comparePodFacts(recording, history.writes, naming, from),
    ...comparePlacements(recording, placements, naming),
  ];
  return differences;
}
