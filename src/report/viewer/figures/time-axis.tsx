import { secondsAtStep } from '../format.ts';
import { niceTicks } from '../ticks.ts';
import { useView } from '../view-context.ts';

/** The shared lower edge of the small figures: round times, and the violation as everywhere. */
export function TimeAxis({
  fromUs,
  toUs,
  x,
  top,
  bottom,
}: {
  readonly fromUs: number;
  readonly toUs: number;
  readonly x: (at: number) => number;
  readonly top: number;
  readonly bottom: number;
}) {
  const { violations } = useView().index.report;
  const { step, values } = niceTicks(fromUs, toUs, 6);
  return (
    <>
      {values.map((at) => (
        <text key={at} x={x(at)} y={bottom + 16} text-anchor={at > toUs - (toUs - fromUs) / 30 ? 'end' : 'middle'} class="d">
          {secondsAtStep(at, step)} s
        </text>
      ))}
      {violations.map(
        (violation) =>
          fromUs <= violation.atUs &&
          violation.atUs <= toUs && (
            <path key={violation.atUs} d={`M${x(violation.atUs)} ${top}V${bottom}`} stroke="var(--viol)" stroke-width={1.6} />
          ),
      )}
    </>
  );
}
