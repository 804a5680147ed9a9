import { SECOND } from '../sim/time.ts';
import type { Property } from './property.ts';

/** Clocks of hosts may run fast by three tenths under the fault clock-drift: so much of a TTL must have passed on any of them. */
const PART_OF_TTL = 0.7;

interface Kept {
  readonly client: string;
  readonly ttlUs: number;
  readonly askedAtUs: number;
}

/**
 * etcd API guarantees, Lease API: a lease lives at least its TTL from its grant and from every renewal that was answered. How long it lives
 * beyond that nobody promises (a new leader begins every lease anew, etcd#13294).
 */
export const leaseLifetime: Property = {
  id: 'lease-lifetime',
  about: 'A lease that was renewed lives for its whole time to live from then on.',
  clauses: [{ id: 'renewed-lease-lives', must: 'No lease expires before its time to live has passed since its last answered renewal.' }],
  needsKubernetes: false,
  start({ facts, clock, violate }) {
    const kept = new Map<string, Kept>();
    let judged = 0;
    facts.leaseKept.subscribe((client, lease, ttlSeconds, askedAtUs) => {
      judged++;
      kept.set(lease, { client, ttlUs: ttlSeconds * SECOND, askedAtUs });
    });
    facts.leaseRevoked.subscribe((member, lease, reason) => {
      const last = kept.get(lease);
      kept.delete(lease);
      if (last === undefined || reason !== 'expired' || clock.now >= last.askedAtUs + PART_OF_TTL * last.ttlUs) return;
      const [ttl, lived] = [last.ttlUs / SECOND, ((clock.now - last.askedAtUs) / SECOND).toFixed(1)];
      violate({
        clause: 'renewed-lease-lives',
        atUs: clock.now,
        sentence: `The lease of ${last.client} expired on ${member} ${lived} s after a renewal for ${ttl} s was asked for and answered.`,
        expected: `the lease lives for ${ttl} s`,
        actual: `it expired after ${lived} s`,
        subjects: [last.client, member],
        facts: [
          { atUs: last.askedAtUs, subject: last.client, text: `asks for ${ttl} s more, and is told that it has them` },
          { atUs: clock.now, subject: member, text: 'revokes the lease as expired' },
        ],
      });
    });
    return { exercised: () => judged };
  },
};
