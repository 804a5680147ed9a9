import { mkdtempSync, rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { type ChildCost, runChild } from './clock.ts';

const path = (relative: string): string => fileURLToPath(new URL(`../${relative}`, import.meta.url));

/**
 * Builds programs of this folder as `tools/build.ts` builds the command line, and runs them: what users run is one bundle with its
 * code cache, not a thousand modules whose types are stripped first. The folder that it is built into is gone when this process ends.
 */
export async function bundled(names: readonly string[]): Promise<(name: string, ...nodeOptions: readonly string[]) => ChildCost> {
  const outDir = mkdtempSync(join(tmpdir(), 'seatrial-bench-'));
  process.on('exit', () => rmSync(outDir, { recursive: true, force: true }));
  await build({
    configFile: false,
    root: path('.'),
    logLevel: 'error',
    json: { stringify: true },
    ssr: { target: 'node', noExternal: true, external: ['piscina', 'pino'] },
    build: {
      ssr: true,
      outDir,
      target: 'node22',
      minify: false,
      rolldownOptions: {
        input: Object.fromEntries(names.map((name) => [name, path(`bench/${name}.ts`)])),
        external: builtinModules.flatMap((name) => [name, `node:${name}`]),
        output: { format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' },
      },
    },
  });
  const env = { NODE_COMPILE_CACHE: join(outDir, 'code-cache') };
  return (name, ...nodeOptions) => runChild([...nodeOptions, join(outDir, `${name}.mjs`)], env);
}
