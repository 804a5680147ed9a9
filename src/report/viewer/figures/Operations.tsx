import { Scroller } from '../Scroller.tsx';
import { useMemo } from 'preact/hooks';
import { canvasMeasure } from '../diagram/measure-text.ts';
import { BADGE_RADIUS } from '../diagram/labels.ts';
import type { OperationsFigure } from '../../figure.ts';
import { useView } from '../view-context.ts';
import { select } from '../view-state.ts';
import { BOX_HEIGHT, layOutOperations, type OperationBox } from './operations-layout.ts';

/** A client history with the longest legal order as numbers; the operation without a place in it is the finding. */
export function Operations({ figure }: { readonly figure: OperationsFigure }) {
  const measure = useMemo(canvasMeasure, []);
  const layout = layOutOperations(figure.operations, (text) => measure(text, false));
  const lines = figure.operations.reduce((most, operation) => Math.max(most, operation.stateAfter?.length ?? 0), 0);
  const height = layout.bottom + (lines === 0 ? 4 : 26 + lines * 14);
  const illegal = figure.operations.filter((operation) => operation.position === undefined).map((operation) => operation.label);
  return (
    <Scroller label={figure.title}>
      <svg
        width={layout.width}
        height={height}
        viewBox={`0 0 ${layout.width} ${height}`}
        role="img"
        aria-label={`${figure.operations.length} client operations, ${illegal.length} without a legal position: ${illegal.join(', ')}`}
      >
        {layout.clients.map((client, index) => (
          <g key={client.name}>
            {index > 0 && <path d={`M0 ${client.y - 12}H${layout.width}`} stroke="var(--rule)" />}
            <text x={0} y={client.y + 14} class="d">
              {client.name}
            </text>
          </g>
        ))}
        {lines > 0 && <path d={`M0 ${layout.bottom}H${layout.width}`} stroke="var(--rule)" />}
        {lines > 0 && (
          <text x={0} y={layout.bottom - 4} class="d halo">
            state of the model after each
          </text>
        )}
        {layout.boxes.map((box, index) => (
          <Box key={index} box={box} bottom={layout.bottom} right={layout.width} />
        ))}
      </svg>
    </Scroller>
  );
}

function Box({ box, bottom, right }: { readonly box: OperationBox; readonly bottom: number; readonly right: number }) {
  const view = useView();
  const { operation, x, y, width } = box;
  const legal = operation.position !== undefined;
  const middle = x + width / 2;
  const under = y + BOX_HEIGHT;
  const id = operation.eventId;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a shortcut for the pointer; j and k reach the same events
    <g onClick={id === undefined ? undefined : () => select(view, id)} style={id === undefined ? {} : { cursor: 'pointer' }}>
      <rect
        x={x}
        y={y}
        width={operation.toUs === undefined ? right - x : width}
        height={BOX_HEIGHT}
        fill={legal ? 'var(--op-wash)' : 'var(--viol-wash)'}
        stroke={legal ? 'var(--op)' : 'var(--viol)'}
        stroke-width={legal ? 1.3 : 2.2}
        stroke-dasharray={operation.toUs === undefined ? '5 3' : undefined}
      />
      <text x={x + 6} y={y + 14} class={legal ? '' : 'vt'}>
        {operation.label}
      </text>
      {legal ? (
        <>
          <path d={`M${middle} ${under + 24}V${bottom}`} stroke="var(--rule-2)" stroke-dasharray="2 3" />
          <circle cx={middle} cy={under + 16} r={BADGE_RADIUS} fill="var(--ink)" />
          <text x={middle} y={under + 19.8} class="bn">
            {operation.position}
          </text>
          {operation.stateAfter?.map((line, index) => (
            <text key={line} x={middle} y={bottom + 16 + index * 14} text-anchor="middle" class="m halo">
              {line}
            </text>
          ))}
        </>
      ) : (
        <>
          <path d={`M${middle} ${under + 3}v13`} stroke="var(--viol)" stroke-width={2} />
          <path d={`M${middle - 5} ${under + 18}l10 10M${middle + 5} ${under + 18}l-10 10`} stroke="var(--viol)" stroke-width={2.6} />
          <text x={middle - 11} y={under + 27} text-anchor="end" class="vt halo">
            no legal position
          </text>
        </>
      )}
    </g>
  );
}
