import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { ownFile } from '../harness/own-files.ts';
import type { ReportDocument } from './document.ts';

/** The built viewer; it is committed, and `viewer-dist.test.ts` says when it is older than its sources. */
const VIEWER = 'src/report/viewer-dist/viewer.html';
const DATA_TAG = /(<script type="application\/octet-stream" id="seatrial-document">)(<\/script>)/;

let viewer: string | undefined;

/**
 * The report as one HTML file that opens from disk and loads nothing: the viewer with the document inside, as base64 of gzip of JSON.
 * Equal documents give equal files. No text of the document becomes markup but the escaped title and summary.
 */
export function renderHtmlReport(document: ReportDocument): string {
  viewer ??= readFileSync(ownFile(VIEWER), 'utf8');
  const { verdict } = document;
  const mark = { pass: '✓ PASS', fail: '✖ FAIL', inconclusive: '? INCONCLUSIVE', 'harness-error': '! HARNESS ERROR' }[verdict.status];
  const title = [mark, verdict.property ?? verdict.scenario, verdict.trialId, 'seatrial'].join(' · ');
  const plain = `${mark}: ${verdict.sentence} ${document.commands[0]?.command ?? ''}`;
  // Functions, because `$&` in a replacement string would be a pattern.
  return viewer
    .replace(/<title>.*?<\/title>/, () => `<title>${escapeHtml(title)}</title>`)
    .replace(/<noscript>.*?<\/noscript>/s, (text) => text.replace('<noscript>', () => `<noscript><p>${escapeHtml(plain)}</p>`))
    .replace(DATA_TAG, (_, open: string, close: string) => `${open}${packed(document)}${close}`);
}

function packed(document: ReportDocument): string {
  const bytes = gzipSync(JSON.stringify(document), { level: 9 });
  // The header's byte for the operating system differs between machines; 255 means unknown (RFC 1952, 2.3.1).
  bytes[9] = 255;
  return bytes.toString('base64');
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
