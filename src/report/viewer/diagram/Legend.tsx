import type { ComponentChildren } from 'preact';
import { useView } from '../view-context.ts';

/** The marks that this report uses, with their meaning; others would only be noise. */
export function Legend() {
  const { report } = useView().index;
  const states = new Set(report.lanes.flatMap((lane) => lane.states.map((state) => state.state)));
  const has = (state: Parameters<typeof states.has>[0]) => states.has(state);
  return (
    <ul class="legend small" aria-label="Legend">
      {has('leader') && (
        <Entry text="leader">
          <rect x={0} y={3} width={26} height={6} fill="var(--ink)" />
        </Entry>
      )}
      {has('leader-without-quorum') && (
        <Entry text="leader without quorum">
          <rect x={1} y={3} width={24} height={6} fill="none" stroke="var(--ink)" stroke-width={1.3} />
        </Entry>
      )}
      {has('follower') && (
        <Entry text="follower">
          <path d="M0 6h26" stroke="var(--msg)" stroke-width={1.8} />
        </Entry>
      )}
      {has('candidate') && (
        <Entry text="candidate">
          <path d="M0 6h26" stroke="var(--ink)" stroke-width={3} stroke-dasharray="3 2" />
        </Entry>
      )}
      {has('no-leader') && (
        <Entry text="no leader">
          <path d="M0 6h26" stroke="var(--ink-2)" stroke-width={1.6} stroke-dasharray="6 4" />
        </Entry>
      )}
      {has('down') && (
        <Entry text="down">
          <path d="M0 6h26" stroke="var(--fault-ink)" stroke-width={1.4} stroke-dasharray="1 4" />
        </Entry>
      )}
      {has('paused') && (
        <Entry text="paused">
          <path d="M0 6h26" stroke="var(--fault-ink)" stroke-width={1.6} stroke-dasharray="8 3 1 3" />
        </Entry>
      )}
      <Entry text="message">
        <path d="M0 6h20" stroke="var(--msg)" stroke-width={1.4} />
        <path d="M26 6l-8-3.5v7z" fill="var(--msg)" />
      </Entry>
      {report.messages.some((message) => message.lost !== undefined) && (
        <Entry text="lost or refused">
          <path d="M0 6h16" stroke="var(--msg)" stroke-width={1.4} stroke-dasharray="4 3" />
          <path d="M16 2l8 8M24 2l-8 8" stroke="var(--ink)" stroke-width={1.8} />
        </Entry>
      )}
      {report.operations.length > 0 && (
        <Entry text="client operation">
          <rect y={2} width={26} height={8} fill="var(--op)" />
        </Entry>
      )}
      <Entry text="cause of the selected event">
        <path d="M0 6h26" stroke="var(--ink)" stroke-width={3} />
      </Entry>
      {report.faults.length > 0 && (
        <Entry text="fault">
          <rect width={26} height={12} fill="var(--fault-wash)" />
          <path d="M2 12 14 0M10 12 22 0M18 12 26 4" stroke="var(--fault)" stroke-width={1.6} />
        </Entry>
      )}
      {report.violations.length > 0 && (
        <Entry text="violation">
          <path d="M13 0v12" stroke="var(--viol)" stroke-width={2.4} />
        </Entry>
      )}
    </ul>
  );
}

function Entry({ text, children }: { readonly text: string; readonly children: ComponentChildren }) {
  return (
    <li>
      <svg width="26" height="12" viewBox="0 0 26 12" aria-hidden="true">
        {children}
      </svg>
      {text}
    </li>
  );
}
