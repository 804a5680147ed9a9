import { RawNode } from '../src/raft/rawnode.ts';
import type { Message } from '../src/raft/message.ts';
import { MemoryStorage } from '../src/raft/storage.ts';
import { EntryNormal, type ConfChange, StateLeader } from '../src/raft/types.ts';

interface BenchNode {
  readonly raw: RawNode;
  readonly storage: MemoryStorage;
  applied: number;
  /** Tick up to which the node was told of time. */
  ticked: number;
  /** Tick at which its timer is due; a lazy host wakes it no earlier. */
  due: number;
  /** Proposals applied. */
  commands: number;
}

/** Park and Miller's generator: enough to spread election timeouts. */
function lehmer(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state * 48271) % 2147483647;
    return state % bound;
  };
}

/**
 * N bare RawNodes in one process, first-in first-out delivery, memory storage: the workload of the Go program that etcd's library is
 * measured with. CheckQuorum and PreVote on, one Ready per proposal; one tick is 100 ms.
 */
export class BareRaft {
  readonly nodes: BenchNode[] = [];
  readonly leader: BenchNode;
  private readonly queue: Message[] = [];
  private head = 0;
  delivered = 0;
  readies = 0;
  now = 0;

  constructor(size: number) {
    const draw = lehmer(size);
    const peers = Array.from({ length: size }, (_, i) => ({ id: i + 1 }));
    for (const { id } of peers) {
      const storage = new MemoryStorage();
      const raw = new RawNode({
        id,
        electionTicks: 10,
        heartbeatTicks: 1,
        storage,
        draw,
        bytesPerMessageMax: 1 << 20,
        inflightMessagesMax: 512,
        checkQuorum: true,
        preVote: true,
      });
      raw.bootstrap(peers);
      this.nodes.push({ raw, storage, applied: 0, ticked: 0, due: 0, commands: 0 });
    }
    this.settle();
    this.nodes[0]?.raw.campaign();
    this.settle();
    const leader = this.nodes.find(({ raw }) => raw.state === StateLeader);
    if (leader === undefined) throw new Error('no leader');
    this.leader = leader;
  }

  /** Handles every Ready of one node. */
  pump(node: BenchNode): void {
    const { raw, storage } = node;
    while (raw.hasReady()) {
      const ready = raw.ready();
      this.readies++;
      if (ready.hardState !== undefined) storage.setHardState(ready.hardState);
      if (ready.entries.length > 0) storage.append(ready.entries);
      const { messages, committedEntries } = ready;
      for (let i = 0; i < messages.length; i++) {
        const message = messages[i];
        if (message !== undefined) this.queue.push(message);
      }
      for (let i = 0; i < committedEntries.length; i++) {
        const entry = committedEntries[i];
        if (entry === undefined) continue;
        if (entry.type !== EntryNormal) raw.applyConfChange(entry.data as ConfChange);
        else if (entry.data !== undefined) node.commands++;
        node.applied = entry.index;
      }
      raw.advance();
    }
  }

  /** Tells a node of the ticks that have passed. */
  catchUp(node: BenchNode): void {
    if (node.ticked === this.now) return;
    node.raw.tickMany(this.now - node.ticked);
    node.ticked = this.now;
  }

  settle(): void {
    for (;;) {
      for (const node of this.nodes) this.pump(node);
      if (this.head === this.queue.length) {
        this.queue.length = 0;
        this.head = 0;
        return;
      }
      while (this.head < this.queue.length) {
        const message = this.queue[this.head++];
        if (message === undefined) continue;
        this.delivered++;
        const node = this.nodes[message.to - 1];
        if (node === undefined) continue;
        this.catchUp(node);
        node.raw.step(message);
        this.pump(node);
      }
    }
  }

  compact(): void {
    for (const { storage, applied } of this.nodes) if (applied > 2000) storage.compact(applied - 1000);
  }

  minCommands(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const { commands } of this.nodes) if (commands < least) least = commands;
    return least;
  }
}
