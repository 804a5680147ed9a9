import { cpuOf } from '../clock.ts';
import { median, type Topic } from '../figure.ts';
import { scenarioTrials } from '../inputs.ts';
import { Recorder } from '../../src/harness/recorder.ts';
import { runTrial } from '../../src/harness/run-trial.ts';

const PAIRS = 7;

/** What a trial costs with the recorder on: alternating pairs of the same trial; the digests must agree. */
export const recorder: Topic = {
  name: 'recorder',
  *run() {
    const trial = scenarioTrials('first-sail');
    const ratios: number[] = [];
    for (let i = 0; i < PAIRS + 3; i++) {
      const input = trial(i + 1);
      let plain = '';
      let recorded = '';
      const without = cpuOf(() => {
        plain = runTrial(input).digest;
      });
      const tape = new Recorder();
      const withIt = cpuOf(() => {
        recorded = runTrial(input, { recorder: tape }).digest;
      });
      if (plain !== recorded) throw new Error(`the recorder changed the run of seed ${input.seed}`);
      if (i >= 3) ratios.push(withIt / without);
    }
    yield { name: 'recorder-cost', value: median(ratios), unit: '× without' };
  },
};
