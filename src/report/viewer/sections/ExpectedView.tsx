import type { ExpectedSection } from '../../document.ts';
import { FigureView } from '../figures/FigureView.tsx';
import { useView } from '../view-context.ts';

export function ExpectedView({ expected }: { readonly expected: ExpectedSection }) {
  const { verdict } = useView().index.report;
  return (
    <section id="expected" aria-labelledby="title-expected">
      <p class="kick">
        <b>Expected and actual</b> {verdict.property}
      </p>
      <h2 id="title-expected">{expected.title}</h2>
      {expected.lede !== undefined && <p class="lede">{expected.lede}</p>}
      <div class="two">
        {expected.figures.map((figure, index) => (
          <FigureView key={index} figure={figure} held={false} />
        ))}
      </div>
      {expected.held.length > 0 && (
        <>
          <h3 style={{ margin: '28px 0 2px' }}>Held in the same run</h3>
          <div class="two">
            {expected.held.map((figure, index) => (
              <FigureView key={index} figure={figure} held />
            ))}
          </div>
        </>
      )}
    </section>
  );
}
