import type { Answer } from './operations.ts';
import type { Property } from './property.ts';

/**
 * Reads against the known truth: a linearizable read equals the store at the revision of its answer, and this revision is not older
 * than what any operation answered before its invocation had shown. A serializable read equals the store at some committed revision.
 */
export const correctReads: Property = {
  id: 'correct-reads',
  about: 'A linearizable read returns the newest acknowledged state, a serializable read some committed state.',
  clauses: [
    { id: 'linearizable-is-fresh', must: 'A linearizable read never misses a write that was acknowledged before it began.' },
    { id: 'linearizable-is-true', must: 'A linearizable read returns what the store held at the revision of its answer.' },
    { id: 'serializable-is-committed', must: 'A serializable read returns what the store held at the revision of its answer.' },
  ],
  needsKubernetes: false,
  start({ clock, views, violate }) {
    const { history, operations } = views;
    let judged = 0;
    const later: Answer[] = [];

    const tell = (clause: string, answer: Answer, expected: string, actual: string): void => {
      const { operation } = answer;
      const how = clause === 'serializable-is-committed' ? 'serializable' : 'linearizable';
      violate({
        clause,
        atUs: clock.now,
        sentence: `${operation.member} answered a ${how} read of ${operation.key} with ${actual}, although ${expected}.`,
        expected,
        actual,
        subjects: [operation.client, operation.member],
        facts: [
          { atUs: operation.invokedAtUs, subject: operation.client, text: `reads ${operation.key} through ${operation.member}` },
          { atUs: clock.now, subject: operation.member, text: `answers with revision ${answer.revision}` },
        ],
      });
    };

    const judgeValue = (answer: Answer): void => {
      const { operation, revision, modRevision, value } = answer;
      // Nothing reads so far back that it is forgotten.
      if (revision < history.oldest) return;
      const truth = history.at(operation.key, revision);
      const clause = operation.kind === 'range-serializable' ? 'serializable-is-committed' : 'linearizable-is-true';
      if (truth === undefined ? modRevision === 0 : truth.revision === modRevision && truth.value === value) return;
      tell(
        clause,
        answer,
        truth === undefined
          ? `the key does not exist at revision ${revision}`
          : `revision ${revision} holds the write of revision ${truth.revision}`,
        modRevision === 0 ? 'no such key' : `the write of revision ${modRevision}`,
      );
    };

    operations.onAnswer((answer) => {
      const { operation, outcome, revision } = answer;
      if (outcome !== 'ok' || !operation.kind.startsWith('range-')) return;
      judged++;
      if (operation.kind === 'range-linearizable' && revision < operation.knownRevision) {
        tell('linearizable-is-fresh', answer, `revision ${operation.knownRevision} had been acknowledged before`, `revision ${revision}`);
        return;
      }
      // A member may apply (and answer from) a revision in the same instant in which the history hears of it.
      if (revision > history.revision) later.push(answer);
      else judgeValue(answer);
    });
    return {
      exercised: () => judged,
      finish: () => {
        for (const answer of later) judgeValue(answer);
      },
    };
  },
};
