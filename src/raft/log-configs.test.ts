import { describe, expect, test } from 'vitest';
import { makeMessage, MsgApp, MsgAppResp, MsgVoteResp, noEntries } from './message.ts';
import { RawNode } from './rawnode.ts';
import { MemoryStorage } from './storage.ts';
import {
  type ConfChange,
  ConfChangeAddNode,
  ConfChangeRemoveNode,
  type Entry,
  EntryConfChange,
  EntryNormal,
  emptyConfState,
  StateLeader,
  TransitionAuto,
} from './types.ts';

const addFour: ConfChange = { transition: TransitionAuto, changes: [{ type: ConfChangeAddNode, nodeId: 4 }], context: undefined };
const removeThree: ConfChange = { transition: TransitionAuto, changes: [{ type: ConfChangeRemoveNode, nodeId: 3 }], context: undefined };

/** Node 1 of voters 1 to 3, whose log begins after index 2. */
class Host {
  readonly storage = new MemoryStorage();
  node: RawNode;
  readonly changesConfigAtOnce: boolean;

  constructor(changesConfigAtOnce = false) {
    this.changesConfigAtOnce = changesConfigAtOnce;
    this.storage.applySnapshot({ index: 2, term: 1, confState: { ...emptyConfState, voters: [1, 2, 3] }, data: undefined });
    this.storage.setHardState({ term: 1, vote: 0, commit: 2 });
    this.node = this.start();
  }

  /** A node on what the storage holds. */
  start(): RawNode {
    const { storage, changesConfigAtOnce } = this;
    const base = { id: 1, electionTicks: 10, heartbeatTicks: 1, storage, draw: () => 0, applied: 2 };
    return new RawNode({ ...base, configOnAppend: true, defects: { changesConfigAtOnce } });
  }

  get voters(): readonly number[] {
    return this.node.status().config.voters;
  }

  work(): void {
    const { node, storage } = this;
    while (node.hasReady()) {
      const ready = node.ready();
      if (ready.hardState !== undefined) storage.setHardState(ready.hardState);
      storage.append(ready.entries);
      for (const { type, data, index } of ready.committedEntries) {
        if (type !== EntryNormal) node.applyConfChange(data as ConfChange, index);
      }
      node.advance();
    }
  }

  follow(from: number, term: number, index: number, entries: readonly Entry[]): void {
    this.node.step(makeMessage(MsgApp, 1, from, term, 1, index, 2, entries, 0));
    this.work();
  }

  lead(): void {
    this.node.campaign();
    this.work();
    this.node.step(makeMessage(MsgVoteResp, 1, 2, this.node.term, 0, 0, 0, noEntries, 0));
    this.work();
    expect(this.node.state).toBe(StateLeader);
  }

  ack(from: number, index: number): void {
    this.node.step(makeMessage(MsgAppResp, 1, from, this.node.term, 0, index, 0, noEntries, 0));
    this.work();
  }
}

const entry = (index: number, term: number, data: ConfChange): Entry => ({ term, index, type: EntryConfChange, data, sizeBytes: 8 });

describe('dissertation, section 4.1: a configuration counts once it is in the log', () => {
  test('a follower goes by a change that is not committed, and no longer once it is replaced', () => {
    const host = new Host();
    host.follow(2, 1, 2, [entry(3, 1, addFour)]);
    expect([host.node.committed, host.voters]).toEqual([2, [1, 2, 3, 4]]);
    host.follow(3, 2, 2, [entry(3, 2, removeThree)]);
    expect([host.node.committed, host.voters]).toEqual([2, [1, 2]]);
  });

  test('a repeated append changes nothing', () => {
    const host = new Host();
    const entries = [entry(3, 1, removeThree), { term: 1, index: 4, type: EntryNormal, data: 'x', sizeBytes: 1 }];
    host.follow(2, 1, 2, entries);
    host.follow(2, 1, 2, entries);
    expect(host.voters).toEqual([1, 2]);
  });

  test('a restart finds it in the log', () => {
    const host = new Host();
    host.follow(2, 1, 2, [entry(3, 1, addFour)]);
    host.node = host.start();
    expect(host.voters).toEqual([1, 2, 3, 4]);
  });

  test('a leader counts with its own change at once: two of two commit the removal of the third', () => {
    const host = new Host();
    host.lead();
    host.ack(2, 3);
    expect(host.node.proposeConfChange(removeThree, true)).toBeUndefined();
    host.work();
    expect([host.voters, host.node.committed]).toEqual([[1, 2], 3]);
    host.ack(2, 4);
    expect(host.node.committed).toBe(4);
  });
});

describe('raft-dev, July 2015: a change waits for an entry of the own term', () => {
  test('before that it is replaced by an empty entry', () => {
    const host = new Host();
    host.lead();
    host.node.proposeConfChange(removeThree, true);
    host.work();
    expect([host.voters, host.node.entryAt(4)?.type]).toEqual([[1, 2, 3], EntryNormal]);
  });

  test('the known bug lets it through', () => {
    const host = new Host(true);
    host.lead();
    host.node.proposeConfChange(removeThree, true);
    host.work();
    expect([host.voters, host.node.entryAt(4)?.type, host.node.committed]).toEqual([[1, 2], EntryConfChange, 2]);
  });
});
