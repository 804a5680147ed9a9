import { controllerUid, field, keyOf, number, text } from './fields.ts';
import type { Property } from './property.ts';

interface Deployment {
  readonly name: string;
  readonly template: string;
}

/**
 * A rollout makes no new pods of the version that it replaces. Kubernetes does not promise it: where the number of replicas changes with the
 * template, the controller scales before it rolls, and scales the old replica set too (kubernetes#105395, still so in 1.35).
 */
export const rolloutOrder: Property = {
  id: 'rollout-order',
  about: 'A replica set of an old template does not grow.',
  clauses: [
    { id: 'no-new-old-pods', must: 'Once a Deployment has a new template, no replica set of an older one asks for more pods than before.' },
  ],
  needsKubernetes: true,
  onlyWith: 'K13',
  start({ facts, clock, violate }) {
    const deployments = new Map<string, Deployment>();
    const replicas = new Map<string, number>();
    let judged = 0;
    facts.objectChanged.subscribe((_revision, key, object) => {
      if (object === undefined) return;
      if (key.startsWith('/registry/deployments/')) {
        deployments.set(text(object, 'metadata', 'uid'), { name: keyOf(object), template: templateOf(object) });
        return;
      }
      if (!key.startsWith('/registry/replicasets/')) return;
      const uid = text(object, 'metadata', 'uid');
      const now = number(object, 0, 'spec', 'replicas');
      const before = replicas.get(uid);
      replicas.set(uid, now);
      const deployment = deployments.get(controllerUid(object));
      if (deployment === undefined || before === undefined || before === now) return;
      judged++;
      if (now < before || templateOf(object) === deployment.template) return;
      violate({
        clause: 'no-new-old-pods',
        atUs: clock.now,
        sentence: `${keyOf(object)}, which ${deployment.name} replaces, grows from ${before} to ${now} pods.`,
        expected: `at most ${before} pods of the old template`,
        actual: `${now} pods of the old template`,
        subjects: [deployment.name, keyOf(object)],
        facts: [{ atUs: clock.now, subject: keyOf(object), text: `is scaled from ${before} to ${now}` }],
      });
    });
    return { exercised: () => judged };
  },
};

/** The pods that a template makes; a replica set's has one label more. */
function templateOf(object: object): string {
  return JSON.stringify(field(object, 'spec', 'template', 'spec') ?? null);
}
