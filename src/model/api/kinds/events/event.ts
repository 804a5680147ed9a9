import type { EventsEvent } from '../../types.ts';
import { checkEvent, type EventView } from '../../validation/event.ts';
import { checkImmutable } from '../../validation/immutable.ts';
import type { FieldErrors } from '../../validation/field-errors.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../validation/names.ts';
import { type EventCells, eventCells, eventColumns } from '../core/event.ts';
import { defineKind } from '../define.ts';

/** The same events as core/v1's, seen through events.k8s.io, which checks more. Upstream: pkg/apis/core/validation/events.go. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };

const view = (event: EventsEvent): EventView => ({
  ...event,
  source: event.deprecatedSource,
  firstTimestamp: event.deprecatedFirstTimestamp,
  lastTimestamp: event.deprecatedLastTimestamp,
  count: event.deprecatedCount,
});

const cells = (event: EventsEvent): EventCells =>
  eventCells({
    series: event.series,
    first: event.deprecatedFirstTimestamp,
    last: event.deprecatedLastTimestamp,
    eventTime: event.eventTime,
    object: event.regarding,
    source: event.deprecatedSource,
    reporting: { controller: event.reportingController, instance: event.reportingInstance },
    message: event.note,
    count: event.deprecatedCount,
  });

export const eventsEvent = defineKind<EventsEvent>('events.k8s.io/v1', 'events', {
  validate(object) {
    const out: FieldErrors = [];
    checkMetadata(object.metadata, rule, out);
    checkEvent(object, view(object), out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    for (const [field, key] of [
      ['involvedObject', 'regarding'],
      ['reason', 'reason'],
      ['message', 'note'],
      ['source', 'deprecatedSource'],
      ['firstTimestamp', 'deprecatedFirstTimestamp'],
      ['lastTimestamp', 'deprecatedLastTimestamp'],
      ['count', 'deprecatedCount'],
      ['action', 'action'],
      ['related', 'related'],
      ['reportingController', 'reportingController'],
      ['reportingInstance', 'reportingInstance'],
      ['type', 'type'],
      ['eventTime', 'eventTime'],
    ] as const) {
      checkImmutable<unknown>(next[key], previous[key], field, out);
    }
    return out;
  },
  fieldNames: [
    'regarding.kind',
    'regarding.namespace',
    'regarding.name',
    'regarding.uid',
    'regarding.apiVersion',
    'regarding.resourceVersion',
    'regarding.fieldPath',
    'reason',
    'reportingController',
    'type',
  ],
  fields: (e) => ({
    'regarding.kind': e.regarding?.kind ?? '',
    'regarding.namespace': e.regarding?.namespace ?? '',
    'regarding.name': e.regarding?.name ?? '',
    'regarding.uid': e.regarding?.uid ?? '',
    'regarding.apiVersion': e.regarding?.apiVersion ?? '',
    'regarding.resourceVersion': e.regarding?.resourceVersion ?? '',
    'regarding.fieldPath': e.regarding?.fieldPath ?? '',
    reason: e.reason ?? '',
    reportingController: e.reportingController ?? '',
    type: e.type ?? '',
  }),
  columns: eventColumns<EventsEvent>('events.events.k8s.io', cells),
});
