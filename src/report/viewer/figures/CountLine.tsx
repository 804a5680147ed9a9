import type { CountLineFigure } from '../../figure.ts';
import { TimeAxis } from './time-axis.tsx';

const LEFT = 46;
const RIGHT = 492;
const TOP = 14;
const BOTTOM = 112;

type Bound = CountLineFigure['bounds'][number];

/** A step line against shaded bounds; where it leaves them it gets the violation's mark. */
export function CountLine({ figure }: { readonly figure: CountLineFigure }) {
  const { points, bounds, fromUs, toUs } = figure;
  const limits = bounds.flatMap((bound) => [bound.min, bound.max]).filter((limit) => limit !== undefined);
  const values = [...points.map((point) => point.value), ...limits, ...(points.length + limits.length === 0 ? [0] : [])];
  const low = values.reduce((least, value) => Math.min(least, value)) - 0.5;
  const high = values.reduce((most, value) => Math.max(most, value)) + 0.5;
  const x = (at: number) => LEFT + ((Math.min(toUs, Math.max(fromUs, at)) - fromUs) / Math.max(1, toUs - fromUs)) * (RIGHT - LEFT);
  const y = (value: number) => BOTTOM - ((value - low) / (high - low)) * (BOTTOM - TOP);
  const line = points
    .map((point, index) => (index === 0 ? `M${x(point.atUs)} ${y(point.value)}` : `H${x(point.atUs)}V${y(point.value)}`))
    .join('');
  const first = bounds[0];
  return (
    <svg viewBox="0 0 500 134" role="img" aria-label={`${figure.unit}: ${figure.subtitle ?? figure.title}`}>
      {bounds.map((bound) => (
        <BoundArea key={bound.fromUs} bound={bound} x={x} y={y} low={low} high={high} />
      ))}
      {first?.max !== undefined && <Limit y={y(first.max)} text={`max ${first.max}`} />}
      {first?.min !== undefined && first.min !== first.max && <Limit y={y(first.min)} text={`min ${first.min}`} />}
      {line !== '' && <path d={`${line}H${RIGHT}`} fill="none" stroke="var(--ink)" stroke-width={2} />}
      <TimeAxis fromUs={fromUs} toUs={toUs} x={x} top={TOP} bottom={BOTTOM} />
      {figure.violationsUs.map((at) => {
        const value = points.findLast((point) => point.atUs <= at)?.value ?? 0;
        return <Offence key={at} x={x(at)} y={y(value)} text={`${value} ${figure.unit}`} />;
      })}
    </svg>
  );
}

interface BoundAreaProps {
  readonly bound: Bound;
  readonly x: (at: number) => number;
  readonly y: (value: number) => number;
  readonly low: number;
  readonly high: number;
}

function BoundArea({ bound, x, y, low, high }: BoundAreaProps) {
  const [x0, x1] = [x(bound.fromUs), x(bound.toUs)];
  const top = y(bound.max ?? high);
  const lines = [bound.max, bound.min].flatMap((limit) => (limit === undefined ? [] : [`M${x0} ${y(limit)}H${x1}`]));
  return (
    <g>
      <rect x={x0} y={top} width={Math.max(0, x1 - x0)} height={Math.max(0, y(bound.min ?? low) - top)} fill="var(--ok-wash)" />
      <path d={lines.join('')} stroke="var(--ok)" stroke-dasharray="4 3" />
    </g>
  );
}

function Limit({ y, text }: { readonly y: number; readonly text: string }) {
  return (
    <text x={0} y={y + 4} class="d s11">
      {text}
    </text>
  );
}

function Offence({ x, y, text }: { readonly x: number; readonly y: number; readonly text: string }) {
  const left = x > 380;
  return (
    <g>
      <path d={`M${x - 5} ${y - 5}l10 10M${x + 5} ${y - 5}l-10 10`} stroke="var(--viol)" stroke-width={2.6} />
      <text x={left ? x - 9 : x + 9} y={y > 90 ? y - 8 : y + 15} text-anchor={left ? 'end' : 'start'} class="vt halo">
        {text}
      </text>
    </g>
  );
}
