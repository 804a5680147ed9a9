/** One row of a table of known verdicts. */
export interface KnownVerdict {
  /** Path of the history, from the table's folder. */
  readonly file: string;
  readonly model: string;
  readonly verdict: string;
  readonly operations: number | undefined;
}

const columns = ['file', 'model', 'verdict'];

/** Whether a text is such a table: its first line names the columns. */
export function isVerdictTable(text: string): boolean {
  const head = (text.split('\n', 1)[0] ?? '').trim().split('\t');
  return columns.every((column) => head.includes(column));
}

export function parseVerdictTable(text: string): readonly KnownVerdict[] {
  const [head = '', ...rows] = text.split('\n').filter((line) => line.trim() !== '');
  const names = head.trim().split('\t');
  return rows.map((row) => {
    const cells = row.trimEnd().split('\t');
    const cell = (name: string): string => cells[names.indexOf(name)] ?? '';
    const operations = cell('operations');
    return {
      file: cell('file'),
      model: cell('model'),
      verdict: cell('verdict'),
      operations: operations === '' ? undefined : Number(operations),
    };
  });
}
