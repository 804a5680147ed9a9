import { SECOND, formatSeconds, type Micros } from '../sim/time.ts';
import { condition } from './fields.ts';
import type { Property } from './property.ts';

/** Nodes fall silent one after the other within some seconds, and what had begun before the last one did may take a moment to be taken back. */
const NOTICED_US: Micros = 60 * SECOND;

/**
 * When no node is heard of any more, the trouble is on the side of the control plane: pods stay (kubernetes#24200, #28832). Upstream calls it
 * full disruption (node lifecycle controller, handleDisruption).
 */
export const noMassEviction: Property = {
  id: 'no-mass-eviction',
  about: 'While every node is silent, no pod is evicted for the silence of its node.',
  clauses: [{ id: 'all-silent', must: 'No pod is evicted by taint while no node of the cluster has been Ready for some time.' }],
  needsKubernetes: true,
  start({ facts, clock, violate }) {
    const ready = new Map<string, boolean>();
    let readyNodes = 0;
    let silentSinceUs: Micros | undefined;
    let counted = false;
    let judged = 0;
    facts.objectChanged.subscribe((_revision, key, object) => {
      if (silentSinceUs !== undefined && !counted && clock.now - silentSinceUs > NOTICED_US) {
        counted = true;
        judged++;
      }
      if (!key.startsWith('/registry/minions/')) return;
      if (ready.get(key) === true) readyNodes--;
      const isReady = condition(object, 'Ready') === 'True';
      if (isReady) readyNodes++;
      if (object === undefined) ready.delete(key);
      else ready.set(key, isReady);
      if (ready.size > 0 && readyNodes === 0) silentSinceUs ??= clock.now;
      else {
        silentSinceUs = undefined;
        counted = false;
      }
    });
    facts.podEvicted.subscribe((pod, _uid, node, reason) => {
      if (reason !== 'taint' || silentSinceUs === undefined || clock.now - silentSinceUs <= NOTICED_US) return;
      violate({
        clause: 'all-silent',
        atUs: clock.now,
        sentence: `${pod} is evicted from ${node} although all ${ready.size} nodes have been silent for ${formatSeconds(clock.now - silentSinceUs)}.`,
        expected: `${pod} stays on ${node}`,
        actual: `${pod} is deleted`,
        subjects: [node, pod],
        facts: [
          { atUs: silentSinceUs, subject: node, text: 'is silent, as is every other node' },
          { atUs: clock.now, subject: node, text: `loses ${pod}` },
        ],
      });
    });
    return { exercised: () => judged };
  },
};
