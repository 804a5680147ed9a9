import type { LabelledText, VerdictHeader } from '../../document.ts';
import { asMarkdown, copyText, downloadDocument } from '../clipboard.ts';
import { duration, unbroken } from '../format.ts';
import { VERDICT_LOOK, VerdictMark } from '../verdict-look.tsx';
import { useView } from '../view-context.ts';

export function Verdict() {
  const view = useView();
  const { report } = view.index;
  const { verdict } = report;
  const look = VERDICT_LOOK[verdict.status];
  return (
    <section id="verdict" aria-labelledby="title-verdict">
      <p class={`stamp ${verdict.status} ${look.tone}`}>
        <VerdictMark status={verdict.status} />
        <b>{look.word}</b>
        {verdict.property !== undefined && <span class="mono">{verdict.property}</span>}
        {verdict.clause !== undefined && <span class="mono clause">{verdict.clause}</span>}
      </p>
      <h1 id="title-verdict">{unbroken(verdict.sentence)}</h1>
      {(verdict.expected !== undefined || verdict.actual !== undefined) && (
        <p class="rule-line">
          {verdict.expected !== undefined && (
            <span class="side">
              <span>Expected</span> <b>{verdict.expected}</b>
            </span>
          )}
          {verdict.actual !== undefined && (
            <span class="side">
              <span>Actual</span> <b class={verdict.status === 'fail' ? 'viol' : ''}>{verdict.actual}</b>
            </span>
          )}
        </p>
      )}
      <dl class="facts">
        {chipsOf(verdict).map((chip) => (
          <div key={chip.label}>
            <dt>{chip.label}</dt>
            <dd class={chip.mono ? 'mono' : ''}>{chip.text}</dd>
          </div>
        ))}
      </dl>
      <div class="acts noprint">
        {report.commands.map((command, index) => (
          <button
            key={command.command}
            type="button"
            class={index === 0 ? 'prime' : ''}
            title={command.command}
            onClick={() => copyText(view, command.command)}
          >
            {index === 0 ? (
              <>
                <span class="mono">{command.command}</span>
                <span class="does">Copy</span>
              </>
            ) : (
              <>
                <span>{command.label}</span>
                <span class="does">Copy</span>
              </>
            )}
          </button>
        ))}
        <button type="button" onClick={() => copyText(view, asMarkdown(report))}>
          Copy as Markdown
        </button>
        <button type="button" onClick={() => downloadDocument(report)}>
          Download data
        </button>
      </div>
    </section>
  );
}

function chipsOf(verdict: VerdictHeader): readonly LabelledText[] {
  const { faults, reproduced } = verdict;
  return [
    { label: 'Trial', text: verdict.trialId, mono: true },
    { label: 'Seed', text: verdict.seed, mono: true },
    { label: 'Virtual time', text: duration(verdict.virtualTimeUs) },
    { label: 'Faults', text: faults.found === faults.shown ? String(faults.shown) : `shrunk ${faults.found} → ${faults.shown}` },
    ...(reproduced === undefined
      ? []
      : [
          {
            label: 'Reproduced',
            text: `${reproduced.same} of ${reproduced.tried}${reproduced.same === reproduced.tried ? ', same digest' : ', digests differ'}`,
          },
        ]),
    { label: 'Scenario', text: verdict.scenario, mono: true },
    ...verdict.chips,
  ];
}
