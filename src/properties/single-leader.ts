import { SECOND, formatSeconds, type Micros } from '../sim/time.ts';
import { text } from './fields.ts';
import type { Property } from './property.ts';

/**
 * How long a process may go on that has lost its lease: it gives up after the renew deadline (10 s), others wait for the lease duration (15 s).
 * A clock that runs 30 % slow stretches the one and shortens the other; what is beyond this is no matter of clocks.
 */
const TOLERATED_US: Micros = 15 * SECOND;

interface Leader {
  readonly identity: string;
  readonly sinceUs: Micros;
}

interface Lease {
  holder: string;
  /** When the store first showed somebody else as the holder than the one who believes to hold it. */
  readonly lostAtUs: Map<string, Micros>;
  readonly believers: Map<string, Leader>;
}

/** A lease lets one replica work at a time (kubernetes#23731): who has lost it has to notice and to stop. */
export const singleLeader: Property = {
  id: 'single-leader',
  about: 'A controller manager or scheduler whose lease another one holds stops.',
  clauses: [{ id: 'loser-stops', must: 'No process goes on leading for long after the store has another holder for its lease.' }],
  needsKubernetes: true,
  start({ facts, clock, violate }) {
    const leases = new Map<string, Lease>();
    /** Kinds of faults that stop processes, as long as they are in effect: what stands still cannot stop itself. */
    const pauses = new Set<string>();
    let pausedAtUs: Micros = Number.NEGATIVE_INFINITY;
    let judged = 0;
    const leaseOf = (name: string): Lease => {
      let lease = leases.get(name);
      if (lease === undefined) {
        lease = { holder: '', lostAtUs: new Map(), believers: new Map() };
        leases.set(name, lease);
      }
      return lease;
    };
    facts.faultInjected.subscribe((fault, kind) => {
      if (kind.startsWith('pause-')) pauses.add(fault);
    });
    facts.faultHealed.subscribe((fault) => {
      if (pauses.delete(fault)) pausedAtUs = clock.now;
    });
    facts.leading.subscribe((name, identity, holds) => {
      const lease = leaseOf(name);
      if (holds) lease.believers.set(identity, { identity, sinceUs: clock.now });
      else lease.believers.delete(identity);
      if (!holds || lease.holder === identity) lease.lostAtUs.delete(identity);
    });
    facts.objectChanged.subscribe((_revision, key, object) => {
      if (!key.startsWith('/registry/leases/kube-system/')) return;
      const name = key.slice('/registry/leases/kube-system/'.length);
      const lease = leases.get(name);
      if (lease === undefined || object === undefined) return;
      lease.holder = text(object, 'spec', 'holderIdentity');
      judged++;
      lease.lostAtUs.delete(lease.holder);
      for (const leader of lease.believers.values()) {
        if (leader.identity === lease.holder || lease.holder === '') continue;
        const lostAtUs = lease.lostAtUs.get(leader.identity);
        if (lostAtUs === undefined) lease.lostAtUs.set(leader.identity, clock.now);
        else if (pauses.size === 0 && clock.now - Math.max(lostAtUs, pausedAtUs) > TOLERATED_US) {
          violate({
            clause: 'loser-stops',
            atUs: clock.now,
            sentence: `${leader.identity} still leads under ${name} ${formatSeconds(clock.now - lostAtUs)} after ${lease.holder} has taken it.`,
            expected: `${leader.identity} has stopped`,
            actual: `${leader.identity} and ${lease.holder} lead`,
            subjects: [leader.identity, lease.holder],
            facts: [
              { atUs: leader.sinceUs, subject: leader.identity, text: `begins to lead under ${name}` },
              { atUs: lostAtUs, subject: lease.holder, text: `holds ${name} in the store` },
              { atUs: clock.now, subject: leader.identity, text: 'still leads' },
            ],
            figure: {
              kind: 'intervals',
              rows: [
                { label: leader.identity, fromUs: leader.sinceUs, toUs: undefined },
                { label: lease.holder, fromUs: lostAtUs, toUs: undefined },
              ],
            },
          });
        }
      }
    });
    return { exercised: () => judged };
  },
};
