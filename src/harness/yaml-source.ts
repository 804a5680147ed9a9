import { readFileSync, statSync } from 'node:fs';
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments, visit } from 'yaml';
import { fileError, type Problem, UserError } from './user-error.ts';

const FILE_BYTES_MAX = 64 * 1024 * 1024;
/** One slip of the pen can make a parser complain without end. */
const SYNTAX_ERRORS_MAX = 10;
const FORBIDDEN_KEYS = ['__proto__', 'constructor', 'prototype'];

/** A step of a path into a document: a key or an index. */
export type PathStep = string | number;

/** One YAML document whose values can be traced back to lines. */
export interface SourceDocument {
  readonly file: string;
  /** Line of the document's first node. */
  readonly line: number;
  readonly value: unknown;
  /** Place of a value; of its key where `key` is set; of the nearest parent where the path does not exist. */
  place(path: readonly PathStep[], key?: string): { readonly line: number; readonly column: number };
}

/** Reads a user's file. @throws UserError when it cannot be read or is too large. */
export function readSource(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > FILE_BYTES_MAX) throw fileError(file, `the file has ${size} bytes`, `at most ${FILE_BYTES_MAX} are read`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof UserError) throw error;
    const code = (error as { code?: string }).code;
    const why =
      code === 'ENOENT'
        ? 'no such file'
        : code === 'EISDIR'
          ? 'is a folder, not a file'
          : code === 'EACCES'
            ? 'permission denied'
            : `cannot be read (${code})`;
    throw fileError(file, why);
  }
}

/**
 * Parses all documents of a YAML (or JSON) text. Empty documents are left out.
 * @throws UserError with every syntax error, duplicate key, forbidden key and alias bomb.
 */
export function parseSource(file: string, text: string): readonly SourceDocument[] {
  const lines = new LineCounter();
  const problems: Problem[] = [];
  const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true, strict: true, version: '1.2' });
  const parsed = Array.isArray(documents) ? (documents as Document.Parsed[]) : [];
  const out: SourceDocument[] = [];
  for (const document of parsed) {
    const tooDeep = document.errors.findLast((error) => /call stack/i.test(error.message));
    if (tooDeep !== undefined) {
      const { line, col } = lines.linePos(tooDeep.pos[0]);
      problems.push({ file, line, column: col, what: 'the file nests too deeply', right: 'a few hundred levels at the most' });
      continue;
    }
    for (const error of document.errors.slice(0, SYNTAX_ERRORS_MAX)) {
      const { line, col } = lines.linePos(error.pos[0]);
      problems.push({ file, line, column: col, what: (error.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '') });
    }
    if (document.errors.length > 0) continue;
    forbiddenKeys(file, document, lines, problems);
    if (document.contents === null) continue;
    try {
      const value: unknown = document.toJS({ maxAliasCount: 100 });
      if (value === null) continue;
      const start = lines.linePos(rangeStart(document.contents as Node));
      out.push({ file, line: start.line, value, place: (path, key) => place(document, lines, path, key) });
    } catch (error) {
      if (error instanceof RangeError) {
        problems.push({ file, line: 1, column: 1, what: 'the file nests too deeply', right: 'a few hundred levels at the most' });
        continue;
      }
      problems.push({ file, line: 1, column: 1, what: `${(error as Error).message}`, right: 'aliases may expand to at most 100 values' });
    }
  }
  if (problems.length > 0) throw new UserError(problems);
  return out;
}

function forbiddenKeys(file: string, document: Document.Parsed, lines: LineCounter, problems: Problem[]): void {
  visit(document, {
    Pair: (_, pair) => {
      const key = isScalar(pair.key) ? pair.key.value : undefined;
      if (typeof key !== 'string' || !FORBIDDEN_KEYS.includes(key)) return;
      const { line, col } = lines.linePos(rangeStart(pair.key as Node));
      problems.push({ file, line, column: col, what: `the key ${key} is not allowed`, right: 'remove it' });
    },
  });
}

function place(document: Document.Parsed, lines: LineCounter, path: readonly PathStep[], key?: string): { line: number; column: number } {
  let node: Node | null = document.contents as Node;
  for (const step of path) {
    const next = child(document, node, step);
    if (next === undefined) break;
    node = next;
  }
  if (key !== undefined && isMap(node)) {
    const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key);
    if (pair !== undefined) node = pair.key as Node;
  }
  const { line, col } = lines.linePos(node === null ? 0 : rangeStart(node));
  return { line, column: col };
}

function child(document: Document.Parsed, node: Node | null, step: PathStep): Node | undefined {
  const resolved = node !== null && isAlias(node) ? (node.resolve(document) as Node | undefined) : node;
  if (isMap(resolved)) return (resolved.get(step, true) as Node | undefined) ?? undefined;
  if (isSeq(resolved)) return (resolved.get(Number(step), true) as Node | undefined) ?? undefined;
  return undefined;
}

function rangeStart(node: Node): number {
  return node.range?.[0] ?? 0;
}
