import { Decoration } from '../Decoration.tsx';
import type { Lane, LaneId } from '../../document.ts';
import type { Band, OperationBar, StateBar } from './scene.ts';

export function BandsView({ bands }: { readonly bands: readonly Band[] }) {
  return (
    <Decoration>
      {bands.map(({ fault, x0, x1, y0, y1 }) => {
        const box = { x: x0, y: y0, width: x1 - x0, height: y1 - y0 };
        return (
          <g key={`${fault.id}${y0}`}>
            <rect {...box} fill="var(--fault-wash)" />
            <rect {...box} fill="url(#hatch-band)" opacity={0.34} />
            <path d={`M${x0} ${y0}V${y1}M${x1} ${y0}V${y1}`} stroke="var(--fault)" stroke-width={1.5} />
          </g>
        );
      })}
    </Decoration>
  );
}

/** What a process was over time; the weight of the line is its power: leader thick, believing leader hollow, follower thin, down dotted. */
export function StatesView({ states, lanes }: { readonly states: readonly StateBar[]; readonly lanes: ReadonlyMap<LaneId, Lane> }) {
  return (
    <>
      {states.map((bar) => (
        <StateView key={`${bar.lane}${bar.x0}`} bar={bar} client={lanes.get(bar.lane)?.kind === 'client'} />
      ))}
    </>
  );
}

function StateView({ bar, client }: { readonly bar: StateBar; readonly client: boolean }) {
  const { x0, x1, y } = bar;
  const line = `M${x0} ${y}H${x1}`;
  switch (bar.state.state) {
    case 'leader':
      return <rect x={x0} y={y - 3.5} width={x1 - x0} height={7} fill="var(--ink)" />;
    case 'leader-without-quorum':
      return <rect x={x0} y={y - 3.5} width={x1 - x0} height={7} fill="var(--bg)" stroke="var(--ink)" stroke-width={1.3} />;
    case 'candidate':
      return <path d={line} stroke="var(--ink)" stroke-width={3} stroke-dasharray="3 2" />;
    case 'no-leader':
      return <path d={line} stroke="var(--ink-2)" stroke-width={1.6} stroke-dasharray="6 4" />;
    case 'down':
      return <path d={line} stroke="var(--fault-ink)" stroke-width={1.2} stroke-dasharray="1 5" />;
    case 'paused':
      return <path d={line} stroke="var(--fault-ink)" stroke-width={1.6} stroke-dasharray="8 3 1 3" />;
    case 'follower':
      return <path d={line} stroke="var(--msg)" stroke-width={1.8} />;
    case 'up':
      return <path d={line} stroke={client ? 'var(--rule-2)' : 'var(--msg)'} stroke-width={1.1} />;
  }
}

export function BarsView({ bars }: { readonly bars: readonly OperationBar[] }) {
  return (
    <>
      {bars.map(({ x0, x1, y, open, label, failed }) => (
        <g key={`${x0}${y}${label}`}>
          <rect
            x={x0}
            y={y - 5}
            width={x1 - x0}
            height={10}
            fill={failed ? 'var(--bg)' : 'var(--op)'}
            stroke={failed ? 'var(--op)' : undefined}
            stroke-width={1.4}
          />
          {open && <path d={`M${x1 - 6} ${y - 5}l6 5-6 5`} fill="none" stroke="var(--op-ink)" stroke-width={1.6} />}
        </g>
      ))}
    </>
  );
}
