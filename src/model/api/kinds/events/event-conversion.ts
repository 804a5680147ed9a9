import type { Event, EventsEvent } from '../../types.ts';

/** core/v1 and events.k8s.io/v1 of the same events. Upstream: pkg/apis/events/v1/conversion.go. */
type Fields = Readonly<Record<string, unknown>>;

/** Names in core/v1 and in events.k8s.io/v1, and what is printed when they are not set. */
const names: readonly (readonly [core: string, events: string, core: unknown, events: unknown])[] = [
  ['involvedObject', 'regarding', {}, {}],
  ['related', 'related', undefined, undefined],
  ['reason', 'reason', undefined, undefined],
  ['message', 'note', undefined, undefined],
  ['source', 'deprecatedSource', {}, {}],
  ['firstTimestamp', 'deprecatedFirstTimestamp', null, null],
  ['lastTimestamp', 'deprecatedLastTimestamp', null, null],
  ['count', 'deprecatedCount', undefined, undefined],
  ['type', 'type', undefined, undefined],
  ['eventTime', 'eventTime', null, null],
  ['series', 'series', undefined, undefined],
  ['action', 'action', undefined, undefined],
  ['reportingComponent', 'reportingController', '', undefined],
  ['reportingInstance', 'reportingInstance', '', undefined],
];

function renamed(event: Fields, apiVersion: string, from: 0 | 1, to: 0 | 1): Fields {
  const out: Record<string, unknown> = { kind: event['kind'], apiVersion, metadata: event['metadata'] };
  for (const row of names) {
    const given = event[row[from]];
    const missing = given === undefined || given === null || (given === '' && row[2 + to] === undefined);
    const value = missing ? row[2 + to] : given;
    if (value !== undefined) out[row[to]] = row[to] === 'series' ? seriesOf(value, apiVersion) : value;
  }
  return out;
}

/** A series prints its count in events.k8s.io/v1 even where it is 0, and in core/v1 only where it is not. */
function seriesOf(series: unknown, apiVersion: string): unknown {
  if (typeof series !== 'object' || series === null) return series;
  const { count, ...rest } = series as Fields;
  if (apiVersion === 'v1') return (count ?? 0) === 0 ? rest : series;
  return count === undefined ? { count: 0, ...rest } : series;
}

/** The core/v1 form; an event in that form comes back as it is. */
export function eventToCore(event: EventsEvent): Event {
  if ((event.apiVersion as string | undefined) === 'v1') return event as unknown as Event;
  return renamed(event as unknown as Fields, 'v1', 1, 0) as unknown as Event;
}

/** The events.k8s.io/v1 form; an event in that form comes back as it is. */
export function eventFromCore(event: Event): EventsEvent {
  if ((event.apiVersion as string | undefined) === 'events.k8s.io/v1') return event as unknown as EventsEvent;
  return renamed(event as unknown as Fields, 'events.k8s.io/v1', 0, 1) as unknown as EventsEvent;
}
