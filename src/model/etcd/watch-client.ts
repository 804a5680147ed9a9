import type { Process } from '../../sim/process.ts';
import type { ClientStream, RpcClient } from '../../sim/rpc.ts';
import { MILLISECOND } from '../../sim/time.ts';
import type { Revision, WatchEvent, WatchFilter, WatchResponse } from './api.ts';
import type { EtcdClient } from './client.ts';
import { type EtcdError, etcdError, isError } from './errors.ts';

/** What to follow. */
export interface WatchOptions {
  readonly key: string;
  readonly rangeEnd?: string;
  /** 0 or absent: from now on. */
  readonly startRevision?: Revision;
  readonly prevKv?: boolean;
  readonly filters?: readonly WatchFilter[];
  readonly progressNotify?: boolean;
  /** Large responses may come in pieces; the sink gets them whole all the same. */
  readonly fragment?: boolean;
}

/** Who follows. Called in order of revision. */
export interface WatchSink {
  events(events: readonly WatchEvent[], revision: Revision): void;
  /** Everything up to this revision has been delivered. */
  progress?(revision: Revision): void;
  /** The server took the watch, anew after a break too: it is at `revision` and tells what happens from `startRevision` on. */
  created?(revision: Revision, endpoint: string, startRevision: Revision): void;
  /** The watch is over: compacted, refused. Nothing comes after this. */
  closed(error: EtcdError, compactRevision: Revision): void;
}

/** Pause before a broken watch is opened again. */
const RESUME_US = 50 * MILLISECOND;

/**
 * A watch that survives its connection (clientv3.watcher): after a break it goes on, on whatever member the client is connected to then,
 * from the revision after the last one that it delivered.
 */
export class EtcdWatch {
  readonly #process: Process;
  readonly #client: EtcdClient;
  readonly #options: WatchOptions;
  readonly #sink: WatchSink;
  #stream: ClientStream | undefined;
  #rpc: RpcClient | undefined;
  #nextRevision: Revision;
  #watchId = -1;
  #timer = 0;
  #closed = false;
  /** Events of the pieces that came of a response. */
  #pieces: readonly WatchEvent[] = [];

  constructor(process: Process, client: EtcdClient, options: WatchOptions, sink: WatchSink) {
    this.#process = process;
    this.#client = client;
    this.#options = options;
    this.#sink = sink;
    this.#nextRevision = options.startRevision ?? 0;
    this.#open();
  }

  /** Asks for a progress message. */
  requestProgress(): void {
    this.#stream?.send({ type: 'progress' });
  }

  /** Ends the watch. */
  cancel(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#timer !== 0) this.#process.cancel(this.#timer);
    this.#stream?.cancel();
    this.#stream = undefined;
  }

  #open(): void {
    const waitUs = this.#client.redialInUs;
    if (waitUs > 0) {
      this.#timer = this.#process.after(waitUs, () => this.#open());
      return;
    }
    this.#timer = 0;
    const rpc = this.#client.current;
    this.#rpc = rpc;
    const stream = rpc.open(
      'watch',
      this.#client.metadata,
      {
        onMessage: (body) => this.#receive(body as WatchResponse),
        onEnd: (end) => this.#ended(end.by === 'server' ? end.body : undefined),
      },
      { label: `watch ${this.#options.key}` },
    );
    this.#stream = stream;
    // What a broken stream left unfinished comes again from the start.
    this.#pieces = [];
    const { key, rangeEnd = '', prevKv = false, filters = [], progressNotify = false, fragment = false } = this.#options;
    stream.send({ type: 'create', key, rangeEnd, prevKv, filters, progressNotify, fragment, startRevision: this.#nextRevision });
  }

  #receive(response: WatchResponse): void {
    if (this.#closed) return;
    if (response.canceled) {
      const compacted = response.compactRevision > 0;
      this.#close(etcdError(compacted ? 'compacted' : 'watchCanceled'), response.compactRevision);
      return;
    }
    if (response.created) {
      this.#watchId = response.watchId;
      // From now on means from the revision at which the server took the watch: a break right after must not lose what follows.
      if (this.#nextRevision === 0) this.#nextRevision = response.header.revision + 1;
      this.#sink.created?.(response.header.revision, this.#rpc?.endpoint.address ?? '', this.#nextRevision);
      return;
    }
    if (response.events.length > 0) {
      const events = this.#pieces.length === 0 ? response.events : [...this.#pieces, ...response.events];
      this.#pieces = response.fragment ? events : [];
      if (response.fragment) return;
      const last = events[events.length - 1];
      if (last !== undefined) this.#nextRevision = last.kv.modRevision + 1;
      this.#sink.events(events, response.header.revision);
      return;
    }
    if (response.watchId === this.#watchId || response.watchId === -1) {
      this.#nextRevision = Math.max(this.#nextRevision, response.header.revision + 1);
      this.#sink.progress?.(response.header.revision);
    }
  }

  #ended(body: unknown): void {
    if (this.#closed) return;
    this.#stream = undefined;
    const error = body instanceof Error && isError(body as EtcdError) ? (body as EtcdError) : undefined;
    // A stream that was cut for lack of a leader is opened again elsewhere; anything else said by the server ends the watch.
    if (error !== undefined && error.code !== 'noLeader') {
      this.#close(error, 0);
      return;
    }
    if (this.#rpc !== undefined && error !== undefined) this.#client.moveOn(this.#rpc);
    this.#timer = this.#process.after(RESUME_US + this.#process.random.below(RESUME_US), () => this.#open());
  }

  #close(error: EtcdError, compactRevision: Revision): void {
    this.#closed = true;
    this.#stream?.cancel();
    this.#stream = undefined;
    this.#sink.closed(error, compactRevision);
  }
}
