import type { ReportDocument } from '../document.ts';
import { seconds } from './format.ts';
import type { ViewState } from './view-state.ts';

let timer: ReturnType<typeof setTimeout> | undefined;

/** Copies a text and says so. `navigator.clipboard` is missing on some file:// pages; the old way works there. */
export async function copyText(view: ViewState, text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  say(view, `Copied: ${text.length > 60 ? `${text.slice(0, 57)}…` : text}`);
}

function say(view: ViewState, text: string): void {
  view.toast.value = text;
  clearTimeout(timer);
  timer = setTimeout(() => {
    view.toast.value = '';
  }, 1600);
}

/** The report in a few lines, for an issue or a chat. */
export function asMarkdown(report: ReportDocument): string {
  const { verdict } = report;
  const mark = { pass: '✓ PASS', fail: '✖ FAIL', inconclusive: '? INCONCLUSIVE', 'harness-error': '! HARNESS ERROR' }[verdict.status];
  const lines = [
    `**${mark}${verdict.property === undefined ? '' : ` ${verdict.property}`}** (${verdict.trialId}, seed ${verdict.seed}): ${verdict.sentence}`,
    '',
  ];
  if (verdict.expected !== undefined) lines.push(`- expected: ${verdict.expected}`);
  if (verdict.actual !== undefined) lines.push(`- actual: ${verdict.actual}`);
  for (const [index, sentence] of (report.story?.sentences ?? []).entries()) {
    lines.push(
      `${index + 1}. ${seconds(sentence.atUs)} s: ${sentence.text.map((run) => (typeof run === 'string' ? run : run.text)).join('')}`,
    );
  }
  const replay = report.commands[0];
  if (replay !== undefined) lines.push('', '```', replay.command, '```');
  return lines.join('\n');
}

/** Offers the document as a JSON file. */
export function downloadDocument(report: ReportDocument): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([JSON.stringify(report, null, 1)], { type: 'application/json' }));
  link.download = `${report.verdict.trialId}.report.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
