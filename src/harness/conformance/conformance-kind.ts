/** A file that a run found, read as text. */
export interface SourceFile {
  readonly path: string;
  /** Its path under the folder that the run was asked for. */
  readonly shown: string;
  readonly text: string;
}

/** How one case went. */
export interface CaseResult {
  readonly name: string;
  /** The first difference in one readable text; undefined where there is none. */
  readonly difference: string | undefined;
}

/** Whether a case is asked for, by its name; files whose own name is asked for take every case. */
export type IsWanted = (caseName: string) => boolean;

/** One kind of recordings: how its files are told from others, and how the cases of one go. */
export interface ConformanceKind {
  /** By content alone. Damaged files should still be known, so that they fail instead of vanishing. */
  readonly isOfKind: (text: string) => boolean;
  /** The wanted cases of a file in order. A case that cannot be read is a case that failed. */
  readonly run: (file: SourceFile, isWanted: IsWanted) => Iterable<CaseResult>;
}

/** What an exception says, in one line. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const where =
    error.stack
      ?.split('\n')
      .find((line) => line.trimStart().startsWith('at '))
      ?.trim() ?? '';
  return `${error.name}: ${error.message}${where === '' ? '' : ` (${where.replace(/file:\/\/.*\/src\//, 'src/')})`}`;
}
