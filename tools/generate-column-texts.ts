/**
 * Regenerates `src/model/api/kinds/column-texts.json`: the descriptions of printer columns, as recorded from a real API server.
 *
 * Usage: node tools/generate-column-texts.ts [folder of recordings] (default ../shared/goldens/api)
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Column {
  readonly name: string;
  readonly description: string;
}
interface Line {
  readonly path?: string;
  readonly response?: { readonly kind?: string; readonly columnDefinitions?: readonly Column[] };
}

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = process.argv[2] ?? join(root, '..', 'shared', 'goldens', 'api');
const texts: Record<string, Record<string, string>> = {};
for (const file of readdirSync(folder)
  .filter((name) => name.endsWith('.jsonl'))
  .sort()) {
  if (file.startsWith('80') || file.startsWith('81')) continue;
  for (const text of readFileSync(join(folder, file), 'utf8').split('\n')) {
    if (!text.includes('columnDefinitions')) continue;
    const line = JSON.parse(text) as Line;
    const columns = line.response?.columnDefinitions;
    const match = /^\/apis?\/(?:([^/]+)\/)?v\w+\/(?:namespaces\/[^/]+\/(?=\w))?([a-z]+)/.exec(line.path?.split('?')[0] ?? '');
    if (columns === undefined || match === null) continue;
    const plural = match[1] === undefined ? (match[2] ?? '') : `${match[2]}.${match[1]}`;
    const resource = line.path?.endsWith('/scale') === true ? 'scales' : plural;
    const known = texts[resource] ?? {};
    for (const { name, description } of columns) known[name] = description;
    texts[resource] = known;
  }
}
const common: Record<string, string> = {};
for (const name of ['Name', 'Age']) common[name] = texts['pods']?.[name] ?? '';
for (const known of Object.values(texts)) for (const name of ['Name', 'Age']) if (known[name] === common[name]) delete known[name];
const sorted = Object.fromEntries(Object.entries({ ...texts, '': common }).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(join(root, 'src', 'model', 'api', 'kinds', 'column-texts.json'), `${JSON.stringify(sorted, null, 1)}\n`);
