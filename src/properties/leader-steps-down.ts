import { SECOND } from '../sim/time.ts';
import type { Property } from './property.ts';

/** CheckQuorum looks once an election time-out (1 s), and the second look at the latest sees that nobody answered; then some for slow disks. */
const LIMIT_US = 4 * SECOND;

/**
 * Dissertation, section 6.2: a leader steps down if an election timeout elapses without a round of heartbeats to a majority. Released etcd does
 * not while its disk hangs (etcd#13527). Judged where required: a member that was killed or stopped cannot step down, so such a trial has neither.
 */
export const leaderStepsDown: Property = {
  id: 'leader-steps-down',
  about: 'A leader that the others have replaced gives up leading within a few seconds, whatever its disk does.',
  clauses: [{ id: 'replaced-leader-steps-down', must: 'Four seconds after another member was elected in a later term nobody else leads.' }],
  needsKubernetes: false,
  onlyWhereRequired: true,
  start({ facts, clock, violate }) {
    const leading = new Map<string, { readonly term: number; readonly sinceUs: number }>();
    /** Leaders that have been replaced, and by whom. */
    const replaced = new Map<string, { readonly by: string; readonly term: number; readonly atUs: number }>();
    let judged = 0;

    const judge = (member: string): void => {
      const successor = replaced.get(member);
      const led = leading.get(member);
      if (successor === undefined || led === undefined || clock.now - successor.atUs <= LIMIT_US) return;
      violate({
        clause: 'replaced-leader-steps-down',
        atUs: clock.now,
        sentence: `${member} goes on to lead term ${led.term} although ${successor.by} leads term ${successor.term}.`,
        expected: `${member} steps down within ${LIMIT_US / SECOND} s`,
        actual: 'two members believe that they lead',
        subjects: [member, successor.by],
        facts: [
          { atUs: led.sinceUs, subject: member, text: `becomes leader of term ${led.term}` },
          { atUs: successor.atUs, subject: successor.by, text: `becomes leader of term ${successor.term}` },
          { atUs: clock.now, subject: member, text: 'still leads' },
        ],
      });
    };
    const gone = (member: string): void => {
      judge(member);
      leading.delete(member);
      replaced.delete(member);
    };

    facts.raftRole.subscribe((member, role, term) => {
      if (role !== 'leader') {
        gone(member);
        return;
      }
      for (const [other, led] of leading) {
        if (other === member || led.term >= term || replaced.has(other)) continue;
        replaced.set(other, { by: member, term, atUs: clock.now });
        judged++;
      }
      leading.set(member, { term, sinceUs: clock.now });
    });
    facts.memberStart.subscribe(gone);
    facts.raftCommit.subscribe(() => {
      for (const member of replaced.keys()) judge(member);
    });
    return {
      exercised: () => judged,
      finish: () => {
        for (const member of [...replaced.keys()].sort()) judge(member);
      },
    };
  },
};
