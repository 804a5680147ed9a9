import { describe, expect, test } from 'vitest';
import { type Message, MsgHeartbeat, MsgHeartbeatResp, MsgReadIndex, MsgReadIndexResp } from './message.ts';
import { RawNode } from './rawnode.ts';
import { ReadOnlyLeaseBased } from './read-only.ts';
import type { RaftConfig } from './config.ts';
import { MemoryStorage } from './storage.ts';
import { emptyConfState, type ReadState, StateLeader } from './types.ts';

/** Nodes whose messages wait until a test carries them. */
class Group {
  readonly nodes: RawNode[] = [];
  readonly storages: MemoryStorage[] = [];
  readonly reads: ReadState[][] = [];
  inFlight: Message[] = [];

  constructor(size: number, options: Partial<RaftConfig> = {}) {
    const voters = Array.from({ length: size }, (_, i) => i + 1);
    for (const id of voters) {
      const storage = new MemoryStorage();
      storage.applySnapshot({ index: 2, term: 1, confState: { ...emptyConfState, voters }, data: undefined });
      const config = { id, electionTicks: 10, heartbeatTicks: 1, storage, draw: () => id, applied: 2, ...options };
      this.nodes.push(new RawNode(config));
      this.storages.push(storage);
      this.reads.push([]);
    }
  }

  node(id: number): RawNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }

  work(): void {
    this.nodes.forEach((node, i) => {
      while (node.hasReady()) {
        const ready = node.ready();
        if (ready.hardState !== undefined) this.storages[i]?.setHardState(ready.hardState);
        this.storages[i]?.append(ready.entries);
        this.reads[i]?.push(...ready.readStates);
        this.inFlight.push(...ready.messages);
        node.advance();
      }
    });
  }

  /** Carries messages that match until none is left; the others wait. */
  carry(matches: (m: Message) => boolean = () => true): Message[] {
    const carried: Message[] = [];
    this.work();
    for (let now = this.inFlight.filter(matches); now.length > 0; now = this.inFlight.filter(matches)) {
      this.inFlight = this.inFlight.filter((m) => !matches(m));
      carried.push(...now);
      for (const m of now) this.node(m.to).step(m);
      this.work();
    }
    return carried;
  }

  elect(id: number): this {
    this.node(id).campaign();
    this.carry();
    expect(this.node(id).state).toBe(StateLeader);
    return this;
  }
}

describe('read index, safe (dissertation, section 6.4)', () => {
  test('is answered when a quorum answered the heartbeat that carries it', () => {
    const group = new Group(5).elect(1);
    const { committed } = group.node(1);
    group.node(1).readIndex('read');
    group.work();
    expect(group.inFlight.every((m) => m.type === MsgHeartbeat && m.context === 1)).toBe(true);
    group.carry((m) => m.from === 2 || m.to === 2);
    expect(group.reads[0]).toEqual([]);
    group.carry((m) => m.from === 3 || m.to === 3);
    expect(group.reads[0]).toEqual([{ index: committed, requestCtx: 'read' }]);
  });

  test('an answer to a later heartbeat confirms all earlier reads, in their order', () => {
    const group = new Group(3).elect(1);
    for (const read of ['a', 'b', 'c']) group.node(1).readIndex(read);
    group.work();
    group.inFlight = group.inFlight.filter((m) => m.to === 2 && m.context === 2);
    group.carry();
    expect(group.reads[0]?.map((read) => read.requestCtx)).toEqual(['a', 'b']);
    // Lost heartbeats are made up for by the next regular one.
    group.node(1).tick();
    group.carry();
    expect(group.reads[0]?.map((read) => read.requestCtx)).toEqual(['a', 'b', 'c']);
  });

  test('a follower forwards, and gets the answer', () => {
    const group = new Group(3).elect(1);
    group.node(2).readIndex({ id: 7 });
    const types = group.carry().map((m) => m.type);
    expect(types[0]).toBe(MsgReadIndex);
    expect(types[types.length - 1]).toBe(MsgReadIndexResp);
    expect(group.reads[1]).toEqual([{ index: group.node(1).committed, requestCtx: { id: 7 } }]);
    expect(group.reads[0]).toEqual([]);
  });

  test('is dropped without a leader', () => {
    const group = new Group(3);
    group.node(2).readIndex('read');
    expect(group.carry()).toEqual([]);
    expect(group.reads).toEqual([[], [], []]);
  });

  test('the only voter answers at once', () => {
    const group = new Group(1).elect(1);
    group.node(1).readIndex('read');
    expect(group.carry()).toEqual([]);
    expect(group.reads[0]).toEqual([{ index: 3, requestCtx: 'read' }]);
  });

  test('a new leader waits for the first commit of its term (etcd#7331)', () => {
    const group = new Group(3).elect(1);
    group.node(1).propose('x', 1);
    group.work();
    // The entry is committed, but the followers do not know yet.
    group.carry((m) => (m.to === 2 && m.entries.length > 0) || (m.to === 1 && m.from === 2));
    expect(group.node(1).committed).toBe(4);
    expect(group.node(2).committed).toBe(3);
    group.inFlight = [];
    group.node(2).campaign();
    group.carry((m) => m.entries.length === 0 && m.to !== 1 && m.from !== 1);
    expect(group.node(2).state).toBe(StateLeader);
    group.node(2).readIndex('early');
    group.carry((m) => m.type === MsgHeartbeat || m.type === MsgHeartbeatResp);
    expect(group.reads[1]).toEqual([]);
    group.carry();
    expect(group.reads[1]).toEqual([{ index: 5, requestCtx: 'early' }]);
  });

  test('late answers to a read do not confirm a retry of the same request (etcd#20418)', () => {
    const group = new Group(3).elect(1);
    group.node(1).readIndex('same');
    group.carry((m) => m.type === MsgHeartbeat);
    // Both answers are on their way; one arrives, and confirms the first attempt.
    const answers = group.inFlight.filter((m) => m.type === MsgHeartbeatResp);
    expect(answers).toHaveLength(2);
    group.inFlight = [];
    const [first, second] = answers;
    if (first === undefined || second === undefined) throw new Error('no answers');
    group.node(1).step(first);
    group.work();
    expect(group.reads[0]).toHaveLength(1);
    // Another leader is elected and commits; the old one does not know.
    group.node(2).campaign();
    group.carry((m) => m.to !== 1 && m.from !== 1);
    group.node(2).propose('y', 1);
    group.carry((m) => m.to !== 1 && m.from !== 1);
    group.node(1).readIndex('same');
    group.work();
    group.node(1).step(second);
    group.node(1).step(first);
    group.work();
    expect(group.reads[0]).toHaveLength(1);
  });

  test('reads under way die with the leadership', () => {
    const group = new Group(3).elect(1);
    group.node(1).readIndex('read');
    group.carry((m) => m.type === MsgHeartbeat);
    const answers = group.inFlight;
    group.inFlight = [];
    group.elect(2);
    for (const answer of answers) group.node(1).step(answer);
    group.carry();
    // Not even if the node leads again: what it would answer is what was committed as far as the deposed leader knew.
    group.elect(1);
    group.node(1).tick();
    group.carry();
    expect(group.reads[0]).toEqual([]);
  });

  test('answers that overtake each other confirm what the newest confirms', () => {
    const group = new Group(5).elect(1);
    for (const read of ['a', 'b']) group.node(1).readIndex(read);
    group.carry((m) => m.type === MsgHeartbeat);
    const answers = group.inFlight.filter((m) => m.from <= 3).reverse();
    group.inFlight = [];
    expect(answers.map((m) => [m.from, m.context])).toEqual([
      [3, 2],
      [3, 1],
      [2, 2],
      [2, 1],
    ]);
    for (const answer of answers.slice(0, 3)) group.node(1).step(answer);
    group.carry();
    expect(group.reads[0]?.map((read) => read.requestCtx)).toEqual(['a', 'b']);
  });
});

describe('read index on a lease', () => {
  test('is answered without asking anybody', () => {
    const group = new Group(3, { checkQuorum: true, readOnly: ReadOnlyLeaseBased }).elect(1);
    group.node(1).readIndex('read');
    expect(group.carry()).toEqual([]);
    expect(group.reads[0]).toEqual([{ index: 3, requestCtx: 'read' }]);
  });

  test('needs CheckQuorum', () => {
    expect(() => new Group(3, { readOnly: ReadOnlyLeaseBased })).toThrow('lease-based reads need checkQuorum');
  });
});

describe('defects', () => {
  test('leaderReadsLocally answers without a quorum', () => {
    const group = new Group(3, { defects: { leaderReadsLocally: true } }).elect(1);
    group.node(1).readIndex('read');
    expect(group.carry()).toEqual([]);
    expect(group.reads[0]).toHaveLength(1);
  });

  test('readIndexBeforeOwnCommit asks the quorum too early', () => {
    const group = new Group(3, { defects: { readIndexBeforeOwnCommit: true } });
    group.node(1).campaign();
    group.carry((m) => m.entries.length === 0);
    group.node(1).readIndex('read');
    group.carry((m) => m.type === MsgHeartbeat || m.type === MsgHeartbeatResp);
    expect(group.reads[0]).toEqual([{ index: 2, requestCtx: 'read' }]);
  });
});
