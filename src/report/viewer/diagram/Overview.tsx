import { useRef } from 'preact/hooks';
import { duration, seconds } from '../format.ts';
import { Hatch } from '../icons.tsx';
import { useWidth } from '../use-layout.ts';
import { useView } from '../view-context.ts';
import type { TimeWindow } from '../view-state.ts';

const HEIGHT = 70;

/** The whole run as a histogram of events, with faults, violation and the window that the diagram shows; drag to move or draw a window. */
export function Overview() {
  const view = useView();
  const [box, width] = useWidth<HTMLDivElement>();
  return (
    <div class="overview" ref={box}>
      {width.value > 60 && <OverviewSvg width={width.value} key={String(view.index.report.verdict.trialId)} />}
    </div>
  );
}

type Drag = { readonly kind: 'from' | 'to' | 'pane' | 'draw'; readonly startUs: number; readonly window: TimeWindow };

function OverviewSvg({ width }: { readonly width: number }) {
  const view = useView();
  const { run, faults, violations } = view.index.report;
  const svg = useRef<SVGSVGElement>(null);
  const drag = useRef<Drag | undefined>(undefined);
  const left = width > 700 ? 122 : 0;
  const right = width - 10;
  const endUs = Math.max(1, run.endUs);
  const x = (at: number) => left + (at / endUs) * (right - left);
  const least = endUs / 500;
  const { fromUs, toUs } = view.window.value;
  const set = (from: number, to: number) => {
    const start = Math.max(0, Math.min(from, run.endUs - least));
    view.window.value = { fromUs: Math.round(start), toUs: Math.round(Math.min(run.endUs, Math.max(to, start + least))) };
  };
  const timeOf = (event: PointerEvent) => {
    const origin = svg.current?.getBoundingClientRect().left ?? 0;
    return Math.min(run.endUs, Math.max(0, ((event.clientX - origin - left) / (right - left)) * run.endUs));
  };
  const start = (kind: Drag['kind']) => (event: PointerEvent) => {
    drag.current = { kind, startUs: timeOf(event), window: view.window.value };
    svg.current?.setPointerCapture(event.pointerId);
    event.stopPropagation();
  };
  const move = (event: PointerEvent) => {
    const current = drag.current;
    if (current === undefined) return;
    const at = timeOf(event);
    const by = at - current.startUs;
    const before = current.window;
    if (current.kind === 'from') set(Math.min(at, before.toUs - least), before.toUs);
    else if (current.kind === 'to') set(before.fromUs, Math.max(at, before.fromUs + least));
    else if (current.kind === 'draw') {
      if (Math.abs(by) > least) set(Math.min(at, current.startUs), Math.max(at, current.startUs));
    } else {
      const shift = Math.max(-before.fromUs, Math.min(run.endUs - before.toUs, by));
      set(before.fromUs + shift, before.toUs + shift);
    }
  };
  const end = () => {
    drag.current = undefined;
  };
  const nudge = (edge: 'from' | 'to') => (event: KeyboardEvent) => {
    const by = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const distance = (by * run.endUs * (event.shiftKey ? 10 : 1)) / 100;
    if (edge === 'from') set(Math.min(fromUs + distance, toUs - least), toUs);
    else set(fromUs, Math.max(toUs + distance, fromUs + least));
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: SVG has no fieldset
    <svg
      ref={svg}
      width={width}
      height={HEIGHT}
      viewBox={`0 0 ${width} ${HEIGHT}`}
      role="group"
      aria-label={`Whole run, ${duration(run.endUs)}: ${faults.length} faults, ${violations.length} violations, and the window shown above`}
      onPointerMove={move}
      onPointerUp={end}
      onPointerCancel={end}
    >
      <Hatch id="hatch-overview" color="var(--fault)" gap={5} />
      <rect class="back" x={left} y={0} width={right - left} height={54} onPointerDown={start('draw')} />
      <g class="labels">
        {left > 0 && (
          <text x={0} y={20} class="d">
            whole run, {duration(run.endUs)}
          </text>
        )}
        {left > 0 && (
          <text x={0} y={35} class="d s11">
            events per {duration(run.histogram.binUs)}
          </text>
        )}
        <Histogram x={x} />
        <FaultStrips x={x} />
        {violations.map((violation) => (
          <path key={violation.atUs} d={`M${x(violation.atUs)} 2V52`} stroke="var(--viol)" stroke-width={2} />
        ))}
      </g>
      <rect
        class="pane"
        x={x(fromUs)}
        y={1}
        width={Math.max(2, x(toUs) - x(fromUs))}
        height={52}
        stroke="var(--ink)"
        stroke-width={1.2}
        onPointerDown={start('pane')}
      />
      <Grip x={x(fromUs)} edge="from" at={fromUs} onDown={start('from')} onKey={nudge('from')} />
      <Grip x={x(toUs)} edge="to" at={toUs} onDown={start('to')} onKey={nudge('to')} />
      <PhaseNames x={x} />
    </svg>
  );
}

type X = (at: number) => number;

function Histogram({ x }: { readonly x: X }) {
  const { run } = useView().index.report;
  const { binUs, counts } = run.histogram;
  const most = counts.reduce((high, value) => Math.max(high, value), 1);
  // No more bars than pixels: neighbours share one, by their maximum.
  const merge = Math.max(1, Math.ceil((2 * counts.length) / Math.max(1, x(run.endUs) - x(0))));
  let path = '';
  for (let bin = 0; bin < counts.length; bin += merge) {
    const value = counts.slice(bin, bin + merge).reduce((high, next) => Math.max(high, next), 0);
    if (value === 0) continue;
    const height = Math.max(1, (value / most) * 32);
    const x0 = x(bin * binUs);
    const gap = x(Math.min(run.endUs, (bin + merge) * binUs)) - x0;
    path += `M${x0.toFixed(1)} 36v${(-height).toFixed(1)}h${Math.max(0.8, gap - 0.8).toFixed(1)}v${height.toFixed(1)}z`;
  }
  return <path d={path} fill="var(--rule-2)" />;
}

/** Faults as strips under the histogram, in as many rows as overlap needs, three at the most. */
function FaultStrips({ x }: { readonly x: X }) {
  const { faults, run } = useView().index.report;
  const ends: number[] = [];
  const named: number[] = [];
  return (
    <>
      {faults.map((fault) => {
        const x0 = x(fault.injectUs);
        const x1 = Math.max(x0 + 2, x(fault.healUs ?? run.endUs));
        const free = ends.findIndex((end) => end < x0);
        const row = free >= 0 ? free : ends.length < 2 ? ends.length : 1;
        ends[row] = Math.max(ends[row] ?? 0, x1 + 22);
        const nameX = Math.min(x1 + 4, x(run.endUs) - 8);
        const fits = nameX > (named[row] ?? 0);
        if (fits) named[row] = nameX + 20;
        const box = { x: x0, y: row === 0 ? 38 : 45.5, width: x1 - x0, height: 6 };
        return (
          <g key={fault.id}>
            <rect {...box} fill="var(--fault-wash)" />
            <rect {...box} fill="url(#hatch-overview)" opacity={0.8} />
            {fits && (
              <text x={nameX} y={box.y + 7} class="ft halo s11">
                {fault.id}
              </text>
            )}
          </g>
        );
      })}
    </>
  );
}

function Grip({
  x,
  edge,
  at,
  onDown,
  onKey,
}: {
  readonly x: number;
  readonly edge: 'from' | 'to';
  readonly at: number;
  readonly onDown: (event: PointerEvent) => void;
  readonly onKey: (event: KeyboardEvent) => void;
}) {
  const { run } = useView().index.report;
  return (
    <g
      class="grip"
      role="slider"
      tabIndex={0}
      aria-label={edge === 'from' ? 'Start of the window' : 'End of the window'}
      aria-valuemin={0}
      aria-valuemax={Math.round(run.endUs / 1e6)}
      aria-valuenow={Math.round(at / 1e6)}
      aria-valuetext={`${seconds(at)} seconds`}
      onPointerDown={onDown}
      onKeyDown={onKey}
    >
      <rect x={x - 9} y={0} width={18} height={54} fill="transparent" />
      <rect x={x - 3} y={19} width={6} height={16} rx={1} fill="var(--ink)" />
    </g>
  );
}

function PhaseNames({ x }: { readonly x: X }) {
  let free = -10;
  return (
    <g class="labels">
      {useView().index.report.run.phases.map((phase) => {
        const x0 = Math.max(x(phase.fromUs) + 2, free);
        free = x0 + phase.label.length * 6 + 10;
        return (
          <text key={phase.label} x={x0} y={HEIGHT - 3} class="d s11 halo">
            {phase.label}
          </text>
        );
      })}
    </g>
  );
}
