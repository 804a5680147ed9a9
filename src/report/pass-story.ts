import { faultOf } from '../faults/registry.ts';
import type { Story } from './document.ts';
import { wordsOf } from './fact-lanes.ts';
import { iconOfFault, sayFault } from './fault-words.ts';
import type { History } from './history.ts';
import { isFact, isFault, type Moment } from './moment.ts';
import type { Draft } from './draft.ts';
import type { Sentences } from './sentences.ts';
import { MILLISECOND } from '../sim/time.ts';
import { clock } from './time-words.ts';

/** The story of a run in which nothing was broken: what was done to the cluster, and how it came through. */
export function passStory(history: History, sentences: Sentences, important: readonly Moment[]): Story {
  const drafts: Draft[] = [];
  const injections = important.filter(isFault).filter((moment) => moment.moment === 'inject');
  injections.forEach((moment, i) => {
    const { effect } = moment;
    const what = faultOf(effect.kind).operation ? `A user asks for it: ${effect.label}` : `${effect.id} ${sayFault(history, effect)}`;
    const effects = effect.touched > 0 ? '' : ' It touches nothing';
    drafts.push({
      moment,
      icon: faultOf(effect.kind).operation ? 'client' : iconOfFault(effect.kind),
      text: `${what}.${effects}${effects === '' ? '' : '.'}`,
      need: 70 - i,
    });
  });
  for (const fact of important.filter(isFact)) {
    const words = wordsOf(history, fact);
    if (words === undefined) continue;
    if (fact.channel === 'userOperation')
      drafts.push({
        moment: fact,
        icon: 'client',
        text: `${words.subject} ${words.text}.`,
        need: fact.atUs < history.input.timing.chaosFromMs * MILLISECOND ? 20 : 66,
      });
    if (fact.channel === 'raftLeader')
      drafts.push({
        moment: fact,
        icon: 'etcd',
        text: `${words.subject} is elected leader of term ${String(fact.args[1])}.`,
        need: fact.atUs < history.input.timing.chaosFromMs * MILLISECOND ? 35 : 68,
      });
    if (fact.channel === 'podEvicted' || fact.channel === 'nodeCondition')
      drafts.push({ moment: fact, icon: 'controller', text: `${words.subject} ${words.text}.`, need: 40 });
  }
  const last = important.at(-1);
  const healedAt = history.result.healedAtUs;
  const held = history.result.properties.filter((row) => row.verdict === 'held').length;
  if (last !== undefined) {
    const end = healedAt === undefined ? '' : `Everything is healed at ${clock(healedAt)}. `;
    drafts.push({
      moment: last,
      icon: 'fault',
      text: `${end}The run ends at ${clock(history.result.endUs)}, and ${held} properties have held.`,
      need: 100,
    });
  }
  const inconclusive = history.result.status === 'inconclusive';
  return {
    title: inconclusive ? 'Nothing was broken, but not everything could be judged' : 'The cluster came through',
    sentences: sentences.finish(drafts),
  };
}
