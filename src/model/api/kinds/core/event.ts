import type { KindContext } from '../../kind.ts';
import type { ApiObject } from '../../object.ts';
import { parseTime } from '../../time.ts';
import type { Event } from '../../types.ts';
import { type EventView, legacyEvent } from '../../validation/event.ts';
import { checkMetadataUpdate } from '../../validation/metadata.ts';
import type { FieldErrors } from '../../validation/field-errors.ts';
import { columnsWithoutName, since } from '../columns.ts';
import { defineKind } from '../define.ts';

/** Upstream: pkg/registry/core/event/strategy.go, pkg/apis/core/validation/events.go. */
const view = (event: Event): EventView => ({
  ...event,
  reportingController: event.reportingComponent,
  regarding: event.involvedObject,
  note: event.message,
});

/** The columns of both Event kinds, over what they have in common. */
export function eventColumns<T extends ApiObject & { readonly type?: string; readonly reason?: string }>(
  resource: string,
  viewOf: (event: T) => EventCells,
) {
  const interval = (event: T, context: KindContext): string => {
    const cells = viewOf(event);
    if (cells.seriesLast !== undefined) return since(cells.seriesLast, context);
    if (cells.last !== undefined) return since(cells.last, context);
    return cells.first === undefined ? since(cells.eventTime, context) : since(cells.first, context);
  };
  return columnsWithoutName<T>(resource, [
    ['Last Seen', 'string', interval],
    ['Type', 'string', (event) => event.type ?? ''],
    ['Reason', 'string', (event) => event.reason ?? ''],
    [
      'Object',
      'string',
      (event) => {
        const { kind, name } = viewOf(event).object;
        return kind === '' ? name : `${kind.toLowerCase()}/${name}`;
      },
    ],
    ['Subobject', 'string', (event) => viewOf(event).object.fieldPath, 1],
    [
      'Source',
      'string',
      (event) => {
        const { component, host } = viewOf(event).source;
        return host === '' ? component : `${component}, ${host}`;
      },
      1,
    ],
    ['Message', 'string', (event) => viewOf(event).message.trim()],
    ['First Seen', 'string', (event, context) => since(viewOf(event).first ?? viewOf(event).eventTime, context), 1],
    ['Count', 'string', (event) => viewOf(event).count, 1],
    ['Name', 'string', (event) => event.metadata.name ?? '', 1, 'name'],
  ]);
}

export interface EventCells {
  readonly seriesLast: string | undefined;
  readonly first: string | undefined;
  readonly last: string | undefined;
  readonly eventTime: string | undefined;
  readonly object: { readonly kind: string; readonly name: string; readonly fieldPath: string };
  readonly source: { readonly component: string; readonly host: string };
  readonly message: string;
  readonly count: number;
}

const given = (time: string | null | undefined): string | undefined =>
  time === null || time === undefined || parseTime(time) === undefined ? undefined : time;

export function eventCells(parts: {
  readonly series: { readonly lastObservedTime?: string; readonly count?: number } | undefined;
  readonly first: string | null | undefined;
  readonly last: string | null | undefined;
  readonly eventTime: string | null | undefined;
  readonly object: Event['involvedObject'] | undefined;
  readonly source: Event['source'];
  readonly reporting: { readonly controller: string | undefined; readonly instance: string | undefined };
  readonly message: string | undefined;
  readonly count: number | undefined;
}): EventCells {
  const component = parts.source?.component ?? '';
  const host = parts.source?.host ?? '';
  return {
    seriesLast: given(parts.series?.lastObservedTime),
    first: given(parts.first),
    last: given(parts.last),
    eventTime: given(parts.eventTime),
    object: { kind: parts.object?.kind ?? '', name: parts.object?.name ?? '', fieldPath: parts.object?.fieldPath ?? '' },
    source: {
      component: component === '' ? (parts.reporting.controller ?? '') : component,
      host: host === '' ? (parts.reporting.instance ?? '') : host,
    },
    message: parts.message ?? '',
    count: parts.series?.count ?? ((parts.count ?? 0) === 0 ? 1 : (parts.count ?? 1)),
  };
}

const cells = (event: Event): EventCells =>
  eventCells({
    series: event.series,
    first: event.firstTimestamp,
    last: event.lastTimestamp,
    eventTime: event.eventTime,
    object: event.involvedObject,
    source: event.source,
    reporting: { controller: event.reportingComponent, instance: event.reportingInstance },
    message: event.message,
    count: event.count,
  });

export const event = defineKind<Event>('v1', 'events', {
  validate: (object) => {
    const out: FieldErrors = [];
    legacyEvent(object, view(object), out);
    return out;
  },
  validateUpdate: (next, previous) => {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, { namespaced: true, name: () => [] }, out);
    legacyEvent(next, view(next), out);
    return out;
  },
  fieldNames: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  fields: (e) => {
    const object = e.involvedObject ?? {};
    const source = (e.source?.component ?? '') === '' ? (e.reportingComponent ?? '') : (e.source?.component ?? '');
    return {
      'involvedObject.kind': object.kind ?? '',
      'involvedObject.namespace': object.namespace ?? '',
      'involvedObject.name': object.name ?? '',
      'involvedObject.uid': object.uid ?? '',
      'involvedObject.apiVersion': object.apiVersion ?? '',
      'involvedObject.resourceVersion': object.resourceVersion ?? '',
      'involvedObject.fieldPath': object.fieldPath ?? '',
      reason: e.reason ?? '',
      reportingComponent: e.reportingComponent ?? '',
      source,
      type: e.type ?? '',
    };
  },
  columns: eventColumns<Event>('events', cells),
});
