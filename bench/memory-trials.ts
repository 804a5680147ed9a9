/** Run as a process of its own by the memory topic: a worker's life in short. */
import { chaosTrials } from './inputs.ts';
import { runTrial } from '../src/harness/run-trial.ts';

const trial = chaosTrials();
for (let seed = 1; seed <= 6; seed++) runTrial(trial(seed));
