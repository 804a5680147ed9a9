import { createHash } from 'node:crypto';
import { writeTrialFile, type TrialFile } from '../harness/trial-file.ts';
import type { TrialInput } from '../harness/trial-input.ts';
import type { Signature, TrialResult } from '../harness/trial-result.ts';
import { trialPath } from './trial-lookup.ts';

/** A short id made from everything that decides the trial, so not from where its manifests lie: the same trial has the same id everywhere. */
export function trialId(input: TrialInput): string {
  const decides = { ...input, manifests: input.manifests.map(({ object }) => object) };
  return `t-${createHash('sha256').update(JSON.stringify(decides)).digest('hex').slice(0, 6)}`;
}

/** Writes a trial with what it gave. Answers the file and its path. */
export function saveTrial(
  input: TrialInput,
  result: TrialResult,
  signature: Signature | null,
  shrunk?: TrialFile['shrunk'],
): { readonly path: string; readonly trial: TrialFile } {
  const id = trialId(input);
  const path = trialPath(id);
  const trial: TrialFile = {
    id,
    input,
    expect: { status: result.status, signature, digest: result.digest, checkpoints: result.checkpoints },
    ...(shrunk === undefined ? {} : { shrunk }),
  };
  writeTrialFile(path, trial);
  return { path, trial };
}
