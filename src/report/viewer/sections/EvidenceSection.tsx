import { Scroller } from '../Scroller.tsx';
import type { CoverageGrid, Evidence, LogLine, Shrinking } from '../../document.ts';
import { count, seconds } from '../format.ts';
import { useView } from '../view-context.ts';
import { select } from '../view-state.ts';

export function EvidenceSection({ evidence }: { readonly evidence: Evidence }) {
  const { report } = useView().index;
  return (
    <section id="evidence" aria-labelledby="title-evidence">
      <p class="kick">
        <b>Evidence</b> all that is needed to doubt this report
      </p>
      <h2 id="title-evidence">{count(report.run.eventsTotal)} events, one digest</h2>
      <div class="two">
        <div>
          <dl class="vers small" style={{ marginTop: 0 }}>
            {evidence.versions.map((version) => (
              <div key={version.label}>
                <dt>{version.label}</dt>
                <dd class={version.mono ? 'mono' : ''}>{version.text}</dd>
              </div>
            ))}
            <div>
              <dt>Events</dt>
              <dd>{count(report.run.eventsTotal)}</dd>
            </div>
            <div>
              <dt>Digest</dt>
              <dd class="mono">{evidence.digest}</dd>
            </div>
          </dl>
          {evidence.shrinking !== undefined && <ShrinkingView shrinking={evidence.shrinking} />}
        </div>
        {evidence.coverage !== undefined && <CoverageView coverage={evidence.coverage} />}
      </div>
      {evidence.log.length > 0 && (
        <details open style={{ marginTop: '18px' }}>
          <summary>
            Log, {count(evidence.log.length)} of {count(evidence.logTotal)} lines
          </summary>
          <Scroller label="Log">
            <LogView lines={evidence.log} />
          </Scroller>
        </details>
      )}
    </section>
  );
}

function LogView({ lines }: { readonly lines: readonly LogLine[] }) {
  const view = useView();
  const sourceWidth = lines.reduce((most, line) => Math.max(most, line.source.length), 0);
  return (
    <pre class="log">
      {lines.map((line, index) => {
        const text = `${seconds(line.atUs).padStart(9)} ${line.source.padEnd(sourceWidth)} `;
        const id = line.eventId;
        return (
          // biome-ignore lint/a11y/useKeyWithClickEvents: a shortcut for the pointer; j and k reach the same events
          // biome-ignore lint/a11y/noStaticElementInteractions: see above
          <span key={index} onClick={id === undefined ? undefined : () => select(view, id)}>
            {text}
            {line.violation ? <b class="viol">✖︎ {line.text}</b> : line.text}
            {'\n'}
          </span>
        );
      })}
    </pre>
  );
}

function CoverageView({ coverage }: { readonly coverage: CoverageGrid }) {
  return (
    <figure>
      <figcaption>
        <b>Where the faults hit</b> fault × component × phase, this trial
      </figcaption>
      <Scroller label="Fault coverage of this trial">
        <table class="cov">
          <thead>
            <tr>
              <th scope="col">
                <span class="sr">Fault</span>
              </th>
              {coverage.columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {coverage.rows.map((row) => (
              <tr key={row.label}>
                <th scope="row">{row.label}</th>
                {row.counts.map((value, index) => (
                  <td key={index} class={value === null || value === 0 ? 'z' : 'h'}>
                    {value === null ? '–' : count(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
    </figure>
  );
}

function ShrinkingView({ shrinking }: { readonly shrinking: Shrinking }) {
  const first = shrinking.steps[0]?.faults ?? 0;
  const last = shrinking.steps.at(-1)?.faults ?? 0;
  const x = (attempt: number) => 34 + (attempt / Math.max(1, shrinking.tries)) * 456;
  const y = (faults: number) => 126 - (faults / Math.max(1, first)) * 112;
  const line = shrinking.steps
    .map((step, index) => (index === 0 ? `M${x(step.attempt)} ${y(step.faults)}` : `H${x(step.attempt)}V${y(step.faults)}`))
    .join('');
  return (
    <figure style={{ marginTop: '20px' }}>
      <figcaption>
        <b>Shrinking</b> faults left after each try
      </figcaption>
      <svg viewBox="0 0 500 150" role="img" aria-label={`Number of faults falls from ${first} to ${last} within ${shrinking.tries} tries`}>
        <path d={`M34 ${y(0)}H490M34 ${y(first / 2)}H490M34 ${y(first)}H490`} stroke="var(--rule)" />
        <text x={26} y={y(0) + 4} text-anchor="end" class="d">
          0
        </text>
        <path d={`${line}H${x(shrinking.tries)}`} stroke="var(--ink)" stroke-width={2} fill="none" />
        <text x={x(2) + 6} y={y(first) + 4} style={{ fontWeight: 600 }} class="halo">
          {first} faults
        </text>
        <text x={x(shrinking.tries)} y={y(last) - 7} text-anchor="end" style={{ fontWeight: 600 }}>
          {last}
        </text>
        <text x={34} y={146} text-anchor="middle" class="d">
          0
        </text>
        <text x={490} y={146} text-anchor="end" class="d">
          {shrinking.tries} tries
        </text>
      </svg>
    </figure>
  );
}
