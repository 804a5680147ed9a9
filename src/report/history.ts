import { hostOfProgram, type Topology } from '../faults/topology.ts';
import type { FaultEffect } from '../harness/plan.ts';
import type { Trace, TraceFact, TraceMessage, TraceNote } from '../harness/recorder.ts';
import { topologyOf } from '../harness/shape.ts';
import type { TrialInput } from '../harness/trial-input.ts';
import type { TrialResult } from '../harness/trial-result.ts';
import type { Micros } from '../sim/time.ts';
import { Actors } from './actors.ts';
import { frameOf } from './message-labels.ts';

/** A client's operation on the store: asked once, answered at most once. */
export interface Operation {
  readonly op: number;
  readonly client: string;
  readonly member: string;
  readonly kind: string;
  readonly key: string;
  readonly value: number;
  readonly invokedAtUs: Micros;
  answer: { readonly atUs: Micros; readonly outcome: string; readonly revision: number; readonly modRevision: number } | undefined;
}

/** How far back a list of arrivals is searched for one that fits. */
const SEARCH_MAX = 400;

/** A recorded run with the look-ups that its story needs. Lists of an actor are in time order. */
export class History {
  readonly trace: Trace;
  readonly result: TrialResult;
  readonly input: TrialInput;
  readonly topology: Topology;
  readonly actors: Actors;
  /** Messages by who got them, in the order of arrival. */
  readonly arrivals = new Map<string, TraceMessage[]>();
  /** Messages by who sent them, in the order of sending. */
  readonly departures = new Map<string, TraceMessage[]>();
  readonly factsOf = new Map<string, TraceFact[]>();
  readonly factsBy = new Map<string, TraceFact[]>();
  readonly notesOf = new Map<string, TraceNote[]>();
  readonly operations: Operation[] = [];
  readonly #calls = new Map<TraceMessage, TraceMessage>();

  constructor(input: TrialInput, result: TrialResult, trace: Trace) {
    this.trace = trace;
    this.result = result;
    this.input = input;
    this.topology = topologyOf(input.cluster);
    this.actors = new Actors(this.topology, trace);
    this.#indexMessages();
    this.#indexFacts();
    for (const note of trace.notes) {
      const names = note.process === '*' ? this.actors.programsOf(note.host) : [this.actors.ofProcess(note.process)];
      for (const name of names) push(this.notesOf, name, note);
    }
  }

  from(message: TraceMessage): string {
    return this.actors.ofLabel(message.from);
  }

  to(message: TraceMessage): string {
    return this.actors.ofLabel(message.to);
  }

  /** The call or stream that an answer or a stream's message belongs to. */
  callOf(message: TraceMessage): TraceMessage | undefined {
    return this.#calls.get(message);
  }

  /** Members of etcd, in order. */
  get members(): readonly string[] {
    return this.topology.hosts
      .flatMap((host) => host.programs)
      .filter((name) => name.startsWith('etcd-'))
      .sort();
  }

  hostOf(program: string): string {
    return this.actors.isHost(program) ? program : (hostOfProgram(this.topology, program) ?? this.actors.get(program).host);
  }

  /** The fault that explains why nothing passed from one actor to another at an instant. */
  faultBetween(from: string, to: string, atUs: Micros): FaultEffect | undefined {
    const [a, b] = [this.hostOf(from), this.hostOf(to)];
    const active = this.result.effects.filter(
      (effect) => effect.injectedAtUs <= atUs && atUs <= (effect.healedAtUs ?? Number.POSITIVE_INFINITY),
    );
    return (
      (this.#isDown(to, atUs)
        ? active.find((effect) => /^(crash|pause|power)/.test(effect.kind) && effect.touched > 0 && this.#touches(effect, to, b))
        : undefined) ??
      active.find((effect) => effect.kind.startsWith('partition') && this.#separates(effect, a, b)) ??
      active.find((effect) => effect.kind === 'link-loss' && (this.#touches(effect, from, a) || this.#touches(effect, to, b)))
    );
  }

  /** How a member came back after its latest restart: what its disk gave it. */
  lastStart(member: string, atUs: Micros): TraceFact | TraceNote | undefined {
    const restart = this.lastRestart(member, atUs);
    return restart === undefined
      ? undefined
      : (this.lastFact(member, atUs, (fact) => fact.channel === 'memberStart' && fact.atUs >= restart.atUs) ?? restart);
  }

  lastRestart(program: string, atUs: Micros): TraceNote | undefined {
    return (this.notesOf.get(program) ?? []).findLast(
      (note) => note.atUs <= atUs && note.what === 'started' && note.detail !== 'incarnation 1',
    );
  }

  lastDeath(program: string, atUs: Micros): TraceNote | undefined {
    return (this.notesOf.get(program) ?? []).findLast(
      (note) => note.atUs <= atUs && (note.what === 'killed' || note.what === 'exited' || note.what === 'paused'),
    );
  }

  /** The latest message that reached an actor by then and fits; `within`: not longer ago. */
  lastArrival(
    actor: string,
    atMost: Micros,
    fits: (message: TraceMessage) => boolean,
    within = Number.POSITIVE_INFINITY,
  ): TraceMessage | undefined {
    const list = this.arrivals.get(actor) ?? [];
    for (let i = lastAt(list, atMost, (x) => x.deliveredAtUs as number), n = 0; i >= 0 && n < SEARCH_MAX; i--, n++) {
      const message = list[i] as TraceMessage;
      if (atMost - (message.deliveredAtUs as number) > within) return undefined;
      if (fits(message)) return message;
    }
    return undefined;
  }

  /** The latest fact about a subject by then that fits. */
  lastFact(subject: string, atMost: Micros, fits: (fact: TraceFact) => boolean): TraceFact | undefined {
    const list = this.factsOf.get(subject) ?? [];
    for (let i = lastAt(list, atMost, (x) => x.atUs); i >= 0; i--) if (fits(list[i] as TraceFact)) return list[i];
    return undefined;
  }

  #isDown(program: string, atUs: Micros): boolean {
    const last = (this.notesOf.get(program) ?? []).findLast((note) => note.atUs <= atUs);
    return last !== undefined && last.what !== 'started' && last.what !== 'resumed';
  }

  #touches(effect: FaultEffect, program: string, host: string): boolean {
    return effect.lanes.includes(program) || effect.lanes.includes(host);
  }

  #separates(effect: FaultEffect, a: string, b: string): boolean {
    const sides = [effect.lanes.includes(a), effect.lanes.includes(b)];
    return effect.kind === 'partition-pair' ? sides[0] === true && sides[1] === true : sides[0] !== sides[1];
  }

  #indexMessages(): void {
    const open = new Map<string, TraceMessage>();
    for (const message of this.trace.messages) {
      push(this.departures, this.from(message), message);
      if (message.deliveredAtUs !== undefined) push(this.arrivals, this.to(message), message);
      const frame = frameOf(message);
      if (frame === undefined) continue;
      const stream = frame.t === 'open' || frame.t === 'message' || frame.t === 'end';
      const asks = frame.t === 'call' || frame.t === 'open';
      const pair = asks ? `${message.from} ${this.to(message)}` : `${message.to} ${this.from(message)}`;
      const key = `${stream ? 's' : 'c'} ${pair} ${frame.id}`;
      if (asks) open.set(key, message);
      else {
        const call = open.get(key);
        if (call !== undefined) this.#calls.set(message, call);
        if (frame.t === 'answer') open.delete(key);
      }
    }
    for (const list of this.arrivals.values())
      list.sort((x, y) => (x.deliveredAtUs as number) - (y.deliveredAtUs as number) || x.id - y.id);
  }

  #indexFacts(): void {
    const byOp = new Map<unknown, Operation>();
    for (const fact of this.trace.facts) {
      push(this.factsBy, fact.channel, fact);
      const subject = fact.args[0];
      if (typeof subject === 'string') push(this.factsOf, subject, fact);
      if (fact.channel === 'opInvoked') {
        const [op, client, member, kind, key, value] = fact.args as [number, string, string, string, string, number];
        const operation: Operation = { op, client, member, kind, key, value, invokedAtUs: fact.atUs, answer: undefined };
        byOp.set(op, operation);
        this.operations.push(operation);
      } else if (fact.channel === 'opAnswered') {
        const [op, outcome, revision, modRevision] = fact.args as [number, string, number, number];
        const operation = byOp.get(op);
        if (operation !== undefined) operation.answer = { atUs: fact.atUs, outcome, revision, modRevision };
      }
    }
  }
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** The last element for which `key` is at most `atMost`, in a list sorted by it: its position, or -1. */
export function lastAt<T>(list: readonly T[], atMost: number, key: (item: T) => number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(list[middle] as T) <= atMost) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
