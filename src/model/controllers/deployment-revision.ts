import type { Deployment, PodTemplateSpec, ReplicaSet } from '../api/types.ts';
import { byCreation } from './deployment-rolling.ts';
import { podTemplateHashLabel } from './pod-template-hash.ts';
import { semanticEqual } from './semantic-equal.ts';

export const revisionAnnotation = 'deployment.kubernetes.io/revision';
const historyAnnotation = 'deployment.kubernetes.io/revision-history';
const desiredAnnotation = 'deployment.kubernetes.io/desired-replicas';
const maxAnnotation = 'deployment.kubernetes.io/max-replicas';

/** Annotations of a Deployment that are not its ReplicaSets': upstream annotationsToSkip. */
const notCopied = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maxAnnotation,
  'deprecated.deployment.rollback.to',
]);

/** Most characters of the revision history annotation: upstream maxRevHistoryLengthInChars. */
const historyCharsMax = 2000;

type Annotations = { readonly [key: string]: string };

function integerOf(text: string | undefined): number | undefined {
  return text !== undefined && /^-?[0-9]+$/.test(text) ? Number(text) : undefined;
}

export function revisionOf(set: ReplicaSet): number {
  return integerOf(set.metadata.annotations?.[revisionAnnotation]) ?? 0;
}

/** spec.replicas of the Deployment when it last resized the set. */
export function desiredReplicasOf(set: ReplicaSet): number | undefined {
  return integerOf(set.metadata.annotations?.[desiredAnnotation]);
}

export function maxReplicasOf(set: ReplicaSet): number | undefined {
  return integerOf(set.metadata.annotations?.[maxAnnotation]);
}

export function maxRevision(sets: readonly ReplicaSet[]): number {
  return sets.reduce((max, set) => Math.max(max, revisionOf(set)), 0);
}

/** The annotations with desired and maximal size, or the same object where they are right already. Upstream SetReplicasAnnotations. */
export function withReplicas(annotations: Annotations | undefined, desired: number, max: number): Annotations {
  if (annotations?.[desiredAnnotation] === String(desired) && annotations[maxAnnotation] === String(max)) return annotations;
  return { ...annotations, [desiredAnnotation]: String(desired), [maxAnnotation]: String(max) };
}

/** Annotations of the newest set; the same object where nothing changes. Upstream SetNewReplicaSetAnnotations. */
export function newSetAnnotations(deployment: Deployment, annotations: Annotations | undefined, revision: number): Annotations | undefined {
  let next = annotations;
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (notCopied.has(key) || next?.[key] === value) continue;
    next = { ...next, [key]: value };
  }
  const oldText = annotations?.[revisionAnnotation];
  const old = integerOf(oldText) ?? 0;
  if (old >= revision) return next;
  next = { ...next, [revisionAnnotation]: String(revision) };
  if (oldText === undefined) return next;
  // The set was the newest once before: its earlier numbers are kept as history.
  const history = next[historyAnnotation];
  const list = history === undefined || history === '' ? [] : history.split(',');
  let length = (history ?? '').length + oldText.length + 1;
  while (length > historyCharsMax && list.length > 0) length -= (list.shift() ?? '').length + 1;
  if (length <= historyCharsMax) list.push(oldText);
  return { ...next, [historyAnnotation]: list.join(',') };
}

function withoutHash(labels: Annotations | undefined): Annotations | undefined {
  if (labels === undefined || !Object.hasOwn(labels, podTemplateHashLabel)) return labels;
  const { [podTemplateHashLabel]: _, ...rest } = labels;
  return rest;
}

/** Whether two templates are the same but for the hash that the controller adds. Upstream EqualIgnoreHash. */
export function sameTemplate(a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean {
  if (a === b) return true;
  return (
    semanticEqual(a?.spec, b?.spec) &&
    semanticEqual(a?.metadata?.annotations, b?.metadata?.annotations) &&
    semanticEqual(withoutHash(a?.metadata?.labels), withoutHash(b?.metadata?.labels))
  );
}

/** The set with the Deployment's template; the oldest where there are several. Upstream FindNewReplicaSet. */
export function findNewSet(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return [...sets].sort(byCreation).find((set) => sameTemplate(set.spec.template, deployment.spec.template));
}
