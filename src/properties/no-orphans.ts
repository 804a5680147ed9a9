import { formatSeconds, MILLISECOND, type Micros } from '../sim/time.ts';
import { field, text } from './fields.ts';
import type { Property } from './property.ts';

/** Kinds without a namespace of their own that are stored under one, or that outlive it by design. */
const IGNORED = ['events'];

/**
 * For so long the namespace controller waits for API servers to hear that the namespace goes (upstream namespaceDeletionGracePeriod is 5 s). What a server takes
 * later, because it was behind for longer, stays in released Kubernetes too, and is not judged.
 */
const HEARD_US: Micros = 4500 * MILLISECOND;

/** A namespace is gone only when all that was in it is gone (kubernetes#36891). */
export const noOrphans: Property = {
  id: 'no-orphans',
  about: 'Nothing is left behind in a namespace that was deleted.',
  clauses: [
    {
      id: 'namespace-exists',
      must: 'No object that came before every API server had to know of the end of its namespace stays when that is gone.',
    },
  ],
  needsKubernetes: true,
  start({ facts, clock, violate }) {
    const goneUs = new Map<string, Micros>();
    const endsUs = new Map<string, Micros>();
    const keys = new Set<string>();
    const late = new Set<string>();
    facts.objectChanged.subscribe((_revision, key, object) => {
      if (!key.startsWith('/registry/namespaces/')) {
        if (object === undefined) keys.delete(key);
        else if (!keys.has(key)) {
          keys.add(key);
          if (endsUs.size > 0 && clock.now - (endsUs.get(text(object, 'metadata', 'namespace')) ?? clock.now) > HEARD_US)
            late.add(text(object, 'metadata', 'uid'));
        }
        return;
      }
      const name = key.slice('/registry/namespaces/'.length);
      if (object === undefined) {
        goneUs.set(name, clock.now);
        if (!endsUs.has(name)) endsUs.set(name, clock.now);
        return;
      }
      goneUs.delete(name);
      if (text(object, 'metadata', 'deletionTimestamp') === '') endsUs.delete(name);
      else if (!endsUs.has(name)) endsUs.set(name, clock.now);
    });
    return {
      exercised: () => goneUs.size,
      finish: (end) => {
        const orphan = end.objects.find(
          ({ resource, namespace, object }) =>
            goneUs.has(namespace) &&
            !IGNORED.includes(resource) &&
            !late.has(text(object, 'metadata', 'uid')) &&
            field(object, 'metadata', 'deletionTimestamp') === undefined,
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
