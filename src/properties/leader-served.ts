import type { Micros } from '../sim/time.ts';
import type { Property } from './property.ts';

/** The renew deadline of leader elections, looked at in pieces. */
const WINDOW_US: Micros = 2_000_000;
const WINDOWS = 5;
/** So many changes of others in a window mean that the server and its store work; in so many windows, that they did all the time. */
const CHANGES_MIN = 5;
const WINDOWS_MIN = 3;
/** Effects of a fault that has ended may last as long as a lease. */
const FAULT_TAIL_US: Micros = WINDOW_US * WINDOWS + 5_000_000;

/** What users may do without disturbing a leader. */
const CALM: ReadonlySet<string> = new Set(['api-flood', 'delete-pod', 'drain-node', 'scale', 'set-image']);

/** A client can keep an API server as busy as it likes: the elections of the control plane's leaders are served all the same. */
export const leaderServed: Property = {
  id: 'leader-served',
  about: 'A client that floods the API servers cannot starve the leader elections of the control plane.',
  clauses: [
    {
      id: 'lease-kept-under-load',
      must: 'A leader that nothing but load disturbs keeps its lease while its API server acknowledges changes of others.',
    },
  ],
  needsKubernetes: true,
  start({ facts, clock, violate }) {
    /** Acknowledged changes of users who hold no lease, by server and window. */
    const changes = new Map<string, Map<number, number>>();
    /** Holder identities by lease. */
    const leaders = new Map<string, string>();
    const active = new Map<string, string>();
    let disturbedAt: Micros = 0;
    let floods = 0;
    let judged = 0;

    facts.faultInjected.subscribe((fault, kind) => {
      active.set(fault, kind);
      if (kind === 'api-flood') floods++;
      if (!CALM.has(kind)) disturbedAt = clock.now;
    });
    facts.faultHealed.subscribe((fault, kind) => {
      active.delete(fault);
      if (!CALM.has(kind)) disturbedAt = clock.now;
    });
    facts.apiWrite.subscribe((server, _user, _verb, resource) => {
      if (floods === 0 || resource === 'leases') return;
      let counts = changes.get(server);
      if (counts === undefined) {
        counts = new Map();
        changes.set(server, counts);
      }
      const window = Math.floor(clock.now / WINDOW_US);
      counts.set(window, (counts.get(window) ?? 0) + 1);
      // A window in which the server worked under load beside a leader is one in which the leader could have lost its lease.
      if (counts.get(window) === CHANGES_MIN && undisturbed()) for (const id of leaders.values()) if (serverOf(id) === server) judged++;
    });
    facts.leading.subscribe((lease, identity, holds) => {
      if (holds) {
        leaders.set(lease, identity);
        return;
      }
      if (leaders.get(lease) !== identity) return;
      leaders.delete(lease);
      const server = serverOf(identity);
      if (server === undefined || !undisturbed()) return;
      const last = Math.floor(clock.now / WINDOW_US) - 1;
      const counts: number[] = [];
      for (let window = last - WINDOWS + 1; window <= last; window++) counts.push(changes.get(server)?.get(window) ?? 0);
      if (counts.filter((count) => count >= CHANGES_MIN).length < WINDOWS_MIN) return;
      const sum = counts.reduce((a, b) => a + b, 0);
      violate({
        clause: 'lease-kept-under-load',
        atUs: clock.now,
        sentence: `${identity} lost the lease ${lease} although ${server} acknowledged ${sum} changes of others in the ten seconds before.`,
        expected: `${server} answers the leader's renewals before its deadline of 10 s`,
        actual: `no renewal in 10 s, and ${sum} changes of others`,
        subjects: [server],
        facts: [
          {
            atUs: (last - WINDOWS + 1) * WINDOW_US,
            subject: server,
            text: `acknowledges ${counts.join(', ')} changes in the next windows of 2 s`,
          },
          { atUs: clock.now, subject: identity, text: `could not renew ${lease} and gives up` },
        ],
      });
    });

    /** Nothing but floods is at work, nor was in the time of a lease. */
    function undisturbed(): boolean {
      if (floods === 0 || clock.now - disturbedAt < FAULT_TAIL_US) return false;
      for (const kind of active.values()) if (!CALM.has(kind)) return false;
      return true;
    }
    return { exercised: () => judged };
  },
};

/** kubeadm points the programs of a control-plane host to its own API server: `cp-1_…` asks `api-1`. */
function serverOf(identity: string): string | undefined {
  const match = /^cp-(\d+)_/.exec(identity);
  return match === null ? undefined : `api-${match[1]}`;
}
