import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** True in the built program of dist/, false when the sources run. */
const BUNDLED = !import.meta.url.endsWith('.ts');

const ROOT = rootFrom(new URL('./', import.meta.url));

/** A file of the package, such as `scenarios/split-brain.yaml`: its path, from the sources and from the bundle alike. */
export function ownFile(relative: string): string {
  return fileURLToPath(new URL(relative, ROOT));
}

/** The file to start a program of ours with: the command line in a process of its own, or the worker in a thread. */
export function programFile(name: 'main' | 'worker'): string {
  if (BUNDLED) return ownFile(`dist/${name}.mjs`);
  return ownFile({ main: 'src/cli/main.ts', worker: 'src/harness/worker.ts' }[name]);
}

function rootFrom(folder: URL): URL {
  for (let at = folder; ; at = new URL('../', at)) {
    if (existsSync(new URL('package.json', at))) return at;
    if (at.pathname === '/') throw new Error(`no package.json above ${folder.href}: the program was moved out of its package`);
  }
}
