import type { TraceFact } from '../harness/recorder.ts';
import type { History } from './history.ts';

/** For facts about pods and nodes: the channel of their causes, and the arguments that must agree (here, there). */
const BEFORE: Readonly<Record<string, readonly (readonly [channel: string, here: string, there: string])[]>> = {
  containerStarted: [
    ['podBound', 'uid', 'uid'],
    ['podAdmitted', 'uid', 'uid'],
  ],
  containerStopped: [
    ['podEvicted', 'uid', 'uid'],
    ['containerStarted', 'instance', 'instance'],
  ],
  podAdmitted: [['podBound', 'uid', 'uid']],
  podBound: [
    ['podEvicted', 'pod', 'pod'],
    ['podRemoved', 'pod', 'pod'],
  ],
  podEvicted: [['nodeCondition', 'node', 'node']],
  podReady: [
    ['containerStarted', 'uid', 'uid'],
    ['containerStopped', 'uid', 'uid'],
  ],
  podRemoved: [['containerStopped', 'uid', 'uid']],
  nodeCondition: [['nodeReachable', 'node', 'node']],
  endpointsProgrammed: [['podReady', '', '']],
  requestAnswered: [
    ['requestSent', 'request', 'request'],
    ['endpointsProgrammed', '', ''],
  ],
};

/** Earlier facts that a fact about a pod, node or request came from: the latest of each kind. */
export function podCauses(history: History, fact: TraceFact): readonly TraceFact[] {
  const found: TraceFact[] = [];
  for (const [channel, here, there] of BEFORE[fact.channel] ?? []) {
    const wanted = argument(fact, here);
    const cause = (history.factsBy.get(channel) ?? []).findLast(
      (other) => other.atUs <= fact.atUs && other !== fact && (here === '' || argument(other, there) === wanted),
    );
    if (cause !== undefined) found.push(cause);
  }
  return found;
}

/** An argument by its name in the channel. */
export function argument(fact: TraceFact, field: string): unknown {
  const at = fact.fields.indexOf(field);
  return at < 0 ? undefined : fact.args[at];
}
