/**
 * Builds dist/: the command line and the worker as a few plain JavaScript files. Starting some nine hundred TypeScript modules one by
 * one costs most of a second; an installed package could not run them at all.
 */
import { rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const path = (relative: string): string => fileURLToPath(new URL(`../${relative}`, import.meta.url));

rmSync(path('dist'), { recursive: true, force: true });
await build({
  configFile: false,
  root: path('.'),
  logLevel: 'warn',
  // Parsing a string of JSON is faster than running it as a literal.
  json: { stringify: true },
  ssr: { target: 'node', noExternal: true, external: ['piscina', 'pino'] },
  build: {
    ssr: true,
    outDir: path('dist'),
    target: 'node22',
    minify: false,
    rolldownOptions: {
      input: { main: path('src/cli/main.ts'), worker: path('src/harness/worker.ts') },
      external: builtinModules.flatMap((name) => [name, `node:${name}`]),
      output: { format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' },
    },
  },
});
