import { type Micros, SECOND } from '../sim/time.ts';
import type { Property } from './property.ts';

/** One election with its extension of the leases, and what may pass before an expired lease is noticed. */
const SLACK_US = 5 * SECOND;

interface Kept {
  readonly client: string;
  readonly ttlUs: Micros;
  readonly atUs: Micros;
}

/**
 * A lease that nobody renews ends soon after its time. etcd does not promise it: only the leader lets time run, and each new one begins
 * every lease anew (etcd#13294; checkpoints, off by default, make it shorter for leases of more than five minutes). One change of leader
 * is allowed for.
 */
export const leaseEnds: Property = {
  id: 'lease-ends',
  about: 'A lease that nobody renews ends within twice its time to live.',
  clauses: [{ id: 'abandoned-lease-ends', must: 'A lease ends within twice its time to live and five seconds after its last renewal.' }],
  needsKubernetes: false,
  onlyWith: 'E16',
  start({ facts, clock, violate }) {
    const kept = new Map<string, Kept>();
    let judged = 0;
    const judge = (last: Kept, member: string, isGone: boolean): void => {
      const lived = clock.now - last.atUs;
      const limit = 2 * last.ttlUs + SLACK_US;
      if (lived <= limit) return;
      const text = `${(lived / SECOND).toFixed(1)} s`;
      violate({
        clause: 'abandoned-lease-ends',
        atUs: clock.now,
        sentence: `A lease of ${last.client} for ${last.ttlUs / SECOND} s ${isGone ? 'ended' : 'still lives'} ${text} after its last renewal.`,
        expected: `an end within ${limit / SECOND} s`,
        actual: `${text}${isGone ? '' : ' and no end'}`,
        subjects: member === '' ? [last.client] : [last.client, member],
        facts: [{ atUs: last.atUs, subject: last.client, text: `is given the lease for ${last.ttlUs / SECOND} s` }],
      });
    };
    facts.leaseKept.subscribe((client, lease, ttlSeconds) => {
      kept.set(lease, { client, ttlUs: ttlSeconds * SECOND, atUs: clock.now });
    });
    facts.leaseRevoked.subscribe((member, lease) => {
      const last = kept.get(lease);
      if (last === undefined) return;
      kept.delete(lease);
      judged++;
      judge(last, member, true);
    });
    return {
      exercised: () => judged,
      finish: () => {
        for (const last of kept.values()) judge(last, '', false);
      },
    };
  },
};
