import type { TrialStatus } from '../document.ts';

/** The four verdicts: each has its own word, mark and class; never only a colour. */
export const VERDICT_LOOK: Readonly<Record<TrialStatus, { readonly word: string; readonly sign: string; readonly tone: string }>> = {
  pass: { word: 'PASS', sign: '✓', tone: 'ok' },
  fail: { word: 'FAIL', sign: '✖︎', tone: 'viol' },
  inconclusive: { word: 'INCONCLUSIVE', sign: '?', tone: 'dim' },
  'harness-error': { word: 'HARNESS ERROR', sign: '!', tone: '' },
};

export function VerdictMark({ status }: { readonly status: TrialStatus }) {
  return (
    <svg width="22" height="22" viewBox="0 0 22 22" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="3.4">
      {status === 'fail' && <path d="M4.5 4.5l13 13M17.5 4.5l-13 13" />}
      {status === 'pass' && <path d="M3.5 11.5l5 5.5L18.5 5" />}
      {status === 'inconclusive' && <path d="M6.5 7.2c.4-5 9-5 9 0 0 3.4-4.5 3.3-4.5 7M11 17v3" stroke-width="2.8" />}
      {status === 'harness-error' && <path d="M11 2.5v11.5M11 16.5v3.5" />}
    </svg>
  );
}
