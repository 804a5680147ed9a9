import fc from 'fast-check';
import type { FaultTarget, Operator } from '../../../faults/fault.ts';
import { faultOf } from '../../../faults/registry.ts';
import type { UntypedObject } from '../../../model/api/object.ts';
import { NAMESPACES } from '../../../model/client/resources.ts';
import { DEFAULT_CONTROLLER_MANAGER_CONFIG } from '../../../model/controllers/config.ts';
import { buildCluster } from '../../../model/cluster.ts';
import { createFacts } from '../../../model/facts.ts';
import { clusterPreset } from '../../../model/presets.ts';
import type { Process } from '../../../sim/process.ts';
import type { Task } from '../../../sim/task.ts';
import { MILLISECOND, SECOND, TRIAL_EPOCH_WALL_US, type Micros } from '../../../sim/time.ts';
import { World } from '../../../sim/world.ts';
import { drawableKinds, plannedArbitrary } from '../../generate.ts';
import { compareOutcome } from './compare-outcome.ts';
import { FakeKubelets } from './fake-kubelet.ts';
import { History } from './history.ts';
import { Naming } from './naming.ts';
import { relabelByOutcome } from './relabel-by-outcome.ts';
import type { Recording } from './recording.ts';
import { alwaysNodes, managerConfig } from './run-scenario.ts';
import { isReadyForStep } from './step-readiness.ts';
import { createAll, runStep, scenarioNode, type Stage, type StepResult } from './steps.ts';
import { isUnanswered, untilAnswered } from './until-answered.ts';

/** What strikes: control planes, their programs and the network between them. Nodes are fakes, outside of it all. */
const KINDS = [
  'connection-reset',
  'crash-host',
  'crash-process',
  'link-hold',
  'link-latency',
  'partition',
  'partition-pair',
  'pause-host',
  'pause-process',
  'watch-stall',
];
const FAULTS_MAX = 6;
/** The cluster stands so long before the scenario begins. */
const START: Micros = 60 * SECOND;
/** Faults go on for so long after the last step. */
const CHAOS_AFTER: Micros = 15 * SECOND;
/** Looks, half a second apart, whether the run is where the recording was; after a minute the step is taken anyway. */
const WAIT_TRIES = 120;
/** Nothing but heartbeats and leases is written for so long: the cluster is quiet. */
const QUIET: Micros = 120 * SECOND;
const QUIET_WITHIN: Micros = 25 * 60 * SECOND;

export interface FaultedRun {
  /** Where the final state differs from the recording's. */
  readonly differences: readonly string[];
  readonly faults: readonly string[];
  readonly virtualSeconds: number;
}

const noOperator = new Proxy({} as Operator, {
  get: (_target, what) => {
    throw new Error(`a fault of this test asks the operator for ${String(what)}`);
  },
});

/**
 * Plays a recorded scenario on a whole cluster (three control planes with etcd, API servers, managers and schedulers under leader
 * election) while faults strike, heals, waits until it is quiet, and compares what is there with the recording's end. Without a
 * seed nothing strikes: what differs then the scenario cannot be judged by.
 */
export function runUnderFaults(recording: Recording, seed: string | undefined): FaultedRun {
  const world = new World({ seed: `under-faults/${recording.name}/${seed ?? 'calm'}` });
  const facts = createFacts();
  const history = History.ofFacts(world, facts);
  const { kubeApiQps: _unlimited, ...manager } = managerConfig(recording, DEFAULT_CONTROLLER_MANAGER_CONFIG.reconcileCostUs);
  const cluster = buildCluster(world, { ...clusterPreset('ha'), workers: 0 }, { facts, overrides: { controllerManager: manager } });
  const kubelets = new FakeKubelets(manager.nodeMonitorGracePeriodUs, 150 * MILLISECOND);
  const naming = new Naming(recording);
  let noted = 0;
  const note = (): void => {
    for (; noted < history.writes.length; noted++) naming.note(history.writes[noted] as (typeof history.writes)[number]);
  };
  const client = world.host('client-0');
  client.install(kubelets.program('kubelets', cluster.apiServers));
  let done = false;
  client.install({
    name: 'steps',
    start: (process) => {
      process.spawn(
        'steps',
        (function* (): Task<void> {
          yield* process.sleep(20 * SECOND);
          const stage: Stage = {
            namespace: recording.namespace,
            client: kubelets.client,
            process,
            kubelets,
            history,
            naming,
            metrics: undefined,
            program: () => undefined,
          };
          yield* setUp(stage, recording);
          yield* process.sleep(START - process.mono());
          for (const [index, step] of recording.steps.entries()) {
            yield* process.sleep(Math.max(0, START + Math.round(step.at * SECOND) - process.mono()));
            yield* caughtUp(process, history, recording.namespace);
            for (let tries = 0; tries < WAIT_TRIES; tries++) {
              note();
              if (isReadyForStep(recording, step.at, history.objects(), naming, TRIAL_EPOCH_WALL_US + START)) break;
              yield* process.sleep(500 * MILLISECOND);
            }
            yield* doneForSure(process, () => runStep(stage, step, index));
          }
          done = true;
        })(),
      );
    },
  });
  world.run(START);
  const chaosUntil = START + Math.round((recording.steps.at(-1)?.at ?? 0) * SECOND) + CHAOS_AFTER;
  const target: FaultTarget = { world, facts, topology: { hosts: cluster.describe() }, operator: noOperator };
  const faults = seed === undefined ? [] : strike(target, `${recording.name}/${seed}`, chaosUntil);
  world.run(chaosUntil);
  for (const { heal } of faults) heal();
  let last = world.now;
  facts.objectChanged.subscribe((_revision, key) => {
    if (!/^\/registry\/(leases|events|minions)\//.test(key)) last = world.now;
  });
  const end = world.now + QUIET_WITHIN;
  while ((!done || world.now - last < QUIET) && world.now < end) world.run(world.now + 5 * SECOND);
  note();
  const virtualSeconds = Math.round(world.now / SECOND);
  const told = faults.map(({ text }) => text);
  if (world.now >= end) return { differences: [done ? 'never quiet' : 'the steps do not end'], faults: told, virtualSeconds };
  relabelByOutcome(recording, history.objects(), naming);
  return { differences: compareOutcome(withoutPace(recording), history.objects(), naming), faults: told, virtualSeconds };
}

const REVISION = 'deployment.kubernetes.io/revision';

/** In how many writes a controller brought an object of its own to where it is depends on the way there. */
function withoutPace(recording: Recording): Recording {
  const outcome: { [key: string]: { readonly [field: string]: unknown } } = {};
  for (const [key, object] of Object.entries(recording.outcome)) {
    let metadata = object['metadata'] as RecordedMetadata | undefined;
    const isOwned = metadata?.ownerReferences?.some((owner) => owner.controller === true) === true;
    // A manager that lost the lease without knowing may turn a rollout back and forth once: the template counts, not how often it changed.
    const annotations = metadata?.annotations;
    if (annotations?.[REVISION] !== undefined) metadata = { ...metadata, annotations: omit(annotations, REVISION) as Annotations };
    outcome[key] = isOwned
      ? {
          ...object,
          metadata: omit(metadata, 'generation'),
          ...(object['status'] === undefined ? {} : { status: omit(object['status'], 'observedGeneration') }),
        }
      : { ...object, ...(metadata === undefined ? {} : { metadata }) };
  }
  return { ...recording, outcome };
}

type Annotations = { readonly [key: string]: string };

interface RecordedMetadata {
  readonly annotations?: Annotations;
  readonly ownerReferences?: readonly { readonly controller?: boolean }[];
}

function omit(object: unknown, field: string): unknown {
  const { [field]: _, ...rest } = object as { readonly [field: string]: unknown };
  return rest;
}

function* setUp(stage: Stage, recording: Recording): Task<void> {
  const { kubelets, client, process } = stage;
  if (recording.category !== 'scheduler') for (const node of alwaysNodes) yield* kubelets.addNode(node);
  for (const node of recording.cluster.nodes) yield* kubelets.addNode(scenarioNode(node, recording.namespace));
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: recording.namespace }, spec: {} } as const;
  yield* untilAnswered(process, () => client.resource(NAMESPACES).create(namespace));
  yield* process.sleep(10 * SECOND);
  if (recording.pre !== undefined) yield* createAll(stage, recording.pre);
}

/** A step goes on only when the controllers have seen the one before: else a template that nobody saw would have no history. */
function* caughtUp(process: Process, history: History, namespace: string): Task<void> {
  const behind = (object: UntypedObject): boolean => {
    const seen = (object.status as { readonly observedGeneration?: number } | undefined)?.observedGeneration;
    return seen !== undefined ? seen < (object.metadata.generation ?? 0) : WORKLOADS.has(object.kind);
  };
  for (let tries = 0; tries < 600; tries++) {
    const waiting = [...history.current.values()].some((object) => object.metadata.namespace === namespace && behind(object));
    if (!waiting) return;
    yield* process.sleep(200 * MILLISECOND);
  }
}

const WORKLOADS = new Set(['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet']);

/** Repeats a step while servers do not answer. */
function* doneForSure(process: Process, step: () => Task<readonly StepResult[]>): Task<void> {
  while ((yield* step()).some(({ code, message }) => code !== undefined && isUnanswered(code, message ?? ''))) yield* process.sleep(SECOND);
}

/** Draws the faults of a seed and lets them strike at their times. */
function strike(target: FaultTarget, seed: string, untilUs: Micros): readonly { readonly text: string; readonly heal: () => void }[] {
  const { world, topology } = target;
  const fromMs = Math.round(world.now / MILLISECOND);
  const toMs = Math.round(untilUs / MILLISECOND);
  const planned = plannedArbitrary(drawableKinds(topology, KINDS), topology, { fromMs, toMs }, { min: 500, max: 20_000 });
  if (planned === undefined) return [];
  let number = 7;
  for (let i = 0; i < seed.length; i++) number = (Math.imul(number, 31) + seed.charCodeAt(i)) | 0;
  const [plan = []] = fc.sample(fc.array(planned, { minLength: 1, maxLength: FAULTS_MAX }), { seed: number, numRuns: 1 });
  return plan.map(({ atMs, forMs, params }) => {
    const fault = faultOf(params.kind);
    let active: { heal(): void } | undefined;
    let over = false;
    const heal = (): void => {
      over = true;
      active?.heal();
      active = undefined;
    };
    world.at(atMs * MILLISECOND, () => {
      if (over) return;
      active = fault.inject(target, params);
      if (forMs !== null) world.at(world.now + forMs * MILLISECOND, heal);
    });
    return { text: `${atMs - fromMs} ms: ${fault.describe(params)}${forMs === null ? '' : ` for ${forMs} ms`}`, heal };
  });
}
