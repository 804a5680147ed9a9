import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { exampleFailure } from './example-document.fixture.ts';
import { examplePass } from './example-pass-document.fixture.ts';
import { escapeHtml, renderHtmlReport } from './html.ts';
import { viewerSourceHash } from './viewer/source-hash.ts';

const built = readFileSync(new URL('./viewer-dist/viewer.html', import.meta.url), 'utf8');

describe('the built viewer', () => {
  it('is up to date with its sources; else run `vite build src/report/viewer` and commit', () => {
    expect(/name="seatrial-sources" content="(\w+)"/.exec(built)?.[1]).toBe(viewerSourceHash());
  });

  it('stays within its budget of 150 kB', () => {
    expect(Buffer.byteLength(built)).toBeLessThanOrEqual(150_000);
  });

  it('is one file: it names no other', () => {
    expect(built).not.toMatch(/<(?:script|link|img|iframe)[^>]+(?:src|href)=/);
  });
});

describe('renderHtmlReport', () => {
  it('embeds the document so that it comes back whole', () => {
    const html = renderHtmlReport(exampleFailure);
    const data = /id="seatrial-document">([\w+/=]+)<\/script>/.exec(html)?.[1] ?? '';
    expect(JSON.parse(gunzipSync(Buffer.from(data, 'base64')).toString('utf8'))).toEqual(JSON.parse(JSON.stringify(exampleFailure)));
  });

  it('gives equal files for equal documents', () => {
    expect(renderHtmlReport(structuredClone(examplePass))).toBe(renderHtmlReport(examplePass));
  });

  it('puts nothing of the document into markup unescaped, and reads no pattern from it', () => {
    const html = renderHtmlReport({
      ...examplePass,
      verdict: { ...examplePass.verdict, sentence: '</noscript><script>$&', scenario: '</title>$`' },
    });
    expect(html).not.toContain('</title>$');
    expect(html).not.toContain('</noscript><script>$');
    expect(html).toContain(escapeHtml('</title>$`'));
  });
});
