import { describe, expect, test } from 'vitest';
import { makeMessage, type Message, MsgApp, MsgAppResp, MsgVote, MsgVoteResp, noEntries } from './message.ts';
import { RawNode } from './rawnode.ts';
import { Simulation } from './simulation.fixture.ts';
import { MemoryStorage } from './storage.ts';
import { type Entry, EntryNormal, emptyConfState, StateCandidate, StateFollower, StateLeader, type Term } from './types.ts';

function entries(terms: readonly Term[], from = 1): Entry[] {
  return terms.map((term, i) => ({ term, index: from + i, type: EntryNormal, data: `${term}`, sizeBytes: 1 }));
}

/** A node of a cluster 1..size whose log holds entries of these terms from index 2 on (index 1 is compacted, of term 1). */
function nodeWithLog(id: number, size: number, terms: readonly Term[], term: Term, commit = 1): { node: RawNode; storage: MemoryStorage } {
  const storage = new MemoryStorage();
  const voters = Array.from({ length: size }, (_, i) => i + 1);
  storage.applySnapshot({ index: 1, term: 1, confState: { ...emptyConfState, voters }, data: undefined });
  storage.append(entries(terms, 2));
  storage.setHardState({ term, vote: 0, commit });
  const node = new RawNode({ id, electionTicks: 10, heartbeatTicks: 1, storage, draw: () => 0, applied: 1 });
  return { node, storage };
}

/** Persists and applies whatever is to be; returns the messages. */
function work(node: RawNode, storage: MemoryStorage): Message[] {
  const messages: Message[] = [];
  while (node.hasReady()) {
    const ready = node.ready();
    if (ready.hardState !== undefined) storage.setHardState(ready.hardState);
    storage.append(ready.entries);
    messages.push(...ready.messages);
    node.advance();
  }
  return messages;
}

function termsOf(node: RawNode): Term[] {
  const terms: Term[] = [];
  for (let index = node.firstIndex; index <= node.lastIndex; index++) terms.push(node.entryAt(index)?.term ?? -1);
  return terms;
}

describe('section 5.1: terms', () => {
  test('a message of a higher term makes anyone a follower of that term', () => {
    const { node, storage } = nodeWithLog(1, 3, [], 1);
    node.campaign();
    work(node, storage);
    expect(node.state).toBe(StateCandidate);
    node.step(makeMessage(MsgVoteResp, 1, 2, 2, 0, 0, 0, noEntries, 0));
    expect(node.state).toBe(StateLeader);
    node.step(makeMessage(MsgApp, 1, 3, 5, 1, 1, 0, noEntries, 0));
    expect([node.state, node.term, node.lead]).toEqual([StateFollower, 5, 3]);
  });

  test('a message of a lower term is ignored', () => {
    const { node, storage } = nodeWithLog(1, 3, [2], 4);
    node.step(makeMessage(MsgApp, 1, 2, 3, 1, 1, 0, entries([3], 2), 0));
    expect(work(node, storage)).toEqual([]);
    expect(termsOf(node)).toEqual([2]);
  });
});

describe('section 5.2: elections', () => {
  test('a node votes once per term, and again for the same candidate', () => {
    const { node, storage } = nodeWithLog(1, 3, [], 1);
    const request = (from: number): Message => makeMessage(MsgVote, 1, from, 2, 1, 1, 0, noEntries, 0);
    const answers = [2, 3, 2].map((from) => {
      node.step(request(from));
      return work(node, storage)[0]?.reject;
    });
    expect(answers).toEqual([false, true, false]);
    expect(storage.initialState().hardState).toEqual({ term: 2, vote: 2, commit: 1 });
  });

  test.each([
    [1, 0, true],
    [3, 0, false],
    [3, 1, true],
    [5, 1, false],
    [5, 2, true],
  ])('of %i nodes, the own vote and %i others: elected %s', (size, others, elected) => {
    const { node, storage } = nodeWithLog(1, size, [], 1);
    node.campaign();
    work(node, storage);
    for (let i = 0; i < others; i++) node.step(makeMessage(MsgVoteResp, 1, i + 2, 2, 0, 0, 0, noEntries, 0));
    expect(node.state).toBe(elected ? StateLeader : StateCandidate);
  });
});

describe('section 5.4.1: votes go only to logs that are at least as up to date', () => {
  // The voter's log ends with term 3 at index 3.
  test.each([
    [3, 3, true],
    [3, 4, true],
    [4, 1, true],
    [4, 9, true],
    [3, 2, false],
    [2, 3, false],
    [2, 9, false],
  ])('a candidate whose log ends with term %i at index %i: granted %s', (logTerm, index, granted) => {
    const { node, storage } = nodeWithLog(1, 3, [2, 3], 3);
    node.step(makeMessage(MsgVote, 1, 2, 4, logTerm, index, 0, noEntries, 0));
    expect(work(node, storage).map((m) => m.reject)).toEqual([!granted]);
  });
});

describe('section 5.3: the consistency check', () => {
  test.each([
    ['at the end', 3, 3, false],
    ['in the middle', 2, 2, false],
    ['beyond the end', 4, 3, true],
    ['of another term', 3, 2, true],
  ])('an append after an entry %s (index %i, term %i): rejected %s', (_name, index, logTerm, rejected) => {
    const { node, storage } = nodeWithLog(1, 3, [2, 3], 3);
    node.step(makeMessage(MsgApp, 1, 2, 3, logTerm, index, 0, noEntries, 0));
    expect(work(node, storage).map((m) => m.reject)).toEqual([rejected]);
  });

  test('a conflict truncates, agreement does not', () => {
    const { node, storage } = nodeWithLog(1, 3, [2, 2, 3], 4);
    node.step(makeMessage(MsgApp, 1, 2, 4, 1, 1, 0, entries([2], 2), 0));
    expect(termsOf(node)).toEqual([2, 2, 3]);
    node.step(makeMessage(MsgApp, 1, 2, 4, 2, 2, 0, entries([4], 3), 0));
    expect(termsOf(node)).toEqual([2, 4]);
    work(node, storage);
    expect(storage.lastIndex()).toBe(3);
  });

  test('a follower commits no further than what the append covers', () => {
    const { node } = nodeWithLog(1, 3, [2, 2, 2], 2);
    node.step(makeMessage(MsgApp, 1, 2, 2, 1, 1, 4, entries([2], 2), 0));
    expect(node.committed).toBe(2);
  });
});

describe('figure 7: a leader brings every log into line', () => {
  // The figure's logs without their first entry, which is index 1 here.
  const leaderTerms = [1, 1, 4, 4, 5, 5, 6, 6, 6];
  test.each([
    ['a', [1, 1, 4, 4, 5, 5, 6, 6]],
    ['b', [1, 1, 4]],
    ['c', [1, 1, 4, 4, 5, 5, 6, 6, 6, 6]],
    ['d', [1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]],
    ['e', [1, 1, 4, 4, 4, 4]],
    ['f', [1, 1, 2, 2, 2, 3, 3, 3, 3, 3]],
  ])('follower %s', (_name, terms) => {
    const leader = nodeWithLog(1, 3, leaderTerms, 7);
    const follower = nodeWithLog(2, 3, terms, 7);
    leader.node.campaign();
    work(leader.node, leader.storage);
    leader.node.step(makeMessage(MsgVoteResp, 1, 3, 8, 0, 0, 0, noEntries, 0));
    let rounds = 0;
    for (let toFollower = work(leader.node, leader.storage); toFollower.length > 0; rounds++) {
      for (const m of toFollower) if (m.to === 2) follower.node.step(m);
      const answers = work(follower.node, follower.storage);
      for (const m of answers) if (m.type === MsgAppResp) leader.node.step(m);
      toFollower = work(leader.node, leader.storage).filter((m) => m.to === 2);
    }
    expect(termsOf(follower.node)).toEqual([...leaderTerms, 8]);
    expect(follower.node.committed).toBe(11);
    // Not one round trip per entry.
    expect(rounds).toBeLessThan(7);
  });
});

describe('figure 8: an entry of an old term is not committed by counting replicas', () => {
  /** Plays the figure up to (c): S1 leads term 4 and has its entry of term 2 on S1, S2 and S3. */
  function untilC(countOldTermReplicas: boolean): Simulation {
    const simulation = new Simulation({ voters: 5, bytesPerMessageMax: 1, defects: { countOldTermReplicas } });
    const campaign = (id: number, ...voters: number[]): void => {
      simulation.node(id).raw.campaign();
      simulation.work(id);
      simulation.deliverWhere((m) => m.type === MsgVote && voters.includes(m.to));
      simulation.deliverWhere((m) => m.type === MsgVoteResp && m.to === id);
    };
    // (a) S1 leads term 2, and its entry reaches S2 only.
    campaign(1, 2, 3, 4, 5);
    simulation.deliverWhere((m) => m.type === MsgApp && m.to === 2);
    simulation.dropWhere(() => true);
    simulation.crash(1);
    // (b) S5 leads term 3, and its entry at the same index reaches nobody.
    campaign(5, 3, 4);
    simulation.dropWhere(() => true);
    simulation.crash(5);
    // (c) S1 leads term 4. (Term 3 it does not win: that vote went to S5.)
    campaign(1, 3, 4);
    simulation.dropWhere(() => true);
    campaign(1, 2, 3, 4);
    expect([simulation.node(1).raw.state, simulation.node(1).raw.term]).toEqual([StateLeader, 4]);
    // S2 acknowledges. S3 rejects the probe, gets the entry of term 2, and acknowledges it, but not S1's own entry of term 4.
    simulation.dropWhere((m) => m.to === 4 || m.to === 5);
    simulation.deliverWhere((m) => m.to === 2 || m.from === 2);
    const isProbe = (m: Message): boolean => m.index === 3;
    for (const matches of [isProbe, (m: Message): boolean => !isProbe(m)]) {
      simulation.deliverWhere((m) => m.to === 3 && m.type === MsgApp && matches(m));
      simulation.deliverWhere((m) => m.from === 3 && m.to === 1);
    }
    expect(simulation.node(3).raw.entryAt(3)?.term).toBe(2);
    return simulation;
  }

  /** (d) S1 crashes, S5 leads term 5 and overwrites. */
  function thenD(simulation: Simulation): void {
    simulation.dropWhere(() => true);
    simulation.crash(1);
    simulation.node(5).raw.campaign();
    simulation.work(5);
    simulation.dropWhere(() => true);
    simulation.node(5).raw.campaign();
    simulation.work(5);
    simulation.deliverWhere((m) => m.to !== 1);
  }

  test('(c) leaves it uncommitted, so that (d) may overwrite it', () => {
    const simulation = untilC(false);
    expect(simulation.node(1).raw.committed).toBe(2);
    thenD(simulation);
    expect(simulation.node(5).raw.state).toBe(StateLeader);
    expect(simulation.node(3).raw.entryAt(3)?.term).toBe(3);
    expect(simulation.node(3).raw.committed).toBeGreaterThanOrEqual(3);
  });

  test('with the defect, (c) commits it and (d) loses it', () => {
    const simulation = untilC(true);
    expect(simulation.node(1).raw.committed).toBe(3);
    expect(() => thenD(simulation)).toThrow(/Leader Completeness/);
  });
});
