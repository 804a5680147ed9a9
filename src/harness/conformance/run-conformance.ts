import { fileError } from '../user-error.ts';
import { type ConformanceKind, errorText } from './conformance-kind.ts';
import { textFiles } from './find-files.ts';

/** What a run came to. */
export interface ConformanceSummary {
  readonly passed: number;
  readonly total: number;
}

/** A case that failed: where it lies, what it is called (empty: the file is the case), and its first difference. */
export interface ConformanceFailure {
  readonly file: string;
  readonly name: string;
  readonly difference: string;
}

export interface ConformanceRun {
  readonly kind: ConformanceKind;
  readonly folder: string;
  /** Only files or cases whose name contains this. */
  readonly only?: string;
  readonly onFailure: (failure: ConformanceFailure) => void;
}

/** Runs every case of a kind that lies under a folder. No case at all is an error: a wrong path must not pass. @throws UserError */
export function runConformance({ kind, folder, only, onFailure }: ConformanceRun): ConformanceSummary {
  let passed = 0;
  let total = 0;
  for (const file of textFiles(folder)) {
    if (!kind.isOfKind(file.text)) continue;
    const isWanted = (name: string): boolean => only === undefined || file.shown.includes(only) || name.includes(only);
    const note = (name: string, difference: string | undefined): void => {
      total++;
      if (difference === undefined) passed++;
      else onFailure({ file: file.shown, name, difference });
    };
    try {
      for (const { name, difference } of kind.run(file, isWanted)) note(name, difference);
    } catch (error) {
      if (isWanted('')) note('', `cannot be read or run: ${errorText(error)}`);
    }
  }
  if (total === 0) throw fileError(folder, `no case${only === undefined ? '' : ` whose name contains ${JSON.stringify(only)}`}`);
  return { passed, total };
}
