import { Scroller } from '../Scroller.tsx';
import type { PropertyOutcome, PropertyRow } from '../../document.ts';
import { count } from '../format.ts';

const OUTCOMES: Readonly<
  Record<PropertyOutcome, { readonly sign: string; readonly word: string; readonly tone: string; readonly rank: number }>
> = {
  violated: { sign: '✖︎', word: 'violated', tone: 'viol', rank: 0 },
  'gave-up': { sign: '?', word: 'gave up', tone: 'dim', rank: 1 },
  'not-exercised': { sign: '○', word: 'not exercised', tone: 'dim', rank: 2 },
  held: { sign: '✓', word: 'held', tone: 'ok', rank: 3 },
};

export function PropertiesSection({ rows }: { readonly rows: readonly PropertyRow[] }) {
  const sorted = [...rows].sort((a, b) => OUTCOMES[a.outcome].rank - OUTCOMES[b.outcome].rank || b.checks - a.checks);
  return (
    <section id="properties" aria-labelledby="title-properties">
      <p class="kick">
        <b>Properties</b> what was judged, and how often it had something to judge
      </p>
      <h2 id="title-properties">{summary(rows)}</h2>
      <Scroller label="Properties" style={{ marginTop: '16px', maxWidth: '820px' }}>
        <table class="full">
          <thead>
            <tr>
              <th>Verdict</th>
              <th>Property</th>
              <th class="num">Checks</th>
              <th>Why</th>
            </tr>
          </thead>
          <tbody>
            {sorted.map((row) => {
              const look = OUTCOMES[row.outcome];
              return (
                <tr key={row.property}>
                  <td class={`nowrap ${look.tone}`}>
                    {row.outcome === 'violated' ? (
                      <b>
                        {look.sign} {look.word}
                      </b>
                    ) : (
                      <>
                        {look.sign} {look.word}
                      </>
                    )}
                  </td>
                  <td class="mono">{row.property}</td>
                  <td class="num">{count(row.checks)}</td>
                  <td class="dim">{row.reason ?? ''}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroller>
    </section>
  );
}

/** `1 violated, 11 held`: the outcomes that occur. */
function summary(rows: readonly PropertyRow[]): string {
  const parts = (['violated', 'gave-up', 'held', 'not-exercised'] as const).flatMap((outcome) => {
    const number = rows.filter((row) => row.outcome === outcome).length;
    return number === 0 ? [] : [`${number} ${OUTCOMES[outcome].word}`];
  });
  return parts.length === 0 ? 'No property was judged' : parts.join(', ');
}
