import type { Property } from './property.ts';
import { watchGaps } from './watch-gaps.ts';

/** etcd API guarantees: a broken watch can be resumed from the last revision received, as long as that was not compacted. */
export const watchResumable: Property = {
  id: 'watch-resumable',
  about: 'A watch that is taken up again after a break delivers what came meanwhile.',
  clauses: [{ id: 'no-gap-after-resume', must: 'After a watch was resumed at a revision, no change from that revision on is missing.' }],
  needsKubernetes: false,
  start(context) {
    let judged = 0;
    watchGaps(
      context,
      ({ state, missed, revision, atUs }) => {
        if (!(state.resumes > 0)) return;
        context.violate({
          clause: 'no-gap-after-resume',
          atUs,
          sentence: `The resumed watch of ${state.client} on ${state.member} missed ${missed.key} at revision ${missed.revision}.`,
          expected: `${missed.key} at revision ${missed.revision} before revision ${revision}`,
          actual: `revision ${revision} without it`,
          subjects: [state.client, state.member],
          facts: [
            {
              atUs,
              subject: state.member,
              text: `delivers revision ${revision} but never delivered ${missed.key} at revision ${missed.revision}`,
            },
          ],
        });
      },
      (state) => {
        if (state.resumes > 0) judged++;
      },
    );
    return { exercised: () => judged };
  },
};
