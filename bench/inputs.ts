import { join } from 'node:path';
import { generateTrial } from '../src/harness/generate.ts';
import { loadManifests } from '../src/harness/manifests.ts';
import { loadScenario } from '../src/harness/scenario-file.ts';
import type { TrialInput } from '../src/harness/trial-input.ts';

/** Of the checkout that the benchmarks are started in: what is bundled lies elsewhere. */
const folder = join(process.cwd(), 'scenarios/');

/** Trials of a scenario of the repository, one a seed. */
export function scenarioTrials(name: string): (seed: number) => TrialInput {
  const scenario = loadScenario(`${folder}${name}.yaml`);
  const manifests = loadManifests(scenario.apply);
  return (seed) => generateTrial(scenario, `0x${seed.toString(16)}`, { defects: [], manifests });
}

/** The trial that the goals speak of: default cluster, shop and its users, ten virtual minutes, 20 faults. */
export function chaosTrials(): (seed: number) => TrialInput {
  const scenario = loadScenario(`${folder}first-sail.yaml`);
  const manifests = loadManifests(scenario.apply);
  const minutes = 9 * 60_000;
  const chaos = {
    ...scenario,
    chaosFromMs: 60_000,
    chaosMs: { min: minutes, max: minutes },
    faults: { ...scenario.faults, count: { min: 20, max: 20 } },
  };
  return (seed) => generateTrial(chaos, `0x${seed.toString(16)}`, { defects: [], manifests });
}

export const SCENARIOS: readonly string[] = [
  'clock-trouble',
  'consensus',
  'control-plane-crash',
  'disk-trouble',
  'first-sail',
  'node-loss',
  'rollout-under-partition',
  'slow-network',
  'split-brain',
];
