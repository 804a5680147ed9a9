import type { Property } from './property.ts';
import { gapEvidence } from './watch-gaps.ts';

/** etcd API guarantees: a broken watch can be resumed from the last revision received, as long as that was not compacted. */
export const watchResumable: Property = {
  id: 'watch-resumable',
  about: 'A watch that is taken up again after a break delivers what came meanwhile.',
  clauses: [{ id: 'no-gap-after-resume', must: 'After a watch was resumed at a revision, no change from that revision on is missing.' }],
  needsKubernetes: false,
  start(context) {
    let judged = 0;
    context.views.watchGaps.listen({
      sign: 'event',
      gap: (gap) => {
        const { state, missed } = gap;
        if (state.resumes === 0) return;
        context.violate({
          ...gapEvidence(gap),
          clause: 'no-gap-after-resume',
          sentence: `The resumed watch of ${state.client} on ${state.member} missed ${missed.key} at revision ${missed.revision}.`,
        });
      },
      step: (state) => {
        if (state.resumes > 0) judged++;
      },
    });
    return { exercised: () => judged };
  },
};
