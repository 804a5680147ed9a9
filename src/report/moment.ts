import type { FaultEffect } from '../harness/plan.ts';
import type { TraceFact, TraceMessage, TraceNote } from '../harness/recorder.ts';
import type { Witness } from '../properties/property.ts';
import { MILLISECOND, type Micros } from '../sim/time.ts';
import type { MessageLoss } from './document.ts';
import type { History } from './history.ts';

/** The beginning or the end of a fault of the plan. */
export interface FaultMoment {
  readonly moment: 'inject' | 'heal';
  readonly effect: FaultEffect;
  readonly atUs: Micros;
}

/** A violation that no recorded event stands for: what only the end of the trial shows. */
export interface WitnessMoment {
  readonly witness: Witness;
  readonly property: string;
  readonly lane: string;
  readonly atUs: Micros;
  /** What it came from, as far as the witness and its objects tell. */
  readonly behind: readonly Moment[];
}

/** Whatever can become an event of the report. Identity is the object's. */
export type Moment = TraceMessage | TraceFact | TraceNote | FaultMoment | WitnessMoment;

export function isMessage(moment: Moment): moment is TraceMessage {
  return 'payload' in moment;
}
export function isFact(moment: Moment): moment is TraceFact {
  return 'channel' in moment;
}
export function isFault(moment: Moment): moment is FaultMoment {
  return 'moment' in moment;
}
export function isWitness(moment: Moment): moment is WitnessMoment {
  return 'witness' in moment;
}

/** Sent so long ago without an arrival that it will not come: a segment of a connection that broke. */
const GIVEN_UP_US = 100 * MILLISECOND;

/** How and when a message was lost, as far as the trace tells; undefined for one that arrived, or that was under way at the end. */
export function lossOf(history: History, message: TraceMessage): MessageLoss | undefined {
  if (message.deliveredAtUs !== undefined) return undefined;
  const endUs = history.result.endUs;
  if (message.drop === undefined && endUs - message.sentAtUs < GIVEN_UP_US) return undefined;
  const atUs = message.drop?.atUs ?? message.sentAtUs + GIVEN_UP_US;
  const reason = message.drop?.reason ?? 'closed';
  const fault = history.faultBetween(history.from(message), history.to(message), message.drop?.atUs ?? message.sentAtUs);
  const why = {
    loss: 'lost on the link',
    partition: 'partition',
    'dead-host': 'the host is down',
    'no-listener': 'nobody listens',
    'dead-process': 'the process is dead',
    closed: 'the connection broke before it arrived',
  }[reason];
  const where = reason === 'dead-host' || reason === 'no-listener' || reason === 'dead-process' ? 'receiver' : 'in-flight';
  return { atUs, where, why: fault === undefined ? why : `${why}, ${fault.id}`, ...(fault === undefined ? {} : { faultId: fault.id }) };
}

/** When a moment took effect: a message at its arrival or loss. */
export function timeOf(history: History, moment: Moment): Micros {
  if (!isMessage(moment)) return moment.atUs;
  return moment.deliveredAtUs ?? lossOf(history, moment)?.atUs ?? moment.sentAtUs;
}

/** Order of two moments in the document: by time, then as they happened. */
export function compareMoments(history: History, a: Moment, b: Moment): number {
  return timeOf(history, a) - timeOf(history, b) || rank(a) - rank(b) || (isMessage(a) && isMessage(b) ? a.id - b.id : 0);
}

/** At one instant a fault comes before what it does, and an arrival before what follows from it. */
function rank(moment: Moment): number {
  if (isFault(moment)) return 0;
  if (isMessage(moment)) return 2;
  if (isFact(moment)) return 3;
  return isWitness(moment) ? 4 : 1;
}

/** A witness's sentence without the two values that stand beside it as expected and actual. */
export function headline({ sentence, expected, actual }: Witness): string {
  return sentence.replace(`: ${actual} instead of ${expected}`, '');
}
