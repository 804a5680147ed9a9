import type { TraceMessage } from '../harness/recorder.ts';
import type { ClientOperation } from './document.ts';
import type { Events } from './events.ts';
import type { Focus } from './focus.ts';
import { frameOf } from './message-labels.ts';
import { shortKey } from './request-words.ts';
import type { History, Operation } from './history.ts';
import { SECOND } from '../sim/time.ts';
import { isMessage, type Moment } from './moment.ts';

/** An operation that waits so long for its answer is news by itself. */
const LONG_US = SECOND;
const LONG_MAX = 12;

/** What the shown clients asked: operations on the store, and what users did. */
export function clientOperations(
  history: History,
  events: Events,
  shown: ReadonlySet<string>,
  important: readonly Moment[],
  focus: Focus | undefined,
): readonly ClientOperation[] {
  const calls = callsOf(history, important);
  const at = focus?.violation.witness.atUs ?? 0;
  const concerns = (op: Operation): boolean =>
    op === focus?.operation || (calls.get(op.client) ?? []).some((message) => within(op, message));
  const long = history.operations
    .filter((op) => shown.has(op.client) && (op.answer?.atUs ?? history.result.endUs) - op.invokedAtUs >= LONG_US)
    .sort((a, b) => Math.abs(a.invokedAtUs - at) - Math.abs(b.invokedAtUs - at))
    .slice(0, LONG_MAX);
  const store = history.operations
    .filter((op) => shown.has(op.client) && (concerns(op) || long.includes(op)))
    .map((op): ClientOperation => {
      const eventIds = (calls.get(op.client) ?? [])
        .filter((message) => within(op, message))
        .flatMap((message) => events.idOf(message) ?? []);
      return {
        lane: op.client,
        fromUs: op.invokedAtUs,
        ...(op.answer === undefined ? {} : { toUs: op.answer.atUs }),
        label: `${op.kind.replace(/^range-.*/, 'get')} ${shortKey(op.key)}`,
        outcome: op.answer === undefined || op.answer.outcome === 'unknown' ? 'unknown' : op.answer.outcome === 'ok' ? 'ok' : 'error',
        eventIds,
      };
    });
  return [...store, ...userOperations(history, events, shown)].sort((a, b) => a.fromUs - b.fromUs);
}

function within(op: Operation, message: TraceMessage): boolean {
  const end = op.answer?.atUs ?? Number.POSITIVE_INFINITY;
  return message.sentAtUs >= op.invokedAtUs && message.sentAtUs <= end;
}

/** Calls and answers of the slice, by client. */
function callsOf(history: History, important: readonly Moment[]): ReadonlyMap<string, readonly TraceMessage[]> {
  const calls = new Map<string, TraceMessage[]>();
  for (const moment of important) {
    if (!isMessage(moment) || frameOf(moment) === undefined) continue;
    for (const name of [history.from(moment), history.to(moment)]) calls.set(name, [...(calls.get(name) ?? []), moment]);
  }
  return calls;
}

function userOperations(history: History, events: Events, shown: ReadonlySet<string>): readonly ClientOperation[] {
  return (history.factsBy.get('userOperation') ?? []).flatMap((fact): readonly ClientOperation[] => {
    const [op, user, what] = fact.args;
    const lane = history.actors.standingFor(String(user));
    if (lane === undefined || !shown.has(lane)) return [];
    const answer = history.factsBy.get('userAnswer')?.find((other) => other.args[0] === op && other.atUs >= fact.atUs);
    const id = events.idOf(fact);
    return [
      {
        lane,
        fromUs: fact.atUs,
        ...(answer === undefined ? {} : { toUs: answer.atUs }),
        label: String(what),
        outcome: answer === undefined ? 'unknown' : answer.args[1] === 'ok' ? 'ok' : 'error',
        eventIds: id === undefined ? [] : [id],
      },
    ];
  });
}
