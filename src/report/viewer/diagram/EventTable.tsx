import { Scroller } from '../Scroller.tsx';
import { useSignal } from '@preact/signals';
import { plural, seconds } from '../format.ts';
import { useView } from '../view-context.ts';
import { select } from '../view-state.ts';

/** Rows drawn at once; more would make the page slow and nobody reads on. */
const ROWS_MOST = 500;

/** The diagram's data as a table, for screen readers, for search in the page and for copying. */
export function EventTable() {
  const view = useView();
  const open = useSignal(false);
  const matches = view.matches.value;
  const events = view.visible.value.filter((event) => matches === undefined || matches(event));
  return (
    <details
      class="noprint"
      onToggle={(event) => {
        open.value = event.currentTarget.open;
      }}
    >
      <summary>The same diagram as a table ({plural(events.length, 'event')})</summary>
      {open.value && (
        <Scroller label="Event table">
          <table>
            <thead>
              <tr>
                <th>Event</th>
                <th class="num">Time, s</th>
                <th>From</th>
                <th>To</th>
                <th>What</th>
                <th>Because of</th>
              </tr>
            </thead>
            <tbody>
              {events.slice(0, ROWS_MOST).map((event) => {
                const message = view.index.messageByEvent.get(event.id);
                return (
                  <tr key={event.id}>
                    <td>
                      <button
                        type="button"
                        class="cell mono"
                        onClick={() => select(view, event.id)}
                        aria-label={`Select event ${event.id}`}
                      >
                        {event.id}
                      </button>
                    </td>
                    <td class="num">{seconds(event.atUs)}</td>
                    <td>{message?.from.lane ?? event.lane}</td>
                    <td>
                      {message === undefined ? '–' : message.to.lane}
                      {message?.lost === undefined ? '' : ' ✕'}
                    </td>
                    <td>
                      {view.index.violatingEvents.has(event.id) ? '✖ ' : ''}
                      {event.title}
                      {message?.lost === undefined ? '' : ` (${message.lost.why})`}
                    </td>
                    <td class="mono">{event.causes.join(' ') || '–'}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
          {events.length > ROWS_MOST && (
            <p class="note">
              The first {ROWS_MOST} of {plural(events.length, 'event')}; narrow the window or filter for the rest.
            </p>
          )}
        </Scroller>
      )}
    </details>
  );
}
