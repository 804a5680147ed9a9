import type { ApiObject } from '../object.ts';
import { resourceRows } from '../resource-rows.ts';
import type { Event } from '../types.ts';
import { type FieldErrors, invalid, required } from './field-errors.ts';
import { checkMetadata, splitApiVersion } from './metadata.ts';
import { isDns1123Subdomain, isQualifiedName } from './names.ts';
import { byteLength } from './names.ts';

/** Events of both groups. Upstream: pkg/apis/core/validation/events.go. */

/** What both kinds of Event have, under events.k8s.io's names. */
export interface EventView {
  readonly eventTime?: string | null | undefined;
  readonly regarding?: Event['involvedObject'] | undefined;
  readonly reportingController?: string | undefined;
  readonly reportingInstance?: string | undefined;
  readonly action?: string | undefined;
  readonly reason?: string | undefined;
  readonly note?: string | undefined;
  readonly type?: string | undefined;
  readonly series?: object | undefined;
  readonly source?: unknown;
  readonly firstTimestamp?: string | null | undefined;
  readonly lastTimestamp?: string | null | undefined;
  readonly count?: number | undefined;
}

const scopes = new Map(resourceRows.map((row) => [`${row.group}/${row.kind}`, row.namespaced]));
/** Upstream lets no more through, whatever the text of the error says. */
const noteSizeBytesMax = 1024;

/** An event lives in the namespace of its object, or in default if the object has none. */
function checkNamespace(event: ApiObject, regarding: Event['involvedObject'] | undefined, out: FieldErrors): void {
  const namespace = event.metadata.namespace ?? '';
  const own = regarding?.namespace ?? '';
  const scope = scopes.get(`${splitApiVersion(regarding?.apiVersion ?? '').group}/${regarding?.kind ?? ''}`);
  const clusterWide = scope === false || (own === '' && scope === undefined);
  if (own === '' && clusterWide) {
    if (namespace !== 'default' && namespace !== 'kube-system' && namespace !== '')
      out.push(invalid('involvedObject.namespace', own, 'does not match event.namespace'));
  } else if (own !== namespace) out.push(invalid('involvedObject.namespace', own, 'does not match event.namespace'));
}

/** legacyValidateEvent: core/v1, and what was written with an event time gets the new checks that are not about metadata. */
export function legacyEvent(event: ApiObject, view: EventView, out: FieldErrors): void {
  checkNamespace(event, view.regarding, out);
  checkMetadata(event.metadata, { namespaced: true, name: () => [] }, out);
  for (const message of isDns1123Subdomain(event.metadata.namespace ?? ''))
    out.push(invalid('namespace', event.metadata.namespace ?? '', message));
}

/** legacyValidateEvent of an events.k8s.io object, then ValidateEventCreate. */
export function checkEvent(event: ApiObject, view: EventView, out: FieldErrors): void {
  const controller = view.reportingController ?? '';
  if ((view.eventTime ?? '') === '') out.push(required('eventTime'));
  checkNamespace(event, view.regarding, out);
  if (controller === '') out.push(required('reportingController'));
  for (const message of isQualifiedName(controller)) out.push(invalid('reportingController', controller, message));
  const instance = view.reportingInstance ?? '';
  if (instance === '') out.push(required('reportingInstance'));
  if (instance.length > 128) out.push(invalid('repotingInstance', '', 'can have at most 128 characters'));
  const action = view.action ?? '';
  if (action === '') out.push(required('action'));
  if (action.length > 128) out.push(invalid('action', '', 'can have at most 128 characters'));
  const reason = view.reason ?? '';
  if (reason === '') out.push(required('reason'));
  if (reason.length > 128) out.push(invalid('reason', '', 'can have at most 128 characters'));
  if (byteLength(view.note ?? '') > noteSizeBytesMax) out.push(invalid('message', '', 'can have at most 1024 characters'));
  const type = view.type ?? '';
  if (type === '') out.push(required('type'));
  else if (type !== 'Normal' && type !== 'Warning') out.push(invalid('type', '', `has invalid value: ${type}`));
  if (view.firstTimestamp !== undefined && view.firstTimestamp !== null) out.push(invalid('firstTimestamp', '', 'needs to be unset'));
  if (view.lastTimestamp !== undefined && view.lastTimestamp !== null) out.push(invalid('lastTimestamp', '', 'needs to be unset'));
  if ((view.count ?? 0) !== 0) out.push(invalid('count', '', 'needs to be unset'));
  if (typeof view.source === 'object' && view.source !== null && Object.keys(view.source).length > 0)
    out.push(invalid('source', '', 'needs to be unset'));
}
