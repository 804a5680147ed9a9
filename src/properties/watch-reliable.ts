import type { Property } from './property.ts';
import { gapEvidence } from './watch-gaps.ts';

/** etcd API guarantees: a sequence of events never drops a subsequence; if a < b < c and a and c are received, so is b. */
export const watchReliable: Property = {
  id: 'watch-reliable',
  about: 'A watch delivers every change of its range: no event is left out.',
  clauses: [{ id: 'no-gap', must: 'When an event of a revision comes, every earlier change of the range has come.' }],
  needsKubernetes: false,
  start(context) {
    let judged = 0;
    context.views.watchGaps.listen({
      sign: 'event',
      gap: (gap) => {
        const { state, missed } = gap;
        if (state.resumes !== 0) return;
        context.violate({
          ...gapEvidence(gap),
          clause: 'no-gap',
          sentence: `The watch of ${state.client} on ${state.member} missed ${missed.key} at revision ${missed.revision}.`,
        });
      },
      step: (state) => {
        if (state.resumes === 0) judged++;
      },
    });
    return { exercised: () => judged };
  },
};
