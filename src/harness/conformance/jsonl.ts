/** One line of a recording: what it holds, or why it cannot be read. */
export type JsonLine =
  | { readonly number: number; readonly text: string; readonly value: Readonly<Record<string, unknown>> }
  | { readonly number: number; readonly text: string; readonly problem: string };

/** The lines of a text that are not blank, each parsed. */
export function readJsonLines(text: string): readonly JsonLine[] {
  const lines: JsonLine[] = [];
  text.split('\n').forEach((content, i) => {
    if (content.trim() === '') return;
    const line = { number: i + 1, text: content };
    try {
      const value = JSON.parse(content) as unknown;
      if (typeof value !== 'object' || value === null || Array.isArray(value)) lines.push({ ...line, problem: 'not a JSON object' });
      else lines.push({ ...line, value: value as Readonly<Record<string, unknown>> });
    } catch (error) {
      lines.push({ ...line, problem: `not JSON: ${error instanceof Error ? error.message : String(error)}` });
    }
  });
  return lines;
}

/** Where the numbers of steps do not count up by one: a line that is missing, or one in another place. */
export function stepGap(previous: number | undefined, step: number): string | undefined {
  const expected = previous === undefined ? 1 : previous + 1;
  return step === expected ? undefined : `step ${step} follows ${previous ?? 'the beginning'}: a line is missing or out of order`;
}
