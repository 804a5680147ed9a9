import type { TraceFact } from '../harness/recorder.ts';
import type { Micros } from '../sim/time.ts';
import type { Causes } from './causes.ts';
import type { Draft } from './draft.ts';
import type { Focus } from './focus.ts';
import type { History } from './history.ts';
import { isFact, isFault, isMessage, lossOf } from './moment.ts';
import { span } from './time-words.ts';

/** What the member believed to be: ", which still leads term 2". */
export function roleAt(history: History, member: string, atUs: Micros): string {
  const role = history.lastFact(member, atUs, (fact) => fact.channel === 'raftRole');
  const quorum = history.lastFact(member, atUs, (fact) => fact.channel === 'memberQuorum');
  if (role === undefined) return '';
  const cut = quorum?.args[1] === false;
  if (role.args[1] === 'leader')
    return cut ? `, which still believes that it leads term ${String(role.args[2])}` : `, the leader of term ${String(role.args[2])}`;
  return cut ? `, which knows of no majority` : '';
}

/** A member that comes back with less than the entry that it names had made. */
export function lostByRestart(history: History, fact: TraceFact): string {
  if (fact.channel !== 'memberStart') return '';
  const [member, , applied, revision] = fact.args;
  const truth = history.factsBy.get('raftApply')?.find((other) => other.args[1] === applied && other.atUs < fact.atUs);
  if (truth === undefined || Number(truth.args[4]) <= Number(revision)) return '';
  return ` However, entry ${String(applied)} had led to revision ${String(truth.args[4])}: ${String(member)} has lost a change that it counts as applied.`;
}

/** A subject that gives up, or learns of another leader, after it did what it should not have done. */
export function steppingDown(history: History, fact: TraceFact, focus: Focus): readonly Draft[] {
  const member = String(fact.args[0]);
  const at = focus.violation.witness.atUs;
  const before = history.lastFact(member, fact.atUs - 1, (other) => other.channel === 'raftRole');
  if (fact.atUs <= at || fact.args[1] !== 'follower' || before?.args[1] !== 'leader' || !focus.lanes.includes(member)) return [];
  return [
    {
      moment: fact,
      icon: 'etcd',
      text: `Only now, ${span(fact.atUs - at)} later, ${member} steps down: ${fact.args[3] === '' ? 'no majority has answered it for an election timeout' : `it hears of ${String(fact.args[3])}, the leader of term ${String(fact.args[2])}`}.`,
      need: 66,
    },
  ];
}

/** An election, and why it came to it. */
export function election(history: History, causes: Causes, fact: TraceFact, focus: Focus): Draft {
  const member = String(fact.args[0]);
  const after = fact.atUs > focus.violation.witness.atUs;
  const subject = focus.lanes.includes(member);
  return {
    moment: fact,
    icon: 'etcd',
    text: `${why(history, causes, fact)}${member} is elected leader of term ${String(fact.args[1])}.`,
    need: focus.steps.length > 0 ? 30 : (subject ? 70 : 60) - (after ? 8 : 0),
  };
}

/** "Because the heartbeats of etcd-0 are lost (F2), ". */
function why(history: History, causes: Causes, election: TraceFact): string {
  const member = String(election.args[0]);
  const first = history.lastFact(member, election.atUs, (fact) => fact.channel === 'raftRole' && fact.args[1] === 'follower');
  const campaign =
    first === undefined
      ? undefined
      : (history.factsOf.get(member) ?? []).find(
          (fact) => fact.atUs >= first.atUs && fact.channel === 'raftRole' && /candidate/.test(String(fact.args[1])),
        );
  const cause = campaign === undefined ? undefined : causes.of(campaign)[0];
  if (cause === undefined) return '';
  if (isMessage(cause)) {
    const loss = lossOf(history, cause);
    if (loss === undefined) return '';
    return `Because ${member} no longer hears ${history.from(cause)} (${loss.why}), `;
  }
  return isFact(cause) || isFault(cause) || !('what' in cause)
    ? ''
    : `Because ${cause.process === '*' ? cause.host : cause.process} is ${cause.what === 'paused' ? 'paused' : 'down'}, `;
}
