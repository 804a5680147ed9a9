import { type Answer, isWrite, Operations } from './operations.ts';
import type { Property } from './property.ts';

/** What was acknowledged is in the committed history, with its value and at its revision: judged once the trial has ended. */
export const durableWrites: Property = {
  id: 'durable-writes',
  about: 'A write that etcd acknowledged is never lost.',
  clauses: [
    { id: 'acknowledged-is-committed', must: 'Every acknowledged write stands in the committed history at the revision of its answer.' },
  ],
  needsKubernetes: false,
  start({ facts, clock, views, violate }) {
    const { history } = views;
    const acknowledged: { readonly answer: Answer; readonly atUs: number }[] = [];
    new Operations(facts, clock, (answer) => {
      const { operation, outcome } = answer;
      if (outcome === 'ok' && isWrite(operation.kind) && operation.kind === 'put') acknowledged.push({ answer, atUs: clock.now });
    });
    return {
      exercised: () => acknowledged.length,
      finish: () => {
        for (const { answer, atUs } of acknowledged) {
          const { operation, revision } = answer;
          const change = history.changeAt(operation.key, revision);
          if (change !== undefined && !change.deleted && change.value === operation.value) continue;
          violate({
            clause: 'acknowledged-is-committed',
            atUs,
            sentence: `${operation.member} acknowledged a write of ${operation.key} at revision ${revision} that is not in the store.`,
            expected: `${operation.key} changed at revision ${revision}`,
            actual: change === undefined ? 'no such change was committed' : 'another value was committed there',
            subjects: [operation.client, operation.member],
            facts: [
              { atUs: operation.invokedAtUs, subject: operation.client, text: `writes ${operation.key} through ${operation.member}` },
              { atUs, subject: operation.member, text: `acknowledges it at revision ${revision}` },
            ],
          });
          return;
        }
      },
    };
  },
};
