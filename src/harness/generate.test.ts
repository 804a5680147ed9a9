import fc from 'fast-check';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { faultOf } from '../faults/registry.ts';
import { createFacts } from '../model/facts.ts';
import { buildCluster } from '../model/cluster.ts';
import { CLUSTER_PRESETS } from '../model/presets.ts';
import { World } from '../sim/world.ts';
import { generateTrial } from './generate.ts';
import { loadScenario } from './scenario-file.ts';
import { topologyOf } from './shape.ts';
import { readTrialFile, writeTrialFile } from './trial-file.ts';
import type { TrialInput } from './trial-input.ts';
import { temporaryFile } from './user-files.fixture.ts';

const folder = fileURLToPath(new URL('../../scenarios/', import.meta.url));
const scenarios = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => loadScenario(`${folder}${name}`));
const options = { defects: [], manifests: [] };
const seeds = Array.from({ length: 30 }, (_, i) => `0x${i.toString(16)}`);

describe.each(scenarios.map((s) => [s.name, s] as const))('trials of %s', (_name, scenario) => {
  const trials = seeds.map((seed) => generateTrial(scenario, seed, options));

  it('are a pure function of scenario and seed', () => {
    expect(seeds.map((seed) => generateTrial(scenario, seed, options))).toEqual(trials);
    const plans = trials.map((t) => stringify([t.faults, t.swarm, t.timing], { aliasDuplicateObjects: false }));
    expect(new Set(plans).size).toBeGreaterThan(20);
  });

  it('stay within the scenario: counts, kinds, times, durations', () => {
    const fixed = scenario.faults.always.length;
    for (const trial of trials) {
      const { chaosFromMs, healAtMs } = trial.timing;
      expect(healAtMs - chaosFromMs).toBeGreaterThanOrEqual(scenario.chaosMs.min);
      expect(healAtMs - chaosFromMs).toBeLessThanOrEqual(scenario.chaosMs.max);
      expect(trial.faults.length - fixed).toBeGreaterThanOrEqual(scenario.faults.count.min);
      expect(trial.faults.length - fixed).toBeLessThanOrEqual(scenario.faults.count.max);
      expect(trial.faults.map((f) => f.id)).toEqual(trial.faults.map((_, i) => `F${i + 1}`));
      expect(trial.faults.map((f) => f.atMs)).toEqual(trial.faults.map((f) => f.atMs).toSorted((a, b) => a - b));
      const always = scenario.faults.always.map((p) => p.params.kind);
      for (const fault of trial.faults) {
        if (always.includes(fault.params.kind)) continue;
        if (scenario.faults.kinds.length > 0) expect(scenario.faults.kinds).toContain(fault.params.kind);
        else expect(faultOf(fault.params.kind).operation).toBe(false);
        expect(fault.atMs).toBeGreaterThanOrEqual(chaosFromMs);
        expect(fault.atMs).toBeLessThan(healAtMs);
      }
    }
  });

  it('are read back from their trial files as they were', () => {
    const path = temporaryFile('t.yaml', '');
    for (const input of trials.slice(0, 8)) {
      const file = {
        id: 't-1',
        input,
        expect: { status: 'passed', signature: null, digest: '0123456789abcdef', checkpoints: [] },
      } as const;
      writeTrialFile(path, file);
      expect(readTrialFile(path)).toEqual(file);
    }
  });
});

/** The order of programs is the generator's: plans are drawn by it. */
function sorted<T extends { readonly programs: readonly string[] }>(hosts: readonly T[]): readonly T[] {
  return hosts.map((host) => ({ ...host, programs: host.programs.toSorted() }));
}

describe('topologyOf', () => {
  it.each(CLUSTER_PRESETS.map((p) => [p.preset, p] as const))(
    '%s: names, places and programs are those of the cluster that is built',
    (_name, preset) => {
      const world = new World({ seed: 'shape' });
      const cluster = buildCluster(world, preset, { facts: createFacts() });
      // The registry that nodes pull from is outside: no fault can hit it.
      expect(sorted(topologyOf(preset).hosts)).toEqual(cluster.describe().filter((h) => h.role !== 'cloud'));
    },
  );

  it('agrees for any number of hosts and zones', () => {
    const shape: fc.Arbitrary<TrialInput['cluster']> = fc.record({
      preset: fc.constant('x'),
      kubernetes: fc.boolean(),
      controlPlanes: fc.integer({ min: 1, max: 5 }),
      workers: fc.nat(6),
      zones: fc.integer({ min: 1, max: 9 }),
      etcd: fc.constantFrom('stacked', 'external'),
      etcdMembers: fc.integer({ min: 1, max: 5 }),
      pools: fc.array(fc.record({ workers: fc.integer({ min: 1, max: 3 }), runtime: fc.constantFrom('containerd', 'cri-o', 'kata') }), {
        maxLength: 2,
      }),
    });
    fc.assert(
      fc.property(shape, (cluster) => {
        const world = new World({ seed: 'shape' });
        const built = buildCluster(world, cluster, { facts: createFacts() });
        const described = built.describe().filter((h) => h.role !== 'cloud');
        expect(sorted(topologyOf(cluster).hosts)).toEqual(described);
      }),
      { seed: 13, numRuns: 12 },
    );
  });
});
