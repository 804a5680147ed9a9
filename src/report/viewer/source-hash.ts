/** The fingerprint of the viewer's sources: written into the built file, so that a test can tell whether the committed build is up to date. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const VIEWER = import.meta.dirname;
/** Types of the data; the viewer is built against them. */
const CONTRACT = ['../document.ts', '../figure.ts'];

/** Hex digest over the paths and contents of all sources of the viewer, tests and notes excepted. */
export function viewerSourceHash(): string {
  const files = readdirSync(VIEWER, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.includes('.test.') && !entry.name.endsWith('.md'))
    .map((entry) => relative(VIEWER, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
  const hash = createHash('sha256');
  for (const file of [...files, ...CONTRACT].sort()) {
    hash.update(`${file}\0${readFileSync(join(VIEWER, file), 'utf8').replaceAll('\r\n', '\n')}\0`);
  }
  return hash.digest('hex');
}
