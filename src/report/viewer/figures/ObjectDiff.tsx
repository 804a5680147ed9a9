import { Scroller } from '../Scroller.tsx';
import type { ObjectDiffFigure } from '../../figure.ts';

const SIDES = { both: '', expected: '− expected', actual: '+ actual' } as const;

export function ObjectDiff({ figure }: { readonly figure: ObjectDiffFigure }) {
  return (
    <Scroller label={`Difference of ${figure.title}`}>
      <table class="diff mono">
        <thead>
          <tr>
            <th>Line</th>
            <th>Field</th>
          </tr>
        </thead>
        <tbody>
          {figure.lines.map((line, index) => (
            <tr key={index} class={line.side}>
              <td>{SIDES[line.side]}</td>
              <td>
                {line.text}
                {line.note !== undefined && (
                  <i>
                    {line.text.trim() === '' ? '' : ' '}
                    {line.note}
                  </i>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}
