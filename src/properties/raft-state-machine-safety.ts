import type { Property } from './property.ts';
import { NameNumbers, RecentRows } from './recent-rows.ts';

/** Fields of a row of applied entries after its index, and of a row of hashes after its revision. */
const APPLIED = { term: 1, hash: 2, revision: 3, member: 4, atUs: 5 } as const;
const HASHED = { hash: 1, member: 2, atUs: 3 } as const;

/** Raft paper, figure 3: no two members apply different entries at the same index, and the same entries lead to the same store. */
export const raftStateMachineSafety: Property = {
  id: 'raft-state-machine-safety',
  about: 'All etcd members apply the same entries in the same order and hold the same store after each.',
  clauses: [
    { id: 'same-entry', must: 'Two members never apply different entries at one index.' },
    { id: 'same-revision', must: 'After the same entry two members are at the same revision.' },
    { id: 'same-content', must: 'Two members at the same revision hold the same keys and values.' },
  ],
  needsKubernetes: false,
  start({ facts, clock, violate }) {
    /** Who applied each of the newest entries first, and who came to each of the newest revisions first. */
    const applied = new RecentRows(6);
    const hashes = new RecentRows(4);
    const names = new NameNumbers();
    let judged = 0;

    facts.raftApply.subscribe((member, index, term, hash, revision) => {
      const known = applied.find(index);
      if (known < 0) {
        const row = applied.add(index);
        if (row < 0) return;
        const { values } = applied;
        values[row + APPLIED.term] = term;
        values[row + APPLIED.hash] = hash;
        values[row + APPLIED.revision] = revision;
        values[row + APPLIED.member] = names.of(member);
        values[row + APPLIED.atUs] = clock.now;
        return;
      }
      judged++;
      const { values } = applied;
      if (values[known + APPLIED.term] === term && values[known + APPLIED.hash] === hash && values[known + APPLIED.revision] === revision)
        return;
      const first = {
        member: names.name(values[known + APPLIED.member] as number),
        term: values[known + APPLIED.term] as number,
        hash: values[known + APPLIED.hash] as number,
        revision: values[known + APPLIED.revision] as number,
        atUs: values[known + APPLIED.atUs] as number,
      };
      if (first.term !== term || first.hash !== hash) {
        violate({
          clause: 'same-entry',
          atUs: clock.now,
          sentence: `${member} applied another entry ${index} (term ${term}) than ${first.member} (term ${first.term}).`,
          expected: `entry ${index} of term ${first.term}`,
          actual: `entry ${index} of term ${term}`,
          subjects: [first.member, member],
          facts: [
            { atUs: first.atUs, subject: first.member, text: `applies entry ${index} of term ${first.term}` },
            { atUs: clock.now, subject: member, text: `applies entry ${index} of term ${term}` },
          ],
        });
      } else {
        violate({
          clause: 'same-revision',
          atUs: clock.now,
          sentence: `After entry ${index}, ${member} is at revision ${revision}, but ${first.member} was at ${first.revision}.`,
          expected: `revision ${first.revision} after entry ${index}`,
          actual: `revision ${revision}`,
          subjects: [first.member, member],
          facts: [
            { atUs: first.atUs, subject: first.member, text: `reaches revision ${first.revision} with entry ${index}` },
            { atUs: clock.now, subject: member, text: `reaches revision ${revision} with entry ${index}` },
          ],
        });
      }
    });
    facts.storeHash.subscribe((member, revision, hash) => {
      const known = hashes.find(revision);
      if (known < 0) {
        const row = hashes.add(revision);
        if (row < 0) return;
        const { values } = hashes;
        values[row + HASHED.hash] = hash;
        values[row + HASHED.member] = names.of(member);
        values[row + HASHED.atUs] = clock.now;
        return;
      }
      judged++;
      const { values } = hashes;
      if (values[known + HASHED.hash] === hash) return;
      const first = { member: names.name(values[known + HASHED.member] as number), atUs: values[known + HASHED.atUs] as number };
      violate({
        clause: 'same-content',
        atUs: clock.now,
        sentence: `At revision ${revision}, ${member} holds other keys or values than ${first.member}.`,
        expected: 'equal stores at equal revisions',
        actual: `different hashes at revision ${revision}`,
        subjects: [first.member, member],
        facts: [
          { atUs: first.atUs, subject: first.member, text: `is at revision ${revision}` },
          { atUs: clock.now, subject: member, text: `is at revision ${revision} with another content` },
        ],
      });
    });
    return { exercised: () => judged };
  },
};
