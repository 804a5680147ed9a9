import type { UntypedObject } from '../object.ts';
import type { Event, EventsEvent, HorizontalPodAutoscaler, HorizontalPodAutoscalerV1 } from '../types.ts';
import { scalerToV1, scalerToV2 } from './autoscaling/scaler-conversion.ts';
import { eventFromCore, eventToCore } from './events/event-conversion.ts';

type Conversion = (object: UntypedObject) => UntypedObject;

/** Built-in kinds that are served under several versions or groups, by the form wanted: `apiVersion kind`. */
const conversions: Readonly<Record<string, Conversion>> = {
  'v1 Event': (object) => eventToCore(object as unknown as EventsEvent) as unknown as UntypedObject,
  'events.k8s.io/v1 Event': (object) => eventFromCore(object as unknown as Event) as unknown as UntypedObject,
  'autoscaling/v1 HorizontalPodAutoscaler': (object) =>
    scalerToV1(object as unknown as HorizontalPodAutoscaler) as unknown as UntypedObject,
  'autoscaling/v2 HorizontalPodAutoscaler': (object) =>
    scalerToV2(object as unknown as HorizontalPodAutoscalerV1) as unknown as UntypedObject,
};

/** How objects of a kind come into the form of this version; undefined for kinds that have one form only. */
export function conversionTo(apiVersion: string, kind: string): Conversion | undefined {
  return conversions[`${apiVersion} ${kind}`];
}

/** An object in the form of another version of its kind; the object itself when it is in that form or its kind has one form only. */
export function inVersion(object: UntypedObject, apiVersion: string): UntypedObject {
  if (object.apiVersion === apiVersion) return object;
  return conversionTo(apiVersion, object.kind)?.(object) ?? object;
}
