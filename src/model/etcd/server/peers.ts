import { encodedBytesOf } from '../../../raft/entry-size.ts';
import { type Message, MsgAppResp, MsgProp, MsgSnap } from '../../../raft/message.ts';
import type { Endpoint } from '../../../sim/network.ts';
import type { Process } from '../../../sim/process.ts';
import { RpcClient } from '../../../sim/rpc.ts';
import { type Micros, SECOND } from '../../../sim/time.ts';
import type { Member, MemberId } from '../api.ts';
import { parseUrl } from './config.ts';

/** rafthttp.ConnReadTimeout: a peer stream that is silent for so long is closed. */
const PEER_KEEP_ALIVE_US = 5 * SECOND;
/** Pause between attempts to reach a peer that is gone. */
const REDIAL_US = 1 * SECOND;
const MESSAGE_BYTES = 64;
/** Forwarded proposals remembered so that a duplicated datagram is not proposed twice. */
const FORWARDED_MAX = 1024;

interface Peer {
  readonly id: MemberId;
  readonly url: string;
  readonly raft: Endpoint;
  readonly rpc: RpcClient;
  /** Since when the peer's connection is up, by this member's clock; undefined while it is not. */
  activeSince: Micros | undefined;
  redial: number;
}

/** What the transport tells its member. */
export interface PeerEvents {
  received(message: Message): void;
  /** A peer's connection broke. */
  unreachable(id: MemberId): void;
  /** A peer's connection came up. */
  reachable(id: MemberId): void;
  /** The others do not know this member any more: it was removed. */
  removed(): void;
}

/** What a member that was removed is told when it speaks (HTTP 410 on etcd's peer streams). */
const GONE = { gone: true } as const;

/** The endpoint port for raft datagrams that belongs to a member's peer port. */
function raftPort(port: string): string {
  return `${port}/raft`;
}

/**
 * The connections between members (rafthttp): raft messages as ordered datagrams that may get lost, and beside them one connection per
 * peer for calls, whose state tells since when the peer is there.
 */
export class Peers {
  readonly #process: Process;
  readonly #events: PeerEvents;
  readonly #peers = new Map<MemberId, Peer>();
  readonly #removed = new Set<MemberId>();
  /** Where members lived that are gone, to tell them so. */
  readonly #lastKnown = new Map<MemberId, Endpoint>();
  #self: MemberId = 0;
  /** Two generations, because deleting single members of a large set one by one is slow. */
  #forwarded = new Set<unknown>();
  #forwardedBefore = new Set<unknown>();

  constructor(process: Process, peerURL: string, events: PeerEvents) {
    this.#process = process;
    this.#events = events;
    const own = parseUrl(peerURL);
    if (own === undefined) return;
    process.world.network.listen(process, own.address, raftPort(own.port), {
      onDatagram: (payload) => this.#receive(payload as Message | typeof GONE),
    });
  }

  /** Whether the member that opens a connection may: a removed one is told. */
  greets(id: MemberId): boolean {
    return !this.#removed.has(id);
  }

  /** Follows the membership: connects to new members, forgets those that are gone. */
  update(self: MemberId, members: readonly Member[], removed: readonly MemberId[]): void {
    this.#self = self;
    for (const id of removed) this.#removed.add(id);
    for (const peer of [...this.#peers.values()]) {
      const member = members.find((candidate) => candidate.id === peer.id);
      if (member === undefined || member.peerURLs[0] !== peer.url) this.#drop(peer);
    }
    for (const member of members) {
      if (member.id !== self && !this.#peers.has(member.id)) this.#add(member.id, member.peerURLs[0] ?? '');
    }
  }

  /** Sends raft messages in order; snapshots are not for this way. */
  send(messages: readonly Message[]): void {
    const { network } = this.#process.world;
    // Only the last append response says all that the ones before it said (raft.go, processMessages).
    let lastAppResp = -1;
    for (let i = messages.length - 1; i >= 0 && lastAppResp < 0; i--) if (messages[i]?.type === MsgAppResp) lastAppResp = i;
    for (let i = 0; i < messages.length; i++) {
      const message = messages[i];
      if (message === undefined || message.type === MsgSnap || (message.type === MsgAppResp && i !== lastAppResp)) continue;
      const peer = this.#peers.get(message.to);
      if (peer === undefined) continue;
      const bytes = message.entries.length === 0 ? MESSAGE_BYTES : MESSAGE_BYTES + encodedBytesOf(message.entries);
      network.send(this.#process, peer.raft, message, bytes, true);
    }
  }

  /** All other members that this one knows, in order. */
  get ids(): readonly MemberId[] {
    return [...this.#peers.keys()].sort((a, b) => a - b);
  }

  /** The way to call a member; undefined if it is not one. */
  rpc(id: MemberId): RpcClient | undefined {
    return this.#peers.get(id)?.rpc;
  }

  /** Since when a peer has been connected; undefined if it is not. */
  activeSince(id: MemberId): Micros | undefined {
    return this.#peers.get(id)?.activeSince;
  }

  /** Asks members whether they know that this one was removed; calls `known` once a majority of them does. */
  askRemoval(ids: readonly MemberId[], known: () => void): void {
    let knowing = 0;
    for (const id of ids) {
      this.rpc(id)?.callThen('peer/hello', this.#self, { sizeBytes: 32, timeoutUs: REDIAL_US }, (result) => {
        if (result.ok && result.value === false && ++knowing * 2 > ids.length) known();
      });
    }
  }

  get activeCount(): number {
    let active = 0;
    for (const peer of this.#peers.values()) if (peer.activeSince !== undefined) active++;
    return active;
  }

  #receive(message: Message | typeof GONE): void {
    if ('gone' in message) {
      this.#events.removed();
      return;
    }
    // A removed member is not listened to any more (EtcdServer.Process).
    if (this.#removed.has(message.from)) {
      const endpoint = this.#lastKnown.get(message.from);
      if (endpoint !== undefined) this.#process.world.network.send(this.#process, endpoint, GONE, MESSAGE_BYTES);
      return;
    }
    // Meant for a member that lived here before (EtcdServer.Process: mismatch member).
    if (message.to !== this.#self) return;
    if (message.type === MsgProp && this.#isRepeated(message)) return;
    this.#events.received(message);
  }

  /** TCP never delivers a forwarded proposal twice, so a duplicated datagram must not be one either. */
  #isRepeated(message: Message): boolean {
    const data = message.entries[0]?.data;
    if (this.#forwarded.has(data) || this.#forwardedBefore.has(data)) return true;
    this.#forwarded.add(data);
    if (this.#forwarded.size >= FORWARDED_MAX) {
      this.#forwardedBefore = this.#forwarded;
      this.#forwarded = new Set();
    }
    return false;
  }

  #add(id: MemberId, url: string): void {
    const at = parseUrl(url);
    if (at === undefined) return;
    const { network } = this.#process.world;
    const rpc = new RpcClient(this.#process, network.endpoint(at.address, at.port), {
      keepAliveUs: PEER_KEEP_ALIVE_US,
      connectTimeoutUs: PEER_KEEP_ALIVE_US,
    });
    const peer: Peer = { id, url, raft: network.endpoint(at.address, raftPort(at.port)), rpc, activeSince: undefined, redial: 0 };
    this.#peers.set(id, peer);
    this.#lastKnown.set(id, peer.raft);
    rpc.onDisconnect = () => this.#disconnected(peer);
    this.#dial(peer);
  }

  #dial(peer: Peer): void {
    peer.redial = 0;
    peer.rpc.callThen('peer/hello', this.#self, { sizeBytes: 32 }, (result) => {
      if (!result.ok || this.#peers.get(peer.id) !== peer) return;
      if (result.value === false) return this.#events.removed();
      peer.activeSince = this.#process.mono();
      this.#events.reachable(peer.id);
    });
  }

  #disconnected(peer: Peer): void {
    if (this.#peers.get(peer.id) !== peer) return;
    const wasActive = peer.activeSince !== undefined;
    peer.activeSince = undefined;
    if (wasActive) this.#events.unreachable(peer.id);
    if (peer.redial === 0) peer.redial = this.#process.after(REDIAL_US, () => this.#dial(peer));
  }

  #drop(peer: Peer): void {
    this.#peers.delete(peer.id);
    if (peer.redial !== 0) this.#process.cancel(peer.redial);
    peer.rpc.disconnect();
  }
}
