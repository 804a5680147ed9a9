import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from './user-error.ts';

/** Writes a file into a fresh folder and answers its path. */
export function temporaryFile(name: string, text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'seatrial-test-')), name);
  writeFileSync(path, text);
  return path;
}

/** What a reader says of a file, without the folder: `file:line:column: what; right`, one line a problem. Fails when it says nothing. */
export function complaintsOf(path: string, read: (path: string) => unknown): readonly string[] {
  try {
    read(path);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message.split('\n').map((line) => line.replace(path, path.slice(path.lastIndexOf('/') + 1)));
  }
  throw new Error(`${path} was taken without a complaint`);
}
