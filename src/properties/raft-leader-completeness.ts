import type { Property, WitnessFigure } from './property.ts';

/** Raft paper, figure 3 and 5.4: an entry committed in some term is in the logs of the leaders of all later terms. */
export const raftLeaderCompleteness: Property = {
  id: 'raft-leader-completeness',
  about: 'Whoever is elected holds every entry that was committed before.',
  clauses: [
    { id: 'leader-holds-committed', must: 'A new leader never lacks an entry that a member regarded as committed in an earlier term.' },
    { id: 'committed-stays', must: 'A committed entry is never replaced by another.' },
  ],
  needsKubernetes: false,
  start({ facts, clock, views, members, violate }) {
    const { logs } = views;
    /** Committed entries by index: who said so first. */
    const committed = new Map<
      number,
      { readonly term: number; readonly hash: number; readonly member: string; readonly atUs: number; readonly inTerm: number }
    >();
    const commits = new Map<string, number>();
    let highest = 0;
    let lowest = 1;
    let judged = 0;

    const grid = (atIndex: number): WitnessFigure => ({
      kind: 'log-grid',
      atIndex,
      members: members.map((name) => ({
        name,
        commit: commits.get(name) ?? 0,
        entries: Array.from({ length: 7 }, (_, k) => atIndex - 3 + k).flatMap((index) => {
          const entry = logs.entry(name, index);
          return entry === undefined ? [] : [{ index, term: entry.term }];
        }),
      })),
    });

    facts.raftCommit.subscribe((member, commit, inTerm) => {
      const from = Math.max((commits.get(member) ?? 0) + 1, logs.firstIndex(member));
      commits.set(member, Math.max(commits.get(member) ?? 0, commit));
      for (let index = from; index <= commit; index++) {
        const entry = logs.entry(member, index);
        if (entry === undefined) continue;
        const first = committed.get(index);
        if (first === undefined) {
          committed.set(index, { term: entry.term, hash: entry.hash, member, atUs: clock.now, inTerm });
          highest = Math.max(highest, index);
        } else if (first.term !== entry.term || first.hash !== entry.hash) {
          violate({
            clause: 'committed-stays',
            atUs: clock.now,
            sentence: `${member} committed entry ${index} of term ${entry.term}, where ${first.member} had committed one of term ${first.term}.`,
            expected: `entry ${index} stays that of term ${first.term}`,
            actual: `entry ${index} of term ${entry.term}`,
            subjects: [first.member, member],
            facts: [
              { atUs: first.atUs, subject: first.member, text: `commits entry ${index} of term ${first.term}` },
              { atUs: clock.now, subject: member, text: `commits entry ${index} of term ${entry.term}` },
            ],
            figure: grid(index),
          });
        }
      }
      for (; committed.size > 20_000; lowest++) committed.delete(lowest);
    });
    facts.memberStart.subscribe((member) => commits.delete(member));

    facts.raftLeader.subscribe((member, term) => {
      judged++;
      const from = Math.max(logs.firstIndex(member), lowest);
      for (let index = from; index <= highest; index++) {
        const need = committed.get(index);
        if (need === undefined || need.inTerm >= term) continue;
        const has = logs.entry(member, index);
        if (has?.term === need.term) continue;
        violate({
          clause: 'leader-holds-committed',
          atUs: clock.now,
          sentence: `${member} was elected in term ${term} without entry ${index} of term ${need.term}, which ${need.member} had committed.`,
          expected: `the leader of term ${term} holds entry ${index} of term ${need.term}`,
          actual: has === undefined ? `its log ends at ${logs.lastIndex(member)}` : `entry ${index} of term ${has.term}`,
          subjects: [need.member, member],
          facts: [
            { atUs: need.atUs, subject: need.member, text: `commits entry ${index} of term ${need.term}` },
            { atUs: clock.now, subject: member, text: `becomes leader of term ${term} without it` },
          ],
          figure: grid(index),
        });
        return;
      }
    });
    return { exercised: () => judged };
  },
};
