import { parseDurationMs } from '../harness/durations.ts';
import { firstDifference } from '../harness/divergence.ts';
import { Recorder } from '../harness/recorder.ts';
import { runTrial } from '../harness/run-trial.ts';
import { findViolation } from '../harness/trial-result.ts';
import { fileError } from '../harness/user-error.ts';
import { logLines } from '../report/log-lines.ts';
import { formatSeconds } from '../sim/time.ts';
import { EXIT, exitOf, type ExitCode } from './exit-codes.ts';
import { paint, print, printJson } from './terminal.ts';
import { findTrial } from './trial-lookup.ts';

export interface ReplayOptions {
  readonly until?: string;
  readonly log?: boolean;
  readonly json?: boolean;
}

/** `seatrial replay`: same digest and same verdict as the file, or exit 3 with the first difference. */
export async function replay(nameOrPath: string, options: ReplayOptions): Promise<ExitCode> {
  const { trial } = findTrial(nameOrPath);
  const untilMs = options.until === undefined ? undefined : parseDurationMs(options.until);
  if (options.until !== undefined && untilMs === undefined)
    throw fileError('--until', `the time is ${JSON.stringify(options.until)}`, 'a duration such as 12.48s');
  const recorder = options.log ? new Recorder() : undefined;
  const result = runTrial(trial.input, {
    ...(recorder === undefined ? {} : { recorder }),
    ...(untilMs === undefined ? {} : { untilUs: untilMs * 1000 }),
  });
  if (recorder !== undefined && !options.json) {
    for (const line of logLines(recorder.trace()))
      print(`${formatSeconds(line.atUs).padStart(12)}  ${line.source.padEnd(22)} ${line.text}`);
  }
  const { signature, digest } = trial.expect;
  const same = result.digest === digest;
  const violation = signature === null ? result.violations[0] : findViolation(result, signature);
  if (untilMs !== undefined && options.json) {
    printJson({
      schemaVersion: 1,
      type: 'replay',
      id: trial.id,
      outcome: 'stopped',
      atVirtualMs: Math.round(result.endUs / 1000),
      events: result.events,
      digest: result.digest,
      violations: result.violations.map((v) => ({ property: v.property, clause: v.witness.clause })),
    });
    return result.violations.length > 0 ? EXIT.violated : EXIT.passed;
  }
  if (untilMs !== undefined) {
    print(`stopped at ${formatSeconds(result.endUs)} after ${result.events} events, digest ${result.digest}`);
    for (const v of result.violations)
      print(`${paint('✖', 'red')} ${v.property}/${v.witness.clause} at ${formatSeconds(v.witness.atUs)}: ${v.witness.sentence}`);
    return result.violations.length > 0 ? EXIT.violated : EXIT.passed;
  }
  const outcome =
    same && result.status === trial.expect.status && (signature === null) === (violation === undefined) ? 'reproduced' : 'diverged';
  if (options.json) {
    printJson({
      schemaVersion: 1,
      type: 'replay',
      id: trial.id,
      outcome,
      status: result.status,
      digest: result.digest,
      expectedDigest: digest,
      ...(violation === undefined
        ? {}
        : { property: violation.property, clause: violation.witness.clause, atVirtualMs: Math.round(violation.witness.atUs / 1000) }),
    });
  } else if (outcome === 'diverged') {
    print(`${paint('?', 'yellow')} diverged: ${firstDifference(trial.expect.checkpoints, result.checkpoints, digest, result.digest)}`);
    if (trial.expect.status !== result.status) print(`  expected ${trial.expect.status}, got ${result.status}`);
    print(
      `  made by seatrial ${trial.input.versions.seatrial}; the code has changed since, or the run is not deterministic (npx seatrial doctor tells)`,
    );
  } else if (violation !== undefined) {
    print(
      `${paint('✖', 'red')} reproduced at ${formatSeconds(violation.witness.atUs)}: ${violation.property}/${violation.witness.clause}, digest ${digest} identical`,
    );
    print(`  ${violation.witness.sentence}`);
    print(`  report    npx seatrial report ${trial.id}`);
  } else print(`${paint('✓', 'green')} passed again, digest ${digest} identical`);
  return outcome === 'diverged' ? EXIT.diverged : exitOf(result.status);
}
