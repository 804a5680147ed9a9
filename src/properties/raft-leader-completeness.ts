import type { Property, WitnessFigure } from './property.ts';
import { NameNumbers, RecentRows } from './recent-rows.ts';

/** Fields of a row after its index. */
const TERM = 1;
const HASH = 2;
const MEMBER = 3;
const AT_US = 4;
const IN_TERM = 5;

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
    /** The newest committed entries: who said so first. */
    const committed = new RecentRows(6);
    const names = new NameNumbers();
    const commits = new Map<string, number>();
    let highest = 0;
    let judged = 0;

    const firstToCommit = (row: number): { readonly member: string; readonly term: number; readonly atUs: number } => ({
      member: names.name(committed.values[row + MEMBER] as number),
      term: committed.values[row + TERM] as number,
      atUs: committed.values[row + AT_US] as number,
    });

    const grid = (atIndex: number): WitnessFigure => ({
      kind: 'log-grid',
      atIndex,
      members: members.map((name) => ({
        name,
        commit: commits.get(name) ?? 0,
        entries: Array.from({ length: 7 }, (_, k) => atIndex - 3 + k).flatMap((index) => {
          const term = logs.term(name, index);
          return term < 0 ? [] : [{ index, term }];
        }),
      })),
    });

    facts.raftCommit.subscribe((member, commit, inTerm) => {
      const before = commits.get(member) ?? 0;
      const from = Math.max(before + 1, logs.firstIndex(member));
      if (commit > before) commits.set(member, commit);
      for (let index = from; index <= commit; index++) {
        const term = logs.term(member, index);
        if (term < 0) continue;
        const hash = logs.hash(member, index);
        const known = committed.find(index);
        const row = known < 0 ? committed.add(index) : known;
        if (row < 0) continue;
        const { values } = committed;
        if (known < 0) {
          values[row + TERM] = term;
          values[row + HASH] = hash;
          values[row + MEMBER] = names.of(member);
          values[row + AT_US] = clock.now;
          values[row + IN_TERM] = inTerm;
          if (index > highest) highest = index;
        } else if (values[row + TERM] !== term || values[row + HASH] !== hash) {
          const first = firstToCommit(row);
          violate({
            clause: 'committed-stays',
            atUs: clock.now,
            sentence: `${member} committed entry ${index} of term ${term}, where ${first.member} had committed one of term ${first.term}.`,
            expected: `entry ${index} stays that of term ${first.term}`,
            actual: `entry ${index} of term ${term}`,
            subjects: [first.member, member],
            facts: [
              { atUs: first.atUs, subject: first.member, text: `commits entry ${index} of term ${first.term}` },
              { atUs: clock.now, subject: member, text: `commits entry ${index} of term ${term}` },
            ],
            figure: grid(index),
          });
        }
      }
    });
    facts.memberStart.subscribe((member) => commits.delete(member));

    facts.raftLeader.subscribe((member, term) => {
      judged++;
      const from = Math.max(logs.firstIndex(member), committed.oldest(highest));
      for (let index = from; index <= highest; index++) {
        const row = committed.find(index);
        if (row < 0 || (committed.values[row + IN_TERM] as number) >= term) continue;
        const has = logs.term(member, index);
        if (has === committed.values[row + TERM]) continue;
        const need = firstToCommit(row);
        violate({
          clause: 'leader-holds-committed',
          atUs: clock.now,
          sentence: `${member} was elected in term ${term} without entry ${index} of term ${need.term}, which ${need.member} had committed.`,
          expected: `the leader of term ${term} holds entry ${index} of term ${need.term}`,
          actual: has < 0 ? `its log ends at ${logs.lastIndex(member)}` : `entry ${index} of term ${has}`,
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
