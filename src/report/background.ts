import type { TraceMessage } from '../harness/recorder.ts';
import type { Micros } from '../sim/time.ts';
import { laneOfFact } from './fact-lanes.ts';
import { sayFact } from './fact-words.ts';
import type { FaultMoments } from './fault-moments.ts';
import type { History } from './history.ts';
import type { Slice } from './slice.ts';
import { compareMoments, isMessage, lossOf, type Moment, timeOf } from './moment.ts';

/** Events of a document in all: what "show all" adds stays readable, and the file small. */
const EVENTS_MAX = 3000;
/** Of them at most so many that are no messages. */
const STATES_MAX = 1200;

/** Adds what else happened on the shown lanes, nearest to the slice first. Answers all moments in the document's order. */
export function withBackground(
  history: History,
  faults: FaultMoments,
  slice: Slice,
  important: readonly Moment[],
  shown: ReadonlySet<string>,
): readonly Moment[] {
  const kept = new Set(important);
  const times = important.map((moment) => timeOf(history, moment)).sort((a, b) => a - b);
  for (const fault of faults.all) kept.add(slice.canonical(fault));
  const states: Moment[] = [];
  for (const fact of history.trace.facts) {
    if (kept.has(fact) || (fact.channel === 'raftRole' && fact.args[1] === 'leader')) continue;
    const words = sayFact(fact);
    if (words === undefined || words.noise === true || words.subject === 'fault' || words.subject === 'plan') continue;
    const lane = laneOfFact(history, fact);
    if (lane !== undefined && shown.has(lane)) states.push(fact);
  }
  for (const note of history.trace.notes) {
    const programs = note.process === '*' ? history.actors.programsOf(note.host) : [history.actors.ofProcess(note.process)];
    if (!kept.has(note) && slice.canonical(note) === note && programs.some((name) => shown.has(name))) states.push(note);
  }
  for (const moment of nearest(history, states, times, STATES_MAX)) kept.add(moment);
  const messages: TraceMessage[] = history.trace.messages.filter(
    (message) =>
      !kept.has(message) &&
      (message.deliveredAtUs !== undefined || lossOf(history, message) !== undefined) &&
      shown.has(history.from(message)) &&
      shown.has(history.to(message)),
  );
  for (const moment of nearest(history, messages, times, EVENTS_MAX - kept.size)) kept.add(moment);
  return [...kept]
    .filter((moment) => !isMessage(moment) || (shown.has(history.from(moment)) && shown.has(history.to(moment))))
    .sort((a, b) => compareMoments(history, a, b));
}

/** The moments that lie nearest to one of the times, at most so many. */
function nearest(history: History, moments: readonly Moment[], times: readonly Micros[], max: number): readonly Moment[] {
  if (moments.length <= max) return moments;
  const distance = (moment: Moment): number => {
    const at = timeOf(history, moment);
    let best = Number.POSITIVE_INFINITY;
    for (const time of times) best = Math.min(best, Math.abs(time - at));
    return best;
  };
  return moments
    .map((moment) => ({ moment, far: distance(moment) }))
    .sort((a, b) => a.far - b.far || compareMoments(history, a.moment, b.moment))
    .slice(0, Math.max(0, max))
    .map(({ moment }) => moment);
}
