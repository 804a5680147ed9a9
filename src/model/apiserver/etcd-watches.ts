import type { ClientStream, RpcClient } from '../../sim/rpc.ts';
import type { Process } from '../../sim/process.ts';
import type { Cancel } from '../../sim/task.ts';
import { MILLISECOND } from '../../sim/time.ts';
import type { KeyValue, WatchEvent, WatchResponse } from '../etcd/api.ts';
import type { EtcdClient } from '../etcd/client.ts';
import { type EtcdError, EtcdError as EtcdErrorClass } from '../etcd/errors.ts';
import { prefixRangeEnd } from '../etcd/keys.ts';
import { storageFailureOf } from './etcd-failure.ts';
import type { StorageEntry, StorageEvent, StorageWatchSink } from './storage.ts';
import type { StoredObject } from './stored-object.ts';

interface Followed {
  readonly id: number;
  readonly prefix: string;
  readonly sink: StorageWatchSink;
  nextRevision: number;
}

/** Pause before a broken stream is opened again (clientv3 watcher: 1 ms doubling to 100 ms; one step is enough here). */
const RESUME_US = 50 * MILLISECOND;

/**
 * All watches of one API server, multiplexed on one stream to one member, as clientv3 does for watches of one context. A broken stream is
 * opened anew, on whatever member the client talks to then, and every watch goes on from its next revision; a member that has lost its
 * leader ends them all (WithRequireLeader), because its state may lag without bound.
 */
export class EtcdWatches {
  readonly #process: Process;
  readonly #client: EtcdClient;
  readonly #followed = new Map<number, Followed>();
  #stream: ClientStream | undefined;
  #rpc: RpcClient | undefined;
  #nextId = 1;
  #timer = 0;

  constructor(process: Process, client: EtcdClient) {
    this.#process = process;
    this.#client = client;
  }

  watch(prefix: string, fromRevision: number, sink: StorageWatchSink): Cancel {
    const followed: Followed = { id: this.#nextId++, prefix, sink, nextRevision: fromRevision };
    this.#followed.set(followed.id, followed);
    if (this.#stream === undefined) {
      if (this.#timer === 0) this.#open();
    } else this.#create(this.#stream, followed);
    return () => {
      if (this.#followed.delete(followed.id)) this.#stream?.send({ type: 'cancel', watchId: followed.id });
    };
  }

  /** One request serves every watch of the stream. */
  requestProgress(): void {
    this.#stream?.send({ type: 'progress' });
  }

  #open(): void {
    this.#timer = 0;
    if (this.#followed.size === 0) return;
    const waitUs = this.#client.redialInUs;
    if (waitUs > 0) {
      // Nobody dials a member that has just refused: a new stream would only fail, and every watch with it.
      this.#timer = this.#process.after(waitUs, () => this.#open());
      return;
    }
    const rpc = this.#client.current;
    this.#rpc = rpc;
    const stream = rpc.open(
      'watch',
      { ...this.#client.metadata, requireLeader: true },
      {
        onMessage: (body) => this.#receive(body as WatchResponse),
        onEnd: (end) => this.#ended(end.by === 'server' ? end.body : undefined),
      },
      { label: 'watch' },
    );
    this.#stream = stream;
    for (const followed of this.#followed.values()) this.#create(stream, followed);
  }

  #create(stream: ClientStream, followed: Followed): void {
    stream.send({
      type: 'create',
      key: followed.prefix,
      rangeEnd: prefixRangeEnd(followed.prefix),
      startRevision: followed.nextRevision,
      prevKv: true,
      watchId: followed.id,
    });
  }

  #receive(response: WatchResponse): void {
    if (response.watchId === -1) {
      // Progress of the whole stream: every watch has seen everything up to here.
      for (const followed of [...this.#followed.values()]) this.#progress(followed, response.header.revision);
      return;
    }
    const followed = this.#followed.get(response.watchId);
    if (followed === undefined) return;
    if (response.canceled) {
      this.#followed.delete(followed.id);
      if (response.compactRevision > 0) followed.sink.closed({ failure: 'compacted', compactRevision: response.compactRevision });
      else followed.sink.closed({ failure: 'unavailable' });
      return;
    }
    if (response.created) return;
    const last = response.events[response.events.length - 1];
    if (last === undefined) {
      this.#progress(followed, response.header.revision);
      return;
    }
    const revision = last.kv.modRevision;
    if (!response.fragment) followed.nextRevision = revision + 1;
    followed.sink.events(response.events.map(toStorageEvent), revision);
  }

  #progress(followed: Followed, revision: number): void {
    if (revision + 1 < followed.nextRevision) return;
    followed.nextRevision = revision + 1;
    followed.sink.progress(revision);
  }

  #ended(body: unknown): void {
    this.#stream = undefined;
    const error: EtcdError | undefined = body instanceof EtcdErrorClass ? body : undefined;
    if (this.#rpc !== undefined && error !== undefined) this.#client.moveOn(this.#rpc);
    if (error !== undefined) {
      const closed = [...this.#followed.values()];
      this.#followed.clear();
      for (const followed of closed) followed.sink.closed(storageFailureOf(error));
      return;
    }
    if (this.#timer === 0) this.#timer = this.#process.after(RESUME_US + this.#process.random.below(RESUME_US), () => this.#open());
  }
}

export function toStorageEntry(kv: KeyValue): StorageEntry {
  return { key: kv.key, value: kv.value as StoredObject, modRevision: kv.modRevision };
}

function toStorageEvent(event: WatchEvent): StorageEvent {
  const previous = event.prevKv === undefined ? undefined : toStorageEntry(event.prevKv);
  const { key, modRevision } = event.kv;
  return event.type === 'PUT'
    ? { type: 'put', key, value: event.kv.value as StoredObject, modRevision, previous }
    : { type: 'delete', key, modRevision, previous };
}
