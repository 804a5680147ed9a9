import { describe, expect, test } from 'vitest';
import { blankMessage, makeMessage, type Message, MsgApp, MsgAppResp, MsgSnap, MsgVoteResp, noEntries } from './message.ts';
import { RawNode } from './rawnode.ts';
import { MemoryStorage } from './storage.ts';
import {
  type ConfChange,
  ConfChangeAddNode,
  ConfChangeRemoveNode,
  type Entry,
  EntryConfChangeV2,
  EntryNormal,
  emptyConfState,
  leaveJointChange,
  StateFollower,
  StateLeader,
  TransitionAuto,
} from './types.ts';

const addFour: ConfChange = { transition: TransitionAuto, changes: [{ type: ConfChangeAddNode, nodeId: 4 }], context: undefined };
const replaceThree: ConfChange = {
  transition: TransitionAuto,
  changes: [...addFour.changes, { type: ConfChangeRemoveNode, nodeId: 3 }],
  context: undefined,
};

/** Node 1 of voters 1 to 3, with a host that can stop before it applies. */
class Host {
  readonly storage = new MemoryStorage();
  readonly node: RawNode;
  readonly sent: Message[] = [];

  constructor(asyncStorageWrites = false) {
    const { storage } = this;
    storage.applySnapshot({ index: 2, term: 1, confState: { ...emptyConfState, voters: [1, 2, 3] }, data: undefined });
    const draw = (): number => 0;
    this.node = new RawNode({ id: 1, electionTicks: 10, heartbeatTicks: 1, storage, draw, applied: 2, asyncStorageWrites });
  }

  work(): void {
    const { node, storage } = this;
    while (node.hasReady()) {
      const ready = node.ready();
      if (ready.hardState !== undefined) storage.setHardState(ready.hardState);
      if (ready.snapshot !== undefined) storage.applySnapshot(ready.snapshot);
      storage.append(ready.entries);
      for (const { type, data } of ready.committedEntries) {
        if (type !== EntryNormal) node.applyConfChange((data as ConfChange | undefined) ?? leaveJointChange);
      }
      this.sent.push(...ready.messages);
      node.advance();
    }
  }

  lead(): this {
    this.node.campaign();
    this.work();
    this.node.step(makeMessage(MsgVoteResp, 1, 2, 1, 0, 0, 0, noEntries, 0));
    this.work();
    expect(this.node.state).toBe(StateLeader);
    this.ack(3);
    return this;
  }

  ack(index: number, ...from: number[]): void {
    for (const id of from.length === 0 ? [2, 3] : from) {
      this.node.step(makeMessage(MsgAppResp, 1, id, this.node.term, 0, index, 0, noEntries, 0));
    }
    this.work();
  }
}

describe('membership changes', () => {
  test('one at a time: the next becomes an empty entry until the first is applied', () => {
    const host = new Host().lead();
    expect(host.node.proposeConfChange(addFour)).toBeUndefined();
    expect(host.node.proposeConfChange(addFour)).toBeUndefined();
    expect([4, 5].map((index) => host.node.entryAt(index)?.type)).toEqual([EntryConfChangeV2, EntryNormal]);
    host.work();
    host.ack(5);
    expect(host.node.status().config.voters).toEqual([1, 2, 3, 4]);
    host.node.proposeConfChange(addFour);
    expect(host.node.entryAt(6)?.type).toBe(EntryConfChangeV2);
  });

  // Member 3 is in the outgoing half only, member 4 in the incoming half only.
  test.each([
    [3, 4],
    [4, 3],
  ])('two operations go through a joint configuration, left by itself once both halves hold it (%i, then %i)', (first, second) => {
    const host = new Host().lead();
    host.node.proposeConfChange(replaceThree);
    host.work();
    host.ack(4);
    const { config } = host.node.status();
    expect([config.voters, config.votersOutgoing, config.autoLeave]).toEqual([[1, 2, 4], [1, 2, 3], true]);
    // The leader has proposed to leave at index 5.
    expect(host.node.entryAt(5)?.type).toBe(EntryConfChangeV2);
    host.ack(5, first);
    expect(host.node.committed).toBe(4);
    host.ack(5, second);
    expect(host.node.committed).toBe(5);
    expect(host.node.status().config).toEqual({ voters: [1, 2, 4], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false });
  });

  test('a node does not campaign before it applied the changes that it knows to be committed', () => {
    const host = new Host(true);
    const entries: Entry[] = [{ term: 1, index: 3, type: EntryConfChangeV2, data: addFour, sizeBytes: 8 }];
    host.node.step(makeMessage(MsgApp, 1, 2, 1, 1, 2, 3, entries, 0));
    const [append] = host.node.ready().messages;
    host.storage.append(append?.entries ?? []);
    for (const response of append?.responses ?? []) if (response.to === 1) host.node.step(response);
    const work = host.node.ready().messages;
    host.node.campaign();
    expect([host.node.state, host.node.term]).toEqual([StateFollower, 1]);
    host.node.applyConfChange(addFour);
    for (const { responses } of work) for (const response of responses) if (response.to === 1) host.node.step(response);
    host.node.campaign();
    expect(host.node.term).toBe(2);
  });
});

describe('section 7: snapshots', () => {
  const confState = { ...emptyConfState, voters: [1, 2, 3] };
  const entries: Entry[] = [3, 4, 5].map((index) => ({ term: 1, index, type: EntryNormal, data: 'x', sizeBytes: 1 }));

  function follower(): Host {
    const host = new Host();
    host.node.step(makeMessage(MsgApp, 1, 2, 1, 1, 2, 2, entries, 0));
    host.work();
    return host;
  }

  function snapshot(index: number, term: number): Message {
    return blankMessage(MsgSnap, { from: 2, to: 1, term: 2, snapshot: { index, term, confState, data: undefined } });
  }

  test('a late one does not truncate a log that goes beyond it (camunda#6092, etcd#1763)', () => {
    const host = follower();
    host.node.step(snapshot(4, 1));
    host.work();
    expect([host.node.committed, host.node.firstIndex, host.node.lastIndex]).toEqual([4, 3, 5]);
    expect(host.sent[host.sent.length - 1]).toMatchObject({ type: MsgAppResp, index: 4, reject: false });
  });

  test('one that the log contradicts replaces the log', () => {
    const host = follower();
    host.node.step(snapshot(4, 2));
    host.work();
    expect([host.node.committed, host.node.firstIndex, host.node.lastIndex]).toEqual([4, 5, 4]);
    expect(host.node.applied).toBe(4);
  });

  test('one of what is committed already is ignored', () => {
    const host = follower();
    host.node.step(makeMessage(MsgApp, 1, 2, 1, 1, 5, 5, noEntries, 0));
    host.work();
    host.node.step(snapshot(4, 1));
    host.work();
    expect(host.sent[host.sent.length - 1]).toMatchObject({ type: MsgAppResp, index: 5 });
    expect(host.node.lastIndex).toBe(5);
  });
});
