import type { ApiObject } from '../api/object.ts';
import { formatTime } from '../api/time.ts';
import type { Event, ObjectReference } from '../api/types.ts';
import type { Task } from '../../sim/task.ts';
import { Channel } from '../../sim/sync.ts';
import { SECOND } from '../../sim/time.ts';
import { EventCorrelator } from './event-correlator.ts';
import { EVENTS } from './resources.ts';
import { type ApiFailure, isAlreadyExists, isNotFound } from './result.ts';
import type { Client, ResourceClient } from './typed-client.ts';

/** Object that an event is about, as its author names it. */
export type EventSubject = ApiObject | ObjectReference;

export interface EventSourceConfig {
  /** 'kubelet', 'deployment-controller', 'default-scheduler'. */
  readonly component: string;
  /** Node name, of kubelets. */
  readonly host?: string;
}

/** Upstream record.maxTriesPerEvent and defaultSleepDuration. */
const TRIES_MAX = 12;
const QUEUE_MAX = 1000;

/** Sends events to the API server in the background: client-go tools/record. One a program; recorders of several components share it. */
export class EventBroadcaster {
  readonly #client: Client;
  readonly #correlator = new EventCorrelator();
  readonly #queue = new Channel<Event>();
  #lastStamp = 0n;

  constructor(client: Client) {
    this.#client = client;
    client.transport.process.spawn('event-broadcaster', this.#send());
  }

  recorder(source: EventSourceConfig): EventRecorder {
    return new EventRecorder(this, this.#client, source);
  }

  /** @internal */
  post(event: Event): void {
    // A full queue drops the event (DropIfChannelFull).
    if (this.#queue.length < QUEUE_MAX) this.#queue.send(event);
  }

  /** @internal Nanoseconds in hex, as event names end: two events of one instant differ. */
  stamp(): string {
    let stamp = BigInt(this.#client.transport.process.wall()) * 1000n;
    if (stamp <= this.#lastStamp) stamp = this.#lastStamp + 1n;
    this.#lastStamp = stamp;
    return stamp.toString(16);
  }

  *#send(): Task<void> {
    const process = this.#client.transport.process;
    const events = this.#client.resource(EVENTS);
    for (;;) {
      const event = yield* this.#queue.receive();
      const correlated = this.#correlator.correlate(event, process.mono());
      if (correlated.kind === 'drop') continue;
      for (let tries = 1; ; tries++) {
        const failure = yield* this.#write(events, correlated);
        // A server's refusal is final; only a call that nobody answered is tried again.
        if (failure === undefined || failure.code !== 0 || tries >= TRIES_MAX) break;
        // The first retry is spread out, so that a whole cluster does not come back at once.
        yield* process.sleep(tries === 1 ? process.random.below(10 * SECOND) : 10 * SECOND);
      }
    }
  }

  *#write(
    events: ResourceClient<Event>,
    correlated:
      | { readonly kind: 'create'; readonly event: Event }
      | { readonly kind: 'patch'; readonly event: Event; readonly name: string },
  ): Task<ApiFailure | undefined> {
    const { event } = correlated;
    if (correlated.kind === 'patch') {
      const patch = { count: event.count ?? 1, lastTimestamp: event.lastTimestamp ?? '', message: event.message ?? '' };
      const patched = yield* events.patch(event.metadata.namespace ?? '', correlated.name, 'strategic', patch);
      if (patched.ok) return undefined;
      if (!isNotFound(patched)) return patched;
    }
    const created = yield* events.create(event);
    return created.ok || isAlreadyExists(created) ? undefined : created;
  }
}

/** Records events of one component. */
export class EventRecorder {
  readonly #broadcaster: EventBroadcaster;
  readonly #client: Client;
  readonly #source: EventSourceConfig;

  constructor(broadcaster: EventBroadcaster, client: Client, source: EventSourceConfig) {
    this.#broadcaster = broadcaster;
    this.#client = client;
    this.#source = source;
  }

  event(
    subject: EventSubject,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    annotations?: { readonly [key: string]: string },
  ): void {
    const involvedObject = referenceTo(subject);
    const now = formatTime(this.#client.transport.process.wall());
    const namespace = involvedObject.namespace === undefined || involvedObject.namespace === '' ? 'default' : involvedObject.namespace;
    this.#broadcaster.post({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        name: `${involvedObject.name ?? ''}.${this.#broadcaster.stamp()}`,
        namespace,
        ...(annotations === undefined ? {} : { annotations }),
      },
      involvedObject,
      reason,
      message,
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      type,
      source:
        this.#source.host === undefined
          ? { component: this.#source.component }
          : { component: this.#source.component, host: this.#source.host },
      reportingComponent: this.#source.component,
      reportingInstance: this.#source.host ?? '',
    });
  }
}

/** Upstream reference.GetReference. */
export function referenceTo(subject: EventSubject): ObjectReference {
  if (!('metadata' in subject)) return subject;
  const { apiVersion, kind, metadata } = subject;
  return {
    kind,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    apiVersion,
    resourceVersion: metadata.resourceVersion ?? '',
  };
}
