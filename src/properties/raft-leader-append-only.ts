import type { Property } from './property.ts';

/** Raft paper, figure 3: a leader never overwrites or deletes entries in its log. */
export const raftLeaderAppendOnly: Property = {
  id: 'raft-leader-append-only',
  about: 'A leader only appends to its own log.',
  clauses: [{ id: 'leader-never-truncates', must: 'A member never removes entries from its log while it leads.' }],
  needsKubernetes: false,
  start({ facts, clock, violate }) {
    const leading = new Map<string, number>();
    let appended = 0;
    facts.raftRole.subscribe((member, role, term) => {
      if (role === 'leader') leading.set(member, term);
      else leading.delete(member);
    });
    facts.memberStart.subscribe((member) => leading.delete(member));
    facts.raftAppend.subscribe((member) => {
      if (leading.has(member)) appended++;
    });
    facts.raftTruncate.subscribe((member, fromIndex) => {
      const term = leading.get(member);
      if (term === undefined) return;
      violate({
        clause: 'leader-never-truncates',
        atUs: clock.now,
        sentence: `${member} removed its entries from ${fromIndex} on while it led term ${term}.`,
        expected: 'a leader only appends',
        actual: `entries from ${fromIndex} on replaced`,
        subjects: [member],
        facts: [{ atUs: clock.now, subject: member, text: `truncates its log at ${fromIndex} as leader of term ${term}` }],
      });
    });
    return { exercised: () => appended };
  },
};
