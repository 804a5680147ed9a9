import type { Focus } from './focus.ts';
import type { History } from './history.ts';
import { isFact } from './moment.ts';
import { MINUTE, SECOND } from '../sim/time.ts';
import { span } from './time-words.ts';

/** The finding above the diagram: what was so for how long, else how much of the run explains it. */
export function diagramTitle(history: History, focus: Focus | undefined, important: number): string {
  if (focus === undefined) {
    const elections = history.factsBy.get('raftLeader')?.length ?? 0;
    const n = history.result.effects.length;
    return `${n === 1 ? 'One fault or operation' : `${n} faults and operations`}, ${elections === 1 ? 'one election' : `${elections} elections`}, and nothing was broken`;
  }
  const { witness } = focus.violation;
  for (const member of focus.lanes) {
    const quorum = history.factsOf.get(member)?.findLast((fact) => fact.channel === 'memberQuorum' && fact.atUs <= witness.atUs);
    if (quorum?.args[1] === false && focus.operation !== undefined)
      return `${member} had been without a majority for ${span(witness.atUs - quorum.atUs)} when it happened`;
    const reach = history.factsBy
      .get('nodeReachable')
      ?.findLast((fact) => member === `kubelet-${String(fact.args[0])}` && fact.atUs <= witness.atUs);
    if (reach?.args[1] === false)
      return `${String(reach.args[0])} had been cut off for ${span(witness.atUs - reach.atUs)} when it happened`;
  }
  const healedAt = history.result.healedAtUs;
  if (healedAt !== undefined && witness.atUs - healedAt > 20 * SECOND)
    return `${span(witness.atUs - healedAt)} after all faults were healed, it still was not so`;
  const guilty = isFact(focus.anchor) ? focus.anchor.args[0] : focus.lanes.at(-1);
  const start = focus.lanes
    .filter((lane) => lane === guilty)
    .flatMap((lane) =>
      (history.notesOf.get(lane) ?? []).filter(
        (note) =>
          note.what === 'started' && note.detail !== 'incarnation 1' && note.atUs <= witness.atUs && note.atUs > witness.atUs - MINUTE,
      ),
    )
    .sort((a, b) => b.atUs - a.atUs)[0];
  if (start !== undefined)
    return `${start.process === '*' ? start.host : start.process} had come back ${span(witness.atUs - start.atUs)} before it happened`;
  return `${important} of ${history.result.events.toLocaleString('en-US')} events explain it`;
}
