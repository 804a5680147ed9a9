import { Decoration } from '../Decoration.tsx';
import { useView } from '../view-context.ts';
import { eventClasses } from './EventMarkView.tsx';
import { BADGE_RADIUS } from './labels.ts';
import type { PlacedLabel } from './label-placement.ts';

/** Texts and numbers over the diagram; the pointer goes through them to the marks. */
export function Labels({ labels }: { readonly labels: readonly PlacedLabel[] }) {
  return (
    <Decoration class="labels">
      {labels.map((label) => (
        <LabelView key={label.request.id} label={label} />
      ))}
    </Decoration>
  );
}

function LabelView({ label }: { readonly label: PlacedLabel }) {
  const view = useView();
  const { candidate, request, text } = label;
  const [kind, id = ''] = request.id.split(/:(.*)/s);
  const event = kind === 'event' || kind === 'badge' ? view.index.eventById.get(id) : undefined;
  const classes = event === undefined ? (kind ?? '') : eventClasses(view, { event });
  if (kind === 'badge')
    return <Badge x={candidate.x} y={candidate.y} number={text} classes={classes} violating={view.index.violatingEvents.has(id)} />;
  const tone =
    kind === 'band' || event?.mark === 'heal' || event?.mark === 'inject' || event?.mark === 'crash'
      ? ' ft'
      : kind === 'operation' || event?.mark === 'client'
        ? ' ot'
        : '';
  return (
    <g class={classes}>
      <text x={candidate.x} y={candidate.y} text-anchor={candidate.anchor} class={`halo${tone}`}>
        {text}
      </text>
    </g>
  );
}

/** The number of the story's sentence: a black disc, or a vermilion square for the violation. */
function Badge({
  x,
  y,
  number,
  classes,
  violating,
}: {
  readonly x: number;
  readonly y: number;
  readonly number: string;
  readonly classes: string;
  readonly violating: boolean;
}) {
  return (
    <g class={classes}>
      {violating ? (
        <rect x={x - 8} y={y - 8} width={16} height={16} rx={2} fill="var(--viol)" />
      ) : (
        <circle cx={x} cy={y} r={BADGE_RADIUS} fill="var(--ink)" />
      )}
      <text x={x} y={y + 3.8} class={`bn${violating ? ' vx' : ''}`}>
        {number}
      </text>
    </g>
  );
}
