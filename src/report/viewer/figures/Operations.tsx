import { useMemo } from 'preact/hooks';
import { BADGE_RADIUS } from '../diagram/labels.ts';
import { canvasMeasure } from '../diagram/measure-text.ts';
import type { OperationsFigure } from '../../figure.ts';
import { Scroller } from '../Scroller.tsx';
import { useView } from '../view-context.ts';
import { select } from '../view-state.ts';
import { BOX_HEIGHT, layOutOperations, type OperationBox } from './operations-layout.ts';

const LINE_HEIGHT = 14;
/** Half the width of "no legal position". */
const NO_PLACE_HALF = 50;

/** A client history with the longest legal order as numbers; the operation without a place in it is the finding. */
export function Operations({ figure }: { readonly figure: OperationsFigure }) {
  const measure = useMemo(canvasMeasure, []);
  const layout = layOutOperations(figure.operations, (text) => measure(text, false));
  const stated = layout.boxes.filter((box) => (box.operation.stateAfter ?? []).length > 0).sort((a, b) => middleOf(a) - middleOf(b));
  const lines = stated.reduce((most, box) => Math.max(most, box.operation.stateAfter?.length ?? 0), 0);
  const tiers = tiersOf(stated, (text) => measure(text, false) * 1.1);
  const tierCount = tiers.reduce((most, tier) => Math.max(most, tier + 1), 0);
  const base = layout.bottom + (lines === 0 ? 0 : 14);
  const width = Math.max(layout.width, 2 * NO_PLACE_HALF + 20);
  const height = base + 8 + tierCount * (lines * LINE_HEIGHT + 6);
  const illegal = figure.operations.filter((operation) => operation.position === undefined).map((operation) => operation.label);
  return (
    <Scroller label={figure.title}>
      <svg
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`${figure.operations.length} client operations, ${illegal.length} without a legal position: ${illegal.join(', ')}`}
      >
        {layout.clients.map((client, index) => (
          <g key={client.name}>
            {index > 0 && <path d={`M0 ${client.y - 12}H${width}`} stroke="var(--rule)" />}
            <text x={0} y={client.y + 14} class="d">
              {client.name}
            </text>
          </g>
        ))}
        {lines > 0 && <path d={`M0 ${base}H${width}`} stroke="var(--rule)" />}
        {stated.map((box, index) => (
          <StateAfter key={index} box={box} base={base} top={base + (tiers[index] ?? 0) * (lines * LINE_HEIGHT + 6)} />
        ))}
        {layout.boxes.map((box, index) => (
          <Box key={index} box={box} width={width} />
        ))}
        {lines > 0 && (
          <text x={0} y={base - 4} class="d halo">
            state of the model after each
          </text>
        )}
      </svg>
    </Scroller>
  );
}

function middleOf(box: OperationBox): number {
  return box.x + box.width / 2;
}

/** A row for each text, so that neighbours do not run into each other. Boxes are sorted by their middle. */
function tiersOf(boxes: readonly OperationBox[], widthOfText: (text: string) => number): readonly number[] {
  const free: number[] = [];
  return boxes.map((box) => {
    const half = (box.operation.stateAfter ?? []).reduce((most, line) => Math.max(most, widthOfText(line) / 2), 0);
    const known = free.findIndex((until) => until < middleOf(box) - half);
    const tier = known < 0 ? free.length : known;
    free[tier] = middleOf(box) + half + 4;
    return tier;
  });
}

function StateAfter({ box, base, top }: { readonly box: OperationBox; readonly base: number; readonly top: number }) {
  const middle = middleOf(box);
  return (
    <g>
      <path d={`M${middle} ${box.y + BOX_HEIGHT + 24}V${top === base ? base : top + 4}`} stroke="var(--rule-2)" stroke-dasharray="2 3" />
      {box.operation.stateAfter?.map((line, index) => (
        <text key={line} x={middle} y={top + 16 + index * LINE_HEIGHT} text-anchor="middle" class="m halo">
          {line}
        </text>
      ))}
    </g>
  );
}

function Box({ box, width }: { readonly box: OperationBox; readonly width: number }) {
  const view = useView();
  const { operation, x, y } = box;
  const legal = operation.position !== undefined;
  const middle = middleOf(box);
  const under = y + BOX_HEIGHT;
  const id = operation.eventId;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a shortcut for the pointer; j and k reach the same events
    <g onClick={id === undefined ? undefined : () => select(view, id)} style={id === undefined ? {} : { cursor: 'pointer' }}>
      <rect
        x={x}
        y={y}
        width={operation.toUs === undefined ? width - x : box.width}
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
          <circle cx={middle} cy={under + 16} r={BADGE_RADIUS} fill="var(--ink)" />
          <text x={middle} y={under + 19.8} class="bn">
            {operation.position}
          </text>
        </>
      ) : (
        <>
          <path d={`M${middle} ${under + 1}v9`} stroke="var(--viol)" stroke-width={2} />
          <path d={`M${middle - 5} ${under + 11}l10 10M${middle + 5} ${under + 11}l-10 10`} stroke="var(--viol)" stroke-width={2.6} />
          <text x={Math.min(width - NO_PLACE_HALF, Math.max(NO_PLACE_HALF, middle))} y={under + 34} text-anchor="middle" class="vt halo">
            no legal position
          </text>
        </>
      )}
    </g>
  );
}
