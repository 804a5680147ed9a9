import { SECOND } from '../sim/time.ts';
import type { Property } from './property.ts';

/** How long a backend must have been ready, and every fault over, before a failed request is the cluster's fault. */
const SETTLED_US = 45 * SECOND;

/** Clients reach a ready backend once the cluster has come to rest; what is lost during a rollout or a fault is not judged here. */
export const serviceAvailability: Property = {
  id: 'service-availability',
  about: 'Requests to a Service are answered once the cluster has come to rest with a ready backend.',
  clauses: [
    {
      id: 'ready-backend-answers',
      must: 'Once all faults are healed and the desired state is reached, a request to a Service with a ready backend does not fail.',
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
    const failed: {
      readonly client: string;
      readonly service: string;
      readonly atUs: number;
      readonly answeredAtUs: number;
      readonly outcome: string;
      readonly pod: string;
    }[] = [];
    facts.requestAnswered.subscribe((request, outcome, pod) => {
      const asked = sent.get(request);
      sent.delete(request);
      if (asked === undefined || active.size > 0 || ready.size === 0) return;
      if (asked.atUs - undisturbedSince < SETTLED_US) return;
      judged++;
      if (outcome !== 'ok') failed.push({ ...asked, answeredAtUs: clock.now, outcome, pod });
    });
    return {
      exercised: () => judged,
      finish: (end) => {
        // A controller that lost patience with its stale cache may look again only after many minutes (work queue back-off, at most 1000 s):
        // until the desired state is reached, eventual-reconciliation is the judge.
        const failure = end.outOfBudget ? undefined : failed.find((f) => f.atUs >= end.atUs - SETTLED_US);
        if (failure === undefined) return;
        violate({
          clause: 'ready-backend-answers',
          atUs: failure.answeredAtUs,
          sentence: `A request of ${failure.client} to ${failure.service} failed (${failure.outcome}) although nothing was wrong with the cluster for long.`,
          expected: 'an answer from a ready backend',
          actual: failure.outcome,
          subjects: [failure.client, failure.pod],
          facts: [
            { atUs: failure.atUs, subject: failure.client, text: `sends a request to ${failure.service}` },
            { atUs: failure.answeredAtUs, subject: failure.client, text: `gets ${failure.outcome}` },
          ],
        });
      },
    };
  },
};
