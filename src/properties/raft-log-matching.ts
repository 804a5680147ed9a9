import type { Property } from './property.ts';

/** Raft paper, figure 3: if two logs hold an entry with the same index and term, they are identical up to it. */
export const raftLogMatching: Property = {
  id: 'raft-log-matching',
  about: 'Entries with the same index and term are the same in every log, and so are their predecessors.',
  clauses: [
    { id: 'same-entry', must: 'Two logs never hold different entries with the same index and term.' },
    { id: 'same-predecessor', must: 'Two logs that agree on an entry agree on the term of the entry before it.' },
  ],
  needsKubernetes: false,
  start({ facts, clock, views, violate }) {
    const { logs } = views;
    const seen = new Map<
      number,
      { readonly term: number; readonly hash: number; readonly previousTerm: number; readonly member: string; readonly atUs: number }[]
    >();
    let judged = 0;
    let oldest = Number.POSITIVE_INFINITY;
    facts.raftAppend.subscribe((member, index, term, hash) => {
      judged++;
      const previousTerm = logs.entry(member, index - 1)?.term ?? -1;
      const entries = seen.get(index) ?? [];
      if (entries.length === 0) seen.set(index, entries);
      // Seldom more than two: terms as positions would make sparse arrays.
      const first = entries.find((entry) => entry.term === term);
      if (first === undefined) {
        entries.push({ term, hash, previousTerm, member, atUs: clock.now });
        oldest = Math.min(oldest, index);
        // Entries far behind cannot meet new ones: memory stays flat.
        if (seen.size > 20_000) {
          for (; seen.size > 10_000; oldest++) seen.delete(oldest);
        }
        return;
      }
      const sameEntry = first.hash === hash;
      if (sameEntry && (first.previousTerm === previousTerm || first.previousTerm < 0 || previousTerm < 0)) return;
      violate({
        clause: sameEntry ? 'same-predecessor' : 'same-entry',
        atUs: clock.now,
        sentence: `${member} and ${first.member} hold different logs up to entry ${index} of term ${term}.`,
        expected: `one history up to entry ${index} of term ${term}`,
        actual: sameEntry ? `predecessors of terms ${first.previousTerm} and ${previousTerm}` : 'two different entries',
        subjects: [first.member, member],
        facts: [
          { atUs: first.atUs, subject: first.member, text: `appends entry ${index} of term ${term}` },
          { atUs: clock.now, subject: member, text: `appends another entry ${index} of term ${term}` },
        ],
      });
    });
    return { exercised: () => judged };
  },
};
