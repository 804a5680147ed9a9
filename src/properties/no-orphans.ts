import { formatSeconds, type Micros } from '../sim/time.ts';
import { field } from './fields.ts';
import type { Property } from './property.ts';

/** Kinds without a namespace of their own that are stored under one, or that outlive it by design. */
const IGNORED = ['events'];

/** A namespace is gone only when all that was in it is gone, and nothing comes after (kubernetes#36891). */
export const noOrphans: Property = {
  id: 'no-orphans',
  about: 'Nothing is left behind in a namespace that was deleted.',
  clauses: [{ id: 'namespace-exists', must: 'No object stays in a namespace that no longer exists.' }],
  needsKubernetes: true,
  start({ facts, clock, violate }) {
    const goneUs = new Map<string, Micros>();
    facts.objectChanged.subscribe((_revision, key, object) => {
      if (!key.startsWith('/registry/namespaces/')) return;
      const name = key.slice('/registry/namespaces/'.length);
      if (object === undefined) goneUs.set(name, clock.now);
      else goneUs.delete(name);
    });
    return {
      exercised: () => goneUs.size,
      finish: (end) => {
        const orphan = end.objects.find(
          ({ resource, namespace, object }) =>
            goneUs.has(namespace) && !IGNORED.includes(resource) && field(object, 'metadata', 'deletionTimestamp') === undefined,
        );
        if (orphan === undefined) return;
        const goneAtUs = goneUs.get(orphan.namespace) as Micros;
        const name = `${orphan.namespace}/${orphan.name}`;
        violate({
          clause: 'namespace-exists',
          atUs: end.atUs,
          sentence: `${name} (${orphan.resource}) is still there ${formatSeconds(end.atUs - goneAtUs)} after its namespace was removed.`,
          expected: `nothing in ${orphan.namespace}`,
          actual: `${orphan.resource} ${name}`,
          subjects: [name, orphan.namespace],
          facts: [
            { atUs: goneAtUs, subject: orphan.namespace, text: 'is removed' },
            { atUs: end.atUs, subject: name, text: 'is still stored' },
          ],
        });
      },
    };
  },
};
