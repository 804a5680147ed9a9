import { describe, expect, test } from 'vitest';
import type { RaftDefects } from './config.ts';
import {
  blankMessage,
  makeMessage,
  type Message,
  MsgApp,
  MsgPreVote,
  MsgPreVoteResp,
  MsgSnap,
  MsgVote,
  MsgVoteResp,
  noEntries,
} from './message.ts';
import { RawNode } from './rawnode.ts';
import { SharedContextReads } from './shared-context-reads.ts';
import { MemoryStorage } from './storage.ts';
import { Tracker } from './tracker.ts';
import { type ConfState, type Entry, EntryNormal, emptyConfState } from './types.ts';

/** Node 1, whose log begins after index 2 of term 1; what it sends is kept. */
function host(confState: ConfState, defects: RaftDefects) {
  const storage = new MemoryStorage();
  storage.applySnapshot({ index: 2, term: 1, confState, data: undefined });
  const node = new RawNode({ id: 1, electionTicks: 10, heartbeatTicks: 1, storage, draw: () => 0, applied: 2, preVote: true, defects });
  const sent: Message[] = [];
  const step = (message: Message): void => {
    node.step(message);
    while (node.hasReady()) {
      const ready = node.ready();
      if (ready.hardState !== undefined) storage.setHardState(ready.hardState);
      if (ready.snapshot !== undefined) storage.applySnapshot(ready.snapshot);
      storage.append(ready.entries);
      sent.push(...ready.messages);
      node.advance();
    }
  };
  return { node, sent, step };
}

const three: ConfState = { ...emptyConfState, voters: [1, 2, 3] };

describe('R8 (etcd#10998): whoever believes to be a learner votes', () => {
  test.each([
    [{}, [MsgVoteResp]],
    [{ learnersRefuseVotes: true }, []],
  ])('%o', (defects, answers) => {
    const { sent, step } = host({ ...emptyConfState, voters: [2, 3], learners: [1] }, defects);
    step(makeMessage(MsgVote, 1, 2, 2, 1, 2, 0, noEntries, 0));
    expect(sent.map((m) => m.type)).toEqual(answers);
  });
});

describe('R16 (etcd#8243): pre-votes between different terms', () => {
  test.each([
    [{}, [[MsgPreVoteResp, true, 5]], [[MsgPreVoteResp, false, 7]]],
    [{ dropsLowerPreVotes: true }, [], [[MsgPreVoteResp, false, 5]]],
  ])('%o', (defects, ofLower, ofHigher) => {
    const answers = (message: Message): unknown => {
      const { sent, step } = host(three, defects);
      step(makeMessage(MsgApp, 1, 3, 5, 1, 2, 2, noEntries, 0));
      sent.length = 0;
      step(message);
      return sent.map((m) => [m.type, m.reject, m.term]);
    };
    expect(answers(makeMessage(MsgPreVote, 1, 2, 2, 9, 9, 0, noEntries, 0))).toEqual(ofLower);
    expect(answers(makeMessage(MsgPreVote, 1, 2, 7, 9, 9, 0, noEntries, 0))).toEqual(ofHigher);
  });
});

describe('R13 (etcd#1763): a snapshot that comes late', () => {
  test.each([
    [{}, 5],
    [{ lateSnapshotTruncates: true }, 4],
  ])('%o', (defects, lastIndex) => {
    const { node, step } = host(three, defects);
    const entries: Entry[] = [3, 4, 5].map((index) => ({ term: 1, index, type: EntryNormal, data: 'x', sizeBytes: 1 }));
    step(makeMessage(MsgApp, 1, 2, 1, 1, 2, 5, entries, 0));
    step(blankMessage(MsgSnap, { to: 1, from: 2, term: 1, snapshot: { index: 4, term: 1, confState: three, data: undefined } }));
    expect(node.lastIndex).toBe(lastIndex);
  });
});

describe('R6 (async-raft#62): one majority of all voters of a joint configuration', () => {
  test.each([
    [false, 1],
    [true, 3],
  ])('%s', (unionMajority, result) => {
    const tracker = new Tracker(8, 8, unionMajority);
    tracker.install({ voters: [1, 2, 3], votersOutgoing: [1, 2, 3, 4, 5], learners: [], learnersNext: [], autoLeave: true }, []);
    for (const id of [3, 4, 5]) tracker.recordVote(id, true);
    // 1: still open, since only one of the three new voters has granted it; 3: won.
    expect(tracker.tallyVotes().result).toBe(result);
  });
});

describe('R11 (etcd#20418): reads that share a context', () => {
  const read = (context: object): Message => ({
    ...makeMessage(MsgApp, 1, 2, 1, 0, 0, 0, noEntries, 0),
    entries: [{ term: 0, index: 0, type: EntryNormal, data: context, sizeBytes: 0 }],
  });
  const config = { voters: [1, 2, 3], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };

  test('a late answer to the first request confirms its repetition, and what was queued before', () => {
    const [first, other] = [{}, {}];
    const queue = new SharedContextReads();
    const ask = (context: object): number => {
      queue.add(7, read(context));
      queue.acknowledge(1, queue.position());
      return queue.position();
    };
    const position = ask(first);
    queue.acknowledge(2, position);
    expect(queue.takeConfirmed(config)).toHaveLength(1);
    ask(other);
    expect(ask(first)).toBe(position);
    expect(queue.takeConfirmed(config)).toEqual([]);
    queue.acknowledge(3, position);
    expect(queue.takeConfirmed(config).map(({ request }) => request.entries[0]?.data)).toEqual([other, first]);
  });
});
