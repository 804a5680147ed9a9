import type { TraceFact } from '../harness/recorder.ts';
import type { Violation } from '../harness/trial-result.ts';
import { condition, text } from '../properties/fields.ts';
import { sayFact } from './fact-words.ts';
import type { History } from './history.ts';
import { argument } from './pod-causes.ts';
import { sayStaleKubelet } from './stale-view.ts';
import { clock } from './time-words.ts';

/** A step that the objects of a witness tell, with its sentence where the fact's own words are not enough. */
export interface ObjectStep {
  readonly fact: TraceFact;
  readonly text?: string;
}

const STUCK_MAX = 2;

/** What happened to the API objects that a violation is about: users' wishes, pods that are stuck, the last writes. */
export function objectSteps(history: History, { property, witness }: Violation): readonly ObjectStep[] {
  const subject = witness.subjects[0] ?? '';
  const until = witness.atUs;
  const latest = (channel: string, fits: (fact: TraceFact) => boolean, count = 1): readonly ObjectStep[] =>
    (history.factsBy.get(channel) ?? [])
      .filter((fact) => fact.atUs <= until && fits(fact))
      .slice(count === 0 ? Number.POSITIVE_INFINITY : -count)
      .map((fact) => ({ fact }));
  const name = subject.slice(subject.lastIndexOf('/') + 1);
  const asked = latest(
    'userOperation',
    (fact) => name !== '' && String(fact.args[2]).includes(name) && !String(fact.args[2]).startsWith('apply'),
    3,
  );
  switch (property) {
    case 'eventual-reconciliation':
      return [
        ...asked,
        ...stuckPods(history, subject),
        ...wrongBackends(history, witness.expected, witness.actual, latestWrite(history, subject, until)),
        ...latest('nodeCondition', (fact) => fact.args[0] === subject),
        ...latest(
          'endpointsProgrammed',
          (fact) => fact.args[0] === subject || fact.args[1] === subject,
          witness.clause === 'proxies' || witness.clause === 'endpoints' ? 2 : 0,
        ),
        ...latest(
          'apiWrite',
          (fact) =>
            (fact.args[4] === subject || (witness.clause === 'endpoints' && String(fact.args[4]).startsWith(`${subject}-`))) &&
            String(fact.args[3]).startsWith(witness.clause === 'endpoints' ? 'endpoint' : 'deployments'),
        ),
      ];
    case 'quiescence': {
      const key = subject.split('/').slice(3).join('/');
      return latest('apiWrite', (fact) => fact.args[4] === key, 3);
    }
    case 'rollout-bounds':
      return [
        ...asked,
        ...latest(
          'apiWrite',
          (fact) => String(fact.args[3]).startsWith('replicasets') && String(fact.args[4]).startsWith(`${subject}-`),
          4,
        ),
        ...latest('leading', (fact) => String(fact.args[0]).includes('controller-manager'), 3),
      ];
    case 'node-capacity':
      return [
        ...latest('podBound', (fact) => fact.args[2] === subject, 3),
        ...latest('podAdmitted', (fact) => fact.args[0] === subject, 3),
        ...latest('leading', (fact) => String(fact.args[0]).includes('scheduler'), 2),
      ];
    case 'service-availability':
      return [
        ...latest('endpointsProgrammed', () => true, 2),
        ...latest('podReady', () => true, 2),
        ...latest('containerStopped', () => true),
      ];
    case 'watch-atomic':
    case 'watch-bookmarkable':
    case 'watch-filtered':
    case 'watch-ordered':
    case 'watch-reliable':
    case 'watch-resumable':
    case 'watch-unique': {
      const [client, member] = witness.subjects;
      const watch = (history.factsBy.get('watchOpened') ?? []).findLast((fact) => fact.args[1] === client && fact.atUs <= until)?.args[0];
      const revision = Number(/revision (\d+)/.exec(witness.sentence)?.[1]);
      return [
        ...latest('watchOpened', (fact) => fact.args[0] === watch),
        ...latest('watchResumed', (fact) => fact.args[0] === watch, 2),
        ...latest('raftApply', (fact) => fact.args[0] === member && fact.args[4] === revision),
      ];
    }
    case 'pod-identity':
      return [
        ...podSteps(history, witness.sentence.split(' ')[0] ?? '', until),
        ...staleAdmission(history, witness.sentence.split(' ')[0] ?? '', until),
      ];
    default:
      return [];
  }
}

/** When the endpoints of a Service were written last. */
function latestWrite(history: History, service: string, untilUs: number): TraceFact | undefined {
  return (history.factsBy.get('apiWrite') ?? []).findLast(
    (fact) => fact.atUs <= untilUs && fact.args[3] === 'endpointslices' && String(fact.args[4]).startsWith(`${service}-`),
  );
}

const ADDRESS = /\d+\.\d+\.\d+\.\d+/g;

/** Addresses that are missing or too many, with the pods behind them and what their kubelets say. */
function wrongBackends(history: History, expected: string, actual: string, write: TraceFact | undefined): readonly ObjectStep[] {
  const wanted: readonly string[] = expected.match(ADDRESS) ?? [];
  const given: readonly string[] = actual.match(ADDRESS) ?? [];
  const last = write === undefined ? '' : `, last written at ${clock(write.atUs)}`;
  const steps = (ips: readonly string[], ready: boolean, said: string): readonly ObjectStep[] =>
    ips.flatMap((ip): readonly ObjectStep[] => {
      const pod = history.actors.podAt(ip);
      const channels = ready ? ['podReady'] : ['podReady', 'podRemoved', 'containerStopped'];
      const facts = channels.flatMap((channel) => (history.factsBy.get(channel) ?? []).filter((fact) => argument(fact, 'pod') === pod));
      const fact = facts.sort((a, b) => a.atUs - b.atUs).at(-1);
      return fact === undefined
        ? []
        : [{ fact, text: `${sayFact(fact)?.subject ?? ''} ${sayFact(fact)?.text ?? ''} (${ip}). However, the endpoints${last}, ${said}.` }];
    });
  return [
    ...steps(
      wanted.filter((ip) => !given.includes(ip)),
      true,
      'do not have it',
    ),
    ...steps(
      given.filter((ip) => !wanted.includes(ip)),
      false,
      'still have it',
    ),
  ].slice(0, STUCK_MAX);
}

/** How a pod came to run where it runs: the orders of the control plane and what nodes did. */
function podSteps(history: History, pod: string, untilUs: number): readonly ObjectStep[] {
  const steps: ObjectStep[] = [];
  for (const channel of ['podBound', 'podEvicted', 'podRemoved', 'containerStopped', 'userOperation']) {
    const found = (history.factsBy.get(channel) ?? [])
      .filter(
        (fact) =>
          fact.atUs <= untilUs &&
          (argument(fact, 'pod') === pod || (channel === 'userOperation' && String(fact.args[2]).includes('delete'))),
      )
      .slice(-2);
    for (const fact of found) steps.push({ fact });
  }
  return steps;
}

/** Why the node that started the pod last took it, if what it was told was old. */
function staleAdmission(history: History, pod: string, untilUs: number): readonly ObjectStep[] {
  const fact = (history.factsBy.get('podAdmitted') ?? []).findLast((found) => found.atUs <= untilUs && argument(found, 'pod') === pod);
  if (fact === undefined) return [];
  const node = String(argument(fact, 'node'));
  const why = sayStaleKubelet(history, node, fact.atUs);
  return why === undefined ? [] : [{ fact, text: `${why}. Therefore ${node} still takes ${pod} for its own.` }];
}

/** Pods of a workload that the API does not show ready at the end, and how far each of them got. */
function stuckPods(history: History, subject: string): readonly ObjectStep[] {
  const last = new Map<string, object | undefined>();
  for (const fact of history.factsBy.get('objectChanged') ?? []) {
    const key = String(fact.args[1]);
    const pod = key.startsWith('/registry/pods/') ? key.slice('/registry/pods/'.length) : '';
    if (pod === subject || pod.startsWith(`${subject}-`)) last.set(pod, fact.args[2] as object | undefined);
  }
  return [...last]
    .filter(
      ([, object]) =>
        object !== undefined && condition(object, 'Ready') !== 'True' && !/^(Succeeded|Failed)$/.test(text(object, 'status', 'phase')),
    )
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, STUCK_MAX)
    .flatMap(([pod, object]) => stuckAt(history, pod, object as object));
}

function stuckAt(history: History, pod: string, object: object): readonly ObjectStep[] {
  const lastOf = (channel: string, fits: (fact: TraceFact) => boolean = () => true): TraceFact | undefined =>
    (history.factsBy.get(channel) ?? []).findLast((fact) => argument(fact, 'pod') === pod && fits(fact));
  const bound = lastOf('podBound');
  const node = text(object, 'spec', 'nodeName');
  const ready = lastOf('podReady');
  const write = (history.factsBy.get('apiWrite') ?? []).findLast((fact) => fact.args[3] === 'pods' && fact.args[4] === pod);
  if (ready?.args[3] === true) {
    const said =
      write === undefined
        ? 'the API was never told'
        : `the last write of the pod in the API is from ${clock(write.atUs)} and does not say so`;
    return [
      { fact: ready, text: `The kubelet of ${node} sees pod ${pod} ready. However, ${said}.` },
      ...(write === undefined ? [] : [{ fact: write }]),
    ];
  }
  const stopped = lastOf('containerStopped');
  const started = lastOf('containerStarted');
  if (stopped !== undefined && (started === undefined || stopped.atUs >= started.atUs)) {
    return [{ fact: stopped, text: `${sayFact(stopped)?.subject ?? node}: ${sayFact(stopped)?.text ?? ''}, and nothing starts it again.` }];
  }
  if (started !== undefined) return [{ fact: started, text: `${node} starts pod ${pod}, which never becomes ready.` }];
  if (bound !== undefined) return [{ fact: bound, text: `Pod ${pod} is bound to ${node}, which never starts it.` }];
  const made = write ?? lastOf('podRemoved');
  return made === undefined ? [] : [{ fact: made, text: `Pod ${pod} exists, but is bound to no node.` }];
}
