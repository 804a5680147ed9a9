import type { Property } from './property.ts';

interface Place {
  readonly created: number;
  deleted: number | undefined;
}

/**
 * The lock recipe of etcd (clientv3/concurrency): the oldest key under the lock's name holds it, as long as the key is there. Whether a
 * holder's lease ends later is not judged: no lock service can prevent that without fencing.
 */
export const lockExclusion: Property = {
  id: 'lock-exclusion',
  about: 'A lock is given only to a client whose key is still there when those before it have gone.',
  clauses: [
    {
      id: 'granted-place-exists',
      must: 'A client that is told that it holds a lock still had its place after everybody before it had left.',
    },
  ],
  needsKubernetes: false,
  start({ facts, clock, violate }) {
    const places = new Map<string, Place>();
    let judged = 0;
    facts.keyChanged.subscribe((revision, _sub, key, type) => {
      if (!key.startsWith('locks/')) return;
      const place = places.get(key);
      if (type === 'DELETE') {
        if (place !== undefined) place.deleted ??= revision;
      } else if (place === undefined || place.deleted !== undefined) places.set(key, { created: revision, deleted: undefined });
    });
    facts.lockGranted.subscribe((client, key, createRevision) => {
      judged++;
      const own = places.get(key);
      if (own?.deleted === undefined || own.created !== createRevision) return;
      const lock = key.slice(0, key.lastIndexOf('/') + 1);
      // The last of those that were there before: the revision at which it left, or none where it is still there.
      const before = [...places].filter(([other, place]) => other !== key && other.startsWith(lock) && place.created < createRevision);
      const leftAt = Math.max(0, ...before.map(([, place]) => place.deleted ?? Number.MAX_SAFE_INTEGER));
      if (own.deleted > leftAt) return;
      const stays = leftAt === Number.MAX_SAFE_INTEGER;
      violate({
        clause: 'granted-place-exists',
        atUs: clock.now,
        sentence: `${client} was told that it holds ${lock} although its key was gone at revision ${own.deleted}, ${stays ? 'while another key stands before it' : `before the last key before it (revision ${leftAt})`}.`,
        expected: `the key ${key} is there when its turn comes`,
        actual: `it was deleted at revision ${own.deleted}`,
        subjects: [client],
        facts: [{ atUs: clock.now, subject: client, text: `believes that it holds ${lock}` }],
      });
    });
    return { exercised: () => judged };
  },
};
