import type { Property } from './property.ts';
import { NameNumbers, RecentRows } from './recent-rows.ts';

interface Said<T> {
  readonly member: string;
  readonly value: T;
  readonly atUs: number;
}

/** Fields of a row of key hashes after its revision. */
const KEYS = { hash: 1, member: 2, atUs: 3 } as const;

/**
 * Members that applied the same entries are equal: what etcd's own corruption check (server/etcdserver/corrupt.go) looks for, at every
 * revision instead of now and then; and whom they list (etcd#13196).
 */
export const memberAgreement: Property = {
  id: 'member-agreement',
  about: 'etcd members that have applied the same entries hold the same keys, the same history and the same list of members.',
  clauses: [
    { id: 'same-keys', must: 'Two members at the same revision hold the same keys and values.' },
    { id: 'same-history', must: 'Two members answer the same to HashKV of one revision and compaction.' },
    { id: 'same-members', must: 'Two members that have applied the same membership changes list the same members.' },
  ],
  needsKubernetes: false,
  start({ facts, clock, violate }) {
    let judged = 0;
    const disagree = (clause: string, first: Said<unknown>, member: string, what: string, expected: string, actual: string): void =>
      violate({
        clause,
        atUs: clock.now,
        sentence: `${member} and ${first.member} disagree ${what}.`,
        expected,
        actual,
        subjects: [first.member, member],
        facts: [
          { atUs: first.atUs, subject: first.member, text: `tells ${what.replace(/^on /, '')}` },
          { atUs: clock.now, subject: member, text: 'tells another' },
        ],
      });

    const keysAt = new RecentRows(4);
    const names = new NameNumbers();
    facts.storeHash.subscribe((member, revision, _history, keys) => {
      const { values } = keysAt;
      const known = keysAt.find(revision);
      if (known < 0) {
        const row = keysAt.add(revision);
        if (row < 0) return;
        keysAt.values[row + KEYS.hash] = keys;
        keysAt.values[row + KEYS.member] = names.of(member);
        keysAt.values[row + KEYS.atUs] = clock.now;
        return;
      }
      const first = names.name(values[known + KEYS.member] as number);
      if (first !== member) judged++;
      const value = values[known + KEYS.hash] as number;
      if (value === keys) return;
      const said = { member: first, value, atUs: values[known + KEYS.atUs] as number };
      disagree('same-keys', said, member, `on the keys at revision ${revision}`, `hash ${hex(value)}`, `hash ${hex(keys)}`);
    });

    const hashes = new Map<string, Said<number>>();
    facts.historyHash.subscribe((member, revision, compactRevision, hash) => {
      const at = `${revision}/${compactRevision}`;
      const first = hashes.get(at);
      if (first === undefined) {
        hashes.set(at, { member, value: hash, atUs: clock.now });
        return;
      }
      if (first.member !== member) judged++;
      if (first.value === hash) return;
      const what = `on the history up to revision ${revision} (compacted at ${Math.max(0, compactRevision)})`;
      disagree('same-history', first, member, what, `hash ${hex(first.value)}`, `hash ${hex(hash)}`);
    });

    /** Lists after each membership change, by the index of its entry, ascending. */
    const lists: { readonly index: number; readonly said: Said<string> }[] = [];
    facts.memberList.subscribe((member, index, members, changed) => {
      // Between two changes the list is that after the first of them.
      const known = lists.findLast((list) => list.index <= index);
      if (known === undefined || (changed && known.index < index)) {
        if (changed) lists.push({ index, said: { member, value: members, atUs: clock.now } });
        return;
      }
      if (known.said.member !== member) judged++;
      if (known.said.value !== members)
        disagree('same-members', known.said, member, `on the members after entry ${index}`, known.said.value, members);
    });
    return { exercised: () => judged };
  },
};

function hex(hash: number): string {
  return (hash >>> 0).toString(16).padStart(8, '0');
}
