import { cpuOf } from '../clock.ts';
import type { Topic } from '../figure.ts';
import { SCENARIOS, scenarioTrials } from '../inputs.ts';
import { runTrial } from '../../src/harness/run-trial.ts';

const ROUNDS = 3;

/** What a campaign over all scenarios does per core, generation included. */
export const seedsPerMinute: Topic = {
  name: 'seeds',
  *run() {
    const rows = SCENARIOS.map((name) => ({ name, trial: scenarioTrials(name), seconds: 0 }));
    for (const { trial } of rows) runTrial(trial(1));
    for (let round = 0; round < ROUNDS; round++) {
      for (const row of rows) row.seconds += cpuOf(() => void runTrial(row.trial(round + 2)));
    }
    for (const { name, seconds } of rows) yield { name: `seeds-${name}`, value: (60 * ROUNDS) / seconds, unit: 'trials/CPU-min' };
    const all = rows.reduce((sum, { seconds }) => sum + seconds, 0);
    yield { name: 'seeds', value: (60 * ROUNDS * rows.length) / all, unit: 'trials/CPU-min' };
  },
};
