import { faultOf } from '../faults/registry.ts';
import { laneOfFact } from './fact-lanes.ts';
import type { History } from './history.ts';
import { isFact, isFault, isMessage, isWitness, type Moment } from './moment.ts';

/** Above this a diagram cannot be read any more. */
const LANES_MAX = 22;

/** Which programs get a lane: who acts in the slice, the members of etcd, the subjects, and whom the slice's faults act on. */
export function shownLanes(history: History, important: readonly Moment[], subjects: readonly string[]): readonly string[] {
  const shown = new Set<string>([...subjects, ...history.members]);
  const add = (name: string | undefined): void => {
    if (name !== undefined && history.actors.has(name)) shown.add(name);
  };
  for (const moment of important) {
    if (isMessage(moment)) {
      add(history.from(moment));
      add(history.to(moment));
    } else if (isFact(moment)) add(laneOfFact(history, moment));
    else if (isWitness(moment)) add(moment.lane);
    else if (!isFault(moment) && moment.process !== '*') add(history.actors.ofProcess(moment.process));
  }
  for (const moment of important) {
    if (!isFault(moment) || faultOf(moment.effect.kind).operation) continue;
    for (const lane of moment.effect.lanes) {
      // Of a host only the programs that a reader asks for first; the others of the host are drawn when they act in the slice.
      const programs = history.actors.programsOf(lane).filter((name) => !history.actors.isHost(lane) || /^(etcd|api|kubelet)-/.test(name));
      for (const name of programs) if (shown.size < LANES_MAX) add(name);
    }
  }
  if (shown.size <= history.members.length) for (const name of history.actors.names().filter((n) => n.startsWith('api-'))) add(name);
  return [...shown];
}

/** The line that names who has no lane. */
export function omittedLine(history: History, shown: readonly string[]): string | undefined {
  const left = history.actors.names().filter((name) => !shown.includes(name));
  if (left.length === 0) return undefined;
  const named = left.slice(0, 12);
  return `No event in the slice: ${named.join(', ')}${left.length > named.length ? ` and ${left.length - named.length} more` : ''}`;
}
