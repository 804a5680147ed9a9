import type { TraceFact, TraceMessage } from '../harness/recorder.ts';
import { findViolation, type Violation } from '../harness/trial-result.ts';
import type { Signature, TrialResult } from '../harness/trial-result.ts';
import { MILLISECOND } from '../sim/time.ts';
import { laneOfFact } from './fact-lanes.ts';
import { sayFact } from './fact-words.ts';
import { type History, lastAt, type Operation } from './history.ts';
import { frameOf } from './message-labels.ts';
import type { Moment } from './moment.ts';
import { type ObjectStep, objectSteps } from './object-focus.ts';

/** What a report of a failure is about. */
export interface Focus {
  readonly violation: Violation;
  /** The event in which the violation shows. */
  readonly anchor: Moment;
  /** Events of the other facts of the witness, oldest first. */
  readonly others: readonly Moment[];
  /** What happened to the objects that it is about. */
  readonly steps: readonly ObjectStep[];
  /** The client's operation that the witness is about. */
  readonly operation: Operation | undefined;
  /** Lanes of the subjects. */
  readonly lanes: readonly string[];
}

/** The violation that a report tells of: that of the trial file, else the first one. */
export function chosenViolation(result: TrialResult, signature: Signature | null): Violation | undefined {
  return (signature === null ? undefined : findViolation(result, signature)) ?? result.violations[0];
}

/** Finds the events that a witness speaks of. */
export function focusOn(history: History, violation: Violation): Focus {
  const { witness } = violation;
  const operation = history.operations.find(
    (op) => op.answer?.atUs === witness.atUs && witness.subjects.includes(op.client) && witness.subjects.includes(op.member),
  );
  const lanes = [...new Set(witness.subjects.flatMap((subject) => laneOf(history, subject) ?? []))];
  const answer =
    operation !== undefined
      ? arrivalFrom(history, operation.member, operation.client, operation.answer?.atUs ?? 0, 'answer')
      : violation.property.startsWith('watch-')
        ? arrivalFrom(history, witness.subjects[1] ?? '', witness.subjects[0] ?? '', witness.atUs, 'message')
        : undefined;
  const others = witness.facts.flatMap((fact) => factAt(history, fact.atUs, fact.subject, fact.text) ?? []);
  const last = factAt(history, witness.atUs, witness.subjects.at(-1) ?? '', witness.facts.at(-1)?.text ?? '', true);
  const steps = objectSteps(history, violation);
  const told = steps.filter((step) => step.text !== undefined).map((step) => step.fact);
  const lane =
    told.map((fact) => laneOfFact(history, fact)).find((name) => name !== undefined) ??
    lanes.at(-1) ??
    history.actors.names().find((name) => name.startsWith('api-')) ??
    history.members[0] ??
    'plan';
  const behind = [...others, ...(told.length > 0 ? told : steps.map((step) => step.fact))];
  const anchor = answer ?? last ?? { witness, property: violation.property, lane, atUs: witness.atUs, behind };
  const request = answer === undefined || operation === undefined ? undefined : history.callOf(answer);
  return {
    violation,
    anchor,
    others: [...others, ...(request === undefined ? [] : [request])].filter((moment) => moment !== anchor),
    steps: steps.filter((step) => step.fact !== anchor),
    operation,
    lanes,
  };
}

/** The lane that stands for a subject: a program, a node's kubelet, the node of a pod, the API server that wrote an object last. */
export function laneOf(history: History, subject: string): string | undefined {
  const standing = history.actors.standingFor(subject);
  if (standing !== undefined) return standing;
  const bound = history.factsBy.get('podBound')?.findLast((fact) => fact.args[0] === subject);
  if (bound !== undefined) return history.actors.standingFor(String(bound.args[2]));
  const name = subject.slice(subject.lastIndexOf('/') + 1);
  const write = history.factsBy
    .get('apiWrite')
    ?.findLast((fact) => String(fact.args[4]) === subject || String(fact.args[4]).endsWith(`/${name}`));
  return write === undefined ? undefined : history.actors.standingFor(String(write.args[0]));
}

/** The message that brought a client an answer or an event at an instant. */
function arrivalFrom(history: History, member: string, client: string, atUs: number, t: 'answer' | 'message'): TraceMessage | undefined {
  const arrivals = history.arrivals.get(client) ?? [];
  for (let i = lastAt(arrivals, atUs, (x) => x.deliveredAtUs as number); i >= 0; i--) {
    const message = arrivals[i] as TraceMessage;
    if (atUs - (message.deliveredAtUs as number) > 2 * MILLISECOND) return undefined;
    if (frameOf(message)?.t === t && history.from(message) === member) return message;
  }
  return undefined;
}

/** Channels that only accompany others: no witness means them. */
const SECONDARY = new Set([
  'storeHash',
  'historyHash',
  'memberList',
  'watchResponse',
  'keyChanged',
  'objectChanged',
  'raftRole',
  'watchProgress',
  'opInvoked',
  'opAnswered',
]);

/** The recorded fact that a fact of a witness tells of; the channel whose words are nearest to it wins. */
function factAt(history: History, atUs: number, subject: string, text: string, strict = false): TraceFact | undefined {
  const { facts } = history.trace;
  const candidates: TraceFact[] = [];
  for (let i = lastAt(facts, atUs, (fact) => fact.atUs); i >= 0 && facts[i]?.atUs === atUs; i--) {
    const fact = facts[i] as TraceFact;
    if (SECONDARY.has(fact.channel) || sayFact(fact) === undefined) continue;
    if (fact.args.some((argument) => argument === subject)) candidates.unshift(fact);
  }
  const wanted = words(text);
  let best: TraceFact | undefined;
  let most = strict ? 1 : 0;
  for (const fact of candidates) {
    const common = words(sayFact(fact)?.text ?? '').filter((word) => wanted.includes(word)).length;
    if (common > most || (common === most && best === undefined && !strict)) {
      best = fact;
      most = common;
    }
  }
  return best;
}

function words(text: string): readonly string[] {
  return text
    .toLowerCase()
    .split(/[^a-z0-9/-]+/)
    .filter((word) => word !== '' && word !== 'of' && word !== 'the');
}
