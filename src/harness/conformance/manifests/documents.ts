import { type Document, isMap, isSeq, parseAllDocuments, stringify } from 'yaml';

/** A document of a manifest file as it was sent: its own text, not what a client would make of it. */
export interface ManifestDocument {
  readonly text: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** The documents of a file by number: `1`, `2`, …; the items of a List as `1.1`, `1.2`, …. */
export function manifestDocuments(text: string): ReadonlyMap<string, ManifestDocument> {
  const found = new Map<string, ManifestDocument>();
  let number = 0;
  for (const document of parseAllDocuments(text, { uniqueKeys: false, version: '1.1' }) as readonly Document[]) {
    if (document.contents === null || !isMap(document.contents)) continue;
    number++;
    const value = document.toJS() as Readonly<Record<string, unknown>>;
    const [from, , to] = document.range ?? [0, 0, text.length];
    found.set(String(number), { text: text.slice(from, to).replace(/^(---[^\n]*)?\n/, ''), value });
    const items = document.contents.get('items', true);
    if (!String(value['kind'] ?? '').endsWith('List') || !isSeq(items)) continue;
    (value['items'] as readonly Readonly<Record<string, unknown>>[]).forEach((item, i) => {
      found.set(`${number}.${i + 1}`, { text: stringify(item, { version: '1.1' }), value: item });
    });
  }
  return found;
}
