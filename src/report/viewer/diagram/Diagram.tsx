import { Decoration } from '../Decoration.tsx';
import { Scroller } from '../Scroller.tsx';
import { useComputed, useSignalEffect } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { Lane } from '../../document.ts';
import { actorPath, Hatch } from '../icons.tsx';
import { laneStateAt } from '../index-of-document.ts';
import { useWidth } from '../use-layout.ts';
import { useView } from '../view-context.ts';
import { select } from '../view-state.ts';
import { cursorMover } from './cursor.ts';
import { EventMarkView } from './EventMarkView.tsx';
import { Labels } from './Labels.tsx';
import { canvasMeasure } from './measure-text.ts';
import { buildScene, nearestEvent, type Scene, TOP } from './scene.ts';
import { BandsView, BarsView, StatesView } from './Tracks.tsx';

/** Below this the diagram scrolls sideways instead of shrinking. */
const LEAST_WIDTH = 980;

export function Diagram() {
  const view = useView();
  const [box, width] = useWidth<HTMLDivElement>();
  const measure = useMemo(canvasMeasure, []);
  const scene = useComputed(() =>
    buildScene({
      index: view.index,
      width: Math.max(LEAST_WIDTH, width.value - 8),
      window: view.window.value,
      scale: view.scale.value,
      order: view.order.value,
      events: view.visible.value,
      showAll: view.showAll.value,
      measure,
    }),
  );
  cursorMover.current = (by) => {
    const { scale } = scene.value;
    view.cursorUs.value = scale.at(scale.x(view.cursorUs.value) + by);
  };
  useSignalEffect(() => {
    const x = scene.value.scale.x(view.cursorUs.value);
    if (width.value === 0) return;
    // After the drawing has its new width; before, there is nothing to scroll.
    const frame = requestAnimationFrame(() => {
      const element = box.current;
      if (element === null || element.scrollWidth <= element.clientWidth) return;
      const hidden = x < element.scrollLeft + 150 || x > element.scrollLeft + element.clientWidth - 40;
      if (hidden) element.scrollLeft = Math.max(0, x - element.clientWidth * 0.55);
    });
    return () => cancelAnimationFrame(frame);
  });
  return (
    <Scroller class="dia" label="Space-time diagram, scrolls sideways on narrow screens" box={box} onScroll={holdNames}>
      {width.value > 0 && <SceneView scene={scene.value} />}
    </Scroller>
  );
}

/** Keeps lane names in place while the diagram scrolls under them. */
function holdNames(event: Event): void {
  const box = event.currentTarget as HTMLElement;
  box.querySelector('.lanelabels')?.setAttribute('transform', `translate(${box.scrollLeft} 0)`);
}

function SceneView({ scene }: { readonly scene: Scene }) {
  const view = useView();
  const matches = view.matches.value;
  const { width, height } = scene;
  const classes = `${view.isolate.value ? 'iso ' : ''}${matches === undefined ? '' : 'filt'}`;
  const onClick = (event: MouseEvent) => {
    const svg = event.currentTarget as SVGSVGElement;
    const origin = svg.getBoundingClientRect();
    if (event.target instanceof Element && event.target.closest('.ev') !== null) return;
    const id = nearestEvent(scene.background, event.clientX - origin.left, event.clientY - origin.top, 9);
    if (id !== undefined) select(view, id);
  };
  const selectedBehind = scene.background.filter((mark) => mark.event.id === view.selected.value);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: j and k step through the same events
    // biome-ignore lint/a11y/useSemanticElements: SVG has no fieldset
    <svg
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      class={classes}
      onClick={onClick}
      role="group"
      aria-label={`Space-time diagram. The keys j and k step through ${scene.marks.length + scene.background.length} events; the table below holds the same data.`}
    >
      <Hatch id="hatch-band" color="var(--fault)" />
      <BandsView bands={scene.bands} />
      <Axis scene={scene} />
      <g class="lanestate">
        <GroupLines scene={scene} />
        <StatesView states={scene.states} lanes={view.index.laneById} />
        <BarsView bars={scene.bars} />
      </g>
      <Background scene={scene} />
      <g>
        {[...selectedBehind, ...scene.marks].map((mark) => (
          <EventMarkView key={mark.event.id} mark={mark} />
        ))}
      </g>
      <Violations scene={scene} />
      <Labels labels={scene.labels} />
      <text x={0} y={height - 6} class="d">
        {scene.omitted}
      </text>
      <Cursor scene={scene} />
      <LaneNames scene={scene} />
    </svg>
  );
}

function Axis({ scene }: { readonly scene: Scene }) {
  const { folds, ticks } = scene.scale;
  const bottom = scene.height - 20;
  let free = -100;
  let freeFold = 104;
  return (
    <Decoration>
      {folds.map((fold) => {
        const middle = fold.x + fold.width / 2;
        const half = fold.label.length * 3.1;
        const fits = middle - half > freeFold;
        if (fits) freeFold = middle + half + 3;
        return (
          <g key={fold.x}>
            <rect x={fold.x} y={TOP - 8} width={fold.width} height={bottom - TOP + 8} fill="var(--bg)" opacity={0.62} />
            <path
              d={`M${fold.x + 0.5} ${TOP - 8}V${bottom}M${fold.x + fold.width - 0.5} ${TOP - 8}V${bottom}`}
              stroke="var(--rule-2)"
              stroke-dasharray="1 3"
            />
            <path d={`M${middle - 6} ${TOP - 6}l3-3 3 6 3-6 3 3`} stroke="var(--ink-2)" fill="none" stroke-width={1.2} />
            {fits && (
              <text x={middle} y={30} text-anchor="middle" class="d s11">
                {fold.label}
              </text>
            )}
          </g>
        );
      })}
      {ticks.map((tick, index) => {
        const half = tick.label.length * 3.3;
        const beforeNamed = !tick.named && ticks.some((other) => other.named && other.x > tick.x && other.x - tick.x < half * 2 + 6);
        const shown = tick.label !== '' && (tick.named || (tick.x - half >= free && !beforeNamed));
        if (shown) free = tick.x + half + 6;
        return (
          <g key={`${index}:${tick.label}`}>
            {shown && (
              <text x={tick.x} y={48} text-anchor="middle" class={tick.named ? 'vt' : 'd'}>
                {tick.label}
              </text>
            )}
            <path d={shown ? `M${tick.x} 53v6` : `M${tick.x} 55v4`} stroke={shown ? 'var(--ink-2)' : 'var(--rule-2)'} />
          </g>
        );
      })}
    </Decoration>
  );
}

function GroupLines({ scene }: { readonly scene: Scene }) {
  const lines = scene.lanes.groups.slice(1).map((group) => `M0 ${group.y - 11.5}H${scene.scale.right + 6}`);
  return <path d={lines.join('')} stroke="var(--rule)" />;
}

/** All events outside of the slice, in few paths: thousands of elements would be slow, and so would one endless path. */
function Background({ scene }: { readonly scene: Scene }) {
  const matches = useView().matches.value;
  const paths = new Map<string, string[]>();
  const groups: { readonly name: string; readonly parts: readonly string[] }[] = [];
  for (const mark of scene.background) {
    const name = `background${mark.message?.lost === undefined ? '' : ' drop'}${matches?.(mark.event) ? ' match' : ''}`;
    const { x, y, end } = mark;
    const part = end === undefined ? `M${x.toFixed(1)} ${y - 5}v10` : `M${x.toFixed(1)} ${y}L${end.x.toFixed(1)} ${end.y.toFixed(1)}`;
    const known = paths.get(name);
    if (known === undefined || known.length === 400) {
      const parts = [part];
      paths.set(name, parts);
      groups.push({ name, parts });
    } else known.push(part);
  }
  return (
    <Decoration>
      {groups.map(({ name, parts }, index) => (
        <path key={index} class={name} d={parts.join('')} />
      ))}
    </Decoration>
  );
}

function Violations({ scene }: { readonly scene: Scene }) {
  let free = 0;
  return (
    <Decoration class="labels">
      {scene.violations.map(({ x, label }) => {
        const left = x > scene.width - 220;
        const shown = left || x + 12 > free;
        if (shown) free = x + 20 + label.length * 6.3;
        return (
          <g key={`${x}${label}`}>
            <path d={`M${x} 20V35M${x} 60V${scene.height - 20}`} stroke="var(--viol)" stroke-width={2} />
            <path d={`M${x - 4.5} 6.5l9 9M${x + 4.5} 6.5l-9 9`} stroke="var(--viol)" stroke-width={2.6} />
            {shown && (
              <text x={left ? x - 12 : x + 12} y={15} text-anchor={left ? 'end' : 'start'} class="vt">
                {label}
              </text>
            )}
          </g>
        );
      })}
    </Decoration>
  );
}

function Cursor({ scene }: { readonly scene: Scene }) {
  const x = scene.scale.x(useView().cursorUs.value);
  return (
    <Decoration class="labels" transform={`translate(${x} 0)`}>
      <path d={`M0 59V${scene.height - 20}`} stroke="var(--ink)" stroke-dasharray="2 3" />
      <path d="M-6 51h12l-6 8z" fill="var(--ink)" />
    </Decoration>
  );
}

function LaneNames({ scene }: { readonly scene: Scene }) {
  const at = useView().cursorUs.value;
  return (
    <g class="lanelabels">
      <rect x={-4} y={0} width={scene.scale.left - 6} height={scene.height - 16} fill="var(--bg)" />
      <text x={0} y={30} class="d s11">
        {scene.scale.folds.length > 0 ? '⌁ folded quiet time' : ''}
      </text>
      <text x={0} y={48} class="d s11">
        virtual time, s
      </text>
      {scene.lanes.groups.map((group) => (
        <text key={group.label} x={0} y={group.y + 2} class="grp">
          {group.label}
        </text>
      ))}
      {scene.lanes.rows.map(({ lane, y }) => (
        <g key={lane.id}>
          <path
            transform={`translate(0 ${y - 14})`}
            d={actorPath(lane.kind)}
            fill="none"
            stroke="var(--ink)"
            stroke-width={1.4}
            stroke-linejoin="round"
          />
          <text x={20} y={y - 2.5} class="lname">
            {fitted(lane.id, scene.scale.left - 28, 7)}
            <title>{lane.id}</title>
          </text>
          <text x={20} y={y + 11.5} class="lsub">
            {fitted(underName(lane, at), scene.scale.left - 28, 5.4)}
          </text>
        </g>
      ))}
    </g>
  );
}

/** The text, or its beginning and its end where it is too long: the end tells processes of a kind apart. */
function fitted(text: string, width: number, perCharacter: number): string {
  const room = Math.floor(width / perCharacter);
  return text.length <= room ? text : `${text.slice(0, Math.ceil(room / 2) - 1)}…${text.slice(-Math.floor(room / 2))}`;
}

function underName(lane: Lane, at: number): string {
  const state = laneStateAt(lane, at);
  return state?.label ?? (state === undefined || state.state === 'up' ? lane.role : state.state);
}
