import type { ReportDocument } from '../document.ts';

/** Reads the document that `renderHtmlReport` embedded: base64 of gzip of JSON, unpacked by the browser itself, so it works from file://. */
export async function readEmbeddedDocument(): Promise<ReportDocument> {
  const text = document.getElementById('seatrial-document')?.textContent?.trim() ?? '';
  if (text === '') throw new Error('This file holds no report: it is the empty viewer.');
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  const report = JSON.parse(await new Response(stream).text()) as ReportDocument;
  if (report.formatVersion !== 1) throw new Error(`This viewer reads format 1, the report has format ${String(report.formatVersion)}.`);
  return report;
}
