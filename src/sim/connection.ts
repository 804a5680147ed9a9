import type { EventId } from './event-queue.ts';
import type { Host } from './host.ts';
import type { Link } from './link.ts';
import type { Endpoint, Network } from './network.ts';
import type { Process } from './process.ts';
import { type Micros, SECOND } from './time.ts';
import { EVENT_KIND } from './trace.ts';
import type { World } from './world.ts';

/** Why a connection ended, as its own side sees it. */
export type CloseReason =
  /** Nobody listens there, or the other host's kernel refused. Nothing of ours was taken. */
  | 'refused'
  /** Could not be opened in time: host down or unreachable. */
  | 'connect-timeout'
  /** The other side closed in an orderly way. */
  | 'closed'
  /** The other side's process died, or its host came back without knowing us. */
  | 'reset'
  /** Silence for longer than the keep-alive allows. */
  | 'keepalive-timeout';

/** What a program does with a connection. All run in the owning process. */
export interface ConnectionHandlers {
  onOpen?(connection: Connection): void;
  onMessage(payload: unknown, connection: Connection): void;
  onClose?(reason: CloseReason, connection: Connection): void;
}

export interface ConnectOptions {
  /** Give up opening after this long. Default 30 s (Go's net/http dialer). */
  readonly connectTimeoutUs?: Micros;
  readonly keepAliveUs?: Micros;
  /** CPU the owner pays for each message. */
  readonly messageCostUs?: Micros;
  /** `send` answers false while more than this is on its way. Default 4 MiB. */
  readonly bufferBytesMax?: number;
}

/** @internal */
export interface Segment {
  readonly id: number;
  readonly seq: number;
  readonly payload: unknown;
  readonly sizeBytes: number;
  /** Not data: the sender's side ended. */
  readonly close: CloseReason | undefined;
}

const RETRIES_MAX = 15;

/**
 * One side of a TCP-like connection: ordered, reliable while it lives, half-open when the other side vanished.
 * A segment that the link loses or cuts is retransmitted with a doubling time-out. Acknowledgements are not messages: a direction that
 * is cut does not stop data in the other one, but keep-alives do notice, after `keepAliveUs` of silence. Keep-alives are
 * checked only after something could have silenced the peer, so an idle healthy connection has no events.
 * Long because both ends of a connection see each other's private state; the functions at the end are what the event queue calls.
 */
export class Connection {
  readonly process: Process;
  readonly endpoint: Endpoint;
  readonly source: number;
  readonly #world: World;
  readonly #network: Network;
  readonly #options: ConnectOptions;
  #handlers: ConnectionHandlers;
  state: 'connecting' | 'open' | 'closed' = 'connecting';
  /** The other side, once open. */
  peer: Connection | undefined;
  /** This side's memory is gone (its host lost power): the peer does not know yet. */
  #lost = false;
  /** Messages that wait for the CPU are still handed to the program: until it closes, or the connection breaks. */
  #hears = true;
  #nextSend = 1;
  #nextReceive = 1;
  #lastArrival: Micros = 0;
  #stalled: Segment[] = [];
  #early: Map<number, Segment> | undefined;
  #retries = 0;
  /** The waiting retransmission and the waiting next SYN; 0: none. Taken back once needless, or every short connection leaves two events. */
  #retransmission: EventId = 0;
  #nextSyn: EventId = 0;
  #suspected = false;
  #connectDeadline: Micros = 0;
  /** Bytes sent and not yet delivered. */
  bufferedBytes = 0;

  constructor(world: World, network: Network, process: Process, endpoint: Endpoint, handlers: ConnectionHandlers, options: ConnectOptions) {
    this.#world = world;
    this.#network = network;
    this.process = process;
    this.endpoint = endpoint;
    this.#handlers = handlers;
    this.#options = options;
    this.source = process.newSource();
    process.connections.add(this);
  }

  /**
   * Sends a message in order. False when the connection is closed or its buffer is full: the message is not sent. A sender that would
   * block until there is room, rather than go without, passes `always`.
   */
  send(payload: unknown, sizeBytes: number, always = false): boolean {
    if (this.state === 'closed') return false;
    if (!always && this.bufferedBytes > (this.#options.bufferBytesMax ?? 4_194_304)) return false;
    if (!this.process.effect('send')) return true;
    this.#transmit({ id: this.#network.nextMessageId(), seq: this.#nextSend++, payload, sizeBytes, close: undefined });
    return true;
  }

  /** Ends the connection in an orderly way; what was sent before still arrives. */
  close(): void {
    if (this.state === 'closed') return;
    this.#hears = false;
    const wasOpen = this.state === 'open';
    // A process that dies right here leaves the socket to its host's kernel, which tells the other side.
    if (wasOpen && !this.process.effect('send')) return;
    this.#end();
    if (wasOpen) this.#transmitClose('closed');
    else this.#forget();
  }

  /** The host at the other end, where known. */
  remoteHost(): Host | undefined {
    return this.peer?.process.host ?? this.endpoint.host;
  }

  /** @internal Starts the handshake. */
  open(): void {
    this.#connectDeadline = this.#world.now + (this.#options.connectTimeoutUs ?? 30 * SECOND);
    if (this.process.effect('send')) this.#trySyn(0);
  }

  /** @internal Something may have silenced the peer: look again after the keep-alive time. */
  suspect(): void {
    if (this.#suspected || this.state === 'closed') return;
    this.#lookAgainAt(this.#world.now + (this.#options.keepAliveUs ?? this.#world.calibration.keepAliveUs));
  }

  /** @internal The owner died: told to the peer by the host's kernel, unless the host died too. */
  ownerDied(tellPeer: boolean): void {
    if (this.state === 'closed') return;
    const wasOpen = this.state === 'open';
    this.state = 'closed';
    if (tellPeer && wasOpen) this.#transmitClose('reset');
    else this.#forget();
  }

  /** @internal */
  keepAliveDue(): void {
    this.#suspected = false;
    if (this.state !== 'open' || !this.process.alive) return;
    const peer = this.peer as Connection;
    const there = this.#network.link(this.process.host, peer.process.host);
    const back = this.#network.link(peer.process.host, this.process.host);
    const { process } = peer;
    const silentSince = Math.min(
      there?.blocked === true ? there.blockedSince : Number.POSITIVE_INFINITY,
      back?.blocked === true ? back.blockedSince : Number.POSITIVE_INFINITY,
      process.host.up ? Number.POSITIVE_INFINITY : process.host.downSince,
      process.state === 'paused' ? process.pausedSince : Number.POSITIVE_INFINITY,
    );
    const keepAliveUs = this.#options.keepAliveUs ?? this.#world.calibration.keepAliveUs;
    if (silentSince + keepAliveUs > this.#world.now && silentSince !== Number.POSITIVE_INFINITY) {
      // What silenced it first is over, and this is another, shorter silence.
      this.#lookAgainAt(silentSince + keepAliveUs);
    } else if (silentSince !== Number.POSITIVE_INFINITY) {
      this.#closed('keepalive-timeout');
      // The socket is closed; the other side hears of it once it can.
      this.#transmitClose('reset');
    } else if (peer.#lost) this.#closed('reset');
  }

  /** @internal One attempt of the handshake. */
  trySynAgain(attempt: number): void {
    if (this.state === 'connecting' && this.process.alive) this.#trySyn(attempt);
  }

  /** @internal The SYN arrived at the other host. */
  synArrived(): void {
    const host = this.endpoint.host;
    const listener = this.endpoint.listener;
    if (this.state !== 'connecting') return;
    if (host?.up !== true) return; // no answer: the client tries again
    const there = this.#network.link(this.process.host, host);
    const back = this.#network.link(host, this.process.host);
    if (there?.blocked || back?.blocked) {
      (there?.blocked ? there : back)?.countBlocked();
      return;
    }
    const passage = back?.pass(this.#world.now, 64);
    const delay = passage?.delayUs ?? this.#world.calibration.loopbackUs;
    const refused = listener?.onAccept === undefined || !listener.process.alive;
    // A repeated SYN (its first answer is late) finds the connection half made already.
    let made: Connection | undefined;
    if (!refused && this.peer === undefined) {
      const other = new Connection(this.#world, this.#network, listener.process, this.endpoint, NO_HANDLERS, {
        messageCostUs: listener.costUs,
        ...(this.#options.keepAliveUs === undefined ? {} : { keepAliveUs: this.#options.keepAliveUs }),
      });
      other.state = 'open';
      other.peer = this;
      this.peer = other;
      made = other;
      // What the server says at once does not overtake the answer to the SYN.
      other.#lastArrival = this.#world.now + delay;
    }
    if (passage?.lost !== true)
      this.#world.queue.post(this.#world.now + delay, this.process.host.index, EVENT_KIND.connection, onSynAnswer, this, refused);
    if (made !== undefined && listener !== undefined)
      made.process.deliver(made.source, listener.costUs, accept as (a: unknown, b: unknown) => void, listener.onAccept, made);
  }

  /** @internal */
  synAnswered(refused: boolean): void {
    if (this.state === 'open') return;
    const back = this.endpoint.host === undefined ? undefined : this.#network.link(this.endpoint.host, this.process.host);
    if (back?.blocked) {
      back.countBlocked();
      return;
    }
    if (this.state === 'closed' || !this.process.alive) {
      // Given up meanwhile: the other side holds a connection that we know nothing of.
      if (this.process.host.up && this.peer !== undefined) this.peer.#resetSoon(undefined);
      return;
    }
    if (refused) {
      this.#closed('refused');
      return;
    }
    this.state = 'open';
    this.#world.queue.cancel(this.#nextSyn);
    if (this.#stalled.length > 0) this.retransmit();
    this.process.deliver(this.source, this.#cost(), opened as (a: unknown, b: unknown) => void, this.#handlers, this);
  }

  /** @internal A segment of the other side arrived at this host. */
  segmentArrived(segment: Segment, sender: Connection): void {
    const link = this.#network.link(sender.process.host, this.process.host);
    // The answer to the SYN may be lost where what was said after it is not.
    if (link?.blocked || !this.process.host.up || this.state === 'connecting') {
      if (link?.blocked) link.countBlocked();
      sender.#stall(segment);
      return;
    }
    if (this.#lost) {
      // The host came back without knowing this connection: it answers with a reset.
      const back = this.#network.link(this.process.host, sender.process.host);
      if (back?.blocked) sender.#stall(segment);
      else if (sender.state === 'open') sender.#resetSoon(back);
      return;
    }
    if (this.state === 'closed' && segment.close === undefined && sender.state === 'open') {
      // Data for a socket that is closed here: the kernel answers with a reset.
      sender.#resetSoon(this.#network.link(this.process.host, sender.process.host));
      return;
    }
    if (segment.seq !== this.#nextReceive) {
      if (segment.seq > this.#nextReceive) {
        this.#early ??= new Map();
        this.#early.set(segment.seq, segment);
      }
      return;
    }
    this.#take(segment, sender);
    while (this.#early !== undefined && this.#early.size > 0) {
      const next = this.#early.get(this.#nextReceive);
      if (next === undefined) break;
      this.#early.delete(next.seq);
      this.#take(next, sender);
    }
  }

  /** @internal */
  retransmit(): void {
    this.#world.queue.cancel(this.#retransmission);
    this.#retransmission = 0;
    if (this.#stalled.length === 0 || this.peer === undefined) return;
    if (this.#lost || (this.state === 'closed' && !this.process.host.up)) return;
    const target = this.peer.process.host;
    const link = this.#network.link(this.process.host, target);
    if (link?.blocked || !target.up) {
      if (link?.blocked) link.countBlocked();
      this.#retries++;
      if (this.#retries > RETRIES_MAX) {
        if (this.state === 'open') this.#closed('keepalive-timeout');
        this.#stalled = [];
        if (this.peer.state === 'open') this.peer.suspect();
        return;
      }
      this.#scheduleRetransmit();
      return;
    }
    this.#retries = 0;
    const segments = this.#stalled.sort((x, y) => x.seq - y.seq);
    this.#stalled = [];
    for (const segment of segments) this.#forward(segment);
  }

  /** @internal Replaces the handlers of an accepted connection. */
  adopt(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
  }

  /** @internal */
  resetArrived(): void {
    if (this.state === 'open' && this.process.alive) this.#closed('reset');
  }

  /** Nobody here knows the connection any more. The other side, if it is half made, finds out: at its next word, or by its keep-alive. */
  #forget(): void {
    this.#lost = true;
    this.peer?.suspect();
  }

  #lookAgainAt(at: Micros): void {
    this.#suspected = true;
    this.#world.queue.post(at, this.process.host.index, EVENT_KIND.connection, onKeepAlive, this, undefined);
  }

  #trySyn(attempt: number): void {
    const world = this.#world;
    const departure = Math.max(this.process.leaveAt, world.now);
    if (departure >= this.#connectDeadline) {
      this.#forget();
      this.#closed('connect-timeout');
      return;
    }
    const host = this.endpoint.host;
    if (host !== undefined) {
      const link = this.#network.link(this.process.host, host);
      if (link?.blocked) link.countBlocked();
      else {
        const passage = link?.pass(departure, 64);
        if (passage?.lost !== true) {
          const arrival = departure + (passage?.delayUs ?? world.calibration.loopbackUs);
          world.queue.post(arrival, host.index, EVENT_KIND.connection, onSyn, this, undefined);
        }
      }
    }
    // Linux sends the SYN again after 1, 2, 4 … s.
    const again = Math.min(departure + world.calibration.connectRetryUs * 2 ** attempt, this.#connectDeadline);
    this.#nextSyn = world.queue.schedule(again, this.process.host.index, EVENT_KIND.connection, onSynRetry, this, attempt + 1);
  }

  #transmit(segment: Segment): void {
    this.bufferedBytes += segment.sizeBytes;
    const recorder = this.#world.recorder;
    if (recorder !== undefined) {
      const kind = segment.close === undefined ? 'data' : 'close';
      const to = this.peer === undefined ? `${this.endpoint.address}:${this.endpoint.port}` : this.peer.process.label;
      recorder.sent(segment.id, Math.max(this.process.leaveAt, this.#world.now), this.process.label, to, kind, segment.payload);
    }
    this.#forward(segment);
  }

  /** Puts a segment on the wire, for the first time or again. */
  #forward(segment: Segment): void {
    const world = this.#world;
    const departure = Math.max(this.process.leaveAt, world.now);
    const peer = this.peer;
    if (peer === undefined) {
      this.#stall(segment); // sent before the handshake ended: waits for it
      return;
    }
    const link = this.#network.link(this.process.host, peer.process.host);
    if (link?.blocked) {
      link.countBlocked();
      this.#stall(segment);
      return;
    }
    const passage = link?.pass(departure, segment.sizeBytes);
    if (passage?.lost) {
      this.#stall(segment);
      return;
    }
    this.#lastArrival = Math.max(this.#lastArrival, departure + (passage?.delayUs ?? world.calibration.loopbackUs));
    world.queue.post(this.#lastArrival, peer.process.host.index, EVENT_KIND.segment, onSegment, this, segment);
  }

  #transmitClose(reason: CloseReason): void {
    this.#transmit({ id: this.#network.nextMessageId(), seq: this.#nextSend++, payload: undefined, sizeBytes: 0, close: reason });
  }

  #stall(segment: Segment): void {
    this.#stalled.push(segment);
    this.#scheduleRetransmit();
  }

  #scheduleRetransmit(): void {
    if (this.#retransmission !== 0) return;
    const { retransmitUs, retransmitMaxUs } = this.#world.calibration;
    const delay = Math.min(retransmitUs * 2 ** Math.min(this.#retries, 20), retransmitMaxUs);
    const due = this.#world.now + delay;
    this.#retransmission = this.#world.queue.schedule(due, this.process.host.index, EVENT_KIND.connection, onRetransmit, this, undefined);
  }

  #take(segment: Segment, sender: Connection): void {
    this.#nextReceive++;
    sender.bufferedBytes -= segment.sizeBytes;
    this.#world.recorder?.delivered(segment.id, this.#world.now);
    if (this.state === 'closed' || !this.process.alive) return;
    if (segment.close !== undefined) {
      this.#closed(segment.close);
      return;
    }
    this.process.deliver(this.source, this.#cost(), messageArrived as (a: unknown, b: unknown) => void, this, segment.payload);
  }

  #resetSoon(back: Link | undefined): void {
    const delay = back === undefined ? this.#world.calibration.loopbackUs : back.pass(this.#world.now, 64).delayUs;
    this.#world.queue.post(this.#world.now + delay, this.process.host.index, EVENT_KIND.connection, onReset, this, undefined);
  }

  #closed(reason: CloseReason): void {
    this.#end();
    if (reason !== 'closed') this.#hears = false;
    this.process.deliver(this.source, this.#cost(), closedBy as (a: unknown, b: unknown) => void, this, reason);
  }

  #end(): void {
    this.state = 'closed';
    this.#world.queue.cancel(this.#nextSyn);
    this.process.connections.delete(this);
  }

  /** @internal */
  dispatch(payload: unknown): void {
    if (this.#hears) this.#handlers.onMessage(payload, this);
  }

  /** @internal */
  dispatchClose(reason: CloseReason): void {
    this.#handlers.onClose?.(reason, this);
  }

  #cost(): Micros {
    return this.#options.messageCostUs ?? this.#world.calibration.resumeUs;
  }
}

const NO_HANDLERS: ConnectionHandlers = { onMessage: () => undefined };

function accept(onAccept: (connection: Connection) => ConnectionHandlers, connection: Connection): void {
  connection.adopt(onAccept(connection));
}

function opened(handlers: ConnectionHandlers, connection: Connection): void {
  if (connection.state === 'open') handlers.onOpen?.(connection);
}

function messageArrived(connection: Connection, payload: unknown): void {
  connection.dispatch(payload);
}

function closedBy(connection: Connection, reason: CloseReason): void {
  connection.dispatchClose(reason);
}

function onSyn(connection: unknown): void {
  (connection as Connection).synArrived();
}

function onSynRetry(connection: unknown, attempt: unknown): void {
  (connection as Connection).trySynAgain(attempt as number);
}

function onSynAnswer(connection: unknown, refused: unknown): void {
  (connection as Connection).synAnswered(refused as boolean);
}

function onSegment(sender: unknown, segment: unknown): void {
  const from = sender as Connection;
  from.peer?.segmentArrived(segment as Segment, from);
}

function onRetransmit(connection: unknown): void {
  (connection as Connection).retransmit();
}

function onReset(connection: unknown): void {
  (connection as Connection).resetArrived();
}

function onKeepAlive(connection: unknown): void {
  (connection as Connection).keepAliveDue();
}
