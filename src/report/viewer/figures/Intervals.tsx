import type { IntervalsFigure } from '../../figure.ts';
import { TimeAxis } from './time-axis.tsx';

const RIGHT = 492;
const ROW = 30;

/** Bars in rows; a forbidden overlap is a vermilion column through all of them. */
export function Intervals({ figure }: { readonly figure: IntervalsFigure }) {
  const { fromUs, toUs, rows, overlaps } = figure;
  const left = 14 + Math.min(150, rows.reduce((most, row) => Math.max(most, row.label.length), 0) * 7);
  const bottom = 20 + rows.length * ROW;
  const x = (at: number) => left + ((Math.min(toUs, Math.max(fromUs, at)) - fromUs) / Math.max(1, toUs - fromUs)) * (RIGHT - left);
  return (
    <svg viewBox={`0 0 500 ${bottom + 22}`} role="img" aria-label={figure.subtitle ?? figure.title}>
      {overlaps.map((overlap) => (
        <g key={overlap.fromUs}>
          <rect
            x={x(overlap.fromUs)}
            y={16}
            width={Math.max(3, x(overlap.toUs) - x(overlap.fromUs))}
            height={bottom - 16}
            fill="var(--viol-wash)"
            stroke="var(--viol)"
            stroke-width={1.6}
          />
          <text x={Math.min(x(overlap.fromUs), 360)} y={11} class="vt">
            ✖ {overlap.label}
          </text>
        </g>
      ))}
      {rows.map((row, index) => {
        const y = 20 + ROW * index + ROW / 2;
        return (
          <g key={row.label}>
            <text x={0} y={y + 4} style={{ fontWeight: 600 }}>
              {row.label}
            </text>
            <path d={`M${left} ${y}H${RIGHT}`} stroke="var(--rule-2)" />
            {row.bars.map((bar) => (
              <g key={bar.fromUs}>
                <rect
                  x={x(bar.fromUs)}
                  y={y - 7}
                  width={Math.max(2, x(bar.toUs ?? toUs) - x(bar.fromUs))}
                  height={14}
                  fill="var(--fill)"
                  stroke="var(--ink)"
                  stroke-width={1.2}
                />
                {bar.label !== undefined && (
                  <text x={x(bar.fromUs) + 6} y={y + 4} class="s11">
                    {bar.label}
                  </text>
                )}
              </g>
            ))}
            {row.ticks.map((tick) =>
              tick.look === 'tick' ? (
                <path key={tick.atUs} d={`M${x(tick.atUs)} ${y - 7}v14`} stroke="var(--ink)" stroke-width={2.2} />
              ) : (
                <circle key={tick.atUs} cx={x(tick.atUs)} cy={y} r={3} fill="var(--bg)" stroke="var(--msg)" stroke-width={1.3} />
              ),
            )}
          </g>
        );
      })}
      <TimeAxis fromUs={fromUs} toUs={toUs} x={x} top={16} bottom={bottom} />
    </svg>
  );
}
