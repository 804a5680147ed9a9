import { Scroller } from '../Scroller.tsx';
import type { LogGridFigure, LogGridRow } from '../../figure.ts';

export function LogGrid({ figure }: { readonly figure: LogGridFigure }) {
  const terms = figure.rows.flatMap((row) => row.cells.map((cell) => cell?.term ?? 0));
  const newest = terms.reduce((most, term) => Math.max(most, term), 0);
  return (
    <Scroller label={`Log entries, ${figure.title}`}>
      <table class="lg">
        <thead>
          <tr>
            <th>
              <span class="sr">Member</span>
            </th>
            {figure.indexes.map((index) => (
              <th key={index} scope="col">
                {index}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {figure.rows.map((row) => (
            <Row key={row.member} row={row} indexes={figure.indexes} newest={newest} />
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">stored</th>
            {figure.stored.map((foot, index) => (
              <td key={index}>{foot.wrong ? <b class="viol">{foot.text}</b> : foot.text}</td>
            ))}
          </tr>
        </tfoot>
      </table>
    </Scroller>
  );
}

function Row({ row, indexes, newest }: { readonly row: LogGridRow; readonly indexes: readonly number[]; readonly newest: number }) {
  return (
    <tr>
      <th scope="row" title={row.member}>
        {row.member}
      </th>
      {row.cells.map((cell, at) => {
        const committed = row.commitIndex !== undefined && indexes[at] === row.commitIndex;
        const classes = [cell === null ? 'none' : cell.emphasis, cell?.term === newest && 'new', committed && 'ci']
          .filter(Boolean)
          .join(' ');
        return (
          <td key={indexes[at]} class={classes}>
            {cell === null ? (
              '·'
            ) : (
              <>
                <span class="tm">t{cell.term}</span>
                {cell.emphasis === 'wrong' ? <b class="viol">✖︎ {cell.text}</b> : cell.text}
              </>
            )}
            {committed && <span class="sr"> committed up to here</span>}
          </td>
        );
      })}
    </tr>
  );
}
