import { runTrial } from '../harness/run-trial.ts';
import { shrinkTask } from '../harness/trial-task.ts';
import { findViolation, signatureOf } from '../harness/trial-result.ts';
import { fileError } from '../harness/user-error.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { saveTrial } from './save-trial.ts';
import { print, printJson } from './terminal.ts';
import { findTrial } from './trial-lookup.ts';

/** `seatrial shrink`: the smallest trial that still breaks the same clause, in a file of its own. */
export async function shrink(nameOrPath: string, options: { readonly json?: boolean }): Promise<ExitCode> {
  const { path, trial } = findTrial(nameOrPath);
  const before = runTrial(trial.input);
  const violation = trial.expect.signature === null ? before.violations[0] : findViolation(before, trial.expect.signature);
  if (violation === undefined)
    throw fileError(path, 'the trial does not fail, so there is nothing to shrink', 'see what it does now: npx seatrial replay');
  const signature = signatureOf(violation);
  const shrunk = shrinkTask(trial.input, signature);
  const saved = saveTrial(shrunk.input, runTrial(shrunk.input), signature, {
    faultsBefore: trial.shrunk?.faultsBefore ?? trial.input.faults.length + trial.input.operations.length,
    attempts: (trial.shrunk?.attempts ?? 0) + shrunk.attempts,
  });
  const count = (input: typeof trial.input): number => input.faults.length + input.operations.length;
  if (options.json)
    printJson({
      schemaVersion: 1,
      type: 'shrink',
      id: saved.trial.id,
      trial: saved.path,
      faultsBefore: count(trial.input),
      faults: count(shrunk.input),
      attempts: shrunk.attempts,
    });
  else {
    print(
      `${signature.property}/${signature.clause}: ${count(trial.input)} → ${count(shrunk.input)} faults and operations in ${shrunk.attempts} tries`,
    );
    print(`  trial     ${saved.path}`);
    print(`  report    npx seatrial report ${saved.trial.id}`);
  }
  return EXIT.passed;
}
