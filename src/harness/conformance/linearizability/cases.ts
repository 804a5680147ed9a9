import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { checkHistory } from '../../linearizability/check.ts';
import { describeOperation } from '../../linearizability/history.ts';
import { MODEL_NAMES, modelNamed } from '../../linearizability/models.ts';
import { isHistory, readHistory } from '../../linearizability/read-history.ts';
import type { ConformanceKind, SourceFile } from '../conformance-kind.ts';
import { isVerdictTable, type KnownVerdict, parseVerdictTable } from './verdict-table.ts';

const words: Readonly<Record<string, string>> = { linearizable: 'Ok', illegal: 'Illegal' };
/** How far above a history its table may lie. */
const levelsMax = 3;
const tableBytesMax = 4 * 1024 * 1024;

/** Tables by folder, read once a run. */
const tablesOfFolder = new Map<string, readonly KnownVerdict[]>();

function tableIn(folder: string): readonly KnownVerdict[] {
  const known = tablesOfFolder.get(folder);
  if (known !== undefined) return known;
  const rows = readdirSync(folder)
    .sort()
    .map((name) => join(folder, name))
    .filter((path) => {
      const stat = statSync(path, { throwIfNoEntry: false });
      return stat?.isFile() === true && stat.size < tableBytesMax;
    })
    .map((path) => readFileSync(path, 'utf8'))
    .filter(isVerdictTable)
    .flatMap(parseVerdictTable);
  tablesOfFolder.set(folder, rows);
  return rows;
}

/** What is known of a history: the row of a table in its folder or one above. */
function knownOf(path: string): KnownVerdict | undefined {
  let folder = dirname(resolve(path));
  for (let level = 0; level <= levelsMax; level++) {
    const name = relative(folder, resolve(path)).split(sep).join('/');
    const row = tableIn(folder).find((each) => each.file === name);
    if (row !== undefined) return row;
    const parent = dirname(folder);
    if (parent === folder) break;
    folder = parent;
  }
  return undefined;
}

function differenceOf(file: SourceFile, known: KnownVerdict | undefined): string | undefined {
  if (known === undefined) return 'no table of verdicts (columns file, model, verdict) knows this history';
  const model = modelNamed(known.model);
  if (model === undefined) return `unknown model ${known.model} (known: ${MODEL_NAMES.join(', ')})`;
  const history = readHistory(file.text);
  if (history === undefined) return 'not a history in a known form';
  const count = history.operations.length;
  if (known.operations !== undefined && known.operations !== count) return `expected ${known.operations} operations, the file has ${count}`;
  const result = checkHistory(history, model);
  if (words[result.verdict] === known.verdict) return undefined;
  const why = result.verdict === 'illegal' ? `: no place for ${describeOperation(result.witness.stuck)}` : '';
  return `expected ${known.verdict}, got ${words[result.verdict] ?? result.verdict}${why}`;
}

/** A case is a history: its verdict must be the one that a table beside or above it says. Tables may know histories that are not there. */
export const kind: ConformanceKind = {
  isOfKind: isHistory,
  *run(file, isWanted) {
    if (isWanted(file.shown)) yield { name: '', difference: differenceOf(file, knownOf(file.path)) };
  },
};
