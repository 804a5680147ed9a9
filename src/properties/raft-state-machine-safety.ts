import type { Property } from './property.ts';

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
    const applied = new Map<
      number,
      { readonly member: string; readonly term: number; readonly hash: number; readonly revision: number; readonly atUs: number }
    >();
    const hashes = new Map<number, { readonly member: string; readonly hash: number; readonly atUs: number }>();
    let judged = 0;
    let lowestIndex = 1;
    let lowestRevision = 1;
    facts.raftApply.subscribe((member, index, term, hash, revision) => {
      const first = applied.get(index);
      if (first === undefined) {
        applied.set(index, { member, term, hash, revision, atUs: clock.now });
        for (; applied.size > 20_000; lowestIndex++) applied.delete(lowestIndex);
        return;
      }
      judged++;
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
      } else if (first.revision !== revision) {
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
      const first = hashes.get(revision);
      if (first === undefined) {
        hashes.set(revision, { member, hash, atUs: clock.now });
        for (; hashes.size > 20_000; lowestRevision++) hashes.delete(lowestRevision);
        return;
      }
      judged++;
      if (first.hash === hash) return;
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
