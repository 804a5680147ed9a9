import type { TraceFact } from '../harness/recorder.ts';
import { type FactWords, sayFact } from './fact-words.ts';
import type { History } from './history.ts';

/** Facts that a control loop makes, by the program that must hold the lease for it. */
const DONE_BY: Readonly<Record<string, string>> = {
  podBound: 'scheduler',
  podEvicted: 'controller-manager',
  nodeCondition: 'controller-manager',
};

/** The lane of a fact: its subject, the kubelet of its node, the controller that did it. */
export function laneOfFact(history: History, fact: TraceFact): string | undefined {
  const { actors } = history;
  const { channel, args } = fact;
  if (channel === 'leading') return actors.ofIdentity(String(args[1]), String(args[0]));
  const lease = DONE_BY[channel];
  if (lease !== undefined) {
    const holder = (history.factsBy.get('leading') ?? []).findLast(
      (f) => f.atUs <= fact.atUs && f.args[2] === true && String(f.args[0]).includes(lease),
    );
    return holder === undefined ? undefined : actors.ofIdentity(String(holder.args[1]), String(holder.args[0]));
  }
  if (channel === 'requestAnswered') {
    const sent = history.factsBy.get('requestSent')?.find((f) => f.args[0] === args[0]);
    return sent === undefined ? undefined : actors.standingFor(String(sent.args[1]));
  }
  return actors.standingFor(String(channel === 'userOperation' || channel === 'requestSent' ? args[1] : args[0]));
}

/** A fact in words, with the program that did it where the fact itself knows only its role or host. */
export function wordsOf(history: History, fact: TraceFact): FactWords | undefined {
  const words = sayFact(fact);
  if (words === undefined || (fact.channel !== 'leading' && fact.channel !== 'podBound' && fact.channel !== 'podEvicted')) return words;
  return { ...words, subject: laneOfFact(history, fact) ?? words.subject };
}
