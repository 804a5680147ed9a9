import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { stringify } from 'yaml';
import { faultKinds } from '../faults/registry.ts';
import { DEFECTS } from '../model/defects.ts';
import { propertyIds } from '../properties/registry.ts';
import type { DigestCheckpoint } from '../sim/digest.ts';
import { paramProblems } from './fault-params.ts';
import { schemaProblems } from './schema-problems.ts';
import { topologyOf } from './shape.ts';
import { TRIAL_FORMAT_VERSION, type TrialInput } from './trial-input.ts';
import { TRIAL_SCHEMA } from './trial-schema.ts';
import type { Signature, TrialResult } from './trial-result.ts';
import { fileError, nearest, type Problem, UserError } from './user-error.ts';
import { parseSource, type PathStep, readSource, type SourceDocument } from './yaml-source.ts';

/** What the trial gave when the file was written: a replay is held against it. */
export interface Expectation {
  readonly status: TrialResult['status'];
  readonly signature: Signature | null;
  readonly digest: string;
  readonly checkpoints: readonly DigestCheckpoint[];
}

/** A trial file: what happens, and what came of it. */
export interface TrialFile {
  readonly id: string;
  readonly input: TrialInput;
  readonly expect: Expectation;
  /** How it became small; absent for a trial as generated. */
  readonly shrunk?: { readonly faultsBefore: number; readonly attempts: number };
}

const validate = new Ajv2020({ allErrors: true, verbose: true, strict: false }).compile(TRIAL_SCHEMA);

/** Writes a trial file: whole or not at all. */
export function writeTrialFile(path: string, trial: TrialFile): void {
  const { input, expect, id, shrunk } = trial;
  const head = [
    `# A seatrial trial: everything that decides what happens in it, and what came of it.`,
    `# Replay it:  npx seatrial replay ${path}`,
    '',
  ].join('\n');
  const body = stringify(
    { formatVersion: TRIAL_FORMAT_VERSION, id, expect, ...(shrunk === undefined ? {} : { shrunk }), input },
    { lineWidth: 140, aliasDuplicateObjects: false },
  );
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.partial`;
  writeFileSync(temporary, head + body);
  renameSync(temporary, path);
}

/** Reads and checks a trial file. @throws UserError */
export function readTrialFile(path: string): TrialFile {
  const documents = parseSource(path, readSource(path));
  const document = documents[0];
  if (document === undefined || documents.length > 1)
    throw fileError(path, `the file holds ${documents.length} documents`, 'a trial file is one document');
  const version = (document.value as { formatVersion?: unknown } | null)?.formatVersion;
  if (typeof version === 'number' && version > TRIAL_FORMAT_VERSION) {
    throw new UserError([
      {
        file: path,
        ...document.place([], 'formatVersion'),
        what: `the file has format version ${version}`,
        right: `this seatrial reads up to version ${TRIAL_FORMAT_VERSION}; update it with npm i -D seatrial@latest`,
      },
    ]);
  }
  if (!validate(document.value)) throw new UserError(schemaProblems(document, validate.errors ?? [], 'trial'));
  const raw = document.value as unknown as TrialFile & { readonly formatVersion: number };
  const problems = inputProblems(raw.input, document);
  if (problems.length > 0) throw new UserError(problems);
  return { id: raw.id, input: raw.input, expect: raw.expect, ...(raw.shrunk === undefined ? {} : { shrunk: raw.shrunk }) };
}

/** What a schema cannot say: names that this seatrial knows, and those of the trial's own cluster. */
function inputProblems(input: TrialInput, document: SourceDocument): readonly Problem[] {
  const problems: Problem[] = [];
  const tell = (path: readonly PathStep[], what: string, right: string, key?: string): void => {
    problems.push({ file: document.file, ...document.place(path, key), what, right });
  };
  const known = (what: string, name: string, names: readonly string[], path: readonly PathStep[]): void => {
    if (names.includes(name)) return;
    const near = nearest(name, names);
    tell(path, `unknown ${what} ${name}`, `${near === undefined ? '' : `did you mean ${near}? `}Known: ${names.join(', ')}`);
  };
  const topology = topologyOf(input.cluster);
  for (const list of ['faults', 'operations'] as const) {
    input[list].forEach(({ params }, i) => {
      const path = ['input', list, i, 'params'];
      known('fault kind', params.kind, faultKinds(), [...path, 'kind']);
      for (const { key, what, right } of paramProblems(params, topology)) tell(path, what, right, key);
    });
  }
  const defects = DEFECTS.map((d) => d.id);
  input.defects.forEach((id, i) => known('defect', id, defects, ['input', 'defects', i]));
  input.require.forEach((id, i) => known('property', id, propertyIds(), ['input', 'require', i]));
  const { applyAtMs, chaosFromMs, healAtMs } = input.timing;
  if (applyAtMs > chaosFromMs || chaosFromMs > healAtMs)
    tell(['input', 'timing'], 'timing is out of order', 'applyAtMs, then chaosFromMs, then healAtMs');
  return problems;
}
