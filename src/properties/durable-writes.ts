import type { Answer } from './operations.ts';
import type { Property } from './property.ts';

/** What was acknowledged is in the committed history, with its value and at its revision. */
export const durableWrites: Property = {
  id: 'durable-writes',
  about: 'A write that etcd acknowledged is never lost.',
  clauses: [
    { id: 'acknowledged-is-committed', must: 'Every acknowledged write stands in the committed history at the revision of its answer.' },
  ],
  needsKubernetes: false,
  start({ clock, views, violate }) {
    const { history, operations } = views;
    let acknowledged = 0;
    /** Acknowledged in the very instant in which the history hears of it, or never committed: judged at the end. */
    const later: { readonly answer: Answer; readonly atUs: number }[] = [];

    const judge = ({ operation, revision }: Answer, atUs: number): void => {
      // No answer takes so long that what it tells of is forgotten.
      if (revision < history.oldest) return;
      const change = history.changeAt(operation.key, revision);
      if (change !== undefined && !change.deleted && change.value === operation.value) return;
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
    };

    operations.onAnswer((answer) => {
      if (answer.outcome !== 'ok' || answer.operation.kind !== 'put') return;
      acknowledged++;
      if (answer.revision > history.revision) later.push({ answer, atUs: clock.now });
      // The history only grows: what stands in it now stands in it at the end.
      else judge(answer, clock.now);
    });
    return {
      exercised: () => acknowledged,
      finish: () => {
        for (const { answer, atUs } of later) judge(answer, atUs);
      },
    };
  },
};
