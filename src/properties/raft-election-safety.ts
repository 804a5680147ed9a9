import type { Property } from './property.ts';

/** Raft paper, figure 3: at most one leader can be elected in a given term. */
export const raftElectionSafety: Property = {
  id: 'raft-election-safety',
  about: 'At most one etcd member leads in a term, and a member votes at most once in a term.',
  clauses: [
    { id: 'one-leader-per-term', must: 'Two members never both become leader in the same term.' },
    { id: 'one-vote-per-term', must: 'A member never grants its vote to two candidates in the same term, not even after a restart.' },
  ],
  needsKubernetes: false,
  start({ facts, clock, violate }) {
    const leaders = new Map<number, { readonly member: string; readonly atUs: number }>();
    const votes = new Map<string, { readonly candidate: string; readonly atUs: number }>();
    let elections = 0;
    facts.raftLeader.subscribe((member, term) => {
      elections++;
      const first = leaders.get(term);
      if (first === undefined) leaders.set(term, { member, atUs: clock.now });
      else if (first.member !== member) {
        violate({
          clause: 'one-leader-per-term',
          atUs: clock.now,
          sentence: `${member} became leader of term ${term}, which ${first.member} already led.`,
          expected: `one leader in term ${term}`,
          actual: `${first.member} and ${member}`,
          subjects: [first.member, member],
          facts: [
            { atUs: first.atUs, subject: first.member, text: `becomes leader of term ${term}` },
            { atUs: clock.now, subject: member, text: `becomes leader of term ${term} too` },
          ],
        });
      }
    });
    facts.raftVote.subscribe((member, term, candidate) => {
      const key = `${member} ${term}`;
      const first = votes.get(key);
      if (first === undefined) votes.set(key, { candidate, atUs: clock.now });
      else if (first.candidate !== candidate) {
        violate({
          clause: 'one-vote-per-term',
          atUs: clock.now,
          sentence: `${member} voted for ${candidate} in term ${term} after it had voted for ${first.candidate} in the same term.`,
          expected: `the vote of term ${term} stays with ${first.candidate}`,
          actual: `a second vote, for ${candidate}`,
          subjects: [member, first.candidate, candidate],
          facts: [
            { atUs: first.atUs, subject: member, text: `votes for ${first.candidate} in term ${term}` },
            { atUs: clock.now, subject: member, text: `votes for ${candidate} in term ${term}` },
          ],
        });
      }
    });
    return { exercised: () => elections };
  },
};
