/** Builds the viewer into one file: `vite build src/report/viewer`. The result is committed, so running from sources needs no build. */
import { defineConfig } from 'vite';
import { viteSingleFile } from 'vite-plugin-singlefile';
import { viewerSourceHash } from './source-hash.ts';

export default defineConfig({
  root: import.meta.dirname,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../viewer-dist',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    rolldownOptions: { input: `${import.meta.dirname}/viewer.html` },
  },
  plugins: [
    viteSingleFile({ removeViteModuleLoader: true }),
    {
      name: 'seatrial-source-hash',
      transformIndexHtml: (html) => html.replace('</title>', `</title>\n<meta name="seatrial-sources" content="${viewerSourceHash()}">`),
    },
  ],
});
