import { expect, it } from 'vitest';
import { createFacts } from '../model/facts.ts';
import { MemberLogs } from './member-logs.ts';

it('a crash undoes what was appended and not synced, also where it replaced an entry', () => {
  const facts = createFacts();
  const logs = new MemberLogs(facts);
  for (const [index, term] of [
    [1, 1],
    [2, 1],
    [3, 2],
  ] as const)
    facts.raftAppend.emit('etcd-0', index, term, 10 * index + term);
  facts.raftTruncate.emit('etcd-0', 3);
  facts.raftAppend.emit('etcd-0', 3, 3, 33);
  expect(logs.term('etcd-0', 3)).toBe(3);
  // The crash came before the sync: the disk still has entry 3 of term 2.
  facts.memberStart.emit('etcd-0', 3, 2, 2);
  facts.raftRecovered.emit('etcd-0', 3, 2, 32);
  expect([logs.lastIndex('etcd-0'), logs.term('etcd-0', 3), logs.hash('etcd-0', 3), logs.term('etcd-0', 2)]).toEqual([3, 2, 32, 1]);
});

it('a tail that was cut in memory alone is back', () => {
  const facts = createFacts();
  const logs = new MemberLogs(facts);
  for (let index = 1; index <= 5; index++) facts.raftAppend.emit('etcd-0', index, 1, index);
  facts.raftTruncate.emit('etcd-0', 3);
  facts.raftAppend.emit('etcd-0', 3, 2, 30);
  expect(logs.lastIndex('etcd-0')).toBe(3);
  facts.memberStart.emit('etcd-0', 5, 2, 2);
  for (let index = 3; index <= 5; index++) facts.raftRecovered.emit('etcd-0', index, 1, index);
  expect([3, 4, 5].map((index) => logs.term('etcd-0', index))).toEqual([1, 1, 1]);
});
