import fc, { type Arbitrary } from 'fast-check';
import seedrandom from 'seedrandom';
import { FAULTS, faultOf } from '../faults/registry.ts';
import type { FaultParams } from '../faults/fault.ts';
import { hostNames, type Topology } from '../faults/topology.ts';
import { DEFECTS, type DefectId } from '../model/defects.ts';
import type { TiePolicy } from '../sim/schedule.ts';
import type { PlannedPattern, Scenario } from './scenario.ts';
import { topologyOf } from './shape.ts';
import { type Manifest, type PlannedFault, TRIAL_FORMAT_VERSION, type TrialInput } from './trial-input.ts';
import { VERSIONS } from './versions.ts';

/** What the command line adds to a scenario. */
export interface GenerateOptions {
  readonly defects: readonly DefectId[];
  readonly manifests: readonly Manifest[];
}

/** Time and duration of a fault, with parameters of any of the kinds. Every value, also one from a file, can be shrunk with it. */
export function plannedArbitrary(
  kinds: readonly string[],
  topology: Topology,
  window: { readonly fromMs: number; readonly toMs: number },
  lastsMs: { readonly min: number; readonly max: number },
): Arbitrary<PlannedFault> | undefined {
  const params = kinds.map((kind) => faultOf(kind).arbitrary(topology)).filter((a) => a !== undefined);
  if (params.length === 0) return undefined;
  return fc.record(
    {
      id: fc.constant('F'),
      atMs: fc.integer({ min: window.fromMs, max: window.toMs }),
      forMs: fc.option(fc.integer(lastsMs), { nil: null, freq: 8 }),
      params: fc.oneof(...(params as [Arbitrary<FaultParams>, ...Arbitrary<FaultParams>[]])),
    },
    { noNullPrototype: true },
  ) as Arbitrary<PlannedFault>;
}

/** Kinds of faults that a plan may draw in this cluster. */
export function drawableKinds(topology: Topology, wanted: readonly string[]): readonly string[] {
  return FAULTS.filter((f) => (wanted.length === 0 ? !f.operation && f.onlyByName !== true : wanted.includes(f.kind)))
    .filter((f) => f.arbitrary(topology) !== undefined)
    .map((f) => f.kind);
}

/**
 * Makes the trial of one seed: the swarm first (which faults exist at all and how many, tie policy, what stays outside the core), then the plan.
 * Same scenario, options and seed, same trial.
 */
export function generateTrial(scenario: Scenario, seed: string, options: GenerateOptions): TrialInput {
  const topology = topologyOf(scenario.cluster);
  const draw = drawer(`${scenario.name}/${seed}`);
  const chaosMs = draw(fc.integer(scenario.chaosMs));
  const healAtMs = scenario.chaosFromMs + chaosMs;
  const all = drawableKinds(topology, scenario.faults.kinds);
  const kinds = all.length < 2 ? all : draw(fc.subarray([...all], { minLength: 1 }));
  const count = draw(fc.integer(scenario.faults.count));
  const arbitrary = plannedArbitrary(
    kinds,
    topology,
    { fromMs: scenario.chaosFromMs, toMs: Math.max(scenario.chaosFromMs, healAtMs - 500) },
    scenario.faults.lastsMs,
  );
  const drawn = arbitrary === undefined || count === 0 ? [] : draw(fc.array(arbitrary, { minLength: count, maxLength: count }));
  const always = scenario.faults.always.map((pattern) => placed(pattern, draw));
  const operations = scenario.operations.map((pattern) => placed(pattern, draw));
  const spare = expendable(topology);
  const leavesOneOut = scenario.outsideCoreOneIn > 0 && draw(fc.integer({ min: 1, max: scenario.outsideCoreOneIn })) === 1;
  const drawnOutside = leavesOneOut && spare.length > 0 ? [draw(fc.constantFrom(...spare))] : [];
  const outside = scenario.outsideCore.length > 0 ? scenario.outsideCore : drawnOutside;
  return {
    formatVersion: TRIAL_FORMAT_VERSION,
    scenario: scenario.name,
    seed,
    versions: VERSIONS,
    cluster: scenario.cluster,
    featureGates: scenario.featureGates,
    defects: DEFECTS.map((d) => d.id).filter((id) => options.defects.includes(id) || scenario.defects.includes(id)),
    manifests: options.manifests,
    workload: { traffic: scenario.traffic, store: scenario.store, ...(scenario.configs === null ? {} : { configs: scenario.configs }) },
    swarm: { tiePolicy: draw(tiePolicy) },
    timing: { applyAtMs: Math.min(10_000, scenario.chaosFromMs), chaosFromMs: scenario.chaosFromMs, healAtMs, settleMs: scenario.settleMs },
    faults: numbered('F', [...always, ...drawn]),
    operations: numbered('O', operations),
    core: { outside },
    require: scenario.require,
  };
}

const tiePolicy: Arbitrary<TiePolicy> = fc.oneof(
  fc.record({ kind: fc.constant('fifo' as const) }, { noNullPrototype: true }),
  fc.record({ kind: fc.constant('jitter' as const), jitterUs: fc.integer({ min: 1, max: 500 }) }, { noNullPrototype: true }),
  fc.record(
    { kind: fc.constant('pct' as const), jitterUs: fc.integer({ min: 0, max: 500 }), changeOneIn: fc.integer({ min: 2, max: 50 }) },
    { noNullPrototype: true },
  ),
);

/** Values of arbitraries, one after the other, from one named seed. */
function drawer(name: string): <T>(arbitrary: Arbitrary<T>) => T {
  const seeds = seedrandom(name);
  // Without bias: fast-check prefers values near the bounds, which would crowd all faults together at both ends of the chaos.
  return (arbitrary) => fc.sample(fc.noBias(arbitrary), { numRuns: 1, seed: seeds.int32() })[0] as never;
}

function placed(pattern: PlannedPattern, draw: <T>(arbitrary: Arbitrary<T>) => T): PlannedFault {
  return {
    id: '',
    atMs: draw(fc.integer(pattern.atMs)),
    forMs: pattern.lastsMs === null ? null : draw(fc.integer(pattern.lastsMs)),
    params: pattern.params,
  };
}

/** In order of time, so that F1 is the first to happen. */
function numbered(letter: string, faults: readonly PlannedFault[]): readonly PlannedFault[] {
  return faults
    .map((fault, i) => ({ fault, i }))
    .sort((a, b) => a.fault.atMs - b.fault.atMs || a.i - b.i)
    .map(({ fault }, i) => ({ ...fault, id: `${letter}${i + 1}` }));
}

/** Hosts any one of which may stay away for good: a quorum, an API server and a worker remain. */
function expendable(topology: Topology): readonly string[] {
  const controlPlanes = hostNames(topology, 'control-plane');
  const workers = hostNames(topology, 'worker');
  return [...(controlPlanes.length >= 3 ? controlPlanes.slice(1) : []), ...(workers.length >= 2 ? workers.slice(1) : [])];
}
