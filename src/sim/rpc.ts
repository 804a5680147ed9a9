import type { CloseReason, Connection, ConnectOptions } from './connection.ts';
import type { Endpoint } from './network.ts';
import type { Process } from './process.ts';
import type { HoldableStream } from './stream-faults.ts';
import { type Task, suspend } from './task.ts';
import type { Micros } from './time.ts';

/**
 * Calls and streams over one connection, as HTTP/2 and gRPC multiplex them. A caller cannot tell a lost request from a lost
 * answer: both are `closed` or `timeout`; only `refused` says that nothing was taken.
 */
export type RpcError = 'refused' | 'connect-timeout' | 'timeout' | 'closed';
export type RpcResult<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: RpcError };

/** Frames on the wire. `id` is the caller's. */
type Frame =
  | { readonly t: 'call'; readonly id: number; readonly method: string; readonly body: unknown }
  | { readonly t: 'open'; readonly id: number; readonly method: string; readonly body: unknown }
  | { readonly t: 'answer'; readonly id: number; readonly body: unknown }
  | { readonly t: 'message'; readonly id: number; readonly body: unknown }
  | { readonly t: 'end'; readonly id: number; readonly body: unknown }
  | { readonly t: 'cancel'; readonly id: number };

const FRAME_BYTES = 64;

/** What a caller hears of a stream. */
export interface StreamHandlers {
  onMessage(body: unknown): void;
  /** The server ended the stream with a last word, or the connection is gone. Called once, and not after `cancel`. */
  onEnd(end: { readonly by: 'server'; readonly body: unknown } | { readonly by: 'connection'; readonly error: RpcError }): void;
}

/** The caller's side of a stream. */
export interface ClientStream {
  send(body: unknown, sizeBytes?: number): void;
  cancel(): void;
}

interface Pending {
  readonly resolve: ((result: RpcResult<unknown>) => void) | undefined;
  readonly handlers: StreamHandlers | undefined;
  readonly hold: HeldStream | undefined;
  /** What it was sent over: the end of that connection is its end, even when a newer one has taken its place already. */
  connection: Connection | undefined;
}

/** What a stalled stream keeps back. */
interface HeldStream extends HoldableStream {
  readonly queue: Frame[];
}

/** A client of one endpoint: connects at the first call and again after the connection broke. */
export class RpcClient {
  readonly #process: Process;
  readonly #endpoint: Endpoint;
  readonly #options: ConnectOptions;
  readonly #pending = new Map<number, Pending>();
  #connection: Connection | undefined;
  #nextId = 1;
  /** Told when the connection breaks: a client that sticks to an endpoint chooses another one then. */
  onDisconnect: ((reason: CloseReason) => void) | undefined;

  constructor(process: Process, endpoint: Endpoint, options: ConnectOptions = {}) {
    this.#process = process;
    this.#endpoint = endpoint;
    this.#options = options;
  }

  get endpoint(): Endpoint {
    return this.#endpoint;
  }

  get connected(): boolean {
    return this.#connection?.state === 'open';
  }

  /** One call. After `timeoutUs` on this host's clock the answer is `timeout`, and the server is told that nobody waits any more. */
  *call<T>(method: string, body: unknown, options: { readonly timeoutUs?: Micros; readonly sizeBytes?: number } = {}): Task<RpcResult<T>> {
    return yield* suspend<RpcResult<T>>((resolve) => this.callThen(method, body, options, resolve as (result: RpcResult<unknown>) => void));
  }

  /** As {@link call}, with a callback: for hot paths. The answer gives the call up. */
  callThen(
    method: string,
    body: unknown,
    options: { readonly timeoutUs?: Micros; readonly sizeBytes?: number },
    done: (result: RpcResult<unknown>) => void,
  ): () => void {
    const id = this.#nextId++;
    let timer = 0;
    // An answer and the end of the wait may both be queued at a busy process: what comes first counts.
    let over = false;
    const settle = (result: RpcResult<unknown>) => {
      if (timer !== 0) this.#process.cancel(timer);
      if (over) return;
      over = true;
      done(result);
    };
    const giveUp = () => {
      if (timer !== 0) this.#process.cancel(timer);
      this.#cancel(id);
    };
    this.#pending.set(id, { resolve: settle, handlers: undefined, hold: undefined, connection: undefined });
    if (options.timeoutUs !== undefined) {
      timer = this.#process.after(options.timeoutUs, () => {
        giveUp();
        if (over) return;
        over = true;
        done({ ok: false, error: 'timeout' });
      });
    }
    this.#send({ t: 'call', id, method, body }, FRAME_BYTES + (options.sizeBytes ?? 256));
    return giveUp;
  }

  /** Opens a stream. `label` names it to faults that stall single streams, such as `watch pods`. */
  open(
    method: string,
    body: unknown,
    handlers: StreamHandlers,
    options: { readonly sizeBytes?: number; readonly label?: string } = {},
  ): ClientStream {
    const id = this.#nextId++;
    const sizeBytes = options.sizeBytes ?? 256;
    const queue: Frame[] = [];
    const hold: HeldStream = {
      process: this.#process.name,
      label: options.label ?? method,
      queue,
      release: (oldestOnly) => {
        const flush = () => {
          for (const frame of queue.splice(0, oldestOnly ? 1 : queue.length)) this.#toStream(frame);
        };
        this.#process.deliver(id, this.#process.world.calibration.resumeUs, flush, undefined, undefined);
      },
    };
    this.#pending.set(id, { resolve: undefined, handlers, hold, connection: undefined });
    this.#send({ t: 'open', id, method, body }, FRAME_BYTES + sizeBytes);
    return {
      send: (message, bytes = 128) => {
        this.#pending.get(id)?.connection?.send({ t: 'message', id, body: message } satisfies Frame, FRAME_BYTES + bytes, true);
      },
      cancel: () => this.#cancel(id),
    };
  }

  /** Drops the connection; calls in flight answer `closed`. */
  disconnect(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.close();
    if (connection !== undefined) this.#failAll('closed', connection);
  }

  #cancel(id: number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    if (pending.hold !== undefined) this.#process.world.streams.ended(pending.hold);
    pending.connection?.send({ t: 'cancel', id } satisfies Frame, FRAME_BYTES, true);
  }

  #send(frame: Frame & { readonly t: 'call' | 'open' }, sizeBytes: number): void {
    if (this.#connection === undefined || this.#connection.state === 'closed') {
      this.#connection = this.#process.world.network.connect(
        this.#process,
        this.#endpoint,
        { onMessage: (payload) => this.#receive(payload as Frame), onClose: (reason, connection) => this.#lost(reason, connection) },
        this.#options,
      );
    }
    (this.#pending.get(frame.id) as Pending).connection = this.#connection;
    // A frame that finds the buffer full waits for room, as a write to a socket does.
    this.#connection.send(frame, sizeBytes, true);
  }

  #receive(frame: Frame): void {
    const pending = this.#pending.get(frame.id);
    if (pending === undefined) return;
    if (pending.hold !== undefined) {
      // What came before it waits (for the end of the hold, or for the CPU): a stream keeps its order, its end included.
      if (this.#process.world.streams.holds(pending.hold) || pending.hold.queue.length > 0) pending.hold.queue.push(frame);
      else this.#toStream(frame);
    } else if (frame.t === 'answer') {
      this.#pending.delete(frame.id);
      pending.resolve?.({ ok: true, value: frame.body });
    }
  }

  #toStream(frame: Frame): void {
    const pending = this.#pending.get(frame.id);
    if (pending?.hold === undefined) return;
    if (frame.t === 'message') pending.handlers?.onMessage(frame.body);
    else if (frame.t === 'end') {
      this.#pending.delete(frame.id);
      this.#process.world.streams.ended(pending.hold);
      pending.handlers?.onEnd({ by: 'server', body: frame.body });
    }
  }

  #lost(reason: CloseReason, connection: Connection): void {
    const isCurrent = connection === this.#connection;
    if (isCurrent) this.#connection = undefined;
    // A process that was stopped may send before it hears that its connection is gone: what went over the old one still ends here.
    this.#failAll(reason === 'refused' || reason === 'connect-timeout' ? reason : 'closed', connection);
    if (isCurrent) this.onDisconnect?.(reason);
  }

  #failAll(error: RpcError, connection: Connection): void {
    const pending = [...this.#pending.entries()].filter(([, call]) => call.connection === connection).sort(([x], [y]) => x - y);
    for (const [id] of pending) this.#pending.delete(id);
    for (const [, call] of pending) {
      if (call.hold !== undefined) this.#process.world.streams.ended(call.hold);
      call.resolve?.({ ok: false, error });
      call.handlers?.onEnd({ by: 'connection', error });
    }
  }
}

/** The server's side of one call or stream. */
export class ServerCall {
  readonly #connection: Connection;
  readonly #id: number;
  /** The open calls of the connection, of which this is one. */
  readonly #calls: Map<number, ServerCall>;
  #open = true;
  /** The caller sent a message on its stream. */
  onMessage: ((body: unknown) => void) | undefined;
  /** The caller gave up or its connection is gone: nobody waits for the answer. */
  onCancel: (() => void) | undefined;

  constructor(connection: Connection, id: number, calls: Map<number, ServerCall>) {
    this.#connection = connection;
    this.#id = id;
    this.#calls = calls;
  }

  get open(): boolean {
    return this.#open;
  }

  /** Bytes on their way to this caller: a slow reader. */
  get bufferedBytes(): number {
    return this.#connection.bufferedBytes;
  }

  /** Answers a call. Does nothing when nobody waits. */
  answer(body: unknown, sizeBytes = 256): void {
    if (!this.#open) return;
    this.#open = false;
    this.#calls.delete(this.#id);
    this.#connection.send({ t: 'answer', id: this.#id, body } satisfies Frame, FRAME_BYTES + sizeBytes, true);
  }

  /** Sends one message of a stream. False when the caller does not keep up or is gone. */
  send(body: unknown, sizeBytes = 256): boolean {
    return this.#open && this.#connection.send({ t: 'message', id: this.#id, body } satisfies Frame, FRAME_BYTES + sizeBytes);
  }

  /** Ends a stream with a last word. */
  end(body: unknown): void {
    if (!this.#open) return;
    this.#open = false;
    this.#calls.delete(this.#id);
    this.#connection.send({ t: 'end', id: this.#id, body } satisfies Frame, FRAME_BYTES, true);
  }

  /** @internal */
  cancelled(): void {
    if (!this.#open) return;
    this.#open = false;
    this.onCancel?.();
  }
}

export interface RpcHandlers {
  /** A call: answer it now or later through `call.answer`. */
  call?(method: string, body: unknown, call: ServerCall): void;
  /** A stream was opened. */
  open?(method: string, body: unknown, call: ServerCall): void;
}

/** Serves calls and streams on an endpoint. `costUs` is the CPU each frame takes. Answers a function that drops all connections. */
export function serveRpc(process: Process, address: string, port: string, handlers: RpcHandlers, costUs?: Micros): () => void {
  const connections = new Set<Connection>();
  process.world.network.listen(process, address, port, {
    ...(costUs === undefined ? {} : { costUs }),
    onAccept: (connection) => {
      connections.add(connection);
      const calls = new Map<number, ServerCall>();
      return {
        onMessage: (payload) => {
          const frame = payload as Frame;
          if (frame.t === 'call' || frame.t === 'open') {
            const call = new ServerCall(connection, frame.id, calls);
            calls.set(frame.id, call);
            if (frame.t === 'call') handlers.call?.(frame.method, frame.body, call);
            else handlers.open?.(frame.method, frame.body, call);
          } else if (frame.t === 'message') calls.get(frame.id)?.onMessage?.(frame.body);
          else if (frame.t === 'cancel') {
            const call = calls.get(frame.id);
            calls.delete(frame.id);
            call?.cancelled();
          }
        },
        onClose: () => {
          connections.delete(connection);
          const open = [...calls.entries()].sort(([x], [y]) => x - y);
          calls.clear();
          for (const [, call] of open) call.cancelled();
        },
      };
    },
  });
  return () => {
    for (const connection of connections) connection.close();
    connections.clear();
  };
}
