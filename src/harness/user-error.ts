/** One thing that is wrong with what the user gave: where, what, and what would be right. */
export interface Problem {
  readonly file: string;
  /** 1-based; 0 where a file as a whole is meant. */
  readonly line: number;
  readonly column: number;
  readonly what: string;
  readonly right?: string;
}

/** A user's mistake: one error that lists all problems. Printed without a stack trace; exit code 64. */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.problems = problems;
  }
}

/** `file:line:column: what is wrong; what would be right`. */
export function formatProblem(problem: Problem): string {
  const place = problem.line === 0 ? problem.file : `${problem.file}:${problem.line}:${problem.column}`;
  return `${place}: ${problem.what}${problem.right === undefined ? '' : `; ${problem.right}`}`;
}

/** An error about a file as a whole. */
export function fileError(file: string, what: string, right?: string): UserError {
  return new UserError([{ file, line: 0, column: 0, what, ...(right === undefined ? {} : { right }) }]);
}

/** The known name that is nearest to a misspelt one, if any is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    // Who mistypes a name rarely gets its first letter wrong.
    const distance = editDistance(name, candidate) + (candidate[0] === name[0] ? 0 : 0.5);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min((next[j - 1] as number) + 1, (row[j] as number) + 1, (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
