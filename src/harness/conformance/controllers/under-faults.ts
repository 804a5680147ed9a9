import type { UntypedObject } from '../../../model/api/object.ts';
import { NAMESPACES } from '../../../model/client/resources.ts';
import { DEFAULT_CONTROLLER_MANAGER_CONFIG } from '../../../model/controllers/config.ts';
import type { Process } from '../../../sim/process.ts';
import type { Task } from '../../../sim/task.ts';
import { MILLISECOND, SECOND, TRIAL_EPOCH_WALL_US } from '../../../sim/time.ts';
import { compareOutcome } from './compare-outcome.ts';
import { runFaulted, START } from './faulted-cluster.ts';
import type { History } from './history.ts';
import { fakeMetricsApi } from './metrics-source.ts';
import { Naming } from './naming.ts';
import { relabelByOutcome } from './relabel-by-outcome.ts';
import type { Recording } from './recording.ts';
import { alwaysNodes, managerConfig } from './run-scenario.ts';
import { isReadyForStep } from './step-readiness.ts';
import { createAll, runStep, scenarioNode, type Stage, type StepResult } from './steps.ts';
import { isUnanswered, untilAnswered } from './until-answered.ts';

/** Looks, half a second apart, whether the run is where the recording was; after a minute the step is taken anyway. */
const WAIT_TRIES = 120;

export interface FaultedRun {
  /** Where the final state differs from the recording's. */
  readonly differences: readonly string[];
  readonly faults: readonly string[];
  readonly virtualSeconds: number;
}

/**
 * Plays a recorded scenario on a whole cluster under faults and compares what is there at rest with the recording's end. Without a
 * seed nothing strikes: what differs then the scenario cannot be judged by.
 */
export function runUnderFaults(recording: Recording, seed: string | undefined): FaultedRun {
  const naming = new Naming(recording);
  let noted = 0;
  const note = (history: History): void => {
    for (; noted < history.writes.length; noted++) naming.note(history.writes[noted] as (typeof history.writes)[number]);
  };
  let stage: Stage | undefined;
  const { history, faults, virtualSeconds, unrest } = runFaulted({
    name: recording.name,
    seed,
    manager: managerConfig(recording, DEFAULT_CONTROLLER_MANAGER_CONFIG.reconcileCostUs),
    lastStepUs: Math.round((recording.steps.at(-1)?.at ?? 0) * SECOND),
    podMetrics: (world, written) => fakeMetricsApi(world, written, () => stage?.metrics),
    *play(actor) {
      const { process } = actor;
      stage = {
        namespace: recording.namespace,
        client: actor.kubelets.client,
        process,
        kubelets: actor.kubelets,
        history: actor.history,
        naming,
        metrics: undefined,
        program: () => undefined,
      };
      yield* setUp(stage, recording);
      yield* process.sleep(START - process.mono());
      for (const [index, step] of recording.steps.entries()) {
        yield* process.sleep(Math.max(0, START + Math.round(step.at * SECOND) - process.mono()));
        yield* caughtUp(process, actor.history, recording.namespace);
        for (let tries = 0; tries < WAIT_TRIES; tries++) {
          note(actor.history);
          if (isReadyForStep(recording, step.at, actor.history.objects(), naming, TRIAL_EPOCH_WALL_US + START)) break;
          yield* process.sleep(500 * MILLISECOND);
        }
        const current = stage;
        yield* doneForSure(process, () => runStep(current, step, index));
      }
    },
  });
  note(history);
  if (unrest !== undefined) return { differences: [unrest], faults, virtualSeconds };
  relabelByOutcome(recording, history.objects(), naming);
  return { differences: compareOutcome(withoutPace(recording), history.objects(), naming), faults, virtualSeconds };
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
