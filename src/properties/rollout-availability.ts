import { SECOND, formatSeconds, type Micros } from '../sim/time.ts';
import { text } from './fields.ts';
import type { Property } from './property.ts';

/** How long a fault may show after it healed: health checks, caches, back-offs. */
const SETTLED_US: Micros = 60 * SECOND;

/**
 * A rollout alone costs no request. It takes pods that go on serving for longer than load balancers need to notice, so only scenarios whose
 * pods do so ask for it.
 */
export const rolloutAvailability: Property = {
  id: 'rollout-availability',
  about: 'While nothing but rollouts is under way, no request to a Service with traffic policy Local is lost.',
  clauses: [
    { id: 'nothing-lost', must: 'A request that was sent while no fault was in effect, and none had been for a while, is answered.' },
  ],
  needsKubernetes: true,
  onlyWhereRequired: true,
  start({ facts, clock, violate }) {
    const local = new Set<string>();
    const active = new Set<string>();
    const sent = new Map<number, { readonly client: string; readonly service: string; readonly atUs: Micros }>();
    let soundSinceUs: Micros = 0;
    let judged = 0;
    facts.objectChanged.subscribe((_revision, key, object) => {
      const prefix = '/registry/services/specs/';
      if (!key.startsWith(prefix)) return;
      if (object !== undefined && text(object, 'spec', 'externalTrafficPolicy') === 'Local') local.add(key.slice(prefix.length));
      else local.delete(key.slice(prefix.length));
    });
    facts.faultInjected.subscribe((fault, kind) => {
      if (!OPERATIONS.has(kind)) active.add(fault);
    });
    facts.faultHealed.subscribe((fault) => {
      if (active.delete(fault)) soundSinceUs = clock.now;
    });
    facts.requestSent.subscribe((request, client, service) => {
      if (local.has(service)) sent.set(request, { client, service, atUs: clock.now });
    });
    facts.requestAnswered.subscribe((request, outcome) => {
      const asked = sent.get(request);
      sent.delete(request);
      if (asked === undefined || active.size > 0 || asked.atUs - soundSinceUs < SETTLED_US) return;
      judged++;
      if (outcome === 'ok') return;
      violate({
        clause: 'nothing-lost',
        atUs: clock.now,
        sentence: `A request of ${asked.client} to ${asked.service} failed (${outcome}) ${formatSeconds(clock.now - asked.atUs)} after it was sent, while nothing but a rollout was under way.`,
        expected: 'an answer',
        actual: outcome,
        subjects: [asked.client, asked.service],
        facts: [
          { atUs: asked.atUs, subject: asked.client, text: `sends a request to ${asked.service}` },
          { atUs: clock.now, subject: asked.client, text: `gets ${outcome}` },
        ],
      });
    });
    return { exercised: () => judged };
  },
};

/** What users do on purpose: a rollout is no fault. */
const OPERATIONS: ReadonlySet<string> = new Set(['set-image', 'scale', 'apply-deployment']);
