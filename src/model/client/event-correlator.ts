import type { Event } from '../api/types.ts';
import { SECOND, type Micros } from '../../sim/time.ts';
import { TokenBucket } from './rate-limiter.ts';

/** What to do with an event: upstream EventCorrelateResult. */
export type Correlated =
  | { readonly kind: 'drop' }
  | { readonly kind: 'create'; readonly event: Event }
  /** Seen before: raise the count of the stored event. */
  | { readonly kind: 'patch'; readonly event: Event; readonly name: string };

// Defaults of client-go tools/record/events_cache.go.
const SIMILAR_MAX = 10;
const SIMILAR_INTERVAL: Micros = 600 * SECOND;
const SPAM_BURST = 25;
const SPAM_QPS = 1 / 300;
const CACHE_MAX = 4096;

interface Aggregate {
  readonly messages: Set<string>;
  last: Micros;
}

interface Logged {
  count: number;
  readonly firstTimestamp: string;
  readonly name: string;
  resourceVersion: string;
}

/** A map that forgets what was used longest ago. */
class Lru<V> {
  readonly #map = new Map<string, V>();

  get(key: string): V | undefined {
    const value = this.#map.get(key);
    if (value === undefined) return undefined;
    this.#map.delete(key);
    this.#map.set(key, value);
    return value;
  }

  set(key: string, value: V): void {
    this.#map.delete(key);
    this.#map.set(key, value);
    if (this.#map.size > CACHE_MAX) this.#map.delete(this.#map.keys().next().value as string);
  }
}

/**
 * Keeps events from flooding the API: a token bucket a source and object, one aggregate for events that differ only in their message,
 * a count on repeated ones. Upstream EventCorrelator.
 */
export class EventCorrelator {
  readonly #spam = new Lru<TokenBucket>();
  readonly #aggregates = new Lru<Aggregate>();
  readonly #logged = new Lru<Logged>();

  correlate(event: Event, now: Micros): Correlated {
    const subject = sourceAndObject(event);
    const aggregated = this.#aggregate(event, subject, now);
    const cacheKey = aggregated.isAggregate ? aggregated.key : `${aggregated.key}|${event.message ?? ''}`;
    const before = this.#logged.get(cacheKey);
    // Recordings of 1.35 kubelets show more than a burst of events a pod; within one type the burst of 25 holds.
    const spamKey = `${subject}|${event.type ?? ''}`;
    let bucket = this.#spam.get(spamKey);
    if (bucket === undefined) {
      bucket = new TokenBucket(SPAM_QPS, SPAM_BURST);
      this.#spam.set(spamKey, bucket);
    }
    if (before === undefined) {
      const name = aggregated.event.metadata.name ?? '';
      this.#logged.set(cacheKey, { count: 1, firstTimestamp: aggregated.event.firstTimestamp ?? '', name, resourceVersion: '' });
      if (!bucket.tryTake(now)) return { kind: 'drop' };
      return { kind: 'create', event: aggregated.event };
    }
    before.count++;
    if (!bucket.tryTake(now)) return { kind: 'drop' };
    const counted: Event = {
      ...aggregated.event,
      metadata: { ...aggregated.event.metadata, name: before.name },
      count: before.count,
      firstTimestamp: before.firstTimestamp,
    };
    return { kind: 'patch', event: counted, name: before.name };
  }

  #aggregate(event: Event, subject: string, now: Micros): { readonly event: Event; readonly isAggregate: boolean; readonly key: string } {
    const key = aggregateKey(event, subject);
    let aggregate = this.#aggregates.get(key);
    if (aggregate === undefined || now - aggregate.last > SIMILAR_INTERVAL) aggregate = { messages: new Set(), last: now };
    aggregate.messages.add(event.message ?? '');
    aggregate.last = now;
    this.#aggregates.set(key, aggregate);
    if (aggregate.messages.size < SIMILAR_MAX) return { event, isAggregate: false, key };
    // Upstream pops one so that the set stays at its size while many more messages come.
    const oldest = aggregate.messages.values().next().value as string;
    aggregate.messages.delete(oldest);
    return { event: { ...event, message: `(combined from similar events): ${event.message ?? ''}` }, isAggregate: true, key };
  }
}

function sourceAndObject(event: Event): string {
  const o = event.involvedObject;
  const { component = '', host = '' } = event.source ?? {};
  return `${component}|${host}|${o.kind ?? ''}|${o.namespace ?? ''}|${o.name ?? ''}|${o.uid ?? ''}|${o.apiVersion ?? ''}`;
}

function aggregateKey(event: Event, subject: string): string {
  const { involvedObject, type = '', reason = '', reportingComponent = '', reportingInstance = '' } = event;
  return `${subject}|${involvedObject.fieldPath ?? ''}|${type}|${reason}|${reportingComponent}|${reportingInstance}`;
}
