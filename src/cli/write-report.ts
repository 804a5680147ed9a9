import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Recorder } from '../harness/recorder.ts';
import { runTrial } from '../harness/run-trial.ts';
import type { ShrinkResult } from '../harness/shrink.ts';
import type { TrialFile } from '../harness/trial-file.ts';
import { renderHtmlReport } from '../report/html.ts';
import { buildReport } from '../report/story.ts';

/** Runs a trial with the recorder on and writes its report: whole or not at all. Answers the path. */
export function writeReport(
  trial: TrialFile,
  folder: string,
  reproduced?: { readonly same: number; readonly tried: number },
  shrinking?: ShrinkResult,
): string {
  const recorder = new Recorder();
  const result = runTrial(trial.input, { recorder });
  const document = buildReport({
    trial,
    result,
    trace: recorder.trace(),
    ...(reproduced === undefined ? {} : { reproduced }),
    ...(shrinking === undefined
      ? {}
      : {
          shrinking: {
            tries: shrinking.attempts,
            steps: shrinking.steps.map((s) => ({ attempt: s.attempt, faults: s.faults + s.operations })),
          },
        }),
  });
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${trial.id}.html`);
  writeFileSync(`${path}.partial`, renderHtmlReport(document));
  renameSync(`${path}.partial`, path);
  return path;
}
