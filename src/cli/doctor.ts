import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { defaultJobs } from '../harness/campaign.ts';
import { loadManifests } from '../harness/manifests.ts';
import { ownFile, programFile } from '../harness/own-files.ts';
import { runTrial } from '../harness/run-trial.ts';
import { loadScenario } from '../harness/scenario-file.ts';
import { inputOf, type Suite } from '../harness/trial-task.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { seedsFrom } from './seeds.ts';
import { paint, print, printJson, Progress } from './terminal.ts';

const exec = promisify(execFile);

function suiteOf(file: string): Suite {
  const scenario = loadScenario(file);
  return { scenarios: [{ scenario, manifests: loadManifests(scenario.apply) }], defects: [] };
}

/** Hidden command: the digest of one trial, in this fresh process. */
export async function printDigest(file: string, seed: string): Promise<ExitCode> {
  print(runTrial(inputOf(suiteOf(file), { scenario: 0, seed })).digest);
  return EXIT.passed;
}

/** `seatrial doctor`: is this build deterministic on this machine? Every seed in a fresh process and in this warm one. */
export async function doctor(
  files: readonly string[],
  options: { readonly seeds: number; readonly jobs?: number; readonly json?: boolean },
): Promise<ExitCode> {
  const scenarios = files.length > 0 ? files : ownScenarios();
  const suites = scenarios.map((file) => ({ file, suite: suiteOf(file) }));
  const seeds = seedsFrom('0x1', options.seeds);
  const progress = new Progress();
  let mismatches = 0;
  let done = 0;
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < seeds.length) {
      const i = next++;
      const seed = seeds[i] as string;
      const { file, suite } = suites[i % suites.length] as (typeof suites)[number];
      const [{ stdout }, warm] = await Promise.all([
        exec(process.execPath, [programFile('main'), 'digest', file, seed]),
        Promise.resolve().then(() => runTrial(inputOf(suite, { scenario: 0, seed })).digest),
      ]);
      const fresh = stdout.trim();
      done++;
      if (options.json) printJson({ schemaVersion: 1, type: 'seed', scenario: file, seed, fresh, warm, same: fresh === warm });
      if (fresh !== warm) {
        mismatches++;
        progress.clear();
        if (!options.json) print(`${paint('✖', 'red')} ${file} seed ${seed}: fresh ${fresh}, warm ${warm}`);
      }
      progress.update(`${done}/${seeds.length} seeds, ${mismatches} mismatches`);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, options.jobs ?? defaultJobs()) }, lane));
  progress.clear();
  if (options.json) printJson({ schemaVersion: 1, type: 'doctor', seeds: done, mismatches });
  else
    print(
      mismatches === 0
        ? `${paint('✓', 'green')} ${done} seeds, each in a fresh and in a warm process: no mismatch`
        : `${paint('✖', 'red')} ${mismatches} of ${done} seeds differ`,
    );
  return mismatches === 0 ? EXIT.passed : EXIT.diverged;
}

function ownScenarios(): readonly string[] {
  const folder = ownFile('scenarios/');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => join(folder, name));
}
