import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { Piscina } from 'piscina';
import { type Defect, DEFECTS } from '../model/defects.ts';
import { Coverage } from './coverage.ts';
import { programFile } from './own-files.ts';
import type { ShrinkResult } from './shrink.ts';
import type { WorkerData } from './worker.ts';
import { inputOf, runTask, type Suite, type TrialOutcome, type TrialTask } from './trial-task.ts';
import type { TrialInput } from './trial-input.ts';
import { type Signature, sameSignature, signatureOf, type Violation } from './trial-result.ts';

/** Below this share of trials a required property counts as hardly exercised, and the suite is inconclusive. */
const EXERCISED_SHARE_MIN = 0.01;
/** How soon a shrinking worker hears that the user has had enough. */
const STOP_LOOK_MS = 50;

export interface CampaignOptions {
  readonly suite: Suite;
  /** Seeds of every scenario, in order. */
  readonly seeds: readonly string[];
  readonly jobs: number;
  /** Stop at the first failure. */
  readonly bail: boolean;
  /** Properties whose violation is preferred as a trial's signature (those that the switched-on defects break). */
  readonly hunted: readonly string[];
  /** Asked between trials: true ends the campaign early (Ctrl-C). */
  readonly interrupted: () => boolean;
}

/** A failure that a campaign found: the trial as it came, made small. */
export interface Failure {
  readonly task: TrialTask;
  readonly scenario: string;
  readonly violation: Violation;
  readonly signature: Signature;
  readonly found: TrialInput;
  readonly shrunk: ShrinkResult;
  /** Further violations of other signatures in the same trial. */
  readonly beside: readonly Signature[];
}

/** What a campaign tells while it runs. */
export interface CampaignEvents {
  onTrial(outcome: TrialOutcome, done: number, total: number): void;
  onFailure(failure: Failure): void;
  onShrinking(scenario: string, seed: string, signature: Signature): void;
}

export interface CampaignResult {
  readonly status: 'passed' | 'violated' | 'inconclusive';
  readonly trials: number;
  readonly violated: number;
  readonly failures: readonly Failure[];
  readonly coverage: Coverage;
  /** Why the suite is inconclusive. */
  readonly reasons: readonly string[];
  readonly interrupted: boolean;
}

/** Runs every seed of every scenario. One failure a signature and scenario is shrunk; the others only count. */
export async function runCampaign(options: CampaignOptions, events: CampaignEvents): Promise<CampaignResult> {
  const { suite } = options;
  const coverage = new Coverage();
  const failures: Failure[] = [];
  const reasons = new Map<string, number>();
  const exercised = new Map<string, { trials: number; exercised: number }>();
  let trials = 0;
  let violated = 0;
  let stop = false;
  const runner = options.jobs > 1 ? new PoolRunner(suite, options.jobs, options.interrupted) : new InlineRunner(suite, options.interrupted);
  const tasks = tasksOf(suite, options.seeds);
  const total = tasks.length;

  const finished = async (outcome: TrialOutcome): Promise<void> => {
    trials++;
    coverage.add(outcome);
    countExercised(outcome);
    events.onTrial(outcome, trials, total);
    if (outcome.status === 'inconclusive') reasons.set(outcome.properties.find((p) => p.verdict === 'gave-up')?.reason ?? 'gave up', 1);
    if (outcome.violations.length === 0) return;
    violated++;
    const violation = outcome.violations.find((v) => options.hunted.includes(v.property)) ?? (outcome.violations[0] as Violation);
    const hunted = options.hunted.length === 0 || options.hunted.includes(violation.property);
    if (options.bail && hunted) stop = true;
    const scenario = suite.scenarios[outcome.task.scenario]?.scenario.name ?? '';
    const signature = signatureOf(violation);
    if (failures.some((f) => f.scenario === scenario && sameSignature(f.signature, signature))) return;
    events.onShrinking(scenario, outcome.task.seed, signature);
    const found = inputOf(suite, outcome.task);
    const placeholder = {
      task: outcome.task,
      scenario,
      violation,
      signature,
      found,
      beside: outcome.violations.filter((v) => v !== violation).map(signatureOf),
    };
    const at = failures.push({ ...placeholder, shrunk: { input: found, attempts: 0, steps: [] } }) - 1;
    const failure: Failure = { ...placeholder, shrunk: await runner.shrink(found, signature) };
    failures[at] = failure;
    events.onFailure(failure);
  };
  const countExercised = (outcome: TrialOutcome): void => {
    const require = suite.scenarios[outcome.task.scenario]?.scenario.require ?? [];
    for (const id of require) {
      const row = exercised.get(id) ?? { trials: 0, exercised: 0 };
      row.trials++;
      row.exercised += (outcome.properties.find((p) => p.property === id)?.exercised ?? 0) > 0 ? 1 : 0;
      exercised.set(id, row);
    }
  };

  let next = 0;
  const lane = async (): Promise<void> => {
    while (!stop && next < tasks.length && !options.interrupted()) {
      const task = tasks[next++] as TrialTask;
      await finished(await runner.trial(task));
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.max(1, options.jobs) }, lane));
  } finally {
    await runner.close();
  }
  for (const [id, row] of [...exercised].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (row.trials > 0 && row.exercised / row.trials < EXERCISED_SHARE_MIN)
      reasons.set(`${id} was exercised in ${row.exercised} of ${row.trials} trials that require it`, 1);
  }
  const interrupted = options.interrupted();
  const status = violated > 0 ? 'violated' : reasons.size > 0 || trials === 0 ? 'inconclusive' : 'passed';
  return { status, trials, violated, failures, coverage, reasons: [...reasons.keys()].sort(), interrupted };
}

/**
 * Seed by seed across the scenarios, so that a short run has seen them all. Whoever hunts a known bug meets the scenarios that were
 * written for it first.
 */
export function tasksOf(suite: Suite, seeds: readonly string[]): readonly TrialTask[] {
  const on: readonly Defect[] = DEFECTS.filter((defect) => suite.defects.includes(defect.id));
  const names = on.flatMap(({ exhibit, alsoIn }) => [...(exhibit === null ? [] : [basename(exhibit, '.yaml')]), ...(alsoIn ?? [])]);
  const all = seeds.flatMap((seed) => suite.scenarios.map((_, scenario): TrialTask => ({ scenario, seed })));
  const meant = ({ scenario }: TrialTask): boolean => names.includes(suite.scenarios[scenario]?.scenario.name ?? '');
  return [...all.filter(meant), ...all.filter((task) => !meant(task))];
}

/** Cores that may be used by default. */
export function defaultJobs(): number {
  return availableParallelism();
}

interface Runner {
  trial(task: TrialTask): Promise<TrialOutcome>;
  shrink(input: TrialInput, signature: Signature): Promise<ShrinkResult>;
  close(): Promise<void>;
}

/** Runs trials in this very thread; signals are looked at between them. Shrinking takes longer: it goes to a thread of its own. */
class InlineRunner implements Runner {
  readonly #suite: Suite;
  readonly #interrupted: () => boolean;
  #shrinker: PoolRunner | undefined;
  constructor(suite: Suite, interrupted: () => boolean) {
    this.#suite = suite;
    this.#interrupted = interrupted;
  }
  async trial(task: TrialTask): Promise<TrialOutcome> {
    const outcome = runTask(this.#suite, task);
    await new Promise((resolve) => setImmediate(resolve));
    return outcome;
  }
  async shrink(input: TrialInput, signature: Signature): Promise<ShrinkResult> {
    this.#shrinker ??= new PoolRunner(this.#suite, 1, this.#interrupted);
    return this.#shrinker.shrink(input, signature);
  }
  async close(): Promise<void> {
    await this.#shrinker?.close();
  }
}

class PoolRunner implements Runner {
  readonly #pool: Piscina;
  readonly #stop = new Int32Array(new SharedArrayBuffer(4));
  readonly #interrupted: () => boolean;
  constructor(suite: Suite, jobs: number, interrupted: () => boolean) {
    this.#interrupted = interrupted;
    this.#pool = new Piscina({
      filename: programFile('worker'),
      workerData: { suite, stop: this.#stop } satisfies WorkerData,
      minThreads: jobs,
      maxThreads: jobs,
    });
  }
  trial(task: TrialTask): Promise<TrialOutcome> {
    return this.#pool.run(task, { name: 'trial' }) as Promise<TrialOutcome>;
  }
  async shrink(input: TrialInput, signature: Signature): Promise<ShrinkResult> {
    // The worker is deaf while it shrinks, but for this word.
    const listen = setInterval(() => Atomics.store(this.#stop, 0, this.#interrupted() ? 1 : 0), STOP_LOOK_MS);
    try {
      return (await this.#pool.run({ input, signature }, { name: 'shrink' })) as ShrinkResult;
    } finally {
      clearInterval(listen);
    }
  }
  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}
