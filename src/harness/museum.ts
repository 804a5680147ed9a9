import { Piscina } from 'piscina';
import { DEFECTS, type Defect } from '../model/defects.ts';
import { loadManifests } from './manifests.ts';
import { ownFile, programFile } from './own-files.ts';
import { loadScenario } from './scenario-file.ts';
import { inputOf, runTask, shrinkTask, type Suite, type TrialOutcome, type TrialTask } from './trial-task.ts';
import { type Signature, signatureOf, type Violation } from './trial-result.ts';
import type { WorkerData } from './worker.ts';

/** First seeds of two runs lie so far apart, further than any budget reaches. */
const RUN_STEP = 100_000;

/** What hunting one exhibit came to. */
export interface Hunt {
  readonly id: string;
  /** Every run caught it within the budget, by a property that must. */
  readonly found: boolean;
  /** Seeds until the first catch, one number a run; a run that caught nothing has its whole budget. */
  readonly seeds: readonly number[];
  readonly medianSeeds: number;
  /** Faults and operations that shrinking left of the first run's catch; null: none was caught. */
  readonly shrunkFaults: number | null;
  /** Every seed that was tried is clean with the switch off. */
  readonly cleanWithout: boolean;
  /** The first catch. */
  readonly caught: { readonly seed: string; readonly violation: Violation } | null;
  /** A violation without the defect, if there was one. */
  readonly unclean: { readonly seed: string; readonly violation: Violation } | null;
}

export interface HuntOptions {
  readonly runs: number;
  /** Instead of the exhibit's own budget. */
  readonly seeds?: number;
  readonly jobs: number;
  readonly shrink: boolean;
  readonly interrupted: () => boolean;
  readonly onTrial?: (id: string, trials: number) => void;
}

/** A defect that has an exhibit. */
export type Exhibit = Defect & { readonly exhibit: string };

/** The scenario file of an exhibit. */
export function exhibitFile(defect: Exhibit): string {
  return ownFile(`scenarios/${defect.exhibit}`);
}

/** Hunts one defect, in `runs` runs from seeds of their own, and tries the same seeds without it. */
export async function hunt(defect: Exhibit, options: HuntOptions): Promise<Hunt> {
  const scenario = loadScenario(exhibitFile(defect));
  const manifests = loadManifests(scenario.apply);
  const [ON, OFF] = [0, 1];
  const suite: Suite = {
    scenarios: [
      { scenario: { ...scenario, defects: [defect.id] }, manifests },
      { scenario, manifests },
    ],
    defects: [],
  };
  const budget = options.seeds ?? defect.seeds;
  const pool = options.jobs > 1 ? poolOf(suite, options.jobs) : undefined;
  const trial = async (task: TrialTask): Promise<TrialOutcome> => {
    if (pool !== undefined) return (await pool.run(task, { name: 'trial' })) as TrialOutcome;
    const outcome = runTask(suite, task);
    // Signals are heard between trials.
    await new Promise((resolve) => setImmediate(resolve));
    return outcome;
  };
  let trials = 0;
  const seeds: number[] = [];
  const catches: ({ readonly seed: string; readonly violation: Violation } | undefined)[] = [];
  let unclean: Hunt['unclean'] = null;

  const oneRun = async (run: number): Promise<void> => {
    let tried = 0;
    for (; tried < budget && catches[run] === undefined && !options.interrupted(); tried++) {
      const seed = seedOf(run, tried);
      const on = await trial({ scenario: ON, seed });
      const violation = on.violations.find((v) => defect.properties.includes(v.property));
      if (violation !== undefined) catches[run] = { seed, violation };
      const off = await trial({ scenario: OFF, seed });
      const first = off.violations[0];
      if (first !== undefined) unclean ??= { seed, violation: first };
      trials += 2;
      options.onTrial?.(defect.id, trials);
    }
    seeds[run] = tried;
  };
  try {
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < options.runs && !options.interrupted()) await oneRun(next++);
    };
    await Promise.all(Array.from({ length: Math.min(options.jobs, options.runs) }, lane));
  } finally {
    await pool?.destroy();
  }
  const caught = catches.find((c) => c !== undefined) ?? null;
  return {
    id: defect.id,
    found: seeds.length === options.runs && seeds.every((_, run) => catches[run] !== undefined),
    seeds,
    medianSeeds: median(seeds),
    shrunkFaults:
      caught === null || !options.shrink ? null : shrunk(suite, caught.seed, signatureOf(caught.violation), options.interrupted),
    cleanWithout: unclean === null,
    caught,
    unclean,
  };
}

/** All defects that have an exhibit, in the order of the table. */
export function exhibits(): readonly Exhibit[] {
  const all: readonly Defect[] = DEFECTS;
  return all.filter((defect): defect is Exhibit => defect.exhibit !== null);
}

function seedOf(run: number, nth: number): string {
  return `0x${(1 + run * RUN_STEP + nth).toString(16)}`;
}

/** The middle value, of two middle ones the lower: a number of seeds that a run really needed. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

function shrunk(suite: Suite, seed: string, signature: Signature, interrupted: () => boolean): number {
  const { input } = shrinkTask(inputOf(suite, { scenario: 0, seed }), signature, interrupted);
  return input.faults.length + input.operations.length;
}

function poolOf(suite: Suite, jobs: number): Piscina {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  return new Piscina({
    filename: programFile('worker'),
    workerData: { suite, stop } satisfies WorkerData,
    minThreads: jobs,
    maxThreads: jobs,
  });
}
