/** Run as a process of its own by the memory topic: a worker's life in short. As the command line does, it loads the program last. */
import { keepHeapSmall } from '../src/harness/small-heap.ts';

keepHeapSmall();
const { chaosTrials } = await import('./inputs.ts');
const { runTrial } = await import('../src/harness/run-trial.ts');
const trial = chaosTrials();
for (let seed = 1; seed <= 6; seed++) runTrial(trial(seed));
