import type { UntypedObject } from '../../../model/api/object.ts';
import type { Write } from './history.ts';
import type { Naming } from './naming.ts';
import type { RecordedEvent, Recording, Story } from './recording.ts';
import { storyField } from './story-fields.ts';
import type { StepResult } from './steps.ts';

/** Values that held for less may be missing in recordings, because passes disagreed about them. */
const transientSeconds = 0.35;

/** Seconds by which a time may differ, by the loops of unknown phase that the README names. */
function toleranceOf(recording: Recording): number {
  switch (recording.category) {
    case 'node':
    case 'drain':
      return 10.5;
    case 'cronjob':
      return 10.5;
    case 'podgc':
    case 'alt':
      return 20.5;
    case 'gc':
    case 'namespace':
    case 'hpa':
      return 5.5;
    case 'leader':
      return 5;
    default:
      return 1.6;
  }
}

/** Each step of a chain adds the delay of a busy machine, so what comes late in a scenario may come later still. */
const driftPerSecond = 0.1;

function isNear(actual: number, expected: number, tolerance: number): boolean {
  return Math.abs(actual - expected) <= tolerance + driftPerSecond * expected;
}

function show(value: unknown): string {
  return JSON.stringify(value ?? null);
}

/** JSON with sorted keys, so that equal values have equal texts. */
function canonical(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value ?? null);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const object = value as { readonly [key: string]: unknown };
  return `{${Object.keys(object)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(object[key])}`)
    .join(',')}}`;
}

/** The distinct values of a field over the life of all objects of a key. */
function actualStory(
  writes: readonly Write[],
  field: string,
  naming: Naming,
  start: { readonly us: number; readonly wallUs: number },
): [number, unknown][] {
  const story: [number, unknown][] = [];
  let last: string | undefined;
  let uid: string | undefined;
  for (const write of writes) {
    let value: unknown;
    if (field === 'exists') value = write.object !== undefined;
    else if (write.object === undefined) continue;
    else value = storyField(write.object, field, naming, start.wallUs);
    // What a new object of the name does not have yet did not go away.
    if (value === undefined && (last === undefined || uid !== write.object?.metadata.uid)) continue;
    uid = write.object?.metadata.uid;
    const text = canonical(value);
    if (text === last) continue;
    last = text;
    story.push([Math.max(0, (write.atUs - start.us) / 1e6), value ?? null]);
  }
  return story;
}

/** Recordings of a shared cluster leave the scheduler's message out: it counts other scenarios' nodes. */
function asDetailed(expected: Story, actual: readonly (readonly [number, unknown])[]): readonly (readonly [number, unknown])[] {
  const parts = (value: unknown): number => String(value).split(' | ').length;
  if (expected.some(([, value]) => parts(value) > 2)) return actual;
  const out: (readonly [number, unknown])[] = [];
  for (const [at, value] of actual) {
    const short = typeof value === 'string' ? value.split(' | ').slice(0, 2).join(' | ') : value;
    if (out.length === 0 || out[out.length - 1]?.[1] !== short) out.push([at, short]);
  }
  return out;
}

function matchesValue(expected: unknown, actual: unknown): boolean {
  return canonical(expected) === canonical(actual);
}

/** A story without the values that held too short to be looked for. */
function settled(story: readonly (readonly [number, unknown])[]): (readonly [number, unknown])[] {
  const out: (readonly [number, unknown])[] = [];
  for (const [i, entry] of story.entries()) {
    const until = story[i + 1]?.[0] ?? Number.POSITIVE_INFINITY;
    if (until - entry[0] < transientSeconds) continue;
    if (out.length > 0 && matchesValue((out[out.length - 1] as readonly [number, unknown])[1], entry[1])) continue;
    out.push(entry);
  }
  return out;
}

/** Values shorter than 0.35 s are "differences without meaning" (README): stories agree as written, or in what held for longer. */
function compareStory(
  expected: Story,
  actual: readonly (readonly [number, unknown])[],
  loose: boolean,
  tolerance: number,
): string | undefined {
  const why = compareInOrder(expected, actual, loose, tolerance);
  if (why === undefined) return undefined;
  if (loose) return compareInOrder(settled(expected), actual, true, tolerance) === undefined ? undefined : why;
  return compareInOrder(settled(expected), settled(actual), loose, tolerance) === undefined ? undefined : why;
}

/** Compares in order; recorded values must all come, others may only be short. `loose`: they may be anything. */
function compareInOrder(
  expected: Story,
  actual: readonly (readonly [number, unknown])[],
  loose: boolean,
  tolerance: number,
): string | undefined {
  let at = 0;
  for (const [time, value] of expected) {
    let found = -1;
    for (let i = at; i < actual.length; i++) {
      const [actualTime, actualValue] = actual[i] as readonly [number, unknown];
      if (matchesValue(value, actualValue)) {
        found = i;
        if (isNear(actualTime, time, tolerance)) break;
        if (!loose) break;
      }
      const until = actual[i + 1]?.[0] ?? Number.POSITIVE_INFINITY;
      if (!loose && found < 0 && until - actualTime >= transientSeconds) break;
    }
    if (found < 0) return `expected ${show(expected)}, actual ${show(actual.map(([t, v]) => [Math.round(t * 10) / 10, v]))}`;
    const actualTime = (actual[found] as readonly [number, unknown])[0];
    if (!isNear(actualTime, time, tolerance)) return `time of ${show(value)}: expected ${time}, actual ${Math.round(actualTime * 10) / 10}`;
    at = found + 1;
  }
  if (loose) return undefined;
  for (let i = at; i < actual.length; i++) {
    const until = actual[i + 1]?.[0] ?? Number.POSITIVE_INFINITY;
    if (until - (actual[i] as readonly [number, unknown])[0] >= transientSeconds)
      return `expected ${show(expected)}, actual ${show(actual.map(([t, v]) => [Math.round(t * 10) / 10, v]))}`;
  }
  return undefined;
}

/** Kinds of which every object must be in the recording. */
const strictKinds = new Set([
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
  'Pod',
  'EndpointSlice',
  'Endpoints',
  'ControllerRevision',
  'PersistentVolumeClaim',
]);

/** Recordings with very many objects of a kind do not list them. */
function listsKind(recording: Recording, kind: string, count: number): boolean {
  const prefix = `${kind}/`;
  return (
    count < 30 ||
    Object.keys(recording.stories).some((key) => key.startsWith(prefix)) ||
    Object.keys(recording.outcome).some((key) => key.startsWith(prefix))
  );
}

/**
 * Equal pods are made in no order that means anything, so the numbers of the recording are dealt to the run's pods as their lives fit:
 * a matching of recorded and actual pods of one generateName.
 */
export function relabelPods(
  recording: Recording,
  writes: readonly Write[],
  naming: Naming,
  start: { readonly us: number; readonly wallUs: number },
): void {
  const actual = new Map<string, Write[]>();
  for (const write of writes) {
    const object = write.object ?? write.last;
    if (object?.kind !== 'Pod' || object.metadata.namespace !== recording.namespace) continue;
    const key = naming.keyOf(object);
    const list = actual.get(key);
    if (list === undefined) actual.set(key, [write]);
    else list.push(write);
  }
  const groups = new Map<string, string[]>();
  for (const key of actual.keys()) {
    const match = /^(.*-)<\d+>$/.exec(key);
    if (match === null) continue;
    const prefix = match[1] as string;
    groups.set(prefix, [...(groups.get(prefix) ?? []), key]);
  }
  const tolerance = toleranceOf(recording);
  for (const [prefix, keys] of groups) {
    const recorded = [...new Set([...Object.keys(recording.stories), ...Object.keys(recording.outcome)])].filter(
      (key) => key.startsWith(prefix) && /^<\d+>$/.test(key.slice(prefix.length)),
    );
    if (recorded.length === 0 || keys.length < 2) continue;
    const fits = (name: string, own: string): boolean => {
      const list = actual.get(own) as Write[];
      const alive = list[list.length - 1]?.object !== undefined;
      if (recording.stories[name] !== undefined && alive !== (recording.outcome[name] !== undefined)) return false;
      if (alive && recording.outcome[name] !== undefined) {
        const object = list[list.length - 1]?.object as UntypedObject;
        if (differ(withoutNames(recording.outcome[name]), object, '', naming) !== undefined) return false;
      }
      return Object.entries(recording.stories[name] ?? {}).every(([field, story]) => {
        const loose = field.startsWith('~');
        return compareStory(story, actualStory(list, loose ? field.slice(1) : field, naming, start), loose, tolerance) === undefined;
      });
    };
    const partner = new Map<string, string>();
    const offer = (name: string, tried: Set<string>): boolean => {
      for (const own of [name, ...keys]) {
        if (!actual.has(own) || tried.has(own) || !fits(name, own)) continue;
        tried.add(own);
        const taken = partner.get(own);
        if (taken === undefined || offer(taken, tried)) {
          partner.set(own, name);
          return true;
        }
      }
      return false;
    };
    for (const name of recorded) offer(name, new Set());
    const free = keys.filter((key) => ![...partner.values()].includes(key));
    const renames = new Map<string, string>();
    for (const own of keys) {
      const name = partner.get(own);
      if (name !== undefined) renames.set(own, name);
    }
    for (const own of keys)
      if (!renames.has(own))
        renames.set(own, free.includes(own) ? (free.splice(free.indexOf(own), 1)[0] as string) : (free.shift() ?? own));
    // A recorded number that no pod of the run bears cannot be dealt.
    if ([...renames.values()].every((name) => keys.includes(name)) && new Set(renames.values()).size === keys.length)
      naming.relabel('Pod', recording.namespace, renames);
  }
}

/** The parts of an outcome that do not name other objects. */
function withoutNames(outcome: { readonly [field: string]: unknown } | undefined): unknown {
  return { spec: outcome?.spec, status: outcome?.status };
}

/** The key under which a recording has an object: those of a second namespace name it. */
function recordedKey(object: UntypedObject, recording: Recording, naming: Naming): string {
  const { namespace } = object.metadata;
  const elsewhere = namespace !== undefined && namespace !== recording.namespace && namespace.startsWith(recording.namespace);
  return elsewhere ? `${naming.keyOf(object)}@${namespace}` : naming.keyOf(object);
}

export function compareStories(
  recording: Recording,
  writes: readonly Write[],
  naming: Naming,
  start: { readonly us: number; readonly wallUs: number },
): readonly string[] {
  const differences: string[] = [];
  const byObject = new Map<string, Write[]>();
  for (const write of writes) {
    const object = write.object ?? write.last;
    if (object === undefined || object.kind === 'Event') continue;
    if (object.metadata.namespace !== undefined && !object.metadata.namespace.startsWith(recording.namespace) && object.kind !== 'Lease')
      continue;
    const key = recordedKey(object, recording, naming);
    const list = byObject.get(key);
    if (list === undefined) byObject.set(key, [write]);
    else list.push(write);
  }
  for (const [key, fields] of Object.entries(recording.stories)) {
    const own = byObject.get(key);
    if (own === undefined) {
      differences.push(`${key}: never existed`);
      continue;
    }
    for (const [name, expected] of Object.entries(fields)) {
      const loose = name.startsWith('~');
      const field = loose ? name.slice(1) : name;
      // The cluster stood before the recordings began: what a node did at its start is not comparable in time.
      const actual = actualStory(own, field, naming, start);
      const why = compareStory(
        expected,
        field === 'condition PodScheduled' ? asDetailed(expected, actual) : actual,
        loose,
        toleranceOf(recording),
      );
      if (why !== undefined) differences.push(`${key} ${field}: ${why}`);
    }
  }
  const count = (kind: string): number => [...byObject.keys()].filter((key) => key.startsWith(`${kind}/`)).length;
  for (const key of byObject.keys()) {
    const kind = key.split('/')[0] as string;
    if (strictKinds.has(kind) && recording.stories[key] === undefined && listsKind(recording, kind, count(kind)))
      differences.push(`${key}: exists, but not in the recording`);
  }
  return differences;
}

const timeKeys = new Set([
  'startTime',
  'completionTime',
  'acquireTime',
  'renewTime',
  'lastScheduleTime',
  'lastSuccessfulTime',
  'lastScaleTime',
  'lastPhaseTransitionTime',
  'finishedAt',
  'startedAt',
]);

/** Where expected and actual differ; recorded objects may leave fields out, lists may not. */
function differ(expected: unknown, actual: unknown, path: string, naming: Naming): string | undefined {
  if (typeof expected === 'string') {
    if (expected === '<time>' || expected === '<set>' || expected === '<identity>' || expected === '<uuid>')
      return actual === undefined ? `${path}: absent` : undefined;
    const text = typeof actual === 'string' ? naming.text(actual) : actual;
    if (expected === '<uid>' && typeof text === 'string' && text.startsWith('<uid')) return undefined;
    return text === expected ? undefined : `${path}: expected ${show(expected)}, actual ${show(text)}`;
  }
  if (expected === null || typeof expected !== 'object')
    return expected === (actual ?? (expected === 0 ? 0 : expected === false ? false : undefined))
      ? undefined
      : `${path}: expected ${show(expected)}, actual ${show(actual)}`;
  if (Array.isArray(expected)) {
    const list = Array.isArray(actual) ? actual : [];
    if (list.length !== expected.length) return `${path}: expected ${show(expected)}, actual ${show(actual)}`;
    return compareLists(expected, list, path, naming);
  }
  for (const [key, value] of Object.entries(expected)) {
    const actualValue = typeof actual === 'object' && actual !== null ? (actual as { readonly [key: string]: unknown })[key] : undefined;
    if (timeKeys.has(key) && actualValue !== undefined) continue;
    // An admission plugin that the recordings ran with kept each scenario on its own nodes.
    if (key === 'scheduler.alpha.kubernetes.io/node-selector') continue;
    if (key === 'keys') {
      const data = Object.keys((actual as { readonly data?: object }).data ?? {}).sort();
      if (canonical(data) !== canonical(value)) return `${path}.keys: expected ${show(value)}, actual ${show(data)}`;
      continue;
    }
    if (key === 'volumes' && path.startsWith('Pod/')) {
      const own = (Array.isArray(actualValue) ? actualValue : []).filter(
        (volume) => !String((volume as { readonly name?: string }).name).startsWith('kube-api-access-'),
      );
      const why = differ(value, own, `${path}.${key}`, naming);
      if (why !== undefined) return why;
      continue;
    }
    if (key === 'tolerations') {
      const own = (Array.isArray(actualValue) ? actualValue : []).filter((toleration) => !isDefaultToleration(toleration, value));
      const why = differ(value, own, `${path}.${key}`, naming);
      if (why !== undefined) return why;
      continue;
    }
    if (key === 'restarts' || (key === 'size' && path.startsWith('Endpoints/')) || (actualValue === undefined && isEmpty(value))) continue;
    const why = differ(value, actualValue, `${path}.${key}`, naming);
    if (why !== undefined) return why;
  }
  return undefined;
}

/** One of the two tolerations of 300 s that admission adds, unless the recording has it too. */
function isDefaultToleration(toleration: unknown, recorded: unknown): boolean {
  const { key, tolerationSeconds } = toleration as { readonly key?: string; readonly tolerationSeconds?: number };
  if (tolerationSeconds !== 300 || (key !== 'node.kubernetes.io/not-ready' && key !== 'node.kubernetes.io/unreachable')) return false;
  return !(Array.isArray(recorded) && recorded.some((other) => canonical(other) === canonical(toleration)));
}

function isEmpty(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

/** Lists of conditions, addresses, owners: each recorded item must find one that fits. */
function compareLists(expected: readonly unknown[], actual: readonly unknown[], path: string, naming: Naming): string | undefined {
  const left = [...actual];
  for (const [i, item] of expected.entries()) {
    let at = left.findIndex((other) => differ(item, other, path, naming) === undefined);
    if (at < 0) {
      const type = (item as { readonly type?: unknown } | null)?.type;
      const same = left.find((other) => type !== undefined && (other as { readonly type?: unknown }).type === type) ?? left[0];
      return differ(item, same, `${path}[${i}]`, naming);
    }
    left.splice(at, 1);
    at = 0;
  }
  return undefined;
}

export function compareOutcome(recording: Recording, current: readonly UntypedObject[], naming: Naming): readonly string[] {
  const differences: string[] = [];
  const byKey = new Map<string, UntypedObject>();
  for (const object of current) {
    const { namespace } = object.metadata;
    if (namespace === undefined || namespace.startsWith(recording.namespace) || object.kind === 'Lease')
      byKey.set(recordedKey(object, recording, naming), object);
  }
  for (const [key, expected] of Object.entries(recording.outcome)) {
    const actual = byKey.get(key);
    if (actual === undefined) {
      differences.push(`outcome: ${key} is missing`);
      continue;
    }
    const why = differ(expected, actual, key, naming);
    if (why !== undefined) differences.push(`outcome ${why}`);
  }
  const count = (kind: string): number => [...byKey.keys()].filter((key) => key.startsWith(`${kind}/`)).length;
  const equalPodsLeftOut = recording.transient.some((text) => text.startsWith('outcome: which of several equal pods'));
  for (const key of byKey.keys()) {
    const kind = key.split('/')[0] as string;
    if (kind === 'Pod' && equalPodsLeftOut) continue;
    if (strictKinds.has(kind) && recording.outcome[key] === undefined && listsKind(recording, kind, count(kind)))
      differences.push(`outcome: ${key} exists, but not in the recording`);
  }
  return differences;
}

function starred(text: string): string {
  return text.replaceAll(/<\d+>/g, '<*>');
}

function countFits(expected: number | string, actual: number): boolean {
  if (typeof expected === 'number') return expected === actual;
  const [low, high] = expected.split('..').map(Number);
  return actual >= (low ?? 0) && actual <= (high ?? 0);
}

export function compareEvents(recording: Recording, events: readonly UntypedObject[], naming: Naming): readonly string[] {
  const withScheduling = recording.category === 'scheduler';
  const actual: { key: string; count: number; used: number }[] = [];
  const keyOf = (object: string, type: string, reason: string, message: string): string => `${object} ${type} ${reason} ${message}`;
  for (const event of events) {
    const e = event as UntypedObject & {
      readonly involvedObject: { readonly kind: string; readonly name: string };
      readonly type: string;
      readonly reason: string;
      readonly message: string;
      readonly count?: number;
    };
    if (e.reason === 'FailedScheduling' && !withScheduling) continue;
    // Events of nodes are kept in namespace default, for all scenarios side by side: only those that the recording names are its own.
    const isNode =
      e.involvedObject.kind === 'Node' &&
      recording.events.some((r) => r.object === `Node/${e.involvedObject.name}` && r.reason === e.reason);
    if (e.metadata.namespace?.startsWith(recording.namespace) !== true && !isNode) continue;
    const key = keyOf(`${e.involvedObject.kind}/${naming.text(e.involvedObject.name)}`, e.type, e.reason, naming.text(e.message));
    const known = actual.find((entry) => entry.key === key);
    if (known === undefined) actual.push({ key, count: e.count ?? 1, used: 0 });
    else known.count += e.count ?? 1;
  }
  const differences: string[] = [];
  const partial = recording.unstable.some((text) => text.startsWith('events:'));
  for (const event of recording.events as readonly RecordedEvent[]) {
    const key = keyOf(event.object, event.type, event.reason, event.message);
    const star = key.includes('<*>');
    const matching = actual.filter((entry) => entry.used < entry.count && (star ? starred(entry.key) === starred(key) : entry.key === key));
    const total = matching.reduce((sum, entry) => sum + entry.count - entry.used, 0);
    if (star) {
      let wanted = typeof event.count === 'number' ? event.count : Number(event.count.split('..')[1]);
      for (const entry of matching) {
        const take = Math.min(wanted, entry.count - entry.used);
        entry.used += take;
        wanted -= take;
      }
      if (wanted > 0 && typeof event.count === 'number')
        differences.push(`event ${key}: expected ${event.count}, actual ${event.count - wanted}`);
      continue;
    }
    for (const entry of matching) entry.used = entry.count;
    // The scheduler's events are series, of which only some steps are written.
    if (
      withScheduling &&
      event.reason === 'FailedScheduling' &&
      typeof event.count === 'number' &&
      event.count >= 3 &&
      total >= event.count
    )
      continue;
    if (!countFits(event.count, total)) differences.push(`event ${key}: expected ${event.count}, actual ${total}`);
  }
  if (!partial)
    for (const entry of actual)
      if (entry.used < entry.count) differences.push(`event ${entry.key}: ${entry.count - entry.used} not in the recording`);
  return differences;
}

export function compareResults(recording: Recording, results: readonly StepResult[]): readonly string[] {
  const text = (result: {
    readonly step: number;
    readonly code?: number;
    readonly reason?: string;
    readonly message?: string;
    readonly drain?: string;
    readonly tries?: readonly string[];
  }): string =>
    canonical({
      step: result.step,
      code: result.code,
      reason: result.reason,
      message: result.message,
      drain: result.drain,
      tries: result.tries,
    });
  const expected = recording.results.map(text);
  const uuid = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
  const actual = results.map((result) => text(result).replaceAll(uuid, '<uuid>'));
  if (expected.join() === actual.join()) return [];
  return [`results: expected ${expected.join(' ')}, actual ${actual.join(' ')}`];
}
