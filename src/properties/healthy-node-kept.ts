import { formatSeconds, type Micros } from '../sim/time.ts';
import type { Property } from './property.ts';

interface Node {
  readonly registeredUs: Micros;
}

/** A node that is there and answers stays in the cluster, unless a user takes it out (kubernetes#58334, #81636). */
export const healthyNodeKept: Property = {
  id: 'healthy-node-kept',
  about: 'No controller deletes a node whose machine runs and reaches the API servers.',
  clauses: [{ id: 'not-deleted', must: 'A node that no user deletes and whose host reaches an API server is not deleted.' }],
  needsKubernetes: true,
  start({ facts, clock, violate }) {
    const nodes = new Map<string, Node>();
    const unreachable = new Set<string>();
    const unwanted = new Set<string>();
    let judged = 0;
    facts.nodeReachable.subscribe((node, reachable) => {
      if (reachable) unreachable.delete(node);
      else unreachable.add(node);
    });
    facts.userOperation.subscribe((_op, _user, what) => {
      if (what.startsWith('delete node ')) unwanted.add(what.slice('delete node '.length));
    });
    facts.objectChanged.subscribe((_revision, key, object) => {
      if (!key.startsWith('/registry/minions/')) return;
      const name = key.slice('/registry/minions/'.length);
      const node = nodes.get(name);
      if (object !== undefined) {
        if (node !== undefined) return;
        judged++;
        nodes.set(name, { registeredUs: clock.now });
        return;
      }
      nodes.delete(name);
      if (node === undefined || unwanted.has(name) || unreachable.has(name)) return;
      violate({
        clause: 'not-deleted',
        atUs: clock.now,
        sentence: `Node ${name} was deleted ${formatSeconds(clock.now - node.registeredUs)} after it had registered, although its host runs and reaches an API server.`,
        expected: `${name} stays`,
        actual: `${name} is deleted`,
        subjects: [name],
        facts: [
          { atUs: node.registeredUs, subject: name, text: 'registers' },
          { atUs: clock.now, subject: name, text: 'is deleted' },
        ],
      });
    });
    return { exercised: () => judged };
  },
};
