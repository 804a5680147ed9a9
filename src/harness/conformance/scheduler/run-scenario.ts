import { readFileSync } from 'node:fs';
import type { Recording } from '../controllers/recording.ts';
import { runControllerScenario } from '../controllers/run-scenario.ts';
import { type RandomInstance, runRandomInstance } from './random-instance.ts';

/** Replays one recording of goldens/scheduler, a scenario or a random instance; answers with the differences. */
export function runSchedulerScenario(file: string): readonly string[] {
  const recording = JSON.parse(readFileSync(file, 'utf8')) as Recording | RandomInstance;
  return 'steps' in recording ? runControllerScenario(recording) : runRandomInstance(recording);
}
