/** One row of a set's `verdicts.tsv`: a document and what a real API server said to it. */
export interface RecordedVerdict {
  readonly file: string;
  /** `3`, or `3.2` for the second item of a List. */
  readonly document: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  /** `*` after a generateName. */
  readonly name: string;
  readonly create: RecordedAnswer;
  readonly apply: RecordedAnswer;
  /** Warnings of both, joined. */
  readonly warnings: string;
}

/** `verdict`: accepted, rejected, accepted-if-not-strict, exists or no-such-kind. */
export interface RecordedAnswer {
  readonly verdict: string;
  readonly http: string;
  readonly message: string;
}

const columns = [
  'file',
  'document',
  'apiVersion/kind',
  'namespace',
  'name',
  'create',
  'create_http',
  'create_message',
  'apply',
  'apply_http',
  'apply_message',
  'warnings',
];

/** Whether a text is the table of a set: its first line names the columns. */
export function isVerdictsTable(text: string): boolean {
  const head = (text.split('\n', 1)[0] ?? '').split('\t');
  return ['file', 'document', 'create', 'apply'].every((column) => head.includes(column));
}

/** A row, or its text where it is none. */
export type VerdictRow = RecordedVerdict | { readonly line: number; readonly problem: string };

export function parseVerdicts(text: string): readonly VerdictRow[] {
  const [head = '', ...lines] = text.replace(/\r/g, '').split('\n');
  const names = head.split('\t');
  return lines.flatMap((line, i): readonly VerdictRow[] => (line.trim() === '' ? [] : [parseRow(names, line, i + 2)]));
}

function parseRow(names: readonly string[], line: string, number: number): VerdictRow {
  const cells = line.split('\t');
  const cell = (name: string): string => (cells[names.indexOf(name)] ?? '').replaceAll('\\n', '\n');
  const [, apiVersion, kind] = /^(.*)\/([^/]+)$/.exec(cell('apiVersion/kind')) ?? [];
  if (cells.length < columns.length - 1 || apiVersion === undefined || kind === undefined || !/^\d+(\.\d+)?$/.test(cell('document'))) {
    return { line: number, problem: `not a row of verdicts: ${line.slice(0, 120)}` };
  }
  const create = { verdict: cell('create'), http: cell('create_http'), message: cell('create_message') };
  const message = cell('apply_message') === 'same' ? create.message : cell('apply_message');
  const apply = { verdict: cell('apply'), http: cell('apply_http'), message };
  return {
    file: cell('file'),
    document: cell('document'),
    apiVersion,
    kind,
    namespace: cell('namespace'),
    name: cell('name'),
    create,
    apply,
    warnings: cell('warnings'),
  };
}
