import { describe, expect, test } from 'vitest';
import { blankMessage, isStorageThread, makeMessage, MsgApp, MsgAppResp, MsgBeat, MsgStorageAppend, noEntries } from './message.ts';
import { RawNode } from './rawnode.ts';
import type { Ready } from './ready.ts';
import { MemoryStorage } from './storage.ts';
import {
  type ConfChange,
  ErrProposalDropped,
  ErrStepLocalMsg,
  ErrStepPeerNotFound,
  EntryNormal,
  emptyConfState,
  StateFollower,
  StateLeader,
} from './types.ts';

const draw = (): number => 0;
const timing = { electionTicks: 10, heartbeatTicks: 1, draw };

function persist(storage: MemoryStorage, ready: Ready): void {
  if (ready.hardState !== undefined) storage.setHardState(ready.hardState);
  storage.append(ready.entries);
}

describe('starting', () => {
  test('bootstrap commits one membership change per peer, in term 1', () => {
    const storage = new MemoryStorage();
    const node = new RawNode({ id: 1, storage, ...timing });
    node.bootstrap([{ id: 1, context: 'first' }, { id: 2 }]);
    const ready = node.ready();
    expect(ready.hardState).toEqual({ term: 1, vote: 0, commit: 2 });
    expect(ready.committedEntries.map(({ data }) => (data as ConfChange).context)).toEqual(['first', undefined]);
    persist(storage, ready);
    for (const { data } of ready.committedEntries) node.applyConfChange(data as ConfChange);
    node.advance();
    expect(node.status().config.voters).toEqual([1, 2]);
    expect(node.applied).toBe(2);
    expect(node.hasReady()).toBe(false);
  });

  test('bootstrap refuses a log that holds something', () => {
    const storage = new MemoryStorage();
    storage.append([{ term: 1, index: 1, type: EntryNormal, data: 'x', sizeBytes: 1 }]);
    const node = new RawNode({ id: 1, storage, ...timing });
    expect(() => node.bootstrap([{ id: 1 }])).toThrow('nonempty');
  });

  test('a restarted node has its term, vote and log, and is handed committed entries that it had not applied', () => {
    const storage = new MemoryStorage();
    storage.applySnapshot({ index: 2, term: 1, confState: { ...emptyConfState, voters: [1] }, data: undefined });
    const node = new RawNode({ id: 1, storage, applied: 2, ...timing });
    node.campaign();
    for (let i = 0; i < 3; i++) {
      if (node.state === StateLeader) node.propose(`command ${i}`, 9);
      while (node.hasReady()) {
        persist(storage, node.ready());
        node.advance();
      }
    }
    expect(node.committed).toBe(5);
    const again = new RawNode({ id: 1, storage, applied: 3, ...timing });
    expect([again.term, again.vote, again.state, again.committed]).toEqual([1, 1, StateFollower, 5]);
    expect(again.ready().committedEntries.map(({ data }) => data)).toEqual(['command 1', 'command 2']);
  });

  test('all problems of a configuration are listed at once', () => {
    const storage = new MemoryStorage();
    expect(() => new RawNode({ id: 0, storage, electionTicks: 1, heartbeatTicks: 1, draw })).toThrow(
      'raft configuration: id must be a positive integer; electionTicks must be greater than heartbeatTicks',
    );
  });

  test('a commit index beyond the log is a broken storage', () => {
    const storage = new MemoryStorage();
    storage.setHardState({ term: 1, vote: 0, commit: 7 });
    expect(() => new RawNode({ id: 1, storage, ...timing })).toThrow('state.commit 7 is out of range [0, 0]');
  });
});

describe('refusals', () => {
  function follower(): RawNode {
    const storage = new MemoryStorage();
    storage.applySnapshot({ index: 2, term: 1, confState: { ...emptyConfState, voters: [1, 2] }, data: undefined });
    return new RawNode({ id: 1, storage, applied: 2, ...timing });
  }

  test('local messages from elsewhere', () => {
    expect(follower().step(blankMessage(MsgBeat, { from: 2, to: 1 }))).toBe(ErrStepLocalMsg);
  });

  test('answers of strangers', () => {
    expect(follower().step(blankMessage(MsgAppResp, { from: 9, to: 1, term: 1 }))).toBe(ErrStepPeerNotFound);
  });

  test('proposals without a leader', () => {
    expect(follower().propose('x', 1)).toBe(ErrProposalDropped);
  });

  test('a proposal that was forwarded twice becomes two entries', () => {
    const node = follower();
    node.step(makeMessage(MsgApp, 1, 2, 1, 1, 2, 2, noEntries, 0));
    expect(node.propose('x', 1)).toBeUndefined();
    const ready = node.ready();
    const [forwarded] = ready.messages.filter((m) => m.entries.length > 0);
    expect([forwarded?.to, forwarded?.term, forwarded?.entries[0]?.data]).toEqual([2, 0, 'x']);
  });
});

describe('the order of work', () => {
  test('a second Ready before advance is an error of the host', () => {
    const storage = new MemoryStorage();
    storage.applySnapshot({ index: 2, term: 1, confState: { ...emptyConfState, voters: [1] }, data: undefined });
    const node = new RawNode({ id: 1, storage, applied: 2, ...timing });
    node.campaign();
    node.ready();
    expect(() => node.ready()).toThrow('two accepted Ready structs without call to Advance');
  });

  test('asynchronous storage: entries are applied only when stable, and advance is an error', () => {
    const storage = new MemoryStorage();
    storage.applySnapshot({ index: 2, term: 1, confState: { ...emptyConfState, voters: [1] }, data: undefined });
    const node = new RawNode({ id: 1, storage, applied: 2, asyncStorageWrites: true, ...timing });
    expect(() => node.advance()).toThrow('Advance must not be called');
    node.campaign();
    const committed: number[] = [];
    for (let i = 0; i < 20 && node.hasReady(); i++) {
      const ready = node.ready();
      committed.push(...ready.committedEntries.map(({ index }) => index));
      for (const entry of ready.committedEntries) expect(storage.lastIndex()).toBeGreaterThanOrEqual(entry.index);
      for (const work of ready.messages) {
        expect(isStorageThread(work.to)).toBe(true);
        if (work.type === MsgStorageAppend) storage.append(work.entries);
        for (const response of work.responses) node.step(response);
      }
    }
    expect(node.state).toBe(StateLeader);
    expect(committed).toEqual([3]);
    expect(node.applied).toBe(3);
  });

  test('a changed commit index alone need not be synced', () => {
    const storage = new MemoryStorage();
    storage.applySnapshot({ index: 2, term: 1, confState: { ...emptyConfState, voters: [1, 2] }, data: undefined });
    const node = new RawNode({ id: 1, storage, applied: 2, ...timing });
    const entries = [{ term: 1, index: 3, type: EntryNormal, data: 'x', sizeBytes: 1 }];
    node.step(makeMessage(MsgApp, 1, 2, 1, 1, 2, 2, entries, 0));
    const first = node.ready();
    expect(first.mustSync).toBe(true);
    persist(storage, first);
    node.advance();
    node.step(makeMessage(MsgApp, 1, 2, 1, 1, 3, 3, noEntries, 0));
    const second = node.ready();
    expect([second.mustSync, second.hardState?.commit, second.committedEntries.length]).toEqual([false, 3, 1]);
  });
});
