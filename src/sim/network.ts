import { assert } from './assert.ts';
import { Connection, type ConnectionHandlers, type ConnectOptions } from './connection.ts';
import type { Host } from './host.ts';
import { type EffectCounter, Link } from './link.ts';
import type { Process } from './process.ts';
import type { Micros } from './time.ts';
import { type DropReason, EVENT_KIND } from './trace.ts';
import type { World } from './world.ts';

/** Takes datagrams that arrive at an endpoint. Runs in the listening process. */
export type DatagramHandler = (payload: unknown, from: Process) => void;
/** Takes a connection that was opened towards an endpoint; answers with what to do with its messages. */
export type AcceptHandler = (connection: Connection) => ConnectionHandlers;

/** Where messages go: an address (a host's name, or an IP bound to one) and a port. One object a pair, so nothing is looked up on send. */
export interface Endpoint {
  readonly address: string;
  readonly port: string;
  /** Host the address lives on now; undefined: nowhere. */
  host: Host | undefined;
  listener:
    | { readonly process: Process; readonly onDatagram?: DatagramHandler; readonly onAccept?: AcceptHandler; readonly costUs: Micros }
    | undefined;
}

interface Datagram {
  readonly id: number;
  readonly endpoint: Endpoint;
  readonly from: Process;
  readonly payload: unknown;
  readonly link: Link | undefined;
}

/**
 * The network: datagrams, TCP-like connections, and per direction of each pair of hosts a {@link Link} that faults act on.
 * Partitions also hit messages in flight. A caller cannot tell a lost request from a lost answer.
 */
export class Network {
  readonly #world: World;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #addresses = new Map<string, Host>();
  readonly #byAddress = new Map<string, Endpoint[]>();
  #nextMessage = 1;

  constructor(world: World) {
    this.#world = world;
  }

  /** The endpoint of that address and port; always the same object. */
  endpoint(address: string, port: string): Endpoint {
    const key = `${address}:${port}`;
    let endpoint = this.#endpoints.get(key);
    if (endpoint === undefined) {
      endpoint = { address, port, host: this.#addresses.get(address) ?? this.#world.findHost(address), listener: undefined };
      this.#endpoints.set(key, endpoint);
      const siblings = this.#byAddress.get(address);
      if (siblings === undefined) this.#byAddress.set(address, [endpoint]);
      else siblings.push(endpoint);
    }
    return endpoint;
  }

  /** Puts an IP (a pod's) on a host, or takes it away with undefined. */
  bindAddress(address: string, host: Host | undefined): void {
    if (host === undefined) this.#addresses.delete(address);
    else this.#addresses.set(address, host);
    for (const endpoint of this.#byAddress.get(address) ?? []) endpoint.host = host;
  }

  /** Listens for datagrams, connections or both. A port taken by a live process is our bug. */
  listen(
    process: Process,
    address: string,
    port: string,
    handlers: { onDatagram?: DatagramHandler; onAccept?: AcceptHandler; costUs?: Micros },
  ): Endpoint {
    const endpoint = this.endpoint(address, port);
    assert(
      endpoint.listener === undefined || !endpoint.listener.process.alive,
      () => `${process.name} listens on ${address}:${port}, which ${endpoint.listener?.process.name} holds`,
    );
    endpoint.listener = { process, costUs: handlers.costUs ?? this.#world.calibration.resumeUs, ...handlers };
    process.ownEndpoint(endpoint);
    return endpoint;
  }

  /** Stops listening; harmless when somebody else listens there by now. */
  unlisten(endpoint: Endpoint, process: Process): void {
    if (endpoint.listener?.process === process) endpoint.listener = undefined;
  }

  /** Both directions have one link each, made at first use. Undefined within a host. */
  link(from: Host, to: Host): Link | undefined {
    if (from === to) return undefined;
    return from.links[to.index] ?? this.#newLink(from, to);
  }

  #newLink(from: Host, to: Host): Link {
    const c = this.#world.calibration;
    const near = from.zone === to.zone;
    const link = new Link(
      near ? c.linkSameZoneUs : c.linkCrossZoneUs,
      near ? c.linkSameZoneJitterUs : c.linkCrossZoneJitterUs,
      this.#world.randomness.stream(`link/${from.name}>${to.name}`),
    );
    from.links[to.index] = link;
    return link;
  }

  /** Cuts the direction from one host to another. */
  block(from: Host, to: Host, counter: EffectCounter): void {
    const link = this.link(from, to);
    if (link === undefined) return;
    link.block(counter, this.#world.now);
    this.#world.onReachability?.();
    for (const process of from.processes()) this.#suspectTowards(process, to);
    for (const process of to.processes()) this.#suspectTowards(process, from);
  }

  unblock(from: Host, to: Host, counter: EffectCounter): void {
    this.link(from, to)?.unblock(counter);
    this.#world.onReachability?.();
  }

  /**
   * Sends a datagram: it may be lost, late, twice. `ordered` keeps the order of one direction unless a reorder fault says otherwise
   * (a stream whose breaks lose messages, such as etcd's peer streams).
   */
  send(from: Process, endpoint: Endpoint, payload: unknown, sizeBytes: number, ordered = false): void {
    if (!from.effect('send')) return;
    const id = this.#nextMessage++;
    const departure = Math.max(from.leaveAt, this.#world.now);
    this.#world.recorder?.sent(id, departure, from.label, endpointLabel(endpoint), 'datagram', payload);
    const to = endpoint.host;
    if (to === undefined) {
      this.#dropped(id, departure, 'no-listener');
      return;
    }
    const link = this.link(from.host, to);
    const datagram: Datagram = { id, endpoint, from, payload, link };
    if (link === undefined) {
      this.#world.queue.post(departure + this.#world.calibration.loopbackUs, to.index, EVENT_KIND.datagram, onDatagram, this, datagram);
      return;
    }
    if (link.blocked) {
      link.countBlocked();
      this.#dropped(id, departure, 'partition');
      return;
    }
    const passage = link.pass(departure, sizeBytes, true);
    if (passage.lost) this.#dropped(id, departure + passage.delayUs, 'loss');
    else {
      let arrival = departure + passage.delayUs;
      if (ordered && !passage.overtaken) {
        arrival = Math.max(arrival, link.lastOrderedArrival);
        link.lastOrderedArrival = arrival;
      }
      this.#world.queue.post(arrival, to.index, EVENT_KIND.datagram, onDatagram, this, datagram);
    }
    if (passage.duplicateDelayUs >= 0) {
      this.#world.queue.post(departure + passage.duplicateDelayUs, to.index, EVENT_KIND.datagram, onDatagram, this, datagram);
    }
  }

  /** Opens a connection; handlers hear of its fate. */
  connect(from: Process, endpoint: Endpoint, handlers: ConnectionHandlers, options: ConnectOptions = {}): Connection {
    const connection = new Connection(this.#world, this, from, endpoint, handlers, options);
    connection.open();
    return connection;
  }

  /** Resets every connection of a process, as a middlebox that lost its state does; both sides hear of it. Answers how many. */
  resetConnections(process: Process): number {
    const open = [...process.connections].filter((connection) => connection.state === 'open');
    for (const connection of open) {
      connection.peer?.resetArrived();
      connection.resetArrived();
    }
    return open.length;
  }

  /** @internal Numbers a message for the recorder. */
  nextMessageId(): number {
    return this.#nextMessage++;
  }

  /** @internal */
  arrive(datagram: Datagram): void {
    const now = this.#world.now;
    const { endpoint, link } = datagram;
    if (link?.blocked) {
      link.countBlocked();
      this.#dropped(datagram.id, now, 'partition');
      return;
    }
    const listener = endpoint.listener;
    if (endpoint.host?.up !== true) this.#dropped(datagram.id, now, 'dead-host');
    else if (listener?.onDatagram === undefined) this.#dropped(datagram.id, now, 'no-listener');
    else {
      this.#world.recorder?.delivered(datagram.id, now);
      listener.process.deliver(
        datagram.from.host.index,
        listener.costUs,
        listener.onDatagram as (a: unknown, b: unknown) => void,
        datagram.payload,
        datagram.from,
      );
    }
  }

  /** @internal A process died: its host's kernel closes its connections, or, without power, nobody does. */
  processDied(process: Process, tellPeers: boolean): void {
    for (const connection of process.connections) connection.ownerDied(tellPeers);
    process.connections.clear();
  }

  /** @internal */
  hostDied(host: Host): void {
    for (const other of this.#world.hosts()) {
      if (other === host || !other.up) continue;
      for (const process of other.processes()) this.#suspectTowards(process, host);
    }
  }

  /** @internal A process stopped answering (SIGSTOP): its peers' keep-alives will notice. */
  suspectProcess(process: Process): void {
    for (const connection of process.connections) connection.peer?.suspect();
  }

  #suspectTowards(process: Process, host: Host): void {
    for (const connection of process.connections) if (connection.remoteHost() === host) connection.suspect();
  }

  #dropped(id: number, at: Micros, reason: DropReason): void {
    this.#world.recorder?.dropped(id, at, reason);
  }
}

function endpointLabel(endpoint: Endpoint): string {
  const process = endpoint.listener?.process;
  return process === undefined ? `${endpoint.address}:${endpoint.port}` : process.label;
}

function onDatagram(network: unknown, datagram: unknown): void {
  (network as Network).arrive(datagram as Datagram);
}
