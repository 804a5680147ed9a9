import { Scroller } from '../Scroller.tsx';
import type { FaultPlan, FaultPlanRow } from '../../document.ts';
import { copyText } from '../clipboard.ts';
import { count, seconds } from '../format.ts';
import { useView } from '../view-context.ts';
import { VERDICT_LOOK } from '../verdict-look.tsx';

/** The plan as a table with what each fault touched, and as the YAML that replays it. */
export function PlanSection({ plan }: { readonly plan: FaultPlan }) {
  const view = useView();
  const tried = plan.rows.some((row) => row.without !== undefined);
  return (
    <section id="plan" aria-labelledby="title-plan">
      <p class="kick">
        <b>Fault plan</b> what was injected, and what it touched
      </p>
      <h2 id="title-plan">{plan.title}</h2>
      <div class="two">
        <figure>
          <figcaption class="cap2">
            <b>Faults</b>
          </figcaption>
          {plan.rows.length === 0 ? (
            <p class="empty">No fault was injected.</p>
          ) : (
            <Scroller label="Faults">
              <table class="full">
                <thead>
                  <tr>
                    <th>Fault</th>
                    <th>What</th>
                    <th class="num">From, s</th>
                    <th class="num">To, s</th>
                    <th>Touched</th>
                  </tr>
                </thead>
                <tbody>
                  {plan.rows.map((row) => (
                    <tr key={row.id}>
                      <td class="flt">
                        <b>{row.id}</b>
                      </td>
                      <td class="what">
                        <b>{row.kind}</b> {row.what}
                      </td>
                      <td class="num">{seconds(row.injectUs)}</td>
                      <td class="num">{row.healUs === undefined ? 'end' : seconds(row.healUs)}</td>
                      <td>
                        <Touched row={row} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroller>
          )}
          {tried && <LeaveOut rows={plan.rows} />}
        </figure>
        <figure>
          <figcaption class="cap2">
            <b>As YAML</b>
            <button type="button" class="plain noprint" onClick={() => copyText(view, plan.yaml)}>
              Copy
            </button>
          </figcaption>
          <Scroller label="Fault plan in YAML">
            <pre class="yaml">
              {plan.yaml.split('\n').map((line, index) => (
                <YamlLine key={index} line={line} />
              ))}
            </pre>
          </Scroller>
        </figure>
      </div>
    </section>
  );
}

function Touched({ row }: { readonly row: FaultPlanRow }) {
  const effects = row.touched.filter((effect) => effect.count > 0);
  if (effects.length === 0) return <span class="idle">○ touched nothing</span>;
  return (
    <>
      {effects.map((effect) => (
        <div key={effect.what}>
          {effect.what} <b>{count(effect.count)}</b>
        </div>
      ))}
    </>
  );
}

function LeaveOut({ rows }: { readonly rows: readonly FaultPlanRow[] }) {
  return (
    <table class="full" style={{ marginTop: '18px' }}>
      <thead>
        <tr>
          <th>Leave out</th>
          <th>Result</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(
          (row) =>
            row.without !== undefined && (
              <tr key={row.id}>
                <td>
                  {row.id} {row.kind}
                </td>
                <td>
                  <span class={VERDICT_LOOK[row.without.status].tone}>
                    {VERDICT_LOOK[row.without.status].sign} {VERDICT_LOOK[row.without.status].word.toLowerCase()}
                  </span>
                  , {row.without.text}
                </td>
              </tr>
            ),
        )}
      </tbody>
    </table>
  );
}

/** Comments step back; a `#` inside a word is none. */
function YamlLine({ line }: { readonly line: string }) {
  const comment = /(^|\s)#/.exec(line)?.index;
  if (comment === undefined)
    return (
      <>
        {line}
        {'\n'}
      </>
    );
  return (
    <>
      {line.slice(0, comment)}
      <i>{line.slice(comment)}</i>
      {'\n'}
    </>
  );
}
