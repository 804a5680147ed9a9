import { SECOND } from '../sim/time.ts';
import { isWrite } from './operations.ts';
import type { Property } from './property.ts';

/** Elections (1–2 s), request time-outs (7 s) and re-dials must be over by then. */
const SETTLE_US = 30 * SECOND;

/** After healing the store elects a leader and commits again. */
export const progressAfterHeal: Property = {
  id: 'progress-after-heal',
  about: 'Once the liveness core is healed, the store elects a leader and commits what clients ask for.',
  clauses: [
    { id: 'leader-exists', must: 'Half a minute after healing some member leads.' },
    { id: 'commits', must: 'After that the committed revision grows, or no client asked for it.' },
    { id: 'change-of-members-ends', must: 'Nor is the store half way through a change of members: a joint configuration has been left.' },
  ],
  needsKubernetes: false,
  start({ facts, clock, views, violate }) {
    let healedAt: number | undefined;
    let commitsAfter = 0;
    let failedAfter = 0;
    let leader = '';
    const roles = new Map<string, string>();
    facts.phase.subscribe((phase) => {
      if (phase === 'healing') healedAt = clock.now;
    });
    facts.raftRole.subscribe((member, role) => {
      roles.set(member, role);
      if (role === 'leader') leader = member;
    });
    facts.memberStart.subscribe((member) => roles.set(member, 'follower'));
    // A member that is dead or cut off says nothing of the end of its leadership.
    const cutOff = new Set<string>();
    facts.memberQuorum.subscribe((member, has) => {
      if (has) cutOff.delete(member);
      else cutOff.add(member);
    });
    let config = { index: 0, member: '', outgoing: '', sinceUs: 0 };
    facts.raftConfig.subscribe((member, index, _voters, outgoing) => {
      if (index > config.index) config = { index, member, outgoing, sinceUs: clock.now };
    });
    const late = (): boolean => healedAt !== undefined && clock.now - healedAt > SETTLE_US;
    facts.keyChanged.subscribe(() => {
      if (late()) commitsAfter++;
    });
    views.operations.onAnswer(({ operation, outcome }) => {
      if (healedAt === undefined || !isWrite(operation.kind) || operation.invokedAtUs - healedAt < SETTLE_US) return;
      if (outcome !== 'ok') failedAfter++;
    });
    return {
      exercised: () => (late() ? 1 : 0),
      finish: (end) => {
        if (healedAt === undefined || end.atUs - healedAt <= SETTLE_US) return;
        if (![...roles].some(([member, role]) => role === 'leader' && !cutOff.has(member))) {
          violate({
            clause: 'leader-exists',
            atUs: end.atUs,
            sentence: 'No etcd member leads although all faults are healed.',
            expected: 'a leader',
            actual: [...roles]
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([member, role]) => `${member} ${role}${cutOff.has(member) ? ' without a majority' : ''}`)
              .join(', '),
            subjects: [...roles.keys()].sort(),
            facts: [{ atUs: healedAt, subject: 'plan', text: 'all faults are healed' }],
          });
        } else if (config.outgoing !== '' && end.atUs - Math.max(healedAt, config.sinceUs) > SETTLE_US) {
          violate({
            clause: 'change-of-members-ends',
            atUs: end.atUs,
            sentence: `The store is still in the joint configuration of entry ${config.index}: it needs majorities of the old members too.`,
            expected: 'the joint configuration is left',
            actual: `joint with ${config.outgoing}`,
            subjects: [leader, config.member],
            facts: [
              { atUs: config.sinceUs, subject: config.member, text: `takes over the joint configuration of entry ${config.index}` },
              { atUs: healedAt, subject: 'plan', text: 'all faults are healed' },
            ],
          });
        } else if (commitsAfter === 0 && failedAfter > 0) {
          violate({
            clause: 'commits',
            atUs: end.atUs,
            sentence: `The store commits nothing after healing: ${failedAfter} writes failed.`,
            expected: 'writes are committed again',
            actual: `no commit, ${failedAfter} failed writes`,
            subjects: [leader],
            facts: [{ atUs: healedAt, subject: 'plan', text: 'all faults are healed' }],
          });
        }
      },
    };
  },
};
