#!/usr/bin/env node
// Starts the command line: the built program where there is one that is not older than the sources, else the sources (a checkout).
import { existsSync, readdirSync, statSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import * as nodeModule from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [major, minor] = process.versions.node.split('.').map(Number);
const built = fileURLToPath(new URL('../dist/main.mjs', import.meta.url));
const folder = fileURLToPath(new URL('../src/', import.meta.url));
const sources = join(folder, 'cli/main.ts');

// Before the first import of the program, or nothing of it is cached.
nodeModule.enableCompileCache?.();

if (process.argv.length === 3 && process.argv[2] === '--version') {
  // Asked by scripts all the time: not worth loading the program.
  process.stdout.write(`${nodeModule.createRequire(import.meta.url)('../package.json').version}\n`);
} else if (major > 22 || (major === 22 && minor >= 18)) {
  await import(program());
} else {
  // An older Node cannot run it: the devDependency `node` of a checkout brings one that can.
  const node = newerNode();
  if (node === undefined) {
    process.stderr.write(`seatrial needs Node 22.18 or newer; this is ${process.version}\n`);
    process.exit(64);
  }
  process.exit(spawnSync(node, [program(), ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 70);
}

function program() {
  return existsSync(built) && (!existsSync(sources) || !changedSince(folder, statSync(built).mtimeMs)) ? built : sources;
}

function newerNode() {
  try {
    return nodeModule.createRequire(import.meta.url).resolve('node/bin/node');
  } catch {
    return undefined;
  }
}

/** Whether a source changed, came or went after that time: whoever edits runs what they edited. */
function changedSince(directory, time) {
  if (statSync(directory).mtimeMs > time) return true;
  return readdirSync(directory, { withFileTypes: true }).some((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? changedSince(path, time) : statSync(path).mtimeMs > time;
  });
}
