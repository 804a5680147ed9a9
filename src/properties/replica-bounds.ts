import { controllerUid, isTerminal, keyOf, number, text } from './fields.ts';
import type { Property } from './property.ts';

interface ReplicaSet {
  name: string;
  /** The most pods that it was asked for, since it last had no more than that. */
  wanted: number;
  readonly pods: Set<string>;
}

/**
 * A replica set never makes more pods than it is asked for. Kubernetes does not promise it: what a controller expects to see in its cache
 * expires after five minutes, and then it acts on the cache as it is (kubernetes#129795, still so in 1.35).
 */
export const replicaBounds: Property = {
  id: 'replica-bounds',
  about: 'A replica set has at most as many pods as it asks for.',
  clauses: [{ id: 'no-extra-pods', must: 'No pod is created for a replica set that has as many as it asks for.' }],
  needsKubernetes: true,
  onlyWith: 'K8',
  start({ facts, clock, violate }) {
    const sets = new Map<string, ReplicaSet>();
    const owners = new Map<string, { readonly owner: string; readonly uid: string }>();
    let judged = 0;
    const setOf = (uid: string): ReplicaSet => {
      let set = sets.get(uid);
      if (set === undefined) {
        set = { name: '', wanted: 0, pods: new Set() };
        sets.set(uid, set);
      }
      return set;
    };
    const onPod = (key: string, object: object | undefined): void => {
      const known = owners.get(key);
      const uid = object === undefined ? '' : text(object, 'metadata', 'uid');
      const counts = object !== undefined && !isTerminal(object) && text(object, 'metadata', 'deletionTimestamp') === '';
      if (known !== undefined && (!counts || known.uid !== uid)) {
        owners.delete(key);
        sets.get(known.owner)?.pods.delete(known.uid);
      }
      if (!counts || owners.has(key)) return;
      const owner = controllerUid(object);
      if (owner === '') return;
      owners.set(key, { owner, uid });
      const set = setOf(owner);
      set.pods.add(uid);
      if (set.name === '') return;
      judged++;
      if (set.pods.size <= set.wanted) return;
      violate({
        clause: 'no-extra-pods',
        atUs: clock.now,
        sentence: `${set.name} got pod ${keyOf(object)} although it asks for ${set.wanted} and had ${set.pods.size - 1}.`,
        expected: `at most ${set.wanted} pods`,
        actual: `${set.pods.size} pods`,
        subjects: [set.name, keyOf(object)],
        facts: [{ atUs: clock.now, subject: set.name, text: `has ${set.pods.size} pods` }],
      });
    };
    facts.objectChanged.subscribe((_revision, key, object) => {
      if (key.startsWith('/registry/pods/')) onPod(key, object);
      else if (key.startsWith('/registry/replicasets/') && object !== undefined) {
        const set = setOf(text(object, 'metadata', 'uid'));
        set.name = keyOf(object);
        const replicas = number(object, 1, 'spec', 'replicas');
        // A set that shrinks may still be making what it was asked for before.
        set.wanted =
          number(object, 0, 'status', 'observedGeneration') >= number(object, 1, 'metadata', 'generation')
            ? replicas
            : Math.max(set.wanted, replicas);
      }
    });
    return { exercised: () => judged };
  },
};
