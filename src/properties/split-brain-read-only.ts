import type { Micros } from '../sim/time.ts';
import { isWrite } from './operations.ts';
import type { Property } from './property.ts';

/** Without a quorum nothing is decided: neither etcd nor the API servers in front of it acknowledge anything, and applications keep running. */
export const splitBrainReadOnly: Property = {
  id: 'split-brain-read-only',
  about: 'The side without quorum acknowledges no write and no linearizable read; its pods keep running; nothing scales or updates.',
  clauses: [
    {
      id: 'no-write-without-quorum',
      must: 'A member that could not reach a majority during a whole operation, while no members came together, never acknowledges the write.',
    },
    { id: 'no-linearizable-read-without-quorum', must: 'Such a member never answers a linearizable read.' },
    { id: 'nothing-changes-without-quorum', must: 'While no member has a majority, no API server acknowledges a change.' },
    { id: 'pods-keep-running', must: 'A node that no API server reaches stops no container of its own accord.' },
  ],
  needsKubernetes: false,
  start({ facts, clock, views, members, violate }) {
    /** Since when a member is without a majority. */
    const cutSince = new Map<string, Micros>();
    const nodeCutSince = new Map<string, Micros>();
    let quorumGoneSince: Micros | undefined;
    /**
     * When members last came together. A majority may also be there one after the other: an entry lies on the disk of one that has died since, and
     * of one that has just come back. So only operations are judged during which nobody met anybody.
     */
    let metAtUs = Number.NEGATIVE_INFINITY;
    let judged = 0;

    facts.membersMet.subscribe(() => {
      metAtUs = clock.now;
      if (quorumGoneSince !== undefined) quorumGoneSince = clock.now;
    });
    facts.memberQuorum.subscribe((member, has) => {
      if (has) cutSince.delete(member);
      else if (!cutSince.has(member)) cutSince.set(member, clock.now);
      if (members.every((name) => cutSince.has(name))) quorumGoneSince ??= clock.now;
      else quorumGoneSince = undefined;
    });
    facts.nodeReachable.subscribe((node, reachable) => {
      if (reachable) nodeCutSince.delete(node);
      else if (!nodeCutSince.has(node)) nodeCutSince.set(node, clock.now);
    });

    views.operations.onAnswer((answer) => {
      const { operation, outcome } = answer;
      const since = cutSince.get(operation.member);
      // Only an operation that began after the cut: an earlier one may have been decided before it.
      if (since === undefined || operation.invokedAtUs < since || operation.invokedAtUs <= metAtUs) return;
      const write = isWrite(operation.kind);
      if (!write && operation.kind !== 'range-linearizable') return;
      judged++;
      if (outcome !== 'ok') return;
      violate({
        clause: write ? 'no-write-without-quorum' : 'no-linearizable-read-without-quorum',
        atUs: clock.now,
        sentence: `${operation.member}, cut off from the majority, ${write ? 'acknowledged a write' : 'answered a linearizable read'} of ${operation.key}.`,
        expected: write ? 'write rejected' : 'read rejected',
        actual: `OK, revision ${answer.revision}`,
        subjects: [operation.client, operation.member],
        facts: [
          { atUs: since, subject: operation.member, text: 'can no longer reach a majority' },
          {
            atUs: operation.invokedAtUs,
            subject: operation.client,
            text: `${write ? 'writes' : 'reads'} ${operation.key} through ${operation.member}`,
          },
          { atUs: clock.now, subject: operation.member, text: `answers OK at revision ${answer.revision}` },
        ],
      });
    });

    // The answer to a client may be under way when the quorum goes: one request time-out of etcd is enough for all of them.
    const IN_FLIGHT_US = 7_000_000;
    facts.apiWrite.subscribe((server, user, verb, resource, key) => {
      if (quorumGoneSince === undefined || clock.now - quorumGoneSince < IN_FLIGHT_US) return;
      violate({
        clause: 'nothing-changes-without-quorum',
        atUs: clock.now,
        sentence: `${server} acknowledged ${verb} ${resource} ${key} of ${user} while no etcd member had a majority.`,
        expected: 'every change rejected',
        actual: `${verb} ${resource} ${key} acknowledged`,
        subjects: [server],
        facts: [
          { atUs: quorumGoneSince, subject: 'etcd', text: 'no member can reach a majority' },
          { atUs: clock.now, subject: server, text: `acknowledges ${verb} ${resource} ${key}` },
        ],
      });
    });
    facts.apiFailure.subscribe(() => {
      if (quorumGoneSince !== undefined) judged++;
    });

    // Deletions that were ordered before the cut end within their grace period.
    const GRACE_US = 60_000_000;
    facts.containerStopped.subscribe((node, pod, _uid, container, _instance, exitCode) => {
      const since = nodeCutSince.get(node);
      if (since === undefined || clock.now - since < GRACE_US || exitCode !== 143) return;
      violate({
        clause: 'pods-keep-running',
        atUs: clock.now,
        sentence: `${node}, cut off from the control plane, stopped container ${container} of ${pod}.`,
        expected: 'applications keep running',
        actual: `${container} of ${pod} was terminated`,
        subjects: [node],
        facts: [
          { atUs: since, subject: node, text: 'reaches no API server any more' },
          { atUs: clock.now, subject: node, text: `terminates ${container} of ${pod}` },
        ],
      });
    });
    return { exercised: () => judged };
  },
};
