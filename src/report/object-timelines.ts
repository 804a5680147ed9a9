import type { TraceFact } from '../harness/recorder.ts';
import { condition, field, number, text } from '../properties/fields.ts';
import type { Micros } from '../sim/time.ts';
import type { ObjectPhase, ObjectTimeline } from './document.ts';
import type { History } from './history.ts';

const OBJECTS_MAX = 14;
const WRITES_MAX = 60;

/** Resources with a timeline, in the order of the page. */
const KINDS: readonly (readonly [resource: string, kind: string])[] = [
  ['deployments', 'Deployment'],
  ['statefulsets', 'StatefulSet'],
  ['replicasets', 'ReplicaSet'],
  ['pods', 'Pod'],
  ['endpointslices', 'EndpointSlice'],
  ['minions', 'Node'],
];

interface Changes {
  readonly resource: string;
  readonly name: string;
  readonly list: { readonly atUs: Micros; readonly revision: number; readonly object: object | undefined }[];
}

/** The API objects that a failure is about, over time: of the subjects' namespaces and names, the busiest near the violation first. */
export function objectTimelines(
  history: History,
  subjects: readonly string[],
  atUs: Micros,
  idOf: (fact: TraceFact) => string | undefined,
): readonly ObjectTimeline[] {
  const byKey = new Map<string, Changes>();
  for (const fact of history.factsBy.get('objectChanged') ?? []) {
    const [revision, key, object] = fact.args as readonly [number, string, object | undefined];
    const [, , resource, ...name] = key.split('/');
    if (resource === undefined || !KINDS.some(([known]) => known === resource)) continue;
    let changes = byKey.get(key);
    if (changes === undefined) {
      changes = { resource, name: name.join('/'), list: [] };
      byKey.set(key, changes);
    }
    changes.list.push({ atUs: fact.atUs, revision, object });
  }
  const writers = new Map<string, TraceFact>();
  for (const fact of history.factsBy.get('apiWrite') ?? []) writers.set(String(fact.args[5]), fact);
  const relevance = (changes: Changes): number => {
    const { name } = changes;
    const named = subjects.some((subject) => subject === name || name === subject.slice(subject.lastIndexOf('/') + 1));
    const related = subjects.some((subject) => subject.includes('/') && name.startsWith(subject));
    const onNode = changes.list.some(({ object }) => object !== undefined && subjects.includes(text(object, 'spec', 'nodeName')));
    const near = changes.list.reduce((best, change) => Math.min(best, Math.abs(change.atUs - atUs)), Number.POSITIVE_INFINITY);
    return (named ? 4e12 : related ? 3e12 : onNode ? 1e12 : 0) - (name.startsWith('kube-system/') ? 2e12 : 0) - near;
  };
  const rank = (resource: string): number => KINDS.findIndex(([known]) => known === resource);
  return [...byKey.values()]
    .map((changes) => ({ changes, score: relevance(changes) }))
    .filter(({ score }) => score > -1e12)
    .sort((a, b) => b.score - a.score)
    .slice(0, OBJECTS_MAX)
    .map(({ changes }) => changes)
    .sort((a, b) => rank(a.resource) - rank(b.resource) || (a.name < b.name ? -1 : 1))
    .map((changes) => ({
      kind: KINDS[rank(changes.resource)]?.[1] ?? changes.resource,
      name: changes.name,
      phases: phasesOf(changes),
      writes: changes.list.slice(-WRITES_MAX).map(({ atUs: at, revision }) => {
        const write = writers.get(String(revision));
        const eventId = write === undefined ? undefined : idOf(write);
        return {
          atUs: at,
          resourceVersion: String(revision),
          writer: write === undefined ? 'unknown' : shortUser(String(write.args[1])),
          ...(eventId === undefined ? {} : { eventId }),
        };
      }),
    }));
}

/** `system:serviceaccount:kube-system:replicaset-controller` → `replicaset-controller`. */
function shortUser(user: string): string {
  return user.slice(user.lastIndexOf(':') + 1) || user;
}

function phasesOf({ resource, list }: Changes): readonly ObjectPhase[] {
  const phases: ObjectPhase[] = [];
  for (const { atUs, object } of list) {
    const next = object === undefined ? undefined : phaseOf(resource, object);
    const last = phases.at(-1);
    if (last !== undefined && last.toUs === undefined) {
      if (next !== undefined && last.look === next.look && (resource === 'pods' || last.label === next.label)) continue;
      phases[phases.length - 1] = { ...last, toUs: atUs };
    }
    // A pod's node is written once.
    const known = resource === 'pods' && phases.some((phase) => phase.label === next?.label);
    if (next !== undefined)
      phases.push({ look: next.look, fromUs: atUs, ...(next.label === undefined || known ? {} : { label: next.label }) });
  }
  return phases;
}

function phaseOf(resource: string, object: object): Omit<ObjectPhase, 'fromUs' | 'toUs'> {
  if (text(object, 'metadata', 'deletionTimestamp') !== '') return { look: 'terminating' };
  if (resource === 'pods') {
    const node = text(object, 'spec', 'nodeName');
    const label = node === '' ? {} : { label: node };
    if (condition(object, 'Ready') === 'True') return { look: 'ready', ...label };
    return text(object, 'status', 'phase') === 'Running' ? { look: 'running', ...label } : { look: 'starting', ...label };
  }
  if (resource === 'endpointslices') {
    const endpoints = field(object, 'endpoints');
    const ready = Array.isArray(endpoints) ? endpoints.filter((endpoint) => field(endpoint as object, 'conditions', 'ready') === true) : [];
    return { look: 'value', label: `${ready.length} ready` };
  }
  if (resource === 'minions')
    return condition(object, 'Ready') === 'True'
      ? { look: 'ready' }
      : { look: 'wrong', label: `Ready ${condition(object, 'Ready') || 'absent'}` };
  const wanted = number(object, 1, 'spec', 'replicas');
  if (resource === 'replicasets') return { look: 'value', label: String(wanted) };
  const paused = field(object, 'spec', 'paused') === true ? ', paused' : '';
  return { look: 'value', label: `${number(object, 0, 'status', 'readyReplicas')}/${wanted}${paused}` };
}
