import { SECOND } from '../sim/time.ts';
import type { Property } from './property.ts';

/** How long a backend must have been ready, and every fault over, before a failed request is the cluster's fault. */
const SETTLED_US = 45 * SECOND;

/** Clients reach a ready backend whenever the plan leaves one possible. */
export const serviceAvailability: Property = {
  id: 'service-availability',
  about: 'Requests to a Service are answered whenever a backend has been ready for long and no fault is in effect.',
  clauses: [
    {
      id: 'ready-backend-answers',
      must: 'With no fault in effect for a while and a backend ready all that time, a request does not fail.',
    },
  ],
  needsKubernetes: true,
  start({ facts, clock, violate }) {
    const sent = new Map<number, { readonly client: string; readonly service: string; readonly atUs: number }>();
    const ready = new Map<string, number>();
    const active = new Set<string>();
    let undisturbedSince = 0;
    let judged = 0;
    const disturb = (): void => {
      undisturbedSince = clock.now;
    };
    facts.faultInjected.subscribe((fault) => {
      active.add(fault);
      disturb();
    });
    facts.faultHealed.subscribe((fault) => {
      active.delete(fault);
      disturb();
    });
    facts.phase.subscribe(disturb);
    facts.userOperation.subscribe(disturb);
    facts.podReady.subscribe((_node, pod, uid, isReady) => {
      if (isReady) ready.set(uid, clock.now);
      else ready.delete(uid);
      // A rollout or a reschedule is under way: endpoints need their time to follow.
      if (pod !== '') disturb();
    });
    facts.requestSent.subscribe((request, client, service) => sent.set(request, { client, service, atUs: clock.now }));
    facts.requestAnswered.subscribe((request, outcome, pod) => {
      const asked = sent.get(request);
      sent.delete(request);
      if (asked === undefined || active.size > 0 || ready.size === 0) return;
      if (asked.atUs - undisturbedSince < SETTLED_US) return;
      judged++;
      if (outcome === 'ok') return;
      violate({
        clause: 'ready-backend-answers',
        atUs: clock.now,
        sentence: `A request of ${asked.client} to ${asked.service} failed (${outcome}) although nothing was wrong with the cluster for long.`,
        expected: 'an answer from a ready backend',
        actual: outcome,
        subjects: [asked.client, pod],
        facts: [
          { atUs: asked.atUs, subject: asked.client, text: `sends a request to ${asked.service}` },
          { atUs: clock.now, subject: asked.client, text: `gets ${outcome}` },
        ],
      });
    });
    return { exercised: () => judged };
  },
};
