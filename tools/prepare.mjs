// npm runs this after an installation in a checkout and before packing. Without the development dependencies there is nothing to build
// with, and nothing to build for: the sources run too.
import { createRequire } from 'node:module';

const [major, minor] = process.versions.node.split('.').map(Number);
const { resolve } = createRequire(import.meta.url);
const canBuild = (() => {
  try {
    return Boolean(resolve('vite'));
  } catch {
    return false;
  }
})();
if (canBuild && (major > 22 || (major === 22 && minor >= 18))) await import('./build.ts');
