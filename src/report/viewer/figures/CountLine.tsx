import type { CountLineFigure } from '../../figure.ts';
import { TimeAxis } from './time-axis.tsx';

const LEFT = 46;
const RIGHT = 492;
const TOP = 14;
const BOTTOM = 112;

/** A step line against shaded bounds; where it leaves them it gets the violation's mark. */
export function CountLine({ figure }: { readonly figure: CountLineFigure }) {
  const { points, bounds, fromUs, toUs } = figure;
  const values = [...points.map((point) => point.value), ...bounds.flatMap((bound) => [bound.min, bound.max])];
  const low = Math.min(...values) - 0.5;
  const high = Math.max(...values) + 0.5;
  const x = (at: number) => LEFT + ((Math.min(toUs, Math.max(fromUs, at)) - fromUs) / Math.max(1, toUs - fromUs)) * (RIGHT - LEFT);
  const y = (value: number) => BOTTOM - ((value - low) / (high - low)) * (BOTTOM - TOP);
  const line = points
    .map((point, index) => (index === 0 ? `M${x(point.atUs)} ${y(point.value)}` : `H${x(point.atUs)}V${y(point.value)}`))
    .join('');
  const first = bounds[0];
  return (
    <svg viewBox="0 0 500 134" role="img" aria-label={`${figure.unit}: ${figure.subtitle ?? figure.title}`}>
      {bounds.map((bound) => (
        <g key={bound.fromUs}>
          <rect
            x={x(bound.fromUs)}
            y={y(bound.max)}
            width={x(bound.toUs) - x(bound.fromUs)}
            height={y(bound.min) - y(bound.max)}
            fill="var(--ok-wash)"
          />
          <path
            d={`M${x(bound.fromUs)} ${y(bound.max)}H${x(bound.toUs)}M${x(bound.fromUs)} ${y(bound.min)}H${x(bound.toUs)}`}
            stroke="var(--ok)"
            stroke-dasharray="4 3"
          />
        </g>
      ))}
      {first !== undefined && (
        <text x={0} y={y(first.max) + 4} class="d s11">
          max {first.max}
        </text>
      )}
      {first !== undefined && first.min !== first.max && (
        <text x={0} y={y(first.min) + 4} class="d s11">
          min {first.min}
        </text>
      )}
      <path d={`${line}H${RIGHT}`} fill="none" stroke="var(--ink)" stroke-width={2} />
      {figure.violationsUs.map((at) => {
        const value = points.findLast((point) => point.atUs <= at)?.value ?? 0;
        const [px, py] = [x(at), y(value)];
        return (
          <g key={at}>
            <path d={`M${px - 5} ${py - 5}l10 10M${px + 5} ${py - 5}l-10 10`} stroke="var(--viol)" stroke-width={2.6} />
            <text x={px > 400 ? px - 9 : px + 9} y={py + 15} text-anchor={px > 400 ? 'end' : 'start'} class="vt halo">
              {value} {figure.unit}
            </text>
          </g>
        );
      })}
      <TimeAxis fromUs={fromUs} toUs={toUs} x={x} top={TOP} bottom={BOTTOM} />
    </svg>
  );
}
