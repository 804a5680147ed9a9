import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readTrialFile, type TrialFile } from '../harness/trial-file.ts';
import { fileError } from '../harness/user-error.ts';

/** Where failing trials are kept. */
export const TRIALS_FOLDER = join('.seatrial', 'trials');

/** Path of the trial file of an id. */
export function trialPath(id: string): string {
  return join(TRIALS_FOLDER, `${id}.yaml`);
}

/** Finds a trial by path or by its short id. @throws UserError */
export function findTrial(nameOrPath: string): { readonly path: string; readonly trial: TrialFile } {
  const byId = trialPath(nameOrPath);
  if (/^[a-z0-9-]+$/.test(nameOrPath) && existsSync(byId)) return { path: byId, trial: readTrialFile(byId) };
  if (!existsSync(nameOrPath)) throw fileError(nameOrPath, 'no such trial file or id', `ids are those of ${TRIALS_FOLDER}`);
  return { path: nameOrPath, trial: readTrialFile(nameOrPath) };
}
