import type { TraceFact, TraceMessage, TraceNote } from '../harness/recorder.ts';
import { faultOf } from '../faults/registry.ts';
import type { Causes } from './causes.ts';
import type { EventMark, ReportEvent, ReportMessage } from './document.ts';
import { laneOfFact, wordsOf } from './fact-lanes.ts';
import { sentenceOf } from './fact-words.ts';
import { ofNote } from './log-lines.ts';
import type { History } from './history.ts';
import { sayMessage } from './message-labels.ts';
import {
  type FaultMoment,
  headline,
  isFact,
  isFault,
  isMessage,
  isWitness,
  lossOf,
  type Moment,
  timeOf,
  type WitnessMoment,
} from './moment.ts';
import type { Slice } from './slice.ts';
import { clock, span } from './time-words.ts';

/** How far a cause may lie behind moments that the document leaves out. */
const LIFT_MAX = 6;

type Draft = Omit<ReportEvent, 'id' | 'causes' | 'important' | 'atUs'>;

/** Makes the events and messages of a document from moments, which are in its order. */
export class Events {
  readonly events: readonly ReportEvent[];
  readonly messages: readonly ReportMessage[];
  readonly #ids = new Map<Moment, string>();
  readonly #history: History;
  readonly #slice: Slice;
  readonly #shown: ReadonlySet<string>;

  constructor(
    history: History,
    causes: Causes,
    slice: Slice,
    moments: readonly Moment[],
    important: ReadonlySet<Moment>,
    shown: ReadonlySet<string>,
  ) {
    this.#history = history;
    this.#slice = slice;
    this.#shown = shown;
    let [near, far] = [0, 0];
    for (const moment of moments) this.#ids.set(moment, important.has(moment) ? `e${++near}` : `b${++far}`);
    this.events = moments.map((moment) => {
      const own = this.idOf(moment) as string;
      return {
        ...this.#draft(moment),
        id: own,
        atUs: timeOf(history, moment),
        causes: this.#lift(causes, moment).filter((id) => id !== own),
        important: important.has(moment),
      };
    });
    this.messages = moments.flatMap((moment) => (isMessage(moment) ? [this.#message(moment, this.idOf(moment) as string)] : []));
  }

  /** The event that stands for a moment, if the document has it. */
  idOf(moment: Moment): string | undefined {
    return this.#ids.get(this.#slice.canonical(moment));
  }

  /** Causes that the document has; over those that it has not, to what lies behind them. */
  #lift(causes: Causes, moment: Moment): readonly string[] {
    const at = timeOf(this.#history, moment);
    const found = new Set<string>();
    let level: readonly Moment[] = causes.of(moment);
    const seen = new Set<Moment>([moment]);
    for (let depth = 0; depth < LIFT_MAX && level.length > 0; depth++) {
      const next: Moment[] = [];
      for (const cause of level) {
        if (seen.has(cause)) continue;
        seen.add(cause);
        const id = this.idOf(cause);
        if (id !== undefined) {
          if (timeOf(this.#history, cause) <= at) found.add(id);
        } else next.push(...causes.of(cause));
      }
      level = next;
    }
    return [...found];
  }

  #draft(moment: Moment): Draft {
    if (isMessage(moment)) return this.#ofMessage(moment);
    if (isFact(moment)) return this.#ofFact(moment);
    if (isFault(moment)) return this.#ofFault(moment);
    return isWitness(moment) ? ofWitness(moment) : this.#ofNote(moment);
  }

  #ofMessage(message: TraceMessage): Draft {
    const { actors } = this.#history;
    const [from, to] = [this.#history.from(message), this.#history.to(message)];
    const words = sayMessage(message, this.#history.callOf(message));
    const loss = lossOf(this.#history, message);
    const client = actors.get(from).kind === 'client' || actors.get(to).kind === 'client';
    return {
      lane: from,
      mark: client ? 'client' : 'message',
      kind: words.kind,
      label: words.label,
      title: loss === undefined ? `${from} sends ${to} ${words.says}` : `Lost: ${from} sends ${to} ${words.says}`,
      ...(loss === undefined ? {} : { text: `It never arrives: ${loss.why}.` }),
      detail: [...words.detail, ['sent', clock(message.sentAtUs)]],
      ...(loss?.faultId === undefined ? {} : { faultId: loss.faultId }),
    };
  }

  #ofFact(fact: TraceFact): Draft {
    const words = wordsOf(this.#history, fact);
    const lane = laneOfFact(this.#history, fact) ?? [...this.#shown][0] ?? '';
    const detail = fact.fields.flatMap((field, i): readonly (readonly [string, string])[] => {
      const value = fact.args[i];
      return typeof value === 'object' || value === undefined || value === '' ? [] : [[field, String(value)]];
    });
    return {
      lane,
      mark: 'state',
      kind: fact.channel,
      label: words?.label ?? '',
      title: words === undefined ? `${lane} ${fact.channel}` : sentenceOf(words),
      detail,
    };
  }

  #ofNote(note: TraceNote): Draft {
    const program = this.#history.actors.ofProcess(note.process);
    const line = ofNote(note, program);
    const dies = note.what === 'killed' || note.what === 'exited';
    const lane =
      note.process === '*' ? (this.#history.actors.programsOf(note.host).find((name) => this.#shown.has(name)) ?? note.host) : program;
    return {
      lane,
      mark: dies ? 'crash' : 'state',
      kind: `process/${note.what}`,
      label: dies ? '' : note.what,
      title: `${line?.source ?? lane}: ${line?.text ?? note.what}`,
      detail: [['host', note.host], ...(note.detail === '' ? [] : [['detail', note.detail] as const])],
    };
  }

  #ofFault({ moment, effect }: FaultMoment): Draft {
    const fault = faultOf(effect.kind);
    const mark: EventMark = moment === 'heal' ? 'heal' : /^crash-(process|host)/.test(effect.kind) ? 'crash' : 'inject';
    const lasted = effect.healedAtUs === undefined ? 'to the end' : span(effect.healedAtUs - effect.injectedAtUs);
    const lane = this.#history.actors
      .programsOf(effect.lanes[0] ?? '')
      .concat(...effect.lanes.slice(1).map((name) => this.#history.actors.programsOf(name)))
      .find((name) => this.#shown.has(name));
    return {
      lane: lane ?? [...this.#shown][0] ?? effect.lanes[0] ?? 'plan',
      mark,
      kind: fault.operation ? 'operation' : 'fault',
      label: moment === 'heal' ? `${effect.id} ends` : fault.operation ? effect.label : '',
      title: moment === 'heal' ? `${effect.id} ends: ${effect.label}` : `${effect.id}: ${effect.label}`,
      text: moment === 'heal' ? `It lasted ${lasted}.` : fault.about,
      detail: [
        ['fault', effect.id],
        ['kind', effect.kind],
        ['covers', effect.lanes.join(', ') || '–'],
        ...(fault.operation ? [] : [['lasts', lasted] as const, ['touched', String(effect.touched)] as const]),
      ],
      ...(fault.operation ? {} : { faultId: effect.id }),
    };
  }

  #message(message: TraceMessage, eventId: string): ReportMessage {
    const { actors } = this.#history;
    const [from, to] = [this.#history.from(message), this.#history.to(message)];
    const client = actors.get(from).kind === 'client' || actors.get(to).kind === 'client';
    const loss = lossOf(this.#history, message);
    const arrival = message.deliveredAtUs ?? loss?.atUs ?? message.sentAtUs;
    return {
      eventId,
      from: { lane: from, atUs: message.sentAtUs },
      to: { lane: to, atUs: Math.max(arrival, message.sentAtUs) },
      kind: client ? 'client' : 'internal',
      ...(loss === undefined ? {} : { lost: { ...loss, atUs: Math.max(loss.atUs, message.sentAtUs) } }),
    };
  }
}

function ofWitness({ witness, lane, property }: WitnessMoment): Draft {
  return {
    lane,
    mark: 'note',
    kind: property,
    label: witness.actual.length < 28 ? witness.actual : 'violation',
    title: headline(witness),
    detail: [
      ['clause', witness.clause],
      ['expected', witness.expected],
      ['actual', witness.actual],
    ],
  };
}
