import type { TraceNote } from '../harness/recorder.ts';
import { SECOND } from '../sim/time.ts';
import type { Causes } from './causes.ts';
import type { Draft } from './draft.ts';
import { laneOfFact } from './fact-lanes.ts';
import { sentenceCase } from './fact-words.ts';
import { iconOfFault, sayFault } from './fault-words.ts';
import type { Focus } from './focus.ts';
import { listed } from './glossary.ts';
import type { History } from './history.ts';
import { type FaultMoment, isFact, isFault, type Moment } from './moment.ts';
import { clock } from './time-words.ts';

/** A plan of so few faults and operations is told whole. */
export const SMALL_PLAN = 3;

/** Tells of the faults that a failure came from. */
export class FaultSentences {
  readonly #history: History;
  readonly #causes: Causes;

  constructor(history: History, causes: Causes) {
    this.#history = history;
    this.#causes = causes;
  }

  /** The faults of the slice: at most two sentences of their own, older ones together in one. */
  of(focus: Focus, important: readonly Moment[]): readonly Draft[] {
    const at = focus.violation.witness.atUs;
    const { faults, operations } = this.#history.input;
    // What shrinking left of a plan is all needed, whether or not a chain of messages shows how.
    const small = faults.length + operations.length <= SMALL_PLAN ? important.filter(isFault) : [];
    const reasons = new Set<Moment>([...this.#behind(focus, important), ...this.#aroundSteps(focus, important), ...small]);
    const struck = important
      .filter((moment): moment is FaultMoment => isFault(moment) && moment.moment === 'inject')
      .map((fault) => ({ fault, strike: this.#strike(fault) }))
      .filter(({ fault, strike }) => strike.atUs <= at && (reasons.has(fault) || (fault.effect.healedAtUs ?? at) >= at))
      .sort((a, b) => a.strike.atUs - b.strike.atUs);
    const drafts: Draft[] = struck.slice(-2).map(({ fault, strike }) => ({
      moment: strike,
      icon: iconOfFault(fault.effect.kind),
      text: this.text(fault),
      need: reasons.has(fault) ? 76 : 48,
    }));
    const older = struck.slice(0, -2);
    const last = older.at(-1);
    if (last !== undefined) {
      const said = older
        .slice(-3)
        .map(
          ({ fault, strike }) =>
            `${fault.effect.id} ${sayFault(this.#history, fault.effect)}${fault === last.fault ? '' : ` (${clock(strike.atUs)})`}`,
        );
      drafts.push({
        moment: last.strike,
        icon: iconOfFault(last.fault.effect.kind),
        text: `${sentenceCase(listed(said))}.${this.#consequence(last.fault)}`,
        need: 74,
        also: older.map(({ fault }) => fault),
      });
    }
    return drafts;
  }

  /** When a fault struck: at its injection, or, where it waited for its moment, at the death that it caused. */
  #strike(fault: FaultMoment): TraceNote | FaultMoment {
    if (!fault.effect.kind.startsWith('crash-at-')) return fault;
    const notes = fault.effect.lanes.flatMap((lane) => this.#history.notesOf.get(lane) ?? []);
    return notes.find((note) => note.what === 'killed' && this.#causes.of(note).includes(fault)) ?? fault;
  }

  /** Faults that acted on a host while something there got stuck; for what never came right, all that acted on its hosts. */
  #aroundSteps({ steps, lanes, operation }: Focus, important: readonly Moment[]): readonly FaultMoment[] {
    if (steps.length === 0 || operation !== undefined) return [];
    const hosts = new Set(lanes.map((lane) => this.#history.hostOf(lane)));
    const healedAt = this.#history.result.healedAtUs ?? 0;
    for (const moment of important)
      if (isFact(moment) && moment.channel === 'nodeCondition' && moment.atUs >= healedAt) hosts.add(String(moment.args[0]));
    return important.filter((moment): moment is FaultMoment => {
      if (!isFault(moment) || moment.moment !== 'inject') return false;
      const { effect } = moment;
      if (effect.lanes.some((name) => hosts.has(name) || hosts.has(this.#history.hostOf(name)))) return true;
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
    const restarts = important.filter(
      (moment) => isFact(moment) && moment.channel === 'memberStart' && focus.lanes.includes(String(moment.args[0])),
    );
    return this.#causes.behind([focus.anchor, ...focus.others, ...restarts]);
  }

  /** One fault, and what it means for etcd at once. */
  text(moment: FaultMoment): string {
    return `${moment.effect.id} ${sayFault(this.#history, moment.effect)}.${this.#consequence(moment)}`;
  }

  /** What the fault means for etcd at once. */
  #consequence(moment: FaultMoment): string {
    const at = this.#strike(moment).atUs;
    const quorum = (this.#history.factsBy.get('memberQuorum') ?? []).filter((fact) => fact.atUs === at && fact.args[1] === false && at > 0);
    const dead = new Set(
      (this.#history.trace.notes ?? []).filter((note) => note.atUs === at && note.what === 'killed').map((note) => note.process),
    );
    const led = this.#history.members.filter(
      (member) => this.#led(member, at) && (dead.has(member) || quorum.some((fact) => fact.args[0] === member)),
    );
    const members = quorum.map((fact) => String(fact.args[0])).filter((member) => !dead.has(member));
    const nodes = (this.#history.factsBy.get('nodeReachable') ?? []).filter((fact) => fact.atUs === at && fact.args[1] === false && at > 0);
    const lost = nodes.length === 0 ? '' : `${listed(nodes.map((fact) => String(fact.args[0])))} can no longer reach any API server`;
    const parts = [members.length === 0 ? '' : `${listed(members)} can no longer reach a majority`, dead.size > 0 ? '' : lost].filter(
      (part) => part !== '',
    );
    const cut = parts.length === 0 ? '' : ` Therefore ${listed(parts)}`;
    const leader = led[0] === undefined ? '' : `${led[0]} was the leader`;
    if (cut === '' && leader === '') return this.#heldBy(moment);
    if (cut === '') return ` ${sentenceCase(leader)}.`;
    return leader === '' ? `${cut}.` : `${cut}; ${leader}.`;
  }

  /** Whether a member led just before an instant: a role that a death ended counts no more. */
  #led(member: string, atUs: number): boolean {
    const role = this.#history.lastFact(member, atUs, (fact) => fact.channel === 'raftRole' || fact.channel === 'memberStart');
    const death = this.#history.lastDeath(member, atUs - 1);
    return role?.args[1] === 'leader' && (death === undefined || death.atUs < role.atUs);
  }

  /** Whether the fault hit the one control loop of its kind that works: " kcm-0 holds the lease kube-controller-manager." */
  #heldBy({ effect, atUs }: FaultMoment): string {
    const holders = new Map<string, string>();
    for (const fact of this.#history.factsBy.get('leading') ?? []) {
      if (fact.atUs > atUs) break;
      const program = this.#history.actors.ofIdentity(String(fact.args[1]), String(fact.args[0]));
      if (program === undefined) continue;
      if (fact.args[2] === true) holders.set(String(fact.args[0]), program);
      else if (holders.get(String(fact.args[0])) === program) holders.delete(String(fact.args[0]));
    }
    const held = [...holders].find(([, program]) => effect.lanes.includes(program));
    return held === undefined ? '' : ` ${held[1]} holds the lease ${held[0]}.`;
  }
}
