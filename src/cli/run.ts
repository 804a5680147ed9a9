import { existsSync, statSync } from 'node:fs';
import { type Failure, type CampaignResult, defaultJobs, runCampaign } from '../harness/campaign.ts';
import { loadManifests } from '../harness/manifests.ts';
import { runTrial } from '../harness/run-trial.ts';
import { loadScenario } from '../harness/scenario-file.ts';
import { inputOf, type Suite } from '../harness/trial-task.ts';
import { findViolation } from '../harness/trial-result.ts';
import { fileError, nearest, UserError } from '../harness/user-error.ts';
import { DEFECTS, type DefectId } from '../model/defects.ts';
import { formatSeconds } from '../sim/time.ts';
import { EXIT, exitOf, type ExitCode } from './exit-codes.ts';
import { openRunLog } from './run-log.ts';
import { saveTrial } from './save-trial.ts';
import { seedsFrom } from './seeds.ts';
import { paint, print, printJson, Progress, table } from './terminal.ts';
import { writeReport } from './write-report.ts';

export interface RunOptions {
  readonly seeds?: number;
  readonly seed: string;
  readonly jobs?: number;
  readonly bail?: boolean;
  readonly keepGoing?: boolean;
  readonly defect: readonly string[];
  readonly manifests: readonly string[];
  readonly coverage?: boolean;
  readonly json?: boolean;
  readonly out: string;
}

/** What one failure left behind. */
interface Saved {
  readonly failure: Failure;
  readonly id: string;
  readonly trialFile: string;
  readonly report: string;
  readonly reproduced: number;
  readonly atUs: number;
}

const REPRODUCE_TIMES = 2;
/** As many properties that had nothing to judge are named in the summary. */
const NAMED_MAX = 4;

/** `seatrial run`: the main command. */
export async function run(files: readonly string[], options: RunOptions): Promise<ExitCode> {
  const suite = loadSuite(files, options);
  for (const folder of ['.seatrial', options.out]) {
    if (existsSync(folder) && !statSync(folder).isDirectory())
      throw fileError(folder, 'is a file, where a folder for results is needed', 'move it, or choose another folder with --out');
  }
  const seeds = seedsFrom(options.seed, options.seeds ?? 1);
  const hunted = DEFECTS.filter((d) => suite.defects.includes(d.id)).flatMap((d) => d.properties);
  const total = seeds.length * suite.scenarios.length;
  const jobs = Math.min(options.jobs ?? (total > 8 ? defaultJobs() : 1), total);
  const progress = new Progress();
  const saved: Saved[] = [];
  const notes = new Set<string>();
  let interrupted = 0;
  let virtualUs = 0;
  const onSignal = (): void => {
    interrupted++;
    if (interrupted > 1) process.exit(EXIT.interrupted);
  };
  process.on('SIGINT', onSignal);
  const started = Date.now();
  const log = openRunLog();
  const result = await runCampaign(
    {
      suite,
      seeds,
      jobs,
      bail: options.bail === true || (hunted.length > 0 && options.keepGoing !== true),
      hunted,
      interrupted: () => interrupted > 0,
    },
    {
      onTrial: (outcome, done, of) => {
        virtualUs += outcome.endUs;
        for (const note of outcome.notes) notes.add(note);
        const row = {
          schemaVersion: 1,
          type: 'trial',
          scenario: suite.scenarios[outcome.task.scenario]?.scenario.name,
          seed: outcome.task.seed,
          status: outcome.status,
          digest: outcome.digest,
          virtualMs: Math.round(outcome.endUs / 1000),
          events: outcome.events,
          faults: outcome.faults,
          violations: outcome.violations.map((v) => ({ property: v.property, clause: v.witness.clause, sentence: v.witness.sentence })),
        };
        log.trial(row);
        if (options.json) printJson(row);
        const seconds = (Date.now() - started) / 1000;
        progress.update(
          `${done}/${of} trials  ${(done / seconds).toFixed(1)}/s  virtual ${formatVirtual(virtualUs)}  failures ${saved.length}`,
        );
      },
      onShrinking: (scenario, seed, signature) =>
        progress.update(`shrinking ${scenario} seed ${seed}: ${signature.property}/${signature.clause}`),
      onFailure: (failure) => {
        progress.clear();
        const row = save(failure, options);
        saved.push(row);
        log.failure({
          type: 'failure',
          id: row.id,
          scenario: failure.scenario,
          seed: failure.task.seed,
          ...failure.signature,
          trial: row.trialFile,
          report: row.report,
        });
      },
    },
  );
  process.off('SIGINT', onSignal);
  progress.clear();
  log.close();
  const passReport = result.status === 'passed' && total === 1 ? reportOfPass(suite, seeds[0] as string, options) : undefined;
  if (options.json) printSummaryJson(result, saved);
  else printSummary({ suite, result, saved, notes, virtualUs, passReport, options, wallMs: Date.now() - started });
  return result.interrupted ? EXIT.interrupted : exitOf(result.status);
}

function loadSuite(files: readonly string[], options: RunOptions): Suite {
  const problems = [];
  const known = DEFECTS.map((d) => d.id) as readonly string[];
  for (const id of options.defect) {
    if (known.includes(id)) continue;
    const near = nearest(id, known);
    problems.push({
      file: '--defect',
      line: 0,
      column: 0,
      what: `unknown defect ${id}`,
      right: `${near === undefined ? '' : `did you mean ${near}? `}Known: ${known.join(', ')}`,
    });
  }
  const scenarios = [];
  const names = new Map<string, string>();
  for (const file of files) {
    try {
      const scenario = loadScenario(file);
      const before = names.get(scenario.name);
      if (before !== undefined && before !== file)
        throw fileError(file, `the name ${scenario.name} is also that of ${before}`, 'give each scenario its own name');
      names.set(scenario.name, file);
      scenarios.push({ scenario, manifests: loadManifests([...scenario.apply, ...options.manifests]) });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new UserError(problems);
  return { scenarios, defects: options.defect as readonly DefectId[] };
}

function save(failure: Failure, options: RunOptions): Saved {
  const { input } = failure.shrunk;
  const result = runTrial(input);
  let same = 1;
  for (let i = 0; i < REPRODUCE_TIMES; i++) if (runTrial(input).digest === result.digest) same++;
  const violation = findViolation(result, failure.signature) ?? failure.violation;
  const { path, trial } = saveTrial(input, result, failure.signature, {
    faultsBefore: failure.found.faults.length + failure.found.operations.length,
    attempts: failure.shrunk.attempts,
  });
  const report = writeReport(trial, options.out, { same, tried: 1 + REPRODUCE_TIMES }, failure.shrunk);
  return { failure: { ...failure, violation }, id: trial.id, trialFile: path, report, reproduced: same, atUs: violation.witness.atUs };
}

/** A single trial that passed is worth looking at too. */
function reportOfPass(
  suite: Suite,
  seed: string,
  options: RunOptions,
): { readonly path: string; readonly trialFile: string; readonly id: string } {
  const input = inputOf(suite, { scenario: 0, seed });
  const { path, trial } = saveTrial(input, runTrial(input), null);
  return { path: writeReport(trial, options.out), trialFile: path, id: trial.id };
}

function printSummaryJson(result: CampaignResult, saved: readonly Saved[]): void {
  printJson({
    schemaVersion: 1,
    type: 'summary',
    status: result.status,
    trials: result.trials,
    failures: saved.map((s) => ({
      id: s.id,
      scenario: s.failure.scenario,
      property: s.failure.signature.property,
      clause: s.failure.signature.clause,
      seed: s.failure.task.seed,
      atVirtualMs: Math.round(s.atUs / 1000),
      faults: s.failure.shrunk.input.faults.length + s.failure.shrunk.input.operations.length,
      trial: s.trialFile,
      report: s.report,
    })),
    ...(result.interrupted ? { interrupted: true } : {}),
    ...(result.reasons.length > 0 ? { reasons: result.reasons } : {}),
  });
}

interface Summary {
  readonly suite: Suite;
  readonly result: CampaignResult;
  readonly saved: readonly Saved[];
  readonly notes: ReadonlySet<string>;
  readonly virtualUs: number;
  readonly passReport: { readonly path: string; readonly trialFile: string; readonly id: string } | undefined;
  readonly options: RunOptions;
  readonly wallMs: number;
}

function printSummary(summary: Summary): void {
  const { result, saved, options } = summary;
  for (const note of [...summary.notes].sort()) print(`${paint('warning', 'yellow')} ${note}`);
  if (options.coverage) printCoverage(result);
  for (const row of saved) printFailure(row);
  const rows = result.coverage.properties();
  const count = (pick: (row: (typeof rows)[number]) => boolean): number => rows.filter(pick).length;
  const violated = count((r) => r.violated > 0);
  const gaveUp = count((r) => r.violated === 0 && r.gaveUp > 0);
  const idle = count((r) => r.violated === 0 && r.gaveUp === 0 && r.exercised === 0);
  const idleNames = rows.filter((r) => r.violated === 0 && r.gaveUp === 0 && r.exercised === 0).map((r) => r.property);
  // A cluster without clients of the bare store, say, has nothing to judge for a third of them: a list of these helps nobody.
  const named = idle === 0 ? '' : idle <= NAMED_MAX ? ` (${idleNames.join(', ')})` : ' (--coverage names them)';
  print();
  print(
    `Properties ${rows.length - violated - gaveUp - idle} held · ${violated} violated · ${gaveUp} gave up · ${idle} not exercised${named}`,
  );
  print(
    `Trials     ${result.trials - result.violated} passed · ${result.violated} failed · ${formatVirtual(summary.virtualUs)} of virtual time in ${(summary.wallMs / 1000).toFixed(1)} s`,
  );
  for (const reason of result.reasons) print(`${paint('?', 'yellow')} inconclusive: ${reason}`);
  if (result.interrupted) print(`${paint('!', 'yellow')} interrupted: ${result.trials} trials had run`);
  if (summary.passReport !== undefined) {
    print(`Report     ${summary.passReport.path}`);
    print(`Next       npx seatrial run scenarios/*.yaml --seeds 20      (replay this trial: npx seatrial replay ${summary.passReport.id})`);
  } else if (saved.length > 0) print(`Next       npx seatrial replay ${saved[0]?.id} --log`);
  const word = { passed: paint('✓ held', 'green'), violated: paint('✖ violated', 'red'), inconclusive: paint('? inconclusive', 'yellow') }[
    result.status
  ];
  const of = result.violated > 0 ? `${result.violated} of ` : '';
  print(`${word} in ${of}${result.trials} trial${result.trials === 1 ? '' : 's'}`);
}

function printFailure({ failure, id, trialFile, report, reproduced }: Saved): void {
  const { violation, shrunk, found } = failure;
  const before = found.faults.length + found.operations.length;
  const after = shrunk.input.faults.length + shrunk.input.operations.length;
  print();
  print(`${paint(`✖ ${violation.property}`, 'red')}  ${violation.witness.clause}  (${failure.scenario}, seed ${failure.task.seed})`);
  print(`  ${violation.witness.sentence}`);
  print(`  at        ${formatSeconds(violation.witness.atUs)}`);
  print(`  expected  ${violation.witness.expected}`);
  print(`  actual    ${violation.witness.actual}`);
  print(
    `  shrunk    ${before} → ${after} faults and operations in ${shrunk.attempts} tries, reproduced ${reproduced}/${1 + REPRODUCE_TIMES}`,
  );
  for (const beside of failure.beside) print(`  beside    ${beside.property}/${beside.clause}`);
  print(`  trial     ${trialFile}`);
  print(`  replay    npx seatrial replay ${id}`);
  print(`  report    ${report}`);
}

function printCoverage(result: CampaignResult): void {
  print();
  for (const line of table(
    ['fault', 'injected', 'touched something', 'things touched'],
    result.coverage.faults().map((f) => [f.kind, f.injected, f.touching, f.touched]),
  )) {
    print(line);
  }
  print();
  for (const line of table(
    ['property', 'trials', 'exercised', 'violated', 'gave up', 'checks'],
    result.coverage.properties().map((p) => [p.property, p.trials, p.exercised, p.violated, p.gaveUp, p.checks]),
  )) {
    print(line);
  }
}

function formatVirtual(us: number): string {
  const seconds = Math.round(us / 1_000_000);
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (days > 0) return `${days}d ${hours}h`;
  if (hours > 0) return `${hours}h ${minutes}m`;
  return minutes > 0 ? `${minutes}m ${seconds % 60}s` : `${seconds}s`;
}
