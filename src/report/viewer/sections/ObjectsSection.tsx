import { Scroller } from '../Scroller.tsx';
import type { ObjectPhase, ObjectTimeline } from '../../document.ts';
import { secondsAtStep } from '../format.ts';
import { Hatch } from '../icons.tsx';
import { niceTicks } from '../ticks.ts';
import { useWidth } from '../use-layout.ts';
import { useView } from '../view-context.ts';

const NAMES = 216;
/** As many letters of a name as fit before the bars. */
const NAME_LETTERS = 31;
const ROW = 30;
const LEAST_WIDTH = 860;

/** Lanes of API objects: phases as segments, every write with its resourceVersion and writer. True scale. */
export function ObjectsSection() {
  const view = useView();
  const [box, width] = useWidth<HTMLDivElement>();
  return (
    <section id="objects" aria-labelledby="title-objects">
      <p class="kick">
        <b>Object timelines</b> true scale; a tick is a write with its resourceVersion, never compacted
      </p>
      <h2 id="title-objects">What was stored, and what somebody believed</h2>
      <Scroller label="Object timelines" box={box} style={{ marginTop: '14px' }}>
        {width.value > 0 && <Timelines width={Math.max(LEAST_WIDTH, width.value)} objects={view.index.report.objects} />}
      </Scroller>
    </section>
  );
}

type X = (at: number) => number;

/** Both ends of a name tell most: its workload and what makes it unlike its siblings. */
function shortened(name: string): string {
  if (name.length <= NAME_LETTERS) return name;
  const end = 9;
  return `${name.slice(0, NAME_LETTERS - end - 1)}…${name.slice(-end)}`;
}

function Timelines({ width, objects }: { readonly width: number; readonly objects: readonly ObjectTimeline[] }) {
  const view = useView();
  const { fromUs, toUs } = view.window.value;
  const right = width - 12;
  const x: X = (at) => NAMES + ((Math.min(toUs, Math.max(fromUs, at)) - fromUs) / Math.max(1, toUs - fromUs)) * (right - NAMES);
  const bottom = 30 + objects.length * ROW;
  const { step, values } = niceTicks(fromUs, toUs, 12);
  const violations = view.index.report.violations.filter((violation) => fromUs <= violation.atUs && violation.atUs <= toUs);
  return (
    <svg
      width={width}
      height={bottom + 54}
      viewBox={`0 0 ${width} ${bottom + 54}`}
      role="img"
      aria-label={`Timelines of ${objects.map((object) => `${object.kind} ${object.name}`).join(', ')}`}
    >
      <Hatch id="hatch-fault" color="var(--fault)" gap={6} />
      <Hatch id="hatch-ending" color="var(--msg)" gap={5} width={1.4} />
      {view.index.report.faults.map((fault, row) => {
        const x0 = x(fault.injectUs);
        const box = { x: x0, y: 2 + 12 * (row % 2), width: Math.max(2, x(fault.healUs ?? toUs) - x0), height: 10 };
        if (fault.injectUs > toUs || (fault.healUs ?? toUs) < fromUs) return null;
        return (
          <g key={fault.id}>
            <rect {...box} fill="var(--fault-wash)" />
            <rect {...box} fill="url(#hatch-fault)" opacity={0.5} />
            <text x={x0 + 4} y={box.y + 9} class="ft halo s11">
              {fault.id}
            </text>
          </g>
        );
      })}
      {values.map((at) => (
        <g key={at}>
          <path d={`M${x(at)} 28V${bottom}`} stroke="var(--rule)" />
          <text x={x(at)} y={bottom + 16} text-anchor="middle" class="d">
            {secondsAtStep(at, step)} s
          </text>
        </g>
      ))}
      {violations.map((violation) => (
        <path key={violation.atUs} d={`M${x(violation.atUs)} 28V${bottom}`} stroke="var(--viol)" stroke-width={2} />
      ))}
      {objects.map((object, index) => (
        <Row key={index} object={object} y={30 + ROW * index + ROW / 2} x={x} toUs={toUs} fromUs={fromUs} />
      ))}
      <Key y={bottom + 40} />
    </svg>
  );
}

function Row({
  object,
  y,
  x,
  fromUs,
  toUs,
}: {
  readonly object: ObjectTimeline;
  readonly y: number;
  readonly x: X;
  readonly fromUs: number;
  readonly toUs: number;
}) {
  const shownWrites = object.writes.filter((write) => fromUs <= write.atUs && write.atUs <= toUs);
  let free = 0;
  return (
    <g>
      {object.belief === undefined ? (
        <text x={0} y={y + 4} style={{ fontWeight: 600, fontSize: '12px' }}>
          <title>{`${object.kind} ${object.name}`}</title>
          {shortened(object.kind === 'Pod' ? object.name : `${object.kind} ${object.name}`)}
        </text>
      ) : (
        <text x={NAMES - 14} y={y + 4} text-anchor="end" class="vt s11">
          {object.belief}
        </text>
      )}
      {object.phases.map((phase) => {
        if (phase.fromUs > toUs || (phase.toUs ?? toUs) < fromUs) return null;
        return (
          <Phase
            key={phase.fromUs}
            phase={phase}
            x0={x(phase.fromUs)}
            x1={x(phase.toUs ?? toUs)}
            y={y}
            right={x(toUs)}
            after={shownWrites.some((write) => write.atUs === phase.fromUs)}
          />
        );
      })}
      {shownWrites.map((write) => {
        const at = x(write.atUs);
        const text = `${write.resourceVersion} ${write.writer}`;
        const fits = at > free;
        if (fits) free = at + text.length * 6.6 + 8;
        return (
          <g key={write.atUs}>
            <path d={`M${at} ${y - 10}v20`} stroke="var(--ink)" stroke-width={1.6} />
            {fits && (
              <text x={at + 3} y={y - 8} class="m halo">
                {text}
              </text>
            )}
          </g>
        );
      })}
    </g>
  );
}

function Phase({
  phase,
  x0,
  x1,
  y,
  right,
  after,
}: {
  readonly phase: ObjectPhase;
  readonly x0: number;
  readonly x1: number;
  readonly y: number;
  readonly right: number;
  readonly after: boolean;
}) {
  return (
    <>
      <PhaseShape look={phase.look} x0={x0} x1={x1} y={y} />
      {phase.label !== undefined && (
        <text
          x={Math.min(x0 + (after ? 7 : 5), Math.max(NAMES, right - phase.label.length * 5.7))}
          y={y + 4}
          class={`s11${phase.look === 'wrong' ? ' vt halo' : ''}`}
        >
          {phase.label}
        </text>
      )}
    </>
  );
}

function PhaseShape({
  look,
  x0,
  x1,
  y,
}: {
  readonly look: ObjectPhase['look'];
  readonly x0: number;
  readonly x1: number;
  readonly y: number;
}) {
  const box = { x: x0, y: y - 6, width: Math.max(1, x1 - x0), height: 12 };
  switch (look) {
    case 'ready':
      return <rect {...box} fill="var(--msg)" opacity={0.5} />;
    case 'running':
      return <rect {...box} fill="var(--bg)" stroke="var(--msg)" stroke-width={1.4} />;
    case 'starting':
      return <path d={`M${x0} ${y}H${x1}`} stroke="var(--msg)" stroke-width={1.6} stroke-dasharray="2 2" />;
    case 'terminating':
      return <rect {...box} fill="url(#hatch-ending)" opacity={0.8} />;
    case 'value':
      return <rect {...box} fill="var(--fill)" stroke="var(--rule-2)" />;
    case 'wrong':
      return <rect {...box} y={y - 7} height={14} fill="var(--viol-wash)" stroke="var(--viol)" stroke-width={1.6} stroke-dasharray="5 3" />;
  }
}

function Key({ y }: { readonly y: number }) {
  const looks = [
    ['starting', 'starting'],
    ['running', 'running, not ready'],
    ['ready', 'ready'],
    ['terminating', 'terminating'],
    ['value', 'spec or holder'],
  ] as const;
  let left = NAMES;
  return (
    <>
      {looks.map(([look, text]) => {
        const at = left;
        left += 52 + text.length * 6.6;
        return (
          <g key={look}>
            <PhaseShape look={look} x0={at} x1={at + 30} y={y} />
            <text x={at + 38} y={y + 4} class="d">
              {text}
            </text>
          </g>
        );
      })}
    </>
  );
}
