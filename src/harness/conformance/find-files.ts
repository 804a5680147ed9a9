import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileError } from '../user-error.ts';
import type { SourceFile } from './conformance-kind.ts';

const skipped = new Set(['node_modules', '.git']);
/** No recording comes near. */
const fileBytesMax = 64 * 1024 * 1024;

/** Every file under a folder (or the one file), in the order of their paths; read one by one. @throws UserError */
export function* textFiles(root: string): Generator<SourceFile> {
  let isFolder: boolean;
  try {
    isFolder = statSync(root).isDirectory();
  } catch {
    throw fileError(root, 'no such file or folder');
  }
  for (const path of isFolder ? walk(root) : [root]) {
    if (statSync(path).size > fileBytesMax) continue;
    yield { path, shown: isFolder ? relative(root, path) : path, text: readFileSync(path, 'utf8') };
  }
}

function* walk(folder: string): Generator<string> {
  const entries = readdirSync(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (skipped.has(entry.name)) continue;
    if (entry.isDirectory()) yield* walk(path);
    else if (entry.isFile() || (entry.isSymbolicLink() && isFile(path))) yield path;
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
