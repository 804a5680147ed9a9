import type { ReportFigure } from '../../figure.ts';
import { CountLine } from './CountLine.tsx';
import { Intervals } from './Intervals.tsx';
import { LogGrid } from './LogGrid.tsx';
import { ObjectDiff } from './ObjectDiff.tsx';
import { Operations } from './Operations.tsx';
import { TextPair } from './TextPair.tsx';

/** A figure with its caption; `held` puts the ✓ of a property that held before its name. */
export function FigureView({ figure, held }: { readonly figure: ReportFigure; readonly held: boolean }) {
  return (
    <figure>
      <figcaption>
        {held && (
          <span class="ok" aria-hidden="true">
            ✓{' '}
          </span>
        )}
        <b>{figure.title}</b>
        {figure.subtitle}
      </figcaption>
      <Body figure={figure} />
      {figure.note !== undefined && <p class="note">{figure.note}</p>}
    </figure>
  );
}

function Body({ figure }: { readonly figure: ReportFigure }) {
  switch (figure.kind) {
    case 'text-pair':
      return <TextPair figure={figure} />;
    case 'object-diff':
      return <ObjectDiff figure={figure} />;
    case 'count-line':
      return <CountLine figure={figure} />;
    case 'log-grid':
      return <LogGrid figure={figure} />;
    case 'intervals':
      return <Intervals figure={figure} />;
    case 'operations':
      return <Operations figure={figure} />;
  }
}
