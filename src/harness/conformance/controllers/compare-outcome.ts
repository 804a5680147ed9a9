import type { UntypedObject } from '../../../model/api/object.ts';
import { canonical, show } from './canonical-json.ts';
import type { Naming } from './naming.ts';
import { listsKind, recordedKey, strictKinds } from './recorded-objects.ts';
import type { Recording } from './recording.ts';

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
export function differ(expected: unknown, actual: unknown, path: string, naming: Naming): string | undefined {
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
  return isStatus.test(path) ? surplus(expected, actual, path) : undefined;
}

/** Of pods and nodes the recordings leave most of the status out. */
const isStatus = /^(?!Pod\/|Node\/)[^.~]*\.status\b/;

/** Dropped where the passes differed; of references to other objects an outcome has kind and name alone. */
const leftOut = new Set(['apiVersion', 'namespace', 'observedGeneration', 'resourceVersion', 'uid']);

/** A field of a status that the recording does not have. */
function surplus(expected: object, actual: unknown, path: string): string | undefined {
  if (typeof actual !== 'object' || actual === null) return undefined;
  for (const [key, value] of Object.entries(actual)) {
    if (key in expected || value === undefined || value === 0 || value === false || value === '' || isEmpty(value)) continue;
    if (timeKeys.has(key) || /Time$/.test(key) || leftOut.has(key)) continue;
    return `${path}.${key}: not in the recording, actual ${show(value)}`;
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
    // Of an object that the passes disagreed about, what they disagreed in was dropped.
    const isUnstable = [...recording.unstable, ...recording.transient].some((text) => text.startsWith(`outcome ${key}.`));
    const why = differ(expected, actual, isUnstable ? `${key}~` : key, naming);
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
