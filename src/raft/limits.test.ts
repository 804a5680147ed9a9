import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RaftConfig } from './config.ts';
import { confChangeBytes, encodedBytes, limitBytes } from './entry-size.ts';
import { Inflights } from './inflights.ts';
import { makeMessage, type Message, MsgApp, MsgAppResp, MsgHeartbeatResp, MsgVoteResp, noEntries } from './message.ts';
import { RawNode } from './rawnode.ts';
import { MemoryStorage } from './storage.ts';
import { ConfChangeAddNode, type Entry, EntryConfChange, EntryNormal, ErrProposalDropped, emptyConfState, StateLeader } from './types.ts';

function entry(index: number, sizeBytes: number): Entry {
  return { term: 1, index, type: EntryNormal, data: 'x', sizeBytes };
}

/** A leader of nodes 1 to 3 whose followers are pipelined, and its storage. */
function leader(options: Partial<RaftConfig>): { node: RawNode; work: () => Message[]; applied: Entry[][] } {
  const storage = new MemoryStorage();
  storage.applySnapshot({ index: 2, term: 1, confState: { ...emptyConfState, voters: [1, 2, 3] }, data: undefined });
  const node = new RawNode({ id: 1, electionTicks: 10, heartbeatTicks: 1, storage, draw: () => 0, applied: 2, ...options });
  const applied: Entry[][] = [];
  const work = (): Message[] => {
    const messages: Message[] = [];
    while (node.hasReady()) {
      const ready = node.ready();
      storage.append(ready.entries);
      if (ready.committedEntries.length > 0) applied.push([...ready.committedEntries]);
      messages.push(...ready.messages);
      node.advance();
    }
    return messages;
  };
  node.campaign();
  work();
  node.step(makeMessage(MsgVoteResp, 1, 2, 1, 0, 0, 0, noEntries, 0));
  expect(node.state).toBe(StateLeader);
  work();
  for (const from of [2, 3]) node.step(makeMessage(MsgAppResp, 1, from, 1, 0, 3, 0, noEntries, 0));
  work();
  applied.length = 0;
  return { node, work, applied };
}

function appendsTo(id: number, messages: readonly Message[]): number[] {
  return messages.filter((m) => m.to === id && m.type === MsgApp).map((m) => m.entries.length);
}

describe('sizes', () => {
  test('an entry takes what protobuf would', () => {
    // term and index: tag and varint each; data: tag, length, bytes.
    expect(encodedBytes(entry(1, 10))).toBe(2 + 2 + 2 + 10);
    expect(encodedBytes(entry(300, 200))).toBe(2 + 3 + 3 + 200);
    expect(encodedBytes({ ...entry(1, 0), data: undefined })).toBe(4);
    expect(encodedBytes({ ...entry(1, 10), type: EntryConfChange })).toBe(2 + 2 + 2 + 2 + 10);
  });

  test('a membership change takes what protobuf would', () => {
    const change = { transition: 0, changes: [{ type: ConfChangeAddNode, nodeId: 4 }], context: undefined };
    expect(confChangeBytes(change, true)).toBe(4);
    expect(confChangeBytes(change, false)).toBe(8);
  });

  test('a limit cuts, but never below one entry', () => {
    const three = [entry(1, 10), entry(2, 10), entry(3, 10)];
    expect(limitBytes(three, 0)).toHaveLength(1);
    expect(limitBytes(three, 31)).toHaveLength(1);
    expect(limitBytes(three, 32)).toHaveLength(2);
    expect(limitBytes(three, Number.POSITIVE_INFINITY)).toBe(three);
    expect(limitBytes([], 0)).toEqual([]);
  });
});

describe('messages in flight', () => {
  test('stop at the limit of messages, and go on as they are acknowledged', () => {
    const { node, work } = leader({ inflightMessagesMax: 2 });
    const sent: Message[] = [];
    for (let i = 0; i < 4; i++) {
      node.propose('x', 1);
      sent.push(...work());
    }
    expect(appendsTo(2, sent)).toEqual([1, 1]);
    node.step(makeMessage(MsgAppResp, 1, 2, 1, 0, 4, 0, noEntries, 0));
    expect(appendsTo(2, work())).toContain(2);
  });

  test('stop at the limit of bytes', () => {
    const { node, work } = leader({ inflightBytesMax: 20, bytesPerMessageMax: 20 });
    const sent: Message[] = [];
    for (let i = 0; i < 4; i++) {
      node.propose('x', 10);
      sent.push(...work());
    }
    expect(appendsTo(2, sent)).toEqual([1, 1]);
  });

  test('a full window lets one empty append through per heartbeat response', () => {
    const { node, work } = leader({ inflightMessagesMax: 1 });
    node.propose('x', 1);
    node.propose('y', 1);
    work();
    for (let i = 0; i < 2; i++) {
      node.step(makeMessage(MsgHeartbeatResp, 1, 2, 1, 0, 0, 0, noEntries, 0));
      expect(appendsTo(2, work())).toEqual([0]);
    }
  });

  test('the ring is a queue', () => {
    const operations = fc.array(fc.record({ add: fc.boolean(), value: fc.integer({ min: 1, max: 9 }) }), { maxLength: 200, size: 'max' });
    fc.assert(
      fc.property(operations, (list) => {
        const ring = new Inflights(10, 40);
        let queue: { index: number; size: number }[] = [];
        let index = 0;
        for (const { add, value } of list) {
          if (add && !ring.full()) {
            index += value;
            ring.add(index, value);
            queue.push({ index, size: value });
          } else if (!add) {
            const upTo = (queue[0]?.index ?? 0) + value - 1;
            ring.freeTo(upTo);
            queue = queue.filter((each) => each.index > upTo);
          }
          const bytes = queue.reduce((sum, each) => sum + each.size, 0);
          expect([ring.count, ring.full()]).toEqual([queue.length, queue.length >= 10 || bytes >= 40]);
        }
      }),
      { seed: 5 },
    );
  });
});

describe('bytes per message', () => {
  test('split an append', () => {
    const { node, work } = leader({ bytesPerMessageMax: 40 });
    node.step(makeMessage(MsgAppResp, 1, 2, 1, 0, 3, 0, noEntries, 0));
    node.reportUnreachable(2);
    for (let i = 0; i < 5; i++) node.propose('x', 10);
    work();
    // Probing: one message. Once it is acknowledged the rest follows, as many messages as it takes.
    node.step(makeMessage(MsgAppResp, 1, 2, 1, 0, 3, 0, noEntries, 0));
    expect(appendsTo(2, work())).toEqual([2, 2, 1]);
  });
});

describe('uncommitted bytes', () => {
  test('beyond the limit proposals are dropped, until something is applied', () => {
    const { node, work } = leader({ uncommittedBytesMax: 25 });
    expect([10, 10, 10].map((size) => node.propose('x', size))).toEqual([undefined, undefined, ErrProposalDropped]);
    // An empty payload always passes.
    expect(node.propose('', 0)).toBeUndefined();
    work();
    node.step(makeMessage(MsgAppResp, 1, 2, 1, 0, 6, 0, noEntries, 0));
    work();
    expect(node.propose('x', 10)).toBeUndefined();
  });

  test('one proposal of any size is let in', () => {
    const { node } = leader({ uncommittedBytesMax: 25 });
    expect(node.propose('x', 1000)).toBeUndefined();
    expect(node.propose('x', 1)).toBe(ErrProposalDropped);
  });
});

describe('committed bytes per Ready', () => {
  test('hand out entries piecemeal, each piece when the last was applied', () => {
    const { node, work, applied } = leader({ committedBytesPerReadyMax: 40 });
    for (let i = 0; i < 5; i++) node.propose('x', 10);
    work();
    node.step(makeMessage(MsgAppResp, 1, 2, 1, 0, 8, 0, noEntries, 0));
    work();
    expect(applied.map((piece) => piece.map(({ index }) => index))).toEqual([[4, 5], [6, 7], [8]]);
  });
});
