import type { DefectId } from '../model/defects.ts';
import type { Micros } from '../sim/time.ts';
import { generateTrial } from './generate.ts';
import type { FaultEffect } from './plan.ts';
import { HarnessError, runTrial } from './run-trial.ts';
import type { Scenario } from './scenario.ts';
import { shrinkTrial, type ShrinkResult } from './shrink.ts';
import type { Manifest, TrialInput } from './trial-input.ts';
import { findViolation, type PropertyResult, type Signature, type TrialResult, type Violation } from './trial-result.ts';

/** What a worker is told once: scenarios with their manifests, and what the command line adds. */
export interface Suite {
  readonly scenarios: readonly { readonly scenario: Scenario; readonly manifests: readonly Manifest[] }[];
  readonly defects: readonly DefectId[];
}

/** One seed of one scenario. */
export interface TrialTask {
  readonly scenario: number;
  readonly seed: string;
}

/** What comes back of a trial: enough for summaries and coverage, no trace. */
export interface TrialOutcome {
  readonly task: TrialTask;
  readonly status: TrialResult['status'];
  readonly violations: readonly Violation[];
  readonly properties: readonly PropertyResult[];
  readonly effects: readonly Pick<FaultEffect, 'kind' | 'touched' | 'lanes'>[];
  readonly faults: number;
  readonly digest: string;
  readonly events: number;
  readonly endUs: Micros;
  readonly notes: readonly string[];
}

/** The trial of a task, as generated. */
export function inputOf(suite: Suite, task: TrialTask): TrialInput {
  const row = suite.scenarios[task.scenario];
  if (row === undefined) throw new Error(`no scenario ${task.scenario} in a suite of ${suite.scenarios.length}`);
  return generateTrial(row.scenario, task.seed, { defects: suite.defects, manifests: row.manifests });
}

/** Runs one task. */
export function runTask(suite: Suite, task: TrialTask): TrialOutcome {
  const input = inputOf(suite, task);
  const result = attempt(input);
  return {
    task,
    status: result.status,
    violations: result.violations,
    properties: result.properties,
    effects: result.effects.map(({ kind, touched, lanes }) => ({ kind, touched, lanes })),
    faults: input.faults.length,
    digest: result.digest,
    events: result.events,
    endUs: result.endUs,
    notes: result.notes,
  };
}

/** Whoever mends seatrial needs to know in which trial it failed. */
function attempt(input: TrialInput): TrialResult {
  try {
    return runTrial(input);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    error.message += ` (in ${input.scenario}, seed ${input.seed})`;
    throw error;
  }
}

/** Shrinks a failing trial while it keeps the signature, until it is small or the user has had enough. */
export function shrinkTask(input: TrialInput, signature: Signature, stopped?: () => boolean): ShrinkResult {
  return shrinkTrial(input, (candidate) => stillFails(candidate, signature), undefined, stopped);
}

/** A candidate on which the harness itself gives up (time stands still) is no smaller failure of the same kind. */
function stillFails(candidate: TrialInput, signature: Signature): boolean {
  try {
    return findViolation(runTrial(candidate, { stopAt: signature }), signature) !== undefined;
  } catch (error) {
    if (error instanceof HarnessError) return false;
    throw error;
  }
}
