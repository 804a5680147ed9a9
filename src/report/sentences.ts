import type { TraceFact } from '../harness/recorder.ts';
import type { Micros } from '../sim/time.ts';
import type { Causes } from './causes.ts';
import { sayClause } from './clause-words.ts';
import type { ActorKind, RichText, Story, StorySentence } from './document.ts';
import { type Events, laneOfFact } from './events.ts';
import { sayFact, sentenceOf } from './fact-words.ts';
import { iconOfFault, sayFault } from './fault-words.ts';
import type { Focus } from './focus.ts';
import { emphasize, Glossary, listed } from './glossary.ts';
import type { History } from './history.ts';
import { sayMessage } from './message-labels.ts';
import { shortKey } from './request-words.ts';
import { type FaultMoment, isFact, isFault, isMessage, lossOf, type Moment, timeOf } from './moment.ts';
import { SECOND } from '../sim/time.ts';
import { clock, span } from './time-words.ts';

const SENTENCES_MIN = 3;
const SENTENCES_MAX = 7;

/** A sentence that may be told, and how much the story needs it. */
export interface Draft {
  readonly moment: Moment;
  readonly icon: ActorKind;
  readonly text: string;
  readonly need: number;
  readonly also?: readonly Moment[];
}

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

/** Writes the story of a failure: because …, therefore …; however … */
export class Sentences {
  readonly #history: History;
  readonly #causes: Causes;
  readonly #events: Events;

  constructor(history: History, causes: Causes, events: Events) {
    this.#history = history;
    this.#causes = causes;
    this.#events = events;
  }

  ofFailure(focus: Focus, important: readonly Moment[]): Story {
    const drafts: Draft[] = [
      ...this.#violation(focus),
      ...this.#witness(focus),
      ...this.#steps(focus),
      ...this.#faultSentences(important, focus),
      ...important.flatMap((moment) => (isFact(moment) && moment !== focus.anchor ? this.#milestone(moment, focus) : [])),
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
    const chosen = [...byEvent]
      .sort(([, a], [, b]) => b.need - a.need)
      .filter(([, draft], i) => i < SENTENCES_MIN || (i < SENTENCES_MAX && draft.need >= 30));
    const glossary = new Glossary();
    const names = [
      ...this.#history.actors.names().filter((name) => /[-/]/.test(name)),
      ...this.#history.topology.hosts.map((host) => host.name),
    ];
    return chosen
      .sort(([, a], [, b]) => timeOf(this.#history, a.moment) - timeOf(this.#history, b.moment) || a.need - b.need)
      .map(([eventId, draft]) => ({
        atUs: timeOf(this.#history, draft.moment),
        icon: draft.icon,
        eventId,
        alsoEventIds: [
          ...new Set((draft.also ?? this.#causes.of(draft.moment)).flatMap((moment) => this.#events.idOf(moment) ?? [])),
        ].filter((id) => id !== eventId),
        text: glossary.define(emphasize(draft.text, names)) as RichText,
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
          ? `${sentenceOf(sayFact(anchor) ?? { subject: 'plan', text: witness.sentence })}. ${tail}`
          : witness.sentence.includes(witness.actual)
            ? `${witness.sentence} That may not be, because ${because}.`
            : `${witness.sentence} ${tail}`;
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
        const role = this.#roleAt(operation.member, moment.sentAtUs);
        return [{ moment, icon: 'client', text: `${operation.client} ${how} through ${operation.member}${role}.`, need: 80 }];
      }
      if (!isFact(moment)) return [];
      const words = sayFact(moment);
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
      const words = sayFact(fact);
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

  /** What the member believed to be: ", which still leads term 2". */
  #roleAt(member: string, atUs: Micros): string {
    const role = this.#causes.lastFact(member, atUs, (fact) => fact.channel === 'raftRole');
    const quorum = this.#causes.lastFact(member, atUs, (fact) => fact.channel === 'memberQuorum');
    if (role === undefined) return '';
    const cut = quorum?.args[1] === false;
    if (role.args[1] === 'leader')
      return cut ? `, which still believes that it leads term ${String(role.args[2])}` : `, the leader of term ${String(role.args[2])}`;
    return cut ? `, which knows of no majority` : '';
  }

  /** The faults of the slice: at most two sentences of their own, older ones together in one. */
  #faultSentences(important: readonly Moment[], focus: Focus): readonly Draft[] {
    const at = focus.violation.witness.atUs;
    const reasons = new Set([...this.#behind(focus, important), ...this.#aroundSteps(focus, important)]);
    const injections = important.filter(
      (moment): moment is FaultMoment =>
        isFault(moment) &&
        moment.moment === 'inject' &&
        moment.atUs <= at &&
        (reasons.has(moment) || (moment.effect.healedAtUs ?? at) >= at),
    );
    const own = injections.slice(-2);
    const older = injections.slice(0, -2);
    const drafts: Draft[] = own.map((moment) => ({
      moment,
      icon: iconOfFault(moment.effect.kind),
      text: this.#faultText(moment),
      need: reasons.has(moment) ? 76 : 48,
    }));
    const last = older.at(-1);
    if (last !== undefined) {
      const said = older
        .slice(-3)
        .map(
          ({ effect }) =>
            `${effect.id} ${sayFault(this.#history, effect)}${effect === last.effect ? '' : ` (${clock(effect.injectedAtUs)})`}`,
        );
      drafts.push({
        moment: last,
        icon: iconOfFault(last.effect.kind),
        text: `${capital(listed(said))}.${this.#consequence(last)}`,
        need: 74,
        also: older,
      });
    }
    return drafts;
  }

  /** Faults that acted on a host while something there got stuck. */
  #aroundSteps({ steps }: Focus, important: readonly Moment[]): readonly FaultMoment[] {
    return important.filter((moment): moment is FaultMoment => {
      if (!isFault(moment) || moment.moment !== 'inject') return false;
      const { effect } = moment;
      return steps.some(({ fact, text }) => {
        const lane = laneOfFact(this.#history, fact);
        const host = lane === undefined ? '' : this.#history.hostOf(lane);
        const active = effect.injectedAtUs <= fact.atUs + SECOND && fact.atUs <= (effect.healedAtUs ?? fact.atUs);
        return text !== undefined && active && effect.lanes.some((name) => name === lane || name === host);
      });
    });
  }

  /** Everything that the violation came from. */
  #behind(focus: Focus, important: readonly Moment[]): ReadonlySet<Moment> {
    const behind = new Set<Moment>();
    const restarts = important.filter(
      (moment) => isFact(moment) && moment.channel === 'memberStart' && focus.lanes.includes(String(moment.args[0])),
    );
    const open: Moment[] = [focus.anchor, ...focus.others, ...restarts];
    for (let next = open.pop(); next !== undefined && behind.size < 500; next = open.pop()) {
      if (behind.has(next)) continue;
      behind.add(next);
      open.push(...this.#causes.of(next));
    }
    return behind;
  }

  #faultText(moment: FaultMoment): string {
    return `${moment.effect.id} ${sayFault(this.#history, moment.effect)}.${this.#consequence(moment)}`;
  }

  /** What the fault means for etcd at once. */
  #consequence(moment: FaultMoment): string {
    const at = moment.atUs;
    const quorum = (this.#history.factsBy.get('memberQuorum') ?? []).filter((fact) => fact.atUs === at && fact.args[1] === false && at > 0);
    const dead = new Set(
      (this.#history.trace.notes ?? []).filter((note) => note.atUs === at && note.what === 'killed').map((note) => note.process),
    );
    const led = this.#history.members.filter(
      (member) =>
        this.#causes.lastFact(member, at, (fact) => fact.channel === 'raftRole')?.args[1] === 'leader' &&
        (dead.has(member) || quorum.some((fact) => fact.args[0] === member)),
    );
    const members = quorum.map((fact) => String(fact.args[0])).filter((member) => !dead.has(member));
    const cut = members.length === 0 ? '' : ` Therefore ${listed(members)} can no longer reach a majority`;
    const leader = led[0] === undefined ? '' : `${led[0]} was the leader`;
    if (cut === '') return leader === '' ? '' : ` ${capital(leader)}.`;
    return leader === '' ? `${cut}.` : `${cut}; ${leader}.`;
  }

  #milestone(fact: TraceFact, focus: Focus): readonly Draft[] {
    if (fact.channel === 'raftLeader') return [this.#election(fact, focus)];
    if (fact.channel === 'raftRole') return this.#steppingDown(fact, focus);
    const need = MILESTONES[fact.channel];
    const words = sayFact(fact);
    if (need === undefined || words === undefined) return [];
    const after = fact.atUs > focus.violation.witness.atUs ? 'Later ' : '';
    const subject = laneOfFact(this.#history, fact) ?? words.subject;
    return [
      {
        moment: fact,
        icon: this.#iconOf(subject),
        text: `${capital(`${after}${words.subject} ${words.text}`)}${this.#since(fact)}.${this.#lostByRestart(fact)}`,
        need: need - (after === '' ? 0 : 4) + (focus.lanes.includes(subject) ? 14 : 0),
      },
    ];
  }

  /** A member that comes back with less than the entry that it names had made. */
  #lostByRestart(fact: TraceFact): string {
    if (fact.channel !== 'memberStart') return '';
    const [member, , applied, revision] = fact.args;
    const truth = this.#history.factsBy.get('raftApply')?.find((other) => other.args[1] === applied && other.atUs < fact.atUs);
    if (truth === undefined || Number(truth.args[4]) <= Number(revision)) return '';
    return ` However, entry ${String(applied)} had led to revision ${String(truth.args[4])}: ${String(member)} has lost a change that it counts as applied.`;
  }

  /** A subject that gives up, or learns of another leader, after it did what it should not have done. */
  #steppingDown(fact: TraceFact, focus: Focus): readonly Draft[] {
    const member = String(fact.args[0]);
    const at = focus.violation.witness.atUs;
    const before = this.#causes.lastFact(member, fact.atUs - 1, (other) => other.channel === 'raftRole');
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

  #election(fact: TraceFact, focus: Focus): Draft {
    const member = String(fact.args[0]);
    const after = fact.atUs > focus.violation.witness.atUs;
    const subject = focus.lanes.includes(member);
    return {
      moment: fact,
      icon: 'etcd',
      text: `${this.#why(fact)}${member} is elected leader of term ${String(fact.args[1])}.`,
      need: focus.steps.length > 0 ? 30 : (subject ? 70 : 60) - (after ? 8 : 0),
    };
  }

  /** "Because the heartbeats of etcd-0 are lost (F2), ". */
  #why(election: TraceFact): string {
    const member = String(election.args[0]);
    const first = this.#causes.lastFact(member, election.atUs, (fact) => fact.channel === 'raftRole' && fact.args[1] === 'follower');
    const campaign =
      first === undefined
        ? undefined
        : (this.#history.factsOf.get(member) ?? []).find(
            (fact) => fact.atUs >= first.atUs && fact.channel === 'raftRole' && /candidate/.test(String(fact.args[1])),
          );
    const cause = campaign === undefined ? undefined : this.#causes.of(campaign)[0];
    if (cause === undefined) return '';
    if (isMessage(cause)) {
      const loss = lossOf(this.#history, cause);
      if (loss === undefined) return '';
      return `Because ${member} no longer hears ${this.#history.from(cause)} (${loss.why}), `;
    }
    return isFact(cause) || isFault(cause) || !('what' in cause)
      ? ''
      : `Because ${cause.process === '*' ? cause.host : cause.process} is ${cause.what === 'paused' ? 'paused' : 'down'}, `;
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
            text: moment.moment === 'heal' ? `${moment.effect.id} ends: ${moment.effect.label}.` : this.#faultText(moment),
            need: 24,
          },
        ];
      const words = isFact(moment) ? sayFact(moment) : undefined;
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
    return [
      {
        moment: heal,
        icon: 'fault',
        text: `All faults are healed, and users stop. From here on the cluster has to come right by itself: it is given ${span(witness.atUs - heal.atUs)}.`,
        need: 72,
      },
    ];
  }

  #iconOf(subject: string): ActorKind {
    const standing = this.#history.actors.standingFor(subject);
    return standing === undefined ? (subject === 'scheduler' ? 'scheduler' : 'controller') : this.#history.actors.get(standing).kind;
  }
}

/** Names keep their small letters, also at the beginning of a sentence. */
function capital(text: string): string {
  return /^[\w/-]*(?:\d|-|\/)/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}
