#!/usr/bin/env node
// Starts the command line: the built bundle where there is one (an installed package), else the sources (a checkout).
import { existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

const [major, minor] = process.versions.node.split('.').map(Number);
const bundle = fileURLToPath(new URL('../dist/seatrial.mjs', import.meta.url));
const sources = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));

// Before the first import of the program, or nothing of it is cached.
nodeModule.enableCompileCache?.();

if (process.argv.length === 3 && process.argv[2] === '--version') {
  // Asked by scripts all the time: not worth loading the program.
  process.stdout.write(`${nodeModule.createRequire(import.meta.url)('../package.json').version}\n`);
} else if (existsSync(bundle) && !existsSync(sources)) {
  await import(bundle);
} else if (major > 22 || (major === 22 && minor >= 18)) {
  await import(sources);
} else {
  // An older Node cannot run TypeScript: the devDependency `node` brings one that can.
  const node = nodeModule.createRequire(import.meta.url).resolve('node/bin/node');
  const run = spawnSync(node, [sources, ...process.argv.slice(2)], { stdio: 'inherit' });
  process.exit(run.status ?? 70);
}
