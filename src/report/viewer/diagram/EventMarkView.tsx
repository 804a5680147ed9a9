import { seconds } from '../format.ts';
import { useView } from '../view-context.ts';
import { select, type ViewState } from '../view-state.ts';
import type { Mark } from './scene.ts';

/** Classes that say how an event stands to the selection, the pointer and the filter; shared by a mark and its label. */
export function eventClasses(view: ViewState, mark: Pick<Mark, 'event'>): string {
  const { id } = mark.event;
  const classes = ['ev'];
  if (view.chain.value.has(id)) classes.push('cause');
  if (view.hovered.value.has(id)) classes.push('hover');
  if (view.selected.value === id) classes.push('sel');
  if (view.matches.value?.(mark.event)) classes.push('match');
  return classes.join(' ');
}

/** One event: an arrow with its head, a lost arrow with its ✕, or a mark on the lane. */
export function EventMarkView({ mark }: { readonly mark: Mark }) {
  const view = useView();
  const { event, x, y, end } = mark;
  return (
    // biome-ignore lint/a11y/useSemanticElements: SVG has no button
    <g
      class={eventClasses(view, mark)}
      role="button"
      tabIndex={view.selected.value === event.id ? 0 : -1}
      data-event={event.id}
      aria-label={`${event.id}, ${seconds(event.atUs)} s: ${event.title}${mark.message?.lost === undefined ? '' : ', lost'}`}
      onClick={() => select(view, event.id)}
    >
      <title>{`${event.id}, ${seconds(event.atUs)} s: ${event.title}`}</title>
      {end === undefined ? <Spot mark={mark} /> : <Arrow mark={mark} end={end} />}
      <circle
        cx={end === undefined ? x : (x + end.x) / 2}
        cy={end === undefined ? y : (y + end.y) / 2}
        r={end === undefined ? 11 : 13}
        class={end === undefined ? 'ring spot' : 'ring'}
      />
    </g>
  );
}

function Arrow({ mark, end }: { readonly mark: Mark; readonly end: { readonly x: number; readonly y: number } }) {
  const { x, y, message } = mark;
  const client = message?.kind === 'client' ? ' op' : '';
  const lost = message?.lost !== undefined;
  const line = `M${x} ${y}L${end.x} ${end.y}`;
  return (
    <>
      <path d={line} class="hit" />
      <path d={line} class={`a${client}${lost ? ' drop' : ''}`} />
      {lost ? (
        <path d={`M${end.x - 4.2} ${end.y - 4.2}l8.4 8.4M${end.x + 4.2} ${end.y - 4.2}l-8.4 8.4`} class="x" />
      ) : (
        <path d={arrowHead(mark, end)} class={`ah${client}`} />
      )}
      <circle cx={x} cy={y} r={2.3} class="dot" />
    </>
  );
}

function arrowHead(from: { readonly x: number; readonly y: number }, end: { readonly x: number; readonly y: number }): string {
  const angle = Math.atan2(end.y - from.y, end.x - from.x);
  const point = (radius: number, turn: number) => `${end.x + radius * Math.cos(angle + turn)} ${end.y + radius * Math.sin(angle + turn)}`;
  return `M${point(3, 0)}L${point(-7.5, 0.42)}L${point(-7.5, -0.42)}Z`;
}

function Spot({ mark }: { readonly mark: Mark }) {
  const { x, y, event } = mark;
  return (
    <>
      <circle cx={x} cy={y} r={12} class="hit spot" />
      {event.mark === 'crash' && (
        <path d={`M${x - 6} ${y - 6}l12 12M${x + 6} ${y - 6}l-12 12`} stroke="var(--fault-ink)" stroke-width={3} />
      )}
      {(event.mark === 'inject' || event.mark === 'heal') && <path d={`M${x} ${y - 9}v18`} stroke="var(--fault-ink)" stroke-width={4} />}
      {event.mark === 'state' && <path d={`M${x} ${y - 7}v14`} stroke="var(--ink)" stroke-width={2} />}
      {(event.mark === 'note' || event.mark === 'message' || event.mark === 'client') && <circle cx={x} cy={y} r={3.6} class="dot" />}
    </>
  );
}
