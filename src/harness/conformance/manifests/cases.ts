import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ConformanceKind, errorText } from '../conformance-kind.ts';
import { type ManifestDocument, manifestDocuments } from './documents.ts';
import { judgeSet, type SetItem } from './judge-set.ts';
import { SetServer } from './set-server.ts';
import { isVerdictsTable, parseVerdicts, type RecordedVerdict } from './verdicts.ts';

/** The documents of the set's files, each file read once. */
class SetFiles {
  private readonly folder: string;
  private readonly files = new Map<string, ReadonlyMap<string, ManifestDocument> | string>();

  constructor(folder: string) {
    this.folder = folder;
  }

  /** A row's document, or why there is none. */
  documentOf(row: RecordedVerdict): ManifestDocument | string {
    const documents = this.read(row.file);
    if (typeof documents === 'string') return documents;
    const document = documents.get(row.document);
    if (document === undefined) return `${row.file} has no document ${row.document}`;
    const { apiVersion, kind } = document.value;
    if (apiVersion !== row.apiVersion || kind !== row.kind)
      return `document ${row.document} is a ${String(apiVersion)}/${String(kind)}, not a ${row.apiVersion}/${row.kind}`;
    return document;
  }

  private read(file: string): ReadonlyMap<string, ManifestDocument> | string {
    const known = this.files.get(file);
    if (known !== undefined) return known;
    let documents: ReadonlyMap<string, ManifestDocument> | string;
    try {
      documents = manifestDocuments(readFileSync(join(this.folder, file), 'utf8'));
    } catch (error) {
      documents = errorText(error);
    }
    this.files.set(file, documents);
    return documents;
  }
}

/** A case is a document of a set: the server must accept or refuse it with the recorded words. */
export const kind: ConformanceKind = {
  isOfKind: isVerdictsTable,
  *run(file, isWanted) {
    const files = new SetFiles(dirname(file.path));
    const items: SetItem[] = [];
    const places: { readonly name: string; readonly at: number | string }[] = [];
    for (const row of parseVerdicts(file.text)) {
      if ('problem' in row) {
        places.push({ name: `line ${row.line}`, at: row.problem });
        continue;
      }
      const name = `${row.file} #${row.document} ${row.kind} ${row.name}`;
      const document = files.documentOf(row);
      if (typeof document === 'string') places.push({ name, at: document });
      else places.push({ name, at: items.push({ row, document }) - 1 });
    }
    if (!places.some(({ name }) => isWanted(name))) return;
    const differences = judgeSet(items, new SetServer());
    for (const { name, at } of places) if (isWanted(name)) yield { name, difference: typeof at === 'string' ? at : differences[at] };
  },
};
