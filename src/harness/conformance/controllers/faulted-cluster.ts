import fc from 'fast-check';
import type { FaultTarget, Operator } from '../../../faults/fault.ts';
import { faultOf } from '../../../faults/registry.ts';
import { buildCluster } from '../../../model/cluster.ts';
import type { ControllerManagerConfig } from '../../../model/controllers/config.ts';
import type { PodMetricsSource } from '../../../model/controllers/pod-metrics.ts';
import { createFacts } from '../../../model/facts.ts';
import { clusterPreset } from '../../../model/presets.ts';
import type { Process } from '../../../sim/process.ts';
import type { Task } from '../../../sim/task.ts';
import { MILLISECOND, SECOND, type Micros } from '../../../sim/time.ts';
import { World } from '../../../sim/world.ts';
import { drawableKinds, plannedArbitrary } from '../../generate.ts';
import { FakeKubelets } from './fake-kubelet.ts';
import { History } from './history.ts';

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
export const START: Micros = 60 * SECOND;
/** Faults go on for so long after the last step. */
const CHAOS_AFTER: Micros = 15 * SECOND;
/** Nothing but heartbeats and leases is written for so long: the cluster is quiet. */
const QUIET: Micros = 120 * SECOND;
const QUIET_WITHIN: Micros = 25 * 60 * SECOND;

/** What a play sees and acts through: a client that no fault strikes, and the nodes. */
export interface Actor {
  readonly process: Process;
  readonly kubelets: FakeKubelets;
  readonly history: History;
  readonly world: World;
}

/** Something that is played on a whole cluster while faults strike. */
export interface FaultedPlay {
  readonly name: string;
  /** Of the faults; without one nothing strikes. */
  readonly seed: string | undefined;
  readonly manager: ControllerManagerConfig;
  /** When the last step is due, from START on. */
  readonly lastStepUs: Micros;
  readonly podMetrics?: (world: World, history: History) => PodMetricsSource;
  /** Begins 20 s after the cluster; its steps come from START on. */
  readonly play: (actor: Actor) => Task<void>;
}

/** Where a faulted play ended. */
export interface FaultedEnd {
  readonly history: History;
  readonly faults: readonly string[];
  readonly virtualSeconds: number;
  /** Undefined: the cluster came to rest. */
  readonly unrest: 'never quiet' | 'the steps do not end' | undefined;
}

const noOperator = new Proxy({} as Operator, {
  get: (_target, what) => {
    throw new Error(`a fault of this test asks the operator for ${String(what)}`);
  },
});

/**
 * Plays on a whole cluster (three control planes with etcd, API servers, managers and schedulers under leader election) while
 * faults strike, heals, and waits until it is quiet.
 */
export function runFaulted({ name, seed, manager, lastStepUs, podMetrics, play }: FaultedPlay): FaultedEnd {
  const world = new World({ seed: `under-faults/${name}/${seed ?? 'calm'}` });
  const facts = createFacts();
  const history = History.ofFacts(world, facts);
  const { kubeApiQps: _unlimited, ...controllerManager } = manager;
  const source = podMetrics?.(world, history);
  const overrides = { controllerManager, ...(source === undefined ? {} : { podMetrics: () => source }) };
  const cluster = buildCluster(world, { ...clusterPreset('ha'), workers: 0 }, { facts, overrides });
  const kubelets = new FakeKubelets(manager.nodeMonitorGracePeriodUs, 150 * MILLISECOND);
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
          yield* play({ process, kubelets, history, world });
          done = true;
        })(),
      );
    },
  });
  world.run(START);
  const chaosUntil = START + lastStepUs + CHAOS_AFTER;
  const target: FaultTarget = { world, facts, topology: { hosts: cluster.describe() }, operator: noOperator };
  const faults = seed === undefined ? [] : strike(target, `${name}/${seed}`, chaosUntil);
  world.run(chaosUntil);
  for (const { heal } of faults) heal();
  let last = world.now;
  facts.objectChanged.subscribe((_revision, key) => {
    if (!/^\/registry\/(leases|events|minions)\//.test(key)) last = world.now;
  });
  const end = world.now + QUIET_WITHIN;
  while ((!done || world.now - last < QUIET) && world.now < end) world.run(world.now + 5 * SECOND);
  return {
    history,
    faults: faults.map(({ text }) => text),
    virtualSeconds: Math.round(world.now / SECOND),
    unrest: world.now < end ? undefined : done ? 'never quiet' : 'the steps do not end',
  };
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
