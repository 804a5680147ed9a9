import type { TraceFact } from '../harness/recorder.ts';
import type { Causes } from './causes.ts';
import { sayClause } from './clause-words.ts';
import type { ActorKind, Story, StorySentence } from './document.ts';
import type { Draft } from './draft.ts';
import type { Events } from './events.ts';
import { laneOfFact, wordsOf } from './fact-lanes.ts';
import { sentenceCase, sentenceOf } from './fact-words.ts';
import { FaultSentences } from './fault-sentences.ts';
import { iconOfFault } from './fault-words.ts';
import type { Focus } from './focus.ts';
import { emphasize, Glossary } from './glossary.ts';
import type { History } from './history.ts';
import { election, lostByRestart, roleAt, steppingDown } from './member-sentences.ts';
import { sayMessage } from './message-labels.ts';
import { compareMoments, headline, isFact, isFault, isMessage, type Moment, timeOf } from './moment.ts';
import { shortKey } from './request-words.ts';
import { MILLISECOND } from '../sim/time.ts';
import { span } from './time-words.ts';

const SENTENCES_MIN = 3;
const SENTENCES_MAX = 7;

/** Facts that are steps of a story wherever they are in the slice. */
const MILESTONES: Readonly<Record<string, number>> = {
  nodeReachable: 52,
  nodeCondition: 56,
  podEvicted: 60,
  podBound: 54,
  leading: 55,
  memberStart: 50,
  raftTruncate: 58,
  raftSnapshot: 50,
  leaseRevoked: 52,
  watchResumed: 54,
  containerStopped: 40,
};

const JUDGED_AT_THE_END: ReadonlySet<string> = new Set(['eventual-reconciliation', 'progress-after-heal', 'quiescence']);

/** Writes the story of a failure: because …, therefore …; however … */
export class Sentences {
  readonly #history: History;
  readonly #causes: Causes;
  readonly #events: Events;
  readonly #faults: FaultSentences;

  constructor(history: History, causes: Causes, events: Events) {
    this.#history = history;
    this.#causes = causes;
    this.#events = events;
    this.#faults = new FaultSentences(history, causes);
  }

  ofFailure(focus: Focus, important: readonly Moment[]): Story {
    const behind = this.#causes.behind([focus.anchor, ...focus.others]);
    const drafts: Draft[] = [
      ...this.#violation(focus),
      ...this.#witness(focus),
      ...this.#steps(focus),
      ...this.#faults.of(focus, important),
      ...important.flatMap((moment) =>
        isFact(moment) && moment !== focus.anchor ? this.#milestone(moment, focus, behind.has(moment)) : [],
      ),
      ...this.#healing(focus),
      ...this.#context(important, focus),
    ];
    return { title: sayClause(focus.violation).title, sentences: this.finish(drafts) };
  }

  /** Chooses, orders, and puts the definitions in. */
  finish(drafts: readonly Draft[]): readonly StorySentence[] {
    const byEvent = new Map<string, Draft>();
    for (const draft of drafts) {
      const id = this.#events.idOf(draft.moment);
      if (id !== undefined && (byEvent.get(id)?.need ?? -1) < draft.need) byEvent.set(id, draft);
    }
    // What happens again and again is told once, where it happened first.
    const told = new Map<string, string>();
    for (const [id, { text, moment }] of [...byEvent].sort(([, a], [, b]) => compareMoments(this.#history, a.moment, b.moment))) {
      if (!isFact(moment) || moment.channel !== 'nodeCondition') continue;
      if (told.has(text)) byEvent.delete(id);
      else told.set(text, id);
    }
    const chosen = [...byEvent]
      .sort(([, a], [, b]) => b.need - a.need)
      .filter(([, draft], i) => i < SENTENCES_MIN || (i < SENTENCES_MAX && draft.need >= 30));
    const glossary = new Glossary();
    const names = [
      ...this.#history.actors.names().filter((name) => /[-/]/.test(name)),
      ...this.#history.topology.hosts.map((host) => host.name),
    ];
    return chosen
      .sort(([, a], [, b]) => compareMoments(this.#history, a.moment, b.moment) || a.need - b.need)
      .map(([eventId, draft]) => ({
        atUs: timeOf(this.#history, draft.moment),
        icon: draft.icon,
        eventId,
        alsoEventIds: [
          ...new Set((draft.also ?? this.#causes.of(draft.moment)).flatMap((moment) => this.#events.idOf(moment) ?? [])),
        ].filter((id) => id !== eventId),
        text: glossary.define(emphasize(draft.text, names)),
      }));
  }

  #violation({ violation, anchor, operation, others }: Focus): readonly Draft[] {
    const { witness } = violation;
    const { because } = sayClause(violation);
    const tail = `Because ${because}, this had to be: ${witness.expected}; however, it was: ${witness.actual}.`;
    const said =
      operation !== undefined && isMessage(anchor)
        ? `${operation.member} answers ${operation.client}: ${sayMessage(anchor, this.#history.callOf(anchor)).label}. ${tail}`
        : isFact(anchor)
          ? `${sentenceOf(wordsOf(this.#history, anchor) ?? { subject: 'plan', text: witness.sentence })}. ${tail}`
          : `${headline(witness)} ${tail}`;
    const icon = isMessage(anchor)
      ? this.#history.actors.get(this.#history.from(anchor)).kind
      : this.#iconOf(witness.subjects.at(-1) ?? '');
    return [{ moment: anchor, icon, text: said, need: 100, also: [...this.#causes.of(anchor), ...others] }];
  }

  /** The other facts of the witness, and what the client asked. */
  #witness({ others, operation }: Focus): readonly Draft[] {
    return others.flatMap((moment): readonly Draft[] => {
      if (isMessage(moment)) {
        if (operation === undefined) return [];
        const how =
          operation.kind === 'range-linearizable'
            ? `reads ${shortKey(operation.key)}, linearizable,`
            : operation.kind === 'range-serializable'
              ? `reads ${shortKey(operation.key)}, serializable,`
              : `${operation.kind === 'put' ? 'writes' : 'deletes'} ${shortKey(operation.key)}`;
        const role = roleAt(this.#history, operation.member, moment.sentAtUs);
        return [{ moment, icon: 'client', text: `${operation.client} ${how} through ${operation.member}${role}.`, need: 80 }];
      }
      if (!isFact(moment)) return [];
      const words = wordsOf(this.#history, moment);
      // What a fault does to the quorum at once is said with the fault.
      if (words === undefined || (moment.channel === 'memberQuorum' && this.#causes.of(moment).length > 0)) return [];
      return [
        {
          moment,
          icon: this.#iconOf(words.subject),
          text: `${sentenceOf(words)}${this.#since(moment)}.`,
          need: 82,
        },
      ];
    });
  }

  /** What happened to the objects. */
  #steps({ steps, violation }: Focus): readonly Draft[] {
    return steps.flatMap(({ fact, text }): readonly Draft[] => {
      const words = wordsOf(this.#history, fact);
      if (words === undefined) return [];
      const near = fact.atUs === violation.witness.atUs ? 0 : 2;
      return [
        {
          moment: fact,
          icon: this.#iconOf(laneOfFact(this.#history, fact) ?? words.subject),
          text: text ?? `${sentenceOf(words)}${this.#since(fact)}.`,
          need: (text !== undefined ? 88 : fact.channel === 'apiWrite' ? 45 : 68) - near,
        },
      ];
    });
  }

  #milestone(fact: TraceFact, focus: Focus, isCause: boolean): readonly Draft[] {
    if (fact.channel === 'raftLeader') return [election(this.#history, this.#causes, fact, focus)];
    if (fact.channel === 'raftRole') return steppingDown(this.#history, fact, focus);
    // Who led from the beginning is no step of a story.
    const boot = fact.channel === 'leading' && fact.atUs < this.#history.input.timing.chaosFromMs * MILLISECOND;
    const need = boot ? 22 : MILESTONES[fact.channel];
    const words = wordsOf(this.#history, fact);
    // What a fault does at once is said with the fault.
    if (need === undefined || words === undefined || (fact.channel === 'nodeReachable' && this.#causes.of(fact).length > 0)) return [];
    const lost = lostByRestart(this.#history, fact);
    const after = fact.atUs > focus.violation.witness.atUs ? 'Later ' : '';
    const subject = laneOfFact(this.#history, fact) ?? words.subject;
    return [
      {
        moment: fact,
        icon: this.#iconOf(subject),
        text: `${sentenceCase(`${after}${words.subject} ${words.text}`)}${this.#since(fact)}.${lost}`,
        need: need - (after === '' ? 0 : 4) + (isCause || focus.lanes.includes(subject) ? 14 : 0) + (lost === '' ? 0 : 20),
      },
    ];
  }

  /** ", 4.2 s after it was cut off": how long a node or member had been unreachable. */
  #since(fact: TraceFact): string {
    if (fact.channel !== 'nodeCondition' && fact.channel !== 'podEvicted') return '';
    const node = fact.channel === 'nodeCondition' ? fact.args[0] : fact.args[2];
    const cut = this.#history.factsBy.get('nodeReachable')?.findLast((other) => other.args[0] === node && other.atUs < fact.atUs);
    return cut?.args[1] === false ? `, ${span(fact.atUs - cut.atUs)} after it was cut off` : '';
  }

  /** What may stand for context where little else is known. */
  #context(important: readonly Moment[], focus: Focus): readonly Draft[] {
    return important.flatMap((moment): readonly Draft[] => {
      if (isFault(moment))
        return [
          {
            moment,
            icon: iconOfFault(moment.effect.kind),
            text: moment.moment === 'heal' ? `${moment.effect.id} ends: ${moment.effect.label}.` : this.#faults.text(moment),
            need: 24,
          },
        ];
      const words = isFact(moment) ? wordsOf(this.#history, moment) : undefined;
      return words === undefined || moment === focus.anchor
        ? []
        : [{ moment, icon: this.#iconOf(words.subject), text: `${sentenceOf(words)}.`, need: 20 }];
    });
  }

  /** The end of chaos, and how long it took from there. */
  #healing(focus: Focus): readonly Draft[] {
    const healedAt = this.#history.result.healedAtUs;
    const heal = healedAt === undefined ? undefined : this.#history.factsBy.get('phase')?.find((fact) => fact.args[0] === 'healing');
    const { witness } = focus.violation;
    if (heal === undefined || witness.atUs < heal.atUs) return [];
    // Only what is judged at the end was given time; a rule that holds always may break at any moment.
    const given = JUDGED_AT_THE_END.has(focus.violation.property) ? `: it is given ${span(witness.atUs - heal.atUs)}` : '';
    return [
      {
        moment: heal,
        icon: 'fault',
        text: `All faults are healed, and users stop. From here on the cluster has to come right by itself${given}.`,
        need: 72,
      },
    ];
  }

  #iconOf(subject: string): ActorKind {
    const standing = this.#history.actors.standingFor(subject);
    return standing === undefined ? (subject === 'scheduler' ? 'scheduler' : 'controller') : this.#history.actors.get(standing).kind;
  }
}
