import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repositoryRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Path of a file or folder of recordings that lies beside the checkout (`../shared`), or undefined where a clone has none.
 * Tests that read recordings skip aloud in that case.
 */
export function sharedPath(relative: string): string | undefined {
  const path = join(repositoryRoot, '..', 'shared', relative);
  return existsSync(path) ? path : undefined;
}
