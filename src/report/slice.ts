import { faultOf } from '../faults/registry.ts';
import type { TraceFact } from '../harness/recorder.ts';
import { MILLISECOND, SECOND } from '../sim/time.ts';
import type { Causes } from './causes.ts';
import { isRaft, sayMessage } from './message-labels.ts';
import type { FaultMoments } from './fault-moments.ts';
import { SMALL_PLAN } from './fault-sentences.ts';
import type { Focus } from './focus.ts';
import type { History } from './history.ts';
import { compareMoments, isFact, isFault, isMessage, isWitness, lossOf, type Moment, timeOf } from './moment.ts';

/** Events that the diagram shows first. */
const IMPORTANT_MAX = 38;
/** Below this an event is too far from the violation to explain it. */
const SCORE_MIN = 9;
/** A fault that ended longer before the violation than this is context only when the causes lead to it. */
const RECENT_US = 5 * SECOND;
/** What happens later than this after the violation is no consequence worth telling. */
const LATER_US = 20 * SECOND;

/** The few moments that explain a run: backwards from the violation over causes, with the plan, the elections and what came of it. */
export class Slice {
  readonly #history: History;
  readonly #faults: FaultMoments;
  readonly #causes: Causes;
  readonly #scores = new Map<Moment, number>();
  /** The story is one of objects: how etcd stores them is not its matter. */
  #aboutObjects = false;

  constructor(history: History, faults: FaultMoments, causes: Causes) {
    this.#history = history;
    this.#faults = faults;
    this.#causes = causes;
  }

  /** Of a failure: at most 38 moments in time order. */
  ofFailure(focus: Focus): readonly Moment[] {
    const at = focus.violation.witness.atUs;
    this.#aboutObjects = focus.steps.length > 0 && !focus.violation.property.startsWith('watch-');
    this.#raise(focus.anchor, 100);
    for (const moment of focus.others) this.#raise(moment, 92);
    for (const step of focus.steps) this.#raise(step.fact, step.text === undefined ? 76 : 88);
    this.#expand();
    this.#addRestarts(at, focus.lanes);
    this.#addFaults(at, focus.lanes);
    if (this.#aboutObjects) this.#addPlan(at);
    else this.#addElections(at, focus.lanes);
    this.#addConsequences(at, focus.lanes);
    const healing = this.#history.factsBy.get('phase')?.find((fact) => fact.args[0] === 'healing' && fact.atUs <= at);
    if (healing !== undefined) this.#raise(healing, 60);
    this.#expand();
    return this.#best();
  }

  /** Of a run that held: the plan, who led, what broke and came back, and the main steps of pods. */
  ofPass(): readonly Moment[] {
    for (const fault of this.#faults.all) this.#raise(fault, fault.moment === 'inject' ? 80 : 45);
    const chaosFrom = this.#history.input.timing.chaosFromMs * MILLISECOND;
    for (const fact of this.#history.factsBy.get('raftLeader') ?? []) this.#raise(fact, fact.atUs < chaosFrom ? 40 : 62);
    for (const [channel, score] of [
      ['podEvicted', 50],
      ['nodeCondition', 48],
      ['leading', 40],
    ] as const) {
      for (const fact of (this.#history.factsBy.get(channel) ?? []).slice(0, 30)) this.#raise(fact, score);
    }
    for (const fact of this.#history.factsBy.get('userOperation') ?? []) this.#raise(fact, fact.atUs < chaosFrom ? 5 : 70);
    for (const [name, notes] of this.#history.notesOf) {
      if (this.#history.actors.get(name).kind === 'app') continue;
      for (const note of notes) if (note.what === 'killed' || note.what === 'exited') this.#raise(note, 55);
    }
    return this.#best();
  }

  /** The moment that stands for another one in the slice: a crash for the death that it is, an election for the new role. */
  canonical(moment: Moment): Moment {
    if (isMessage(moment) || isWitness(moment)) return moment;
    if (isFault(moment)) {
      // What the plan lets a user do is told by the user, where there is one.
      if (!faultOf(moment.effect.kind).operation) return moment;
      return this.#history.factsBy.get('userOperation')?.find((fact) => fact.atUs === moment.atUs) ?? moment;
    }
    if (isFact(moment)) {
      if (moment.channel !== 'raftRole' || moment.args[1] !== 'leader') return moment;
      return (
        this.#history.factsOf.get(String(moment.args[0]))?.find((fact) => fact.channel === 'raftLeader' && fact.atUs === moment.atUs) ??
        moment
      );
    }
    if (moment.what === 'killed' && moment.process !== '*') {
      // A host that loses power takes its programs with it: one event.
      const host = this.#history.notesOf
        .get(moment.process)
        ?.find((note) => note.atUs === moment.atUs && note.process === '*' && note.what === 'killed');
      if (host !== undefined) return this.canonical(host);
    }
    const program = moment.process === '*' ? moment.host : moment.process;
    const wanted = moment.what === 'started' || moment.what === 'resumed' ? 'heal' : 'inject';
    return (
      this.#faults
        .at(moment.atUs)
        .find(
          (fault) =>
            fault.moment === wanted &&
            /^(crash|pause|power)/.test(fault.effect.kind) &&
            (fault.effect.lanes.includes(program) || fault.effect.lanes.includes(moment.host)),
        ) ?? moment
    );
  }

  #raise(found: Moment, score: number): void {
    const moment = this.canonical(found);
    if ((this.#scores.get(moment) ?? 0) < score) this.#scores.set(moment, score);
  }

  /** Hands each moment's score on to its causes, best first. */
  #expand(): void {
    const done = new Set<Moment>();
    for (let steps = 0; steps < 400; steps++) {
      let next: Moment | undefined;
      let best = SCORE_MIN;
      for (const [moment, score] of this.#scores) {
        if (score > best && !done.has(moment)) {
          next = moment;
          best = score;
        }
      }
      if (next === undefined) return;
      done.add(next);
      for (const cause of this.#causes.of(next)) this.#raise(cause, best * this.#weight(cause));
    }
  }

  /** How much of an effect's interest its cause keeps. */
  #weight(moment: Moment): number {
    if (isFault(moment)) return 0.97;
    if (this.#aboutObjects && isOfRaft(moment)) return 0.2;
    if (isMessage(moment)) {
      if (lossOf(this.#history, moment) !== undefined) return 0.85;
      return sayMessage(moment, this.#history.callOf(moment)).noise ? 0.45 : 0.82;
    }
    if (!isFact(moment)) return 0.92;
    if (moment.channel === 'raftLeader') return 0.86;
    return moment.channel === 'raftRole' ? 0.4 : 0.88;
  }

  /** Faults that were in effect on the subjects at the violation, or shortly before. */
  #addFaults(atUs: number, lanes: readonly string[]): void {
    const hosts = lanes.map((lane) => this.#history.hostOf(lane));
    const { faults, operations } = this.#history.input;
    const small = faults.length + operations.length <= SMALL_PLAN;
    for (const moment of this.#faults.all) {
      const { effect } = moment;
      if (small && moment.moment === 'inject' && effect.injectedAtUs <= atUs && effect.touched > 0) this.#raise(moment, 72);
      if (moment.moment === 'heal' || effect.injectedAtUs > atUs) continue;
      const over = effect.healedAtUs !== undefined && effect.healedAtUs < atUs - RECENT_US;
      const near = effect.lanes.some((lane) => lanes.includes(lane) || hosts.includes(lane));
      const ended = effect.healedAtUs !== undefined && effect.healedAtUs < atUs;
      if (!over && effect.touched > 0) this.#raise(moment, near && !ended ? 72 : 38);
    }
    for (const moment of this.#faults.all) {
      const injection = this.#faults.injection(moment.effect.id);
      if (moment.moment === 'heal' && injection !== undefined && (this.#scores.get(injection) ?? 0) >= 70) this.#raise(moment, 42);
    }
  }

  /** Subjects that came back from their disk not long before. */
  #addRestarts(atUs: number, lanes: readonly string[]): void {
    for (const lane of lanes) {
      const start = this.#history.lastFact(lane, atUs, (fact) => fact.channel === 'memberStart');
      if (start !== undefined && this.#causes.of(start).length > 0 && atUs - start.atUs < 3 * LATER_US) this.#raise(start, 66);
    }
  }

  /** For what shows only after long: the whole plan, who led the controllers, and the healing. */
  #addPlan(atUs: number): void {
    for (const fault of this.#faults.all) if (fault.atUs <= atUs) this.#raise(fault, fault.moment === 'inject' ? 46 : 20);
    for (const fact of (this.#history.factsBy.get('leading') ?? []).filter((found) => found.atUs <= atUs).slice(-3)) this.#raise(fact, 30);
    for (const fact of (this.#history.factsBy.get('podEvicted') ?? []).filter((found) => found.atUs <= atUs).slice(-3))
      this.#raise(fact, 34);
    for (const fact of (this.#history.factsBy.get('nodeCondition') ?? []).filter((found) => found.atUs <= atUs).slice(-3))
      this.#raise(fact, 34);
  }

  /** Who led when it happened, who before, who next. */
  #addElections(atUs: number, lanes: readonly string[]): void {
    const elections = this.#history.factsBy.get('raftLeader') ?? [];
    const before = elections.filter((fact) => fact.atUs <= atUs);
    const after = elections.find((fact) => fact.atUs > atUs);
    before.slice(-2).forEach((fact, i) => this.#raise(fact, 50 + 5 * i));
    if (after !== undefined && after.atUs - atUs < LATER_US && lanes.some((lane) => this.#leads(lane, atUs))) this.#raise(after, 50);
  }

  /** What came of it for the subjects: the next role, the entries that were replaced, the restart. */
  #addConsequences(atUs: number, lanes: readonly string[]): void {
    for (const lane of lanes) {
      const facts = this.#history.factsOf.get(lane) ?? [];
      const first = (fits: (fact: TraceFact) => boolean): TraceFact | undefined =>
        facts.find((fact) => fact.atUs > atUs && fact.atUs < atUs + LATER_US && fits(fact));
      const role = first((fact) => fact.channel === 'raftRole');
      if (role !== undefined && this.#leads(lane, atUs)) this.#raise(role, 44);
      const truncated = first((fact) => fact.channel === 'raftTruncate');
      if (truncated !== undefined) this.#raise(truncated, 48);
    }
  }

  #leads(member: string, atUs: number): boolean {
    return (
      this.#history.lastFact(member, atUs, (fact) => fact.channel === 'raftRole' || fact.channel === 'memberStart')?.args[1] === 'leader'
    );
  }

  #best(): readonly Moment[] {
    return [...this.#scores]
      .filter(([, score]) => score >= SCORE_MIN)
      .sort(([a, x], [b, y]) => y - x || compareMoments(this.#history, a, b))
      .slice(0, IMPORTANT_MAX)
      .map(([moment]) => moment)
      .sort((a, b) => compareMoments(this.#history, a, b) || timeOf(this.#history, a) - timeOf(this.#history, b));
  }
}

function isOfRaft(moment: Moment): boolean {
  return (isMessage(moment) && isRaft(moment)) || (isFact(moment) && moment.channel.startsWith('raft'));
}
