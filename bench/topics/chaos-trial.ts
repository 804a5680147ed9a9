import { cpuOf } from '../clock.ts';
import { median, type Topic } from '../figure.ts';
import { chaosTrials, scenarioTrials } from '../inputs.ts';
import { runTrial } from '../../src/harness/run-trial.ts';
import { SECOND } from '../../src/sim/time.ts';

const WARM_UP = 6;
const TRIALS = 9;

/** Trials of other seeds than those that warm up: every one is new to the process. */
export const chaosTrial: Topic = {
  name: 'chaos-trial',
  *run() {
    const trial = chaosTrials();
    const cpu: number[] = [];
    const wall: number[] = [];
    const speed: number[] = [];
    const events: number[] = [];
    for (let i = 0; i < WARM_UP + TRIALS; i++) {
      const input = trial(i + 1);
      const before = performance.now();
      let result = { events: 0, endUs: 0 };
      const seconds = cpuOf(() => {
        result = runTrial(input);
      });
      if (i < WARM_UP) continue;
      cpu.push(seconds);
      wall.push((performance.now() - before) / 1000);
      speed.push(result.endUs / SECOND / seconds);
      events.push(result.events);
    }
    yield { name: 'chaos-trial', value: median(cpu), unit: 'CPU-s' };
    yield { name: 'chaos-trial-best', value: Math.min(...cpu), unit: 'CPU-s' };
    yield { name: 'chaos-trial-events', value: median(events), unit: 'events' };
    yield { name: 'chaos-trial-speed', value: median(speed), unit: 'virtual s/CPU-s' };
    yield { name: 'chaos-trial-seeds', value: 1 / median(cpu), unit: 'trials/CPU-s' };
    yield { name: 'chaos-trial-wall', value: median(wall), unit: 's' };
    const store = scenarioTrials('consensus');
    const storeCpu = Array.from({ length: WARM_UP + TRIALS }, (_, i) => cpuOf(() => void runTrial(store(i + 1)))).slice(WARM_UP);
    yield { name: 'store-trial', value: median(storeCpu), unit: 'CPU-s' };
    yield { name: 'store-trial-best', value: Math.min(...storeCpu), unit: 'CPU-s' };
  },
};
