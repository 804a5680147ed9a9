import type { Trace, TraceFact, TraceNote } from '../harness/recorder.ts';
import type { Micros } from '../sim/time.ts';
import { sayFact } from './fact-words.ts';
import { shortKey } from './request-words.ts';
import { span } from './time-words.ts';

/** One line of the log of a run. */
export interface TraceLogLine {
  readonly atUs: Micros;
  readonly source: string;
  readonly text: string;
  /** One of many alike: what went as it should. */
  readonly routine?: boolean;
}

/** Reads as a user says it. */
const KINDS: Readonly<Record<string, string>> = { 'range-linearizable': 'get', 'range-serializable': 'get (serializable)' };

interface OpenOperation {
  readonly client: string;
  readonly what: string;
  readonly member: string;
  readonly atUs: Micros;
}

/** What happened, readable, in time order; heartbeats, renewals, single appends and applies are left out. */
export function logLines(trace: Trace): readonly TraceLogLine[] {
  const lines: TraceLogLine[] = [];
  const operations = new Map<unknown, OpenOperation>();
  // At one instant a process starts before it does anything.
  for (const note of trace.notes) {
    // A container's start and end are told by their facts, with the pod's name.
    if (note.process.startsWith('ctr/')) continue;
    const line = ofNote(note);
    if (line !== undefined) lines.push(line);
  }
  for (const fact of trace.facts) {
    const line = ofOperation(fact, operations) ?? ofFact(fact);
    if (line !== undefined) lines.push(line);
  }
  return lines
    .map((line, order) => ({ line, order }))
    .sort((a, b) => a.line.atUs - b.line.atUs || a.order - b.order)
    .map(({ line }) => line);
}

/** A note about a process or a disk. */
export function ofNote(note: TraceNote, name = note.process): TraceLogLine | undefined {
  const source = note.process === '' || note.process === '*' ? note.host : name;
  if (note.what === 'started' && note.process === '*') return { atUs: note.atUs, source, text: 'the host boots' };
  if (note.what === 'killed' && note.process === '*') return { atUs: note.atUs, source, text: 'the host loses power' };
  const text =
    note.what === 'started'
      ? note.detail === 'incarnation 1'
        ? 'started'
        : `started again (${note.detail})`
      : note.detail === ''
        ? note.what
        : `${note.what}: ${note.detail}`;
  return { atUs: note.atUs, source, text };
}

/** Channels that tell of every request and write. */
const ROUTINE = new Set(['apiWrite', 'requestAnswered', 'podReady', 'podAdmitted', 'podRemoved', 'endpointsProgrammed']);

function ofFact(fact: TraceFact): TraceLogLine | undefined {
  const words = sayFact(fact);
  // A leader is told by two channels; the one with the role names the others too.
  if (words === undefined || words.noise === true || fact.channel === 'raftLeader') return undefined;
  // What is so from the beginning is no news.
  if (fact.atUs === 0 && (fact.channel === 'memberQuorum' || fact.channel === 'nodeReachable')) return undefined;
  return { atUs: fact.atUs, source: words.subject, text: words.text, ...(ROUTINE.has(fact.channel) ? { routine: true } : {}) };
}

/** One line for an operation, when it is answered. */
function ofOperation(fact: TraceFact, open: Map<unknown, OpenOperation>): TraceLogLine | undefined {
  if (fact.channel === 'opInvoked') {
    const [op, client, member, kind, key] = fact.args;
    open.set(op, {
      client: String(client),
      member: String(member),
      what: `${KINDS[String(kind)] ?? String(kind)} ${shortKey(String(key))}`,
      atUs: fact.atUs,
    });
    return undefined;
  }
  if (fact.channel !== 'opAnswered') return undefined;
  const [op, outcome, revision] = fact.args;
  const asked = open.get(op);
  if (asked === undefined) return undefined;
  open.delete(op);
  const answer = outcome === 'ok' ? `ok, revision ${String(revision)}` : String(outcome);
  return {
    atUs: fact.atUs,
    source: asked.client,
    text: `${asked.what} through ${asked.member}: ${answer} (after ${span(fact.atUs - asked.atUs)})`,
    ...(outcome === 'ok' ? { routine: true } : {}),
  };
}
