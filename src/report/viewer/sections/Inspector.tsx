import type { EventId, ReportEvent, ReportMessage } from '../../document.ts';
import { seconds, unbroken } from '../format.ts';
import { causeChain } from '../index-of-document.ts';
import { useView } from '../view-context.ts';
import { select } from '../view-state.ts';

/** Chains longer than this are cut in the middle of nowhere useful; the filter and the table hold the rest. */
const CHAIN_MOST = 14;

/** All about the selected event: what, where, why, what came of it, and its greppable line. */
export function Inspector({ inline }: { readonly inline: boolean }) {
  const view = useView();
  const event = view.index.eventById.get(view.selected.value ?? '');
  return (
    <aside class={`insp${inline ? ' inline' : ''}`} aria-label="Inspector" aria-live="polite" tabIndex={inline ? undefined : 0}>
      {event === undefined ? (
        <p class="dim">
          No event is selected. <kbd>j</kbd> selects the first.
        </p>
      ) : (
        <Inspected event={event} />
      )}
    </aside>
  );
}

function Inspected({ event }: { readonly event: ReportEvent }) {
  const { index } = useView();
  const message = index.messageByEvent.get(event.id);
  const stepNumber = index.stepByEvent.get(event.id);
  const order = (id: EventId) => index.orderByEvent.get(id) ?? 0;
  const earlier = [...causeChain(index, event.id)]
    .filter((id) => id !== event.id && !event.causes.includes(id))
    .sort((a, b) => order(a) - order(b));
  const effects = index.effectsByEvent.get(event.id) ?? [];
  return (
    <>
      <div class="ih">
        <span>
          Event {event.id}
          {stepNumber === undefined ? '' : `, step ${stepNumber}`}
        </span>
        <span class="mono">{seconds(event.atUs)} s</span>
      </div>
      <h3>
        {index.violatingEvents.has(event.id) && (
          <span class="viol" aria-hidden="true">
            ✖︎{' '}
          </span>
        )}
        {event.title}
      </h3>
      {event.text !== undefined && <p>{unbroken(event.text)}</p>}
      <dl>
        {message === undefined ? (
          <>
            <dt>At</dt>
            <dd>{event.lane}</dd>
          </>
        ) : (
          <MessageRows message={message} />
        )}
        {event.detail.map(([name, value]) => (
          <Pair key={name} name={name} value={value} />
        ))}
      </dl>
      {event.causes.length > 0 && <Chain title="Because of" ids={event.causes} />}
      {event.causes.length === 0 && event.faultId !== undefined && <h4>Injected by the fault plan, {event.faultId}</h4>}
      {earlier.length > 0 && <Chain title="Before that, back to the faults" ids={earlier} />}
      {effects.length > 0 && <Chain title="Leads to" ids={effects} />}
      <p class="raw">{rawLine(event, message)}</p>
    </>
  );
}

function MessageRows({ message }: { readonly message: ReportMessage }) {
  const { from, to, lost } = message;
  return (
    <>
      <dt>Path</dt>
      <dd>
        {from.lane} → {to.lane}
      </dd>
      <dt>Sent</dt>
      <dd>{seconds(from.atUs)} s</dd>
      <dt>{lost === undefined ? 'Arrived' : 'Lost'}</dt>
      <dd>{seconds(lost?.atUs ?? to.atUs)} s</dd>
      {lost !== undefined && (
        <>
          <dt>Why</dt>
          <dd>{lost.why}</dd>
        </>
      )}
    </>
  );
}

function Pair({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}

function Chain({ title, ids }: { readonly title: string; readonly ids: readonly EventId[] }) {
  const view = useView();
  return (
    <>
      <h4>{title}</h4>
      <ul class="chain">
        {ids.slice(0, CHAIN_MOST).map((id) => {
          const event = view.index.eventById.get(id);
          if (event === undefined) return null;
          const injected = event.mark === 'inject' || event.mark === 'crash';
          return (
            <li key={id}>
              <button type="button" onClick={() => select(view, id)}>
                <span class="t">{seconds(event.atUs)}</span>
                <span>
                  {injected && (
                    <span class="flt" aria-hidden="true">
                      ▲{' '}
                    </span>
                  )}
                  {event.title}
                </span>
              </button>
            </li>
          );
        })}
      </ul>
      {ids.length > CHAIN_MOST && <p class="small dim">and {ids.length - CHAIN_MOST} more</p>}
    </>
  );
}

function rawLine(event: ReportEvent, message: ReportMessage | undefined): string {
  const path = message === undefined ? event.lane : `${message.from.lane}→${message.to.lane}`;
  return `${seconds(event.atUs)} ${path} ${event.kind} ${JSON.stringify(Object.fromEntries(event.detail))}`;
}
